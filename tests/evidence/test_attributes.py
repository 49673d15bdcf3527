"""Every attribute test finds what it is for, and nothing else.

The proper story comes of the real workflow. What is wrong with the others no rule would let through, so it is forged
into the record, as somebody would who can write it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from sojourn.domain.catalogue import Catalogue
from sojourn.domain.events import (
    BreakGlassUsed,
    Disposition,
    ExceptionDisposed,
    GrantCreated,
    GrantRemoved,
    RequestApproved,
    RequestSubmitted,
    ReviewConcluded,
    ReviewOpened,
    ReviewOutcome,
    SessionOpened,
)
from sojourn.domain.grant import Grant
from sojourn.domain.identifiers import RuleName, exception_stream
from sojourn.domain.policy import Facts, People, Rule, Ticket, TicketRequirement
from sojourn.domain.policy.rules import BreakGlassRule, ReviewRule
from sojourn.domain.request import Request
from sojourn.domain.review import CHECKLIST
from sojourn.errors import Refusal
from sojourn.testing.organisation import ALICE, BOB, CAROL, CATALOGUE, DAVE, ERIN, READ, SHOP, Workplace, with_rules
from sojourn.testing.sealer import FixedSealer
from sojourn.testing.session import SEALED
from sojourn.workflow.activate import activate
from sojourn.workflow.approve import approve
from sojourn.workflow.away import declare_absence
from sojourn.workflow.break_glass import break_glass
from sojourn.workflow.deny import deny
from sojourn.workflow.extend import extend
from sojourn.workflow.provision import confirm_provisioned
from sojourn.workflow.reviewing import conclude, open_review
from sojourn.workflow.submit import submit

from .accesses import MINUTE, Company

READING, AMENDING = CATALOGUE.rules
LATER = timedelta(hours=1)
WHOLE = dict.fromkeys("BCDEFHK", "pass") | dict.fromkeys("AGIJLM", "not applicable")
STRICT = with_rules(
    CATALOGUE,
    replace(
        READING,
        ticket=TicketRequirement(kinds=("incident",), states=("open",)),
        activities=("look", "repair"),
        review=ReviewRule(within=timedelta(days=5), by=People(people=(CAROL, ERIN))),
    ),
    Rule(
        name=RuleName("emergency"),
        who=READING.who,
        targets=(SHOP,),
        roles=(READ,),
        longest=timedelta(hours=1),
        review=ReviewRule(within=timedelta(days=2), by=People(people=(CAROL, ERIN))),
        break_glass=BreakGlassRule(uses=3, per=timedelta(days=30), tell=People(people=(ERIN,))),
    ),
)
FACTS = Facts(ticket=Ticket(id="INC-1", kind="incident", state="open"), activities=("look",))


async def company(catalogue: Catalogue = CATALOGUE) -> Company:
    return Company(place=await Workplace.open(catalogue))


def answers(at: Company, name: str) -> dict[str, str]:
    return {letter: test.answer.value for letter, test in at.tests(name).items()}


async def test_a_proper_access_passes_whatever_applies_to_it() -> None:
    at = await company()
    grant = await at.whole()
    assert answers(at, grant.id) == WHOLE


FORGERIES: tuple[tuple[str, Callable[[Company], Company]], ...] = (
    ("B", lambda at: at.forge(RequestApproved, complete=False)),
    ("C", lambda at: at.forge(RequestApproved, person=ERIN)),
    ("C", lambda at: at.forge(RequestApproved, digest="0" * 64)),
    ("C", lambda at: at.forge(RequestApproved, configuration_version=9)),
    ("C", lambda at: at.forge(RequestApproved, person=DAVE, on_behalf_of=BOB)),
    ("CD", lambda at: at.forge(RequestApproved, person=ALICE)),
    ("BCD", lambda at: at.drop(RequestApproved)),
    ("E", lambda at: at.forge(GrantCreated, person=DAVE)),
    ("E", lambda at: at.forge(RequestSubmitted, duration=timedelta(hours=9))),
    ("F", lambda at: at.shift(SessionOpened, -LATER)),
    ("F", lambda at: at.shift(SessionOpened, LATER)),
    ("H", lambda at: at.shift(GrantRemoved, timedelta(minutes=6))),
    ("H", lambda at: at.forge(GrantRemoved, role_present=True)),
    ("H", lambda at: at.forge(GrantRemoved, sessions_present=1)),
)


@pytest.mark.parametrize(("letters", "forge"), FORGERIES)
async def test_what_is_forged_fails_the_test_that_is_for_it_and_no_other(
    letters: str, forge: Callable[[Company], Company]
) -> None:
    at = await company()
    grant = await at.whole()
    forge(at)
    assert at.failing(grant.id) == letters
    assert answers(at, grant.id)["J"] == "fail"


async def test_an_action_out_of_sequence_fails() -> None:
    at = await company()
    grant = await at.active()
    await at.used(grant, actions=2, first=2)
    await at.over(grant)
    assert at.failing(grant.id) == "F"
    assert "2 out of sequence" in at.tests(grant.id)["F"].reason


async def test_an_access_that_is_over_and_not_gone_fails_once_there_was_time() -> None:
    at = await company()
    grant = await at.active()
    at.wait(timedelta(minutes=34))
    assert answers(at, grant.id)["H"] == "not applicable"
    at.wait(timedelta(minutes=2))
    assert at.failing(grant.id) == "H"


async def test_requests_that_became_no_access_stay_in_the_population() -> None:
    at = await company()
    denied = await at.asked()
    await deny(at.place.office, request=denied.id, person=BOB, digest=denied.submitted.digest, source="t")
    pending = await at.asked()
    by_name = {event.access.request: event for event in at.context().events}
    assert by_name[denied.id].access.status == "denied" and by_name[pending.id].access.status == "pending"
    assert answers(at, denied.id)["C"] == "pass"
    assert set(answers(at, pending.id).values()) == {"not applicable", "pass"}
    assert at.failing(denied.id) == at.failing(pending.id) == ""


async def test_a_delegate_of_somebody_away_had_the_authority_then() -> None:
    at = await company()
    now = at.place.clock.now()
    await declare_absence(
        at.place.office, person=BOB, start=now, end=now + timedelta(days=1), delegate=DAVE, source="t"
    )
    request = await at.approved(approver=DAVE)
    test = at.tests(request.id)["C"]
    assert test.answer == "pass" and "bob" in test.reason and "was away and had named dave" in test.reason


async def test_an_extension_is_an_event_of_its_own_and_widens_the_window() -> None:
    at = await company()
    grant = await at.active()
    more = await extend(
        at.place.office, grant=grant.id, person=ALICE, duration=timedelta(minutes=30), reason="more", source="t"
    )
    assert isinstance(more, Request)
    await approve(at.place.office, request=more.id, person=BOB, digest=more.submitted.digest, source="t")
    at.wait(timedelta(minutes=45))
    await at.used(grant)
    await at.over(grant)
    assert at.failing(grant.id) == at.failing(more.id) == ""
    first, second = at.context().events
    assert (first.access.kind, second.access.kind, second.access.status) == ("standard", "extension", "extended")
    assert first.access.given is not None and first.access.given.extended_by == [more.id]


async def _strict(at: Company, facts: Facts = FACTS) -> Grant:
    request = await submit(
        at.place.office,
        person=ALICE,
        target=SHOP,
        role=READ,
        duration=timedelta(minutes=30),
        reason="x",
        source="t",
        facts=facts,
    )
    assert isinstance(request, Request), request
    await approve(at.place.office, request=request.id, person=BOB, digest=request.submitted.digest, source="t")
    grant = await activate(at.place.office, request=request.id, person=ALICE, source="t")
    assert isinstance(grant, Grant), grant
    return await _run(at, grant)


async def _run(at: Company, grant: Grant) -> Grant:
    await confirm_provisioned(at.place.office, grant=grant.id, observed=["x"], secret=b"s", sealer=FixedSealer())
    at.wait()
    await at.used(grant)
    await at.over(grant)
    assert await open_review(at.place.office, grant=grant.id, ended_at=at.place.clock.now(), used=True)
    return grant


async def _reviewed(at: Company, grant: Grant, outcome: ReviewOutcome = ReviewOutcome.APPROPRIATE) -> None:
    made = await conclude(
        at.place.office,
        grant=grant.id,
        person=CAROL,
        outcome=outcome,
        answers=("yes",) * len(CHECKLIST),
        remark="" if outcome is ReviewOutcome.APPROPRIATE else "why",
        seen=(1, 2, 0),
        source="t",
    )
    assert not isinstance(made, Refusal), made


async def test_ticket_declaration_and_review_are_tested_where_the_rules_ask_for_them() -> None:
    at = await company(STRICT)
    grant = await _strict(at)
    before = answers(at, grant.id)
    assert (before["A"], before["G"], before["I"]) == ("pass", "not applicable", "not applicable")
    at.wait(timedelta(days=1))
    await _reviewed(at, grant)
    after = answers(at, grant.id)
    assert (after["A"], after["G"], after["I"], after["J"]) == ("pass", "pass", "pass", "not applicable")


REVIEWED: tuple[tuple[str, Callable[[Company], Company]], ...] = (
    ("A", lambda at: at.forge(RequestSubmitted, facts=replace(FACTS, ticket=None))),
    ("A", lambda at: at.forge(RequestSubmitted, facts=replace(FACTS, ticket=Ticket(id="1", kind="x", state="open")))),
    ("G", lambda at: at.forge(ReviewConcluded, answers=("yes", "no", "yes", "yes", "yes"))),
    ("I", lambda at: at.forge(ReviewConcluded, person=ERIN).forge(ReviewOpened, reviewers=(CAROL,))),
    ("I", lambda at: at.shift(ReviewConcluded, timedelta(days=9))),
    ("DI", lambda at: at.forge(ReviewConcluded, person=BOB).forge(ReviewOpened, reviewers=(BOB,))),
    ("I", lambda at: at.drop(ReviewOpened)),
)


@pytest.mark.parametrize(("letters", "forge"), REVIEWED)
async def test_what_is_wrong_about_ticket_declaration_or_review_is_found(
    letters: str, forge: Callable[[Company], Company]
) -> None:
    at = await company(STRICT)
    grant = await _strict(at)
    await _reviewed(at, grant)
    at.wait(timedelta(days=30))
    forge(at)
    assert at.failing(grant.id) == letters


async def _emergency(at: Company) -> Grant:
    grant = await break_glass(
        at.place.office,
        person=ALICE,
        target=SHOP,
        role=READ,
        duration=timedelta(minutes=30),
        reason="x",
        confirmed_at=at.place.clock.now(),
        source="t",
    )
    assert isinstance(grant, Grant), grant
    return await _run(at, grant)


async def test_an_emergency_is_told_at_once_and_looked_at_afterwards() -> None:
    at = await company(STRICT)
    grant = await _emergency(at)
    assert answers(at, grant.id)["M"] == "not applicable"
    await _reviewed(at, grant)
    assert answers(at, grant.id)["M"] == "pass" and at.failing(grant.id) == ""
    assert at.access(grant).kind == "emergency"


@pytest.mark.parametrize(
    ("letters", "forge"),
    [
        ("M", lambda at: at.forge(BreakGlassUsed, told=())),
        ("M", lambda at: at.drop(BreakGlassUsed)),
        ("M", lambda at: at.forge(ReviewConcluded, outcome=ReviewOutcome.INAPPROPRIATE)),
        ("IM", lambda at: at.shift(ReviewConcluded, timedelta(days=3))),
        ("IM", lambda at: at.drop(ReviewConcluded)),
    ],
)
async def test_what_is_wrong_about_an_emergency_is_found(letters: str, forge: Callable[[Company], Company]) -> None:
    at = await company(STRICT)
    grant = await _emergency(at)
    await _reviewed(at, grant)
    at.wait(timedelta(days=3))
    forge(at)
    assert at.failing(grant.id) == letters


async def test_an_exception_that_was_disposed_of_is_followed_up() -> None:
    at = await company()
    grant = await at.whole()
    at.forge(GrantRemoved, sessions_present=1)
    request = at.access(grant).request
    disposed = ExceptionDisposed(
        request=request,
        letters=("H",),
        disposition=Disposition.CORRECTED,
        owner=ERIN,
        ticket="PRB-9",
        remark=SEALED,
        person=BOB,
        source="t",
    )
    await at.say(exception_stream(request), disposed)
    test = at.tests(grant.id)["J"]
    assert test.answer == "pass" and "corrected by bob, owner erin, ticket PRB-9" in test.reason


async def test_a_record_that_is_not_whole_fails_every_event() -> None:
    at = await company()
    await at.whole()
    (event,) = at.context(problem="the root is another").events
    assert event.test("K").answer == "fail" and "the root is another" in event.test("K").reason


async def test_the_shared_account_of_an_access_is_shut_after_use() -> None:
    (target,) = CATALOGUE.targets
    shared = replace(target, roles=(replace(target.roles[0], privileges=(), account="batch"), *target.roles[1:]))
    at = await company(replace(CATALOGUE, targets=(shared,)))
    grant = await at.active()
    at.wait(MINUTE)
    assert answers(at, grant.id)["L"] == "not applicable"
    await at.over(grant)
    assert answers(at, grant.id)["L"] == "pass"
    at.forge(GrantRemoved, role_present=True)
    assert at.failing(grant.id) == "HL"
