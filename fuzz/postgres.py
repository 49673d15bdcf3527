"""The PostgreSQL protocol: what a client and a target say, in what order ever, and cut wherever.

A cut decides nothing; what is malformed is refused with the codec's one error; an action gets one end.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from sojourn.domain.credential import derive_verifier
from sojourn.gateway.postgres import backend, frontend, startup
from sojourn.gateway.postgres.action import Action, Finished
from sojourn.gateway.postgres.classify import classify
from sojourn.gateway.postgres.conversation import Conversation
from sojourn.gateway.postgres.scram import ScramError, ServerExchange
from sojourn.gateway.postgres.startup import StartupMessage
from sojourn.gateway.postgres.walk import BackendWalker, Event
from sojourn.gateway.postgres.wire import Frame, Splitter, WireError

CAPTURES = Path(__file__).parents[1] / "tests" / "wire" / "postgres" / "captures"
SIZES = 97
"""How many sizes of pieces a stream is cut into; the first byte of an input chooses."""

_LIMITS = frontend.session_limits(65_536)
_VERIFIER = derive_verifier("secret", b"salt", 1)
_FROM_CLIENT: dict[int, Callable[[bytes], object]] = {
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
_FROM_TARGET: dict[int, Callable[[bytes], object]] = {
    ord("R"): backend.parse_authentication,
    ord("K"): backend.parse_backend_key_data,
    ord("S"): backend.parse_parameter_status,
    ord("Z"): backend.parse_ready_for_query,
    ord("v"): backend.parse_negotiate_protocol_version,
    ord("E"): backend.parse_error,
    ord("N"): backend.parse_error,
    ord("C"): backend.parse_command_complete,
}


def captures() -> Iterator[bytes]:
    """Real conversations, each side by itself."""
    for path in sorted(CAPTURES.iterdir()):
        yield b"\0" + path.read_bytes()


def turns() -> Iterator[bytes]:
    """Short turns of both sides, as `talk` reads them."""
    said = [(3, frontend.query("select 1")), (0, backend.ready_for_query()), (1, frontend.query("x"))]
    yield b"".join(bytes([turn | len(data) << 2]) + data for turn, data in said)


def starts() -> Iterator[bytes]:
    """First packets."""
    yield startup.startup_message({"user": "alice", "database": "shop", "options": "-c a=b"})
    yield startup.ssl_request()
    yield startup.cancel_request(7, b"abcd")


def statements() -> Iterator[bytes]:
    """Statements of several kinds."""
    yield b"WITH x AS (DELETE FROM a.b RETURNING *) SELECT $1::int, f(x) FROM x"
    yield b"EXPLAIN ANALYZE UPDATE t SET a = E'\\'' WHERE b = $tag$;$tag$; COPY t TO PROGRAM 'cat'"


def _read(readers: dict[int, Callable[[bytes], object]], kind: int, body: bytes) -> None:
    reader = readers.get(kind)
    if reader is not None:
        with contextlib.suppress(WireError):
            reader(body)


def _split(data: bytes, size: int) -> tuple[list[tuple[int, bytes]], bool]:
    """The messages but those of COPY, whose pieces may differ, and whether the stream was refused."""
    splitter, told, refused = Splitter(_LIMITS), list[Frame](), False
    try:
        for start in range(0, len(data), size):
            told += splitter.feed(data[start : start + size])
    except WireError:
        refused = True
    return [(one.kind, one.raw) for one in told if one.kind != ord("d")], refused


def from_client(data: bytes) -> None:
    """What a client sends."""
    whole, refused = _split(data[1:], max(1, len(data)))
    pieces, refused_in_pieces = _split(data[1:], 1 + data[0] % SIZES if data else 1)
    assert refused == refused_in_pieces, "a cut decides whether a stream is refused"
    assert pieces[: len(whole)] == whole, "a cut decides what a message is"
    for kind, raw in pieces:
        _read(_FROM_CLIENT, kind, raw[5:])


def _walk(data: bytes, size: int) -> tuple[list[tuple[int, ...]], list[Event], bool]:
    walker, told, refused = BackendWalker(), list[Event](), False
    try:
        for start in range(0, len(data), size):
            told += walker.walk(data[start : start + size])
    except WireError:
        refused = True
    counts: list[tuple[int, ...]] = [
        (e.kind, hash(e.payload), e.length, e.rows, e.row_bytes, e.copies, e.copy_bytes) for e in told
    ]
    return counts, told, refused


def from_target(data: bytes) -> None:
    """What a target sends."""
    whole, _, refused = _walk(data[1:], max(1, len(data)))
    pieces, told, refused_in_pieces = _walk(data[1:], 1 + data[0] % SIZES if data else 1)
    assert refused == refused_in_pieces, "a cut decides whether a stream is refused"
    assert pieces[: len(whole)] == whole, "a cut decides what is told"
    for event in told:
        _read(_FROM_TARGET, event.kind, event.payload)


def start(data: bytes) -> None:
    """The first packet of somebody who has not said who they are, and a log-in by SCRAM without the secret."""
    startup.describe(startup.sniff(data))
    for packet in (data, (len(data) + 4).to_bytes(4, "big") + data):
        with contextlib.suppress(WireError):
            _read_start(packet)
    first, _, last = data.partition(b"\xff")
    exchange = ServerExchange([_VERIFIER], b"n" * 24)
    with contextlib.suppress(ScramError):
        exchange.first(first)
        exchange.final(last)
        raise AssertionError("somebody came in without the secret")


def _read_start(data: bytes) -> None:
    packet = startup.parse_startup(data)
    if isinstance(packet, StartupMessage):
        again = startup.startup_message(packet.parameters, minor=packet.minor, options=packet.options)
        assert startup.parse_startup(again) == packet, "what was read reads alike when it is written"
        startup.settings_in_options(packet.parameters.get("options", ""))


def talk(data: bytes) -> None:
    """A client and a target in turns: two bits say whose turn it is, six how much is said."""
    conversation, begun, ended = Conversation(), list[Action](), list[Finished]()
    with contextlib.suppress(WireError):
        _take_turns(data, conversation, begun, ended)
    ended += conversation.broken_off(2.0)
    numbers = [action.number for action, _ in ended]
    assert len(set(numbers)) == len(numbers), "an action ended twice"


def _take_turns(data: bytes, conversation: Conversation, begun: list[Action], ended: list[Finished]) -> None:
    splitter, walker, position = Splitter(_LIMITS), BackendWalker(), 0
    while position < len(data):
        turn, length = data[position] & 3, data[position] >> 2
        said, position = data[position + 1 : position + 1 + length], position + 1 + length
        if turn == 0:
            ended += conversation.answered(walker.walk(said), 1.0)
            continue
        batch = conversation.stage(splitter.feed(said))
        for action in batch.actions:
            begun.append(action)
            action.number = len(begun)
        if turn == 1:
            ended += conversation.withdraw(batch, 1.0)
        else:
            ended += conversation.forwarded(batch, 1.0)


def label(data: bytes) -> None:
    """A statement of any text."""
    found = classify(data.decode(errors="replace"))
    assert found.parsed or found.may_write, "what could not be read may write"
    assert len(found.tables) <= 64
