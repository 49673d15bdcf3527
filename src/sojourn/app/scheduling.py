"""Reports by schedule: made when a period is over, kept for auditors, taken to folders and buckets, told by mail.

- A period is due until it is on record as delivered, so a crash repeats a delivery and loses none. Its name
  says schedule and period.
- What fails is tried again for ever, later each time, up to an hour. What is overdue is on record once a period.
- Only what was taken everywhere is delivered.
"""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path

import structlog

from sojourn.domain import schedule as schedules
from sojourn.domain.events import DeliveryOverdue, ReportDelivered
from sojourn.domain.history import Change
from sojourn.domain.identifiers import SCHEDULES
from sojourn.domain.schedule import Delivered, Every
from sojourn.domain.window import Window
from sojourn.errors import Code, SojournError
from sojourn.notify.channels import DeliveryError, Mail
from sojourn.settings import BucketSettings, Layout, ScheduleSettings
from sojourn.web.report_desk import ReportRun, RunState, Wish
from sojourn.web.services import Bundle
from sojourn.workflow.ports import Office

from .report_desk import ReportDesk

LOOK_SECONDS = 30.0
POLL_SECONDS = 0.5
PAUSE_SECONDS, PAUSE_SECONDS_MAX = 30.0, 3600.0
PROBLEM_MAX = 200
MADE_BY = "schedule"

log = structlog.get_logger("scheduling")

Packs = Callable[[str, Sequence[str]], Awaitable[Bundle]]


class UndeliveredError(Exception):
    """It was not delivered, in a sentence without its full stop."""


