"""What both sides of the gateway do otherwise than asyncssh with packets and with the choice of algorithms.

So that bulk passes with less work:

- asyncssh sends an empty packet before each packet of a session. That hides the initial vector of CBC ciphers, which
  are not spoken here (`algorithms.py`); without it there is half as much to encrypt, send and read.
- asyncssh copies all that it has received and not read yet, twice for each packet. So it is given a little at a time.

So that nothing is agreed on wrongly:

- ChaCha20-Poly1305 is spoken only with a peer that knows the strict key exchange: with any other, somebody in between
  could take away the first packets unnoticed (CVE-2023-48795).
- What a peer opens right behind its answer belongs to what was asked for: whoever asked goes on first.
- A client may guess the key exchange and send its first packet at once. The guess is right only if both sides like the
  same key exchange and the same kind of host key best (RFC 4253, section 7), which is how clients see it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from asyncssh import KeyExchangeFailed
from asyncssh.connection import SSHConnection
from asyncssh.constants import MSG_IGNORE, MSG_KEXINIT, MSG_REQUEST_SUCCESS
from asyncssh.packet import SSHPacket, SSHPacketLogger

from .algorithms import ENCRYPTION, NEEDS_STRICT

PIECE_BYTES = 32 * 1024
"""As much as OpenSSH puts into one packet."""


class CarefulConnection(SSHConnection):
    """Comes before asyncssh's own class among the bases of either side's connection."""

    def data_received(self, data: bytes, datatype: int | None = None) -> None:
        """See asyncssh. After an error nothing more is read, as there."""
        for place in range(0, len(data), PIECE_BYTES):
            if self._transport is None:
                return
            super().data_received(data[place : place + PIECE_BYTES], datatype)

    def send_packet(self, pkttype: int, *args: bytes, handler: SSHPacketLogger | None = None) -> None:
        """See asyncssh."""
        if pkttype != MSG_IGNORE:
            super().send_packet(pkttype, *args, handler=handler)

    def _choose_alg(self, alg_type: str, local_algs: Sequence[bytes], remote_algs: Sequence[bytes]) -> bytes:
        """See asyncssh. Both sides choose by themselves, so what must not be chosen ends the connection."""
        chosen = super()._choose_alg(alg_type, local_algs, remote_algs)
        if not self._strict_kex and chosen.decode("ascii") in NEEDS_STRICT:
            raise KeyExchangeFailed(
                f"{chosen.decode()} is not safe with a program from before 2024 (CVE-2023-48795). Update it,"
                f" or choose another cipher: ssh -c {ENCRYPTION[0]}"
            )
        return chosen

    async def _judge_guess(self, kind: int, number: int, packet: SSHPacket) -> None:
        """See asyncssh, which takes a guess for right when what it guessed is agreed on, however that came about."""
        await self._process_kexinit(kind, number, packet)
        if self._ignore_first_kex or not self.is_server():
            return
        asked = SSHPacket(self._client_kexinit)
        asked.get_bytes(17)
        theirs = (asked.get_namelist(), asked.get_namelist())
        ours = (self._kex_algs, self._server_host_key_algs or ())
        for _ in range(8):
            asked.get_namelist()
        if asked.get_boolean():
            self._ignore_first_kex = any(one[:1] != list(other[:1]) for one, other in zip(theirs, ours, strict=True))

    async def _answer(self, kind: int, number: int, packet: SSHPacket) -> None:
        """See asyncssh, which knows a listener of the other side's only once the one who asked for it has gone on."""
        self._process_global_response(kind, number, packet)
        await asyncio.sleep(0)

    _packet_handlers = {
        **SSHConnection._packet_handlers,
        MSG_KEXINIT: _judge_guess,
        MSG_REQUEST_SUCCESS: _answer,
    }
