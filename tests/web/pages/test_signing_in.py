"""Signing in with a browser: sessions that end, are nobody else's, and lead nowhere else."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from sojourn.testing.browser import Browser, signed_in
from sojourn.testing.installation import PASSWORD, Running
from sojourn.web.exchange import COOKIE
from sojourn.web.pages.signing_in import own_path


def test_a_session_is_in_a_cookie_that_no_script_and_no_other_site_gets(sojourn: Running) -> None:
    stranger = Browser(address=sojourn.installation.address)
    answered = stranger.post("/sign-in", {"person": "alice", "password": PASSWORD})
    cookie = answered.headers["set-cookie"]
    assert cookie.startswith("__Host-sojourn=sj_browser_")
    for mark in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"):
        assert mark.lower() in cookie.lower()
    assert "domain=" not in cookie.lower()


def test_a_wrong_password_opens_nothing_and_says_what_to_do(sojourn: Running) -> None:
    stranger = Browser(address=sojourn.installation.address)
    answered = stranger.post("/sign-in", {"person": "alice", "password": "wrong horse battery"})
    assert answered.status_code == 401
    assert "set-cookie" not in answered.headers
    assert 'role="alert"' in answered.text
    (last, *_) = sojourn.get("/attempts?actor=alice", person="dora")["attempts"]
    assert last["code"] == "credentials.invalid"


def test_signing_out_ends_the_session_for_whoever_kept_its_cookie(sojourn: Running) -> None:
    browser = signed_in(sojourn, "alice")
    assert browser.get("/").status_code == 200
    assert browser.post("/sign-out").status_code == 303
    again = browser.get("/")
    assert (again.status_code, again.headers["location"]) == (303, "/sign-in")


def test_a_session_that_the_browser_brought_along_is_not_taken_over(sojourn: Running) -> None:
    # Session fixation: an attacker's cookie in the victim's browser must not become the victim's session.
    planted = signed_in(sojourn, "bob")
    answered = planted.post("/sign-in", {"person": "alice", "password": PASSWORD})
    assert answered.cookies[COOKIE] != planted.cookie
    assert "Bob" in planted.get("/").text


def test_a_token_of_the_command_line_is_no_session_and_a_session_no_token(
    sojourn: Running, browsers: Mapping[str, Browser]
) -> None:
    borrowed = Browser(address=sojourn.installation.address, cookie=sojourn.tokens["alice"])
    assert borrowed.get("/").status_code == 303
    headers = {"authorization": f"Bearer {browsers['alice'].cookie}"}
    assert sojourn.send("GET", "/me", headers=headers).status_code == 401


def test_whoever_is_not_signed_in_comes_back_to_where_they_wanted_to_go(browsers: Mapping[str, Browser]) -> None:
    sent = browsers[""].get("/requests?view=all")
    assert (sent.status_code, sent.headers["location"]) == (303, "/sign-in?next=/requests%3Fview%3Dall")
    fields = {"person": "alice", "password": PASSWORD, "next": "/requests?view=all"}
    assert browsers[""].post("/sign-in", fields).headers["location"] == "/requests?view=all"


ELSEWHERE = {
    "another host": "https://evil.example/",
    "no scheme": "//evil.example/",
    "a backslash": "/\\evil.example",
    "backslashes": "\\\\evil.example",
    "a script": "javascript:alert(1)",
    "a tab": "/\t/evil.example",
    "a header": "/\r\nset-cookie: a=b",
    "nothing": "",
    "a relative path": "evil",
}


@pytest.mark.parametrize("path", ELSEWHERE.values(), ids=ELSEWHERE.keys())
def test_a_sign_in_leads_to_a_page_of_this_site_alone(path: str) -> None:
    assert own_path(path) == "/"


def test_a_sign_in_that_a_page_of_another_site_sent_is_turned_away(browsers: Mapping[str, Browser]) -> None:
    fields = {"person": "alice", "password": PASSWORD}
    answered = browsers[""].post("/sign-in", fields, headers={"origin": "https://evil.example"})
    assert answered.status_code == 403
    assert "set-cookie" not in answered.headers
