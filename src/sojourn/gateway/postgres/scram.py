"""SCRAM-SHA-256 and SCRAM-SHA-256-PLUS, both sides, as steps without I/O (RFC 5802, RFC 7677, manual section 54.3).

- The server side checks a proof against a verifier and never holds the secret.
- A name that does not exist gets a decoy verifier: same messages, same work, no way to succeed.
- Where both sides can bind to the TLS channel (tls-server-end-point, RFC 5929), a client that was told otherwise
  on the way says so with `y`, and is refused: somebody took the offer away.
- The client side checks the server's signature, so that a target which only pretends to know the secret is noticed.
- Nonces are arguments: printable ASCII without a comma, for example base64 of 18 random bytes.
"""

import binascii
import hashlib
import hmac
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from enum import StrEnum

from sojourn.domain.credential import ScramVerifier, salted_password

MESSAGE_BYTES_MAX = 1_024
NONCE_BYTES_MIN = 16
ITERATIONS_MIN = 4_096
ITERATIONS_MAX = 600_000
"""More rounds than this a target may not ask for: they would hold up every session of the gateway."""

_BINDING_TYPE = b"tls-server-end-point"


class Mechanism(StrEnum):
    """The SASL mechanisms spoken here; PLUS binds the log-in to the TLS channel."""

    PLAIN = "SCRAM-SHA-256"
    PLUS = "SCRAM-SHA-256-PLUS"


class ScramFault(StrEnum):
    """What went wrong, in the record's words."""

    MALFORMED = "malformed"
    WRONG_PROOF = "wrong_proof"
    WRONG_BINDING = "wrong_binding"
    DOWNGRADE = "downgrade"
    WRONG_SERVER = "wrong_server"
    REFUSED = "refused"


class ScramError(ValueError):
    """An exchange that must end: `fault` for the record, `reason` for people, `sqlstate` for the ErrorResponse."""

    def __init__(self, fault: ScramFault, reason: str) -> None:
        """Keep the fault and the sentence; the SQLSTATE follows from the fault."""
        super().__init__(reason)
        self.fault = fault
        self.reason = reason
        self.sqlstate = "08P01" if fault is ScramFault.MALFORMED else "28P01"


def decoy_verifier(name: str, key: bytes, iterations: int) -> ScramVerifier:
    """Return a verifier that nobody can satisfy, always the same one for a name.

    `key` is a secret of the installation (32 random bytes), `iterations` what real verifiers use. The salt stays the
    same from one attempt to the next, as it would for a person who exists.
    """

    def part(label: bytes) -> bytes:
        return hmac.digest(key, label + b"\0" + name.encode("utf-8", "surrogatepass"), "sha256")

    return ScramVerifier(
        salt=part(b"salt")[:16],
        iterations=iterations,
        stored_key=part(b"stored key"),
        server_key=part(b"server key"),
    )


