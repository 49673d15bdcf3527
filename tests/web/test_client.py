"""The Python client against a running installation: every call is there, typed, with errors, pages and keys."""

from __future__ import annotations

import re
import runpy
from collections.abc import Iterator
from pathlib import Path

import pytest

from sojourn.client import Client, Deed, File, Look, Stream, calls
from sojourn.demo.production import Production
from sojourn.errors import Code, SojournError
from sojourn.testing.installation import PASSWORD, Running, running
from sojourn.testing.serving import Answered, Asked, serving
from sojourn.web.api import bodies, shapes
from sojourn.web.api.endpoints import ENDPOINTS, OPEN, STREAM
from sojourn.web.api.openapi import answered, operation

ROOT = Path(__file__).resolve().parents[2]
CALLS = {name: one for name, one in vars(calls).items() if isinstance(one, (Look, Deed, File, Stream))}


@pytest.fixture(scope="module")
def sojourn(tmp_path_factory: pytest.TempPathFactory, production: Production) -> Iterator[Running]:
    """An installation of its own: a list of more than a page would be in the way of others' tests."""
    with running(tmp_path_factory.mktemp("client") / "one", production) as one:
        yield one


@pytest.fixture
def alice(sojourn: Running) -> Iterator[Client]:
    """A client of alice's."""
    with Client(sojourn.installation.address, sojourn.tokens["alice"]) as client:
        yield client


def test_every_address_of_the_table_is_a_call_with_its_types_and_no_other_is() -> None:
    assert len(CALLS) == len(ENDPOINTS) > 100
    for one in ENDPOINTS:
        call = CALLS[operation(one).replace(".", "_").upper()]
        assert call.path == one.path
        match call:
            case Deed():
                assert (one.method, call.body, call.answer) == ("POST", one.body, answered(one))
            case Look():
                assert (one.method, call.answer, call.query) == ("GET", answered(one), one.query)
            case File():
                assert (one.method, answered(one), call.query) == ("GET", None, one.query)
                assert one.media != STREAM
            case Stream():
                assert (one.method, one.media, call.query) == ("GET", STREAM, one.query)


def test_the_module_of_calls_is_what_the_table_says() -> None:
    written = (ROOT / "src" / "sojourn" / "client" / "calls.py").read_text()
    assert written == runpy.run_path(str(ROOT / "scripts" / "calls.py"))["module"](), "run `make reference`"


def test_every_look_is_answered_by_what_it_says(sojourn: Running) -> None:
    sojourn.granted()
    with Client(sojourn.installation.address, sojourn.tokens["carol"]) as carol:
        seen = 0
        for one in ENDPOINTS:
            call = CALLS.get(operation(one).replace(".", "_").upper())
            if not isinstance(call, Look) or "{" in call.path or one.permission is OPEN:
                continue
            query: dict[str, str] = {"target": "shop", "role": "read"} if call.path.endswith("who-can") else {}
            query |= {"old": "1"} if call.path.endswith("consistency") else {}
            try:
                assert isinstance(carol.look(call, **query), call.answer)
                seen += 1
            except SojournError as error:
                # What carol may not see is refused, and never misread.
                assert error.code in (Code.PERMISSION_DENIED,), (call.path, error)
        assert seen > 20


def test_a_person_signs_in_asks_and_takes_it_back(sojourn: Running) -> None:
    with Client(sojourn.installation.address) as client:
        signed = client.do(calls.PEOPLE_SIGN_IN, bodies.SignIn(person="alice", password=PASSWORD))
        client.use(signed.token)
        asked = client.do(
            calls.ASKING_SUBMIT, bodies.Ask(target="shop", role="read", duration="10m", reason="to see it")
        )
        assert isinstance(asked, shapes.RequestShown)
        assert client.look(calls.ASKING_ONE, asked.request) == asked
        gone = client.do(calls.ASKING_WITHDRAW, bodies.Nothing(), asked.request)
        assert (gone.request, gone.status) == (asked.request, "withdrawn")
        assert client.do(calls.PEOPLE_SIGN_OUT, bodies.Nothing()) is None
        with pytest.raises(SojournError) as raised:
            client.look(calls.PEOPLE_ME)
        assert raised.value.code is Code.CREDENTIALS_INVALID


def test_a_call_with_a_key_is_carried_out_once(alice: Client) -> None:
    body = bodies.Ask(target="shop", role="read", duration="10m", reason="once")
    first = alice.do(calls.ASKING_SUBMIT, body, key="a-run-of-the-test")
    assert alice.do(calls.ASKING_SUBMIT, body, key="a-run-of-the-test") == first
    assert alice.do(calls.ASKING_SUBMIT, body).request != first.request


