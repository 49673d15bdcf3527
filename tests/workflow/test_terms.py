"""What is frozen when something is asked, and what stays of it when it is revised, narrowed, extended or escalated."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from sojourn.domain import review as reviews
from sojourn.domain.events import (
    RequestApproved,
    RequestCommented,
    RequestDenied,
    RequestEscalated,
    RequestSubmitted,
    ReviewOpened,
)
from sojourn.domain.grant import Grant
from sojourn.domain.identifiers import GrantId, PersonId, RequestId, RoleName, RuleName
from sojourn.domain.policy import Facts, People, Rule, Ticket
from sojourn.domain.policy.rules import BreakGlassRule, EscalationRule, ReviewRule
from sojourn.domain.policy.terms import TicketRequirement
from sojourn.domain.request import Request, Status, content_digest
from sojourn.domain.request.decisions import COMMENTS_MAX
from sojourn.domain.request.submitting import REVISIONS_MAX, START_MAX
from sojourn.domain.target import Privilege, Role, Verb
from sojourn.errors import Code, Refusal
from sojourn.testing.organisation import (
    ALICE,
    BOB,
    CAROL,
    CATALOGUE,
    DAVE,
    ENGINEERS,
    ERIN,
    FRANK,
    LEADS,
    READ,
    SHOP,
    Workplace,
)
from sojourn.testing.sealer import FixedSealer
from sojourn.workflow.activate import activate
from sojourn.workflow.approve import approve
from sojourn.workflow.approve_less import approve_less
from sojourn.workflow.away import declare_absence
from sojourn.workflow.break_glass import break_glass
from sojourn.workflow.comment import comment
from sojourn.workflow.deny import deny
from sojourn.workflow.end_early import end_early
from sojourn.workflow.expire import escalate_request
from sojourn.workflow.extend import extend
from sojourn.workflow.loading import load_grant, load_request
from sojourn.workflow.provision import confirm_provisioned
from sojourn.workflow.revise import revise
from sojourn.workflow.submit import submit

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TICK = timedelta(microseconds=1)
PEEK, BOSS = RoleName("peek"), RoleName("boss")
TICKET = Ticket(id="T-1", kind="change", state="open")
FACTS = Facts(reason_code="incident", ticket=TICKET, activities=("look",))
RULE = Rule(
    name=RuleName("all"),
    who=People(teams=(ENGINEERS,)),
    targets=(SHOP,),
    roles=(READ, PEEK, BOSS),
    longest=2 * HOUR,
    approvers=People(teams=(LEADS,)),
    decide_within=6 * HOUR,
    activate_within=3 * HOUR,
    reason_codes=("incident",),
    ticket=TicketRequirement(kinds=("change",)),
    activities=("look", "repair"),
    escalation=EscalationRule(after=HOUR, to=People(people=(FRANK,))),
    review=ReviewRule(within=DAY, by=People(people=(FRANK, CAROL))),
)
GLASS = Rule(
    name=RuleName("glass"),
    who=People(teams=(ENGINEERS,)),
    targets=(SHOP,),
    roles=(BOSS,),
    longest=HOUR,
    ticket=TicketRequirement(kinds=("change",)),
    break_glass=BreakGlassRule(uses=1, per=DAY, tell=People(people=(ERIN,))),
)
SELECT = Privilege(schema="shop", verbs=(Verb.SELECT,))
WORLD = replace(
    CATALOGUE,
    targets=(
        replace(
            CATALOGUE.targets[0],
            roles=(
                Role(name=READ, privileges=(SELECT,)),
                Role(name=PEEK, privileges=(replace(SELECT, names=("orders",)),)),
                Role(name=BOSS, account="boss"),
            ),
        ),
    ),
    rules=(RULE, GLASS),
)


async def asked(place: Workplace, *, start: datetime | None = None, role: RoleName = READ) -> Request:
    request = await submit(
        place.office,
        person=ALICE,
        target=SHOP,
        role=role,
        duration=HOUR,
        reason="x",
        source="t",
        facts=FACTS,
        start=start,
    )
    assert isinstance(request, Request), request
    return request


async def says(place: Workplace, request: Request, person: PersonId = BOB, text: str = "") -> Request | Refusal:
    digest = request.submitted.digest
    return await approve(place.office, request=request.id, person=person, digest=digest, source="t", comment=text)


async def given(place: Workplace, role: RoleName = READ) -> Grant:
    request = await asked(place, role=role)
    await says(place, request)
    grant = await activate(place.office, request=request.id, person=ALICE, source="t")
    assert isinstance(grant, Grant), grant
    return grant


async def revised(place: Workplace, request: Request, **changes: object) -> Request | Refusal:
    words: dict[str, object] = {"person": ALICE, "target": SHOP, "role": READ, "duration": HOUR / 2, "reason": "y"}
    words |= {"source": "t", "facts": FACTS} | changes
    return await revise(place.office, request=request.id, **words)  # type: ignore[arg-type]


async def less(place: Workplace, request: Request, role: RoleName, duration: timedelta) -> Request | Refusal:
    return await approve_less(
        place.office,
        request=request.id,
        person=BOB,
        digest=request.submitted.digest,
        role=role,
        duration=duration,
        source="t",
        comment="less will do",
    )


def digest_of(content: RequestSubmitted) -> str:
    return content_digest(
        request=content.request,
        person=content.person,
        target=content.target,
        role=content.role,
        duration=content.duration,
        reason=content.reason,
        facts=content.facts,
        start=content.start,
        extends=content.extends,
        since=content.since,
        break_glass=content.break_glass,
    )


def code(outcome: object) -> Code:
    assert isinstance(outcome, Refusal), outcome
    assert outcome.sentence and outcome.next_step
    return outcome.code


async def test_everything_that_the_rules_say_is_frozen_when_it_is_asked() -> None:
    place = await Workplace.open(WORLD)
    now = place.clock.now()
    content = (await asked(place)).submitted
    assert content.rules == (RULE.name,) and content.approvers == (BOB, CAROL)
    assert (content.decide_by, content.activate_within) == (now + 6 * HOUR, 3 * HOUR)
    assert (content.escalate_at, content.escalate_to) == (now + HOUR, (FRANK,))
    assert content.review is not None and content.review.within == DAY and content.review.people == (CAROL, FRANK)
    assert content.facts == FACTS and content.automatic == ""
    assert (content.configuration_version, content.configuration_digest) == (1, place.in_force().digest)
    assert content.digest == digest_of(content)


async def test_a_planned_access_is_decided_before_it_would_be_over() -> None:
    place = await Workplace.open(WORLD)
    start = place.clock.now() + 2 * HOUR
    content = (await asked(place, start=start)).submitted
    assert content.start == start and content.decide_by == start + HOUR and content.digest == digest_of(content)
    far = (await asked(place, start=place.clock.now() + START_MAX)).submitted
    assert far.decide_by == place.clock.now() + 6 * HOUR
    for wrong in (place.clock.now(), place.clock.now() - HOUR, place.clock.now() + START_MAX + TICK):
        outcome = await submit(
            place.office,
            person=ALICE,
            target=SHOP,
            role=READ,
            duration=HOUR,
            reason="x",
            source="t",
            facts=FACTS,
            start=wrong,
        )
        assert code(outcome) is Code.REQUEST_START_INVALID


async def test_the_approval_of_a_planned_access_lasts_until_it_would_be_over_and_any_other_while_it_is_fresh() -> None:
    place = await Workplace.open(WORLD)
    start = place.clock.now() + 2 * HOUR
    planned, plain = await asked(place, start=start), await asked(place)
    first, second = await says(place, planned), await says(place, plain)
    assert isinstance(first, Request) and first.due == start + HOUR
    assert isinstance(second, Request) and second.due == place.clock.now() + 3 * HOUR
    place.clock.moment = start
    grant = await activate(place.office, request=planned.id, person=ALICE, source="t")
    assert isinstance(grant, Grant) and grant.end == start + HOUR


async def test_a_role_that_brings_an_account_is_used_by_that_name_and_any_other_by_one_of_its_own() -> None:
    place = await Workplace.open(WORLD)
    assert (await given(place, BOSS)).created.credential == "boss"
    plain = (await given(place)).created
    assert plain.credential == "sojourn_" + plain.grant.replace("-", "")
    assert plain.review is not None and not plain.break_glass


@pytest.mark.parametrize(
    ("role", "duration"), [(READ, HOUR / 2), (PEEK, HOUR), (PEEK, HOUR / 2)], ids=["shorter", "narrower", "both"]
)
async def test_an_approver_gives_less_and_the_rest_stays_as_it_was_asked(role: RoleName, duration: timedelta) -> None:
    place = await Workplace.open(WORLD)
    start = place.clock.now() + HOUR
    request = await asked(place, start=start)
    place.clock.advance(HOUR / 4)
    after = await less(place, request, role, duration)
    assert isinstance(after, Request) and after.status is Status.APPROVED and after.revision == 2
    content, before = after.submitted, request.submitted
    assert (content.role, content.duration) == (role, duration)
    kept = (content.person, content.reason, content.facts, content.start, content.decide_by)
    assert kept == (before.person, before.reason, before.facts, before.start, before.decide_by)
    assert content.digest == digest_of(content) != before.digest
    event = place.entries(f"request/{request.id}")[-1].event
    assert isinstance(event, RequestApproved) and event.comment is not None and event.digest == content.digest


@pytest.mark.parametrize(
    ("role", "duration"),
    [(READ, HOUR), (READ, 2 * HOUR), (BOSS, HOUR / 2), (PEEK, 2 * HOUR), (RoleName("no"), HOUR / 2)],
)
async def test_an_approver_never_gives_as_much_or_more_or_something_else(role: RoleName, duration: timedelta) -> None:
    place = await Workplace.open(WORLD)
    request = await asked(place)
    assert code(await less(place, request, role, duration)) is Code.APPROVAL_NOT_LESS


async def test_less_than_a_second_is_nothing_that_could_be_given() -> None:
    place = await Workplace.open(WORLD)
    assert code(await less(place, await asked(place), READ, timedelta(0))) is Code.REQUEST_DURATION_INVALID


async def test_a_request_is_revised_so_often_and_while_it_is_open() -> None:
    place = await Workplace.open(WORLD)
    request = await asked(place)
    for number in range(2, REVISIONS_MAX + 1):
        after = await revised(place, request)
        assert isinstance(after, Request) and after.revision == number
    assert code(await revised(place, request)) is Code.REQUEST_REVISED_OFTEN
    other = await asked(place)
    assert code(await revised(place, other, person=DAVE)) is Code.REQUEST_NOT_YOURS
    place.clock.moment = other.submitted.decide_by
    assert code(await revised(place, other)) is Code.REQUEST_EXPIRED
    place.clock.moment -= TICK
    start = place.clock.now() + HOUR
    planned = await revised(place, other, start=start)
    assert isinstance(planned, Request) and planned.submitted.start == start
    assert planned.submitted.escalate_at == place.clock.now() + HOUR and not planned.escalated
    await deny(place.office, request=other.id, person=BOB, digest=planned.submitted.digest, source="t")
    assert code(await revised(place, other)) is Code.REQUEST_NOT_PENDING


async def test_an_extension_that_is_revised_stays_one_of_the_same_access_from_the_same_end() -> None:
    place = await Workplace.open(WORLD)
    grant = await given(place)
    sealer = FixedSealer(key="g")
    await confirm_provisioned(place.office, grant=grant.id, observed=["x"], secret=b"s", sealer=sealer)
    more = await extend(place.office, grant=grant.id, person=ALICE, duration=HOUR, reason="x", source="t", facts=FACTS)
    assert isinstance(more, Request)
    assert (more.submitted.extends, more.submitted.since) == (grant.id, grant.end)
    assert more.submitted.decide_by == grant.end and more.submitted.digest == digest_of(more.submitted)
    assert code(await revised(place, more, role=PEEK)) is Code.REQUEST_EXTENSION_FIXED
    after = await revised(place, more, start=place.clock.now() + HOUR)
    assert isinstance(after, Request)
    content = after.submitted
    assert (content.extends, content.since, content.start) == (grant.id, grant.end, None)
    assert content.digest == digest_of(content)
    await says(place, after)
    held = await load_grant(place.ledger, grant.id)
    assert held is not None and held.end == grant.end + HOUR / 2
    assert code(await activate(place.office, request=more.id, person=ALICE, source="t")) is Code.REQUEST_EXTENSION_FIXED
    place.clock.moment = held.end
    late = await extend(place.office, grant=grant.id, person=ALICE, duration=HOUR, reason="x", source="t", facts=FACTS)
    assert code(late) is Code.GRANT_EXPIRED


async def test_a_request_is_escalated_when_it_is_due_once_and_only_while_it_is_pending() -> None:
    place = await Workplace.open(WORLD)
    request, decided = await asked(place), await asked(place)
    await says(place, decided)
    due = request.submitted.escalate_at
    assert due is not None
    place.clock.moment = due - TICK
    assert not (await escalate_request(place.office, request.id)).escalated
    assert code(await says(place, request, FRANK)) is Code.APPROVAL_NOT_ENTITLED
    place.clock.moment = due
    for _ in range(2):
        assert (await escalate_request(place.office, request.id)).escalated
        assert not (await escalate_request(place.office, decided.id)).escalated
    told = [one.event for one in place.ledger.entries if isinstance(one.event, RequestEscalated)]
    assert [(one.request, one.people) for one in told] == [(request.id, (FRANK,))]
    assert isinstance(await says(place, request, FRANK), Request)


async def test_whoever_decides_in_anothers_place_is_on_record_with_whose() -> None:
    place = await Workplace.open(WORLD)
    now = place.clock.now()
    await declare_absence(place.office, person=CAROL, start=now, end=now + HOUR, delegate=DAVE, source="t")
    yes, no = await asked(place), await asked(place)
    await says(place, yes, DAVE, "as I was told")
    await deny(place.office, request=no.id, person=DAVE, digest=no.submitted.digest, source="t", comment="not this one")
    own = await asked(place)
    await deny(place.office, request=own.id, person=CAROL, digest=own.submitted.digest, source="t")
    approved, denied = (place.entries(f"request/{one.id}")[-1].event for one in (yes, no))
    assert isinstance(approved, RequestApproved) and isinstance(denied, RequestDenied)
    assert (approved.person, approved.on_behalf_of) == (denied.person, denied.on_behalf_of) == (DAVE, CAROL)
    assert approved.comment is not None and denied.comment is not None
    plain = place.entries(f"request/{own.id}")[-1].event
    assert isinstance(plain, RequestDenied) and plain.on_behalf_of is None and plain.comment is None


async def test_those_whom_a_request_concerns_talk_on_record_and_nobody_else_knows_of_it() -> None:
    place = await Workplace.open(WORLD)
    request = await asked(place)

    async def said(person: PersonId, text: str = "?", **more: object) -> Request | Refusal:
        return await comment(place.office, request=request.id, person=person, text=text, source="t", **more)  # type: ignore[arg-type]

    assert code(await said(DAVE)) is Code.REQUEST_UNKNOWN
    assert code(await said(PersonId("mallory"))) is Code.REQUEST_UNKNOWN
    now = place.clock.now()
    await declare_absence(place.office, person=CAROL, start=now, end=now + HOUR, delegate=DAVE, source="t")
    for number, person in enumerate((ALICE, BOB, CAROL, DAVE, ERIN, FRANK), 1):
        after = await said(person, question=True)
        assert isinstance(after, Request) and after.comments == number
    assert code(await said(BOB, answers=7)) is Code.REQUEST_QUESTION_UNKNOWN
    answered = await said(ALICE, answers=2)
    assert isinstance(answered, Request) and answered.questions == {1, 3, 4, 5, 6}
    assert code(await said(ALICE, answers=2)) is Code.REQUEST_QUESTION_UNKNOWN
    assert code(await said(ALICE, " ")) is Code.INPUT_INVALID
    event = place.entries(f"request/{request.id}")[-1].event
    assert isinstance(event, RequestCommented)
    assert (event.person, event.number, event.question, event.answers) == (ALICE, 7, False, 2)
    for _ in range(COMMENTS_MAX - 7):
        await said(ALICE)
    assert code(await said(ALICE)) is Code.REQUEST_COMMENTS_FULL


async def test_break_glass_is_on_record_as_what_it_is_with_its_review_and_its_account() -> None:
    place = await Workplace.open(WORLD)
    now = place.clock.now()

    async def take(facts: Facts = FACTS) -> Grant | Refusal:
        return await break_glass(
            place.office,
            person=ALICE,
            target=SHOP,
            role=BOSS,
            duration=HOUR,
            reason="it burns",
            confirmed_at=place.clock.now(),
            source="t",
            facts=facts,
        )

    assert code(await take(Facts())) is Code.REQUEST_REQUIREMENT_MISSING
    grant = await take()
    assert isinstance(grant, Grant) and grant.created.credential == "boss" and grant.created.break_glass
    request = await load_request(place.ledger, grant.created.request)
    assert request is not None and request.submitted.break_glass and request.submitted.facts == FACTS
    content = request.submitted
    assert content.digest == digest_of(content) and content.decide_by == now + HOUR
    assert content.review is not None and content.review == grant.created.review
    assert content.review.people == (ERIN,)
    assert code(await take()) is Code.BREAK_GLASS_SPENT
    place.clock.moment = now + DAY - TICK
    assert code(await take()) is Code.BREAK_GLASS_SPENT
    place.clock.moment = now + DAY
    assert isinstance(await take(), Grant)


async def test_the_review_of_an_access_is_opened_when_it_is_over_and_by_nobody_who_had_a_part_in_it() -> None:
    place = await Workplace.open(WORLD)
    grant = await given(place)
    request = await load_request(place.ledger, grant.created.request)
    assert request is not None
    now = place.clock.now()

    def opened(held: Grant, *, used: bool = True) -> ReviewOpened | None:
        return reviews.open_review(held, (request,), place.in_force(), ended_at=now, used=used)

    assert opened(grant) is None, "it is not over"
    ended = await end_early(place.office, grant=grant.id, person=ALICE, source="t")
    assert isinstance(ended, Grant)
    assert opened(ended, used=False) is None, "it was not used"
    assert opened(replace(ended, created=replace(ended.created, review=None))) is None, "no rule asks for one"
    glass = replace(ended, created=replace(ended.created, break_glass=True))
    assert opened(glass, used=False) is not None, "break-glass is reviewed whether or not it was used"
    review = opened(ended)
    assert review is not None
    assert (review.grant, review.request, review.person) == (grant.id, request.id, ALICE)
    assert review.reviewers == (CAROL, FRANK) and review.involved == (ALICE, BOB)
    assert (review.due, review.teams, review.declared) == (now + DAY, (ENGINEERS,), ("look",))
    assert (review.break_glass, review.configuration_version) == (False, 1)
    alone = replace(ended.created.review, people=(BOB,)) if ended.created.review else None
    fallback = opened(replace(ended, created=replace(ended.created, review=alone)))
    assert fallback is not None and fallback.reviewers == (ERIN, FRANK)


async def test_what_is_not_there_is_not_extended_or_escalated() -> None:
    place = await Workplace.open(WORLD)
    outcome = await extend(
        place.office, grant=GrantId("g-9"), person=ALICE, duration=HOUR, reason="x", source="t", facts=FACTS
    )
    assert code(outcome) is Code.GRANT_UNKNOWN
    assert await load_request(place.ledger, RequestId("r-9")) is None
