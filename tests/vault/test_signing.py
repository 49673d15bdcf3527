"""A ledger's signing key may be kept in a token or a transit engine; strangers cannot tell from its signatures."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.codes import Code
from sojourn.errors import SojournError
from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger.checkpoint import Checkpoint
from sojourn.ledger.note import Verifier
from sojourn.vault.signing.address import FileAddress, Pkcs11Address, TransitAddress, parse_address
from sojourn.vault.signing.kept import KeptKey
from sojourn.vault.signing.pkcs11 import pkcs11_key
from sojourn.vault.signing.transit import transit_key

from .conftest import PIN, Bao, Token

NAME = "example.com/ledger"
HEAD = Checkpoint(origin=NAME, size=3, root=b"\x05" * 32)


def in_token(token: Token, label: str, pin: str = PIN, public: bytes | None = None) -> KeptKey:
    address = parse_address(token.address(label))
    assert isinstance(address, Pkcs11Address)
    return pkcs11_key(address, name=NAME, pin=pin, public=public)


def in_engine(bao: Bao, key: str, token: str = "", public: bytes | None = None) -> KeptKey:
    address = parse_address(bao.address(key))
    assert isinstance(address, TransitAddress)
    return transit_key(address, name=NAME, token=token or bao.token, public=public)


def refused(work: Callable[[], object]) -> SojournError:
    with pytest.raises(SojournError) as error:
        work()
    assert error.value.code is Code.SIGNING_UNAVAILABLE
    return error.value


def test_a_key_in_a_token_signs_checkpoints_that_anybody_can_check(token: Token) -> None:
    token.generate("ledger")
    key = in_token(token, "ledger")
    note = checkpoints.sign(HEAD, key)
    assert checkpoints.open(note, Verifier.parse(key.vkey())) == HEAD
    assert in_token(token, "ledger").vkey() == key.vkey()
    assert PIN not in repr(key)


def test_a_key_in_a_transit_engine_signs_checkpoints_that_anybody_can_check(bao: Bao) -> None:
    bao.call("POST", "transit/keys/ledger", {"type": "ed25519"})
    key = in_engine(bao, "ledger")
    note = checkpoints.sign(HEAD, key)
    assert checkpoints.open(note, Verifier.parse(key.vkey())) == HEAD
    assert bao.token not in repr(key)


def test_a_rotation_in_the_engine_does_not_change_who_signs(bao: Bao) -> None:
    """Only an entry changes the key of a ledger, never somebody who administers the engine."""
    bao.call("POST", "transit/keys/turning", {"type": "ed25519"})
    key = in_engine(bao, "turning")
    bao.call("POST", "transit/keys/turning/rotate")
    assert checkpoints.open(checkpoints.sign(HEAD, key), key.verifier()) == HEAD
    later = in_engine(bao, "turning", public=key.verifier().public)
    assert checkpoints.open(checkpoints.sign(HEAD, later), key.verifier()) == HEAD
    assert in_engine(bao, "turning").vkey() != key.vkey()


def test_a_key_that_was_swapped_puts_no_signature_on_anything(token: Token, bao: Bao) -> None:
    token.generate("one")
    token.generate("two")
    one = in_token(token, "one").verifier()
    error = refused(lambda: checkpoints.sign(HEAD, in_token(token, "two", public=one.public)))
    assert "no signature of the ledger's key" in str(error)
    bao.call("POST", "transit/keys/other", {"type": "ed25519"})
    with pytest.raises(SojournError) as changed:
        in_engine(bao, "other", public=one.public)
    assert changed.value.code is Code.SIGNING_CHANGED


def test_a_wrong_pin_is_told_as_such(token: Token) -> None:
    """In a process of its own: one that has logged in is not asked again."""
    token.generate("guarded")
    script = (
        "import sys; from sojourn.vault.signing.address import parse_address; "
        "from sojourn.vault.signing.pkcs11 import pkcs11_key; "
        "pkcs11_key(parse_address(sys.argv[1]), name='x', pin='wrong')"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, token.address("guarded")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "signing.unavailable" in done.stderr and "PinIncorrect" in done.stderr


def test_a_pin_that_was_refused_is_not_tried_until_the_token_locks_itself(token: Token) -> None:
    token.generate("locking")
    script = """
import sys
from sojourn.errors import SojournError
from sojourn.vault.signing.address import parse_address
from sojourn.vault.signing.pkcs11 import pkcs11_key
key = pkcs11_key(parse_address(sys.argv[1]), name='x', pin='wrong', public=bytes(31) + b'1')
for _ in range(3):
    try:
        key.signature_line('text')
    except SojournError as error:
        print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, token.address("locking")], capture_output=True, text=True, check=True
    )
    assert done.stdout.count("PinIncorrect") == 1
    assert done.stdout.count("is not tried again in this process") == 2


