"""Attacks on the boundary: smuggled requests, split headers, paths that lead elsewhere, addresses that are made up."""

from __future__ import annotations

import re
import socket
from urllib.parse import urlsplit

import pytest

from sojourn.testing.installation import Running
from sojourn.web.api.endpoints import ENDPOINTS
from sojourn.web.pages.statics import NAMES
from sojourn.web.pages.table import PAGES


def _raw(sojourn: Running, sent: bytes) -> bytes:
    """Everything that is answered to these bytes until the server hangs up, as it does after what it cannot read."""
    address = urlsplit(sojourn.installation.address)
    assert address.hostname is not None and address.port is not None
    answered = b""
    with socket.create_connection((address.hostname, address.port), timeout=15) as connection:
        connection.sendall(sent)
        while part := connection.recv(65536):
            answered += part
    return answered


HEAD = b"POST /api/v1/sign-in HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
INNER = b"GET /api/v1/health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
CHUNKED = b"0\r\n\r\n"
SMUGGLED = {
    "two lengths": HEAD + b"content-length: 0\r\ncontent-length: %d\r\n\r\n" % len(INNER) + INNER,
    "two lengths in one": HEAD + b"content-length: 0, %d\r\n\r\n" % len(INNER) + INNER,
    "a length with a sign": HEAD + b"content-length: +0\r\n\r\n" + INNER,
    "a length in hex": HEAD + b"content-length: 0x0\r\n\r\n" + INNER,
    "a length below zero": HEAD + b"content-length: -1\r\n\r\n" + INNER,
    "a space before the colon": HEAD + b"content-length : 0\r\n\r\n" + INNER,
    "another coding": HEAD + b"transfer-encoding: xchunked\r\n\r\n" + CHUNKED + INNER,
    "two codings": HEAD + b"transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n\r\n" + CHUNKED + INNER,
    "a coding within": HEAD + b"transfer-encoding: gzip, chunked\r\n\r\n" + CHUNKED + INNER,
    "a folded line": HEAD + b"x: a\r\n content-length: 0\r\ncontent-length: zero\r\n\r\n" + INNER,
    "a chunk with a sign": HEAD + b"transfer-encoding: chunked\r\n\r\n+0\r\n\r\n" + INNER,
    "a chunk below zero": HEAD + b"transfer-encoding: chunked\r\n\r\n-1\r\n\r\n" + INNER,
    "a zero byte": HEAD + b"x: a\x00b\r\ncontent-length: 0\r\n\r\n" + INNER,
    "a bare return": HEAD + b"x: a\rtransfer-encoding: chunked\r\ncontent-length: 0\r\n\r\n" + INNER,
}


@pytest.mark.parametrize("sent", SMUGGLED.values(), ids=SMUGGLED.keys())
def test_a_request_whose_end_can_be_read_in_two_ways_is_refused_and_nothing_after_it_is_read(
    sojourn: Running, sent: bytes
) -> None:
    answered = _raw(sojourn, sent)
    assert answered.startswith(b"HTTP/1.1 400 "), answered[:200]
    assert answered.count(b"HTTP/1.1 ") == 1
    assert b'"ok":true' not in answered


def test_a_coding_wins_over_a_length_and_ends_the_connection_or_the_request(sojourn: Running) -> None:
    # RFC 9112, 6.3: the coding is what counts. What is left must not be taken for part of the body.
    both = HEAD + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n" + CHUNKED + INNER
    statuses = re.findall(rb"HTTP/1.1 (\d+)", _raw(sojourn, both))
    assert statuses[0] in (b"400", b"401", b"422")
    assert statuses[1:] in ([], [b"200"])


SPLITTING = "%0d%0aset-cookie:%20evil=1%0d%0a%0d%0a<script>alert(1)</script>"


