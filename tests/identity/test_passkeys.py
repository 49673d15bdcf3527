"""Passkeys: made, used and taken away, with an authenticator in software."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sojourn.domain.account import PASSKEYS_MAX, Passkey
from sojourn.domain.events import PasskeyAdded
from sojourn.domain.identifiers import PasskeyId, account_stream
from sojourn.errors import Code, Refusal
from sojourn.identity import accounts, passkeys
from sojourn.identity.challenges import LIFE, Challenges
from sojourn.testing.clock import SimulatedClock
from sojourn.testing.organisation import ALICE, BOB

from .conftest import Desk

KINDS = [{}, {"edwards": True}, {"counts": False}, {"synced": True, "counts": False}]
IDS = ["p256", "ed25519", "without_counter", "synced"]


def _code(answer: object) -> Code:
    assert isinstance(answer, Refusal), answer
    return answer.code


@pytest.mark.parametrize("kind", KINDS, ids=IDS)
async def test_an_invited_person_makes_a_passkey_and_signs_in_with_it_alone(desk: Desk, kind: dict[str, Any]) -> None:
    browser = desk.browser(**kind)
    made = await desk.registered(browser, code=await desk.invited())
    assert isinstance(made, Passkey)
    assert (await desk.account()).password is None
    for _ in range(2):
        assert await desk.signed_in(browser) == ALICE
    assert desk.place.kinds(account_stream(ALICE)) == (
        "account.invited",
        "account.passkey_added",
        "account.passkey_used",
        "account.passkey_used",
    )
    (held,) = (await desk.account()).passkeys
    assert held.sign_count == (2 if browser.counts else 0)
    assert held.added.synced == browser.synced


async def test_an_invitation_makes_one_passkey_and_no_more(desk: Desk) -> None:
    code = await desk.invited()
    options, ticket = await desk.asked(code=code)
    assert isinstance(await desk.registered(desk.browser(), code=code), Passkey)
    late = await desk.register(desk.browser().create(options), ticket, code=code)
    assert _code(late) is Code.INVITATION_INVALID
    again = await passkeys.offer(desk.keys, person=ALICE, code=code, source="here")
    assert _code(again) is Code.INVITATION_INVALID
    assert len((await desk.account()).passkeys) == 1


@pytest.mark.parametrize("code", ["guessed", " "], ids=["guessed", "blank"])
async def test_a_guessed_code_makes_none(desk: Desk, code: str) -> None:
    await desk.invited()
    assert _code(await passkeys.offer(desk.keys, person=ALICE, code=code, source="here")) is Code.INVITATION_INVALID
    options, ticket = await desk.asked()
    assert _code(await desk.register(desk.browser().create(options), ticket, code=code)) is Code.INVITATION_INVALID
    assert desk.refused() == [("add_passkey", ALICE, "invitation.invalid")] * 2


async def test_an_account_with_a_passkey_is_not_invited_again(desk: Desk) -> None:
    await desk.registered(desk.browser(), code=await desk.invited())
    again = await accounts.invite(
        desk.place.office, person=ALICE, invited_by="erin", life=timedelta(hours=1), code="another"
    )
    assert _code(again) is Code.ACCOUNT_EXISTS


async def test_a_person_has_several_and_removes_one_but_not_the_last(desk: Desk) -> None:
    laptop, phone = desk.browser(), desk.browser()
    first = await desk.registered(laptop, code=await desk.invited())
    second = await desk.registered(phone)
    assert isinstance(first, Passkey) and isinstance(second, Passkey)
    assert [await desk.signed_in(one) for one in (laptop, phone)] == [ALICE, ALICE]
    removed = await passkeys.remove(desk.keys, person=ALICE, passkey=first.added.passkey, source="here")
    assert not isinstance(removed, Refusal)
    assert _code(await desk.signed_in(laptop)) is Code.CREDENTIALS_INVALID
    last = await passkeys.remove(desk.keys, person=ALICE, passkey=second.added.passkey, source="here")
    assert _code(last) is Code.PASSKEY_LAST
    assert await desk.signed_in(phone) == ALICE


async def test_nobody_removes_the_passkey_of_somebody_else(desk: Desk) -> None:
    made = await desk.registered(desk.browser(), code=await desk.invited())
    await desk.registered(desk.browser(), BOB, code=await desk.invited(BOB))
    assert isinstance(made, Passkey)
    for name in (made.added.passkey, PasskeyId("k-nothing")):
        assert _code(await passkeys.remove(desk.keys, person=BOB, passkey=name, source="x")) is Code.PASSKEY_UNKNOWN


async def test_an_authenticator_is_told_what_it_has_made_before(desk: Desk) -> None:
    browser = desk.browser()
    await desk.registered(browser, code=await desk.invited())
    options, _ = await desk.asked()
    with pytest.raises(AssertionError, match="has one for this account"):
        browser.create(options)


async def test_the_same_passkey_is_not_registered_twice(desk: Desk) -> None:
    browser = desk.browser()
    code = await desk.invited()
    options, ticket = await desk.asked(code=code)
    made = browser.create(options)
    assert isinstance(await desk.register(made, ticket, code=code), Passkey)
    assert _code(await desk.register(made, ticket)) is Code.PASSKEY_INVALID


async def test_there_is_an_end_to_how_many_somebody_has(desk: Desk) -> None:
    await desk.registered(desk.browser(), code=await desk.invited())
    made = [await desk.registered(desk.browser()) for _ in range(PASSKEYS_MAX)]
    assert _code(made[-1]) is Code.PASSKEYS_FULL
    assert len((await desk.account()).passkeys) == PASSKEYS_MAX


async def test_a_copied_authenticator_is_noticed_and_opens_nothing(desk: Desk) -> None:
    browser = desk.browser()
    await desk.registered(browser, code=await desk.invited())
    for _ in range(3):
        await desk.signed_in(browser)
    browser.uses = 1
    assert _code(await desk.signed_in(browser)) is Code.PASSKEY_COPIED
    assert desk.refused()[-1] == ("sign_in", ALICE, "passkey.copied")
    (held,) = (await desk.account()).passkeys
    assert held.sign_count == 3


async def test_one_answer_opens_once_even_when_it_comes_twice_at_the_same_time(desk: Desk) -> None:
    browser = desk.browser(counts=False)
    await desk.registered(browser, code=await desk.invited())
    asked = passkeys.ask(desk.keys)
    answer = browser.get(json.loads(asked.options))

    async def sign_in() -> object:
        return await passkeys.sign_in(desk.keys, ticket=asked.ticket, credential=answer, source="here")

    answers = await asyncio.gather(*(sign_in() for _ in range(5)))
    assert answers.count(ALICE) == 1
    assert [_code(one) for one in answers if one != ALICE] == [Code.CREDENTIALS_INVALID] * 4


async def test_an_answer_that_comes_too_late_opens_nothing(desk: Desk) -> None:
    browser = desk.browser()
    await desk.registered(browser, code=await desk.invited())
    asked = passkeys.ask(desk.keys)
    answer = browser.get(json.loads(asked.options))
    desk.place.clock.advance(LIFE)
    late = await passkeys.sign_in(desk.keys, ticket=asked.ticket, credential=answer, source="here")
    assert _code(late) is Code.CREDENTIALS_INVALID


async def test_somebody_who_has_left_does_not_get_in_with_a_passkey(desk: Desk) -> None:
    from sojourn.testing.organisation import CATALOGUE, without

    browser = desk.browser()
    await desk.registered(browser, code=await desk.invited())
    await desk.place.reconfigure(without(CATALOGUE, ALICE))
    assert _code(await desk.signed_in(browser)) is Code.CREDENTIALS_INVALID


UNFIT = [
    ({"verifies": False}, "user verification"),
    ({"origin": "https://sojourn.example.evil.example"}, "origin"),
    ({"origin": "http://sojourn.example"}, "origin"),
    ({"origin": "https://sojourn.example:8443"}, "origin"),
]
UNFIT_IDS = ["unverified", "other_site", "without_tls", "other_port"]


@pytest.mark.parametrize(("kind", "said"), UNFIT, ids=UNFIT_IDS)
async def test_an_unfit_browser_makes_no_passkey(desk: Desk, kind: dict[str, Any], said: str) -> None:
    refusal = await desk.registered(desk.browser(**kind), code=await desk.invited())
    assert _code(refusal) is Code.PASSKEY_INVALID
    assert isinstance(refusal, Refusal)
    assert said in refusal.sentence.lower()
    assert (await desk.account()).invitation is not None


@pytest.mark.parametrize(("kind", "said"), UNFIT, ids=UNFIT_IDS)
async def test_an_unfit_browser_opens_nothing(desk: Desk, kind: dict[str, Any], said: str) -> None:
    browser = desk.browser()
    await desk.registered(browser, code=await desk.invited())
    for name, value in kind.items():
        setattr(browser, name, value)
    assert _code(await desk.signed_in(browser)) is Code.CREDENTIALS_INVALID


async def test_a_passkey_of_another_host_opens_nothing(desk: Desk) -> None:
    browser = desk.browser()
    await desk.registered(browser, code=await desk.invited())
    desk.url = browser.origin = "https://other.example"
    assert _code(await desk.signed_in(browser)) is Code.CREDENTIALS_INVALID


def _claims_bob(answer: dict[str, Any]) -> None:
    from webauthn.helpers import bytes_to_base64url

    from sojourn.identity.ceremonies import user_handle

    answer["response"]["userHandle"] = bytes_to_base64url(user_handle(BOB))


async def test_a_passkey_signs_in_nobody_but_its_owner(desk: Desk) -> None:
    browser = desk.browser()
    await desk.registered(browser, code=await desk.invited())
    await desk.registered(desk.browser(), BOB, code=await desk.invited(BOB))
    assert _code(await desk.signed_in(browser, _claims_bob)) is Code.CREDENTIALS_INVALID


async def test_a_ticket_is_good_for_its_purpose_and_its_person_alone(desk: Desk) -> None:
    browser = desk.browser()
    await desk.registered(browser, code=await desk.invited())
    options, ticket = await desk.asked()
    made = desk.browser().create(options)
    assert _code(await desk.register(made, ticket, BOB)) is Code.PASSKEY_INVALID
    asked = passkeys.ask(desk.keys)
    assert _code(await desk.register(made, asked.ticket)) is Code.PASSKEY_INVALID
    answer = browser.get({"challenge": options["challenge"], "rpId": "sojourn.example"})
    crossed = await passkeys.sign_in(desk.keys, ticket=ticket, credential=answer, source="here")
    assert _code(crossed) is Code.CREDENTIALS_INVALID


def _leaves(value: object, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if not isinstance(value, dict):
        return [path]
    return [path, *(leaf for name in value for leaf in _leaves(value[name], (*path, name)))]


def _put(value: dict[str, Any], path: tuple[str, ...], other: object) -> None:
    for name in path[:-1]:
        value = value[name]
    value[path[-1]] = other


ODD = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=40), st.lists(st.integers(), max_size=2), st.just({})
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_whatever_a_browser_sends_is_a_passkey_or_a_refusal(desk: Desk, data: st.DataObject) -> None:
    browser = desk.browser()
    if (held := await accounts.load_account(desk.place.office, ALICE)) is None or not held.set_up:
        await desk.registered(browser, code=await desk.invited())
    options, ticket = await desk.asked()
    made = desk.browser().create(options)
    path = data.draw(st.sampled_from([one for one in _leaves(made) if one]))
    old: Any = made
    for name in path:
        old = old[name]
    flipped: st.SearchStrategy[object] = st.nothing()
    if isinstance(old, str) and old:
        place = data.draw(st.integers(0, len(old) - 1))
        flipped = st.sampled_from("AZaz09-_").map(lambda letter: old[:place] + letter + old[place + 1 :])
    _put(made, path, data.draw(ODD | flipped))
    answer = await desk.register(made, ticket)
    assert isinstance(answer, Passkey | Refusal)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_no_altered_answer_opens_anything(desk: Desk, data: st.DataObject) -> None:
    browser = desk.browser()
    held = await accounts.load_account(desk.place.office, ALICE)
    await desk.registered(browser, code="" if held is not None and held.set_up else await desk.invited())
    path = data.draw(
        st.sampled_from(
            [
                ("id",),
                ("rawId",),
                ("type",),
                ("response", "clientDataJSON"),
                ("response", "authenticatorData"),
                ("response", "signature"),
                ("response", "userHandle"),
            ]
        )
    )
    change: Callable[[dict[str, Any]], object] = lambda answer: _put(answer, path, data.draw(ODD))  # noqa: E731
    assert _code(await desk.signed_in(browser, change)) is Code.CREDENTIALS_INVALID


def test_a_ticket_of_another_installation_or_a_second_spelling_is_none_of_ours() -> None:
    clock = SimulatedClock()
    one, other = Challenges(clock.now, os.urandom, b"a" * 32), Challenges(clock.now, os.urandom, b"b" * 32)
    issued = one.issue("x", "y")
    assert one.read(issued.ticket, "x", "y") == issued.challenge
    assert other.read(issued.ticket, "x", "y") is None
    assert one.read(issued.ticket, "xy", "") is None
    first = "A" if issued.ticket[0] != "A" else "B"
    for altered in ("", issued.ticket + "=", issued.ticket + "A", first + issued.ticket[1:], "\ud800", "é"):
        assert one.read(altered, "x", "y") is None


@pytest.mark.parametrize("counts", [True, False], ids=["counting", "without_counter"])
async def test_what_one_node_asks_another_takes_and_all_of_them_once(desk: Desk, counts: bool) -> None:
    other, browser = desk.another_node(), desk.browser(counts=counts)
    code = await desk.invited()
    options, ticket = await desk.asked(code=code)
    made = browser.create(options)
    assert isinstance(await other.register(made, ticket, code=code), Passkey)
    asked = passkeys.ask(desk.keys)
    answer = browser.get(json.loads(asked.options))
    each = [
        await passkeys.sign_in(one.keys, ticket=asked.ticket, credential=answer, source="here")
        for one in (other, desk, other)
    ]
    assert each[0] == ALICE
    assert [_code(one) for one in each[1:]] == [Code.CREDENTIALS_INVALID] * 2
    first = (await desk.account()).passkeys[0].added.passkey
    assert await desk.registered(desk.browser())
    assert not isinstance(await passkeys.remove(desk.keys, person=ALICE, passkey=first, source="x"), Refusal)
    assert _code(await desk.register(made, ticket)) is Code.PASSKEY_INVALID


async def test_a_passkey_is_on_record_with_its_public_key_and_a_sealed_name(desk: Desk) -> None:
    made = await desk.registered(desk.browser(), code=await desk.invited())
    assert isinstance(made, Passkey)
    (added,) = [one.event for one in desk.place.entries(account_stream(ALICE)) if isinstance(one.event, PasskeyAdded)]
    assert added.rp_id == "sojourn.example"
    assert added.public_key and added.credential
    assert "laptop" not in repr(added)
