"""SSH keys of people: a certificate for a few hours at each sign-in, or a key that is registered for longer.

Either is a token on record, recognised by the hash of the public key; the private half never comes here. A key that
lives in a FIDO device (`sk-`) is registered like any other.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from datetime import timedelta

import asyncssh
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_ssh_public_key

from sojourn.domain.events import TokenIssued, TokenPurpose
from sojourn.domain.history import Change
from sojourn.domain.identifiers import PersonId, TokenId, token_stream
from sojourn.errors import Code, SojournError
from sojourn.vault.ssh_authority import Authority, Certificate
from sojourn.workflow.ports import Office

KINDS = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "ssh-rsa",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
)
RSA_BITS_MIN = 3072
TEXT_MAX = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """A public key as OpenSSH writes it, without its comment. `blob` is the key itself."""

    kind: str
    blob: bytes

    @property
    def line(self) -> str:
        """In one line."""
        return f"{self.kind} {base64.b64encode(self.blob).decode()}"

    @property
    def sha256(self) -> str:
        """What it is recognised by."""
        return hashlib.sha256(self.blob).hexdigest()

    @property
    def fingerprint(self) -> str:
        """As `ssh-keygen -l` shows it."""
        return "SHA256:" + base64.b64encode(hashlib.sha256(self.blob).digest()).decode().rstrip("=")


def read_public_key(text: str) -> PublicKey:
    """The key in one line of a `.pub` file. Raises SojournError `input.invalid`."""
    expected = f"one line of a .pub file; kinds: {', '.join(KINDS)}; RSA with {RSA_BITS_MIN} bits at least"
    parts = text.split(None, 2)
    if len(parts) < 2 or len(text) > TEXT_MAX or parts[0] not in KINDS:
        raise SojournError(Code.INPUT_INVALID, problem="That is no public key that is taken here", expected=expected)
    try:
        blob = base64.b64decode(parts[1], validate=True)
        named = blob[4 : 4 + int.from_bytes(blob[:4], "big")].decode("ascii")
        line = f"{parts[0]} {parts[1]}"
        # The one library reads keys of FIDO devices, the other tells how long an RSA key is.
        fido = parts[0].startswith("sk-")
        key = asyncssh.import_public_key(line) if fido else load_ssh_public_key(line.encode())
    except (binascii.Error, ValueError, UnsupportedAlgorithm, asyncssh.KeyImportError) as error:
        raise SojournError(Code.INPUT_INVALID, problem="The public key is damaged", expected=expected) from error
    if named != parts[0] or (isinstance(key, RSAPublicKey) and key.key_size < RSA_BITS_MIN):
        raise SojournError(Code.INPUT_INVALID, problem="The public key is too weak, or damaged", expected=expected)
    return PublicKey(kind=parts[0], blob=blob)


async def register(office: Office, *, person: PersonId, key: PublicKey, life: timedelta, source: str) -> TokenIssued:
    """Put the key on record as the person's, for so long. Raises SojournError from the ledger."""
    token = TokenId(office.new_id("t"))
    event = TokenIssued(
        token=token,
        person=person,
        purpose=TokenPurpose.SSH,
        secret_sha256=key.sha256,
        expires_at=office.clock.now() + life,
        source=source,
    )
    await office.ledger.append([Change(stream=token_stream(token), event=event, seen=0)])
    return event


def certify(authority: Authority, key: PublicKey, issued: TokenIssued, office: Office) -> str:
    """A certificate of the key, for as long as its token. Raises SojournError `input.invalid` for a FIDO key."""
    if key.kind.startswith("sk-"):
        raise SojournError(
            Code.INPUT_INVALID,
            problem="No certificate can be made for a key in a FIDO device",
            expected="such a key to be registered: sojourn ssh-key add FILE",
        )
    now = office.clock.now()
    certificate = Certificate(
        key_id=issued.token, principals=(issued.person,), since=now, until=issued.expires_at, permits=("permit-pty",)
    )
    return authority.certify(key.line, certificate, serial=int(now.timestamp()))
