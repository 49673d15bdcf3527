"""A value that is on record without being readable there."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """Stands in an event for a sealed value.

    `commitment` (64 hex digits) binds the salted value; `key` names the sealing key. The value itself lies
    encrypted beside the ledger and can be destroyed without breaking a proof.
    """

    commitment: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SealingKey:
    """A data key, wrapped to one `recipient` (a key pair's name). `subject` is whom the sealed values are about."""

    key: str
    subject: str
    recipient: str
    wrapped: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedMatter:
    """What lies beside the ledger for one commitment: the salted value, encrypted under the sealing key."""

    commitment: str
    key: str
    ciphertext: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealing:
    """A value just sealed: what goes into the event, and what has to be stored beside it in the same append."""

    sealed: Sealed
    matter: SealedMatter
    key: SealingKey
