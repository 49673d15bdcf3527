"""Signing with a key of AWS KMS: key spec ECC_NIST_EDWARDS25519, algorithm ED25519_SHA_512, message type RAW.

That is Ed25519 as RFC 8032 has it, so nobody who checks a signature can tell. The key is named by its ARN and has no
versions; what it signs is checked against the public half that the ledger began with. A call has a deadline, and
nothing is tried again here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.serialization import load_der_public_key

from sojourn.errors import Code, SojournError
from sojourn.ledger.note import Verifier

from .address import AwsAddress
from .kept import KeptKey, public_bytes, unavailable

if TYPE_CHECKING:
    from mypy_boto3_kms.client import KMSClient

SECONDS = 1.0
"""The scribe waits for a signature; what it signs a second later is as good."""

MESSAGE_BYTES_MAX = 4096
"""What the service signs without hashing it first; a checkpoint is a tenth of it."""


def aws_key(address: AwsAddress, *, name: str, public: bytes | None = None) -> KeptKey:
    """The key at `address`, under the name of the ledger. Reads the public half from the service unless it is given.

    Raises SojournError `tool.missing` without boto3, `signing.unavailable` when the service does not answer.
    """
    service = _Service(address=address, client=_connect(address))
    held = service.public() if public is None else public
    return KeptKey(public=Verifier(name=name, public=held), place=service.place, sign=service.sign)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Service:
    """One key of the service."""

    address: AwsAddress
    client: KMSClient = field(repr=False)

    @property
    def place(self) -> str:
        """The key's name for people."""
        return f"key {self.address.arn}"

    def public(self) -> bytes:
        """The 32 bytes of the public key."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            answer = self.client.get_public_key(KeyId=self.address.arn)
            key = load_der_public_key(answer["PublicKey"])
        except (BotoCoreError, ClientError) as error:
            raise unavailable(self.place, str(error).rstrip(".")) from error
        except (KeyError, ValueError) as error:
            raise unavailable(self.place, "it does not tell its public key") from error
        return public_bytes(self.place, key)

    def sign(self, data: bytes) -> bytes:
        """The signature of `data`."""
        from botocore.exceptions import BotoCoreError, ClientError

        if len(data) > MESSAGE_BYTES_MAX:
            raise unavailable(self.place, f"it signs {MESSAGE_BYTES_MAX} bytes at most")
        try:
            answer = self.client.sign(
                KeyId=self.address.arn, Message=data, MessageType="RAW", SigningAlgorithm="ED25519_SHA_512"
            )
            return answer["Signature"]
        except (BotoCoreError, ClientError) as error:
            raise unavailable(self.place, str(error).rstrip(".")) from error
        except KeyError as error:
            raise unavailable(self.place, "it answered something else than a signature") from error


def _connect(address: AwsAddress) -> KMSClient:
    try:
        import boto3.session
        from botocore.config import Config
    except ImportError as error:
        remedy = "Install it with `pip install 'sojourn[aws]'`: the signing key is in AWS KMS."
        raise SojournError(Code.TOOL_MISSING, tool="boto3", remedy=remedy) from error
    configuration = Config(
        connect_timeout=SECONDS, read_timeout=SECONDS, retries={"total_max_attempts": 1, "mode": "standard"}
    )
    # A session of our own: the one that the package shares remembers whose credentials it found first.
    return boto3.session.Session().client(
        "kms", region_name=address.region, endpoint_url=address.endpoint or None, config=configuration
    )
