"""Who is asking: accounts, passwords, tokens and limits, on a ledger in memory and with real sealing."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import os
import re
import time
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from sojourn.domain.catalogue import Adopted, Catalogue
from sojourn.domain.credential import decode_verifier, derive_verifier, gateway_salt
from sojourn.domain.events import AttemptRefused, TokenIssued, TokenPurpose
from sojourn.domain.identifiers import ATTEMPTS, PersonId, TokenId, account_stream
from sojourn.domain.people import Person
from sojourn.errors import Code, Refusal, SojournError
from sojourn.identity import accounts, limits, tokens
from sojourn.identity.accounts import PasswordReader
from sojourn.identity.limits import AttemptLimit
from sojourn.testing.clock import SimulatedClock
from sojourn.testing.ledger import MemoryLedger
from sojourn.vault.keys import KeyPair
from sojourn.vault.opener import Opener
from sojourn.vault.sealer import Sealer
from sojourn.workflow.ports import Office
from sojourn.workflow.strangers import ONE_BY_ONE_MAX, Strangers

PASSWORD = "correct horse battery"
ALICE, BOB = PersonId("alice"), PersonId("bob")
EVIDENCE = KeyPair(recipient="evidence", private=X25519PrivateKey.generate())
GATEWAY = KeyPair(recipient="gateway", private=X25519PrivateKey.generate())


@dataclass
class House:
    """Everything that identity works with."""

    people: tuple[PersonId, ...] = (ALICE, BOB)
    clock: SimulatedClock = field(default_factory=SimulatedClock)

    def __post_init__(self) -> None:
        """Wire it up."""
        self.ledger = MemoryLedger(self.clock)
        self.numbers = itertools.count(1)
        self.office = Office(
            ledger=self.ledger,
            sealer=Sealer("evidence", EVIDENCE.public, os.urandom),
            clock=self.clock,
            new_id=lambda kind: f"{kind}-{next(self.numbers):010d}",
            in_force=self.in_force,
        )
        self.gateway_sealer = Sealer("gateway", GATEWAY.public, os.urandom)
        self.reader = PasswordReader(matter=self.ledger.matter, open_value=Opener(EVIDENCE).open_value)
        self.limit = AttemptLimit(self.clock.now)

    def in_force(self) -> Adopted:
        """The catalogue of the people who are there now."""
        people = tuple(Person(id=one, name=one.title()) for one in self.people)
        return Adopted(catalogue=Catalogue(people=people, teams=(), targets=(), rules=()), version=1, digest="0" * 64)

    async def refused(self) -> list[tuple[str, str, str]]:
        """Verb, actor and code of every attempt on record."""
        entries = [one.event for one in await self.ledger.stream(ATTEMPTS)]
        return [(one.verb, one.actor, one.code) for one in entries if isinstance(one, AttemptRefused)]

    async def invite(self, code: str = "a code") -> None:
        """Invite alice."""
        answer = await accounts.invite(
            self.office, person=ALICE, invited_by="carol", life=timedelta(hours=24), code=code
        )
        assert not isinstance(answer, Refusal)

    async def enrol(self, code: str = "a code", password: str = PASSWORD) -> object:
        """Redeem alice's invitation."""
        return await accounts.enrol(
            self.office, person=ALICE, code=code, password=password, source="192.0.2.1:99", minimum=12
        )

    async def sign_in(self, person: str = ALICE, password: str = PASSWORD, source: str = "192.0.2.1:99") -> object:
        """Try to sign in."""
        return await accounts.sign_in(
            self.office,
            person=PersonId(person),
            password=password,
            source=source,
            reader=self.reader,
            limit=self.limit,
        )

    async def issue(self, purpose: TokenPurpose = TokenPurpose.API, minutes: int = 15) -> tuple[str, TokenIssued]:
        """A token for alice."""
        return await tokens.issue(
            self.office,
            person=ALICE,
            purpose=purpose,
            life=timedelta(minutes=minutes),
            source="192.0.2.1:99",
            secret=os.urandom(tokens.SECRET_BYTES),
            gateway_sealer=self.gateway_sealer if purpose is TokenPurpose.GATEWAY else None,
        )

    async def recognise(self, text: str, purpose: TokenPurpose = TokenPurpose.API) -> object:
        """Whose token this is."""
        return await tokens.recognise(self.office, text, purpose=purpose)


@pytest.fixture
def house() -> House:
    """An office with alice and bob in it."""
    return House()


@pytest.fixture
async def enrolled(house: House) -> House:
    """The same, in which alice has an account."""
    await house.invite()
    assert not isinstance(await house.enrol(), Refusal)
    return house


