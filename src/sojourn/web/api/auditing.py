"""Evidence: who is given what is on record before it is given; and what becomes of exceptions."""

from __future__ import annotations

import hashlib

from starlette.responses import Response

from sojourn.domain.events import EvidenceForm
from sojourn.domain.identifiers import PersonId, RequestId
from sojourn.domain.people import Person
from sojourn.errors import Code, SojournError
from sojourn.projections import queries
from sojourn.web.exchange import Exchange
from sojourn.workflow.evidence import dispose_of_exceptions, give_evidence

from . import auditing_shapes, bodies
from .access import concerns, visible
from .answering import HEADERS


async def evidence(exchange: Exchange) -> Response:
    """GET /grants/{name}/evidence: the evidence pack, for its holder, its approvers, and auditors.

    It opens what statements said, so administering Sojourn is no reason to read it. Who was given it is on record.
    """
    caller = await exchange.caller()
    row = visible(exchange, caller, exchange.name)
    if not (concerns(exchange, caller, row) or _audits(exchange, caller, row.target)):
        raise SojournError(
            Code.PERMISSION_DENIED,
            person=caller.id,
            action="read what was done under this grant",
            who="its holder, its approvers or an auditor",
        )
    await exchange.caught_up()
    content = await exchange.services.pack(row.id, caller.confined)
    return await given(exchange, caller, EvidenceForm.PACK, f"grant/{row.id}", content)


async def evidence_of_request(exchange: Exchange) -> Response:
    """GET /requests/{name}/evidence: the pack of an access event, whatever came of it; for whom it concerns, auditors.

    For a request that became an access it is the pack of its grant. Who was given it is on record.
    """
    caller = await exchange.caller()
    with exchange.services.projections.reading() as connection:
        row = queries.request(connection, exchange.name)
        approvers = queries.approvers(connection, exchange.name)
    concerned = row is not None and caller.id in {row.person, *(one.person for one in approvers)}
    audits = row is not None and _audits(exchange, caller, row.target)
    if row is None or not (concerned or audits or caller.administrator):
        raise SojournError(Code.REQUEST_UNKNOWN, request=exchange.name[:100])
    if not (concerned or audits):
        raise SojournError(
            Code.PERMISSION_DENIED,
            person=caller.id,
            action="read what was said about this request",
            who="its requester, its approvers or an auditor",
        )
    await exchange.caught_up()
    content = await exchange.services.pack(row.id, caller.confined)
    return await given(exchange, caller, EvidenceForm.PACK, f"request/{row.id}", content)


def _audits(exchange: Exchange, caller: Person, target: str) -> bool:
    """Whether the caller audits what was done on that target, here or from outside."""
    return caller.may_audit(exchange.services.office.clock.now(), target)


async def given(exchange: Exchange, caller: Person, form: EvidenceForm, subject: str, content: bytes) -> Response:
    """The ZIP, once it is on record that the caller is given it."""
    await give_evidence(
        exchange.services.office,
        form=form,
        subject=subject,
        person=caller.id,
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        source=exchange.source,
    )
    name = {"content-disposition": f'attachment; filename="{subject.rpartition("/")[2]}.zip"'}
    return Response(content, 200, {**HEADERS, **name}, media_type="application/zip")


async def dispose(exchange: Exchange) -> auditing_shapes.Disposed:
    """POST /requests/{name}/disposition: say what becomes of tests that failed; for auditors and administrators."""
    caller = await exchange.caller()
    sent = await exchange.body(bodies.Dispose)
    event = exchange.settled(
        await dispose_of_exceptions(
            exchange.services.office,
            request=RequestId(exchange.name),
            person=caller.id,
            letters=sent.tests,
            disposition=sent.disposition,
            owner=PersonId(sent.owner),
            ticket=sent.ticket,
            remark=sent.remark,
            source=exchange.source,
        )
    )
    return auditing_shapes.Disposed(
        request=event.request,
        tests=event.letters,
        disposition=event.disposition,
        owner=event.owner,
        ticket=event.ticket,
        person=event.person,
    )
