"""Codes beside the password, and accounts that two people recover."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sojourn.domain.account import Account
from sojourn.domain.identifiers import PersonId, account_stream
from sojourn.errors import Code, Refusal
from sojourn.identity import accounts, recovering, second_factor, totp
from sojourn.identity.accounts import PasswordReader
from sojourn.identity.limits import AttemptLimit
from sojourn.testing.organisation import ALICE, BOB, CATALOGUE, ERIN

from .conftest import Desk

PASSWORD = "correct horse battery"
LATE = datetime(2005, 3, 18, 1, 58, 29, tzinfo=UTC)

# RFC 6238, appendix B: the last six of the eight digits.
VECTORS = [
    (59, "287082"),
    (1111111109, "081804"),
    (1111111111, "050471"),
    (1234567890, "005924"),
    (2000000000, "279037"),
    (20000000000, "353130"),
]


@pytest.mark.parametrize(("seconds", "code"), VECTORS, ids=[str(seconds) for seconds, _ in VECTORS])
def test_codes_are_those_of_the_standard(seconds: int, code: str) -> None:
    secret, moment = b"12345678901234567890", datetime.fromtimestamp(seconds, UTC)
    assert totp.code_at(secret, totp.step_of(moment)) == code
    assert totp.matching_step(secret, f" {code[:3]} {code[3:]} ", moment) == seconds // 30


CASES = ["none", "other", "short", "long", "wide_digits", "surrogate", "letters"]


@pytest.mark.parametrize(
    "code", ["", "000000", "08180", "0818044", "\uff10\uff18\uff11\uff18\uff10\uff14", "\ud800", "é" * 6], ids=CASES
)
def test_what_is_no_code_matches_no_step(code: str) -> None:
    assert totp.matching_step(b"12345678901234567890", code, LATE) is None


class Safe:
    """A desk where alice has a password, and what she and others do."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.office, self.clock = desk, desk.place.office, desk.place.clock
        self.limit = AttemptLimit(self.clock.now)
        self.reader = PasswordReader(
            matter=desk.place.ledger.matter, open_value=lambda sealed, key: sealed.ciphertext[16:]
        )
        self.secret = b""

    async def enrol(self, code: str) -> Account | Refusal:
        return await accounts.enrol(self.office, person=ALICE, code=code, password=PASSWORD, source="here", minimum=12)

    async def set_second_factor(self) -> Account | Refusal:
        offered = second_factor.offer(self.desk.keys.challenges, person=ALICE, issuer="Sojourn")
        self.secret = base64.b32decode(offered.secret)
        assert offered.address == f"otpauth://totp/Sojourn:alice?secret={offered.secret}&issuer=Sojourn"
        return await second_factor.begin(
            self.office,
            self.desk.keys.challenges,
            person=ALICE,
            ticket=offered.ticket,
            code=self.code(),
            source="here",
        )

    def code(self, steps: int = 0) -> str:
        return totp.code_at(self.secret, totp.step_of(self.clock.now()) + steps)

    def pass_a_step(self) -> None:
        self.clock.advance(timedelta(seconds=totp.STEP_SECONDS))

    async def sign_in(self, code: str = "", password: str = PASSWORD) -> PersonId | Refusal:
        return await accounts.sign_in(
            self.office,
            person=ALICE,
            password=password,
            code=code,
            source="here:1",
            reader=self.reader,
            limit=self.limit,
        )


@pytest.fixture
async def safe(desk: Desk) -> Safe:
    """Alice has chosen her password."""
    found = Safe(desk)
    assert not isinstance(await found.enrol(await desk.invited()), Refusal)
    return found


def _code(answer: object) -> Code:
    assert isinstance(answer, Refusal), answer
    return answer.code


async def test_the_password_alone_is_not_enough_any_more(safe: Safe) -> None:
    assert await safe.sign_in() == ALICE
    await safe.set_second_factor()
    safe.pass_a_step()
    assert _code(await safe.sign_in()) is Code.SECOND_FACTOR_MISSING
    assert _code(await safe.sign_in("000000")) is Code.CREDENTIALS_INVALID
    assert _code(await safe.sign_in(safe.code(), "wrong" * 4)) is Code.CREDENTIALS_INVALID
    assert _code(await safe.sign_in("", "wrong" * 4)) is Code.CREDENTIALS_INVALID
    assert await safe.sign_in(safe.code()) == ALICE


