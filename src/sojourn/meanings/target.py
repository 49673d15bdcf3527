"""What the codes about targets tell people."""

from __future__ import annotations

from collections.abc import Mapping

from sojourn.codes import Code, Meaning

from .answers import DOWN, INPUT

MEANINGS: Mapping[Code, Meaning] = {
    Code.TARGET_UNREACHABLE: Meaning(
        "Target {target} cannot be reached: {problem}.", "Check its address and that it is running.", *DOWN
    ),
    Code.TARGET_REFUSED: Meaning("Target {target} refused: {problem}.", "Check Sojourn's account there.", *DOWN),
    Code.TARGET_PRIVILEGE_MISSING: Meaning(
        "Sojourn's account on {target} lacks a privilege: {problem}.",
        "Run there as its owner: {remedy}",
        *DOWN,
    ),
    Code.TARGET_OBJECT_MISSING: Meaning(
        "Role {role} names something that {target} does not have: {problem}.",
        "Correct targets.yaml.",
        *INPUT,
    ),
}
