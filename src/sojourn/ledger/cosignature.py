"""Cosignatures (C2SP tlog-cosignature): a witness says "I saw this checkpoint, and it extends all that I saw before".

A cosignature is one more signature line of a checkpoint's note, by a key of another kind (byte 0x04):

    — <witness name> <base64 of (4-byte key id || 8-byte POSIX seconds, big-endian || 64-byte Ed25519 signature)>

What is signed is not the note's text alone, so no cosignature passes for a log's signature, nor the other way round:

    cosignature/v1
    time <POSIX seconds>
    <the text of the checkpoint>

Keys travel in the same text form as those of logs (see `note`), with byte 0x04 in the place of 0x01.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from sojourn.ledger import note as notes
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.note import KEY_BYTES, PRIVATE

COSIGNATURE = b"\x04"
MAX_SECONDS = 2**63 - 1
_TIME_BYTES = 8
_SIGNATURE_BYTES = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosigner:
    """The public key of a witness."""

    name: str
    public: bytes

    @classmethod
    def parse(cls, vkey: str) -> "Cosigner":
        """Read a witness's vkey. Raises LedgerError for a wrong form or id, for the key of a log, or a weak key."""
        name, public = notes.parse_key_text(vkey.strip(), COSIGNATURE)
        notes.check_point(public)
        return cls(name=name, public=public)

    @property
    def key_id(self) -> bytes:
        """The four bytes that name this key in a signature line."""
        return notes.key_id(self.name, self.public, COSIGNATURE)

    def vkey(self) -> str:
        """Return the text form, given to everybody who is to believe this witness."""
        return notes.format_key_text(self.name, self.key_id, self.public, COSIGNATURE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosignature:
    """A verified cosignature: whose it is, the POSIX second in which it was made, and its line with the newline."""

    cosigner: Cosigner
    seconds: int
    line: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CosigningKey:
    """The private key of a witness. Its seed never shows in `repr`."""

    name: str
    seed: bytes = field(repr=False)

    @classmethod
    def generate(cls, name: str, seed: bytes) -> "CosigningKey":
        """Return the key that 32 random bytes stand for."""
        notes.check_name(name)
        if len(seed) != KEY_BYTES:
            raise LedgerError("The seed of a cosigning key has 32 bytes.")
        return cls(name=name, seed=seed)

    @classmethod
    def parse(cls, text: str) -> "CosigningKey":
        """Read the PRIVATE+KEY form; the message of the LedgerError never repeats the key."""
        name, seed = notes.parse_private_text(text, COSIGNATURE)
        return cls(name=name, seed=seed)

    def format(self) -> str:
        """Return the PRIVATE+KEY form, to be kept in a file only its owner may read."""
        return PRIVATE + notes.format_key_text(self.name, self.cosigner().key_id, self.seed, COSIGNATURE)

    def cosigner(self) -> Cosigner:
        """Return the public half."""
        return Cosigner(name=self.name, public=notes.public_of(self.seed))

    def cosign(self, text: str, seconds: int) -> str:
        """Return the cosignature line of a checkpoint's `text`, made at POSIX time `seconds`, with its newline."""
        if not 0 <= seconds <= MAX_SECONDS:
            raise LedgerError(f"{seconds} is not a time that a cosignature can carry.")
        signature = Ed25519PrivateKey.from_private_bytes(self.seed).sign(_message(text, seconds))
        return notes.format_line(self.name, self.cosigner().key_id, seconds.to_bytes(_TIME_BYTES, "big") + signature)


def verify(note: str, cosigners: Sequence[Cosigner]) -> tuple[Cosignature, ...]:
    """Return the cosignatures of known witnesses on a note, one for each witness: its newest.

    Signatures of unknown keys are passed over. Raises LedgerError if the note has no proper form or a known
    witness's cosignature on it is wrong.
    """
    text, lines = notes.split(note)
    known = {(cosigner.name, cosigner.key_id): cosigner for cosigner in cosigners}
    if len(known) != len(cosigners):
        raise LedgerError("Two of the trusted witnesses have the same name and id.")
    newest: dict[Cosigner, Cosignature] = {}
    for name, key_id, blob in lines:
        cosigner = known.get((name, key_id))
        if cosigner is None:
            continue
        seconds = _check(text, cosigner, blob)
        before = newest.get(cosigner)
        if before is None or before.seconds < seconds:
            line = notes.format_line(name, key_id, blob)
            newest[cosigner] = Cosignature(cosigner=cosigner, seconds=seconds, line=line)
    return tuple(newest.values())


def read_answer(note: str, answer: str, cosigner: Cosigner) -> Cosignature:
    """Return the cosignature of `cosigner` in a witness's answer to `note`.

    The answer is one or more signature lines; those of other keys are passed over. Raises LedgerError if it is
    anything else, or holds no good cosignature of this witness.
    """
    text, _ = notes.split(note)
    found = verify(f"{text}\n{answer}", [cosigner])
    if not found:
        raise LedgerError(f"The answer holds no cosignature of {cosigner.name!a}.")
    return found[0]


def attach(note: str, cosignatures: Sequence[Cosignature]) -> str:
    """Return the note with these cosignatures after its own signatures, in place of older ones by the same keys."""
    text, lines = notes.split(note)
    replaced = {(one.cosigner.name, one.cosigner.key_id) for one in cosignatures}
    kept = [notes.format_line(*line) for line in lines if line[:2] not in replaced]
    return f"{text}\n" + "".join(kept) + "".join(one.line for one in cosignatures)


def _check(text: str, cosigner: Cosigner, blob: bytes) -> int:
    seconds = int.from_bytes(blob[:_TIME_BYTES], "big")
    if len(blob) != _TIME_BYTES + _SIGNATURE_BYTES or seconds > MAX_SECONDS:
        raise LedgerError(f"The cosignature of {cosigner.name!a} has the wrong form.")
    try:
        key = Ed25519PublicKey.from_public_bytes(cosigner.public)
        key.verify(blob[_TIME_BYTES:], _message(text, seconds))
    except (InvalidSignature, ValueError) as error:
        raise LedgerError(f"The cosignature of {cosigner.name!a} on this checkpoint is wrong.") from error
    return seconds


def _message(text: str, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()
