"""Confirmation: a person has shown anew who they are, for one decision of theirs.

With a passkey they have signed the decision itself. The challenge that the passkey signs is the SHA-256 of the
`statement` (what is decided, in canonical JSON) followed by the `checkpoint` (the newest one of the ledger, a signed
note), so that nobody can put a decision into their mouth afterwards, and the decision says what the ledger was before
it. Everything that it takes to check this without us is kept, but for the public key, which is in the entry
`account.passkey_added` of the same `passkey`.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum

from .identifiers import PasskeyId, PersonId


class ConfirmedBy(StrEnum):
    """What somebody has confirmed a decision with."""

    PASSWORD = "password"  # noqa: S105 - a word, and no password
    PASSKEY = "passkey"


class Action(StrEnum):
    """Decisions that are confirmed."""

    APPROVE = "request.approve"
    APPROVE_LESS = "request.approve_less"
    BREAK_GLASS = "break_glass"
    APPROVE_CHANGE = "change.approve"
    RELEASE_HOLD = "hold.release"


DETAILS: dict[Action, tuple[str, ...]] = {
    Action.APPROVE: ("digest",),
    Action.APPROVE_LESS: ("digest", "role", "seconds"),
    Action.BREAK_GLASS: ("role", "seconds"),
    Action.APPROVE_CHANGE: ("digest",),
    Action.RELEASE_HOLD: (),
}
"""What a statement says besides who does what to which thing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is about to be decided. `subject` is the stream that it is about; `details` are named in `DETAILS`."""

    action: Action
    person: PersonId
    subject: str
    details: tuple[tuple[str, str], ...] = ()

    @property
    def statement(self) -> str:
        """The decision in canonical JSON: sorted keys, no spaces, every value a text."""
        said = {"action": self.action, "person": self.person, "subject": self.subject, **dict(self.details)}
        return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """How a decision was confirmed. The signature's parts are those of WebAuthn, in base64url without padding."""

    by: ConfirmedBy
    passkey: PasskeyId | None = None
    statement: str = ""
    checkpoint: str = ""
    authenticator_data: str = ""
    client_data: str = ""
    signature: str = ""


def challenge_of(statement: str, checkpoint: str) -> bytes:
    """What a passkey signs for this decision at this checkpoint. A statement ends where its brace closes."""
    return hashlib.sha256(statement.encode() + checkpoint.encode()).digest()
