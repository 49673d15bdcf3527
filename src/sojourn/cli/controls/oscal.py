"""sojourn controls oscal: the controls as OSCAL assessment results."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter

from sojourn.app.ambient import SystemClock, operator
from sojourn.app.reporting import Asked, oscal_of
from sojourn.cli.audit.printing import layout_of
from sojourn.cli.evidence import keep
from sojourn.cli.output import print_line

from .telling import period


def oscal(
    *,
    from_: Annotated[str, Parameter(name="--from")] = "",
    until: str = "",
    out: Path | None = None,
    data: Path | None = None,
) -> None:
    """Write the controls as OSCAL assessment results (NIST, JSON), for GRC tools. Experimental.

    Each control is a finding; what was counted and what was tried are its observations. The same record and period give
    the same document.

    Example: sojourn controls oscal --from 2026-07-01 --until 2026-10-01 --out assessment-results.json

    Parameters
    ----------
    from_
        Start of the period (default: 92 days before its end).
    until
        End of the period, which is not in it (default: now).
    out
        The file to write (default: standard output).
    data
        The data directory (default: SOJOURN_DATA, or ~/.local/share/sojourn).
    """
    now = SystemClock().now()
    asked = Asked(report="controls", period=period(from_, until, now), run_by=operator(), run_at=now)
    text = msgspec.json.format(msgspec.json.encode(oscal_of(layout_of(data), asked)), indent=2)
    if out is None:
        print_line(text.decode())
        return
    keep(out, text + b"\n")
    print_line(f"Wrote {out} ({len(text) + 1} bytes).")
