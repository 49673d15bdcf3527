"""What can happen to an account and to the credentials of its person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from sojourn.domain.identifiers import PersonId, TokenId
from sojourn.domain.people import Scope
from sojourn.domain.sealed import Sealed


class TokenPurpose(StrEnum):
    """What a token opens."""

    API = "api"
    BROWSER = "browser"
    GATEWAY = "gateway"
    SSH = "ssh"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountInvited:
    """Somebody was invited to set up an account. `code_sha256` is the hash of the one-time code."""

    kind: ClassVar[str] = "account.invited"
    person: PersonId
    code_sha256: str
    expires_at: datetime
    invited_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountEnrolled:
    """The invited person chose a password; `password` seals its argon2id hash."""

    kind: ClassVar[str] = "account.enrolled"
    person: PersonId
    password: Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenIssued:
    """A short-lived credential. `secret_sha256` recognises it; `scram` seals the verifier that a gateway needs.

    With a `scope` it was made for a program, is good for that alone and decides nothing; `label` is what it is called,
    and `issued_by` who made it: a person, or `workload:ISSUER` where an ID token was exchanged for it, whose subject
    is the label then. For SSH the credential is a key pair that its owner keeps: `secret_sha256` is the hash
    of the public key.
    """

    kind: ClassVar[str] = "token.issued"
    token: TokenId
    person: PersonId
    purpose: TokenPurpose
    secret_sha256: str
    expires_at: datetime
    source: str
    scram: Sealed | None = None
    scope: tuple[Scope, ...] = ()
    label: Sealed | None = None
    issued_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRevoked:
    """The credential is dead from here on."""

    kind: ClassVar[str] = "token.revoked"
    token: TokenId
    revoked_by: PersonId
