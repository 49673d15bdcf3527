"""Control "a yes can be taken back": until the access has begun, and then what is left counts and nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sojourn.domain.grant import Grant
from sojourn.domain.identifiers import PersonId
from sojourn.domain.request import Request, Status
from sojourn.errors import Code, Refusal
from sojourn.testing.organisation import ALICE, AMEND, BOB, CAROL, DAVE, ERIN, SHOP, Workplace
from sojourn.workflow.activate import activate
from sojourn.workflow.approve import approve
from sojourn.workflow.submit import submit
from sojourn.workflow.withdraw import withdraw_approval


class Asked:
    """A request for an amendment, which takes two of bob and carol, and what is said about it."""

    def __init__(self, place: Workplace, request: Request) -> None:
        self.place, self.request = place, request

    @classmethod
    async def begin(cls) -> Asked:
        place = await Workplace.open()
        request = await submit(
            place.office,
            person=ALICE,
            target=SHOP,
            role=AMEND,
            duration=timedelta(minutes=1),
            reason="r",
            source="test",
        )
        assert isinstance(request, Request)
        return cls(place, request)

    async def yes(self, person: PersonId) -> Request | Refusal:
        digest = self.request.submitted.digest
        return await approve(self.place.office, request=self.request.id, person=person, digest=digest, source="test")

    async def never_mind(self, person: PersonId) -> Request | Refusal:
        return await withdraw_approval(self.place.office, request=self.request.id, person=person, source="test")

    async def begin_access(self) -> Grant | Refusal:
        return await activate(self.place.office, request=self.request.id, person=ALICE, source="test")


def status(answer: Request | Refusal) -> Status:
    assert isinstance(answer, Request), answer
    return answer.status


async def test_a_yes_taken_back_before_the_last_one_lowers_the_count() -> None:
    asked = await Asked.begin()
    assert status(await asked.yes(BOB)) is Status.PENDING
    assert status(await asked.never_mind(BOB)) is Status.PENDING
    assert status(await asked.yes(CAROL)) is Status.PENDING, "one of two, as the other was taken back"
    assert isinstance(await asked.begin_access(), Refusal)
    assert status(await asked.yes(BOB)) is Status.APPROVED


async def test_a_yes_taken_back_after_the_last_one_makes_the_request_wait_again() -> None:
    asked = await Asked.begin()
    await asked.yes(BOB)
    assert status(await asked.yes(CAROL)) is Status.APPROVED
    assert status(await asked.never_mind(CAROL)) is Status.PENDING
    begun = await asked.begin_access()
    assert isinstance(begun, Refusal) and begun.code is Code.REQUEST_NOT_APPROVED
    assert status(await asked.yes(CAROL)) is Status.APPROVED
    assert isinstance(await asked.begin_access(), Grant)


@pytest.mark.parametrize("person", [ALICE, CAROL, DAVE, ERIN])
async def test_nobody_takes_back_what_somebody_else_has_said(person: PersonId) -> None:
    asked = await Asked.begin()
    await asked.yes(BOB)
    answer = await asked.never_mind(person)
    assert isinstance(answer, Refusal)
    assert asked.place.attempts()[-1].verb == "withdraw_approval"
    assert status(await asked.yes(CAROL)) is Status.APPROVED, "bob's yes still counts"


async def test_a_yes_is_not_taken_back_once_the_access_has_begun() -> None:
    asked = await Asked.begin()
    await asked.yes(BOB)
    await asked.yes(CAROL)
    assert isinstance(await asked.begin_access(), Grant)
    assert isinstance(await asked.never_mind(CAROL), Refusal)