@pytest.mark.parametrize(
    "path",
    [
        f"/sign-in?next=/{SPLITTING}",
        f"/requests?view={SPLITTING}",
        f"/{SPLITTING}",
        f"/sessions/{SPLITTING}",
        f"/static/{SPLITTING}/sojourn.css",
        f"/api/v1/grants/{SPLITTING}/evidence",
        f"/api/v1/ledger/entries/{SPLITTING}/proof",
        f"/api/v1/report-runs/{SPLITTING}/file",
    ],
)
def test_no_header_is_split(sojourn: Running, path: str) -> None:
    head, _, body = _raw(sojourn, f"GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode()).partition(
        b"\r\n\r\n"
    )
    assert b"evil" not in re.sub(rb"(?im)^location: .*$", b"", head)
    assert not re.search(rb"(?im)^set-cookie: evil", head)
    assert b"<script>alert" not in body


LOCATIONS = ("..", "../", "....//", "..%2f", "%2e%2e/", "..%5c", "%00", "/", "//", "~", ".", "\\")


@pytest.mark.parametrize("name", LOCATIONS)
def test_no_file_is_reached_by_its_path(sojourn: Running, name: str) -> None:
    token = sojourn.tokens["dora"]
    ways = (
        f"/static/{name}/frame.py",
        f"/static/0000000000000000/{name}frame.py",
        f"/static/{name}{name}{name}etc/passwd",
        f"/api/v1/report-runs/{name}{name}keys/file",
        f"/api/v1/grants/{name}{name}ledger.db/evidence",
        f"/api/v1/disposals/{name}{name}ledger.db/certificate",
        f"/api/v1/ledger/entries/{name}{name}ledger.db/proof",
        f"/api/v1/sessions/{name}{name}ledger.db/replay",
    )
    for way in ways:
        sent = f"GET {way} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n".encode()
        answered = _raw(sojourn, sent)
        status = answered.split(b" ", 2)[1]
        assert status in (b"400", b"404", b"405", b"422"), (way, answered[:100])
        assert b"root:" not in answered and b"import" not in answered and b"SQLite" not in answered


def test_every_static_file_is_one_that_was_put_there(sojourn: Running) -> None:
    assert all(re.fullmatch(r"[a-z]+\.(css|js|svg)", name) for name in NAMES)


@pytest.mark.parametrize("method", ["TRACE", "TRACK", "CONNECT", "PUT", "DELETE", "PATCH", "OPTIONS", "FOO"])
@pytest.mark.parametrize("path", ["/", "/requests", "/api/v1/requests", "/api/v1/health"])
def test_a_method_that_is_not_served_is_refused(sojourn: Running, method: str, path: str) -> None:
    sent = f"{method} {path} HTTP/1.1\r\nhost: x\r\ncookie: secret=echo\r\nconnection: close\r\n\r\n".encode()
    answered = _raw(sojourn, sent)
    assert answered.split(b" ", 2)[1] in (b"400", b"405"), answered[:100]
    assert b"secret=echo" not in answered


@pytest.mark.parametrize("header", ["x-forwarded-host", "x-original-url", "x-rewrite-url", "x-http-method-override"])
def test_a_header_that_others_believe_changes_nothing(sojourn: Running, header: str) -> None:
    plain = sojourn.send("GET", "/me", person="alice")
    other = sojourn.send("GET", "/me", person="alice", headers={header: "/api/v1/people/bob/invitation"})
    assert (other.status_code, other.json()) == (plain.status_code, plain.json())


def test_a_caller_says_neither_where_they_come_from_nor_where_they_are(sojourn: Running) -> None:
    # Without `control.behind_proxy` no header is believed about that.
    sojourn.send("GET", "/grants/g-none", person="alice", headers={"x-forwarded-for": "203.0.113.9, 198.51.100.7"})
    (last, *_) = sojourn.get("/attempts?actor=alice", person="dora")["attempts"]
    assert last["source"].startswith("127.0.0.1:")
    sent = b"GET /requests HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n"
    assert b"evil.example" not in _raw(sojourn, sent)


def test_the_tables_serve_no_method_that_is_safe_in_name_alone() -> None:
    assert {one.method for one in ENDPOINTS} | {one.method for one in PAGES} <= {
        "GET",
        "POST",
        "DELETE",
        "PUT",
        "PATCH",
    }
