"""What is agreed on before anybody has said who they are: with clients that guess, and with somebody in between."""

from __future__ import annotations

import asyncio

import asyncssh
import pytest
from asyncssh.constants import MSG_IGNORE, MSG_KEXINIT
from asyncssh.packet import Boolean, Byte, NameList, SSHPacket, SSHPacketLogger, String, UInt32

from sojourn.cli.ssh_config import CIPHERS
from sojourn.gateway.ssh.algorithms import ENCRYPTION, KEX
from sojourn.testing.ssh import TARGET, SshUnderTest

STRICT = b"kex-strict-c-v00@openssh.com"
CHACHA = "chacha20-poly1305@openssh.com"
FIRST_PACKET = 30
"""The number of a key exchange's first packet in every method that anybody guesses."""


class Guessing(asyncssh.SSHClientConnection):
    """A client whose first packets are as the test wants them. `before` comes first in its list of key exchanges."""

    strict = True
    before: tuple[bytes, ...] = ()
    guess: bytes | None = None
    follows = False
    slipped_in = False
    _began = False

    def send_packet(self, pkttype: int, *args: bytes, handler: SSHPacketLogger | None = None) -> None:
        """Write the first key exchange anew, and send what was guessed right behind it."""
        if pkttype != MSG_KEXINIT or self._began:
            super().send_packet(pkttype, *args, handler=handler)
            return
        self._began = True
        asked = SSHPacket(args[0])
        cookie, exchanges = asked.get_bytes(16), asked.get_namelist()
        rest = asked.get_remaining_payload()[:-5]
        names = [*self.before, *(one for one in exchanges if self.strict or one != STRICT)]
        written = cookie + NameList(names) + rest + Boolean(self.follows) + UInt32(0)
        self._client_kexinit = Byte(MSG_KEXINIT) + written
        super().send_packet(MSG_KEXINIT, written)
        if self.guess is not None:
            super().send_packet(FIRST_PACKET, String(self.guess))
        if self.slipped_in:
            super().send_packet(MSG_IGNORE, String(b""))

    async def _asked(self, kind: int, number: int, packet: SSHPacket) -> None:
        """See asyncssh, which is strict with whoever is, whatever it said itself."""
        await self._process_kexinit(kind, number, packet)
        self._strict_kex = self._strict_kex and self.strict

    _packet_handlers = {**asyncssh.SSHClientConnection._packet_handlers, MSG_KEXINIT: _asked}


async def _connected(door: SshUnderTest, connection: Guessing, options: asyncssh.SSHClientConnectionOptions) -> int:
    """The status of a command, once such a client is in. Raises asyncssh.Error if it does not come in."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(30):
        await loop.create_connection(lambda: connection, "127.0.0.1", door.port)
        assert options.waiter is not None
        await options.waiter
        try:
            ran = await connection.run("exit 7")
            assert isinstance(ran.exit_status, int)
            return ran.exit_status
        finally:
            connection.abort()


async def _options(door: SshUnderTest, **more: object) -> asyncssh.SSHClientConnectionOptions:
    await door.access()
    options = asyncssh.SSHClientConnectionOptions(
        username=TARGET, client_keys=[str(await door.key())], known_hosts=None, config=None, agent_path=None, **more
    )
    options.waiter = asyncio.get_running_loop().create_future()
    return options


@pytest.mark.parametrize("strict", [True, False], ids=["strict", "before 2023"])
@pytest.mark.parametrize(
    ("before", "exchanges", "host_keys", "guess"),
    [
        ((b"guess@example.com",), KEX, (), b"of something that nobody knows"),
        ((), tuple(reversed(KEX)), (), b"of what is agreed on, and what the gateway does not like best"),
        ((), KEX, ("ssh-ed25519",), b"for another kind of host key"),
        ((), KEX, ("ssh-ed25519-cert-v01@openssh.com",), None),
    ],
    ids=["unknown", "not the best", "another host key", "right"],
)
async def test_a_client_that_guesses_the_key_exchange_comes_in_whether_it_was_right_or_wrong(
    door: SshUnderTest,
    strict: bool,
    before: tuple[bytes, ...],
    exchanges: tuple[str, ...],
    host_keys: tuple[str, ...],
    guess: bytes | None,
) -> None:
    options = await _options(door, kex_algs=exchanges, server_host_key_algs=host_keys, encryption_algs=ENCRYPTION)
    connection = Guessing(asyncio.get_running_loop(), options, wait="auth")
    connection.strict, connection.before, connection.guess, connection.follows = strict, before, guess, True
    assert await _connected(door, connection, options) == 7


async def test_a_packet_slipped_in_before_the_keys_ends_a_strict_key_exchange(door: SshUnderTest) -> None:
    options = await _options(door)
    connection = Guessing(asyncio.get_running_loop(), options, wait="auth")
    connection.slipped_in = True
    with pytest.raises((asyncssh.Error, ConnectionError)):
        await _connected(door, connection, options)


@pytest.mark.parametrize("strict", [True, False], ids=["strict", "before 2023"])
async def test_a_cipher_that_can_lose_its_first_packets_is_spoken_in_a_strict_key_exchange_only(
    door: SshUnderTest, strict: bool
) -> None:
    options = await _options(door, encryption_algs=[CHACHA])
    connection = Guessing(asyncio.get_running_loop(), options, wait="auth")
    connection.strict = strict
    if strict:
        assert await _connected(door, connection, options) == 7
        return
    with pytest.raises(asyncssh.KeyExchangeFailed, match=r"ssh -c aes256-gcm@openssh\.com"):
        await _connected(door, connection, options)


def test_the_ciphers_that_ssh_config_writes_are_spoken_by_the_gateway_and_safe_with_every_client() -> None:
    assert set(CIPHERS.split(",")) == set(ENCRYPTION) - {CHACHA}
