"""Signed notes (C2SP signed-note): text, an empty line, then signatures that anybody's tool can check.

    — <key name> <base64 of (4-byte key id || signature)>

The key id is SHA-256(name || newline || 0x01 || public key)[:4]; 0x01 stands for Ed25519, the only algorithm with
which a ledger signs. (Witnesses sign otherwise: see `cosignature`, whose keys have the same form with byte 0x04.)
Keys travel as text, the form of Go's `golang.org/x/mod/sumdb/note`:

    PRIVATE+KEY+<name>+<key id>+<base64 of (0x01 || 32-byte seed)>      kept secret
    <name>+<key id>+<base64 of (0x01 || 32-byte public key)>            the "vkey", given to everybody
"""

import binascii
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from sojourn.ledger.errors import LedgerError

MAX_NOTE_BYTES = 1_000_000
MAX_SIGNATURES = 100
ED25519 = b"\x01"
KEY_BYTES = 32
PRIVATE = "PRIVATE+KEY+"
_FIELD_PRIME = 2**255 - 19
# The heights (y) of the eight points of small order. A key on one of them accepts signatures for any text.
_SMALL_ORDER_HEIGHTS = frozenset(
    {
        0,
        1,
        _FIELD_PRIME - 1,
        0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826,
        0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verifier:
    """A named public key; what a stranger needs to check our notes."""

    name: str
    public: bytes

    @classmethod
    def parse(cls, vkey: str) -> "Verifier":
        """Read a vkey. Raises LedgerError for a wrong form, id or algorithm, or a point of small order."""
        name, public = parse_key_text(vkey.strip(), ED25519)
        check_point(public)
        return cls(name=name, public=public)

    @property
    def key_id(self) -> bytes:
        """The four bytes that name this key in a signature line."""
        return key_id(self.name, self.public, ED25519)

    def vkey(self) -> str:
        """Return the text form given to auditors."""
        return format_key_text(self.name, self.key_id, self.public, ED25519)


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """A named private key. Its seed never shows in `repr`."""

    name: str
    seed: bytes = field(repr=False)

    @classmethod
    def generate(cls, name: str, seed: bytes) -> "SigningKey":
        """Return the key that 32 random bytes stand for."""
        check_name(name)
        if len(seed) != KEY_BYTES:
            raise LedgerError("The seed of a signing key has 32 bytes.")
        return cls(name=name, seed=seed)

    @classmethod
    def parse(cls, text: str) -> "SigningKey":
        """Read the PRIVATE+KEY form; the message of the LedgerError never repeats the key."""
        name, seed = parse_private_text(text, ED25519)
        return cls(name=name, seed=seed)

    def format(self) -> str:
        """Return the PRIVATE+KEY form, to be kept in a file only its owner may read."""
        return PRIVATE + format_key_text(self.name, self.verifier().key_id, self.seed, ED25519)

    def verifier(self) -> Verifier:
        """Return the public half."""
        return Verifier(name=self.name, public=public_of(self.seed))

    def vkey(self) -> str:
        """Return the text form of the public half."""
        return self.verifier().vkey()

    def signature_line(self, text: str) -> str:
        """Return this key's signature line for a note text, with its newline."""
        signature = Ed25519PrivateKey.from_private_bytes(self.seed).sign(text.encode())
        return format_line(self.name, self.verifier().key_id, signature)


class LineSigner(Protocol):
    """Adds a line to a note, of whatever kind of key. Implemented by every `Signer`, and by `second_key.SecondKey`."""

    @property
    def name(self) -> str:
        """The key's name."""
        ...

    def vkey(self) -> str:
        """The text form of the public half."""
        ...

    def signature_line(self, text: str) -> str:
        """This key's signature line for a note text, with its newline."""
        ...


class Signer(LineSigner, Protocol):
    """Signs notes by Ed25519. Implemented by `SigningKey`, and in `vault.signing` for keys that are kept elsewhere."""

    def verifier(self) -> Verifier:
        """The public half."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedNote:
    """A note with at least one good signature: its text, and the names of the keys that signed it."""

    text: str
    names: tuple[str, ...]


def sign(text: str, keys: Sequence[LineSigner]) -> str:
    """Return a note of `text`, which ends in a newline, signed by each key in turn."""
    if not keys:
        raise LedgerError("A note needs at least one signing key.")
    _check_text(text)
    return text + "\n" + "".join(key.signature_line(text) for key in keys)


def open(note: str, verifiers: Sequence[Verifier]) -> OpenedNote:  # noqa: A001 - the word the format's authors use
    """Return the text of a note and who signed it.

    Signatures of unknown keys are passed over. Raises LedgerError if a known key's signature is wrong, or if
    no known key signed.
    """
    text, lines = split(note)
    known = {(verifier.name, verifier.key_id): verifier for verifier in verifiers}
    if len(known) != len(verifiers):
        raise LedgerError("Two of the trusted keys have the same name and id.")
    names: list[str] = []
    for name, key_id, signature in lines:
        verifier = known.get((name, key_id))
        if verifier is None:
            continue
        try:
            Ed25519PublicKey.from_public_bytes(verifier.public).verify(signature, text.encode())
        except (InvalidSignature, ValueError) as error:
            raise LedgerError(f"The signature of {name!a} on this note is wrong.") from error
        if name not in names:
            names.append(name)
    if not names:
        raise LedgerError("No trusted key signed this note.")
    return OpenedNote(text=text, names=tuple(names))


def split(note: str) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    """Return the text and the (name, key id, signature) of each line; checks the form, not the truth."""
    try:
        size = len(note.encode())
    except UnicodeEncodeError as error:
        raise LedgerError("A note is valid UTF-8.") from error
    if size > MAX_NOTE_BYTES:
        raise LedgerError(f"The note has more than {MAX_NOTE_BYTES} bytes.")
    head, gap, tail = note.rpartition("\n\n")
    text = head + "\n"
    if not gap or not tail.endswith("\n"):
        raise LedgerError("A note is text, an empty line, and signature lines, each ended by a newline.")
    _check_text(text)
    lines = tail[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise LedgerError(f"A note has at most {MAX_SIGNATURES} signatures.")
    return text, [_parse_signature_line(line) for line in lines]


def format_line(name: str, identity: bytes, signature: bytes) -> str:
    """Return a signature line, with its newline."""
    return f"— {name} {b64encode(identity + signature).decode()}\n"


def decode_base64(text: str) -> bytes:
    """Decode standard base64 (RFC 4648 section 4) in its one canonical spelling, or raise LedgerError."""
    try:
        data = b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise LedgerError(f"{text[:60]!a} is not base64.") from error
    if b64encode(data).decode() != text:
        raise LedgerError(f"{text[:60]!a} is not canonical base64.")
    return data


def _parse_signature_line(line: str) -> tuple[str, bytes, bytes]:
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != "—":
        raise LedgerError(f"{line[:60]!a} is not a signature line.")
    check_name(parts[1])
    blob = decode_base64(parts[2])
    if len(blob) < 5:
        raise LedgerError(f"The signature of {parts[1]!a} is too short.")
    return parts[1], blob[:4], blob[4:]


def _check_text(text: str) -> None:
    if not text.endswith("\n") or any(character < " " and character != "\n" for character in text):
        raise LedgerError("The text of a note ends in a newline and has no other control character.")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise LedgerError("The text of a note is valid UTF-8.") from error


def check_name(name: str) -> None:
    """Raise LedgerError unless a key may have this name."""
    if not name or "+" in name or any(character.isspace() or character < " " for character in name):
        raise LedgerError(f"{name[:60]!a} is not a key name: no space, plus or control character may be in it.")
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise LedgerError("A key name is valid UTF-8.") from error


def check_point(public: bytes) -> None:
    """Raise LedgerError for a public key on a point of small order, which would accept signatures for any text."""
    height = int.from_bytes(public, "little") & (2**255 - 1)
    if height >= _FIELD_PRIME or height in _SMALL_ORDER_HEIGHTS:
        raise LedgerError("This public key is not a usable Ed25519 key.")


def key_id(name: str, public: bytes, algorithm: bytes) -> bytes:
    """Return the four bytes that name a key; `algorithm` is the one byte of its signature type."""
    return sha256(name.encode() + b"\n" + algorithm + public).digest()[:4]


def public_of(seed: bytes) -> bytes:
    """Return the Ed25519 public key (32 bytes) of a seed."""
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def format_key_text(name: str, identity: bytes, material: bytes, algorithm: bytes) -> str:
    """Return `name+id+base64(algorithm || material)`."""
    return f"{name}+{identity.hex()}+{b64encode(algorithm + material).decode()}"


def parse_private_text(text: str, algorithm: bytes, of_seed: Callable[[bytes], bytes] = public_of) -> tuple[str, bytes]:
    """Return the name and the seed of a PRIVATE+KEY text, whose public key `of_seed` gives. No message repeats it."""
    stripped = text.strip()
    if not stripped.startswith(PRIVATE):
        raise LedgerError(f"A signing key starts with {PRIVATE}.")
    return parse_key_text(stripped.removeprefix(PRIVATE), algorithm, of_seed=of_seed)


def parse_key_text(
    text: str, algorithm: bytes, *, of_seed: Callable[[bytes], bytes] | None = None
) -> tuple[str, bytes]:
    """Return the name and the 32 bytes of a key's text. No message repeats the text: it may be a secret.

    With `of_seed` the bytes are a seed, and the id in the text is that of the public key it gives.
    """
    parts = text.split("+", 2)
    if len(parts) != 3:
        raise LedgerError("A key is written name+id+base64.")
    name, identity, encoded = parts
    check_name(name)
    try:
        material = b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise LedgerError(f"The key of {name!a} is not base64.") from error
    if len(material) != 1 + KEY_BYTES or material[:1] != algorithm or b64encode(material).decode() != encoded:
        raise LedgerError(f"The key of {name!a} is none of this kind (0x{algorithm.hex()} and 32 bytes).")
    public = of_seed(material[1:]) if of_seed else material[1:]
    if identity != key_id(name, public, algorithm).hex():
        raise LedgerError(f"The id of the key of {name!a} does not fit: a character was changed or lost.")
    return name, material[1:]
