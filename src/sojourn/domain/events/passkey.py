"""What can happen to the passkeys of a person (WebAuthn). Public keys hide nothing, so they stand here as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sojourn.domain.identifiers import PasskeyId, PersonId
from sojourn.domain.sealed import Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyAdded:
    """A person has one more passkey. It answers for `rp_id` alone, and `sign_count` is what it counted so far.

    `credential` is the authenticator's name for it and `public_key` the key in COSE, both in base64url without
    padding. `synced` says that copies of it may exist elsewhere. `label` is what the person calls it. `invited` says
    that it came with the code of an invitation, which is used up by it. `challenge` is what it was made for
    (base64url), and counts no second time.
    """

    kind: ClassVar[str] = "account.passkey_added"
    person: PersonId
    passkey: PasskeyId
    credential: str
    public_key: str
    rp_id: str
    sign_count: int
    synced: bool
    label: Sealed
    source: str
    invited: bool = False
    challenge: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyUsed:
    """A person showed who they are with it. `sign_count` is what it counted by then.

    `challenge` is what it has signed (base64url), and opens nothing a second time.
    """

    kind: ClassVar[str] = "account.passkey_used"
    person: PersonId
    passkey: PasskeyId
    sign_count: int
    source: str
    challenge: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyRemoved:
    """The passkey opens nothing from here on."""

    kind: ClassVar[str] = "account.passkey_removed"
    person: PersonId
    passkey: PasskeyId
    removed_by: str
    source: str
