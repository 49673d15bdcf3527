"""Keepers of keys in a cloud, to test against.

AWS KMS is MiniStack, an emulator that others wrote: requests are signed, and errors are those of the service. For
Google Cloud KMS there was none that can be installed and signs with Ed25519, so `GoogleKms` serves the part of its REST
interface (v1) that its public reference describes: the token of a service account, `publicKey` and `asymmetricSign`.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import httpx2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_elliptic
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from .serving import Answered, Asked, serving

if TYPE_CHECKING:
    from mypy_boto3_kms.client import KMSClient
    from mypy_boto3_kms.literals import KeySpecType

START_SECONDS = 60.0
REGION = "eu-central-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "sojourn-test", "AWS_SECRET_ACCESS_KEY": "a secret of made-up people"}
RING = "projects/shop/locations/europe-west3/keyRings/sojourn/cryptoKeys"


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsKms:
    """A running emulator."""

    endpoint: str
    process: subprocess.Popen[bytes]

    def client(self) -> KMSClient:
        """A client that may do everything."""
        import boto3

        return boto3.client(
            "kms",
            region_name=REGION,
            endpoint_url=self.endpoint,
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        )

    def make(self, spec: KeySpecType = "ECC_NIST_EDWARDS25519") -> str:
        """Make a key, and give the setting that names it."""
        made = self.client().create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")
        return f"awskms:{made['KeyMetadata']['Arn']}?endpoint={self.endpoint}"


@contextmanager
def aws_kms(directory: Path) -> Iterator[AwsKms]:
    """An emulator with KMS and nothing else, while the context lasts."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "SERVICES": "kms",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "HOME": str(directory),
    }
    log = (directory / "log").open("wb")
    command = [sys.executable, "-m", "ministack"]
    process = subprocess.Popen(command, env=environment, cwd=directory, stdout=log, stderr=log)
    one = AwsKms(endpoint=f"http://127.0.0.1:{port}", process=process)
    try:
        _until_answers(f"{one.endpoint}/health", process, directory / "log")
        yield one
    finally:
        process.kill()
        process.wait()
        log.close()


def _until_answers(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            httpx2.get(url, timeout=1)
        except httpx2.HTTPError:
            assert process.poll() is None and time.monotonic() < deadline, log.read_text(errors="replace")
            time.sleep(0.05)
        else:
            return


@dataclass(slots=True)
class GoogleKms:
    """Keys behind the part of Google's interface that signing needs, at `endpoint` while it serves.

    `status` other than 200 is what it answers.
    """

    root: Path
    status: int = 200
    keys: dict[str, Ed25519PrivateKey] = field(default_factory=dict)
    account: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))
    tokens: set[str] = field(default_factory=set)
    endpoint: str = ""

    @property
    def credentials(self) -> Path:
        """The file of a service account, for GOOGLE_APPLICATION_CREDENTIALS."""
        path = self.root / "account.json"
        pem = self.account.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        account = {
            "type": "service_account",
            "project_id": "shop",
            "client_email": "sojourn@shop.example",
            "private_key_id": "1",
            "private_key": pem.decode(),
            "token_uri": f"{self.endpoint}/token",
        }
        path.write_text(json.dumps(account))
        return path

    def make(self, name: str, seed: bytes) -> str:
        """Make a key with one version, and give the setting that names it."""
        version = f"{RING}/{name}/cryptoKeyVersions/1"
        self.keys[version] = Ed25519PrivateKey.from_private_bytes(seed)
        return f"gcpkms:{version}?endpoint={self.endpoint}"

    def answer(self, method: str, path: str, body: bytes, bearer: str) -> tuple[int, object]:
        """The status of an answer and what it holds."""
        if path == "/token":
            return self._token(parse_qs(body.decode()).get("assertion", [""])[0])
        if self.status != 200:
            return self.status, {"error": {"code": self.status}}
        if bearer not in self.tokens:
            return 401, {"error": {"code": 401, "status": "UNAUTHENTICATED"}}
        version, _, verb = path.removeprefix("/v1/").partition(":") if method == "POST" else path[4:].rpartition("/")
        key = self.keys.get(version)
        match (method, verb):
            case ("GET", "publicKey") if version.endswith("elliptic/cryptoKeyVersions/1"):
                other = generate_elliptic(SECP256R1()).public_key()
                pem = other.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
                return 200, {"name": version, "algorithm": "EC_SIGN_P256_SHA256", "pem": pem}
            case ("GET", "publicKey") if key is not None:
                pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
                return 200, {"name": version, "algorithm": "EC_SIGN_ED25519", "pem": pem}
            case ("POST", "asymmetricSign") if key is not None:
                signature = key.sign(base64.b64decode(json.loads(body)["data"]))
                return 200, {"name": version, "signature": base64.b64encode(signature).decode()}
            case _:
                return 404, {"error": {"code": 404, "status": "NOT_FOUND"}}

    def _token(self, assertion: str) -> tuple[int, object]:
        """An access token for who signed with the account's key (RFC 7523)."""
        signed, _, signature = assertion.rpartition(".")
        try:
            self.account.public_key().verify(
                base64.urlsafe_b64decode(signature + "=="), signed.encode(), padding.PKCS1v15(), SHA256()
            )
        except (InvalidSignature, ValueError):
            return 400, {"error": "invalid_grant"}
        token = secrets.token_hex(16)
        self.tokens.add(token)
        return 200, {"access_token": token, "expires_in": 3600, "token_type": "Bearer"}

    @contextmanager
    def serving(self) -> Iterator[GoogleKms]:
        """Serve while the context lasts."""
        with serving(self._answered) as self.endpoint:
            yield self

    def _answered(self, asked: Asked) -> Answered:
        bearer = asked.headers.get("authorization", "").removeprefix("Bearer ")
        status, told = self.answer(asked.method, asked.path, asked.body, bearer)
        return Answered(status=status, kind="application/json", body=json.dumps(told).encode())
