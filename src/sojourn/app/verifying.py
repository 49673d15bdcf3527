"""Runs the offline verifier from inside the product: `sojourn_verify`, as an auditor runs it."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import sojourn_verify


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the verifier found at `target`. `size` is that of the newest signed checkpoint, if there is one."""

    target: str
    size: int | None
    checked: dict[str, int]
    problems: tuple[dict[str, str], ...]

    @property
    def sound(self) -> bool:
        """Whether everything leads to the signed root."""
        return not self.problems


def verify(target: Path, *, key: str, since: Path | None = None) -> Verdict:
    """Verify a store or a published folder with a verifier key (a vkey); with `since` it has to extend that too."""
    report = sojourn_verify.verify(
        argparse.Namespace(
            target=str(target), key=[key], policy=None, since=str(since) if since else None, entry=None, follows=None
        )
    )
    return Verdict(
        target=str(target),
        size=None if report.head is None else report.head.size,
        checked=dict(report.checked),
        problems=tuple(report.problems),
    )
