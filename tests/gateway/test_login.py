"""While the gateway logs in at the target: who is waited for, and what ends the waiting."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from sojourn.demo.production import Production
from sojourn.domain.events import CloseCause, SessionClosed, SessionConnected, SessionOpened
from sojourn.domain.target import TlsMode
from sojourn.settings import GatewaySettings

from .conftest import PERSON, TARGET, Access, dial, running_gateway, target_of
from .raw import RawClient, error_fields

AT_ONCE = 1.0
"""Far less than the ten seconds for which a target is waited for."""


@dataclass(slots=True)
class Mute:
    """A target that takes connections and says no more than `answer`, to whatever comes first."""

    port: int
    answer: bytes = b""
    reached: threading.Event = field(default_factory=threading.Event)
    left: threading.Event = field(default_factory=threading.Event)

    def run(self, listener: socket.socket) -> None:
        """Serve one connection."""
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            connection.recv(65536)
            connection.sendall(self.answer)
            self.reached.set()
            connection.settimeout(30)
            try:
                while connection.recv(65536):
                    pass
            except OSError:
                return
            self.left.set()


@contextmanager
def mute(answer: bytes) -> Iterator[Mute]:
    """A mute target while the context lasts."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        target = Mute(port=listener.getsockname()[1], answer=answer)
        thread = threading.Thread(target=target.run, args=(listener,))
        thread.start()
        try:
            yield target
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(40)


@dataclass(slots=True)
class Waiting:
    """A client that has shown who it is and waits for the target; `said` is what the gateway has told it in the end."""

    access: Access
    client: RawClient
    target: Mute
    said: list[tuple[str, bytes]] = field(default_factory=list)

    def log_in(self) -> None:
        """Wait until the gateway lets it in, or says why not, or hangs up."""
        with contextlib.suppress(OSError):
            self.said += self.client.log_in(PERSON, self.access.secret, TARGET)


@pytest.fixture(params=["authentication", "TLS handshake"])
def waiting(
    request: pytest.FixtureRequest, server: Production, tmp_path: Path, settings: GatewaySettings
) -> Iterator[Waiting]:
    """A client that waits for a target that hangs in this phase."""
    encrypted = request.param == "TLS handshake"
    with mute(b"S" if encrypted else b"") as target:
        mode = TlsMode.REQUIRE if encrypted else TlsMode.DISABLE
        where = replace(target_of(server), port=target.port, tls=mode)
        with running_gateway(where, tmp_path, settings) as access:
            access.adopt(where)
            access.secret, access.grant = access.token(), access.give("nobody")
            waits = Waiting(access, dial(access), target)
            thread = threading.Thread(target=waits.log_in)
            thread.start()
            assert target.reached.wait(10)
            yield waits
            thread.join(20)
            assert target.left.wait(10), "the target's connection is still open"


def _closed(access: Access) -> SessionClosed:
    deadline = time.monotonic() + 10
    while not access.events(SessionClosed):
        assert time.monotonic() < deadline, "the session's end is not on record"
        time.sleep(0.01)
    (end,) = access.events(SessionClosed)
    return end


def test_the_end_of_the_access_ends_the_log_in_at_the_target(waiting: Waiting) -> None:
    access, target = waiting.access, waiting.target
    begun = time.monotonic()
    access.end()
    end = _closed(access)
    assert time.monotonic() - begun < AT_ONCE
    assert target.left.wait(10)
    assert end.cause is CloseCause.GRANT_ENDED
    assert end.cut_lag_us is not None and end.cut_lag_us < AT_ONCE * 1e6
    assert len(access.events(SessionOpened)) == 1 and not access.events(SessionConnected)
    deadline = time.monotonic() + 10
    while not waiting.said and time.monotonic() < deadline:
        time.sleep(0.01)
    kind, body = waiting.said[-1]
    fields = error_fields(body)
    assert kind == "E"
    assert (fields["C"], fields["D"]) == ("57P01", "grant.ended")


def test_a_client_that_leaves_meanwhile_is_not_logged_in_for(waiting: Waiting) -> None:
    access, target = waiting.access, waiting.target
    begun = time.monotonic()
    waiting.client.socket.shutdown(socket.SHUT_RDWR)
    end = _closed(access)
    assert time.monotonic() - begun < AT_ONCE
    assert target.left.wait(10)
    assert (end.cause, end.cut_lag_us) == (CloseCause.CLIENT_CLOSED, None)
