"""The first packet of somebody who has not said who they are, and a log-in by SCRAM."""

from __future__ import annotations

from collections.abc import Callable

from .guided import guided


def _load() -> Callable[[bytes], None]:
    from sojourn.domain.credential import derive_verifier
    from sojourn.gateway.postgres import startup
    from sojourn.gateway.postgres.scram import ScramError, ServerExchange
    from sojourn.gateway.postgres.startup import StartupMessage
    from sojourn.gateway.postgres.wire import WireError

    verifier = derive_verifier("secret", b"salt", 1)

    def read_packet(data: bytes) -> None:
        packet = startup.parse_startup(data)
        if not isinstance(packet, StartupMessage):
            return
        again = startup.startup_message(packet.parameters, minor=packet.minor, options=packet.options)
        assert startup.parse_startup(again) == packet, "what was read reads alike when it is written"
        startup.settings_in_options(packet.parameters.get("options", ""))

    def log_in(data: bytes) -> None:
        first, _, last = data.partition(b"\xff")
        exchange = ServerExchange([verifier], b"n" * 24)
        exchange.first(first)
        exchange.final(last)
        raise AssertionError("somebody came in without the secret")

    def check(data: bytes) -> None:
        startup.describe(startup.sniff(data))
        framed = (len(data) + 4).to_bytes(4, "big") + data
        for reading in (data, framed):
            try:
                read_packet(reading)
            except WireError:
                continue
        try:
            log_in(data)
        except ScramError:
            return

    return check


if __name__ == "__main__":
    guided(_load)
else:
    check = _load()
