"""A FIDO authenticator in software: signs as a device does (OpenSSH PROTOCOL.u2f), touched or not."""

from __future__ import annotations

import base64
import hashlib

import asyncssh
from asyncssh.packet import Byte, MPInt, String, UInt32
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ED25519 = "sk-ssh-ed25519@openssh.com"
ECDSA = "sk-ecdsa-sha2-nistp256@openssh.com"
USER_PRESENT = 1


class SoftwareAuthenticator(asyncssh.SSHKeyPair):
    """One key. `touched` says whether somebody touches the device when it signs; `counter` counts signatures."""

    def __init__(self, kind: str = ED25519, *, application: str = "ssh:") -> None:
        """Make a fresh key of that kind."""
        self._application, self.touched, self.counter = application.encode(), True, 0
        self._private: Ed25519PrivateKey | ec.EllipticCurvePrivateKey
        if kind == ED25519:
            self._private = Ed25519PrivateKey.generate()
            point = self._private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
            self.blob = String(kind) + String(point) + String(self._application)
        else:
            self._private = ec.generate_private_key(ec.SECP256R1())
            point = self._private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
            self.blob = String(kind) + String("nistp256") + String(point) + String(self._application)
        name = kind.encode()
        super().__init__(name, name, (name,), (name,), self.blob, None)
        self.line = f"{kind} {base64.b64encode(self.blob).decode()}"

    def sign(self, data: bytes) -> bytes:
        """The signature over `data`, with the device's flags and counter."""
        self.counter += 1
        flags = Byte(USER_PRESENT if self.touched else 0) + UInt32(self.counter)
        signed = hashlib.sha256(self._application).digest() + flags + hashlib.sha256(data).digest()
        if isinstance(self._private, Ed25519PrivateKey):
            signature = self._private.sign(signed)
        else:
            signature = b"".join(map(MPInt, decode_dss_signature(self._private.sign(signed, ec.ECDSA(SHA256())))))
        return String(self.algorithm) + String(signature) + flags
