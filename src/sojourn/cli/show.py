"""sojourn show: one request, grant or session."""

from __future__ import annotations

from sojourn.errors import Code, SojournError

from .client import call, place
from .common import Common
from .output import print_fields, print_json

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
        answered["decided"] = [f"{one['decision']} by {one['person']} at {one['at']}" for one in decisions]
    return answered
