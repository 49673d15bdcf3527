"""Reports through the API, for auditors: ask for one, see how far it is, take it away."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import UTC, datetime
from pathlib import Path

from starlette.responses import FileResponse, Response

from sojourn.domain import schedule as schedules
from sojourn.domain.events import EvidenceForm
from sojourn.domain.identifiers import SCHEDULES
from sojourn.domain.people import Person
from sojourn.domain.window import Window
from sojourn.errors import Code, SojournError
from sojourn.evidence.reports.directory import BY_TARGET, REPORTS
from sojourn.projections.moments import text
from sojourn.web.exchange import PAGE, Exchange
from sojourn.web.report_desk import ReportRun, Wish
from sojourn.workflow.evidence import give_evidence

from . import auditing_shapes, bodies
from .answering import HEADERS

SAMPLE_MAX = 10_000


async def listing(exchange: Exchange) -> auditing_shapes.Reports:
    """GET /reports: the reports that can be made; for auditors."""
    await _auditor(exchange)
    shown = [
        auditing_shapes.ReportListed(report=name, title=one.title, purpose=one.purpose) for name, one in REPORTS.items()
    ]
    return auditing_shapes.Reports(reports=tuple(shown))


async def ask(exchange: Exchange) -> auditing_shapes.RunShown:
    """POST /reports: have a report made; for auditors. The period is half-open."""
    caller = await exchange.caller()
    sent = await exchange.body(bodies.AskReport)
    _require_auditor(exchange, caller)
    targets = _scope(caller, sent.report)
    if sent.report not in REPORTS:
        raise SojournError(
            Code.INPUT_INVALID, problem=f"There is no report {sent.report[:60]}", expected=", ".join(REPORTS)
        )
    if not 0 <= sent.sample <= SAMPLE_MAX:
        raise SojournError(Code.INPUT_INVALID, problem="`sample` will not do", expected=f"0 to {SAMPLE_MAX}")
    start, end = _moment("start", sent.start), _moment("end", sent.end)
    if end <= start:
        raise SojournError(Code.INPUT_INVALID, problem="`end` is not after `start`", expected="a period")
    # What is signed is what a report is made from, so the newest entries are signed first.
    await exchange.services.sign()
    wish = Wish(
        report=sent.report,
        period=Window(start=start, end=end),
        person=caller.id,
        as_of=_moment("as_of", sent.as_of) if sent.as_of else None,
        sample=sent.sample,
        seed=sent.seed,
        targets=targets,
    )
    return _shown(exchange.services.reports.ask(wish))


def _moment(name: str, given: str) -> datetime:
    try:
        found = datetime.fromisoformat(given)
        return (found if found.tzinfo is not None else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        expected = "a date, or a moment after RFC 3339"
        raise SojournError(Code.INPUT_INVALID, problem=f"`{name}` is no moment", expected=expected) from error


async def one(exchange: Exchange) -> auditing_shapes.RunShown:
    """GET /report-runs/{name}: how far the making of a report is; for auditors."""
    return _shown(_run(exchange, await _auditor(exchange)))


async def file(exchange: Exchange) -> Response:
    """GET /report-runs/{name}/file: the report (ZIP); for auditors. Who was given it is on record."""
    caller = await _auditor(exchange)
    run = _run(exchange, caller)
    path = exchange.services.reports.file_of(run.run)
    if path is None or not path.exists():
        raise SojournError(Code.REPORT_NOT_READY, run=run.run, state=run.state)
    await give_evidence(
        exchange.services.office,
        form=EvidenceForm.REPORT,
        subject=f"report/{run.report}",
        person=caller.id,
        sha256=run.manifest_sha256,
        size=path.stat().st_size,
        source=exchange.source,
    )
    name = {"content-disposition": f'attachment; filename="{run.report}.zip"'}
    return FileResponse(path, 200, {**HEADERS, **name}, media_type="application/zip")


async def delivered(exchange: Exchange) -> auditing_shapes.DeliveredFiles:
    """GET /delivered-reports: the schedules, how far each is, and what they made; for auditors."""
    _require_own(await exchange.caller())
    before = exchange.before()
    numbered = [
        (number, one)
        for number, one in enumerate(exchange.services.delivered(), 1)
        if before is None or number < before
    ]
    page, more = numbered[: -PAGE - 1 : -1], len(numbered) > PAGE
    return auditing_shapes.DeliveredFiles(
        schedules=await _schedules(exchange),
        files=tuple(auditing_shapes.DeliveredListed(name=one.name, bytes=one.stat().st_size) for _, one in page),
        more=more,
        next=page[-1][0] if more else None,
    )


async def _schedules(exchange: Exchange) -> tuple[auditing_shapes.ScheduleShown, ...]:
    office, configured = exchange.services.office, exchange.services.settings.reports.schedules
    on_record = schedules.fold(one.event for one in await office.ledger.stream(SCHEDULES)) if configured else {}
    shown = []
    for one in configured:
        state = on_record.get(one.name, schedules.Delivered())
        period = schedules.due(schedules.Every(one.every), state, office.clock.now())
        shown.append(
            auditing_shapes.ScheduleShown(
                schedule=one.name,
                report=one.report,
                every=one.every,
                delivered_until=None if state.until is None else text(state.until),
                due=None if period is None else text(period.end),
                overdue=period is not None and state.overdue == period,
            )
        )
    return tuple(shown)


async def delivered_file(exchange: Exchange) -> Response:
    """GET /delivered-reports/{name}: a file that a schedule made; for auditors. Who was given it is on record."""
    caller = await exchange.caller()
    _require_own(caller)
    path = next((one for one in exchange.services.delivered() if one.name == exchange.name), None)
    if path is None:
        raise SojournError(Code.REPORT_UNKNOWN, run=exchange.name[:100])
    await give_evidence(
        exchange.services.office,
        form=EvidenceForm.REPORT,
        subject=f"report/{path.stem}",
        person=caller.id,
        sha256=await asyncio.to_thread(_sha256, path),
        size=path.stat().st_size,
        source=exchange.source,
    )
    name = {"content-disposition": f'attachment; filename="{path.name}"'}
    return FileResponse(path, 200, {**HEADERS, **name}, media_type="application/zip")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _scope(caller: Person, report: str) -> tuple[str, ...]:
    """The targets that a report for the caller is about (empty for all).

    Raises SojournError `permission.denied` for a report that is about more than a mandate covers.
    """
    targets = caller.mandate.targets if caller.mandate is not None else ()
    if targets and report not in BY_TARGET:
        who = f"an auditor whose mandate names no targets; yours are in {', '.join(sorted(BY_TARGET))}"
        raise SojournError(Code.PERMISSION_DENIED, person=caller.id, action=f"make the report {report[:60]}", who=who)
    return targets


def _run(exchange: Exchange, caller: Person) -> ReportRun:
    run = exchange.services.reports.run_of(exchange.name)
    if run is None or not (caller.auditor or run.person == caller.id):
        raise SojournError(Code.REPORT_UNKNOWN, run=exchange.name[:100])
    return run


def _shown(run: ReportRun) -> auditing_shapes.RunShown:
    return auditing_shapes.RunShown(
        run=run.run,
        report=run.report,
        person=run.person,
        state=run.state,
        doing=run.doing,
        done=run.done,
        of=run.of,
        manifest_sha256=run.manifest_sha256,
        problem=run.problem,
        sample=run.sample,
        rows=run.rows,
    )


async def _auditor(exchange: Exchange) -> Person:
    caller = await exchange.caller()
    _require_auditor(exchange, caller)
    return caller


def _require_own(caller: Person) -> None:
    """What schedules made is about everything, so it is for auditors of this house."""
    if not caller.auditor:
        raise SojournError(
            Code.PERMISSION_DENIED, person=caller.id, action="take what schedules made", who="an auditor"
        )


def _require_auditor(exchange: Exchange, caller: Person) -> None:
    if not caller.may_audit(exchange.services.office.clock.now()):
        raise SojournError(Code.PERMISSION_DENIED, person=caller.id, action="make reports", who="an auditor")
