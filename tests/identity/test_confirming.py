"""Confirming decisions: who has to, with what, and that a signature counts for nothing but what was signed."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from sojourn.domain.account import Account
from sojourn.domain.confirmation import DETAILS, Action, Confirmation, ConfirmedBy, Decision
from sojourn.domain.identifiers import PersonId
from sojourn.errors import Code, Refusal
from sojourn.identity import accounts, confirming
from sojourn.identity.accounts import PasswordReader
from sojourn.identity.challenges import LIFE
from sojourn.identity.confirming import Confirming, Given, Needed
from sojourn.identity.limits import AttemptLimit
from sojourn.settings import StepUp
from sojourn.testing.authenticator import Authenticator
from sojourn.testing.organisation import ALICE, BOB

from .conftest import Desk

NOTE = "sojourn.example/ledger\n7\nAAAA\n\n— sojourn.example/ledger AAAA\n"
PASSWORD = "correct horse battery"
DECISION = Decision(
    action=Action.APPROVE, person=ALICE, subject="request/r-0000000001", details=(("digest", "d" * 64),)
)


async def _sign() -> str:
    return NOTE


def _confirming(desk: Desk, mode: StepUp = StepUp.WHEN_POSSIBLE) -> Confirming:
    async def matter(commitments: Any) -> Any:
        return await desk.place.ledger.matter(commitments)

    reader = PasswordReader(matter=matter, open_value=lambda sealed, key: sealed.ciphertext[16:])
    return Confirming(keys=desk.keys, sign=_sign, reader=reader, limit=AttemptLimit(desk.place.clock.now), mode=mode)


async def _enrolled(desk: Desk, person: PersonId = ALICE) -> None:
    made = await accounts.enrol(
        desk.place.office,
        person=person,
        code=await desk.invited(person),
        password=PASSWORD,
        source="here",
        minimum=12,
    )
    assert not isinstance(made, Refusal)


async def _signed(desk: Desk, how: Confirming, browser: Authenticator, **changed: str) -> Given:
    """What a browser sends along with the decision."""
    offered = await confirming.offer(how, DECISION)
    assert not isinstance(offered, Refusal)
    credential = browser.get(json.loads(offered.asked.options))
    given = Given(ticket=offered.asked.ticket, checkpoint=offered.checkpoint, credential=json.dumps(credential))
    return replace(given, **changed)


async def _confirm(how: Confirming, given: Given, decision: Decision = DECISION, **more: Any) -> object:
    return await confirming.confirm(how, decision, given, source="here:1", **more)


def _code(answer: object) -> Code:
    assert isinstance(answer, Refusal), answer
    return answer.code


async def test_a_passkey_signs_the_decision_and_the_newest_checkpoint(desk: Desk) -> None:
    browser, how = desk.browser(), _confirming(desk)
    await desk.registered(browser, code=await desk.invited())
    given = await _signed(desk, how, browser)
    confirmed = await _confirm(how, given)
    assert isinstance(confirmed, Confirmation)
    assert (confirmed.by, confirmed.checkpoint) == (ConfirmedBy.PASSKEY, NOTE)
    assert json.loads(confirmed.statement) == {
        "action": "request.approve",
        "digest": "d" * 64,
        "person": "alice",
        "subject": "request/r-0000000001",
    }
    assert _code(await _confirm(how, given)) is Code.PASSKEY_INVALID


OTHERS = [
    replace(DECISION, action=Action.APPROVE_CHANGE),
    replace(DECISION, subject="request/r-0000000002"),
    replace(DECISION, details=(("digest", "e" * 64),)),
    replace(DECISION, details=()),
    replace(DECISION, details=(*DECISION.details, ("role", "amend"))),
]


@pytest.mark.parametrize("other", OTHERS, ids=["action", "subject", "digest", "less", "more"])
async def test_a_signature_counts_for_no_other_decision(desk: Desk, other: Decision) -> None:
    browser, how = desk.browser(), _confirming(desk)
    await desk.registered(browser, code=await desk.invited())
    given = await _signed(desk, how, browser)
    assert _code(await _confirm(how, given, other)) is Code.PASSKEY_INVALID
    assert isinstance(await _confirm(how, given), Confirmation)


@pytest.mark.parametrize(
    "changed", [{"checkpoint": NOTE + "x"}, {"ticket": ""}, {"credential": "{"}, {"credential": "[" * 9000}],
    ids=["checkpoint", "no_ticket", "no_json", "too_long"],
)  # fmt: skip
async def test_what_was_altered_on_the_way_confirms_nothing(desk: Desk, changed: dict[str, str]) -> None:
    browser, how = desk.browser(), _confirming(desk)
    await desk.registered(browser, code=await desk.invited())
    assert _code(await _confirm(how, await _signed(desk, how, browser, **changed))) is Code.PASSKEY_INVALID
    assert desk.refused()[-1] == ("confirm request.approve", ALICE, "passkey.invalid")


async def test_a_signature_confirms_nothing_for_somebody_else_nor_later(desk: Desk) -> None:
    browser, how = desk.browser(), _confirming(desk)
    await desk.registered(browser, code=await desk.invited())
    await desk.registered(desk.browser(), BOB, code=await desk.invited(BOB))
    given = await _signed(desk, how, browser)
    assert _code(await _confirm(how, given, replace(DECISION, person=BOB))) is Code.PASSKEY_INVALID
    desk.place.clock.advance(LIFE)
    assert _code(await _confirm(how, given)) is Code.PASSKEY_INVALID


async def test_a_sign_in_is_no_confirmation_and_the_other_way_round(desk: Desk) -> None:
    from sojourn.identity import passkeys

    browser, how = desk.browser(), _confirming(desk)
    await desk.registered(browser, code=await desk.invited())
    given = await _signed(desk, how, browser)
    opened = await passkeys.sign_in(
        desk.keys, ticket=given.ticket, credential=json.loads(given.credential), source="here"
    )
    assert _code(opened) is Code.CREDENTIALS_INVALID
    asked = passkeys.ask(desk.keys)
    answer = json.dumps(browser.get(json.loads(asked.options)))
    assert _code(await _confirm(how, replace(given, ticket=asked.ticket, credential=answer))) is Code.PASSKEY_INVALID


async def test_an_authenticator_that_does_not_verify_its_user_confirms_nothing(desk: Desk) -> None:
    browser, how = desk.browser(), _confirming(desk)
    await desk.registered(browser, code=await desk.invited())
    browser.verifies = False
    assert _code(await _confirm(how, await _signed(desk, how, browser))) is Code.PASSKEY_INVALID


# Who has what, under which setting, and what is needed then; the last is for what is never decided without.
NEEDS = [
    (StepUp.NEVER, False, False, Needed.NOTHING, Needed.EITHER),
    (StepUp.NEVER, True, True, Needed.NOTHING, Needed.EITHER),
    (StepUp.WHEN_POSSIBLE, False, True, Needed.NOTHING, Needed.EITHER),
    (StepUp.WHEN_POSSIBLE, True, True, Needed.EITHER, Needed.EITHER),
    (StepUp.WHEN_POSSIBLE, True, False, Needed.PASSKEY, Needed.PASSKEY),
    (StepUp.ALWAYS, False, True, Needed.PASSKEY, Needed.PASSKEY),
    (StepUp.ALWAYS, True, True, Needed.PASSKEY, Needed.PASSKEY),
]
NEED_IDS = [f"{mode}-{'passkey' if passkey else ''}-{'password' if word else ''}" for mode, passkey, word, *_ in NEEDS]


@pytest.mark.parametrize(("mode", "passkey", "password", "usually", "break_glass"), NEEDS, ids=NEED_IDS)
async def test_who_has_to_confirm_and_with_what(
    desk: Desk, mode: StepUp, passkey: bool, password: bool, usually: Needed, break_glass: Needed
) -> None:
    how = _confirming(desk, mode)
    if password:
        await _enrolled(desk)
    if passkey:
        await desk.registered(desk.browser(), code="" if password else await desk.invited())
    account: Account | None = await accounts.load_account(desk.place.office, ALICE)
    assert confirming.needed(how, account) is usually
    assert confirming.needed(how, account, always=True) is break_glass
    answer = await _confirm(how, Given())
    assert answer is None if usually is Needed.NOTHING else _code(answer) is Code.CONFIRMATION_NEEDED
    assert _code(await _confirm(how, Given(), always=True)) is Code.CONFIRMATION_NEEDED


async def test_a_password_confirms_unless_a_passkey_is_demanded(desk: Desk) -> None:
    await _enrolled(desk)
    confirmed = await _confirm(_confirming(desk), Given(password=PASSWORD))
    assert isinstance(confirmed, Confirmation)
    assert (confirmed.by, confirmed.passkey) == (ConfirmedBy.PASSWORD, None)
    demanded = await _confirm(_confirming(desk, StepUp.ALWAYS), Given(password=PASSWORD))
    assert _code(demanded) is Code.CONFIRMATION_NEEDED


async def test_guessing_passwords_gets_slow_here_too(desk: Desk) -> None:
    await _enrolled(desk)
    how = _confirming(desk)
    codes = [_code(await _confirm(how, Given(password=f"guess {turn}"))) for turn in range(8)]
    assert (codes[0], codes[-1]) == (Code.CREDENTIALS_INVALID, Code.ATTEMPTS_LIMITED)


async def test_a_passkey_of_an_old_address_is_not_asked_for(desk: Desk) -> None:
    await _enrolled(desk)
    await desk.registered(desk.browser())
    desk.url = "https://new.example"
    how = _confirming(desk)
    assert confirming.needed(how, await desk.account()) is Needed.NOTHING
    assert _code(await confirming.offer(how, DECISION)) is Code.PASSKEY_UNKNOWN


def test_no_two_decisions_have_the_same_statement() -> None:
    assert set(DETAILS) == set(Action)
    odd = Decision(action=Action.APPROVE, person=PersonId("a"), subject='x","person":"b', details=(("digest", "é\n"),))
    said = {"action": "request.approve", "person": "a", "subject": odd.subject, "digest": "é\n"}
    assert json.loads(odd.statement) == said


async def test_a_confirmation_is_asked_for_again_after_minutes(desk: Desk) -> None:
    await _enrolled(desk)
    how = _confirming(desk)
    await _confirm(how, Given(password=PASSWORD))
    desk.place.clock.advance(timedelta(seconds=1))
    await desk.registered(desk.browser())
    assert _code(await _confirm(how, Given())) is Code.CONFIRMATION_NEEDED
