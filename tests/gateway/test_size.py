"""Large things pass, memory stays bounded, and what is too large is refused by itself."""

from __future__ import annotations

import resource
import time
from pathlib import Path

from .conftest import Access, settle
from .raw import SYNC, RawClient, error_fields, extended, message, parse, query

MEGABYTE = 1 << 20


def resident() -> int:
    """Bytes of this process (gateway and client both live in it)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def drain(client: RawClient, until: bytes) -> int:
    """Read and throw away until the stream ends with `until`; gives the number of bytes."""
    total, tail = 0, b""
    while not tail.endswith(until):
        chunk = client.socket.recv(MEGABYTE)
        assert chunk
        total += len(chunk)
        tail = (tail + chunk)[-len(until) :]
    return total


def test_a_row_of_64_megabytes_passes_through_bounded_memory(gateway: Access, raw: RawClient) -> None:
    before = resident()
    raw.send(query("SELECT repeat('x', 64 * 1024 * 1024)"))
    time.sleep(1.5)
    assert resident() - before < 24 * MEGABYTE, "what the client does not read piles up"
    assert drain(raw, message("Z", b"I")) > 64 * MEGABYTE
    assert resident() - before < 40 * MEGABYTE
    assert settle(gateway, 1)[0][1].bytes_out > 64 * MEGABYTE


def test_many_rows_for_a_slow_client_pass_through_bounded_memory(gateway: Access, raw: RawClient) -> None:
    before = resident()
    raw.send(extended("SELECT repeat('x', 1000) FROM generate_series(1, 200000)") + SYNC)
    first = time.monotonic()
    raw.socket.recv(100)
    assert time.monotonic() - first < 1.0
    time.sleep(1)
    assert resident() - before < 24 * MEGABYTE
    drain(raw, message("Z", b"I"))
    assert settle(gateway, 1)[0][1].rows == 200_000


def test_a_statement_of_8_megabytes_passes(gateway: Access, raw: RawClient) -> None:
    raw.send(query(f"SELECT length('{'y' * (8 * MEGABYTE)}')"))
    assert raw.until_ready() == "TDCZ"
    settle(gateway, 1)


def test_a_statement_too_large_for_the_record_is_refused_and_the_session_goes_on(
    gateway: Access, raw: RawClient
) -> None:
    # A control character takes six bytes in the record.
    raw.send(query("SELECT length('" + "\x01" * (12 * MEGABYTE) + "')"))
    kind, body = raw.read()
    assert (kind, error_fields(body)["C"]) == ("E", "54000")
    assert raw.until_ready() == "Z"
    raw.send(query("SELECT 1"))
    assert raw.until_ready() == "TDCZ"
    (detail, refused), (_, done) = settle(gateway, 2)
    assert "too_large" in detail and len(detail) < 100
    assert (refused.outcome, done.outcome) == ("skipped", "completed")
    assert refused.message is not None
    assert "over the limit" in gateway.detail(refused.message.commitment).decode()


def test_failing_parses_without_end_do_not_pile_up(gateway: Access, raw: RawClient) -> None:
    for _ in range(20):
        raw.send((parse("SELECT * FROM nowhere") + SYNC) * 50)
        raw.until_ready(50)
    assert {outcome.sqlstate for _, outcome in settle(gateway, 1000, within=20)} == {"42P01"}
