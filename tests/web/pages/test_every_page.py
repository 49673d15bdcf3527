"""What holds for every page and form: who gets in, from where, and under which headers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html.parser import HTMLParser

import pytest

from sojourn.testing.browser import Browser
from sojourn.testing.installation import Running
from sojourn.web.api.endpoints import ADMINISTRATOR, AUDITOR, OPEN, OVERSIGHT, Permission
from sojourn.web.pages.table import PAGES

CLOSED = [one for one in PAGES if one.permission is not OPEN]
LOOKS = [one.path for one in CLOSED if one.method == "GET"]
FORMS = [one.path for one in CLOSED if one.method == "POST"]
EVERYBODY = ("alice", "bob", "carol", "dora")
HOLDERS: Mapping[Permission, tuple[str, ...]] = {
    OVERSIGHT: ("carol", "dora"),
    ADMINISTRATOR: ("carol",),
    AUDITOR: ("dora",),
}
FOREIGN: Mapping[str, Mapping[str, str]] = {
    "no origin": {},
    "another origin": {"origin": "https://evil.example"},
    "an opaque origin": {"origin": "null"},
    "another site": {"origin": "SELF", "sec-fetch-site": "cross-site"},
    "a sibling": {"origin": "SELF", "sec-fetch-site": "same-site"},
}


def _filled(path: str) -> str:
    return path.replace("{name}", "nothing").replace("{number}", "1")


@pytest.mark.parametrize("path", LOOKS)
def test_a_stranger_is_shown_the_way_to_sign_in_and_nothing_else(browsers: Mapping[str, Browser], path: str) -> None:
    answered = browsers[""].get(_filled(path))
    assert answered.status_code == 303
    assert answered.headers["location"].startswith("/sign-in")
    assert answered.text == ""


@pytest.mark.parametrize("path", FORMS)
def test_a_stranger_sends_no_form(browsers: Mapping[str, Browser], path: str) -> None:
    assert browsers[""].post(_filled(path)).headers["location"] == "/sign-in"


@pytest.mark.parametrize("path", FORMS)
def test_a_form_comes_from_a_page_of_this_site(browsers: Mapping[str, Browser], path: str) -> None:
    for kind, sent in FOREIGN.items():
        headers = {name: value.replace("SELF", browsers["carol"].address) for name, value in sent.items()}
        answered = browsers["carol"].post(_filled(path), headers=headers)
        assert answered.status_code == 403, (kind, answered.text)


@pytest.mark.parametrize("path", LOOKS)
def test_a_page_opens_for_those_whom_the_table_names_and_for_nobody_else(
    browsers: Mapping[str, Browser], path: str
) -> None:
    (page,) = [one for one in PAGES if one.method == "GET" and one.path == path]
    for person in EVERYBODY:
        status = browsers[person].get(_filled(path)).status_code
        if person in HOLDERS.get(page.permission, EVERYBODY):
            assert status in (200, 404), (person, status)
        else:
            assert status in (403, 404), (person, status)


@pytest.mark.parametrize("path", [path for path in LOOKS if "{" not in path])
@pytest.mark.parametrize("person", ["alice", "carol", "dora"])
def test_a_page_has_its_headers_and_is_well_formed(browsers: Mapping[str, Browser], path: str, person: str) -> None:
    answered = browsers[person].get(path)
    policy = answered.headers["content-security-policy"]
    assert "unsafe" not in policy and "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert answered.headers["x-content-type-options"] == "nosniff"
    assert answered.headers["cache-control"] == "no-store"
    Balanced().feed_whole(answered.text)
    assert not re.search(r"<script(?![^>]*\bsrc=)|\bon\w+=|style=|javascript:", answered.text)


def test_what_is_not_there_is_a_page_that_leads_on(browsers: Mapping[str, Browser]) -> None:
    answered = browsers["alice"].get("/nowhere")
    assert answered.status_code == 404
    assert "There is no such page" in answered.text and 'href="/"' in answered.text


def test_a_form_with_a_field_that_nobody_knows_is_refused_whole(browsers: Mapping[str, Browser]) -> None:
    answered = browsers["alice"].post("/ask", {"target": "shop", "role": "read", "duration": "10m", "approved": "true"})
    assert answered.status_code == 422
    assert "approved" in answered.text


HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{7*7}}\u202e\x1b[2K"


def test_a_reason_is_shown_as_it_was_typed_and_does_nothing(sojourn: Running, browsers: Mapping[str, Browser]) -> None:
    asked = sojourn.requested(reason=HOSTILE)
    request = f"/requests/{asked['request']}"
    for person, path in (("alice", request), ("bob", "/"), ("bob", request)):
        shown = browsers[person].get(path).text
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown
        assert "\\u202e\\u001b[2K" in shown
        assert "<script>alert" not in shown and "<img src=x" not in shown
        assert "{{7*7}}" in shown
    sojourn.post(request + "/withdraw", person="alice")


class Balanced(HTMLParser):
    """Fails where a tag is closed that is not open."""

    VOID = frozenset(("meta", "link", "input", "img", "br", "hr"))

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, (tag, self.getpos())

    def feed_whole(self, text: str) -> None:
        """The whole page."""
        self.feed(text)
        assert not self.open, self.open