class ServerExchange:
    """The server's side of one log-in: `first`, then `final`, each once and in this order.

    `binding` is the hash of the server's certificate (RFC 5929 section 4.1) when the connection is TLS and PLUS was
    offered, otherwise None. `mechanism` is what the client chose. `verifiers` are all the secrets that would do, of
    one salt and one number of iterations; after `final`, `matched` tells which of them it was. A proof that fits none
    may be checked once more after `learn`.
    """

    __slots__ = (
        "_auth_prefix",
        "_binding",
        "_expected_binding",
        "_mechanism",
        "_nonce",
        "_refused",
        "_server_first",
        "_verifiers",
        "matched",
    )

    def __init__(
        self,
        verifiers: Sequence[ScramVerifier],
        nonce: bytes,
        *,
        mechanism: Mechanism = Mechanism.PLAIN,
        binding: bytes | None = None,
    ) -> None:
        """Prepare to check against `verifiers`; `ValueError` for unfit arguments."""
        _check_nonce(nonce)
        _check_alike(verifiers)
        if mechanism is Mechanism.PLUS and not binding:
            raise ValueError("SCRAM-SHA-256-PLUS needs the binding data of the channel")
        self._verifiers = tuple(verifiers)
        self.matched: ScramVerifier | None = None
        self._nonce = nonce
        self._mechanism = mechanism
        self._binding = binding
        self._auth_prefix = b""
        self._refused = b""
        self._expected_binding = b""
        self._server_first = b""

    def first(self, client_first: bytes) -> bytes:
        """Take client-first-message, return server-first-message; raises `ScramError`."""
        if self._server_first:
            raise _malformed("the first message came twice")
        header, bare = self._split_header(client_first)
        name, client_nonce = _attributes(bare, b"nr", exact=False)
        # PostgreSQL's user comes from the start-up packet; the name here is ignored, as its server does.
        del name
        if not client_nonce or not _printable(client_nonce):
            raise _malformed("the client's nonce is not printable")
        bound = self._binding if self._mechanism is Mechanism.PLUS and self._binding else b""
        self._expected_binding = b64encode(header + bound)
        self._nonce = client_nonce + self._nonce
        shared = self._verifiers[0]
        self._server_first = b"r=%b,s=%b,i=%d" % (self._nonce, b64encode(shared.salt), shared.iterations)
        self._auth_prefix = bare + b"," + self._server_first + b","
        return self._server_first

    def _split_header(self, client_first: bytes) -> tuple[bytes, bytes]:
        """Check the GS2 header (RFC 5802 section 6) and return it and the rest."""
        if len(client_first) > MESSAGE_BYTES_MAX:
            raise _malformed("the client's first message is too long")
        parts = client_first.split(b",", 2)
        if len(parts) != 3:
            raise _malformed("the client's first message has no GS2 header")
        flag, identity, bare = parts
        if identity:
            raise _malformed("the client asks for an authorization identity, which is not supported")
        plus = self._mechanism is Mechanism.PLUS
        if flag == b"p=" + _BINDING_TYPE and plus:
            return flag + b",,", bare
        if flag == b"y" and not plus:
            if self._binding is not None:
                raise ScramError(
                    ScramFault.DOWNGRADE, "the client was not shown the offer of channel binding that was made"
                )
            return b"y,,", bare
        if flag == b"n" and not plus:
            return b"n,,", bare
        raise _malformed("the client's channel binding does not fit the mechanism it chose")

    def learn(self, verifiers: Sequence[ScramVerifier]) -> None:
        """Check against these instead, which have become known since; `ValueError` if the client was shown others."""
        _check_alike((*verifiers, self._verifiers[0]))
        self._verifiers = tuple(verifiers)
        self._auth_prefix, self._refused = self._refused, b""

    def final(self, client_final: bytes) -> bytes:
        """Take client-final-message, check the proof, return server-final-message; raises `ScramError`."""
        if not self._auth_prefix:
            raise _malformed("the final message came before the first")
        if len(client_final) > MESSAGE_BYTES_MAX:
            raise _malformed("the client's final message is too long")
        without_proof, separator, _ = client_final.rpartition(b",p=")
        if not separator:
            raise _malformed("the client's final message has no proof")
        prefix, self._auth_prefix = self._auth_prefix, b""
        binding, nonce, proof_text = _attributes(client_final, b"crp")
        proof = _base64(proof_text)
        if len(proof) != 32:
            raise _malformed("the client's proof has the wrong length")
        if not hmac.compare_digest(nonce, self._nonce):
            raise _malformed("the client's final message carries another nonce")
        if not hmac.compare_digest(binding, self._expected_binding):
            raise ScramError(ScramFault.WRONG_BINDING, "the client is bound to another TLS channel")
        auth_message = prefix + without_proof
        for verifier in self._verifiers:
            signature = hmac.digest(verifier.stored_key, auth_message, "sha256")
            if hmac.compare_digest(hashlib.sha256(_xor(proof, signature)).digest(), verifier.stored_key):
                self.matched = verifier
        if self.matched is None:
            self._refused = prefix
            raise ScramError(ScramFault.WRONG_PROOF, "password authentication failed")
        return b"v=" + b64encode(hmac.digest(self.matched.server_key, auth_message, "sha256"))


