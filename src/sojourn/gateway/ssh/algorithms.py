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
MAC = ("hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com")
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
WINDOW = 4 * 1024 * 1024
"""How much one side of a channel may send before it is read on."""

PACKET = 256 * 1024
"""The most that one packet of data may hold; OpenSSH sends 32 KiB."""
