"""Two reports of the same kind, side by side: what there was in one period, in the other, and the difference.

Only what stands in the reports is compared, so whoever has both files can do it again without the record.
"""

from __future__ import annotations

import json
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sojourn.evidence.attributes.answer import Letter

from .build import DETAILS, JSON

GROUPED = ("status", "kind", "target", "end_cause", "outcome")
"""Columns of the population whose values are counted one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One report: its parameters, its sheets as they were counted, and the rows of its population."""

    parameters: dict[str, Any]
    sheets: dict[str, dict[str, Any]]
    population: list[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One measure in both periods."""

    measure: str
    first: int
    second: int

    @property
    def difference(self) -> int:
        """How much more there was in the second."""
        return self.second - self.first


def read(path: Path) -> Side:
    """A report from its ZIP. Raises ValueError if it is none."""
    try:
        with zipfile.ZipFile(path) as archive:
            details = json.loads(archive.read(DETAILS))
            sheets = {one["name"]: one for one in json.loads(archive.read(JSON))["sheets"]}
        return Side(
            parameters=details["parameters"],
            sheets={one["name"]: one for one in details["sheets"]},
            population=sheets["Population"]["rows"] if "Population" in sheets else [],
        )
    except (zipfile.BadZipFile, KeyError, TypeError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} is no report") from error


def compare(first: Side, second: Side) -> list[Compared]:
    """Every measure that either of the two has. Raises ValueError for reports of different kinds."""
    if first.parameters["report"] != second.parameters["report"]:
        kinds = f"{first.parameters['report']} and {second.parameters['report']}"
        raise ValueError(f"{kinds} are different reports")
    one, other = dict(_measures(first)), dict(_measures(second))
    names = [*one, *(name for name in other if name not in one)]
    return [Compared(measure=name, first=one.get(name, 0), second=other.get(name, 0)) for name in names]


def _measures(side: Side) -> Iterator[tuple[str, int]]:
    for name, sheet in side.sheets.items():
        if name not in ("Parameters", "Data dictionary"):
            yield f"rows of {name}", sheet["rows"]
            for column, total in sheet["totals"].items():
                yield f"{name}: sum of {column}", total
    for letter in Letter:
        answers = Counter(row.get(letter.value) for row in side.population)
        if side.population:
            yield f"test {letter.value} failed", answers["fail"]
            yield f"test {letter.value} passed", answers["pass"]
    for column in GROUPED:
        for value, count in sorted(Counter(str(row[column]) for row in side.population if row.get(column)).items()):
            yield f"{column}: {value}", count
