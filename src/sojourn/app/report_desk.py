"""The desk where reports are asked for through the API: one is made at a time, by a process of its own.

What was made lies in `reports/` of the data directory until newer ones push it out, or until control starts again; a
report can be made again at any time, and the same record gives the same bytes.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import msgspec
import structlog

from sojourn.domain.window import Window
from sojourn.errors import Code, Refusal, SojournError
from sojourn.settings import Layout
from sojourn.web.report_desk import ReportRun, RunState, Wish

from .ambient import SystemClock, process_environment
from .report_worker import Failed, Finished, Progressed, Wanted, Word
from .reporting import Asked

WAITING_MAX = 20
KEPT_MAX = 20
SECONDS_MAX = 3600.0
LINE_BYTES_MAX = 1 << 20

log = structlog.get_logger("reports")


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A sample that `person` had drawn in a report."""

    person: str
    period: Window
    as_of: datetime
    seed: str
    population: int
    requests: tuple[str, ...]
    manifest_sha256: str


@dataclass(slots=True)
class ReportDesk:
    """Implements `web.report_desk.Desk`. `drawn` puts a sample on record, and gives its id."""

    layout: Layout
    new_id: Callable[[str], str]
    drawn: Callable[[Drawn], Awaitable[str]]
    runs: dict[str, ReportRun] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)
    _waiting: asyncio.Queue[tuple[str, Asked]] = field(default_factory=lambda: asyncio.Queue(WAITING_MAX))

    @property
    def directory(self) -> Path:
        """Where reports lie until they are fetched."""
        return self.layout.root / "reports"

    def ask(self, wish: Wish) -> ReportRun:
        """Put a wish at the end of the queue. Raises SojournError `report.queue_full` when too many wait."""
        run = self.new_id("run")
        asked = Asked(
            report=wish.report,
            period=wish.period,
            run_by=wish.person,
            run_at=SystemClock().now(),
            as_of=wish.as_of,
            sample=wish.sample,
            seed=wish.seed,
            targets=wish.targets,
        )
        try:
            self._waiting.put_nowait((run, asked))
        except asyncio.QueueFull as error:
            raise SojournError(Code.REPORT_QUEUE_FULL, limit=str(WAITING_MAX)) from error
        self.runs[run] = ReportRun(run=run, report=wish.report, person=wish.person)
        return self.runs[run]

    def run_of(self, run: str) -> ReportRun | None:
        """How far a run is."""
        return self.runs.get(run)

    def file_of(self, run: str) -> Path | None:
        """The ZIP of a run that is done."""
        return self.files.get(run)

    async def run(self) -> None:
        """Make what is asked for, one after the other, until cancelled."""
        shutil.rmtree(self.directory, ignore_errors=True)
        # What cannot be removed keeps nobody from working.
        self.directory.mkdir(mode=0o700, exist_ok=True)
        while True:
            run, asked = await self._waiting.get()
            self.runs[run].state = RunState.RUNNING
            try:
                async with asyncio.timeout(SECONDS_MAX):
                    await self._make(run, asked)
            except (OSError, TimeoutError, ValueError, msgspec.MsgspecError, SojournError) as error:
                log.exception("report failed", run=run)
                self._failed(run, Refusal(Code.INTERNAL, {"reference": f"{run} ({type(error).__name__})"}))
            self._clear_up()

    async def _make(self, run: str, asked: Asked) -> None:
        directory = self.directory / run
        directory.mkdir(mode=0o700)
        worker = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "sojourn.app.report_worker",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=process_environment(),
            limit=LINE_BYTES_MAX,
        )
        assert worker.stdin is not None and worker.stdout is not None
        try:
            wanted = Wanted(root=str(self.layout.root), directory=str(directory), asked=asked)
            worker.stdin.write(msgspec.json.encode(wanted))
            worker.stdin.close()
            async for line in worker.stdout:
                await self._hear(run, asked, msgspec.json.decode(line, type=Word))
            await worker.wait()
        finally:
            if worker.returncode is None:
                worker.kill()
                await worker.wait()
        if self.runs[run].state is RunState.RUNNING:
            raise OSError(f"the process that makes reports ended with {worker.returncode}")

    async def _hear(self, run: str, asked: Asked, word: Word) -> None:
        told = self.runs[run]
        match word:
            case Progressed():
                told.doing, told.done, told.of = word.doing, word.done, word.of
            case Failed():
                self._failed(run, Refusal(Code(word.code), word.details))
            case Finished():
                self.files[run] = Path(word.path)
                told.manifest_sha256, told.problem, told.rows = word.manifest_sha256, word.problem, word.rows
                if word.drawn:
                    told.sample = await self.drawn(
                        Drawn(
                            person=told.person,
                            period=asked.period,
                            as_of=word.as_of,
                            seed=asked.seed,
                            population=word.population,
                            requests=word.drawn,
                            manifest_sha256=word.manifest_sha256,
                        )
                    )
                told.state = RunState.DONE

    def _failed(self, run: str, refusal: Refusal) -> None:
        self.runs[run].state = RunState.FAILED
        self.runs[run].problem = refusal.sentence

    def _clear_up(self) -> None:
        over = [run for run, told in self.runs.items() if told.state in (RunState.DONE, RunState.FAILED)]
        for run in over[: max(0, len(over) - KEPT_MAX)]:
            del self.runs[run]
            self.files.pop(run, None)
            shutil.rmtree(self.directory / run, ignore_errors=True)
