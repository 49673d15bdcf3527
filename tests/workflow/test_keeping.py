"""Holds, shredding and disposal over a ledger with real sealing: races, refusals on record, and what time does."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from sojourn.domain.events import HoldScope, KeysDestroyed, RecordsDisposed
from sojourn.domain.hold import Coverage
from sojourn.domain.identifiers import HoldId, PersonId
from sojourn.domain.register import KeyUse, Register, Shredding
from sojourn.domain.request import Request
from sojourn.domain.sealed import RecordClass
from sojourn.errors import Code, Refusal
from sojourn.projections.sealing import sealed_in
from sojourn.testing.organisation import ALICE, BOB, CAROL, CATALOGUE, DAVE, ERIN, READ, SHOP, Workplace
from sojourn.vault.sealer import Sealer
from sojourn.workflow.activate import activate
from sojourn.workflow.approve import approve
from sojourn.workflow.deny import deny
from sojourn.workflow.hold import coverage_of, place_hold, release_hold
from sojourn.workflow.keeping import load_register
from sojourn.workflow.retain import confirm_retention, dispose, set_retention
from sojourn.workflow.shred import confirm_shredding, request_shredding
from sojourn.workflow.submit import submit

PEOPLE = replace(
    CATALOGUE, people=tuple(replace(one, administrator=one.id in (CAROL, ERIN, DAVE)) for one in CATALOGUE.people)
)


@dataclass(slots=True)
class Archive:
    """A workplace that seals for real, and what its keys were used for."""

    place: Workplace
    sealer: Sealer

    @classmethod
    async def open(cls) -> Archive:
        place = await Workplace.open(PEOPLE)
        sealer = Sealer("evidence", X25519PrivateKey.generate().public_key(), os.urandom, place.clock.now)
        place.office = replace(place.office, sealer=sealer)
        return cls(place, sealer)

    async def uses(self, person: PersonId | None) -> Sequence[KeyUse]:
        """As the read models tell it, worked out from every entry."""
        moments: dict[str, list[datetime]] = {}
        for one in self.place.ledger.entries:
            for sealed in sealed_in(one.event):
                moments.setdefault(sealed.key, []).append(one.at)
        return [
            KeyUse(
                key=key.key,
                person=PersonId(key.person),
                record_class=key.record_class,
                values=len(moments.get(key.key, [])),
                first_at=min(moments.get(key.key, []), default=None),
                last_at=max(moments.get(key.key, []), default=None),
            )
            for key in await self.place.ledger.keys()
            if not key.destroyed and person in (None, key.person)
        ]

    async def ask(self, person: PersonId = ALICE) -> Request:
        answer = await submit(
            self.place.office,
            person=person,
            target=SHOP,
            role=READ,
            duration=timedelta(minutes=30),
            reason="INC-1",
            source="test",
        )
        assert isinstance(answer, Request)
        return answer

    async def shred(self, subject: PersonId = ALICE, person: PersonId = ERIN) -> Shredding | Refusal:
        return await request_shredding(
            self.place.office,
            subject=subject,
            classes=(RecordClass.REASON,),
            reason="asked for it",
            person=person,
            source="test",
            uses=self.uses,
        )

    async def confirm(self, shredding: Shredding, person: PersonId = CAROL) -> Shredding | Refusal:
        name = shredding.requested.shredding
        return await confirm_shredding(self.place.office, shredding=name, person=person, source="test", uses=self.uses)

    async def opens(self, request: Request) -> bool:
        return bool(await self.place.ledger.matter([request.submitted.reason.commitment]))


async def test_a_confirmed_shredding_destroys_and_the_request_stays() -> None:
    archive = await Archive.open()
    request, other = await archive.ask(), await archive.ask(BOB)
    asked = await archive.shred()
    assert isinstance(asked, Shredding)
    assert await archive.opens(request)
    done = await archive.confirm(asked)
    assert isinstance(done, Shredding) and done.confirmed is not None
    assert (done.confirmed.keys, done.confirmed.values) == (1, 1)
    assert (await archive.opens(request), await archive.opens(other)) == (False, True)
    assert archive.place.kinds("keeping") == ("shredding.requested", "shredding.confirmed", "keys.destroyed")


async def test_of_many_who_confirm_at_once_one_destroys_and_the_others_are_told() -> None:
    archive = await Archive.open()
    await archive.ask()
    asked = await archive.shred()
    assert isinstance(asked, Shredding)
    answers = await asyncio.gather(*(archive.confirm(asked, person) for person in (CAROL, DAVE, CAROL, DAVE)))
    refused = [one.code for one in answers if isinstance(one, Refusal)]
    assert refused == [Code.SHREDDING_NOT_PENDING] * 3
    assert archive.place.kinds("keeping").count("keys.destroyed") == 1


async def test_a_hold_that_comes_while_somebody_confirms_is_never_passed() -> None:
    """Whichever is recorded first decides: after a hold there is no tombstone."""
    for _ in range(10):
        archive = await Archive.open()
        request = await archive.ask()
        asked = await archive.shred()
        assert isinstance(asked, Shredding)
        coverage = Coverage(scope=HoldScope.PERSON, name=ALICE, people=(ALICE,))
        _, answer = await asyncio.gather(
            place_hold(archive.place.office, coverage=coverage, reason="case", person=ERIN, source="test"),
            archive.confirm(asked),
        )
        kinds = archive.place.kinds("keeping")
        if isinstance(answer, Refusal):
            assert answer.code is Code.HOLD_IN_FORCE
            assert "keys.destroyed" not in kinds and await archive.opens(request)
        else:
            assert kinds.index("keys.destroyed") < kinds.index("hold.placed")


async def test_every_refusal_is_on_record_with_who_tried() -> None:
    archive = await Archive.open()
    await archive.ask()
    asked = await archive.shred()
    assert isinstance(asked, Shredding)
    await archive.confirm(asked, ERIN)
    await archive.confirm(asked, ALICE)
    await archive.shred(person=PersonId("stranger"))
    tried = [(one.verb, one.actor, one.code) for one in archive.place.attempts()]
    assert tried == [
        ("confirm_shredding", ERIN, Code.SHREDDING_SELF),
        ("confirm_shredding", ALICE, Code.PERMISSION_DENIED),
        ("request_shredding", "stranger", Code.PERSON_UNKNOWN),
    ]


async def test_time_makes_records_ripe_and_only_those_that_no_longer_grow() -> None:
    archive = await Archive.open()
    old = await archive.ask()
    archive.place.clock.advance(timedelta(days=40))
    young = await archive.ask()
    await set_retention(archive.place.office, record_class=RecordClass.REASON, days=365, person=ERIN, source="")
    done = await confirm_retention(
        archive.place.office, record_class=RecordClass.REASON, days=365, person=CAROL, source=""
    )
    assert isinstance(done, Register)
    archive.place.clock.advance(timedelta(days=330))
    disposed = await dispose(archive.place.office, person=ERIN, source="", uses=archive.uses)
    assert isinstance(disposed, RecordsDisposed)
    assert [(one.record_class, one.keys, one.values) for one in disposed.classes] == [(RecordClass.REASON, 1, 1)]
    assert (await archive.opens(old), await archive.opens(young)) == (False, True)
    again = await dispose(archive.place.office, person=ERIN, source="", uses=archive.uses)
    assert isinstance(again, Refusal) and again.code is Code.RETENTION_NOTHING_DUE


async def test_a_disposal_leaves_what_is_held_and_takes_the_rest() -> None:
    archive = await Archive.open()
    held, free = await archive.ask(), await archive.ask(BOB)
    coverage = Coverage(scope=HoldScope.PERSON, name=ALICE, people=(ALICE,))
    await place_hold(archive.place.office, coverage=coverage, reason="case", person=ERIN, source="")
    archive.place.clock.advance(timedelta(days=3000))
    disposed = await dispose(archive.place.office, person=ERIN, source="", uses=archive.uses)
    assert isinstance(disposed, RecordsDisposed)
    assert disposed.classes[0].held_keys == 1
    assert (await archive.opens(held), await archive.opens(free)) == (True, False)
    gone = [one.event for one in archive.place.entries("keeping") if isinstance(one.event, KeysDestroyed)]
    # The reason of the hold was three thousand days old too, and nobody holds erin's records.
    assert {(one.person, one.cause) for one in gone} == {(BOB, disposed.disposal), (ERIN, disposed.disposal)}


async def test_a_hold_on_an_access_covers_all_who_took_part_in_it() -> None:
    archive = await Archive.open()
    request = await archive.ask()
    digest = request.submitted.digest
    await approve(archive.place.office, request=request.id, person=BOB, digest=digest, source="")
    grant = await activate(archive.place.office, request=request.id, person=ALICE, source="")
    assert not isinstance(grant, Refusal)
    ledger = archive.place.ledger
    by_grant = await coverage_of(ledger, HoldScope.GRANT, grant.id, None, None)
    by_request = await coverage_of(ledger, HoldScope.REQUEST, request.id, None, None)
    assert isinstance(by_grant, Coverage) and isinstance(by_request, Coverage)
    assert by_grant.people == by_request.people == (ALICE, BOB)
    assert by_grant.start == by_request.start == ledger.entries[1].at
    assert by_grant.end is by_request.end is None


async def test_a_hold_on_a_request_that_was_denied_covers_who_denied_it() -> None:
    archive = await Archive.open()
    request = await archive.ask()
    await deny(archive.place.office, request=request.id, person=CAROL, digest=request.submitted.digest, source="")
    coverage = await coverage_of(archive.place.ledger, HoldScope.REQUEST, request.id, None, None)
    assert isinstance(coverage, Coverage) and coverage.people == (ALICE, CAROL)


@pytest.mark.parametrize(
    ("scope", "name", "code"),
    [
        (HoldScope.GRANT, "g-nothing", Code.GRANT_UNKNOWN),
        (HoldScope.GRANT, "../../x", Code.GRANT_UNKNOWN),
        (HoldScope.REQUEST, "r-nothing", Code.REQUEST_UNKNOWN),
        (HoldScope.REQUEST, "x" * 1000, Code.REQUEST_UNKNOWN),
    ],
)
async def test_nothing_is_held_of_what_is_not_there(scope: HoldScope, name: str, code: Code) -> None:
    archive = await Archive.open()
    answer = await coverage_of(archive.place.ledger, scope, name, None, None)
    assert isinstance(answer, Refusal) and answer.code is code


async def test_two_who_ask_for_a_release_at_once_release_it_together() -> None:
    archive = await Archive.open()
    coverage = Coverage(scope=HoldScope.PERSON, name=ALICE, people=(ALICE,))
    hold = await place_hold(archive.place.office, coverage=coverage, reason="case", person=ERIN, source="")
    assert not isinstance(hold, Refusal)
    name = HoldId(hold.placed.hold)
    await asyncio.gather(
        *(release_hold(archive.place.office, hold=name, person=person, source="") for person in (CAROL, DAVE))
    )
    register, version = await load_register(archive.place.ledger)
    released = register.holds[name].released
    assert released is not None and {released.requested_by, released.confirmed_by} == {CAROL, DAVE}
    assert version == 3
