"""sojourn audit ocsf: the record as OCSF events, for a SIEM."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import IO, Annotated

import msgspec
from cyclopts import Parameter
from cyclopts.validators import Number

from sojourn.app.ambient import BUILD
from sojourn.app.installation import read_settings
from sojourn.app.kept import PAGE, reading
from sojourn.cli.output import print_line
from sojourn.errors import Code, SojournError
from sojourn.evidence.ocsf import Source, ocsf_event
from sojourn.scribe.client import read_entry
from sojourn.settings import Layout
from sojourn.vault.files import write_private

from .printing import layout_of

LOOK_SECONDS = 1.0


def ocsf(
    *,
    start: Annotated[int, Parameter(validator=Number(gte=0))] = 0,
    cursor: Path | None = None,
    out: Path | None = None,
    follow: Annotated[bool, Parameter(negative="")] = False,
    data: Path | None = None,
) -> None:
    """Write the record as OCSF 1.9 events, one JSON object a line, each with the entry itself and its hash.

    With --cursor it goes on where it stopped: the cursor moves only after what was written is on disk, so an event may
    come twice after a crash and is never lost; `metadata.sequence` tells. Nothing sealed is opened. Works whether
    Sojourn runs or not, for whoever may read the data directory.

    Example: sojourn audit ocsf --cursor /var/lib/siem/cursor --out /var/log/sojourn.ocsf.jsonl --follow

    Parameters
    ----------
    start
        The place of the first entry, where there is no cursor yet.
    cursor
        A file that remembers the next place.
    out
        The file to append to (default: standard output).
    follow
        Go on with what comes, until interrupted.
    data
        The data directory (default: SOJOURN_DATA, or ~/.local/share/sojourn).
    """
    layout = layout_of(data)
    following = start if cursor is None or not cursor.exists() else _read_cursor(cursor)
    try:
        with out.open("ab") if out is not None else os.fdopen(os.dup(sys.stdout.fileno()), "wb") as file:
            while True:
                following = _write(layout, following, file, cursor)
                if not follow:
                    break
                time.sleep(LOOK_SECONDS)
    except BrokenPipeError:
        # Whoever reads has heard enough.
        return
    except OSError as error:
        problem = f"{out or 'standard output'} cannot be written: {error.strerror}"
        raise SojournError(Code.INPUT_INVALID, problem=problem, expected="--out with a file of yours") from error
    if out is not None:
        print_line(f"Wrote everything before entry {following} to {out}.")


def _write(layout: Layout, following: int, file: IO[bytes], cursor: Path | None) -> int:
    """Write what there is from `following` on; gives the next place. The cursor follows what is on disk."""
    source = Source(origin=read_settings(layout).scribe.origin, build=BUILD)
    with reading(layout) as kept:
        size = kept.size()
        for start in range(following, size, PAGE):
            page = list(kept.raw(start, min(start + PAGE, size)))
            file.writelines(msgspec.json.encode(ocsf_event(read_entry(raw), raw, source)) + b"\n" for raw in page)
            file.flush()
            if file.seekable():
                os.fsync(file.fileno())
            following = start + len(page)
            if cursor is not None:
                write_private(cursor, f"{following}\n".encode())
    return following


def _read_cursor(cursor: Path) -> int:
    text = cursor.read_text(errors="replace").strip()
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise SojournError(
            Code.INPUT_INVALID, problem=f"{cursor} holds no place in a record", expected="a number, or no file"
        )
    return int(text)
