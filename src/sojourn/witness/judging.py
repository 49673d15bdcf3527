"""What a witness decides about a submission: a pure function of what it cosigned before and what it is shown now.

- A log that it does not know, and a checkpoint that none of the log's keys signed, are not looked at further.
- It cosigns only a checkpoint that provably extends everything it has cosigned for that log.
- A checkpoint that the log signed and that contradicts an earlier one is *evidence* and is to be kept:
  - a *fork*: another root for a size that was cosigned. This alone proves that the log signed two histories.
  - *inconsistent*: larger than what was cosigned, and the proof does not lead from there to it.
  - a *rollback*: smaller than what was cosigned, at a size that never was. Somebody has to explain it with a proof:
    a late checkpoint of a healthy log looks the same.
  A smaller checkpoint that was cosigned in its time is a repetition and is no evidence of anything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus

from sojourn.ledger import merkle
from sojourn.ledger import note as notes
from sojourn.ledger.checkpoint import Checkpoint
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.merkle import EMPTY_ROOT
from sojourn.ledger.note import Verifier
from sojourn.ledger.submission import Submission


class Contradiction(StrEnum):
    """How a signed checkpoint contradicts what was cosigned."""

    FORK = "fork"
    INCONSISTENT = "inconsistent"
    ROLLBACK = "rollback"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosign:
    """The submission extends everything that was cosigned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    """No cosignature. `known_size` is told to the log if its view is stale; a contradiction is to be kept."""

    status: HTTPStatus
    reason: str
    known_size: int | None = None
    contradiction: Contradiction | None = None


RootAt = Callable[[int], bytes | None]
"""The root that was cosigned at a size, if one was."""


def judge(
    submission: Submission, *, verifiers: Sequence[Verifier], held: Checkpoint | None, root_at: RootAt
) -> Cosign | Refuse:
    """Decide; `verifiers` are the keys of the submission's log (none if it is unknown), `held` the newest cosigned."""
    if not verifiers:
        return Refuse(status=HTTPStatus.NOT_FOUND, reason="This witness does not know the log.")
    try:
        notes.open(submission.note, verifiers)
    except LedgerError as error:
        return Refuse(status=HTTPStatus.FORBIDDEN, reason=str(error))
    offered = submission.checkpoint
    size, root = (held.size, held.root) if held else (0, EMPTY_ROOT)
    contradiction = _compare(offered, size, root, root_at)
    if submission.old > offered.size:
        reason = "The old size is larger than the checkpoint's."
        return Refuse(status=HTTPStatus.BAD_REQUEST, reason=reason, contradiction=contradiction)
    if contradiction or submission.old != size:
        reason = f"This witness has cosigned {size} entries."
        return Refuse(status=HTTPStatus.CONFLICT, reason=reason, known_size=size, contradiction=contradiction)
    try:
        merkle.verify_consistency(
            old=size, new=offered.size, old_root=root, new_root=offered.root, proof=submission.proof
        )
    except LedgerError as error:
        # The empty tree is extended by any, so from there a wrong proof is only a mistake of form.
        kept = Contradiction.INCONSISTENT if size else None
        return Refuse(status=HTTPStatus.UNPROCESSABLE_ENTITY, reason=str(error), contradiction=kept)
    return Cosign()


def _compare(offered: Checkpoint, size: int, root: bytes, root_at: RootAt) -> Contradiction | None:
    """How the offered checkpoint contradicts what was cosigned at its own size or above."""
    if offered.size > size:
        return None
    cosigned = EMPTY_ROOT if offered.size == 0 else root if offered.size == size else root_at(offered.size)
    if cosigned is None:
        return Contradiction.ROLLBACK
    return None if cosigned == offered.root else Contradiction.FORK
