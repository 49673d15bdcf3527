"""What targets and the record did not both know, and what becomes of it; for administrators and auditors."""

from __future__ import annotations

from sojourn.domain.finding import Unmatched
from sojourn.domain.identifiers import FindingId, PersonId
from sojourn.errors import Code, SojournError
from sojourn.projections.findings import FindingRow, findings, unmatched
from sojourn.web.exchange import PAGE, Exchange
from sojourn.workflow.evidence import dispose_of_a_finding

from . import auditing_shapes as shapes
from . import bodies
from .viewing import opened_all


async def listing(exchange: Exchange) -> shapes.Findings:
    """GET /findings: what nobody has disposed of; with `all`, everything. For administrators and auditors."""
    caller = await exchange.caller()
    if not (caller.administrator or caller.auditor):
        raise SojournError(
            Code.PERMISSION_DENIED, person=caller.id, action="see findings", who="an administrator or an auditor"
        )
    with exchange.services.projections.reading() as connection:
        rows = findings(
            connection,
            target=exchange.query("target"),
            undisposed=exchange.query("all") is None,
            before=exchange.before(),
            limit=PAGE + 1,
        )
    shown, more = rows[:PAGE], len(rows) > PAGE
    remarks = await opened_all(exchange, [one.remark for one in shown if one.remark is not None])
    listed = tuple(_listed(one, None if one.remark is None else remarks[one.remark]) for one in shown)
    return shapes.Findings(findings=listed, more=more, next=shown[-1].place if more else None)


def _listed(row: FindingRow, remark: str | None) -> shapes.FindingListed:
    return shapes.FindingListed(
        finding=row.id,
        target=row.target,
        kind=row.kind,
        subject=row.subject,
        detail=row.detail,
        since=row.since,
        seq=row.seq,
        last_seq=row.last_seq,
        last_at=row.last_at,
        disposition=row.disposition,
        owner=row.owner,
        ticket=row.ticket,
        remark=remark,
        disposed_by=row.disposed_by,
        disposed_at=row.disposed_at,
    )


async def dispose(exchange: Exchange) -> shapes.FindingDisposedOf:
    """POST /findings/{name}/disposition: say what becomes of a finding; for auditors and administrators."""
    caller = await exchange.caller()
    sent = await exchange.body(bodies.DisposeOfFinding)
    await exchange.caught_up()

    def find(finding: FindingId) -> Unmatched | None:
        with exchange.services.projections.reading() as connection:
            return unmatched(connection, finding)

    event = exchange.settled(
        await dispose_of_a_finding(
            exchange.services.office,
            finding=FindingId(exchange.name),
            find=find,
            person=caller.id,
            disposition=sent.disposition,
            owner=PersonId(sent.owner),
            ticket=sent.ticket,
            remark=sent.remark,
            source=exchange.source,
        )
    )
    await exchange.caught_up()
    return shapes.FindingDisposedOf(
        finding=event.finding,
        target=event.target,
        disposition=event.disposition,
        owner=event.owner,
        ticket=event.ticket,
        person=event.person,
    )
