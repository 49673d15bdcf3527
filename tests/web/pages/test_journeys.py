"""What people come for, with forms alone: no script runs here, and everything can be done."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sojourn.testing.browser import Browser
from sojourn.testing.installation import Running


def _field(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', page)
    assert found is not None, name
    return found[1]


def test_an_access_is_asked_for_decided_used_and_ended_with_forms(
    sojourn: Running, browsers: Mapping[str, Browser]
) -> None:
    alice, bob = browsers["alice"], browsers["bob"]
    assert "/ask?target=shop&amp;role=read" in alice.get("/catalogue").text
    form = alice.get("/ask?target=shop&role=read").text
    fields = {"target": _field(form, "target"), "role": _field(form, "role"), "duration": "30m", "reason": "4711"}
    request = alice.post("/ask", fields).headers["location"]
    assert re.fullmatch(r"/requests/r-\w+", request)
    assert "Your decision" not in alice.get(request).text

    shown = bob.get(request).text
    assert "Your decision" in shown and "4711" in shown
    assert bob.post(request + "/comments", {"text": "why?", "question": "true"}).status_code == 303
    assert (
        bob.post(request + "/approve", {"digest": _field(shown, "digest"), "comment": ""}).headers["location"]
        == request
    )

    assert "Begin now" in alice.get(request).text
    grant = alice.post(request + "/activate").headers["location"]
    held = alice.get(grant).text
    assert "SELECT on shop.orders" in held and "data-until" in held
    assert grant in alice.get("/").text
    assert alice.post(grant + "/end").headers["location"] == grant
    assert "Read back as gone" in alice.get(grant).text


def test_an_approval_of_something_else_than_was_shown_is_refused(
    sojourn: Running, browsers: Mapping[str, Browser]
) -> None:
    asked = sojourn.requested()
    answered = browsers["bob"].post(f"/requests/{asked['request']}/approve", {"digest": "0" * 64, "comment": ""})
    assert answered.status_code == 409
    assert 'role="alert"' in answered.text
    sojourn.post(f"/requests/{asked['request']}/withdraw", person="alice")


def test_somebody_else_s_request_is_not_there(sojourn: Running, browsers: Mapping[str, Browser]) -> None:
    asked = sojourn.post(
        "/requests", {"target": "shop", "role": "read", "duration": "10m", "reason": "x"}, person="bob"
    )
    assert browsers["dora"].get(f"/requests/{asked['request']}").status_code == 200
    assert browsers["dora"].post(f"/requests/{asked['request']}/withdraw").status_code == 403
    sojourn.post(f"/requests/{asked['request']}/withdraw", person="bob")


def test_home_shows_what_is_open_whatever_came_after_it_and_of_what_is_over_the_last(
    sojourn: Running, browsers: Mapping[str, Browser]
) -> None:
    waiting = sojourn.requested()["request"]
    over = []
    for _ in range(7):
        over.append(sojourn.requested()["request"])
        assert sojourn.post(f"/requests/{over[-1]}/withdraw", person="alice")["status"] == "withdrawn"
    asked, _, lately = browsers["alice"].get("/").text.partition("<h2>Lately</h2>")
    assert f'href="/requests/{waiting}"' in asked
    assert re.findall(r'href="/requests/([^"]+)"', lately) == over[:1:-1]
    sojourn.post(f"/requests/{waiting}/withdraw", person="alice")
