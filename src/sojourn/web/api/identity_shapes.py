"""What the API answers about how people show who they are."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec


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

    `ticket`, `checkpoint` and the answer (JSON, as the text `credential`) go along with the decision in five minutes.
    """

    ticket: str
    public_key: msgspec.Raw
    statement: str
    checkpoint: str


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
