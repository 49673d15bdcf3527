"""What passes between gateway and target, and when."""

from __future__ import annotations

import selectors
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class Proxy:
    """Between gateway and target: notes when each byte for the target came by (on the monotonic clock)."""

    to: tuple[str, int]
    port: int = 0
    seen: list[tuple[float, bytes]] = field(default_factory=list)
    stopping: bool = False

    def run(self, listener: socket.socket) -> None:
        """Serve one connection after the other until told to stop."""
        listener.settimeout(0.1)
        while not self.stopping:
            try:
                client, _ = listener.accept()
            except TimeoutError:
                continue
            with client, socket.create_connection(self.to) as target:
                self._pass_on(client, target)

    def _pass_on(self, client: socket.socket, target: socket.socket) -> None:
        selector = selectors.DefaultSelector()
        selector.register(client, selectors.EVENT_READ, target)
        selector.register(target, selectors.EVENT_READ, client)
        while not self.stopping:
            for key, _ in selector.select(0.1):
                one, other = key.fileobj, key.data
                assert isinstance(one, socket.socket)
                try:
                    data = one.recv(65536)
                    if not data:
                        return
                    if one is client:
                        self.seen.append((time.monotonic(), data))
                    other.sendall(data)
                except OSError:
                    return


@contextmanager
def proxy_to(host: str, port: int) -> Iterator[Proxy]:
    """A proxy before a target, while the context lasts."""
    running = Proxy(to=(host, port))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        running.port = listener.getsockname()[1]
        thread = threading.Thread(target=running.run, args=(listener,))
        thread.start()
        try:
            yield running
        finally:
            running.stopping = True
            thread.join(10)
