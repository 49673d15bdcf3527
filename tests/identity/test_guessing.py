"""Passwords that are easily guessed are not taken, whether they are set first or later; others are, of any letters."""

from __future__ import annotations

from dataclasses import replace

import pytest
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from sojourn.domain.identifiers import PersonId
from sojourn.domain.people import Person
from sojourn.errors import Code, Refusal
from sojourn.identity import accounts
from sojourn.identity.passwords import JUDGED_LENGTH, easily_guessed
from sojourn.testing.organisation import ALICE, CATALOGUE

from .conftest import Desk

GUESSED = [
    "password1234",
    "Passw0rd!Passw0rd!",
    "passwordpassword",
    "qwertyuiopas",
    "1qaz2wsx3edc",
    "123456789012",
    "iloveyou12345",
    "letmeinplease12",
    "aaaaaaaaaaaaaaaa",
    "abcdefghijkl",
    "x" * 1000,
    "Sojourn2026!!",
    "s0j0urn-production",
    "ALICEALICEALICE",
    "alice-engineers",
    "Ardenarden2026",
    "production-shop",
    "alice13.02.1984",
]
TAKEN = [
    "correct horse battery",
    "wardrobe lemon uncle frost",
    "9f#kQz7!mWx2",
    "Больше не угадаешь ни за что",
    "雪が降る夜に猫が歩いていた",
    "a secret of at least thirty-two letters",
]


async def _enrolled(desk: Desk, password: str) -> Refusal | object:
    code = await desk.invited()
    return await accounts.enrol(
        desk.place.office, person=ALICE, code=code, password=password, source="here:1", minimum=12
    )


def _named(desk: Desk) -> None:
    """Alice is called Alice Arden here."""
    people = (Person(id=ALICE, name="Alice Arden", mail="a.arden@example.com"), *CATALOGUE.people[1:])
    desk.place.adopted[-1] = replace(desk.place.adopted[-1], catalogue=replace(CATALOGUE, people=people))


@pytest.mark.parametrize("password", GUESSED, ids=[f"{place}_{one[:12]}" for place, one in enumerate(GUESSED)])
async def test_what_is_easily_guessed_opens_no_account_and_the_refusal_is_on_record(desk: Desk, password: str) -> None:
    _named(desk)
    refusal = await _enrolled(desk, password)
    assert isinstance(refusal, Refusal)
    assert refusal.code is Code.PASSWORD_GUESSABLE
    assert desk.refused() == [("enrol", "alice", "password.guessable")]
    assert password not in refusal.sentence + refusal.next_step


@pytest.mark.parametrize("password", TAKEN, ids=[f"{place}" for place, _ in enumerate(TAKEN)])
async def test_other_passwords_are_taken_whatever_their_letters(desk: Desk, password: str) -> None:
    assert not isinstance(await _enrolled(desk, password), Refusal)


async def test_a_change_of_password_is_judged_the_same(desk: Desk) -> None:
    await _enrolled(desk, TAKEN[0])

    async def changed(password: str) -> object:
        return await accounts.change_password(
            desk.place.office, person=ALICE, password=password, source="here:1", minimum=12
        )

    refusal = await changed("password1234")
    assert isinstance(refusal, Refusal)
    assert refusal.code is Code.PASSWORD_GUESSABLE
    assert not isinstance(await changed(TAKEN[1]), Refusal)


async def test_none_of_the_three_thousand_best_known_is_taken() -> None:
    known = FREQUENCY_LISTS["passwords"][:3000]
    assert len(known) == 3000
    assert [one for one in known if not await easily_guessed(one, ())] == []


async def test_words_of_the_context_weigh_less_than_others() -> None:
    assert not await easily_guessed("zorblaxquin-harnvogel", ())
    assert await easily_guessed("zorblaxquin-harnvogel", ("zorblaxquin", "harnvogel"))


async def test_the_longest_password_is_judged_by_its_beginning() -> None:
    assert not await easily_guessed(TAKEN[0] + "x" * 979, ())
    assert await easily_guessed("y" * JUDGED_LENGTH + TAKEN[0], ())


def test_the_context_is_the_product_the_person_and_what_is_named_here() -> None:
    words = accounts.context_words(CATALOGUE, ALICE)
    assert {"sojourn", "alice", "shop"} <= set(words)
    assert all(len(word) > 1 and word == word.lower() for word in words)
    assert "nobody" in accounts.context_words(CATALOGUE, PersonId("nobody"))
