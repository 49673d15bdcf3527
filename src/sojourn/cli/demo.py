"""sojourn demo: one temporary access, from request to proof, on a real PostgreSQL."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter


def demo(
    *,
    once: Annotated[bool, Parameter(negative="")] = False,
    json: Annotated[bool, Parameter(negative="")] = False,
    directory: Path = Path("sojourn-demo"),
) -> int:
    """Show the whole of it: ask, decide, work, end, prove. Nothing is simulated.

    Example: sojourn demo --once --json

    Parameters
    ----------
    once
        Exit at the end instead of keeping everything running.
    json
        Print one JSON object at the end and nothing else.
    directory
        Where the demo keeps its installation; what an earlier demo left there is replaced.
    """
    from sojourn.demo.story import run

    return run(directory.resolve(), once=once, as_json=json)
