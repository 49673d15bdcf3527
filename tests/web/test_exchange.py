"""What holds for every address: bodies, errors, headers, other sites."""

from __future__ import annotations

import re
import socket
from urllib.parse import urlsplit

import pytest

from sojourn.codes import Code
from sojourn.meanings import CATALOGUE
from sojourn.testing.installation import Running
from sojourn.web.api.answering import HEADERS
from sojourn.web.api.endpoints import ENDPOINTS, Permission
from sojourn.web.exchange import BODY_BYTES_MAX

POSTS = [one.path for one in ENDPOINTS if one.method == "POST"]
GETS = [one.path for one in ENDPOINTS if one.method == "GET"]
OPEN_POSTS = {one.path for one in ENDPOINTS if one.method == "POST" and one.permission is Permission.OPEN}


def _filled(path: str) -> str:
    return path.replace("{name}", "nothing").replace("{number}", "999999999")


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize(
    "content", [b"{", b"[]", b'"x"', b"\xff\xfe", b'{"unknown_field": 1}', b'{"a": "\\ud800"}', b"[" * 5000]
)
def test_a_malformed_body_is_refused_whole(sojourn: Running, path: str, content: bytes) -> None:
    answered = sojourn.send(
        "POST", _filled(path), person="carol", content=content, headers={"content-type": "application/json"}
    )
    assert answered.status_code == 422
    assert answered.json()["error"]["code"] == "input.invalid"


@pytest.mark.parametrize("path", POSTS)
def test_a_body_says_that_it_is_json(sojourn: Running, path: str) -> None:
    answered = sojourn.send(
        "POST", _filled(path), person="carol", content=b"{}", headers={"content-type": "text/plain"}
    )
    assert answered.json()["error"]["details"]["expected"] == "content-type: application/json"


def test_a_body_over_the_limit_is_refused(sojourn: Running) -> None:
    answered = sojourn.send("POST", "/sign-in", {"person": "alice", "password": "x" * BODY_BYTES_MAX})
    assert answered.status_code == 422
    assert "too large" in answered.json()["error"]["message"]


@pytest.mark.parametrize("path", [path for path in GETS if path != "/health"])
def test_every_look_needs_a_token(sojourn: Running, path: str) -> None:
    answered = sojourn.send("GET", _filled(path))
    assert (answered.status_code, answered.json()["error"]["code"]) == (401, "credentials.missing")


@pytest.mark.parametrize("path", [path for path in POSTS if path not in OPEN_POSTS])
def test_every_deed_needs_a_token(sojourn: Running, path: str) -> None:
    answered = sojourn.send("POST", _filled(path), {})
    assert (answered.status_code, answered.json()["error"]["code"]) == (401, "credentials.missing")


@pytest.mark.parametrize("path", [path for path in GETS if "{" in path and "/people/" not in path])
def test_what_is_not_there_is_not_found_and_the_look_is_on_record(sojourn: Running, path: str) -> None:
    # An auditor may see everything, so what she is not shown is not there.
    answered = sojourn.send("GET", _filled(path), person="dora")
    assert answered.status_code == 404
    code = answered.json()["error"]["code"]
    assert re.fullmatch(r"[a-z]+\.unknown", code)
    (last, *_) = sojourn.get("/attempts?actor=dora", person="dora")["attempts"]
    assert (last["code"], last["subject"]) == (code, "/api/v1" + _filled(path))


@pytest.mark.parametrize("name", ["%00", "..%2f..%2fetc", "%F0%9F%92%A9", "a" * 5000, "%1b%5b2K", "'%20OR%201=1--"])
def test_a_hostile_name_is_just_unknown(sojourn: Running, name: str) -> None:
    answered = sojourn.send("GET", f"/grants/{name}", person="dora")
    assert answered.status_code == 404
    deed = sojourn.send("POST", f"/grants/{name}/revoke", {}, person="carol")
    assert deed.status_code == 404


def test_an_address_that_is_not_there_and_a_wrong_method_answer_in_json(sojourn: Running) -> None:
    nowhere = sojourn.send("GET", "/nowhere", person="alice")
    method = sojourn.send("DELETE", "/requests", person="alice")
    assert (nowhere.status_code, method.status_code) == (404, 405)
    assert {one.json()["error"]["code"] for one in (nowhere, method)} == {"input.invalid"}


@pytest.mark.parametrize("path", ["/health", "/me", "/nowhere"])
def test_every_answer_has_safe_headers_and_sets_no_cookie(sojourn: Running, path: str) -> None:
    answered = sojourn.send("GET", path)
    for name, value in HEADERS.items():
        assert answered.headers[name] == value
    assert "set-cookie" not in answered.headers
    assert "server" not in answered.headers
    assert "access-control-allow-origin" not in answered.headers


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:1"])
def test_a_page_of_another_site_is_turned_away(sojourn: Running, origin: str) -> None:
    answered = sojourn.send("POST", "/sign-in", {"person": "a", "password": "b"}, headers={"origin": origin})
    assert (answered.status_code, answered.json()["error"]["code"]) == (403, "permission.denied")


def test_nobody_says_in_a_header_where_they_come_from(sojourn: Running) -> None:
    headers = {"x-forwarded-for": "203.0.113.9", "x-forwarded-proto": "https", "forwarded": "for=203.0.113.9"}
    sojourn.send("GET", "/grants/g-forwarded0", person="alice", headers=headers)
    (last, *_) = sojourn.get("/attempts?actor=alice", person="dora")["attempts"]
    assert last["subject"].endswith("/g-forwarded0") and last["source"].startswith("127.0.0.1:")


def test_an_error_reads_as_the_catalogue_says(sojourn: Running) -> None:
    answered = sojourn.send("POST", "/requests/r-0000000000/withdraw", {}, person="alice")
    problem = answered.json()["error"]
    meaning = CATALOGUE[Code(problem["code"])]
    assert answered.status_code == meaning.http_status
    assert problem["message"] == meaning.sentence.format_map(problem["details"])
    assert problem["next_step"] == meaning.next_step.format_map(problem["details"])


@pytest.mark.parametrize("sent", [b"GET / HTTP/1.1\r\n\r\n\r\n", b"\x16\x03\x01\x02\x00", b"\x00" * 5000])
def test_garbage_on_the_port_leaves_the_api_running(sojourn: Running, sent: bytes) -> None:
    address = urlsplit(sojourn.installation.address)
    assert address.hostname is not None and address.port is not None
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(4096):
            pass
    assert sojourn.send("GET", "/health").json()["ok"] is True


def test_a_look_that_would_say_the_same_again_says_so_without_a_body(sojourn: Running) -> None:
    first = sojourn.send("GET", "/me", person="alice")
    tag = first.headers["etag"]
    again = sojourn.send("GET", "/me", person="alice", headers={"if-none-match": f'"other", {tag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    other = sojourn.send("GET", "/me", person="bob", headers={"if-none-match": tag})
    assert other.status_code == 200 and other.json()["person"] == "bob"
    assert "etag" not in sojourn.send("POST", "/requests", {}, person="alice").headers
