"""The eye that checks the promises sees what is broken: a true story is told falsely, one thing at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from sojourn.domain.campaign import Campaign
from sojourn.domain.events import (
    CampaignDecided,
    ConfigurationAdopted,
    Event,
    GrantCreated,
    GrantEnded,
    GrantExtended,
    GrantProvisioned,
    GrantRemoved,
    PersonLeft,
    RequestActivated,
    RequestApproved,
    RequestSubmitted,
    ReviewConcluded,
    ReviewOutcome,
)
from sojourn.domain.grant import Grant
from sojourn.domain.history import Recorded
from sojourn.domain.identifiers import STANDING, GrantId, PersonId, RoleName
from sojourn.domain.request import Request
from sojourn.domain.review import CHECKLIST
from sojourn.domain.sealed import Sealed
from sojourn.domain.window import Window
from sojourn.testing.loop import SimulatedLoop
from sojourn.testing.organisation import ALICE, AMEND, BOB, CAROL, DAVE, ERIN, READ, SHOP, Workplace
from sojourn.testing.promises import Promises
from sojourn.testing.sealer import FixedSealer
from sojourn.workflow.activate import activate
from sojourn.workflow.approve import approve
from sojourn.workflow.certifying import decide_item, open_campaign
from sojourn.workflow.extend import extend
from sojourn.workflow.provision import confirm_provisioned
from sojourn.workflow.remove import confirm_removed
from sojourn.workflow.reviewing import conclude, open_review
from sojourn.workflow.revoke import revoke
from sojourn.workflow.submit import submit

from .company import AGENT, COMPANY, GINA, ROBOT

MINUTE = timedelta(minutes=1)


async def _given(place: Workplace, role: RoleName, *approvers: PersonId) -> GrantId:
    office = place.office
    asked = await submit(office, person=ALICE, target=SHOP, role=role, duration=5 * MINUTE, reason="x", source="t")
    assert isinstance(asked, Request)
    for person in approvers:
        await approve(office, request=asked.id, person=person, digest=asked.submitted.digest, source="t")
    grant = await activate(office, request=asked.id, person=ALICE, source="t")
    assert isinstance(grant, Grant)
    await confirm_provisioned(office, grant=grant.id, observed=["x"], secret=b"s", sealer=FixedSealer(key="g"))
    return grant.id


async def _told() -> Workplace:
    """alice gets an access with two approvals, and one with an extension that is reviewed; carol certifies."""
    place = await Workplace.open(COMPANY)
    office = place.office
    await _given(place, AMEND, BOB, GINA)
    grant = await _given(place, READ, BOB)
    more = await extend(office, grant=grant, person=ALICE, duration=MINUTE, reason="x", source="t")
    assert isinstance(more, Request)
    await approve(office, request=more.id, person=BOB, digest=more.submitted.digest, source="t")
    await revoke(office, grant=grant, person=ERIN, source="t")
    await confirm_removed(office, grant=grant, role_present=False, sessions_present=0, sessions_terminated=0)
    await open_review(office, grant=grant, ended_at=place.clock.now(), used=True)
    await conclude(
        office,
        grant=grant,
        person=CAROL,
        outcome=ReviewOutcome.APPROPRIATE,
        answers=("yes",) * len(CHECKLIST),
        remark="",
        seen=(1, 1, 0),
        source="t",
    )
    due = place.clock.now() + MINUTE
    campaign = await open_campaign(office, title="x", person=ERIN, reviewers=(CAROL, BOB), due=due, source="t")
    assert isinstance(campaign, Campaign)
    await decide_item(office, campaign=campaign.id, number=1, person=CAROL, keep=True, comment="", source="t")
    return place


def _broken(place: Workplace, entries: list[Recorded]) -> str:
    promises = Promises(place.ledger.attachments)
    numbered = [replace(one, seq=place) for place, one in enumerate(entries)]
    promises.see(numbered)
    return "; ".join(promises.broken)


def _story() -> Workplace:
    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        return runner.run(_told())


STORY = _story()

Alter = Callable[[Event], Event | None]


def _change(kind: type, **changes: object) -> Alter:
    return lambda event: replace(event, **changes) if isinstance(event, kind) else event  # type: ignore[arg-type]


def _drop(kind: type) -> Alter:
    return lambda event: None if isinstance(event, kind) else event


def test_a_true_story_breaks_nothing() -> None:
    assert _broken(STORY, STORY.ledger.entries) == ""


@pytest.mark.parametrize(
    ("alter", "said"),
    [
        (_change(RequestApproved, person=ALICE), "alice decides on a request of alice"),
        (_change(RequestApproved, person=ROBOT), "alice-robot decides on a request of alice"),
        (_change(RequestApproved, person=AGENT), "dave-agent decides on a request of alice"),
        (_change(RequestApproved, person=DAVE), "dave is in no group that decides"),
        (_change(RequestApproved, person=DAVE, on_behalf_of=BOB), "dave decides for bob, who is not away"),
        (_change(RequestApproved, person=PersonId("mallory")), "mallory decides"),
        (_change(RequestApproved, person=CAROL), "counts twice"),
        (_change(RequestApproved, complete=True), "complete, and approvals are missing"),
        (_change(RequestApproved, digest="0" * 64), "something else than what is asked"),
        (_change(RequestApproved, configuration_version=7), "decided under version 7"),
        (_change(RequestSubmitted, decide_by=STORY.clock.now()), "decided when pending"),
        (_drop(RequestApproved), "used when pending"),
        (_drop(RequestActivated), "a grant without a request that was spent on it"),
        (_change(RequestActivated, person=DAVE), "dave uses what alice asked for"),
        (_change(GrantCreated, window=Window.starting(STORY.clock.now(), 6 * MINUTE)), "does not end when"),
        (_change(GrantCreated, person=DAVE), "not what was asked"),
        (_change(GrantExtended, until=STORY.clock.now() + 9 * MINUTE), "does not move from where it was"),
        (_drop(GrantEnded), "removed before its end"),
        (_change(GrantRemoved, role_present=True), "removed before its end"),
        (_change(ReviewConcluded, person=ALICE), "alice reviews their own access"),
        (_change(ReviewConcluded, person=BOB), "bob reviews what they approved"),
        (_change(CampaignDecided, person=ALICE), "alice certifies what is their own"),
        (_change(CampaignDecided, person=GINA), "gina was not asked"),
    ],
    # A function's text holds its address, and the workers of a run have to agree on the names of tests.
    ids=lambda one: one if isinstance(one, str) else "altered",
)
def test_a_story_told_falsely_is_seen(alter: Alter, said: str) -> None:
    altered = [(one, alter(one.event)) for one in STORY.ledger.entries]
    told = [replace(one, event=event) for one, event in altered if event is not None]
    assert said in _broken(STORY, told)


def test_what_comes_after_the_end_is_seen() -> None:
    entries = list(STORY.ledger.entries)
    ended = next(place for place, one in enumerate(entries) if isinstance(one.event, GrantEnded))
    provisioned = next(
        one for one in entries if isinstance(one.event, GrantProvisioned) and one.stream == entries[ended].stream
    )
    entries.insert(ended + 1, provisioned)
    assert "after its end" in _broken(STORY, entries)


def test_somebody_who_has_left_is_seen_whatever_they_do() -> None:
    entries = list(STORY.ledger.entries)
    left = PersonLeft(person=BOB, recorded_by=ERIN, reason=Sealed(commitment="0" * 64, key="k"), source="t")
    entries.insert(1, replace(entries[0], stream=STANDING, event=left, version=1))
    assert "bob decides on a request of alice" in _broken(STORY, entries)


def test_a_configuration_that_one_person_changed_is_seen() -> None:
    entries = list(STORY.ledger.entries)
    alone = next(one for one in entries if isinstance(one.event, ConfigurationAdopted))
    assert "a change without a proposal" in _broken(STORY, [*entries, replace(alone, version=2)])
