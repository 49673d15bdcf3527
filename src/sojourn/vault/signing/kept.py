"""A signing key that never leaves where it is kept: we send a text and get a signature.

Whatever comes back is checked against the public key that we know before it is used: a wrong or swapped key cannot
put its signature on a checkpoint.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from sojourn.errors import Code, SojournError
from sojourn.ledger import note as notes
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.note import Verifier, check_point


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptKey:
    """Implements `ledger.note.Signer`. `sign(bytes)` gives the 64 bytes of an Ed25519 signature.

    `place` names the key for people.
    """

    public: Verifier
    place: str
    sign: Callable[[bytes], bytes] = field(repr=False)

    @property
    def name(self) -> str:
        """The key's name."""
        return self.public.name

    def verifier(self) -> Verifier:
        """The public half."""
        return self.public

    def vkey(self) -> str:
        """The text form of the public half."""
        return self.public.vkey()

    def signature_line(self, text: str) -> str:
        """This key's signature line. Raises SojournError `signing.unavailable`."""
        signature = self.sign(text.encode())
        try:
            Ed25519PublicKey.from_public_bytes(self.public.public).verify(signature, text.encode())
        except (InvalidSignature, ValueError) as error:
            raise unavailable(self.place, "what it gave is no signature of the ledger's key") from error
        return notes.format_line(self.name, self.public.key_id, signature)


def public_bytes(place: str, key: object) -> bytes:
    """The 32 bytes of a public key that a ledger may have. Raises SojournError `signing.unavailable` for another."""
    if not isinstance(key, Ed25519PublicKey):
        raise unavailable(place, "it is no key on edwards25519")
    held = key.public_bytes_raw()
    try:
        check_point(held)
    except LedgerError as error:
        raise unavailable(place, str(error)) from error
    return held


def unavailable(place: str, problem: str) -> SojournError:
    """The error of a key that does not sign."""
    return SojournError(Code.SIGNING_UNAVAILABLE, key=place, problem=problem)
