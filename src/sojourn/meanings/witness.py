"""What the codes about witnesses tell people."""

from __future__ import annotations

from collections.abc import Mapping

from sojourn.codes import Code, Exit, Meaning

from .answers import CONFLICT, INPUT, MISSING

MEANINGS: Mapping[Code, Meaning] = {
    Code.WITNESS_MISSING: Meaning(
        "{directory} holds no witness.", "Run `sojourn witness init --data {directory}` first.", *MISSING
    ),
    Code.WITNESS_DAMAGED: Meaning(
        "The witness cannot use {path}: {problem}.",
        "Bring back its own newest copy. A witness that has lost what it cosigned is given up, not started again: "
        "make a new one under a new name.",
        500,
        Exit.FAILED,
    ),
    Code.WITNESS_BUSY: Meaning(
        "Another process serves the witness in {directory}.",
        "Stop that one first. Two copies of one witness could cosign two histories.",
        *CONFLICT,
    ),
    Code.WITNESS_POLICY_INVALID: Meaning(
        "The policy {path} is not usable: {problem}.",
        "Correct it; docs/how-to/run-a-witness.md shows a whole one.",
        *INPUT,
    ),
}
