"""Figures, and how they are shown."""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the table. `direct` is the same measure without Sojourn, `ratio` that of the two."""

    name: str
    value: float
    unit: str
    direct: float | None = None
    ratio: float | None = None


def compared(name: str, unit: str, pairs: Sequence[tuple[float, float]]) -> Figure:
    """A figure from pairs (direct, gateway) that were measured one right after the other; medians of each."""
    return Figure(
        name=name,
        unit=unit,
        direct=statistics.median(direct for direct, _ in pairs),
        value=statistics.median(gateway for _, gateway in pairs),
        ratio=statistics.median(gateway / direct for direct, gateway in pairs),
    )


def percentile(samples: Sequence[float], part: float) -> float:
    """The sample below which `part` (0 to 1) of the samples lie."""
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def cpu_seconds(pid: int) -> float:
    """Processor time that a process has used so far, all its threads, in its own code and in the kernel."""
    threads = list(Path(f"/proc/{pid}/task").glob("*/schedstat"))
    if threads:
        # In nanoseconds; the other file counts in hundredths of a second.
        return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def progress(figure: Figure, seconds: float) -> Figure:
    """Say on standard error, after so many seconds, that a figure is there; gives it back."""
    sys.stderr.write(f"[{seconds:5.1f} s] {figure.name}: {_number(figure.value)} {figure.unit}\n")
    sys.stderr.flush()
    return figure


def machine() -> dict[str, str]:
    """What the figures were measured on."""
    model = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.machine(),
    )
    return {
        "processor": model,
        "cores": str(len(os.sched_getaffinity(0))),
        "kernel": platform.release().partition("-")[0],
        "python": platform.python_version(),
        "load": f"{os.getloadavg()[1]:.1f} in the last 5 minutes",
    }


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


def show(figures: Sequence[Figure], *, as_json: bool) -> None:
    """Print everything, for people or for programs."""
    if as_json:
        print(json.dumps({"machine": machine(), "figures": [asdict(one) for one in figures]}, indent=1))
        return
    print("machine: " + ", ".join(f"{name} {value}" for name, value in machine().items()))
    rows: list[tuple[str, ...]] = [("figure", "unit", "direct", "Sojourn", "ratio")]
    rows += [
        (
            one.name,
            one.unit,
            "" if one.direct is None else _number(one.direct),
            _number(one.value),
            "" if one.ratio is None else f"{one.ratio:#.3g}",
        )
        for one in figures
    ]
    widths = [max(len(row[place]) for row in rows) for place in range(5)]
    rows.insert(1, ("-" * widths[0], "-" * widths[1], *("-" * (width - 1) + ":" for width in widths[2:])))
    for name, unit, *numbers in rows:
        cells = [name.ljust(widths[0]), unit.ljust(widths[1])]
        cells += [number.rjust(width) for number, width in zip(numbers, widths[2:], strict=True)]
        print(f"| {' | '.join(cells)} |")


def _number(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"