@dataclass(slots=True, kw_only=True)
class Scheduler:
    """One installation's schedules. `sign` has the record signed; `look` and `pause` are how long it waits."""

    layout: Layout
    office: Office
    desk: ReportDesk
    sign: Callable[[], Awaitable[str]]
    packs: Packs
    items: Callable[[str], Awaitable[Sequence[str]]]
    schedules: Sequence[ScheduleSettings]
    mail: Mail | None
    look: float = LOOK_SECONDS
    pause: float = PAUSE_SECONDS
    _attempts: dict[tuple[str, str], int] = field(default_factory=dict)

    async def run(self) -> None:
        """Deliver what is due, for ever; until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for one in self.schedules:
                tasks.create_task(self._keep(one))

    async def _keep(self, one: ScheduleSettings) -> None:
        pause = self.pause
        while True:
            problem, period = "", None
            try:
                state = await self._state(one)
                period = schedules.due(Every(one.every), state, self.office.clock.now())
                if period is not None:
                    await self._deliver(one, period)
            except (SojournError, UndeliveredError, OSError) as error:
                problem = str(error) or type(error).__name__
            except Exception as error:  # the top of a task: one fault must not end all schedules
                log.exception("fault in a schedule", schedule=one.name)
                problem = type(error).__name__
            if not problem:
                pause = self.pause
                await asyncio.sleep(self.look if period is None else 0)
                continue
            log.warning("a report is not delivered", schedule=one.name, problem=problem)
            if period is not None:
                await self._late(one, period, problem)
            await asyncio.sleep(pause)
            pause = min(PAUSE_SECONDS_MAX, pause * 2)

    async def _state(self, one: ScheduleSettings) -> Delivered:
        told = schedules.fold(entry.event for entry in await self.office.ledger.stream(SCHEDULES))
        return told.get(one.name, Delivered())

    async def _deliver(self, one: ScheduleSettings, period: Window) -> None:
        name = f"{one.name}-{period.start:%Y-%m-%d}-{period.end:%Y-%m-%d}"
        run = await self._made(one, period)
        made = self.desk.file_of(run.run)
        if made is None:
            raise UndeliveredError("the report was pushed out by others before it was taken")
        files = [await asyncio.to_thread(_keep_copy, made, self.layout.delivered / f"{name}.zip")]
        if run.sample:
            found = await self.packs(run.sample, await self.items(run.sample))
            files.append(await asyncio.to_thread(_keep_copy, found.path, self.layout.delivered / f"{name}-packs.zip"))
        digest = await asyncio.to_thread(_sha256, files[0])
        places = ["sojourn report delivered"]
        places += await asyncio.to_thread(_to_folder, one, files)
        places += await asyncio.to_thread(_to_bucket, one, files)
        places += await self._to_people(one, period, name, digest)
        event = ReportDelivered(
            schedule=one.name,
            report=one.report,
            period=period,
            places=tuple(places),
            sha256=digest,
            manifest_sha256=run.manifest_sha256,
            bytes=files[0].stat().st_size,
            problem=run.problem,
            sample=run.sample,
        )
        await self.office.ledger.append((Change(stream=SCHEDULES, event=event, seen=None),))

    async def _made(self, one: ScheduleSettings, period: Window) -> ReportRun:
        await self.sign()
        seed = f"{one.seed} {period.start:%Y-%m-%d}" if one.sample else ""
        wish = Wish(report=one.report, period=period, person=MADE_BY, as_of=None, sample=one.sample, seed=seed)
        run = self.desk.ask(wish)
        while True:
            if run.state is RunState.DONE:
                return run
            if run.state is RunState.FAILED:
                raise UndeliveredError(run.problem.rstrip("."))
            await asyncio.sleep(POLL_SECONDS)

    async def _to_people(self, one: ScheduleSettings, period: Window, name: str, digest: str) -> list[str]:
        if not one.mail:
            return []
        if self.mail is None:
            raise UndeliveredError("there is no mail server in the settings")
        try:
            addresses = await self.mail.tell(one.mail, _mail(one, period, name, digest))
        except DeliveryError as error:
            raise UndeliveredError(str(error)) from error
        return [f"mail to {address}" for address in addresses]

    async def _late(self, one: ScheduleSettings, period: Window, problem: str) -> None:
        """Put it on record, once a period, that a delivery is overdue."""
        key = (one.name, period.end.isoformat())
        self._attempts[key] = self._attempts.get(key, 0) + 1
        if self.office.clock.now() < period.end + one.overdue:
            return
        try:
            if (await self._state(one)).overdue == period:
                return
            event = DeliveryOverdue(
                schedule=one.name, period=period, attempts=self._attempts[key], problem=problem[:PROBLEM_MAX]
            )
            await self.office.ledger.append((Change(stream=SCHEDULES, event=event, seen=None),))
        except SojournError as error:
            log.warning("the record waits", code=error.code)


def _mail(one: ScheduleSettings, period: Window, name: str, digest: str) -> EmailMessage:
    """The mail about a report: its hash, and where to sign in for it. The report itself is in no mail."""
    message = EmailMessage()
    message["Subject"] = f"Report {one.report}, {period.start:%Y-%m-%d} to {period.end:%Y-%m-%d}"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(
        f"The report of the schedule {one.name} is there.\n\nSHA-256 {digest}\n\n"
        f"Sign in and take it away: sojourn report delivered {name}.zip --out report.zip\n"
    )
    return message


def _keep_copy(made: Path, path: Path) -> Path:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    shutil.copyfile(made, partial)
    partial.chmod(0o600)
    return partial.rename(path)


def _to_folder(one: ScheduleSettings, files: Sequence[Path]) -> list[str]:
    if not one.folder:
        return []
    folder = Path(one.folder)
    if not folder.is_dir():
        raise UndeliveredError(f"{folder} is no folder")
    for file in files:
        _keep_copy(file, folder / file.name)
    return [f"folder {folder}"]


def _to_bucket(one: ScheduleSettings, files: Sequence[Path]) -> list[str]:
    if not one.bucket:
        return []
    from botocore.exceptions import BotoCoreError, ClientError

    from sojourn.publisher.bucket import connect

    client = connect(BucketSettings(bucket=one.bucket, endpoint=one.endpoint, region=one.region))
    try:
        for file in files:
            content = file.read_bytes()
            client.put_object(Bucket=one.bucket, Key=one.prefix + file.name, Body=content)
            if client.get_object(Bucket=one.bucket, Key=one.prefix + file.name)["Body"].read() != content:
                raise UndeliveredError(f"the bucket {one.bucket} holds other bytes than it was given")
    except (BotoCoreError, ClientError) as error:
        raise UndeliveredError(f"the bucket {one.bucket} did not take it: {error}") from error
    return [f"bucket {one.bucket}/{one.prefix}"]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def delivered_files(layout: Layout) -> list[Path]:
    """What was made by schedules and is there to be taken away, by name."""
    return sorted(layout.delivered.glob("*.zip")) if layout.delivered.is_dir() else []


def delivered_file(layout: Layout, name: str) -> Path:
    """The file of that name. Raises SojournError `report.unknown`."""
    found = next((path for path in delivered_files(layout) if path.name == name), None)
    if found is None:
        raise SojournError(Code.REPORT_UNKNOWN, run=name[:100])
    return found
