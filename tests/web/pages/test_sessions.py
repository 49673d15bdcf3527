"""The pages of sessions: what they show, what they leave out, and what is opened on them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import pytest
from tests.web.pages.test_every_page import Balanced

from sojourn.testing.browser import Browser
from sojourn.testing.filled import HOSTILE, Client, connected, until
from sojourn.testing.installation import Running
from sojourn.web.pages import highlighting


@pytest.fixture(scope="module")
def client(sojourn: Running) -> Iterator[tuple[str, Client]]:
    """An open session of alice's, and her client."""
    for held in sojourn.get("/grants?status=active&mine=1", person="alice")["grants"]:
        sojourn.post(f"/grants/{held['grant']}/end", person="alice")
    grant = sojourn.granted()["grant"]
    with connected(sojourn, name=HOSTILE.replace("\x07", "")) as client:
        client.execute("select status from shop.orders limit 1")
        client.execute("select %s::text, 1", (HOSTILE,))
        client.execute("select %b::bytea, %s::text", (b"\x00\xffbytes", None))
        (session,) = until(lambda: sojourn.get(f"/sessions?grant={grant}", person="alice")["sessions"])
        yield session["session"], client


def test_a_session_is_found_and_shows_its_actions_sealed(
    browsers: Mapping[str, Browser], client: tuple[str, Client]
) -> None:
    session, _ = client
    for person, view in (("alice", "mine"), ("carol", "open"), ("dora", "all")):
        assert f"/sessions/{session}" in browsers[person].get(f"/sessions?view={view}").text
    page = browsers["carol"].get(f"/sessions/{session}").text
    assert "shop.orders" in page and "sealed" in page and "Revoke now" in page
    assert f"/sessions/{session}/actions/1" not in page
    assert f"/sessions/{session}/actions/1" in browsers["dora"].get(f"/sessions/{session}").text
    assert browsers["bob"].get(f"/sessions/{session}").status_code == 404


def test_actions_are_looked_for_with_a_form(browsers: Mapping[str, Browser], client: tuple[str, Client]) -> None:
    session, _ = client
    found = browsers["dora"].get(f"/sessions/{session}?search=orders").text
    assert re.findall(r'data-number="(\d+)"', found) == ["1"]
    none = browsers["dora"].get(f"/sessions/{session}?search=%3Cb%3E").text
    assert "Nothing like that" in none and 'value="&lt;b&gt;"' in none


def test_a_statement_is_shown_in_colours_and_does_nothing(
    browsers: Mapping[str, Browser], client: tuple[str, Client]
) -> None:
    session, _ = client
    page = browsers["dora"].get(f"/sessions/{session}/actions/2").text
    Balanced().feed_whole(page)
    assert '<span class="sql-keyword">select</span>' in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page and "\\u202e\\u001b[2K" in page
    for harm in ("<script>alert", "<img src=x", "\u202e", "\x1b"):
        assert harm not in page
    refused = browsers["carol"].get(f"/sessions/{session}/actions/2")
    assert refused.status_code == 403 and "or an auditor" in refused.text


def test_values_that_are_no_text_are_shown_as_bytes_and_null_as_null(
    browsers: Mapping[str, Browser], client: tuple[str, Client]
) -> None:
    session, _ = client
    page = browsers["dora"].get(f"/sessions/{session}/actions/3").text
    assert "\\x00ff6279746573</code>" in page and "<em>null</em>" in page


def test_a_session_is_cut_from_its_page(sojourn: Running, browsers: Mapping[str, Browser]) -> None:
    grant = sojourn.granted(role="fix-status")["grant"]
    with connected(sojourn, role="fix-status") as held:
        held.execute("select 1")
        (session,) = until(lambda: sojourn.get(f"/sessions?grant={grant}", person="alice")["sessions"])
        page = browsers["carol"].get(f"/sessions/{session['session']}").text
        action = re.search(r'action="(/grants/[^"]+/revoke)"', page)
        assert action is not None
        assert browsers["carol"].post(action[1]).headers["location"] == f"/grants/{grant}"
    until(lambda: sojourn.get(f"/sessions/{session['session']}", person="alice")["closed_at"])
    assert "Revoke now" not in browsers["carol"].get(f"/sessions/{session['session']}").text


def test_a_session_without_a_recording_has_no_screen(
    browsers: Mapping[str, Browser], client: tuple[str, Client]
) -> None:
    session, _ = client
    assert browsers["dora"].get(f"/sessions/{session}/screen").status_code == 404


HARD = {
    "nothing": "",
    "a quote that never ends": "select 'abc",
    "a comment that never ends": "/* " * 500,
    "dollars": "$a$" * 300 + "<b>",
    "other letters": "select 'ü', '\u05d0', '\U0001f600' -- \u200b",
    "zeros": "\x00\x01\x7f",
    "far too long": "select <b>1</b> + " * 10_000,
}


@pytest.mark.parametrize("text", HARD.values(), ids=HARD.keys())
def test_any_text_comes_through_the_colours_whole_and_as_text(text: str) -> None:
    shown = str(highlighting.sql(text))
    assert "<b>" not in shown
    Balanced().feed_whole(shown)
    assert len(re.sub(r"<[^>]*>", "", shown)) >= len(text)
