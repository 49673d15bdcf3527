"""Is it right? Each event's entries, read from the record once more by another way, and compared with its row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sojourn.evidence.files.sheet import Sheet
from sojourn.ledger.errors import LedgerError

from .columns import Cell, sheet_of
from .context import Context
from .population import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Reread:
    """One event, compared: how many of its entries were read again, how many fields, and what differs."""

    request: str
    entries: int
    fields: int
    differences: str


CELLS: tuple[Cell[Reread], ...] = (
    Cell("request", lambda one: one.request, "The access event."),
    Cell(
        "entries_read_again", lambda one: one.entries, "Entries of the record that were read again for it.", total=True
    ),
    Cell("fields_compared", lambda one: one.fields, "Fields of its row that were compared with them.", total=True),
    Cell("result", lambda one: "fail" if one.differences else "pass", "pass if none differs."),
    Cell("differences", lambda one: one.differences, "What differs: the row, and the record."),
)


def accuracy(context: Context) -> Sheet:
    """The sheet Accuracy."""
    rows = (reread(context, event) for event in context.events)
    return sheet_of("Accuracy", "Rows against the raw entries, read again.", CELLS, rows)


def reread(context: Context, event: Event) -> Reread:
    """Read an event's entries again and compare."""
    entries, fields, differences = 0, 0, []
    for seq, wanted in _wanted(event):
        try:
            kind, at, body = context.again(seq)
        except LedgerError as error:
            differences.append(f"entry {seq} cannot be read: {error}")
            continue
        entries += 1
        found = {"kind": kind, "at": at, **body}
        for name, value in wanted.items():
            fields += 1
            if not _same(found.get(name), value):
                differences.append(f"entry {seq}, {name}: {value} in the row, {found.get(name)} in the record")
    return Reread(request=event.access.request, entries=entries, fields=fields, differences="; ".join(differences))


def _wanted(event: Event) -> Iterator[tuple[int, dict[str, Any]]]:
    """Places, and what has to stand there."""
    access = event.access
    submitted, given = access.submitted, access.given
    first = {
        "kind": "request.submitted",
        "at": submitted.at,
        "request": access.request,
        "person": submitted.event.person,
    }
    yield submitted.seq, first | {"target": submitted.event.target, "role": submitted.event.role}
    for approval in access.approvals:
        yield approval.seq, {"kind": "request.approved", "at": approval.at, "person": approval.event.person}
    if given is None:
        return
    created = given.created
    yield (
        created.seq,
        {"kind": "grant.created", "at": created.at, "grant": given.id, "person": access.asked.event.person},
    )
    if given.ended is not None:
        yield given.ended.seq, {"kind": "grant.ended", "at": given.ended.at, "cause": given.ended.event.cause.value}
    if given.removed is not None:
        removed = given.removed
        yield removed.seq, {"kind": "grant.removed", "at": removed.at, "role_present": removed.event.role_present}


def _same(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, datetime):
        return isinstance(found, str) and datetime.fromisoformat(found) == wanted
    return bool(found == wanted)
