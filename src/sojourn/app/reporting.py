"""Makes a report from the ledger where it lies, whether Sojourn runs or not. Nothing is changed."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sojourn.domain.window import Window
from sojourn.evidence.accesses import Books, Configurations
from sojourn.evidence.accesses.actions import reader
from sojourn.evidence.controls.report import Shown, shown
from sojourn.evidence.oscal import assessment_results
from sojourn.evidence.reports.build import Built, build
from sojourn.evidence.reports.context import Context
from sojourn.evidence.reports.directory import REPORTS
from sojourn.evidence.reports.parameters import Base, Parameters
from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger import merkle
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.note import Verifier
from sojourn.ledger.proving import ProvingTree
from sojourn.scribe.client import read_entry
from sojourn.settings import Layout

from .ambient import BUILD
from .backing import back
from .kept import PAGE, Kept, damaged, reading
from .settled import settings_as_read

Progress = Callable[[str, int, int | None], None]
"""Is told what is being done, how much of it is done, and of how much (None if that is not known)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A report that somebody wants: `as_of` None for everything that is signed, `sample` rows drawn by `seed`.

    `targets` are those that it is about, empty for all.
    """

    report: str
    period: Window
    run_by: str
    run_at: datetime
    as_of: datetime | None = None
    sample: int = 0
    seed: str = ""
    targets: tuple[str, ...] = ()


def make_report(layout: Layout, asked: Asked, directory: Path, progress: Progress) -> Built:
    """Write the report into `directory`, an empty folder.

    It is made from what was signed last. A record that does not lead to its signed root is told of at the top of the
    report, and in `problem` of what is given back; nothing is left out silently.

    Raises SojournError `data.directory_missing`, `data.directory_open`, or `record.damaged` for what is no entry.
    """
    wanted = REPORTS[asked.report]
    with _read(layout, asked, progress) as context:
        return build(context, wanted.sheets(context), directory, lambda sheet, rows: progress(sheet, rows, None))


def controls_of(layout: Layout, asked: Asked) -> list[Shown]:
    """Every control over the period. Raises as `make_report` does."""
    with _read(layout, asked, lambda *_: None) as context:
        return list(shown(context))


def oscal_of(layout: Layout, asked: Asked) -> dict[str, Any]:
    """Every control over the period as OSCAL assessment results. Raises as `make_report` does."""
    with _read(layout, asked, lambda *_: None) as context:
        return assessment_results(context, list(shown(context)))


@contextmanager
def _read(layout: Layout, asked: Asked, progress: Progress) -> Iterator[Context]:
    """Everything that a report is made from, while the ledger is open."""
    wanted = REPORTS[asked.report]
    with reading(layout) as kept:
        as_of = None if asked.as_of is None else _whole_millisecond(asked.as_of)
        books, base, tree = _fold(layout, kept, as_of, progress)
        parameters = Parameters(
            report=asked.report,
            title=wanted.title,
            purpose=wanted.purpose,
            system=base.origin,
            build=BUILD,
            run_by=asked.run_by,
            run_at=asked.run_at,
            period=asked.period,
            as_of=as_of or base.last_at or asked.run_at,
            filters=(
                ("as of", "" if asked.as_of is None else asked.as_of.isoformat()),
                ("targets", ", ".join(asked.targets)),
            ),
            targets=asked.targets,
            sample=asked.sample,
            seed=asked.seed,
        )
        yield Context(
            books=books,
            parameters=parameters,
            base=base,
            raw=lambda seq: next(kept.raw(seq, seq + 1)),
            settings=settings_as_read(layout),
            backing=back(kept, tree, books, asked.period, base.note, targets=asked.targets),
        )


def _whole_millisecond(moment: datetime) -> datetime:
    """The end of its millisecond: moments are said to the millisecond, so one that is asked for means all of it."""
    return moment + timedelta(microseconds=999 - moment.microsecond % 1000)


def _fold(layout: Layout, kept: Kept, as_of: datetime | None, progress: Progress) -> tuple[Books, Base, ProvingTree]:
    """Read every signed entry once: hash it, and fold what was recorded up to `as_of`."""
    signed = kept.last_checkpoint()
    if signed is None:
        raise damaged(kept.path, "nothing is signed yet")
    head, problem = _head(layout, signed[1])
    books, tree = Books(configurations=Configurations(attachment=kept.attachment)), ProvingTree()
    read = reader(read_entry)
    size, later, last_at = min(head.size, kept.size()), 0, None
    for start in range(0, size, PAGE):
        page = list(kept.raw(start, min(start + PAGE, size)))
        tree.extend(merkle.leaf_hashes(page))
        for one in map(read, page):
            if as_of is not None and one.at > as_of:
                later += 1
                continue
            books.take(one)
            last_at = one.at
        progress("Reading the record", min(start + PAGE, size), size)
    if not problem and (size, tree.root()) != (head.size, head.root):
        problem = f"the {size} entries do not lead to the root that was signed over {head.size}"
    root = base64.b64encode(head.root).decode()
    base = Base(
        origin=head.origin, size=size - later, root=root, note=signed[1], last_at=last_at, problem=problem, later=later
    )
    return books, base, tree


def _head(layout: Layout, note: str) -> tuple[checkpoints.Checkpoint, str]:
    """The signed head, and why its signature is not believed (empty if it is)."""
    try:
        return checkpoints.open(note, Verifier.parse(layout.verifier_key.read_text().strip())), ""
    except (OSError, LedgerError) as error:
        unverified = checkpoints.parse(note.partition("\n\n")[0] + "\n")
        return unverified, f"the signature of the checkpoint does not verify: {error}"
