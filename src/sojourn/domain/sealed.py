"""A value that is on record without being readable there."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class RecordClass(StrEnum):
    """What kind of record something is. Each kind is sealed under keys of its own, and has a retention of its own."""

    STATEMENT = "statement"
    RECORDING = "recording"
    REASON = "reason"
    CREDENTIAL = "credential"
    CONFIGURATION = "configuration"
    ACCESS_EVIDENCE = "access_evidence"


def sealing_subject(person: str, record_class: RecordClass) -> str:
    """What a sealing key is about: a person, and one class of record about them."""
    return f"{person}/{record_class}"


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
    """A data key, wrapped to one `recipient` (a key pair's name). `subject` says whom, and what class."""

    key: str
    subject: str
    recipient: str
    wrapped: bytes

    @property
    def person(self) -> str:
        """Whom what is sealed under it is about."""
        return self.subject.partition("/")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldKey:
    """A sealing key beside the ledger, without its secret. A destroyed one is still there, and opens nothing."""

    key: str
    subject: str
    recipient: str
    destroyed: bool

    @property
    def person(self) -> str:
        """Whom what was sealed under it is about."""
        return self.subject.partition("/")[0]

    @property
    def record_class(self) -> RecordClass:
        """What was sealed under it. Keys older than the classes count as credentials: a password may be among it."""
        named = self.subject.partition("/")[2]
        return RecordClass(named) if named in tuple(RecordClass) else RecordClass.CREDENTIAL


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedMatter:
    """What lies beside the ledger for one commitment: the salted value, encrypted under the sealing key."""

    commitment: str
    key: str
    ciphertext: bytes


class Sealing(NamedTuple):
    """A value just sealed. (A tuple: one is made for each statement.)"""

    commitment: str
    ciphertext: bytes
    key: SealingKey

    @property
    def sealed(self) -> Sealed:
        """What goes into the event."""
        return Sealed(commitment=self.commitment, key=self.key.key)

    @property
    def matter(self) -> SealedMatter:
        """What has to be stored beside it in the same append."""
        return SealedMatter(commitment=self.commitment, key=self.key.key, ciphertext=self.ciphertext)