def _code(answer: object) -> Code:
    assert isinstance(answer, Refusal), answer
    assert answer.sentence and answer.next_step
    return answer.code


async def test_an_invitation_is_redeemed_once_for_a_password_that_signs_in(house: House) -> None:
    await house.invite()
    assert not isinstance(await house.enrol(), Refusal)
    assert await house.sign_in() == ALICE
    assert _code(await house.enrol(password="another long password")) is Code.INVITATION_INVALID
    assert await house.sign_in() == ALICE


async def test_neither_code_nor_password_is_on_record(enrolled: House) -> None:
    await enrolled.sign_in()
    await enrolled.sign_in(password="a wrong password")
    for one in enrolled.ledger.entries:
        for secret in (PASSWORD, "a code", "a wrong password"):
            assert secret not in repr(one)
    for matter, _ in enrolled.ledger.matters.values():
        assert b"argon2" not in matter.ciphertext


async def test_an_invitation_ends_by_itself_and_a_newer_one_replaces_it(house: House) -> None:
    await house.invite("first")
    await house.invite("second")
    assert _code(await house.enrol("first")) is Code.INVITATION_INVALID
    house.clock.advance(timedelta(hours=24))
    assert _code(await house.enrol("second")) is Code.INVITATION_INVALID
    house.clock.advance(-timedelta(microseconds=1))
    assert not isinstance(await house.enrol("second"), Refusal)


async def test_one_of_two_who_redeem_an_invitation_at_once_gets_the_account(house: House) -> None:
    await house.invite()
    answers = await asyncio.gather(
        house.enrol(password="the first password"), house.enrol(password="the other password"), return_exceptions=True
    )
    lost = [answer for answer in answers if isinstance(answer, SojournError | Refusal)]
    assert len(lost) == 1 and lost[0].code in (Code.RECORD_STALE, Code.INVITATION_INVALID)
    signed_in = [await house.sign_in(password=f"the {which} password") == ALICE for which in ("first", "other")]
    assert signed_in.count(True) == 1


async def test_an_account_that_exists_cannot_be_taken_over_by_an_invitation(enrolled: House) -> None:
    answer = await accounts.invite(
        enrolled.office, person=ALICE, invited_by="mallory", life=timedelta(hours=1), code="mine"
    )
    assert _code(answer) is Code.ACCOUNT_EXISTS
    assert ("invite", "mallory", Code.ACCOUNT_EXISTS) in await enrolled.refused()


async def test_a_password_is_neither_short_nor_endless(house: House) -> None:
    await house.invite()
    assert _code(await house.enrol(password="x" * 11)) is Code.PASSWORD_TOO_SHORT
    assert _code(await house.enrol(password="x" * 1001)) is Code.INPUT_INVALID
    longest = PASSWORD + "x" * (1000 - len(PASSWORD))
    assert not isinstance(await house.enrol(password=longest), Refusal)
    assert await house.sign_in(password=longest) == ALICE
    assert _code(await house.sign_in(password=longest + "x")) is Code.CREDENTIALS_INVALID


async def test_a_stranger_with_a_wrong_code_costs_no_hash(house: House) -> None:
    await house.invite()
    started = time.perf_counter()
    for _ in range(50):
        assert _code(await house.enrol("guess")) is Code.INVITATION_INVALID
    assert time.perf_counter() - started < 0.5
    assert len(await house.refused()) == 50


@pytest.mark.parametrize(
    ("person", "password"),
    [("alice", "wrong"), ("alice", ""), ("alice", PASSWORD + "x"), ("bob", PASSWORD), ("mallory", PASSWORD),
     ("", ""), ("system", PASSWORD), ("a" * 100_000, PASSWORD), ("al/ice", PASSWORD), ("\x00", PASSWORD)],
)  # fmt: skip
async def test_every_wrong_sign_in_gets_the_same_answer_and_is_on_record(
    enrolled: House, person: str, password: str
) -> None:
    answer = await enrolled.sign_in(person, password)
    assert answer == Refusal(Code.CREDENTIALS_INVALID)
    ((verb, actor, code),) = await enrolled.refused()
    assert (verb, code) == ("sign_in", Code.CREDENTIALS_INVALID)
    assert actor == person or (len(actor) <= 200 and person.startswith(actor[:199]))


async def test_somebody_who_left_cannot_sign_in(enrolled: House) -> None:
    enrolled.people = (BOB,)
    assert _code(await enrolled.sign_in()) is Code.CREDENTIALS_INVALID


