"""What the API answers about how people show who they are."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from .shapes import SignedIn


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyAsked:
    """What a browser is to ask of a passkey, and the `ticket` that has to come back with the answer in five minutes.

    `public_key` is for `PublicKeyCredential.parseCreationOptionsFromJSON` or `.parseRequestOptionsFromJSON`.
    """

    ticket: str
    public_key: msgspec.Raw


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmationAsked:
    """What a passkey of the caller's has to sign: the SHA-256 of `statement` followed by `checkpoint`.

    `ticket` (as `confirmation`), `checkpoint` and the answer (as the text `credential`) go along with the decision in
    five minutes.
    """

    ticket: str
    public_key: msgspec.Raw
    statement: str
    checkpoint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactorOffered:
    """A secret for an authenticator app, as it is typed and as an `otpauth://` address. It is shown once.

    It counts from when a code of it comes back with the `ticket`, in five minutes.
    """

    ticket: str
    secret: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryAskedFor:
    """Another administrator may confirm the recovery until then."""

    person: str
    until: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyShown:
    """A passkey of the caller's. `synced` says that copies of it may exist on other devices of theirs.

    It answers for the host `rp_id` alone. `label` is null once it was shredded.
    """

    passkey: str
    label: str | None
    rp_id: str
    synced: bool
    sign_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyList:
    """The caller's passkeys, in the order in which they were added."""

    passkeys: tuple[PasskeyShown, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInShown:
    """A credential of the caller's that is good now. `purpose` is what it opens, `source` where it was issued to.

    `current` says that this very request came with it. One with a `scope` was made for a program, which `label` names.
    """

    token: str
    purpose: str
    source: str
    issued_at: str
    expires_at: str
    current: bool
    scope: tuple[str, ...]
    label: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInList:
    """The caller's, newest first."""

    sign_ins: tuple[SignInShown, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedOut:
    """So many credentials of the person are dead now."""

    person: str
    ended: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceAsked:
    """What a person has to do in a browser: go to `address` and enter `user_code`; or to `complete_address`, if any.

    `device` goes to `/sign-in/device/wait`, every `seconds` at most, until it is over.
    """

    device: str
    user_code: str
    address: str
    complete_address: str
    seconds: int
    expires_in_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceAnswered:
    """The sign-in, or null while the person has not finished."""

    signed_in: SignedIn | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenExchanged:
    """A token for a workload, good for `expires_in` seconds and for `scope` (RFC 8693, section 2.2.1).

    `person` is the service that it acts as, `expires_at` when it ends.
    """

    access_token: str
    issued_token_type: str
    token_type: str
    expires_in: int
    scope: str
    person: str
    expires_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramTokenMade:
    """A token for a program. Its text is shown once."""

    token: str
    text: str
    person: str
    scope: tuple[str, ...]
    expires_at: str
