"""A second signature of the ledger under its checkpoints, by ML-DSA-44 (FIPS 204). Experimental.

It is what C2SP tlog-cosignature says of keys of kind 0x06, made by the log itself: the time in it is zero. It is over
the origin, the size and the root, in a form of its own, and stands beside the Ed25519 signature, never in its place.
Who does not know the key passes it over.

    subtree/v1 newline 0x00 | length and name of the key | 8 bytes of time | length and origin | 0 | size | root
"""

from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey

from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger import note as notes
from sojourn.ledger.checkpoint import Checkpoint
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.note import KEY_BYTES, PRIVATE

ML_DSA_44 = b"\x06"
UNTIMED = bytes(8)


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondKey:
    """A named private key of ML-DSA-44. Its seed (32 bytes) never shows in `repr`."""

    name: str
    seed: bytes = field(repr=False)

    @classmethod
    def generate(cls, name: str, seed: bytes) -> "SecondKey":
        """Return the key that 32 random bytes stand for."""
        notes.check_name(name)
        if len(seed) != KEY_BYTES or len(name.encode()) > 255:
            raise LedgerError("The seed of a signing key has 32 bytes, and its name at most 255.")
        return cls(name=name, seed=seed)

    @classmethod
    def parse(cls, text: str) -> "SecondKey":
        """Read the PRIVATE+KEY form; the message of the LedgerError never repeats the key."""
        name, seed = notes.parse_private_text(text, ML_DSA_44, _public_of)
        return cls.generate(name, seed)

    def format(self) -> str:
        """Return the PRIVATE+KEY form, to be kept in a file only its owner may read."""
        return PRIVATE + notes.format_key_text(self.name, self._identity(), self.seed, ML_DSA_44)

    def vkey(self) -> str:
        """Return the text form of the public half (1,312 bytes)."""
        return notes.format_key_text(self.name, self._identity(), _public_of(self.seed), ML_DSA_44)

    def signature_line(self, text: str) -> str:
        """Return this key's signature line for the text of a checkpoint, with its newline."""
        message = _message(self.name, checkpoints.parse(text))
        signature = MLDSA44PrivateKey.from_seed_bytes(self.seed).sign(message)
        return notes.format_line(self.name, self._identity(), UNTIMED + signature)

    def verify(self, note: str) -> Checkpoint:
        """Return the checkpoint in a note if this key signed it. Raises LedgerError if it did not."""
        text, lines = notes.split(note)
        checkpoint = checkpoints.parse(text)
        public = MLDSA44PublicKey.from_public_bytes(_public_of(self.seed))
        for name, identity, blob in lines:
            if (name, identity, blob[:8]) == (self.name, self._identity(), UNTIMED):
                try:
                    public.verify(blob[8:], _message(name, checkpoint))
                except (InvalidSignature, ValueError) as error:
                    raise LedgerError(f"The second signature of {name!a} on this note is wrong.") from error
                return checkpoint
        raise LedgerError("The second key did not sign this note.")

    def _identity(self) -> bytes:
        return notes.key_id(self.name, _public_of(self.seed), ML_DSA_44)


def _public_of(seed: bytes) -> bytes:
    return MLDSA44PrivateKey.from_seed_bytes(seed).public_key().public_bytes_raw()


def _message(name: str, checkpoint: Checkpoint) -> bytes:
    key, origin = name.encode(), checkpoint.origin.encode()
    if len(origin) > 255:
        raise LedgerError("An origin of more than 255 bytes cannot be signed by a second key.")
    named = bytes([len(key)]) + key + UNTIMED + bytes([len(origin)]) + origin
    return b"subtree/v1\n\x00" + named + bytes(8) + checkpoint.size.to_bytes(8) + checkpoint.root
