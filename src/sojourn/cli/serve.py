"""sojourn serve: run everything on this machine."""

from __future__ import annotations

from pathlib import Path

from sojourn.app.ambient import environment
from sojourn.app.installation import lay_out
from sojourn.app.serve import serve as run


def serve(*, data: Path | None = None, only: str | None = None) -> int:
    """Run scribe, publisher, control and gateway, supervised, until SIGTERM or Ctrl-C.

    Example: sojourn serve --data ./sojourn

    Parameters
    ----------
    data
        The data directory (default: SOJOURN_DATA, or ~/.local/share/sojourn).
    only
        Run one process without supervision: scribe, publisher, control or gateway.
    """
    return run(lay_out(data or environment().data_directory), only)
