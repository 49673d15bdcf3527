"""What the codes about input, services and tools tell people."""

from __future__ import annotations

from collections.abc import Mapping

from sojourn.codes import Code, Exit, Meaning

from .answers import CONFLICT, DOWN, INPUT

MEANINGS: Mapping[Code, Meaning] = {
    Code.INPUT_INVALID: Meaning("{problem}.", "Expected {expected}.", *INPUT),
    Code.CALL_UNSETTLED: Meaning(
        "{address} is being carried out under this key, or was begun and not settled.",
        "Look whether it had its effect, and repeat it under a fresh key if it had not.",
        *CONFLICT,
    ),
    Code.CALL_KEY_REUSED: Meaning(
        "This key was used for {address} with another body.", "Use a fresh key for each call.", *INPUT
    ),
    Code.SERVICE_UNREACHABLE: Meaning(
        "Sojourn does not answer at {address}.",
        "Start it with `sojourn serve`, or correct the address.",
        *DOWN,
    ),
    Code.SERVICE_TIMEOUT: Meaning(
        "{what} took longer than {seconds} seconds.",
        "Look at its state before you repeat it.",
        504,
        Exit.UNAVAILABLE,
    ),
    Code.SERVICE_BUSY: Meaning("{what} is taken by as many as there may be.", "Try again in a while.", *DOWN),
    Code.TOOL_MISSING: Meaning("{tool} is not installed.", "{remedy}", *DOWN),
    Code.INTERNAL: Meaning(
        "Something went wrong inside Sojourn.",
        "The log holds the details under {reference}.",
        500,
        Exit.FAILED,
    ),
}