def test_what_is_refused_has_its_code_and_next_step(alice: Client) -> None:
    with pytest.raises(SojournError) as raised:
        alice.do(calls.ASKING_SUBMIT, bodies.Ask(target="nowhere", role="read", duration="10m", reason="x"))
    assert raised.value.code.value in raised.value.args[0]
    assert raised.value.refusal.next_step
    for names in ((), ("a", "b"), ("",), ("..",)):
        with pytest.raises(SojournError) as raised:
            alice.look(calls.ASKING_ONE, *names)
        assert raised.value.code is Code.INPUT_INVALID
    # A name that looks like a path stays a name.
    with pytest.raises(SojournError) as raised:
        alice.look(calls.ASKING_ONE, "../grants")
    assert raised.value.code is not Code.SERVICE_UNREACHABLE
    with pytest.raises(SojournError, match="knows no status_"):
        alice.look(calls.ASKING_LISTING, status_="open")


def test_a_list_is_walked_page_by_page_to_its_end(sojourn: Running, alice: Client) -> None:
    made = {alice.do(calls.ASKING_SUBMIT, _short(number)).request for number in range(103)}
    pages = list(alice.pages(calls.ASKING_LISTING, mine="1"))
    assert len(pages) > 1
    seen = [one.request for page in pages for one in page.requests]
    assert len(seen) == len(set(seen))
    assert made <= set(seen)
    assert pages[-1].more is False


def _short(number: int) -> bodies.Ask:
    return bodies.Ask(target="shop", role="read", duration="10m", reason=f"number {number}")


def test_a_file_comes_as_bytes(sojourn: Running) -> None:
    grant = sojourn.granted()["grant"]
    with Client(sojourn.installation.address, sojourn.tokens["dora"]) as dora:
        assert dora.file(calls.AUDITING_EVIDENCE, grant)[:2] == b"PK"


def test_a_broken_line_is_tried_again_for_a_call_with_a_key_alone() -> None:
    keys: list[str | None] = []

    def answer(asked: Asked) -> Answered:
        keys.append(asked.headers.get("idempotency-key"))
        if len(keys) % 3:
            return Answered()
        return Answered(kind="application/json", body=b"{}")

    with serving(answer) as address, Client(address, "t") as client:
        assert client.do(calls.PEOPLE_SIGN_OUT, bodies.Nothing(), key="the-same-key") is None
        assert keys == ["the-same-key"] * 3
        with pytest.raises(SojournError) as raised:
            client.do(calls.PEOPLE_SIGN_OUT, bodies.Nothing())
        assert raised.value.code is Code.SERVICE_UNREACHABLE
        assert keys[3:] == [None]


def test_a_stream_that_breaks_off_is_gone_on_with_after_what_was_heard_whole() -> None:
    resumed: list[str | None] = []

    def answer(asked: Asked) -> Answered:
        last = asked.headers.get("last-event-id")
        resumed.append(last)
        number = 0 if last is None else int(last) + 1
        body = f"id: {number}\nevent: entry\ndata: {number}\n\nid: {number + 1}\nevent: entry\ndata: in the mid"
        return Answered(kind="text/event-stream", body=body.encode())

    with serving(answer) as address, Client(address, "t") as client:
        told = client.follow(calls.FOLLOWING_ENTRIES)
        assert [(one.id, one.json()) for one in (next(told), next(told), next(told))] == [("0", 0), ("1", 1), ("2", 2)]
        assert resumed == [None, "0", "1"]


def test_a_stream_that_stays_away_and_one_that_is_refused_are_errors() -> None:
    with serving(lambda asked: Answered()) as address, Client(address, "t") as client:
        with pytest.raises(SojournError) as raised:
            next(client.follow(calls.FOLLOWING_ENTRIES))
        assert raised.value.code is Code.SERVICE_UNREACHABLE
    with serving(lambda asked: Answered(kind="text/html", body=b"<p>")) as address, Client(address) as client:
        with pytest.raises(SojournError) as raised:
            next(client.follow(calls.FOLLOWING_ENTRIES))
        assert raised.value.code is Code.SERVICE_UNREACHABLE


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"person": 7}', b"\xff"], ids=["page", "list", "type", "bytes"])
def test_what_is_not_sojourn_is_not_taken_for_it(body: bytes) -> None:
    with serving(lambda asked: Answered(kind="text/html", body=body)) as address, Client(address) as client:
        with pytest.raises(SojournError) as raised:
            client.look(calls.PEOPLE_ME)
        assert raised.value.code is Code.SERVICE_UNREACHABLE


@pytest.mark.parametrize("address", ["http://sojourn.example", "ftp://localhost", "sojourn", "http://[", ""])
def test_nothing_secret_goes_where_others_could_read_it(address: str) -> None:
    with pytest.raises(SojournError) as raised:
        Client(address, "t")
    assert raised.value.code is Code.INPUT_INVALID


def test_the_example_on_the_page_runs(sojourn: Running, capsys: pytest.CaptureFixture[str]) -> None:
    page = (ROOT / "docs" / "reference" / "python-client.md").read_text()
    (example,) = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    example = example.replace("https://sojourn.example", sojourn.installation.address)
    example = example.replace("TOKEN", f'"{sojourn.tokens["alice"]}"')
    exec(compile(example, "python-client.md", "exec"), {})
    assert "shop" in capsys.readouterr().out
