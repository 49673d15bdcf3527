"""What a client sends: cut anywhere it is the same messages, and each is read or refused, never anything else."""

from __future__ import annotations

from collections.abc import Callable

from .guided import guided


def _load() -> Callable[[bytes], None]:
    from sojourn.gateway.postgres import frontend
    from sojourn.gateway.postgres.wire import Frame, Splitter, WireError

    limits = frontend.session_limits(65_536)
    readers: dict[int, Callable[[bytes], object]] = {
        ord("Q"): frontend.parse_query,
        ord("P"): frontend.parse_parse,
        ord("B"): frontend.parse_bind,
        ord("E"): frontend.parse_execute,
        ord("D"): frontend.parse_describe,
        ord("C"): frontend.parse_close,
        ord("F"): frontend.parse_function_call,
        ord("f"): frontend.parse_copy_fail,
        ord("p"): frontend.parse_sasl_initial,
    }

    def split(data: bytes, size: int) -> tuple[list[tuple[int, bytes]], bool]:
        """The messages, those of COPY joined, and whether the stream was refused."""
        splitter, told = Splitter(limits), list[Frame]()
        try:
            for start in range(0, len(data), size):
                told += splitter.feed(data[start : start + size])
        except WireError:
            return [(one.kind, one.raw) for one in told if one.kind != ord("d")], True
        return [(one.kind, one.raw) for one in told if one.kind != ord("d")], False

    def check(data: bytes) -> None:
        whole, refused = split(data[1:], max(1, len(data)))
        pieces, refused_in_pieces = split(data[1:], 1 + data[0] % 97 if data else 1)
        assert refused == refused_in_pieces, "a cut decides whether a stream is refused"
        assert pieces[: len(whole)] == whole, "a cut decides what a message is"
        for kind, raw in pieces:
            reader = readers.get(kind)
            try:
                if reader is not None:
                    reader(raw[5:])
            except WireError:
                continue

    return check


if __name__ == "__main__":
    guided(_load)
else:
    check = _load()
