"""The algorithms that are spoken on both sides: none that is weak, and all safe from a prefix being cut off.

A peer that knows the strict key exchange (OpenSSH 9.6 and newer, and what was patched since December 2023) is asked
for it; asyncssh does so by itself.
"""

from __future__ import annotations

KEX = ("mlkem768x25519-sha256", "curve25519-sha256", "curve25519-sha256@libssh.org")
ENCRYPTION = (
    "aes256-gcm@openssh.com",
    "aes128-gcm@openssh.com",
    "chacha20-poly1305@openssh.com",
    "aes256-ctr",
    "aes128-ctr",
)
NEEDS_STRICT = ("chacha20-poly1305@openssh.com",)
"""Not spoken with a peer that does not know the strict key exchange."""

MAC = ("hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com")
REKEY_BYTES = 1 << 30
REKEY_SECONDS = 3600.0
"""Keys are renewed once so much was sent with them, or so long after the last time (RFC 4253, section 9)."""

COMPRESSION = ("none", "zlib@openssh.com")
SIGNATURES = (
    "ssh-ed25519",
    "sk-ssh-ed25519@openssh.com",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "rsa-sha2-512",
    "rsa-sha2-256",
)
