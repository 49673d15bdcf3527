"""Tokens of a time-stamping authority (RFC 3161): how one is asked for, and when one is believed.

A token says "these bytes were there at this time", under the authority's signature. It is believed when its certificate
leads to a root that we were given beforehand, is made for time stamps, was valid at that time, and when it is over our
bytes. What is kept is the authority's whole answer (TimeStampResp, DER), which `openssl ts -verify` takes as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography import x509

from sojourn.errors import Code, SojournError

from .certificate_set import with_sorted_certificates

QUERY, REPLY = "application/timestamp-query", "application/timestamp-reply"
"""The media types of a question and its answer (RFC 3161, section 3.4)."""


class TokenError(Exception):
    """A token is not what it has to be; says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A question: its bytes (TimeStampReq, DER), and the number that its answer has to repeat."""

    data: bytes
    nonce: int | None


def ask_for(content: bytes) -> Query:
    """The question for a token over some bytes. Raises SojournError `tool.missing`."""
    package = _package()
    builder = package.TimestampRequestBuilder().data(content).hash_algorithm(package.HashAlgorithm.SHA256)
    made = builder.nonce(nonce=True).cert_request(cert_request=True).build()
    return Query(data=made.as_bytes(), nonce=made.nonce)


def read_roots(pem: bytes) -> tuple[x509.Certificate, ...]:
    """The certificates in a PEM file, which have to be at least one. Raises TokenError."""
    try:
        # A certificate that stands in something else, such as the ledger itself, was not put there to be trusted.
        return tuple(x509.load_pem_x509_certificates(pem.decode("ascii").encode()))
    except ValueError as error:
        raise TokenError("it holds no certificate in PEM form") from error


def check_token(
    answer: bytes, content: bytes, roots: Sequence[x509.Certificate], *, nonce: int | None = None
) -> datetime:
    """The time in an answer (UTC), once it is a good token over `content` that leads to one of the roots.

    Raises TokenError, or SojournError `tool.missing`.
    """
    package = _package()
    try:
        response = package.decode_timestamp_response(with_sorted_certificates(answer))
        verifier = package.VerifierBuilder(roots=list(roots), nonce=nonce).build()
        verifier.verify_message(response, content)
        time = response.tst_info.gen_time
    except (package.VerificationError, ValueError) as error:
        raise TokenError(_one_line(str(error))) from error
    assert isinstance(time, datetime) and time.tzinfo is not None, "the library gives times in UTC"
    return time


def _one_line(text: str) -> str:
    return " ".join(text[:200].split()).rstrip(".")


def _package() -> Any:
    try:
        import rfc3161_client
    except ImportError as error:
        raise SojournError(
            Code.TOOL_MISSING,
            tool="The package rfc3161-client",
            remedy="Install it with `pip install 'sojourn[timestamp]'`: a time-stamping authority is in the settings.",
        ) from error
    return rfc3161_client
