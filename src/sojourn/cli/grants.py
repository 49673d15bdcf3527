"""sojourn grants: accesses."""

from __future__ import annotations

from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cyclopts import Parameter

from sojourn.errors import Code, SojournError

from .client import call, given
from .common import Common
from .output import local, print_json, print_more, print_table


def grants(
    *,
    status: str | None = None,
    spans: Annotated[bool, Parameter(negative="")] = False,
    zone: str = "",
    before: int | None = None,
    common: Common | None = None,
) -> None:
    """List accesses, newest first; or, with --spans, the time that they add up to.

    Example: sojourn grants --status active

    Example: sojourn grants --spans --zone Europe/Berlin

    Parameters
    ----------
    status
        Only those in this status: provisioning, active, ended, removed.
    spans
        Grants of one person, target and role that meet or overlap, and their extensions, as one [start, end).
    zone
        With --spans: the time zone to show, such as Europe/Berlin (default: that of this machine).
    before
        Go on where a page stopped; it names the number.
    """
    common = common or Common()
    if spans:
        _spans(zone, before, common)
        return
    answered = call(common, "GET", "/grants", params=given(status=status, before=before))
    if common.json:
        print_json(answered)
        return
    rows = [{**one, "decided": "break-glass" if one["break_glass"] else "yes"} for one in answered["grants"]]
    columns = ("grant", "status", "person", "target", "role", "start", "end", "decided", "cause", "problem")
    print_table(rows, columns, empty="There are none.")
    print_more(answered)


def _spans(zone: str, before: int | None, common: Common) -> None:
    place = _zone(zone)
    answered = call(common, "GET", "/spans", params=given(before=before))
    rows = [{**one, "local": _local(one, place)} for one in answered["spans"]]
    if common.json:
        print_json({**answered, "spans": rows})
        return
    print_table(rows, ("person", "target", "role", "local", "grants"), empty="There are none.")
    print_more(answered)


def _zone(name: str) -> ZoneInfo | None:
    """The zone of that name, None for the machine's own. Raises SojournError `input.invalid`."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        expected = "one such as Europe/Berlin"
        raise SojournError(Code.INPUT_INVALID, problem=f"There is no time zone {name!a}", expected=expected) from error


def _local(span: dict[str, Any], zone: ZoneInfo | None) -> str:
    return f"[{local(span['start'], zone)}, {local(span['end'], zone)})"