async def test_a_code_opens_once_and_so_does_every_code_before_it(safe: Safe) -> None:
    await safe.set_second_factor()
    assert _code(await safe.sign_in(safe.code())) is Code.CREDENTIALS_INVALID
    safe.pass_a_step()
    before = safe.code()
    safe.pass_a_step()
    code = safe.code()
    assert await safe.sign_in(code) == ALICE
    for late in (code, before):
        assert _code(await safe.sign_in(late)) is Code.CREDENTIALS_INVALID


async def test_a_code_that_comes_twice_at_once_opens_once(safe: Safe) -> None:
    await safe.set_second_factor()
    safe.pass_a_step()
    answers = await asyncio.gather(*(safe.sign_in(safe.code()) for _ in range(4)))
    assert answers.count(ALICE) == 1


async def test_codes_of_a_clock_that_is_a_step_off_are_taken_and_no_others(safe: Safe) -> None:
    await safe.set_second_factor()
    safe.clock.advance(timedelta(minutes=10))
    assert _code(await safe.sign_in(safe.code(-2))) is Code.CREDENTIALS_INVALID
    assert _code(await safe.sign_in(safe.code(2))) is Code.CREDENTIALS_INVALID
    assert await safe.sign_in(safe.code(-1)) == ALICE
    assert await safe.sign_in(safe.code(1)) == ALICE


async def test_guessing_codes_gets_slow(safe: Safe) -> None:
    await safe.set_second_factor()
    codes = [_code(await safe.sign_in("000000")) for _ in range(8)]
    assert (codes[0], codes[-1]) == (Code.CREDENTIALS_INVALID, Code.ATTEMPTS_LIMITED)


async def test_the_secret_is_sealed_and_was_nowhere_before_a_code_was_shown(safe: Safe) -> None:
    offered = second_factor.offer(safe.desk.keys.challenges, person=ALICE, issuer="Sojourn")
    refused = await second_factor.begin(
        safe.office, safe.desk.keys.challenges, person=ALICE, ticket=offered.ticket, code="000000", source="here"
    )
    assert _code(refused) is Code.CREDENTIALS_INVALID
    assert await safe.sign_in() == ALICE
    await safe.set_second_factor()
    record = repr(safe.desk.place.entries(account_stream(ALICE)))
    assert totp.spelled(safe.secret) not in record
    assert repr(safe.secret)[2:-1] not in record


async def test_the_secret_of_somebody_else_sets_nothing(safe: Safe) -> None:
    offered = second_factor.offer(safe.desk.keys.challenges, person=BOB, issuer="Sojourn")
    code = totp.code_at(base64.b32decode(offered.secret), totp.step_of(safe.clock.now()))
    refused = await second_factor.begin(
        safe.office, safe.desk.keys.challenges, person=ALICE, ticket=offered.ticket, code=code, source="here"
    )
    assert _code(refused) is Code.CREDENTIALS_INVALID


async def test_it_is_removed_and_an_account_without_password_has_none(safe: Safe) -> None:
    await safe.set_second_factor()
    assert not isinstance(await second_factor.remove(safe.office, person=ALICE, source="here"), Refusal)
    assert await safe.sign_in() == ALICE
    assert _code(await second_factor.remove(safe.office, person=ALICE, source="here")) is Code.SECOND_FACTOR_NONE
    await safe.desk.registered(safe.desk.browser(), BOB, code=await safe.desk.invited(BOB))
    assert _code(await second_factor.remove(safe.office, person=BOB, source="here")) is Code.SECOND_FACTOR_ALONE


async def test_another_password_takes_the_place_of_the_first(safe: Safe) -> None:
    short = await accounts.change_password(safe.office, person=ALICE, password="x", source="here", minimum=12)
    assert _code(short) is Code.PASSWORD_TOO_SHORT
    other = "another horse battery"
    changed = await accounts.change_password(safe.office, person=ALICE, password=other, source="here", minimum=12)
    assert not isinstance(changed, Refusal)
    assert _code(await safe.sign_in()) is Code.CREDENTIALS_INVALID
    assert await safe.sign_in(password=other) == ALICE


# Recovery. In the organisation erin alone administers; frank does here as well.
FRANK, OPERATOR = "frank", "operator:root"
TWO = replace(
    CATALOGUE,
    people=tuple(replace(one, administrator=one.id in (ERIN, FRANK), auditor=False) for one in CATALOGUE.people),
)


async def _ask(safe: Safe, by: str, person: PersonId = ALICE) -> Account | Refusal:
    return await recovering.ask_recovery(safe.office, person=person, by=by, reason="she came here", source="here")


async def _confirm(safe: Safe, by: str, person: PersonId = ALICE) -> Account | Refusal:
    return await recovering.confirm_recovery(
        safe.office, person=person, by=by, code="anew", life=timedelta(hours=1), source="here"
    )


