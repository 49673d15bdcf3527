"""One session channel: what the client asks, whether the role allows it, its record, and the two ends joined.

- Nothing reaches the host before the intent is durable. What a client sends meanwhile waits in its window.
- Each end that does not read stops the other from being read: memory is bounded by the windows.
- End of file, exit status and signal pass as they are; standard output and error stay apart.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import asyncssh

from sojourn.domain.events import Outcome
from sojourn.errors import Refusal, SojournError
from sojourn.gateway.entries import Intention, Result

from .asking import intention_of, refused
from .flow import Flow
from .host_end import HostEnd
from .kept import Ends, keeper
from .permission import Asked, Use, environment, judge, mosh
from .setting import Keeper, Setting, Terminal

NOT_ALLOWED = 126
"""What a shell says of a command that may not be run."""

FAILED = 255
"""What OpenSSH's client says when it fails itself."""

STATUS_SECONDS = 0.2
"""How long the end of output waits for the exit status that mostly follows it at once."""


class Channel(asyncssh.SSHServerSession[bytes]):
    """The client's end, and what holds both together. `run` is its task."""

    def __init__(self, setting: Callable[[], Setting | None]) -> None:
        """`setting` gives what the session has, once somebody has been let in; None for nobody."""
        self._setting = setting
        self._client: asyncssh.SSHServerChannel[bytes] | None = None
        self._target: asyncssh.SSHClientChannel[bytes] | None = None
        self._asked: tuple[Asked, str] = (Asked.SHELL, "")
        self._terminal: Terminal | None = None
        self._early: list[bytes] = []
        self._ended_early = False
        self._stopped = False
        self._gone = asyncio.Event()
        self._shared: Setting | None = None
        self._keeper: Keeper | None = None
        self._waits: set[str] = set()
        self._number = 0
        self.over = False
        self.status: str = ""
        self.received, self.output, self.errors = Flow(), Flow(), Flow()

    def connection_made(self, chan: asyncssh.SSHServerChannel[bytes]) -> None:
        """See asyncssh."""
        self._client = chan

    def pty_requested(
        self, term_type: str, term_size: tuple[int, int, int, int], term_modes: Mapping[int, int]
    ) -> bool:
        """See asyncssh. Whether the role allows what is run in it is asked when that is known."""
        self._terminal = (term_type, term_size, dict(term_modes))
        return True

    def shell_requested(self) -> bool:
        """See asyncssh."""
        self._asked = (Asked.SHELL, "")
        return True

    def exec_requested(self, command: str) -> bool:
        """See asyncssh."""
        self._asked = (Asked.EXEC, command)
        return True

    def subsystem_requested(self, subsystem: str) -> bool:
        """See asyncssh."""
        self._asked = (Asked.SUBSYSTEM, subsystem)
        setting = self._setting()
        if setting is None:
            return False
        verdict = judge(setting.access, *self._asked)
        if isinstance(verdict, Refusal):
            # A client of a subsystem reads no text, so it is told by the request itself.
            self._note_refusal(setting, verdict)
            return False
        return True

    def session_started(self) -> None:
        """See asyncssh."""
        setting = self._setting()
        if setting is None:
            assert self._client is not None
            self._client.close()
            return
        setting.start(self)

    def data_received(self, data: bytes, datatype: int | None) -> None:
        """See asyncssh."""
        if self._stopped:
            return
        if self._target is None:
            self._early.append(data)
            assert self._client is not None
            self._client.pause_reading()
            return
        self._to_target(data)

    def _to_target(self, data: bytes) -> None:
        assert self._shared is not None and self._keeper is not None
        self.received.take(data)
        self._shared.moved(len(data), 0)
        self._keeper.input(data)

    def _forward(self, data: bytes) -> None:
        """Let input go on to the host."""
        if self._target is not None and not self._target.is_closing():
            self._target.write(data)

    def eof_received(self) -> bool:
        """See asyncssh; the other direction stays open."""
        if self._target is None:
            self._ended_early = True
        else:
            self._target.write_eof()
        return True

    def signal_received(self, signal: str) -> None:
        """See asyncssh."""
        if self._target is not None:
            self._target.send_signal(signal)

    def break_received(self, msec: int) -> bool:
        """See asyncssh."""
        if self._target is None:
            return False
        self._target.send_break(msec)
        return True

    def terminal_size_changed(self, width: int, height: int, pixwidth: int, pixheight: int) -> None:
        """See asyncssh."""
        if self._terminal is not None:
            self._terminal = (self._terminal[0], (width, height, pixwidth, pixheight), self._terminal[2])
        if self._target is not None and self._keeper is not None:
            self._keeper.resize(width, height)
            self._target.change_terminal_size(width, height, pixwidth, pixheight)

    def pause_writing(self) -> None:
        """The client does not read: the host is not read."""
        self._hold_target("client", True)

    def resume_writing(self) -> None:
        """The client reads again."""
        self._hold_target("client", False)

    def _hold_target(self, reason: str, wait: bool) -> None:
        """Read from the host, unless some reason speaks against it."""
        before = bool(self._waits)
        self._waits.add(reason) if wait else self._waits.discard(reason)
        if self._target is None or before == bool(self._waits):
            return
        self._target.pause_reading() if self._waits else self._target.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has closed its end: the host's closes too, and what runs there is told so."""
        self._client = None
        if self._target is not None:
            self._target.close()
        self._gone.set()

    def from_target(self, data: bytes, datatype: int | None) -> None:
        """Something that the host has said."""
        if self._stopped or self._client is None:
            return
        assert self._shared is not None and self._keeper is not None
        (self.output if datatype is None else self.errors).take(data)
        self._shared.moved(0, len(data))
        self._keeper.output(data, datatype)

    def _show(self, data: bytes, datatype: int | None) -> None:
        """Let output go on to the client."""
        if self._client is not None and not self._stopped:
            self._client.write(data, datatype)

    def target_ended(self) -> None:
        """The host says nothing more. That waits a moment for the exit status: a client may hang up once it knows."""
        asyncio.get_running_loop().call_later(STATUS_SECONDS, self._pass_end)

    def _pass_end(self) -> None:
        if self._keeper is not None and self._keeper.holding:
            self.target_ended()
        elif self._client is not None and self._target is not None and not self._stopped:
            self._client.write_eof()

    def target_paused(self, paused: bool) -> None:
        """The host does not read, or reads again."""
        self._hold_client(paused)

    def _hold_client(self, wait: bool) -> None:
        """Read from the client, unless what it sent waits for its record."""
        if self._client is not None and not self._stopped:
            self._client.pause_reading() if wait else self._client.resume_reading()

    def target_lost(self) -> None:
        """The host has closed its end."""
        self._target = None
        self._gone.set()

    async def run(self, setting: Setting) -> None:
        """Judge, record, open at the host, and wait until both ends are closed; then record the outcome."""
        asked, text = self._asked
        verdict = judge(setting.access, asked, text)
        if isinstance(verdict, Use) and asked is Asked.EXEC:
            verdict = mosh(text) or verdict
        if isinstance(verdict, Refusal):
            self._note_refusal(setting, verdict)
            self.say(f"{verdict.sentence} {verdict.next_step}")
            self._exit(NOT_ALLOWED)
            self.over = True
            return
        began = asyncio.get_running_loop().time()
        try:
            self._number = await setting.intents.record(self._intention(setting, verdict))
            self._shared, self._keeper = setting, self._keep(setting, verdict)
            await self._open(setting, verdict)
        except (SojournError, asyncssh.Error, OSError) as error:
            refusal = error.refusal if isinstance(error, SojournError) else None
            text = f"{refusal.sentence} {refusal.next_step}" if refusal is not None else str(error)
            self.say(text)
            self._exit(FAILED)
            self._complete(setting, Outcome.FAILED if self._number else Outcome.SKIPPED, began, text)
            return
        assert self._keeper is not None
        try:
            await self._gone.wait()
            # Either end is closed; the other follows, with what it has still to say.
            if self._target is not None:
                self._target.close()
            await self._keeper.finish(self.status or "interrupted")
            self._close_client()
        finally:
            outcome = Outcome.INTERRUPTED
            if self.status:
                outcome = Outcome.COMPLETED if self.status == "exit 0" else Outcome.FAILED
            self._complete(setting, outcome, began, "")

    def _keep(self, setting: Setting, use: Use) -> Keeper:
        ends = Ends(
            show=self._show,
            forward=self._forward,
            hold_client=self._hold_client,
            hold_host=lambda wait: self._hold_target("record", wait),
        )
        return keeper(setting, use, self._number, self._terminal, ends)

    def _intention(self, setting: Setting, use: Use) -> Intention:
        assert self._client is not None
        terminal = None if self._terminal is None else (self._terminal[0], self._terminal[1][:2])
        screen = setting.screen(self._client) is not None
        return intention_of(setting, use, dict(self._client.get_environment()), terminal=terminal, screen=screen)

    def _note_refusal(self, setting: Setting, refusal: Refusal) -> None:
        asked, text = self._asked
        result = Result(outcome=Outcome.SKIPPED, tags=("refused",), message=refusal.sentence.encode())
        setting.note(refused(asked, text, refusal), result)

    async def _open(self, setting: Setting, use: Use) -> None:
        """Open the channel at the host, and hand over what came early. Raises SojournError, asyncssh.Error."""
        connection = await setting.upstreams.reach(use.force)
        if self._client is None or self._stopped:
            return
        name, size, modes = self._terminal or (None, (0, 0, 0, 0), {})
        screen = setting.screen(self._client)
        variables: dict[bytes | str, bytes | str] = {}
        variables.update(environment(setting.access, dict(self._client.get_environment())))
        variables.update(setting.marks)
        channel, _ = await connection.create_session(
            lambda: HostEnd(self),
            use.text if use.asked is Asked.EXEC else None,
            subsystem=use.text if use.asked is Asked.SUBSYSTEM else None,
            env=variables,
            request_pty=self._terminal is not None,
            term_type=name,
            term_size=size,
            term_modes=dict(modes),
            encoding=None,
            x11_forwarding="ignore_failure" if screen is not None else False,
            x11_display=None if screen is None else str(screen),
        )
        if self._ended():
            channel.close()
            return
        self._target = channel
        early, self._early = self._early, []
        for data in early:
            self._to_target(data)
        if self._terminal is not None and self._terminal[1] != size:
            channel.change_terminal_size(*self._terminal[1])
        if self._ended_early:
            channel.write_eof()
        self._client.resume_reading()

    def _ended(self) -> bool:
        """Whether this end was closed while something was waited for."""
        return self._client is None or self._stopped

    def _complete(self, setting: Setting, outcome: Outcome, began: float, message: str) -> None:
        self.over = True
        if not self._number:
            return
        tags = [self.status] if self.status else []
        tags += [f"stdin {self.received}", f"stdout {self.output}", f"stderr {self.errors}"]
        setting.complete(
            self._number,
            Result(
                outcome=outcome,
                tags=tuple(tags),
                bytes_in=self.received.size,
                bytes_out=self.output.size + self.errors.size,
                duration_us=round((asyncio.get_running_loop().time() - began) * 1e6),
                message=message.encode(),
            ),
        )

    def _exit(self, status: int) -> None:
        if self._client is not None:
            self._client.exit(status)

    def _close_client(self) -> None:
        """Close the client's end with the status that the host gave."""
        if self._client is None:
            return
        kind, _, value = self.status.partition(" ")
        if kind == "exit":
            self._client.exit(int(value))
        elif kind == "signal":
            self._client.exit_with_signal(value, False, "", "")
        else:
            self._client.close()

    def say(self, text: str) -> None:
        """Tell the client something of our own: on its standard error, or in its terminal."""
        if self._client is None or self._client.is_closing():
            # Nothing can follow the end of a stream.
            return
        if self._keeper is not None:
            self._keeper.mark(text)
        if self._terminal is not None:
            self._client.write(f"\r\n{text}\r\n".encode())
        else:
            self._client.write_stderr(f"{text}\n".encode())

    def cut(self, text: str) -> None:
        """End it now: what runs is killed where the host lets us, and the client is told why."""
        if self.over:
            return
        self.say(text)
        self._stopped = True
        if self._target is not None:
            self._target.kill()
            self._target.close()
        if self._client is not None:
            self._client.close()
        self._gone.set()
