"""pgbench on one way to the database: how many statements, what they cost which process, how long each took."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from .figures import cpu_seconds
from .stage import Stage

SELECT = "\\set id random(1, 4000)\nselect status from shop.orders where id = :id;\n"
NOTHING = "select 1;\n"
RUN_SECONDS_MAX = 120
_RATE = re.compile(r"^tps = ([0-9.]+)", re.MULTILINE)
_COUNT = re.compile(r"^number of transactions actually processed: (\d+)", re.MULTILINE)
_PROGRESS = re.compile(r"^progress: ([0-9.]+) s, ([0-9.]+) tps")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Transactions a second, and how many there were."""

    rate: float
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Statements a second once all clients were connected, and the processor time a statement of each process."""

    rate: float
    seconds: tuple[float, ...]


def _command(stage: Stage, script: Path, seconds: int, options: Sequence[str]) -> list[str]:
    return [stage.program("pgbench"), "-n", "-f", str(script), "-T", str(seconds), *options]


def run(stage: Stage, way: dict[str, str], script: str, seconds: int, *options: str) -> Run:
    """Run a script for so many seconds, connecting included."""
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "script.sql"
        file.write_text(script)
        done = subprocess.run(
            _command(stage, file, seconds, options),
            env=way,
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS_MAX + seconds,
            check=False,
        )
    rate, count = _RATE.search(done.stdout), _COUNT.search(done.stdout)
    if done.returncode or rate is None or count is None:
        raise RuntimeError(f"pgbench ended with {done.returncode}: {(done.stdout + done.stderr).strip()[-500:]}")
    return Run(rate=float(rate[1]), count=int(count[1]))


def cost(stage: Stage, way: dict[str, str], script: str, seconds: int, *options: str, processes: Sequence[int]) -> Cost:
    """Run a script, and count from its second second on: by then every client is connected."""
    for longer in (1, 3, 9):
        seen = _progress(stage, way, script, (seconds + 2) * longer, options, processes)
        count = sum(rate * (end - start) for (start, _, _), (end, rate, _) in pairwise(seen))
        if count:
            (start, _, before), (end, _, after) = seen[0], seen[-1]
            spent = tuple((late - early) / count for early, late in zip(before, after, strict=True))
            return Cost(rate=count / (end - start), seconds=spent)
    raise RuntimeError("pgbench: the machine is too busy to count statements on it")


def _progress(
    stage: Stage, way: dict[str, str], script: str, seconds: int, options: Sequence[str], processes: Sequence[int]
) -> list[tuple[float, float, tuple[float, ...]]]:
    """What pgbench says each second: the moment, the rate since the last one, and the time of the processes so far."""
    seen: list[tuple[float, float, tuple[float, ...]]] = []
    said = ""
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "script.sql"
        file.write_text(script)
        command = [*_command(stage, file, seconds, options), "-P", "1"]
        with subprocess.Popen(
            command, env=way, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        ) as running:
            assert running.stderr is not None
            for line in running.stderr:
                said += line
                found = _PROGRESS.match(line)
                if found is not None:
                    spent = tuple(cpu_seconds(process) for process in processes)
                    seen.append((float(found[1]), float(found[2]), spent))
    if running.returncode:
        raise RuntimeError(f"pgbench: {said.strip()[-500:]}")
    return seen


def waits(stage: Stage, way: dict[str, str], script: str, seconds: int, *options: str) -> list[float]:
    """How long each transaction took, in seconds, beginning when it was really sent."""
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "script.sql"
        file.write_text(script)
        command = [*_command(stage, file, seconds, options), "-l", "--log-prefix", str(Path(directory) / "log")]
        done = subprocess.run(
            command, env=way, capture_output=True, text=True, timeout=RUN_SECONDS_MAX + seconds, check=False
        )
        if done.returncode:
            raise RuntimeError(f"pgbench: {done.stderr.strip()[-500:]}")
        lines = [line.split() for log in Path(directory).glob("log.*") for line in log.read_text().splitlines()]
    # Client, number, microseconds, script, time, and with a rate: how much of it was waiting for its turn.
    return [(float(line[2]) - (float(line[6]) if len(line) > 6 else 0.0)) / 1e6 for line in lines]