def test_a_missing_key_is_told_as_such_and_others_go_on(token: Token) -> None:
    token.generate("there")
    refused(lambda: in_token(token, "missing"))
    assert in_token(token, "there").signature_line("after the errors\n")


def test_a_module_or_token_that_is_not_there_is_told_as_such(token: Token) -> None:
    for address in (
        Pkcs11Address(module="/nowhere/libp11.so", token=token.label, label="ledger"),
        Pkcs11Address(module=str(token.module), token="nowhere", label="ledger"),
    ):
        refused(lambda address=address: pkcs11_key(address, name=NAME, pin=PIN))  # type: ignore[misc]


def test_an_engine_that_will_not_sign_is_told_as_such(bao: Bao) -> None:
    bao.call("POST", "transit/keys/elliptic", {"type": "ecdsa-p256"})
    assert "type is ecdsa-p256" in str(refused(lambda: in_engine(bao, "elliptic")))
    refused(lambda: in_engine(bao, "missing"))
    assert "403" in str(refused(lambda: in_engine(bao, "ledger", token="wrong")))


def test_an_engine_that_goes_away_is_waited_for_a_second_at_most(bao: Bao) -> None:
    bao.call("POST", "transit/keys/pausing", {"type": "ed25519"})
    key = in_engine(bao, "pausing")
    bao.process.send_signal(signal.SIGSTOP)
    try:
        before = time.monotonic()
        refused(lambda: key.signature_line("text\n"))
        assert time.monotonic() - before < 5
    finally:
        bao.process.send_signal(signal.SIGCONT)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            assert key.signature_line("text\n")
            return
        except SojournError:
            time.sleep(0.1)
    raise AssertionError("the key did not come back")


def test_nobody_listening_is_told_as_such() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    address = TransitAddress(base=f"http://127.0.0.1:{port}", mount="transit", key="ledger")
    refused(lambda: transit_key(address, name=NAME, token="x"))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b'{"data":[]}',
        b'{"data":{}}',
        b'{"data":{"type":"ed25519","keys":{}}}',
        b'{"data":{"type":"ed25519","keys":[]}}',
        b'{"data":{"type":"ed25519","keys":{"x":{"public_key":"AA=="}}}}',
        b'{"data":{"type":"ed25519","keys":{"1":{"public_key":"%"}}}}',
        b'{"data":{"type":"ed25519","keys":{"1":{"public_key":"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}}}}',
    ],
)
def test_whatever_else_answers_is_no_transit_engine(body: bytes) -> None:
    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            address = TransitAddress(base=f"http://127.0.0.1:{server.server_port}", mount="transit", key="ledger")
            refused(lambda: transit_key(address, name=NAME, token="x"))
        finally:
            server.shutdown()
            thread.join()


def test_addresses_are_read_into_their_parts() -> None:
    assert parse_address("file") == FileAddress()
    assert parse_address("pkcs11:token=a%20b;object=key?module-path=/usr/lib/x.so") == Pkcs11Address(
        module="/usr/lib/x.so", token="a b", label="key"
    )
    assert parse_address("vault:https://bao.example.com:8200/a/b/key") == TransitAddress(
        base="https://bao.example.com:8200", mount="a/b", key="key"
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "files",
        "pkcs11:",
        "pkcs11:token=a;object=b",
        "pkcs11:token=a;object=b?module-path=",
        "pkcs11:token=a;token=c;object=b?module-path=/x",
        "pkcs11:token=a;object=b?module-path=/x&pin-value=1234",
        "vault:https://bao.example.com/key",
        "vault:http://bao.example.com/transit/key",
        "vault:ftp://127.0.0.1/transit/key",
        "vault:https://me:secret@bao.example.com/transit/key",
        "vault:https://bao.example.com:port/transit/key",
        "vault:https://bao.example.com/transit/key?x=1",
    ],
)
def test_what_is_no_address_is_refused_with_the_forms_there_are(text: str) -> None:
    with pytest.raises(SojournError) as error:
        parse_address(text)
    assert error.value.code is Code.SETTINGS_INVALID
    assert "pkcs11:token=NAME" in str(error.value)


@given(st.text(max_size=60).map(lambda text: f"pkcs11:{text}") | st.text(max_size=60).map(lambda text: f"vault:{text}"))
def test_no_text_breaks_the_reader_of_addresses(text: str) -> None:
    try:
        parse_address(text)
    except SojournError as error:
        assert error.code is Code.SETTINGS_INVALID
