"""A SCRAM verifier survives being written down, and nothing else can be read as one."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.domain.credential import (
    ScramVerifier,
    decode_verifier,
    derive_verifier,
    encode_verifier,
    gateway_salt,
)
from sojourn.domain.identifiers import PersonId


@given(
    salt=st.binary(min_size=1, max_size=40),
    iterations=st.integers(1, 10**9),
    stored_key=st.binary(min_size=32, max_size=32),
    server_key=st.binary(min_size=32, max_size=32),
)
def test_a_verifier_is_read_back_as_it_was(salt: bytes, iterations: int, stored_key: bytes, server_key: bytes) -> None:
    verifier = ScramVerifier(salt=salt, iterations=iterations, stored_key=stored_key, server_key=server_key)
    assert decode_verifier(encode_verifier(verifier)) == verifier


@given(data=st.binary(max_size=200))
def test_other_bytes_are_not_a_verifier(data: bytes) -> None:
    with pytest.raises(ValueError):
        decode_verifier(data)


@pytest.mark.parametrize(
    "data",
    [
        b"[]",
        b"{}",
        b"[" * 100_000,
        encode_verifier(derive_verifier("x", b"salt")).replace(b"4096", b"true"),
        encode_verifier(derive_verifier("x", b"salt")).replace(b"4096", b"0"),
        encode_verifier(derive_verifier("x", b"salt")).replace(b'"salt":"', b'"salt":"!'),
    ],
)
def test_a_spoilt_verifier_is_not_a_verifier(data: bytes) -> None:
    with pytest.raises(ValueError):
        decode_verifier(data)


def test_the_gateway_salt_is_fixed_for_a_person() -> None:
    # Kept as figures: tokens that are out there would stop working if the salt changed.
    expected = hashlib.sha256(b"sojourn/gateway-salt/v1\x00alice").digest()[:16]
    assert gateway_salt(PersonId("alice")) == expected
    assert gateway_salt(PersonId("alice")) != gateway_salt(PersonId("alicf"))
