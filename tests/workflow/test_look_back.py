"""Control "leavers and movers": whatever takes access from somebody, what they had and did goes on record, once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from sqlalchemy import text as sql

from sojourn.domain.campaign import Campaign
from sojourn.domain.catalogue import Catalogue
from sojourn.domain.change import Proposal
from sojourn.domain.directory import HandOver
from sojourn.domain.events import ConfigurationAdopted, EligibilityLost, GroupsClaimed, LookedBack
from sojourn.domain.grant import Grant
from sojourn.domain.history import Change, Recorded
from sojourn.domain.identifiers import CONFIGURATION, STANDING, GrantId, PersonId, StreamName
from sojourn.domain.people import Person, PersonKind, Team
from sojourn.domain.request import Request
from sojourn.errors import Code, SojournError
from sojourn.projections import tables
from sojourn.projections.projector import Projections
from sojourn.testing.ledger import MemoryLedger
from sojourn.testing.organisation import ALICE, BOB, CAROL, CATALOGUE, DAVE, ENGINEERS, ERIN, READ, SHOP, Workplace
from sojourn.testing.organisation import without as gone
from sojourn.workflow.activate import activate
from sojourn.workflow.approve import approve
from sojourn.workflow.certifying import decide_item, open_campaign
from sojourn.workflow.change import approve_change, propose
from sojourn.workflow.directory import hear
from sojourn.workflow.expire import end_for_leaver
from sojourn.workflow.leave import come_back, leave
from sojourn.workflow.look_back import look_back
from sojourn.workflow.submit import submit
from sojourn.workflow.timekeeping import tick

EDGAR, ROBOT = PersonId("edgar"), PersonId("robot")
PROVIDER = "https://id.example"
ENGINEERING = Team(name=ENGINEERS, members=(BOB, CAROL, DAVE, ROBOT), groups=("engineers",))
COMPANY = replace(
    CATALOGUE,
    people=(*CATALOGUE.people, Person(id=ROBOT, name="Robot", kind=PersonKind.SERVICE, owner=DAVE)),
    teams=(ENGINEERING, CATALOGUE.teams[1]),
)
"""Alice is an engineer as long as the provider says so; the robot is one, and dave answers for it."""
WITHOUT_ALICE = gone(COMPANY, ALICE)
OTHERWISE = replace(COMPANY, teams=(replace(ENGINEERING, groups=()), CATALOGUE.teams[1]))
"""Alice is in no team any more, whatever the provider says."""


async def claims(place: Workplace, *groups: str) -> None:
    event = GroupsClaimed(person=ALICE, origin=PROVIDER, groups=groups, source="t")
    await place.ledger.append((Change(stream=STANDING, event=event, seen=None),))


async def opened(catalogue: Catalogue = COMPANY) -> Workplace:
    place = await Workplace.open(catalogue)
    await claims(place, "engineers")
    return place


async def holding(place: Workplace, person: PersonId = ALICE) -> GrantId:
    asked = await submit(
        place.office, person=person, target=SHOP, role=READ, duration=timedelta(hours=1), reason="x", source="t"
    )
    assert isinstance(asked, Request), asked
    digest = asked.submitted.digest
    assert isinstance(await approve(place.office, request=asked.id, person=BOB, digest=digest, source="t"), Request)
    held = await activate(place.office, request=asked.id, person=person, source="t")
    assert isinstance(held, Grant)
    return held.id


def node(place: Workplace) -> Projections:
    """Read models that have just been made, as after a start, and have read everything."""
    read = Projections.open(None)
    read.apply(place.ledger.entries)
    return read


async def ticked(place: Workplace, read: Projections | None = None) -> tuple[Exception, ...]:
    return await tick(place.office, read or node(place), place.adopted[-1])


def looked_back(place: Workplace) -> list[LookedBack]:
    return [one.event for one in place.ledger.entries if isinstance(one.event, LookedBack)]


async def leaves(place: Workplace) -> None:
    await leave(place.office, person=ALICE, by=ERIN, reason="gone", source="t")


async def leaves_by_the_directory(place: Workplace) -> None:
    told = HandOver(person=ALICE, external_id="x", active=False, known=False)
    await hear(place.office, by=ROBOT, source="t", verb="scim", saying=lambda _: told)


async def is_handed_over_without_groups(place: Workplace) -> None:
    told = HandOver(person=ALICE, external_id="x", active=True, known=False)
    await hear(place.office, by=ROBOT, source="t", verb="scim", saying=lambda _: told)


async def is_certified_no_more(place: Workplace) -> None:
    due = place.clock.now() + timedelta(days=1)
    campaign = await open_campaign(place.office, title="all", person=ERIN, reviewers=(BOB, CAROL), due=due, source="t")
    assert isinstance(campaign, Campaign)
    number = next(one.number for one in campaign.items if (one.person, one.role) == (ALICE, READ))
    done = await decide_item(
        place.office, campaign=campaign.id, number=number, person=BOB, keep=False, comment="", source="t"
    )
    assert isinstance(done, Campaign), done


WAYS: dict[str, Callable[[Workplace], Awaitable[object]]] = {
    "left": leaves,
    "left-by-the-directory": leaves_by_the_directory,
    "handed-over-without-groups": is_handed_over_without_groups,
    "gone-from-the-files": lambda place: place.reconfigure(WITHOUT_ALICE),
    "in-no-team-any-more": lambda place: place.reconfigure(OTHERWISE),
    "no-rule-any-more": lambda place: place.reconfigure(replace(COMPANY, rules=COMPANY.rules[1:])),
    "out-of-the-group": claims,
    "certified-no-more": is_certified_no_more,
}


@pytest.mark.parametrize("way", WAYS)
async def test_whatever_takes_an_access_away_is_looked_back_on_once_when_it_has_ended(way: str) -> None:
    place = await opened()
    grant = await holding(place)
    assert not await ticked(place) and not looked_back(place)
    await WAYS[way](place)
    assert not await ticked(place)
    assert not [one for one in looked_back(place) if one.person == ALICE], "the access has not ended yet"
    await end_for_leaver(place.office, grant)
    for _ in range(3):
        assert not await ticked(place)
    (found,) = (one for one in looked_back(place) if one.person == ALICE)
    assert (found.grants, found.grants_total) == ((grant,), 1)
    assert len({one.person for one in looked_back(place)}) == len(looked_back(place)), "each once"
    assert not place.in_force().standing.to_look_back


@pytest.mark.parametrize("way", WAYS)
async def test_two_nodes_at_once_put_one_look_back_on_record(way: str) -> None:
    place = await opened()
    await WAYS[way](place)
    nodes = [node(place), node(place)]
    await asyncio.gather(*(look_back(place.office, one) for one in nodes))
    assert [one.person for one in looked_back(place)].count(ALICE) == 1


@pytest.mark.parametrize("way", WAYS)
async def test_a_look_back_that_could_not_be_recorded_is_made_up_for_after_a_new_start(way: str) -> None:
    place = await opened()
    await WAYS[way](place)
    place.ledger.failing = True
    failed = await ticked(place)
    assert {one.code for one in failed if isinstance(one, SojournError)} == {Code.RECORD_UNAVAILABLE}
    place.ledger.failing = False
    assert not looked_back(place)
    assert not await ticked(place)
    assert [one.person for one in looked_back(place)].count(ALICE) == 1


async def test_a_look_back_waits_for_read_models_that_are_behind() -> None:
    place = await opened()
    behind = node(place)
    grant = await holding(place)
    await leaves(place)
    await end_for_leaver(place.office, grant)
    assert not await ticked(place, behind) and not looked_back(place)
    behind.apply(place.ledger.entries)
    assert not await ticked(place, behind)
    (found,) = looked_back(place)
    assert found.grants == (grant,)


@dataclass
class Interrupted(MemoryLedger):
    """A ledger at which something happens right after the standing was read for the first time."""

    meanwhile: list[Callable[[], Awaitable[object]]] = field(default_factory=list)

    async def stream(self, stream: StreamName) -> tuple[Recorded, ...]:
        found = await super().stream(stream)
        if stream == STANDING and self.meanwhile:
            await self.meanwhile.pop()()
        return found


async def test_who_leaves_while_another_is_looked_back_on_is_not_looked_back_on_by_old_read_models() -> None:
    place = await opened()
    await leaves(place)
    behind = node(place)
    grant = await holding(place, DAVE)
    busy = Interrupted(
        clock=place.clock,
        entries=place.ledger.entries,
        matters=place.ledger.matters,
        meanwhile=[lambda: leave(place.office, person=DAVE, by=ERIN, reason="gone", source="t")],
    )
    await look_back(replace(place.office, ledger=busy), behind)
    assert not busy.meanwhile and not looked_back(place)
    await end_for_leaver(place.office, grant)
    assert not await ticked(place)
    assert {one.person: one.grants for one in looked_back(place)} == {ALICE: (), DAVE: (grant,), ROBOT: ()}


async def test_who_leaves_again_is_looked_back_on_again_and_who_stays_is_not() -> None:
    place = await opened()
    for times in (1, 2):
        await leaves(place)
        await ticked(place)
        await come_back(place.office, person=ALICE, by=ERIN, reason="back", source="t")
        await place.reconfigure(replace(COMPANY, rules=tuple(reversed(COMPANY.rules)) if times == 1 else COMPANY.rules))
        await claims(place, "engineers", "others")
        await ticked(place)
        assert [one.person for one in looked_back(place)] == [ALICE] * times


async def test_the_files_taking_out_who_has_left_before_is_no_second_loss() -> None:
    place = await opened()
    await leaves(place)
    await ticked(place)
    await place.reconfigure(WITHOUT_ALICE)
    await ticked(place)
    assert len(looked_back(place)) == 1


async def test_a_program_is_looked_back_on_with_whom_it_belonged_to() -> None:
    place = await opened()
    grant = await holding(place, ROBOT)
    await leave(place.office, person=DAVE, by=ERIN, reason="gone", source="t")
    assert not await ticked(place) and not looked_back(place), "the program's access has not ended yet"
    await end_for_leaver(place.office, grant)
    for _ in range(2):
        assert not await ticked(place)
    assert [(one.person, one.grants) for one in looked_back(place)] == [(DAVE, ()), (ROBOT, (grant,))]


async def test_what_two_people_adopt_names_in_the_same_append_whom_it_takes_something_from() -> None:
    company = replace(COMPANY, people=(*COMPANY.people, Person(id=EDGAR, name="Edgar", administrator=True)))
    place = await opened(company)
    proposal = await propose(
        place.office, person=ERIN, catalogue=gone(company, ALICE), files={}, reason="x", source="t"
    )
    assert isinstance(proposal, Proposal)
    approved = await approve_change(
        place.office,
        attachment=place.ledger.attachment,
        change=proposal.proposed.change,
        person=EDGAR,
        digest=proposal.proposed.digest,
        source="t",
    )
    assert isinstance(approved, Proposal)
    adopted, lost = place.ledger.entries[-2:]
    assert isinstance(adopted.event, ConfigurationAdopted) and adopted.stream == CONFIGURATION
    assert lost.event == EligibilityLost(person=ALICE, configuration_version=adopted.version)
    assert place.in_force().standing.to_look_back == {ALICE}


# What is due fails by itself


async def test_what_cannot_be_looked_up_holds_up_nothing_else() -> None:
    place = await opened()
    await leaves(place)
    read = node(place)
    with read.engine.begin() as connection:
        connection.execute(sql("DROP TABLE campaign"))
    (failed,) = await ticked(place, read)
    assert "campaign" in str(failed)
    assert [one.person for one in looked_back(place)] == [ALICE]


async def test_what_always_fails_holds_up_nothing_of_its_kind() -> None:
    """Read models that know of a campaign which the record does not, between two that it does."""
    place = await opened()
    names = []
    for _ in range(2):
        due = place.clock.now() + timedelta(days=1)
        campaign = await open_campaign(
            place.office, title="all", person=ERIN, reviewers=(BOB, CAROL), due=due, source="t"
        )
        assert isinstance(campaign, Campaign)
        names.append(campaign.id)
    read = node(place)
    with read.engine.begin() as connection:
        rows = [dict(row._mapping) for row in connection.execute(tables.campaign.select())]
        connection.execute(tables.campaign.delete())
        for row in (rows[0], {**rows[0], "id": f"{names[0]}-unknown"}, rows[1]):
            connection.execute(tables.campaign.insert().values(**row))
    place.clock.advance(timedelta(days=2))
    for _ in range(2):
        failed = await ticked(place, read)
        assert [one.code for one in failed if isinstance(one, SojournError)] == [Code.CAMPAIGN_UNKNOWN]
    closed = [one.stream for one in place.ledger.entries if one.event.kind == "campaign.closed"]
    assert sorted(closed) == sorted(f"campaign/{name}" for name in names)
