"""A witness at work: judges each submission, remembers what it cosigned before it says so, and keeps contradictions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import assert_never

import structlog

from sojourn.ledger import note as notes
from sojourn.ledger.cosignature import CosigningKey
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.note import Verifier
from sojourn.ledger.submission import Submission, parse, read_checkpoint

from . import evidence
from .judging import Cosign, Refuse, judge
from .layout import WitnessLayout, known_logs
from .store import Latest, Store

SIZE_TYPE = "text/x.tlog.size"
TEXT_TYPE = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the HTTP server answers."""

    status: HTTPStatus
    body: str
    content_type: str = TEXT_TYPE


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """One witness. `add_checkpoint` runs without a pause between looking and remembering, in one thread, so no two
    submissions can both be the first.
    """

    layout: WitnessLayout
    key: CosigningKey
    store: Store
    clock: Callable[[], datetime]

    def add_checkpoint(self, body: bytes) -> Answer:
        """Answer a submission (C2SP tlog-witness, add-checkpoint).

        Raises `sqlite3.Error` when the decision could not be kept; nothing may be cosigned after that.
        """
        try:
            submission = parse(body)
        except LedgerError as error:
            return Answer(status=HTTPStatus.BAD_REQUEST, body=f"{error}\n")
        origin = submission.checkpoint.origin
        verifiers = known_logs(self.layout).get(origin, ())
        latest = self.store.latest(origin)
        verdict = judge(
            submission,
            verifiers=verifiers,
            held=None if latest is None else read_checkpoint(notes.split(latest.note)[0]),
            root_at=lambda size: self.store.root_at(origin, size),
        )
        match verdict:
            case Cosign():
                return Answer(status=HTTPStatus.OK, body=self._cosign(submission, verifiers, latest))
            case Refuse():
                return self._refuse(submission, verdict, latest)
            case _:
                assert_never(verdict)

    def checkpoint(self, origin: str) -> Answer:
        """The newest checkpoint that was cosigned for a log, with the cosignature."""
        latest = self.store.latest(origin)
        if latest is None:
            return Answer(status=HTTPStatus.NOT_FOUND, body="This witness has cosigned nothing for this log.\n")
        return Answer(status=HTTPStatus.OK, body=latest.note)

    def _cosign(self, submission: Submission, verifiers: Sequence[Verifier], latest: Latest | None) -> str:
        # A clock that was set back does not make a later word look like an earlier one.
        seconds = max(int(self.clock().timestamp()), latest.seconds if latest else 0)
        line = self.key.cosign(submission.text, seconds)
        note = _signed_by(submission.note, verifiers) + line
        self.store.keep(submission.checkpoint, note=note, seconds=seconds)
        return line

    def _refuse(self, submission: Submission, refusal: Refuse, latest: Latest | None) -> Answer:
        if refusal.contradiction is not None:
            self._keep(submission, refusal, latest)
        if refusal.known_size is not None:
            return Answer(status=refusal.status, body=f"{refusal.known_size}\n", content_type=SIZE_TYPE)
        return Answer(status=refusal.status, body=f"{refusal.reason}\n")

    def _keep(self, submission: Submission, refusal: Refuse, latest: Latest | None) -> None:
        offered = submission.checkpoint
        held = self.store.note_at(offered.origin, offered.size) or (latest.note if latest else "")
        log = structlog.get_logger("witness")
        try:
            new = evidence.keep(
                self.layout.evidence,
                submission,
                refusal,
                held=held,
                held_size=latest.size if latest else 0,
                at=self.clock(),
            )
        except OSError as error:
            # The refusal stands in any case. The log may be the only place left that says why.
            log.error("evidence could not be kept", kind=str(refusal.contradiction), text=str(error))
            return
        if new:
            log.error("a log contradicts itself", kind=str(refusal.contradiction), origin=offered.origin)


def _signed_by(note: str, verifiers: Sequence[Verifier]) -> str:
    """The note with the signatures of these keys alone: what strangers added is not kept for them."""
    text, lines = notes.split(note)
    known = {(one.name, one.key_id) for one in verifiers}
    kept = [notes.format_line(*line) for line in lines if line[:2] in known]
    return f"{text}\n" + "".join(dict.fromkeys(kept))
