"""What can happen to a call that a program may repeat: it is begun once, and settled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sojourn.domain.identifiers import PersonId
from sojourn.domain.sealed import Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class CallBegun:
    """A call with a key of its own is about to be carried out.

    `body_sha256` (hex) is the HMAC-SHA-256 of what was sent, under that key: what was sent cannot be guessed from it.
    """

    kind: ClassVar[str] = "call.begun"
    person: PersonId
    address: str
    body_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSettled:
    """A call was carried out, and this was answered; or it was refused (None), and may be tried again."""

    kind: ClassVar[str] = "call.settled"
    person: PersonId
    answer: Sealed | None
