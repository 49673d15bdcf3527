"""What a service keeps of a secret so that it can check it without knowing it (SCRAM, RFC 5802 section 3).

- A verifier cannot be turned back into the secret, nor be used to log in.
- Salt and iterations are arguments: the issuer of a token chooses them, nothing here is random.
- The secret is prepared with SASLprep (RFC 4013) as PostgreSQL does: a secret it forbids is used as it stands.
"""

import hashlib
import hmac
import json
import stringprep
import unicodedata
from base64 import b64decode, b64encode
from dataclasses import dataclass

ITERATIONS = 4096
"""PBKDF2 rounds where nothing else is asked for: the least RFC 7677 allows, enough for random tokens."""

_FORBIDDEN = (
    stringprep.in_table_a1,
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScramVerifier:
    """The SCRAM-SHA-256 verifier of one secret.

    `salt` has any length above zero, `iterations` is at least 1, `stored_key` and `server_key` are 32 bytes each.
    The keys stay out of the repr, so that a log line cannot carry them.
    """

    salt: bytes
    iterations: int
    stored_key: bytes
    server_key: bytes

    def __post_init__(self) -> None:
        """Refuse a verifier of the wrong shape with `ValueError`, before anything is checked against it."""
        if not self.salt or self.iterations < 1:
            raise ValueError("a SCRAM verifier needs a salt and at least one iteration")
        if len(self.stored_key) != 32 or len(self.server_key) != 32:
            raise ValueError("the keys of a SCRAM-SHA-256 verifier have 32 bytes each")

    def __repr__(self) -> str:
        """Name the parameters and hide the keys."""
        return f"ScramVerifier(iterations={self.iterations})"


def derive_verifier(secret: str, salt: bytes, iterations: int = ITERATIONS) -> ScramVerifier:
    """Derive the verifier of `secret` (RFC 5802 section 3); takes about 1 ms for 4,096 iterations."""
    salted = salted_password(secret, salt, iterations)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    return ScramVerifier(
        salt=salt,
        iterations=iterations,
        stored_key=hashlib.sha256(client_key).digest(),
        server_key=hmac.digest(salted, b"Server Key", "sha256"),
    )


def salted_password(secret: str, salt: bytes, iterations: int) -> bytes:
    """Return the 32 bytes `Hi(Normalize(secret), salt, iterations)` of RFC 5802 section 2.2."""
    prepared = prepare_secret(secret).encode("utf-8", "surrogateescape")
    return hashlib.pbkdf2_hmac("sha256", prepared, salt, iterations)


def prepare_secret(secret: str) -> str:
    """Normalise a secret with SASLprep (RFC 4013); one that SASLprep forbids comes back unchanged."""
    if secret.isascii():
        # Printable ASCII maps to itself; a control character is forbidden and therefore kept too.
        return secret
    kept = [
        " " if stringprep.in_table_c12(letter) else letter for letter in secret if not stringprep.in_table_b1(letter)
    ]
    prepared = unicodedata.normalize("NFKC", "".join(kept))
    if not prepared or any(forbidden(letter) for letter in prepared for forbidden in _FORBIDDEN):
        return secret
    right_to_left = [stringprep.in_table_d1(letter) for letter in prepared]
    if any(right_to_left):
        mixed = any(stringprep.in_table_d2(letter) for letter in prepared)
        if mixed or not (right_to_left[0] and right_to_left[-1]):
            return secret
    return prepared


def gateway_salt(person: str) -> bytes:
    """The salt of every gateway token of one person: 16 bytes.

    A person may hold several tokens at once and SCRAM names the salt before it knows which one is meant, so all
    share it. The secrets are random and long, so nothing is lost; and a name that nobody has gets one as well.
    """
    return hashlib.sha256(b"sojourn/gateway-salt/v1\x00" + person.encode("utf-8", "surrogatepass")).digest()[:16]


def encode_verifier(verifier: ScramVerifier) -> bytes:
    """The verifier as JSON, to be sealed for a gateway."""
    fields = {
        "iterations": verifier.iterations,
        "salt": b64encode(verifier.salt).decode(),
        "server_key": b64encode(verifier.server_key).decode(),
        "stored_key": b64encode(verifier.stored_key).decode(),
    }
    return json.dumps(fields, separators=(",", ":"), sort_keys=True).encode()


def decode_verifier(data: bytes) -> ScramVerifier:
    """Read what `encode_verifier` wrote; ValueError for anything else."""
    fields = json.loads(data)
    return ScramVerifier(
        salt=b64decode(fields["salt"], validate=True),
        iterations=int(fields["iterations"]),
        stored_key=b64decode(fields["stored_key"], validate=True),
        server_key=b64decode(fields["server_key"], validate=True),
    )
