"""What was out of order in a period, with what became of it: tests of access events that failed, and findings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from sojourn.evidence.attributes import Answer, Disposed
from sojourn.evidence.files.sheet import Sheet, Value
from sojourn.evidence.findings import Found

from .columns import Cell, sheet_of
from .context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Exceptional:
    """One exception. `about` is the request of an access event, or a finding; `disposed` is what was said last."""

    about: str
    number: int | None
    requester: str | None
    target: str
    test: str
    title: str
    reason: str
    since: datetime
    disposed: Disposed | None


def exceptions(context: Context) -> Sheet:
    """The sheet Exceptions."""
    purpose = "Every test that failed and every finding, with what becomes of it; open until somebody has said so."
    return sheet_of("Exceptions", purpose, _CELLS, _exceptional(context))


def unmatched(context: Context) -> Sheet:
    """The sheet Unmatched: the findings of the period, and those that were open when it began."""
    purpose = "What record and target did not both know, and times when a target could not be looked at."
    return sheet_of("Unmatched", purpose, _UNMATCHED, context.findings)


def open_findings(context: Context) -> Sheet:
    """The sheet Open: those of them that are exceptions."""
    purpose = "Those of which nobody has said what becomes of them."
    return sheet_of("Open", purpose, _UNMATCHED, (one for one in context.findings if one.disposed is None))


def _exceptional(context: Context) -> Iterator[Exceptional]:
    for event in context.events:
        said = context.disposed(event.access)
        for test in event.tests:
            if test.answer is Answer.FAIL:
                about = [one for one in said if test.letter in getattr(one.event, "letters", ())]
                yield Exceptional(
                    about=event.access.request,
                    number=event.access.number,
                    requester=event.access.asked.event.person,
                    target=event.access.asked.event.target,
                    test=test.letter,
                    title=test.title,
                    reason=test.reason,
                    since=event.access.submitted.at,
                    disposed=about[-1] if about else None,
                )
    for one in context.findings:
        yield Exceptional(
            about=one.finding,
            number=None,
            requester=None,
            target=one.target,
            test="",
            title=one.kind.replace("_", " "),
            reason=f"{one.subject}: {one.detail}",
            since=one.since,
            disposed=one.disposed,
        )


def _said(find: Callable[[Disposed], Value]) -> Callable[[Exceptional | Found], Value]:
    """A value that is empty until somebody has said what becomes of it."""
    return lambda one: None if one.disposed is None else find(one.disposed)


_CELLS: tuple[Cell[Exceptional], ...] = (
    Cell("exception", lambda one: one.about, "The access event (r-...), or the finding at a target (f-...)."),
    Cell("number", lambda one: one.number, "Number of the request; empty for a finding."),
    Cell("requester", lambda one: one.requester, "Who asked; empty for a finding."),
    Cell("target", lambda one: one.target, "Production system."),
    Cell("test", lambda one: one.test, "Letter of the test; empty for a finding."),
    Cell("title", lambda one: one.title, "What the test asks, or what kind of finding it is."),
    Cell("reason", lambda one: one.reason, "Why, in words."),
    Cell("since", lambda one: one.since, "When the access was asked for, or the finding first seen (UTC)."),
    Cell("open", lambda one: one.disposed is None, "Whether nobody has said what becomes of it."),
    Cell("disposition", _said(lambda said: said.event.disposition.value), "What becomes of it."),
    Cell("owner", _said(lambda said: said.event.owner), "Who sees to what has to follow."),
    Cell("ticket", _said(lambda said: said.event.ticket), "The follow-up: under which ticket."),
    Cell("disposed_by", _said(lambda said: said.event.person), "Who said so last."),
    Cell("disposed_at", _said(lambda said: said.at), "When (UTC)."),
    Cell("entry", _said(lambda said: said.entry), "Place of that in the record."),
)
_UNMATCHED: tuple[Cell[Found], ...] = (
    Cell("finding", lambda one: one.finding, "Its id."),
    Cell("target", lambda one: one.target, "Production system."),
    Cell("kind", lambda one: one.kind, "What did not match; target_unobserved: nobody could look."),
    Cell("subject", lambda one: one.subject, "Login or session; the target itself where nobody could look."),
    Cell("detail", lambda one: one.detail, "What was seen, or why nobody could look."),
    Cell("since", lambda one: one.since, "When it was first seen (UTC)."),
    Cell("first_entry", lambda one: one.entry, "First entry that tells of it."),
    Cell("last_at", lambda one: one.last_at, "When it was last on record (UTC)."),
    Cell("last_entry", lambda one: one.last_entry, "Last entry that tells of it."),
    Cell("entries", lambda one: one.entries, "Entries that tell of it."),
    Cell("over_at", lambda one: one.over_at, "The look that no longer showed it (UTC); empty while it lasts."),
    Cell("disposition", _said(lambda said: said.event.disposition.value), "What becomes of it."),
    Cell("owner", _said(lambda said: said.event.owner), "Who sees to what has to follow."),
)
