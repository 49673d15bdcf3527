"""What touches an account asks for a sign-in of the last minutes: an older one is refused, and that is on record."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any, cast

import pytest
from starlette.requests import Request

from sojourn.domain.break_glass import FRESH
from sojourn.domain.events import TokenPurpose
from sojourn.errors import Code, Refusal, SojournError
from sojourn.identity import tokens
from sojourn.testing.organisation import ALICE, Workplace
from sojourn.web.api.endpoints import ENDPOINTS, Endpoint
from sojourn.web.exchange import Exchange, settle
from sojourn.web.services import Services

TOUCHING: dict[str, dict[str, object]] = {
    "/password": {"password": "wardrobe lemon uncle frost"},
    "/second-factor/options": {},
    "/second-factor": {"ticket": "x", "code": "123456"},
    "/second-factor/remove": {},
    "/tokens": {"label": "ci", "scope": ["read"], "life": "1d"},
    "/passkeys/options": {},
    "/passkeys": {"label": "laptop", "ticket": "x", "credential": {}},
    "/passkeys/{name}/remove": {},
}


async def _text(place: Workplace) -> str:
    """A sign-in of alice's, of now."""
    text, _ = await tokens.issue(
        place.office,
        person=ALICE,
        purpose=TokenPurpose.API,
        life=FRESH * 10,
        source="here:1",
        secret=b"s" * tokens.SECRET_BYTES,
    )
    return text


def _exchange(place: Workplace, text: str, one: Endpoint, body: dict[str, object]) -> Exchange:
    """A call of `one` with that sign-in. What is asked before the sign-in's age needs nothing but the office."""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": json.dumps(body).encode(), "more_body": False}

    scope = {
        "type": "http",
        "method": one.method,
        "path": one.path.replace("{name}", "p-1"),
        "path_params": {"name": "p-1"},
        "query_string": b"",
        "headers": [(b"authorization", f"Bearer {text}".encode()), (b"content-type", b"application/json")],
        "client": ("192.0.2.1", 4711),
    }
    return Exchange(cast(Services, SimpleNamespace(office=place.office)), Request(scope, receive))


@pytest.mark.parametrize("path", TOUCHING)
async def test_an_old_sign_in_touches_no_account_and_the_refusal_is_on_record(path: str) -> None:
    (one,) = [one for one in ENDPOINTS if one.method == "POST" and one.path == path]
    place = await Workplace.open()
    text = await _text(place)
    place.clock.advance(FRESH)
    refusal = await settle(_exchange(place, text, one, TOUCHING[path]), one.handler)
    assert isinstance(refusal, Refusal), refusal
    assert (refusal.code, refusal.details["minutes"]) == (Code.SIGN_IN_STALE, "5")
    assert "again" in refusal.next_step.lower()
    (attempt,) = place.attempts()
    assert (attempt.actor, attempt.code, attempt.verb, attempt.source) == (
        ALICE,
        Code.SIGN_IN_STALE,
        "post",
        "192.0.2.1:4711",
    )


async def test_a_sign_in_is_fresh_until_just_before_and_stale_from_then_on() -> None:
    place = await Workplace.open()
    text = await _text(place)
    (one,) = [one for one in ENDPOINTS if one.path == "/password"]
    place.clock.advance(FRESH - FRESH.resolution)
    fresh = _exchange(place, text, one, {})
    await fresh.caller()
    await fresh.require_fresh()
    place.clock.advance(FRESH.resolution)
    with pytest.raises(SojournError) as raised:
        await fresh.require_fresh()
    assert raised.value.code is Code.SIGN_IN_STALE