async def test_an_unknown_name_costs_the_same_reads_and_the_same_hash_as_a_known_one(
    enrolled: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    costs: dict[str, list[object]] = {}
    read_stream, read_matter = MemoryLedger.stream, MemoryLedger.matter

    for person in ("alice", "bob", "mallory"):
        seen = costs.setdefault(person, [])

        async def stream(ledger: MemoryLedger, name: object, seen: list[object] = seen) -> object:
            seen.append("stream")
            return await read_stream(ledger, name)  # type: ignore[arg-type]

        async def matter(commitments: list[str], seen: list[object] = seen) -> object:
            seen.append(("matter", len(commitments)))
            return await read_matter(enrolled.ledger, commitments)

        monkeypatch.setattr(MemoryLedger, "stream", stream)
        reader = PasswordReader(matter=matter, open_value=enrolled.reader.open_value)  # type: ignore[arg-type]
        started = time.perf_counter()
        await accounts.sign_in(
            enrolled.office,
            person=PersonId(person),
            password="wrong",
            source="s:1",
            reader=reader,
            limit=enrolled.limit,
        )
        assert time.perf_counter() - started > 0.005
    assert costs["alice"] == costs["bob"] == costs["mallory"] == ["stream", ("matter", 1)]


async def test_guessing_gets_slow_and_the_owner_is_not_locked_out_elsewhere(enrolled: House) -> None:
    for _ in range(limits.FREE_ATTEMPTS):
        assert _code(await enrolled.sign_in(password="guess", source="203.0.113.9:1")) is Code.CREDENTIALS_INVALID
    limited = await enrolled.sign_in(source="203.0.113.9:2")
    assert _code(limited) is Code.ATTEMPTS_LIMITED
    assert ("sign_in", "alice", Code.ATTEMPTS_LIMITED) in await enrolled.refused()
    assert await enrolled.sign_in(source="192.0.2.1:5") == ALICE
    enrolled.clock.advance(limits.FIRST_PAUSE)
    assert await enrolled.sign_in(source="203.0.113.9:3") == ALICE


async def test_guesses_made_all_at_once_are_limited_too(enrolled: House) -> None:
    answers = await asyncio.gather(*(enrolled.sign_in(password=f"guess {number}") for number in range(30)))
    codes = [_code(answer) for answer in answers]
    assert codes.count(Code.CREDENTIALS_INVALID) == limits.FREE_ATTEMPTS
    assert codes.count(Code.ATTEMPTS_LIMITED) == 30 - limits.FREE_ATTEMPTS


async def test_many_names_from_one_address_are_slowed_down_and_lock_nobody_out(enrolled: House) -> None:
    assert await enrolled.sign_in(source="203.0.113.9:1") == ALICE
    codes = [
        _code(await enrolled.sign_in(person=PersonId(f"nobody-{number}"), source="203.0.113.9:2"))
        for number in range(limits.NAMES_MAX + 20)
    ]
    assert codes.count(Code.CREDENTIALS_INVALID) == limits.NAMES_MAX
    assert codes[limits.NAMES_MAX :] == [Code.ATTEMPTS_LIMITED] * 20
    assert await enrolled.sign_in(source="203.0.113.9:3") == ALICE, "who got in from there before gets in"
    assert await enrolled.sign_in(source="192.0.2.1:5") == ALICE, "and so does everybody elsewhere"
    enrolled.clock.advance(limits.PERIOD)
    again = await enrolled.sign_in(person=PersonId("nobody-0"), source="203.0.113.9:4")
    assert _code(again) is Code.CREDENTIALS_INVALID


async def test_refused_sign_ins_of_strangers_do_not_fill_the_ledger(enrolled: House) -> None:
    enrolled.office = replace(enrolled.office, counted=Strangers(enrolled.clock.now).counted)
    before = len(await enrolled.refused())
    for number in range(ONE_BY_ONE_MAX + 25):
        await enrolled.sign_in(person=PersonId(f"nobody-{number}"), source="203.0.113.9:2")
    assert len(await enrolled.refused()) - before == ONE_BY_ONE_MAX
    enrolled.clock.advance(limits.PERIOD)
    await enrolled.sign_in(person=PersonId("nobody"), source="203.0.113.9:2")
    entries = [one.event for one in await enrolled.office.ledger.stream(ATTEMPTS)]
    last = entries[-1]
    assert isinstance(last, AttemptRefused)
    assert ("not_recorded_before", "25") in last.details


async def test_signing_in_often_is_not_an_attack(enrolled: House) -> None:
    for _ in range(3 * limits.FREE_ATTEMPTS):
        assert await enrolled.sign_in() == ALICE


@given(st.lists(st.tuples(st.integers(0, 400), st.booleans()), max_size=60))
def test_no_pause_is_longer_than_the_longest_and_each_ends(steps: list[tuple[int, bool]]) -> None:
    clock = SimulatedClock()
    limit = AttemptLimit(clock.now)
    for seconds, right in steps:
        clock.advance(timedelta(seconds=seconds))
        refusal = limit.take("source", "alice")
        if refusal is None and right:
            limit.succeeded("source", "alice")
        if refusal is not None:
            assert 1 <= int(refusal.details["seconds"]) <= limits.LONGEST_PAUSE.total_seconds()
    clock.advance(limits.LONGEST_PAUSE)
    assert limit.take("source", "alice") is None


def test_the_memory_of_failures_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ENTRIES_MAX", 8)
    limit = AttemptLimit(SimulatedClock().now)
    for number in range(100):
        limit.take("source", f"name-{number}")
    assert len(limit._failures) == 8


async def test_a_token_is_recognised_until_it_ends(house: House) -> None:
    text, issued = await house.issue(minutes=15)
    assert re.fullmatch(r"sj_api_t-[0-9]{10}_[a-z2-7]{32}", text)
    assert await house.recognise(text) == issued
    house.clock.advance(timedelta(minutes=15) - timedelta(microseconds=1))
    assert await house.recognise(text) == issued
    house.clock.advance(timedelta(microseconds=1))
    assert _code(await house.recognise(text)) is Code.CREDENTIALS_EXPIRED


async def test_a_token_opens_one_kind_of_door(house: House) -> None:
    api, _ = await house.issue(TokenPurpose.API)
    gateway, _ = await house.issue(TokenPurpose.GATEWAY)
    assert _code(await house.recognise(api, TokenPurpose.GATEWAY)) is Code.CREDENTIALS_INVALID
    assert _code(await house.recognise(gateway, TokenPurpose.API)) is Code.CREDENTIALS_INVALID
    assert _code(await house.recognise(gateway.replace("gateway", "api"))) is Code.CREDENTIALS_INVALID


@given(data=st.data())
def test_no_other_text_is_a_token(data: st.DataObject) -> None:
    async def run() -> None:
        house = House()
        text, _ = await house.issue()
        place = data.draw(st.integers(0, len(text) - 1))
        letter = data.draw(st.sampled_from("abz27_-S\x00é"))
        changed = text[:place] + letter + text[place + 1 :]
        for other in (changed, text + letter, letter + text, text[:place], text.upper(), data.draw(st.text())):
            if other != text:
                assert _code(await house.recognise(other)) is Code.CREDENTIALS_INVALID

    asyncio.run(run())


async def test_the_secret_of_a_token_is_not_on_record(house: House) -> None:
    text, issued = await house.issue(TokenPurpose.GATEWAY)
    secret = text.rpartition("_")[2]
    assert secret not in repr(house.ledger.entries)
    assert issued.secret_sha256 == hashlib.sha256(text.encode()).hexdigest()


async def test_the_gateway_and_nobody_else_can_open_the_verifier_of_a_token(house: House) -> None:
    text, issued = await house.issue(TokenPurpose.GATEWAY)
    assert issued.scram is not None
    ((matter, key),) = await house.ledger.matter([issued.scram.commitment])
    verifier = decode_verifier(Opener(GATEWAY).open_value(matter, key))
    assert verifier == derive_verifier(text, gateway_salt(ALICE))
    with pytest.raises(SojournError):
        Opener(EVIDENCE).open_value(matter, key)


async def test_a_revoked_token_and_one_of_somebody_who_left_open_nothing(house: House) -> None:
    text, issued = await house.issue()
    other, _ = await house.issue()
    await tokens.revoke(house.office, token=issued.token, person=ALICE)
    assert _code(await house.recognise(text)) is Code.CREDENTIALS_INVALID
    assert await house.recognise(other) != Refusal(Code.CREDENTIALS_INVALID)
    house.people = (BOB,)
    assert _code(await house.recognise(other)) is Code.CREDENTIALS_INVALID


async def test_nobody_revokes_the_token_of_somebody_else(house: House) -> None:
    text, issued = await house.issue()
    await tokens.revoke(house.office, token=issued.token, person=BOB)
    await tokens.revoke(house.office, token=TokenId("t-unknown"), person=ALICE)
    assert await house.recognise(text) == issued


async def test_nothing_is_answered_that_is_not_on_record(enrolled: House) -> None:
    enrolled.ledger.failing = True
    for call in (enrolled.issue(), enrolled.sign_in(password="wrong")):
        with pytest.raises(SojournError) as raised:
            await call
        assert raised.value.code is Code.RECORD_UNAVAILABLE
    assert len(await enrolled.ledger.stream(account_stream(ALICE))) == 2
