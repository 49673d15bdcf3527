"""What may be said to an account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sojourn.domain.events import PasskeyAdded
from sojourn.domain.identifiers import PasskeyId, PersonId
from sojourn.domain.sealed import Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class Invite:
    """Let a person set up an account with a one-time code, given here as its SHA-256."""

    person: PersonId
    code_sha256: str
    expires_at: datetime
    invited_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrol:
    """Redeem the code (given as its SHA-256) and set the password (given as its sealed hash)."""

    person: PersonId
    code_sha256: str
    password: Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class AddPasskey:
    """One more passkey, which the caller has checked. `code_sha256` redeems an invitation; "" is for the signed-in."""

    added: PasskeyAdded
    code_sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsePasskey:
    """A passkey has signed `challenge` (base64url); the caller has checked that. `sign_count` is what it counts now."""

    person: PersonId
    passkey: PasskeyId
    sign_count: int
    source: str
    challenge: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovePasskey:
    """Take a passkey away."""

    person: PersonId
    passkey: PasskeyId
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePassword:
    """Set another password (given as its sealed hash), for an account that is set up."""

    person: PersonId
    password: Sealed
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetSecondFactor:
    """Ask for codes from here on. The person has shown the code of `step`, which the caller has checked."""

    person: PersonId
    secret: Sealed
    step: int
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UseSecondFactor:
    """Take the code of `step`, which the caller has checked."""

    person: PersonId
    step: int
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveSecondFactor:
    """Ask for no codes any more."""

    person: PersonId
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AskRecovery:
    """Say that `person` has lost every way in: an administrator, or an operator of the machine (`operator:NAME`)."""

    person: PersonId
    asked_by: str
    until: datetime
    reason: Sealed
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmRecovery:
    """Confirm what somebody else said, so that a one-time code (given as its SHA-256) opens the account anew."""

    person: PersonId
    confirmed_by: str
    code_sha256: str
    expires_at: datetime
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkIdentity:
    """A provider, which the caller has checked, says who this is. `known_as` is who that identity was so far."""

    person: PersonId
    issuer: str
    subject_sha256: str
    known_as: PersonId | None
    source: str


Command = (
    Invite
    | Enrol
    | AddPasskey
    | UsePasskey
    | RemovePasskey
    | ChangePassword
    | SetSecondFactor
    | UseSecondFactor
    | RemoveSecondFactor
    | AskRecovery
    | ConfirmRecovery
    | LinkIdentity
)
