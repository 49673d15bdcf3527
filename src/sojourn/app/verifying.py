"""Verifies a ledger's store, and a published folder with the offline verifier, as an auditor runs it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import sojourn_verify

from .store_check import verify_store


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
    """Verify a published folder with a verifier key (a vkey); with `since` it has to extend that too."""
    return _verdict(
        target,
        sojourn_verify.verify(
            argparse.Namespace(
                target=str(target),
                key=[key],
                policy=None,
                since=str(since) if since else None,
                entry=None,
                follows=None,
            )
        ),
    )


def verify_file(path: Path, *, keys: Sequence[str], since: Path | None = None) -> Verdict:
    """Verify a store on SQLite with verifier keys (vkeys); with `since` it has to extend that too."""
    kinds = sojourn_verify.LOG, sojourn_verify.ML_DSA
    run = sojourn_verify.Verification()
    with run.at(str(since or path)):
        trust = sojourn_verify.Trust([sojourn_verify.Key.parse(key, *kinds) for key in keys])
        notes = [(str(since), sojourn_verify.Note(since.read_bytes()))] if since else []
        run = verify_store(path, trust, notes)
    return _verdict(path, run)


def _verdict(target: Path, run: sojourn_verify.Verification) -> Verdict:
    return Verdict(
        target=str(target),
        size=None if run.head is None else run.head.size,
        checked=dict(run.checked),
        problems=tuple(run.problems),
    )
