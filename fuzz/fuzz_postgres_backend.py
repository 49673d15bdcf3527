"""What a target sends: followed alike however it is cut, and a hostile target is refused and hurts nobody."""

from __future__ import annotations

from collections.abc import Callable

from .guided import guided

_Told = tuple[int, bytes, int, int, int, int, int]


def _load() -> Callable[[bytes], None]:
    from sojourn.gateway.postgres import backend
    from sojourn.gateway.postgres.walk import BackendWalker, Event
    from sojourn.gateway.postgres.wire import WireError

    readers: dict[int, Callable[[bytes], object]] = {
        ord("R"): backend.parse_authentication,
        ord("K"): backend.parse_backend_key_data,
        ord("S"): backend.parse_parameter_status,
        ord("Z"): backend.parse_ready_for_query,
        ord("v"): backend.parse_negotiate_protocol_version,
        ord("E"): backend.parse_error,
        ord("N"): backend.parse_error,
        ord("C"): backend.parse_command_complete,
    }

    def walk(data: bytes, size: int) -> tuple[list[_Told], bool]:
        walker, told = BackendWalker(), list[Event]()
        refused = False
        try:
            for start in range(0, len(data), size):
                told += walker.walk(data[start : start + size])
        except WireError:
            refused = True
        return [(e.kind, e.payload, e.length, e.rows, e.row_bytes, e.copies, e.copy_bytes) for e in told], refused

    def check(data: bytes) -> None:
        whole, refused = walk(data[1:], max(1, len(data)))
        pieces, refused_in_pieces = walk(data[1:], 1 + data[0] % 97 if data else 1)
        assert refused == refused_in_pieces, "a cut decides whether a stream is refused"
        # What a chunk tells before its end is refused is not told; it is the last that anybody reads of it.
        assert pieces[: len(whole)] == whole, "a cut decides what is told"
        for kind, payload, *_ in pieces:
            reader = readers.get(kind)
            try:
                if reader is not None:
                    reader(payload)
            except WireError:
                continue

    return check


if __name__ == "__main__":
    guided(_load)
else:
    check = _load()
