"""X11: windows of programs on the host on the person's own screen, each connection an action with its bytes.

The person's client makes up a cookie and asks for it to be known on the host; it checks that cookie in what comes back.
Here it passes on as it came, and no X server is needed or spoken to on the gateway.
"""

from __future__ import annotations

import binascii
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import asyncssh


@dataclass(frozen=True, slots=True)
class Screen:
    """What the person's client has asked for: how the host's programs are to show who they are, and the screen."""

    protocol: bytes
    cookie: bytes
    number: int

    def __str__(self) -> str:
        """In one word, which is carried where asyncssh takes the name of a display."""
        return f"{self.protocol.hex()}:{self.cookie.hex()}:{self.number}"

    @staticmethod
    def read(word: str) -> Screen:
        """What `str` wrote."""
        protocol, cookie, number = word.split(":")
        return Screen(bytes.fromhex(protocol), binascii.a2b_hex(cookie), int(number))


Show = Callable[[str, int], Awaitable[asyncssh.SSHTCPSession[bytes]]]
"""Opens a connection to the person's screen for a program at that address of the host."""
