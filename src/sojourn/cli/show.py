"""sojourn show: one request, grant or session."""

from __future__ import annotations

from sojourn.errors import Code, SojournError

from .client import call, place
from .common import Common
from .output import local, print_fields, print_json

KINDS = {"r": "requests", "g": "grants", "s": "sessions"}


def show(name: str, *, common: Common | None = None) -> None:
    """Show one request, grant or session by its id.

    Example: sojourn show r-7k3m2q9x4h

    Parameters
    ----------
    name
        The id; its first letter says what it is.
    """
    common = common or Common()
    kind = KINDS.get(name.partition("-")[0])
    if kind is None:
        raise SojournError(Code.INPUT_INVALID, problem="That is no id", expected="r-…, g-… or s-…")
    answered = call(common, "GET", place(kind, name))
    print_json(answered) if common.json else print_fields(_flat(answered))


def _flat(answered: dict[str, object]) -> dict[str, object]:
    decisions = answered.pop("decisions", None)
    if isinstance(decisions, list):
        answered["decided"] = [_decided(one) for one in decisions]
    groups = answered.pop("groups", None)
    if isinstance(groups, list) and len(groups) > 1:
        answered["groups"] = [f"{one['needed']} of {one['name']}" for one in groups]
    away = answered.pop("away", None)
    if isinstance(away, list):
        answered["away"] = [f"{one['person']} (instead: {one['delegate'] or 'nobody'})" for one in away]
    comments = answered.pop("comments", None)
    if isinstance(comments, list):
        answered["said"] = [f"{one['number']} {one['person']}: {one['text']}" for one in comments]
    return answered


def _decided(one: dict[str, object]) -> str:
    place = f" for {one['on_behalf_of']}" if one["on_behalf_of"] else ""
    return f"{one['decision']} by {one['person']}{place} at {local(str(one['at']))}"
