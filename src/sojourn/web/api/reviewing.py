"""Reviews: what was done under an access is looked at by somebody who had no part in it."""

from __future__ import annotations

from sojourn.domain.identifiers import GrantId
from sojourn.domain.people import Person
from sojourn.domain.review_risk import Rank, Seen, in_words, rank
from sojourn.errors import Code, SojournError
from sojourn.projections import assured, queries
from sojourn.web.exchange import PAGE, Exchange
from sojourn.workflow import reviewing as reviews
from sojourn.workflow.adopt import load_standing

from . import assurance_shapes, bodies
from .standing import seen
from .viewing import opened_all


async def listing(exchange: Exchange) -> assurance_shapes.Reviews:
    """GET /reviews: those one can conclude; with `mine` of what one did; with `all` all, for auditors.

    With `by` set to `risk` the page is in the order of risk, the riskiest first; else the newest comes first.
    """
    caller = await exchange.caller()
    mine, everything = exchange.query("mine") is not None, exchange.query("all") is not None
    if everything and not (caller.administrator or caller.auditor):
        raise SojournError(
            Code.PERMISSION_DENIED, person=caller.id, action="see all reviews", who="an administrator or an auditor"
        )
    with exchange.services.projections.reading() as connection:
        rows = assured.reviews(
            connection,
            waiting_for=None if mine or everything else caller.id,
            person=caller.id if mine else None,
            before=exchange.before(),
            limit=PAGE + 1,
        )
        done = assured.works(connection, [row.grant for row in rows[:PAGE]])
    found = [(row, rank(_seen(row, done[row.grant])), done[row.grant]) for row in rows[:PAGE]]
    if exchange.query("by") == "risk":
        found.sort(key=lambda one: (-one[1].points, one[0].due))
    listed = tuple(_listed(row, risk, work) for row, risk, work in found)
    more = len(rows) > PAGE
    return assurance_shapes.Reviews(reviews=listed, more=more, next=rows[PAGE - 1].seq if more else None)


def _listed(row: assured.ReviewRow, risk: Rank, work: assured.Work) -> assurance_shapes.ReviewListed:
    return assurance_shapes.ReviewListed(
        grant=row.grant,
        person=row.person,
        target=row.target,
        role=row.role,
        status=row.status,
        due=row.due,
        break_glass=bool(row.break_glass),
        outcome=row.outcome,
        waits_for=_waits_for(row, work),
        risk=_risk(risk),
    )


def _seen(row: assured.ReviewRow, work: assured.Work) -> Seen:
    return Seen(
        break_glass=bool(row.break_glass),
        automatic=bool(row.automatic),
        declared=bool(row.declared),
        extended=bool(row.extended),
        actions=work.actions,
        writes=work.writes,
        failed=work.failed,
        unanswered=work.unanswered,
        rows=work.rows,
        verbs=work.verbs,
    )


def _risk(found: Rank) -> assurance_shapes.RiskShown:
    return assurance_shapes.RiskShown(level=found.level, points=found.points, reasons=found.reasons)


def _waits_for(row: assured.ReviewRow, work: assured.Work) -> str | None:
    if row.outcome is not None:
        return None
    return "holder" if work.open_questions else "reviewer"


async def one(exchange: Exchange) -> assurance_shapes.ReviewShown:
    """GET /reviews/{name}: the review of a grant, for its reviewers, its holder, and auditors."""
    return await _shown(exchange, await exchange.caller())


async def note(exchange: Exchange) -> assurance_shapes.ReviewShown:
    """POST /reviews/{name}/notes: say something, ask the holder, or reply to a question."""
    caller, sent = await exchange.caller(), await exchange.body(bodies.Said)
    exchange.settled(
        await reviews.note(
            exchange.services.office,
            grant=GrantId(exchange.name),
            person=caller.id,
            text=sent.text,
            source=exchange.source,
            question=sent.question,
            answers=sent.answers,
        )
    )
    await exchange.caught_up()
    return await _shown(exchange, caller)


async def conclude(exchange: Exchange) -> assurance_shapes.ReviewShown:
    """POST /reviews/{name}/conclude: answer the checklist and come to an outcome; an overdue one unblocks its teams."""
    caller, sent = await exchange.caller(), await exchange.body(bodies.Conclusion)
    office = exchange.services.office
    with exchange.services.projections.reading() as connection:
        work = assured.work(connection, exchange.name)
    exchange.settled(
        await reviews.conclude(
            office,
            grant=GrantId(exchange.name),
            person=caller.id,
            outcome=sent.outcome,
            answers=sent.answers,
            remark=sent.remark,
            seen=(work.sessions, work.actions, work.writes),
            source=exchange.source,
        )
    )
    await exchange.caught_up()
    await seen(exchange, (await load_standing(office.ledger)).version)
    return await _shown(exchange, caller)


async def _shown(exchange: Exchange, caller: Person) -> assurance_shapes.ReviewShown:
    """The review as the caller may see it. Raises SojournError `review.unknown` for anybody else."""
    name = exchange.name
    with exchange.services.projections.reading() as connection:
        row = assured.review(connection, name)
        people = assured.reviewers(connection, name)
        concerned = row is not None and (row.person == caller.id or caller.id in people)
        if row is None or not (concerned or caller.administrator or caller.auditor):
            raise SojournError(Code.REVIEW_UNKNOWN, grant=name[:100])
        request, touched = queries.request(connection, row.request), assured.touched(connection, name)
        notes, work = assured.notes(connection, name), assured.work(connection, name)
    assert request is not None, "what is reviewed is on record"
    done = _seen(row, work)
    sealed = [request.reason, *(one.text for one in notes), *([] if row.remark is None else [row.remark])]
    texts = await opened_all(exchange, sealed)
    return assurance_shapes.ReviewShown(
        grant=row.grant,
        request=row.request,
        person=row.person,
        target=row.target,
        role=row.role,
        reason=texts.get(request.reason),
        declared=tuple(filter(None, row.declared.split(", "))),
        status=row.status,
        due=row.due,
        break_glass=bool(row.break_glass),
        reviewers=people,
        checklist=tuple(row.checklist.splitlines()),
        sessions=work.sessions,
        actions=work.actions,
        writes=work.writes,
        objects=tuple(
            assurance_shapes.TouchedShown(verb=verb, objects=objects, times=times) for verb, objects, times in touched
        ),
        summary=in_words(touched, done),
        risk=_risk(rank(done)),
        waits_for=_waits_for(row, work),
        notes=tuple(_note(one, texts) for one in notes),
        opened_at=row.opened_at,
        reviewer=row.reviewer,
        outcome=row.outcome,
        answers=tuple(filter(None, (row.answers or "").split(", "))),
        remark=None if row.remark is None else texts.get(row.remark),
        concluded_at=row.concluded_at,
    )


def _note(row: assured.NoteRow, texts: dict[str, str]) -> assurance_shapes.NoteShown:
    return assurance_shapes.NoteShown(
        number=row.number,
        person=row.person,
        at=row.at,
        text=texts.get(row.text),
        question=bool(row.question),
        answers=row.answers,
        answered=bool(row.answered),
    )
