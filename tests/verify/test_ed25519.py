"""The verifier's own Ed25519 against RFC 8032's vectors, against `cryptography`, and against known attacks."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

import sojourn_verify
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.note import Verifier
from sojourn_verify import ORDER, P, ed25519, public_point

RFC_8032 = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]
IDENTITY = (1).to_bytes(32, "little")
# All encodings, canonical and not, of the eight points of small order.
SMALL_ORDER = [
    (height | sign << 255).to_bytes(32, "little")
    for height in (
        0, 1, P - 1, P, P + 1,
        0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826,
        0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7,
    )
    for sign in (0, 1)
]  # fmt: skip


def library_says(public: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


@pytest.mark.parametrize(("public", "message", "signature"), RFC_8032)
def test_the_vectors_of_rfc_8032_verify(public: str, message: str, signature: str) -> None:
    key, text, signed = bytes.fromhex(public), bytes.fromhex(message), bytes.fromhex(signature)
    assert library_says(key, signed, text), "the vector is written down right"
    assert ed25519(key, signed, text)
    assert not ed25519(key, signed, text + b"x")


@settings(deadline=None)  # plain Python takes what the machine leaves it
@given(seed=st.binary(min_size=32, max_size=32), message=st.binary(max_size=200), flip=st.integers(0, 96 * 8 - 1))
def test_it_agrees_with_cryptography_on_good_and_on_altered_signatures(seed: bytes, message: bytes, flip: int) -> None:
    private = Ed25519PrivateKey.from_private_bytes(seed)
    public, signature = private.public_key().public_bytes_raw(), private.sign(message)
    assert ed25519(public, signature, message)
    altered = bytearray(public + signature)
    altered[flip // 8] ^= 1 << flip % 8
    key, signed = bytes(altered[:32]), bytes(altered[32:])
    assert not ed25519(key, signed, message)
    assert not library_says(key, signed, message)


@given(public=st.binary(max_size=40), signature=st.binary(max_size=70), message=st.binary(max_size=8))
def test_garbage_is_refused_and_never_raises(public: bytes, signature: bytes, message: bytes) -> None:
    assert not ed25519(public, signature, message)


def test_a_signature_with_the_order_added_to_its_scalar_is_refused() -> None:
    private = Ed25519PrivateKey.from_private_bytes(bytes(32))
    public, signature = private.public_key().public_bytes_raw(), private.sign(b"text")
    scalar = int.from_bytes(signature[32:], "little")
    for multiple in range(1, 15):
        moved = scalar + multiple * ORDER
        malleable = signature[:32] + moved.to_bytes(32, "little")
        assert not ed25519(public, malleable, b"text")
        assert not library_says(public, malleable, b"text")


def signature_with_point(seed: bytes, encoded_point: bytes, message: bytes) -> tuple[bytes, bytes]:
    """Sign with the identity as R, written in the given way: right by arithmetic, whatever R's bytes are."""
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    digest = bytearray(hashlib.sha512(seed).digest()[:32])
    digest[0] &= 248
    digest[31] = digest[31] & 63 | 64
    k = int.from_bytes(hashlib.sha512(encoded_point + public + message).digest(), "little")
    scalar = k * int.from_bytes(digest, "little") % ORDER
    return public, encoded_point + scalar.to_bytes(32, "little")


@pytest.mark.parametrize(
    ("encoded", "accepted"),
    [
        (IDENTITY, True),
        ((P + 1).to_bytes(32, "little"), False),
        ((1 | 1 << 255).to_bytes(32, "little"), False),
        ((P + 1 | 1 << 255).to_bytes(32, "little"), False),
    ],
)
def test_a_point_in_the_signature_has_one_spelling(encoded: bytes, accepted: bool) -> None:
    public, signature = signature_with_point(bytes(range(32)), encoded, b"text")
    assert ed25519(public, signature, b"text") is accepted
    assert library_says(public, signature, b"text") is accepted


@pytest.mark.parametrize("public", SMALL_ORDER, ids=lambda key: key.hex()[:8] + key.hex()[-2:])
def test_a_key_of_small_order_is_refused_though_libraries_take_it(public: bytes) -> None:
    assert public_point(public) is None
    assert not any(ed25519(public, IDENTITY + bytes(32), bytes([n])) for n in range(16))


def test_the_libraries_really_take_the_identity_as_a_key() -> None:
    assert library_says(IDENTITY, IDENTITY + bytes(32), b"any text at all")


@pytest.mark.parametrize("public", SMALL_ORDER, ids=lambda key: key.hex()[:8] + key.hex()[-2:])
def test_the_ledger_package_refuses_the_same_keys(public: bytes) -> None:
    vkey = Verifier(name="a.example", public=public).vkey()
    with pytest.raises(LedgerError):
        Verifier.parse(vkey)
    with pytest.raises(sojourn_verify.CheckError):
        sojourn_verify.Key.parse(vkey, sojourn_verify.LOG)


@given(height=st.integers(P, 2**255 - 1), sign=st.integers(0, 1))
def test_a_key_with_a_height_beyond_the_field_is_refused(height: int, sign: int) -> None:
    assert public_point((height | sign << 255).to_bytes(32, "little")) is None
