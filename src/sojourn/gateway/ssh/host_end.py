"""The host's end of a session channel: tells what it hears from the host."""

from __future__ import annotations

from typing import Protocol

import asyncssh


class Told(Protocol):
    """What is told. `status` is how the command ended, as it stands in an outcome."""

    status: str

    def from_target(self, data: bytes, datatype: int | None) -> None:
        """Something that the host has said."""
        ...

    def target_ended(self) -> None:
        """The host says nothing more."""
        ...

    def target_paused(self, paused: bool) -> None:
        """The host does not read, or reads again."""
        ...

    def target_lost(self) -> None:
        """The host has closed its end."""
        ...


class HostEnd(asyncssh.SSHClientSession[bytes]):
    """See asyncssh."""

    def __init__(self, channel: Told) -> None:
        self._channel = channel

    def data_received(self, data: bytes, datatype: int | None) -> None:
        """See asyncssh."""
        self._channel.from_target(data, datatype)

    def eof_received(self) -> bool:
        """See asyncssh."""
        self._channel.target_ended()
        return True

    def exit_status_received(self, status: int) -> None:
        """See asyncssh."""
        self._channel.status = f"exit {status}"

    def exit_signal_received(self, signal: str, core_dumped: bool, msg: str, lang: str) -> None:
        """See asyncssh."""
        self._channel.status = f"signal {signal}"

    def pause_writing(self) -> None:
        """See asyncssh."""
        self._channel.target_paused(True)

    def resume_writing(self) -> None:
        """See asyncssh."""
        self._channel.target_paused(False)

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncssh."""
        self._channel.target_lost()
