"""What must not work, whoever tries it and however: each way round a promise that others have been caught by."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from sojourn.domain.campaign import Campaign
from sojourn.domain.catalogue import Catalogue
from sojourn.domain.events import AbsenceDeclared, GrantCreated, GroupsClaimed, RequestSubmitted
from sojourn.domain.grant import Grant
from sojourn.domain.grant import Status as GrantStatus
from sojourn.domain.history import Change
from sojourn.domain.identifiers import STANDING, PersonId, RequestId, TeamName
from sojourn.domain.people import Person, PersonKind, Team
from sojourn.domain.policy import People
from sojourn.domain.request import Request, Status
from sojourn.errors import Code, Refusal
from sojourn.projections.projector import Projections
from sojourn.testing.organisation import (
    ALICE,
    BOB,
    CAROL,
    CATALOGUE,
    DAVE,
    ENGINEERS,
    ERIN,
    LEADS,
    READ,
    SHOP,
    Workplace,
    with_rules,
)
from sojourn.testing.sealer import FixedSealer
from sojourn.workflow.activate import activate
from sojourn.workflow.approve import approve
from sojourn.workflow.approve_less import approve_less
from sojourn.workflow.away import declare_absence
from sojourn.workflow.certifying import decide_item, open_campaign
from sojourn.workflow.deny import deny
from sojourn.workflow.expire import end_for_leaver, expire_grant
from sojourn.workflow.extend import extend
from sojourn.workflow.leave import come_back, leave
from sojourn.workflow.loading import load_grant
from sojourn.workflow.provision import confirm_provisioned
from sojourn.workflow.revise import revise
from sojourn.workflow.revoke import revoke
from sojourn.workflow.submit import submit
from sojourn.workflow.timekeeping import tick
from sojourn.workflow.withdraw import withdraw

READING, AMENDING = CATALOGUE.rules
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
TICK = timedelta(microseconds=1)
ROBOT, AGENT = PersonId("alice-robot"), PersonId("carol-agent")

WITH_PROGRAMS = replace(
    CATALOGUE,
    people=(
        *CATALOGUE.people,
        Person(id=ROBOT, name="Robot", kind=PersonKind.SERVICE, owner=ALICE),
        Person(id=AGENT, name="Agent", kind=PersonKind.AGENT, owner=CAROL),
    ),
    teams=(
        Team(name=ENGINEERS, members=(ALICE, BOB, CAROL, DAVE, ROBOT)),
        # Whoever writes the files may well put programs among those who decide.
        Team(name=LEADS, members=(BOB, CAROL, ROBOT, AGENT)),
    ),
)


async def asked(
    place: Workplace, person: PersonId = ALICE, duration: timedelta = HOUR, start: timedelta | None = None
) -> Request:
    begins = None if start is None else place.clock.now() + start
    request = await submit(
        place.office, person=person, target=SHOP, role=READ, duration=duration, reason="x", source="t", start=begins
    )
    assert isinstance(request, Request)
    return request


async def says_yes(place: Workplace, request: Request, person: PersonId = BOB) -> Request | Refusal:
    digest = request.submitted.digest
    return await approve(place.office, request=request.id, person=person, digest=digest, source="t")


async def given(place: Workplace, duration: timedelta = HOUR) -> Grant:
    request = await asked(place, duration=duration)
    await says_yes(place, request)
    grant = await activate(place.office, request=request.id, person=ALICE, source="t")
    assert isinstance(grant, Grant)
    active = await confirm_provisioned(
        place.office, grant=grant.id, observed=["x"], secret=b"s", sealer=FixedSealer(key="g")
    )
    assert isinstance(active, Grant)
    return active


async def away(place: Workplace, person: PersonId, delegate: PersonId) -> AbsenceDeclared | Refusal:
    now = place.clock.now()
    return await declare_absence(place.office, person=person, start=now, end=now + HOUR, delegate=delegate, source="t")


def code(outcome: object) -> Code:
    assert isinstance(outcome, Refusal), outcome
    assert outcome.sentence and outcome.next_step
    return outcome.code


def grants(place: Workplace) -> int:
    return sum(isinstance(one.event, GrantCreated) for one in place.ledger.entries)


# Deciding on one's own


async def test_an_administrator_decides_on_their_own_request_as_little_as_anybody() -> None:
    everybody = People(people=tuple(person.id for person in CATALOGUE.people))
    place = await Workplace.open(with_rules(CATALOGUE, replace(READING, who=everybody, approvers=everybody)))
    request = await asked(place, ERIN)
    for verb in (approve, deny):
        outcome = await verb(
            place.office, request=request.id, person=ERIN, digest=request.submitted.digest, source="api token"
        )
        assert code(outcome) is Code.APPROVAL_SELF


@pytest.mark.parametrize("person", [ROBOT, AGENT])
async def test_a_program_decides_for_nobody_though_it_is_in_the_group_that_does(person: PersonId) -> None:
    place = await Workplace.open(WITH_PROGRAMS)
    request = await asked(place, DAVE)
    assert person not in request.submitted.approvers
    assert code(await says_yes(place, request, person)) is Code.APPROVAL_NOT_ENTITLED


@pytest.mark.parametrize("person", [ROBOT, AGENT])
async def test_nobody_away_leaves_their_decisions_to_a_program(person: PersonId) -> None:
    place = await Workplace.open(WITH_PROGRAMS)
    assert code(await away(place, BOB, person)) is Code.ABSENCE_INVALID
    request = await asked(place, DAVE)
    assert code(await says_yes(place, request, person)) is Code.APPROVAL_NOT_ENTITLED


async def test_a_delegate_who_has_become_a_program_decides_nothing_any_more() -> None:
    place = await Workplace.open()
    assert isinstance(await away(place, BOB, DAVE), AbsenceDeclared)
    request = await asked(place)
    people = tuple(
        replace(one, kind=PersonKind.AGENT, owner=BOB) if one.id == DAVE else one for one in CATALOGUE.people
    )
    await place.reconfigure(replace(CATALOGUE, people=people))
    assert code(await says_yes(place, request, DAVE)) is Code.APPROVAL_NOT_ENTITLED


async def test_no_program_certifies() -> None:
    place = await Workplace.open(WITH_PROGRAMS)
    due = place.clock.now() + HOUR
    office = place.office
    refused = await open_campaign(office, title="x", person=ERIN, reviewers=(BOB, AGENT), due=due, source="t")
    assert code(refused) is Code.CAMPAIGN_INVALID
    campaign = await open_campaign(office, title="x", person=ERIN, reviewers=(BOB, CAROL), due=due, source="t")
    assert isinstance(campaign, Campaign)
    people = tuple(
        replace(one, kind=PersonKind.AGENT, owner=CAROL) if one.id == BOB else one for one in WITH_PROGRAMS.people
    )
    await place.reconfigure(replace(WITH_PROGRAMS, people=people))
    number = next(one.number for one in campaign.items if one.person == DAVE)
    outcome = await decide_item(
        office, campaign=campaign.id, number=number, person=BOB, keep=True, comment="", source="t"
    )
    assert code(outcome) is Code.CAMPAIGN_NOT_ENTITLED


async def test_no_chain_of_delegations_leads_back_to_the_requester() -> None:
    place = await Workplace.open()
    request = await asked(place)
    await away(place, BOB, DAVE)
    await away(place, DAVE, ALICE)
    await away(place, CAROL, ALICE)
    assert code(await says_yes(place, request, ALICE)) is Code.APPROVAL_SELF
    asked_by_dave = await asked(place, DAVE)
    assert code(await says_yes(place, asked_by_dave, DAVE)) is Code.APPROVAL_SELF


# Changing what was decided on


@pytest.mark.parametrize("what", ["reason", "role", "duration", "start", "nothing at all"])
async def test_whatever_is_edited_after_the_approval_needs_a_new_one_and_both_versions_stay(what: str) -> None:
    place = await Workplace.open(with_rules(CATALOGUE, READING, replace(AMENDING, approvals=1, longest=HOUR)))
    request = await asked(place)
    await says_yes(place, request)
    revised = await revise(
        place.office,
        request=request.id,
        person=ALICE,
        target=SHOP,
        role=AMENDING.roles[0] if what == "role" else READ,
        duration=MINUTE if what == "duration" else HOUR,
        reason="y" if what == "reason" else "x",
        source="t",
        start=place.clock.now() + HOUR if what == "start" else None,
    )
    assert isinstance(revised, Request) and revised.status is Status.PENDING
    assert code(await activate(place.office, request=request.id, person=ALICE, source="t")) is Code.REQUEST_NOT_APPROVED
    old = await says_yes(place, request)
    assert code(old) is Code.REQUEST_CHANGED
    assert isinstance(await says_yes(place, revised), Request)
    kinds = place.kinds(f"request/{request.id}")
    assert kinds == ("request.submitted", "request.approved", "request.revised", "request.approved")


async def test_an_edit_between_the_look_and_the_click_is_not_approved() -> None:
    place = await Workplace.open()
    seen = await asked(place)
    await revise(
        place.office, request=seen.id, person=ALICE, target=SHOP, role=READ, duration=MINUTE, reason="x", source="t"
    )
    for outcome in (
        await says_yes(place, seen),
        await approve_less(
            place.office,
            request=seen.id,
            person=BOB,
            digest=seen.submitted.digest,
            role=READ,
            duration=MINUTE / 2,
            source="t",
        ),
        await deny(place.office, request=seen.id, person=BOB, digest=seen.submitted.digest, source="t"),
    ):
        assert code(outcome) is Code.REQUEST_CHANGED


# Time


@pytest.mark.parametrize(
    "duration",
    [
        timedelta(0),
        -TICK,
        -HOUR,
        TICK,
        HOUR + TICK,
        timedelta(seconds=1.5),
        HOUR + timedelta(seconds=1),
        timedelta.max,
        timedelta.min,
    ],
)
async def test_no_duration_but_whole_seconds_within_the_rule_is_asked_for(duration: timedelta) -> None:
    place = await Workplace.open()
    outcome = await submit(
        place.office, person=ALICE, target=SHOP, role=READ, duration=duration, reason="x", source="t"
    )
    assert code(outcome) in (Code.REQUEST_DURATION_INVALID, Code.REQUEST_DURATION_TOO_LONG)
    grant = await given(place)
    more = await extend(place.office, grant=grant.id, person=ALICE, duration=duration, reason="x", source="t")
    assert code(more) in (Code.REQUEST_DURATION_INVALID, Code.REQUEST_DURATION_TOO_LONG)


async def test_an_approval_spent_at_the_last_moment_is_spent_and_a_moment_later_it_is_not() -> None:
    place = await Workplace.open()
    early, late = await asked(place), await asked(place)
    approved = await says_yes(place, early)
    await says_yes(place, late)
    assert isinstance(approved, Request) and approved.due is not None
    place.clock.moment = approved.due - TICK
    assert isinstance(await activate(place.office, request=early.id, person=ALICE, source="t"), Grant)
    place.clock.moment = approved.due
    assert code(await activate(place.office, request=late.id, person=ALICE, source="t")) is Code.REQUEST_EXPIRED


async def test_activating_again_at_the_last_second_moves_no_end() -> None:
    place = await Workplace.open()
    grant = await given(place)
    place.clock.moment = grant.end - TICK
    again = await activate(place.office, request=grant.created.request, person=ALICE, source="t")
    assert code(again) is Code.REQUEST_ALREADY_ACTIVATED
    held = await load_grant(place.ledger, grant.id)
    assert held is not None and held.end == grant.end and held.opens(grant.end - TICK) and not held.opens(grant.end)


async def test_a_planned_access_begun_late_ends_when_it_was_planned_to_and_not_begun_after_that() -> None:
    place = await Workplace.open()
    late, never = await asked(place, start=HOUR), await asked(place, start=HOUR)
    for request in (late, never):
        await says_yes(place, request)
    planned = late.submitted.start
    assert planned is not None
    early = await activate(place.office, request=late.id, person=ALICE, source="t")
    assert code(early) is Code.REQUEST_NOT_YET
    place.clock.moment = planned + HOUR - MINUTE
    grant = await activate(place.office, request=late.id, person=ALICE, source="t")
    assert isinstance(grant, Grant) and grant.end == planned + HOUR
    place.clock.moment = planned + HOUR
    assert code(await activate(place.office, request=never.id, person=ALICE, source="t")) is Code.REQUEST_EXPIRED


@pytest.mark.parametrize("step", [timedelta(days=-1), -HOUR, -TICK, HOUR - TICK], ids=str)
async def test_a_clock_that_is_stepped_during_a_grant_neither_moves_its_end_nor_brings_it_back(
    step: timedelta,
) -> None:
    place = await Workplace.open()
    grant = await given(place)
    place.clock.advance(step)
    held = await expire_grant(place.office, grant.id)
    assert held.end == grant.end and held.status is GrantStatus.ACTIVE
    place.clock.moment = grant.end
    assert (await expire_grant(place.office, grant.id)).status is GrantStatus.ENDED
    place.clock.advance(-HOUR)
    held = await expire_grant(place.office, grant.id)
    assert held.status is GrantStatus.ENDED and not held.opens(place.clock.now())


# Counting and taking away


async def test_of_approvals_and_denials_in_any_order_the_first_denial_ends_it_and_nothing_after_counts() -> None:
    five = tuple(PersonId(f"lead-{number}") for number in range(5))
    catalogue = replace(
        with_rules(CATALOGUE, replace(READING, approvals=3)),
        people=(*CATALOGUE.people, *(Person(id=one, name=one) for one in five)),
        teams=(CATALOGUE.teams[0], Team(name=LEADS, members=five)),
    )
    place = await Workplace.open(catalogue)
    request = await asked(place)
    digest = request.submitted.digest
    await says_yes(place, request, five[0])
    denied = await deny(place.office, request=request.id, person=five[1], digest=digest, source="t")
    assert isinstance(denied, Request) and denied.status is Status.DENIED
    for person, verb in ((five[2], approve), (five[3], deny), (five[4], approve)):
        after = await verb(place.office, request=request.id, person=person, digest=digest, source="t")
        assert code(after) is Code.REQUEST_NOT_PENDING
    assert code(await activate(place.office, request=request.id, person=ALICE, source="t")) is Code.REQUEST_NOT_APPROVED


@pytest.mark.parametrize(
    "catalogue",
    [
        with_rules(CATALOGUE, replace(READING, longest=MINUTE), AMENDING),
        with_rules(CATALOGUE, replace(READING, who=People()), AMENDING),
        replace(CATALOGUE, targets=()),
        with_rules(CATALOGUE),
    ],
    ids=["a shorter maximum", "no longer eligible", "the target is gone", "no rules at all"],
)
async def test_whatever_changes_while_an_access_is_live_it_can_be_taken_away(catalogue: Catalogue) -> None:
    place = await Workplace.open()
    grant = await given(place)
    await place.reconfigure(catalogue)
    ended = await revoke(place.office, grant=grant.id, person=ERIN, source="t")
    assert isinstance(ended, Grant) and ended.status is GrantStatus.ENDED


async def test_somebody_who_moves_to_another_team_loses_what_the_old_one_gave() -> None:
    place = await Workplace.open()
    grant = await given(place)
    await place.reconfigure(replace(CATALOGUE, teams=(Team(name=ENGINEERS, members=(DAVE,)), CATALOGUE.teams[1])))
    ended = await end_for_leaver(place.office, grant.id)
    assert ended.status is GrantStatus.ENDED and ended.cause == "holder_moved"


# Whom a directory takes out of a group

BY_DIRECTORY = replace(
    CATALOGUE,
    teams=(
        Team(name=ENGINEERS, members=(BOB, CAROL, DAVE), groups=("engineers",)),
        Team(name=LEADS, members=(CAROL,), groups=("leads",)),
    ),
)
"""Alice may ask, and Bob decide, as long as the directory says which groups they are in."""


async def says(place: Workplace, person: PersonId, *groups: str) -> None:
    event = GroupsClaimed(person=person, origin="https://id.example", groups=groups, source="t")
    await place.ledger.append((Change(stream=STANDING, event=event, seen=None),))


async def test_an_approver_whom_the_directory_took_out_of_the_group_between_look_and_click_decides_nothing() -> None:
    place = await Workplace.open(BY_DIRECTORY)
    await says(place, ALICE, "engineers")
    await says(place, BOB, "leads")
    seen, again = await asked(place), await asked(place)
    assert BOB in seen.submitted.approvers
    await says(place, BOB)
    digest = seen.submitted.digest
    for verb in (approve, deny):
        outcome = await verb(place.office, request=seen.id, person=BOB, digest=digest, source="t")
        assert code(outcome) is Code.APPROVAL_NOT_ENTITLED
    await says(place, BOB, "leads")
    assert isinstance(await says_yes(place, again), Request)
    await says(place, BOB)
    spent = await activate(place.office, request=again.id, person=ALICE, source="t")
    assert isinstance(spent, Refusal), "what they said before counts only as long as they could say it"


async def test_an_access_ends_when_the_directory_takes_its_holder_out_of_the_group() -> None:
    place = await Workplace.open(BY_DIRECTORY)
    for person, group in ((ALICE, "engineers"), (BOB, "leads")):
        await says(place, person, group)
    grant = await given(place)
    waiting = await asked(place)
    await says_yes(place, waiting)
    assert (await end_for_leaver(place.office, grant.id)).status is GrantStatus.ACTIVE
    await says(place, ALICE)
    ended = await end_for_leaver(place.office, grant.id)
    assert (ended.status, ended.cause) == (GrantStatus.ENDED, "holder_moved")
    assert isinstance(await activate(place.office, request=waiting.id, person=ALICE, source="t"), Refusal)


async def test_what_a_certification_took_does_not_come_back_as_long_as_a_group_gives_it() -> None:
    """No file names alice; so it is the group that has to go before the loop is closed, also while she is nobody."""
    place = await Workplace.open(BY_DIRECTORY)
    await says(place, ALICE, "engineers")
    due = place.clock.now() + timedelta(days=1)
    campaign = await open_campaign(place.office, title="all", person=ERIN, reviewers=(CAROL, DAVE), due=due, source="t")
    assert isinstance(campaign, Campaign)
    number = next(one.number for one in campaign.items if (one.person, one.role) == (ALICE, READ))
    await decide_item(
        place.office, campaign=campaign.id, number=number, person=CAROL, keep=False, comment="", source="t"
    )

    async def time_passes() -> object:
        read = Projections.open(None)
        read.apply(place.ledger.entries)
        assert not await tick(place.office, read, place.adopted[-1])
        return code(
            await submit(place.office, person=ALICE, target=SHOP, role=READ, duration=HOUR, reason="x", source="t")
        )

    assert await time_passes() is Code.ELIGIBILITY_REMOVED
    await leave(place.office, person=ALICE, by=ERIN, reason="gone", source="t")
    assert await time_passes() is Code.PERSON_UNKNOWN
    await come_back(place.office, person=ALICE, by=ERIN, reason="back", source="t")
    assert await time_passes() is Code.ELIGIBILITY_REMOVED
    await says(place, ALICE)
    await time_passes()
    assert place.kinds(STANDING).count("eligibility.removal_confirmed") == 1
    await says(place, ALICE, "engineers")
    assert isinstance(await asked(place), Request), "the directory gave it anew"


async def test_five_thousand_approvers_and_twenty_thousand_teams_are_all_looked_at() -> None:
    crowd = tuple(PersonId(f"lead-{number:05d}") for number in range(5000))
    teams = tuple(Team(name=TeamName(f"team-{number:05d}"), members=(ALICE,)) for number in range(20_000))
    catalogue = replace(
        CATALOGUE,
        people=(*CATALOGUE.people, *(Person(id=one, name=one) for one in crowd)),
        teams=(*teams, Team(name=LEADS, members=crowd)),
        rules=(replace(READING, who=People(teams=(teams[-1].name,))),),
    )
    place = await Workplace.open(catalogue)
    request = await asked(place)
    assert set(request.submitted.approvers) == set(crowd)
    assert isinstance(await says_yes(place, request, crowd[-1]), Request)


async def test_an_id_of_one_thing_opens_no_other() -> None:
    place = await Workplace.open()
    grant = await given(place)
    outcome = await withdraw(place.office, request=RequestId(grant.id), person=ALICE, source="t")
    assert code(outcome) is Code.REQUEST_UNKNOWN
    assert grants(place) == 1


async def test_what_was_asked_long_ago_is_still_on_record_whole() -> None:
    place = await Workplace.open()
    request = await asked(place)
    place.clock.advance(timedelta(days=400))
    event = place.entries(f"request/{request.id}")[0].event
    assert isinstance(event, RequestSubmitted)
    assert (event.person, event.target, event.role, event.reason) == (ALICE, SHOP, READ, request.submitted.reason)
