"""Runs one target under atheris, with the product's own code instrumented."""

from __future__ import annotations

import sys
from collections.abc import Callable


def guided(load: Callable[[], Callable[[bytes], None]]) -> None:
    """Fuzz what `load` imports and gives, until the limits on the command line."""
    import atheris

    with atheris.instrument_imports(include=["sojourn"]):
        check = load()
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()
