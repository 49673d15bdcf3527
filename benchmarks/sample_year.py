"""A year of a company of 300 people, and the reports over it: `make sample-year`.

It tells 20,000 grants with 2,000,000 actions to a ledger by the real workflow, makes the report of access events,
checks that it found everything that was planted and nothing else, exports the whole ledger, and verifies that offline
with `sojourn-verify`, as a stranger does who was given the folder and the key.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import io
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import sojourn_verify
from sojourn.app.exporting import export
from sojourn.app.reporting import Asked, make_report
from sojourn.domain.window import Window
from sojourn.settings import Layout
from sojourn.testing.year import Plan, Story, simulate

PERIOD = Window(start=datetime(2026, 1, 1, tzinfo=UTC), end=datetime(2028, 1, 1, tzinfo=UTC))


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Print how long the block took, by the clock and by the processor, and the memory this process came to."""
    wall, processor = time.perf_counter(), _processor()
    yield
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    spent = f"{time.perf_counter() - wall:7.1f} s, {_processor() - processor:7.1f} s of processor"
    print(f"{what:32} {spent}, {memory} MB at most so far", flush=True)


def _processor() -> float:
    """Seconds of processor time of this process and of those that it started and that have ended."""
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in spent)


def main() -> int:
    """Tell the year and report on it. Exit status 1 if the report is not what it has to be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--grants", type=int, default=20_000)
    parser.add_argument("--actions", type=int, default=2_000_000)
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    directory = options.keep or Path(tempfile.mkdtemp(prefix="sojourn-year-"))
    directory.mkdir(parents=True, exist_ok=True)
    try:
        return _run(directory, Plan(grants=options.grants, actions=options.actions))
    finally:
        if options.keep is None:
            shutil.rmtree(directory)


def _run(directory: Path, plan: Plan) -> int:
    root, report = directory / "installation", directory / "report"
    report.mkdir()
    with timed("telling the year"):
        story = asyncio.run(simulate(root, plan, _progress))
    print(f"{story.requests} requests, {story.grants} grants, {story.actions} actions, {len(story.planted)} planted")
    with timed("report of access events"):
        asked = Asked(report="access-events", period=PERIOD, run_by="benchmark", run_at=PERIOD.end)
        built = make_report(Layout(root=root), asked, report, lambda *_: None)
    wrong = _wrong(built.path, story)
    print(f"{built.rows('Population')} rows; {wrong or 'exactly what was planted was found'}")
    with timed("export of the ledger"):
        export(Layout(root=root), directory / "ledger")
    command = [sys.executable, "-I", "-S", sojourn_verify.__file__, str(directory / "ledger")]
    with timed("offline verification"):
        status = subprocess.run([*command, "--key", str(root / "ledger.vkey")], check=False).returncode
    return 1 if wrong or status else 0


def _wrong(path: Path, story: Story) -> str:
    with zipfile.ZipFile(path) as archive:
        rows = csv.DictReader(io.StringIO(archive.read("population.csv").decode(), newline=""))
        found = {row["request"]: row["exceptions"].replace(" ", "") for row in rows if row["exceptions"]}
    missed = {name: letters for name, letters in story.planted.items() if found.get(name) != letters}
    invented = {name: letters for name, letters in found.items() if name not in story.planted}
    return f"missed: {missed}; invented: {invented}" if missed or invented else ""


def _progress(done: int, of: int) -> None:
    if done % max(1, of // 20) == 0:
        sys.stderr.write(f"\r{100 * done // of:3} %")
        sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
