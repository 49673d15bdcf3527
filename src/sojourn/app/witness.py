"""A witness, wired: its directory, the machine's clock and randomness."""

from __future__ import annotations

import secrets
import sys
import time
from pathlib import Path

from sojourn.errors import Code, SojournError
from sojourn.ledger.cosignature import CosigningKey
from sojourn.ledger.errors import LedgerError
from sojourn.witness.layout import WitnessLayout, create
from sojourn.witness.process import Listening, run

from .ambient import SystemClock, environment
from .serve import configure_logging


def witness_layout(root: Path | None) -> WitnessLayout:
    """The directory of a witness: `root`, or what the environment says, made absolute."""
    return WitnessLayout(root=(root or environment().witness_directory).expanduser().resolve())


def init_witness(layout: WitnessLayout, name: str) -> CosigningKey:
    """Make a witness with a fresh key.

    Raises SojournError `input.invalid` for a name that no key may have, `data.directory_exists` if there is one.
    """
    try:
        key = CosigningKey.generate(name, secrets.token_bytes(32))
    except LedgerError as error:
        raise SojournError(
            Code.INPUT_INVALID, problem=str(error).rstrip("."), expected="a name such as witness.example.com/w1"
        ) from error
    create(layout, key)
    return key


def serve_witness(layout: WitnessLayout, listening: Listening) -> int:
    """Serve until told to stop. Returns the exit code. Raises as `sojourn.witness.process.run`."""
    configure_logging()
    return run(
        layout,
        listening,
        clock=SystemClock().now,
        monotonic=time.monotonic,
        say=lambda text: print(text, file=sys.stderr, flush=True),  # noqa: T201 - what an operator waits for
    )