@pytest.mark.parametrize(("first", "second"), [(ERIN, FRANK), (OPERATOR, FRANK)], ids=["administrators", "operator"])
async def test_two_people_recover_an_account_and_what_opened_it_opens_it_no_more(
    safe: Safe, first: str, second: str
) -> None:
    browser = safe.desk.browser()
    await safe.desk.registered(browser)
    await safe.set_second_factor()
    await safe.desk.place.reconfigure(TWO)
    assert not isinstance(await _ask(safe, first), Refusal)
    assert await safe.desk.signed_in(browser) == ALICE
    assert not isinstance(await _confirm(safe, second), Refusal)
    safe.pass_a_step()
    assert _code(await safe.desk.signed_in(browser)) is Code.CREDENTIALS_INVALID
    assert _code(await safe.sign_in(safe.code())) is Code.CREDENTIALS_INVALID
    assert not isinstance(await safe.enrol("anew"), Refusal)
    assert await safe.sign_in() == ALICE
    assert _code(await safe.enrol("anew")) is Code.INVITATION_INVALID


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [
        (ERIN, ERIN, Code.RECOVERY_SELF),
        (ERIN, ALICE, Code.RECOVERY_SELF),
        (ERIN, BOB, Code.PERMISSION_DENIED),
        (ERIN, OPERATOR, Code.PERMISSION_DENIED),
        (OPERATOR, OPERATOR, Code.PERMISSION_DENIED),
        (OPERATOR, "nobody", Code.PERMISSION_DENIED),
    ],
    ids=["same", "herself", "engineer", "operator_confirms", "operator_alone", "unknown"],
)
async def test_nobody_recovers_an_account_alone(safe: Safe, first: str, second: str, code: Code) -> None:
    await safe.desk.place.reconfigure(TWO)
    assert not isinstance(await _ask(safe, first), Refusal)
    assert _code(await _confirm(safe, second)) is code
    assert await safe.sign_in() == ALICE


@pytest.mark.parametrize(
    ("by", "code"),
    [(ALICE, Code.RECOVERY_SELF), (BOB, Code.PERMISSION_DENIED), ("nobody", Code.PERMISSION_DENIED)],
    ids=["herself", "engineer", "unknown"],
)
async def test_only_an_administrator_or_operator_says_that_somebody_lost_everything(
    safe: Safe, by: str, code: Code
) -> None:
    assert _code(await _ask(safe, by)) is code


async def test_an_administrator_is_not_recovered_by_their_own_word(safe: Safe) -> None:
    await safe.desk.place.reconfigure(TWO)
    await safe.desk.registered(safe.desk.browser(), ERIN, code=await safe.desk.invited(ERIN))
    assert not isinstance(await _ask(safe, FRANK, ERIN), Refusal)
    assert _code(await _confirm(safe, ERIN, ERIN)) is Code.RECOVERY_SELF


async def test_what_nobody_asked_for_or_too_long_ago_is_not_confirmed(safe: Safe) -> None:
    await safe.desk.place.reconfigure(TWO)
    assert _code(await _confirm(safe, FRANK)) is Code.RECOVERY_NOTHING
    await _ask(safe, ERIN)
    safe.clock.advance(recovering.ASKED_FOR)
    assert _code(await _confirm(safe, FRANK)) is Code.RECOVERY_NOTHING
    assert _code(await _ask(safe, ERIN, BOB)) is Code.RECOVERY_NOTHING


async def test_a_recovery_is_confirmed_once(safe: Safe) -> None:
    await safe.desk.place.reconfigure(TWO)
    await _ask(safe, ERIN)
    await _confirm(safe, FRANK)
    assert _code(await _confirm(safe, FRANK)) is Code.RECOVERY_NOTHING


async def test_where_no_second_administrator_exists_an_operator_recovers_alone(safe: Safe) -> None:
    assert not isinstance(await _ask(safe, OPERATOR), Refusal)
    assert not isinstance(await _confirm(safe, OPERATOR), Refusal)
    assert safe.desk.place.kinds(account_stream(ALICE))[-2:] == ("account.recovery_asked", "account.recovered")


async def test_a_code_that_was_taken_stays_taken_through_a_recovery(safe: Safe) -> None:
    await safe.set_second_factor()
    taken = (await safe.desk.account()).last_step
    await _ask(safe, OPERATOR)
    await _confirm(safe, OPERATOR)
    assert (await safe.desk.account()).last_step == taken


def test_the_operator_is_no_name_that_a_person_can_have() -> None:
    from sojourn.configuration.nodes import NAME

    assert NAME.fullmatch("alice")
    assert NAME.fullmatch("operator:root") is None
