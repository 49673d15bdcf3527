"""Evidence that a log signed two histories, kept as files that anybody can check without this program.

    evidence/fork-<first 8 hex of SHA-256 of the origin>-<size>-<first 12 hex of SHA-256 of the offered note>/
        held        the checkpoint that this witness had cosigned, with its cosignature; for a fork, of the same size
        offered     the checkpoint that contradicts it, signed by the same log
        proof       the request's first line (`old <size>`) and the hashes that came with it
        about.json  what kind, which log, both sizes, when, and why it was refused

The same evidence is kept once. There is a bound, and forks, which only a holder of the log's key can make, have the
larger one.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from sojourn.ledger.submission import Submission

from .judging import Contradiction, Refuse

KEPT_MAX: Mapping[Contradiction, int] = {
    Contradiction.FORK: 10_000,
    Contradiction.INCONSISTENT: 1_000,
    Contradiction.ROLLBACK: 1_000,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One contradiction: what `about.json` of its folder says."""

    folder: str
    kind: Contradiction
    origin: str
    held_size: int
    offered_size: int
    at: str
    reason: str


def keep(directory: Path, submission: Submission, refusal: Refuse, *, held: str, held_size: int, at: datetime) -> bool:
    """Keep a refused submission beside the note it contradicts (`held`, "" if there is none); durable when it returns.

    False if it is there already or there is too much. Raises OSError.
    """
    kind = refusal.contradiction
    assert kind is not None, "only a contradiction is evidence"
    offered = submission.checkpoint
    log = sha256(offered.origin.encode()).hexdigest()[:8]
    name = f"{kind}-{log}-{offered.size}-{sha256(submission.text.encode()).hexdigest()[:12]}"
    directory.mkdir(mode=0o700, exist_ok=True)
    if (directory / name).exists() or len(list(directory.glob(f"{kind}-*"))) >= KEPT_MAX[kind]:
        return False
    about = {
        "kind": kind,
        "origin": offered.origin,
        "held_size": held_size,
        "offered_size": offered.size,
        "at": at.isoformat(),
        "reason": refusal.reason,
    }
    proof = [f"old {submission.old}", *(b64encode(item).decode() for item in submission.proof)]
    partial = Path(tempfile.mkdtemp(prefix=".", dir=directory))
    try:
        for file, text in (
            ("held", held),
            ("offered", submission.note),
            ("proof", "\n".join(proof) + "\n"),
            ("about.json", json.dumps(about, indent=1) + "\n"),
        ):
            _write(partial / file, text)
        _sync(partial)
        partial.rename(directory / name)
        _sync(directory)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return True


def listed(directory: Path) -> tuple[Evidence, ...]:
    """All that was kept, oldest first. What is no evidence of ours is passed over."""
    found = []
    for path in directory.glob("*/about.json"):
        try:
            about = json.loads(path.read_text())
            one = Evidence(folder=path.parent.name, **{**about, "kind": Contradiction(about["kind"])})
        except (OSError, ValueError, TypeError, KeyError):
            continue
        found.append(one)
    return tuple(sorted(found, key=lambda one: (one.at, one.folder)))


def _write(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(descriptor)


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
