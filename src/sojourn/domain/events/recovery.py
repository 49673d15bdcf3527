"""What can happen to an account besides its set-up: a second factor, another password, a recovery, a provider."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from sojourn.domain.identifiers import PersonId
from sojourn.domain.sealed import Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordChanged:
    """The person chose another password; `password` seals its argon2id hash."""

    kind: ClassVar[str] = "account.password_changed"
    person: PersonId
    password: Sealed
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactorSet:
    """Beside the password a code is asked for from here on (TOTP, RFC 6238); `secret` seals what makes the codes."""

    kind: ClassVar[str] = "account.second_factor_set"
    person: PersonId
    secret: Sealed
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactorUsed:
    """The code of this time `step` (30 seconds each, since 1970) was taken, and is taken no second time."""

    kind: ClassVar[str] = "account.second_factor_used"
    person: PersonId
    step: int
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactorRemoved:
    """No code is asked for any more."""

    kind: ClassVar[str] = "account.second_factor_removed"
    person: PersonId
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryAsked:
    """Somebody says that `person` has lost every way in; an administrator who is somebody else has to confirm it."""

    kind: ClassVar[str] = "account.recovery_asked"
    person: PersonId
    asked_by: str
    until: datetime
    reason: Sealed
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRecovered:
    """Nothing that opened the account opens it any more, but for the one-time code of which this is the SHA-256."""

    kind: ClassVar[str] = "account.recovered"
    person: PersonId
    asked_by: str
    confirmed_by: str
    code_sha256: str
    expires_at: datetime
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityLinked:
    """A provider's identity is this person from here on. `subject_sha256` is over the provider's address and its name
    for the identity: who it is, and who it is not, can be told with it and nothing else.
    """

    kind: ClassVar[str] = "account.identity_linked"
    person: PersonId
    issuer: str
    subject_sha256: str
    source: str
