"""The fingerprint of certificates that a setting names: so that nobody puts others into that file unnoticed."""

from __future__ import annotations

import hashlib
import re

_REVOCATION_LIST = re.compile(rb"-----BEGIN X509 CRL-----[A-Za-z0-9+/=\s]*-----END X509 CRL-----")
"""What is one and nothing besides: whatever stands inside of it otherwise counts like all the rest of the file."""


def fingerprint(content: bytes) -> str:
    """SHA-256 (hex) over all that a PEM file (RFC 7468) says, but for white space and revocation lists.

    Whoever revokes a certificate must not have to wait for anybody. Nothing else is left out, as what one reader takes
    for a comment another may take for a certificate.
    """
    return hashlib.sha256(b" ".join(_REVOCATION_LIST.sub(b"", content).split())).hexdigest()
