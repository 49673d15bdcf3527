"""The two ceremonies of WebAuthn (level 3, section 7): a passkey is made, and a passkey answers. No I/O.

- The authenticator has to have verified its user, by finger, face or PIN: a passkey alone is two factors.
- The passkey answers for the host of one address (`RelyingParty`), and only from a page of that address.
- What an authenticator says about its maker (attestation) is asked for by nobody and believed by nobody.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    CredentialDeviceType,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from sojourn.domain.identifiers import PersonId
from sojourn.errors import Code, Refusal

ALGORITHMS = [
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
]
CREDENTIAL_BYTES_MAX = 1023
KEY_BYTES_MAX = 2048
ANSWER_LENGTH_MAX = 16 * 1024
"""Longer than anything is that an authenticator answers."""

_FAULTS = (
    WebAuthnException,
    InvalidSignature,
    UnsupportedAlgorithm,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    OverflowError,
    RecursionError,
    struct.error,
)
"""What the library raises for what is malformed, its own errors and those that slip through."""

T = TypeVar("T")
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """Whom a passkey answers: the address that people's browsers show, such as https://sojourn.example."""

    url: str

    @property
    def id(self) -> str:
        """The host of the address."""
        return urlsplit(self.url).hostname or ""

    @property
    def origin(self) -> str:
        """The address as a browser says it: scheme, host, and port unless it is the usual one."""
        parts = urlsplit(self.url)
        usual = {"https": 443, "http": 80}.get(parts.scheme)
        port = "" if parts.port in (None, usual) else f":{parts.port}"
        return f"{parts.scheme}://{parts.hostname}{port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPasskey:
    """A passkey that was just made. `credential` and `public_key` (COSE) are base64url without padding."""

    credential: str
    public_key: str
    sign_count: int
    synced: bool


def user_handle(person: PersonId) -> bytes:
    """What an authenticator calls the person: nothing that tells a finder of the authenticator who it is."""
    return hashlib.sha256(b"sojourn/user-handle/v1\x00" + person.encode()).digest()


def creation_options(party: RelyingParty, person: PersonId, challenge: bytes, held: Sequence[str]) -> bytes:
    """What `navigator.credentials.create` needs (JSON, as its `parseCreationOptionsFromJSON` takes it).

    `held` are the credentials that the person has: an authenticator does not make a second one.
    """
    options = generate_registration_options(
        rp_id=party.id,
        rp_name="Sojourn",
        user_name=person,
        user_id=user_handle(person),
        challenge=challenge,
        supported_pub_key_algs=ALGORITHMS,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=base64url_to_bytes(one)) for one in held],
    )
    return options_to_json(options).encode()


def request_options(party: RelyingParty, challenge: bytes, held: Sequence[str] = ()) -> bytes:
    """What `navigator.credentials.get` needs (JSON). Without `held` it offers whatever there is for this address."""
    options = generate_authentication_options(
        rp_id=party.id,
        challenge=challenge,
        user_verification=UserVerificationRequirement.REQUIRED,
        allow_credentials=[PublicKeyCredentialDescriptor(id=base64url_to_bytes(one)) for one in held],
    )
    return options_to_json(options).encode()


def check_creation(party: RelyingParty, challenge: bytes, credential: Json) -> NewPasskey | Refusal:
    """The passkey that the browser says was made, or why it is none (section 7.1)."""
    try:
        made = verify_registration_response(
            credential=dict(credential),
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            require_user_verification=True,
            supported_pub_key_algs=ALGORITHMS,
        )
    except _FAULTS as error:
        return _invalid(error)
    if len(made.credential_id) > CREDENTIAL_BYTES_MAX or len(made.credential_public_key) > KEY_BYTES_MAX:
        return Refusal(Code.PASSKEY_INVALID, {"problem": "its name or its key is too long"})
    return NewPasskey(
        credential=bytes_to_base64url(made.credential_id),
        public_key=bytes_to_base64url(made.credential_public_key),
        sign_count=made.sign_count,
        synced=made.credential_device_type is CredentialDeviceType.MULTI_DEVICE,
    )


def check_answer(party: RelyingParty, challenge: bytes, credential: Json, public_key: str) -> int | Refusal:
    """What the passkey counts now that it has signed `challenge`, or why it has not (section 7.2).

    Whether it counts backwards is for `domain.account` to say, which knows what it counted before.
    """
    try:
        answered = verify_authentication_response(
            credential=dict(credential),
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=base64url_to_bytes(public_key),
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except _FAULTS as error:
        return _invalid(error)
    return answered.new_sign_count


def read_credential(sent: str | Json) -> Json:
    """What a browser sent, an object or its JSON; nothing where it is neither, or longer than an answer is."""
    if isinstance(sent, Mapping):
        return sent
    try:
        found = json.loads(sent) if len(sent) <= ANSWER_LENGTH_MAX else {}
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def text_at(credential: Json, *path: str) -> str:
    """A text within what a browser sent, "" where there is none."""
    found: object = credential
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, str) else ""


def _invalid(error: Exception) -> Refusal:
    said = str(error) if isinstance(error, WebAuthnException) else "it is malformed"
    return Refusal(Code.PASSKEY_INVALID, {"problem": said[:1].lower() + said[1:160]})