class ClientExchange:
    """The client's side of one log-in: `first`, `final`, `finish`, each once and in this order.

    With `binding` (the hash of the server's certificate) and PLUS the log-in is bound to the channel; with `binding`
    and the plain mechanism the client says that it could have been, so that a server that offered it notices.
    """

    __slots__ = ("_bare", "_binding", "_header", "_nonce", "_password", "_salt_password", "_signature")

    def __init__(
        self,
        password: str,
        nonce: bytes,
        *,
        mechanism: Mechanism = Mechanism.PLAIN,
        binding: bytes | None = None,
        salt_password: Callable[[str, bytes, int], bytes] = salted_password,
    ) -> None:
        """Prepare to prove `password`; `ValueError` for an unfit nonce or PLUS without binding data."""
        _check_nonce(nonce)
        plus = mechanism is Mechanism.PLUS
        if plus and not binding:
            raise ValueError("SCRAM-SHA-256-PLUS needs the binding data of the channel")
        self._password = password
        self._salt_password = salt_password
        self._nonce = nonce
        self._binding = binding if plus and binding else b""
        self._header = b"p=" + _BINDING_TYPE + b",," if plus else b"n,," if binding is None else b"y,,"
        self._bare = b"n=,r=" + nonce
        self._signature = b""

    def first(self) -> bytes:
        """Return client-first-message; the name is empty, as PostgreSQL's own client sends it."""
        return self._header + self._bare

    def final(self, server_first: bytes) -> bytes:
        """Take server-first-message, return client-final-message; raises `ScramError`.

        Runs PBKDF2 for as many rounds as the server asks, at most `ITERATIONS_MAX`: 1 ms for 4,096, too long for an
        event loop far above that.
        """
        if self._signature:
            raise _malformed("the server's first message came twice")
        if len(server_first) > MESSAGE_BYTES_MAX:
            raise _malformed("the server's first message is too long")
        nonce, salt_text, rounds = _attributes(server_first, b"rsi", exact=False)
        if not nonce.startswith(self._nonce) or len(nonce) == len(self._nonce) or not _printable(nonce):
            raise _malformed("the server's nonce does not extend the client's")
        salt = _base64(salt_text)
        if not salt or not rounds.isdigit() or len(rounds) > 10:
            raise _malformed("the server's salt or iteration count is no such thing")
        iterations = int(rounds)
        if not ITERATIONS_MIN <= iterations <= ITERATIONS_MAX:
            raise ScramError(
                ScramFault.WRONG_SERVER,
                f"the server asks for {iterations} iterations, outside {ITERATIONS_MIN} to {ITERATIONS_MAX}",
            )
        salted = self._salt_password(self._password, salt, iterations)
        client_key = hmac.digest(salted, b"Client Key", "sha256")
        without_proof = b"c=" + b64encode(self._header + self._binding) + b",r=" + nonce
        auth_message = self._bare + b"," + server_first + b"," + without_proof
        stored_key = hashlib.sha256(client_key).digest()
        proof = _xor(client_key, hmac.digest(stored_key, auth_message, "sha256"))
        server_key = hmac.digest(salted, b"Server Key", "sha256")
        self._signature = hmac.digest(server_key, auth_message, "sha256")
        return without_proof + b",p=" + b64encode(proof)

    def finish(self, server_final: bytes) -> None:
        """Check that the server knows the secret too; raises `ScramError` when it does not or says `e=`."""
        if not self._signature:
            raise _malformed("the server's final message came before the first")
        if len(server_final) > MESSAGE_BYTES_MAX:
            raise _malformed("the server's final message is too long")
        if server_final.startswith(b"e="):
            reason = server_final[2:].partition(b",")[0].decode("utf-8", "backslashreplace")
            raise ScramError(ScramFault.REFUSED, f"the server refused the log-in: {reason}")
        (signature,) = _attributes(server_final, b"v", exact=False)
        if not hmac.compare_digest(_base64(signature), self._signature):
            raise ScramError(ScramFault.WRONG_SERVER, "the server does not know the secret")


def _malformed(reason: str) -> ScramError:
    return ScramError(ScramFault.MALFORMED, reason)


def _printable(text: bytes) -> bool:
    return all(0x21 <= byte <= 0x7E and byte != 0x2C for byte in text)


def _check_alike(verifiers: Sequence[ScramVerifier]) -> None:
    if len({(one.salt, one.iterations) for one in verifiers}) != 1:
        raise ValueError("the verifiers of one log-in share their salt and their iterations")


def _check_nonce(nonce: bytes) -> None:
    if len(nonce) < NONCE_BYTES_MIN or not _printable(nonce):
        raise ValueError(f"a SCRAM nonce is at least {NONCE_BYTES_MIN} printable ASCII characters without a comma")


def _attributes(text: bytes, names: bytes, *, exact: bool = True) -> tuple[bytes, ...]:
    """Read `a=value` fields that must start with these names in this order.

    Extensions after them are ignored unless `exact`; before the last field of an exact message they are skipped.
    A mandatory extension (`m=`) has another name than the first expected and is refused by that.
    """
    fields = text.split(b",")
    if exact and len(fields) > len(names):
        fields = [*fields[: len(names) - 1], fields[-1]]
    values: list[bytes] = []
    for name, found in zip(names, fields, strict=False):
        if found[:2] != bytes((name,)) + b"=":
            break
        values.append(found[2:])
    if len(values) != len(names):
        raise _malformed(f"a message lacks the attributes {', '.join(map(chr, names))} in this order")
    return tuple(values)


def _base64(text: bytes) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise _malformed("an attribute is not base64") from None


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))
