"""Nothing happens unrecorded: refusals, failures of the record, and a configuration that moves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from sojourn.domain.grant import Grant
from sojourn.domain.identifiers import PersonId
from sojourn.domain.policy import People
from sojourn.domain.request import Request, Status
from sojourn.errors import Code, Refusal, SojournError
from sojourn.testing.organisation import ALICE, BOB, CAROL, CATALOGUE, DAVE, READ, SHOP, Workplace, with_rules, without
from sojourn.workflow.activate import activate
from sojourn.workflow.approve import approve
from sojourn.workflow.deciding import DETAILS_MAX, TEXT_LENGTH_MAX, Attempt, refuse, shown
from sojourn.workflow.deny import deny
from sojourn.workflow.expire import end_for_leaver, lapse_request
from sojourn.workflow.loading import load_request
from sojourn.workflow.submit import submit
from sojourn.workflow.withdraw import withdraw


async def asked(place: Workplace, reason: str = "INC-1") -> Request | Refusal:
    minutes = timedelta(minutes=30)
    return await submit(
        place.office, person=ALICE, target=SHOP, role=READ, duration=minutes, reason=reason, source="10.0.0.9"
    )


async def pending(place: Workplace) -> Request:
    request = await asked(place)
    assert isinstance(request, Request)
    return request


async def test_a_refusal_is_recorded_once_with_who_what_why_and_where_from() -> None:
    place = await Workplace.open()
    request = await pending(place)
    outcome = await approve(
        place.office, request=request.id, person=ALICE, digest=request.submitted.digest, source="10.0.0.9"
    )
    assert isinstance(outcome, Refusal)
    (attempt,) = place.attempts()
    assert (attempt.verb, attempt.actor, attempt.code) == ("approve", ALICE, "approval.self")
    assert (attempt.subject, attempt.source) == (f"request/{request.id}", "10.0.0.9")
    assert dict(attempt.details) == outcome.details


async def test_a_refusal_that_cannot_be_recorded_is_not_answered() -> None:
    place = await Workplace.open()
    request = await pending(place)
    place.ledger.failing = True
    with pytest.raises(SojournError) as error:
        await approve(place.office, request=request.id, person=DAVE, digest="", source="t")
    assert error.value.code is Code.RECORD_UNAVAILABLE


async def test_when_the_record_is_down_nothing_happens_and_nothing_is_repeated() -> None:
    place = await Workplace.open()
    request = await pending(place)
    before = list(place.ledger.entries)
    place.ledger.failing = True
    calls: list[Callable[[], Awaitable[object]]] = [
        lambda: asked(place),
        lambda: approve(place.office, request=request.id, person=BOB, digest=request.submitted.digest, source="t"),
        lambda: withdraw(place.office, request=request.id, person=ALICE, source="t"),
    ]
    for call in calls:
        with pytest.raises(SojournError) as error:
            await call()
        assert error.value.code is Code.RECORD_UNAVAILABLE
    assert place.ledger.entries == before
    place.ledger.failing = False
    assert await load_request(place.ledger, request.id) == request


async def test_a_decision_under_a_configuration_that_is_no_longer_in_force_is_not_recorded() -> None:
    place = await Workplace.open()
    request = await pending(place)
    await place.reconfigure(with_rules(CATALOGUE))
    place.adopted.append(place.adopted[0])
    with pytest.raises(SojournError) as error:
        await approve(place.office, request=request.id, person=BOB, digest=request.submitted.digest, source="t")
    assert error.value.code is Code.RECORD_STALE
    assert await load_request(place.ledger, request.id) == request


async def test_a_name_of_a_person_cannot_slip_past_the_configuration_guard() -> None:
    place = await Workplace.open()
    system = PersonId("system")
    rules = (replace(CATALOGUE.rules[0], approvers=People(people=(BOB, system))),)
    people = (*CATALOGUE.people, replace(CATALOGUE.people[0], id=system))
    await place.reconfigure(replace(CATALOGUE, people=people, rules=rules))
    request = await pending(place)
    await place.reconfigure(CATALOGUE)
    place.adopted.append(place.adopted[1])
    with pytest.raises(SojournError) as error:
        await approve(place.office, request=request.id, person=system, digest=request.submitted.digest, source="t")
    assert error.value.code is Code.RECORD_STALE


async def test_a_configuration_that_arrives_while_somebody_decides_is_obeyed() -> None:
    place = await Workplace.open()
    request = await pending(place)
    stale = place.adopted[0]
    narrowed = await place.reconfigure(
        with_rules(CATALOGUE, replace(CATALOGUE.rules[0], approvers=People(people=(CAROL,))))
    )
    seen = iter((stale,))
    office = replace(place.office, in_force=lambda: next(seen, narrowed))
    outcome = await approve(office, request=request.id, person=BOB, digest=request.submitted.digest, source="t")
    assert isinstance(outcome, Refusal) and outcome.code is Code.APPROVAL_NOT_ENTITLED


async def test_time_is_looked_at_anew_when_a_decision_is_made_again() -> None:
    place = await Workplace.open()
    request = await pending(place)
    digest = request.submitted.digest
    await approve(place.office, request=request.id, person=BOB, digest=digest, source="t")
    stale, fresh = place.adopted[0], await place.reconfigure(replace(CATALOGUE, teams=CATALOGUE.teams[::-1]))
    seen = iter((stale,))

    def in_force() -> object:
        found = next(seen, None)
        if found is None:
            place.clock.advance(timedelta(hours=8))
            return fresh
        return found

    office = replace(place.office, in_force=in_force)  # type: ignore[arg-type]
    outcome = await activate(office, request=request.id, person=ALICE, source="t")
    assert isinstance(outcome, Refusal) and outcome.code is Code.REQUEST_EXPIRED


async def test_denied_withdrawn_and_lapsed_are_three_different_records() -> None:
    place = await Workplace.open()
    one, two, three = [await pending(place) for _ in range(3)]
    await deny(place.office, request=one.id, person=BOB, digest=one.submitted.digest, source="t")
    await withdraw(place.office, request=two.id, person=ALICE, source="t")
    place.clock.advance(timedelta(days=1))
    await lapse_request(place.office, three.id)
    kinds = [place.kinds(f"request/{request.id}")[-1] for request in (one, two, three)]
    assert kinds == ["request.denied", "request.withdrawn", "request.expired"]


async def test_a_request_closed_long_ago_is_still_there_with_who_what_when_and_why() -> None:
    place = await Workplace.open()
    request = await pending(place)
    await deny(
        place.office, request=request.id, person=BOB, digest=request.submitted.digest, source="t", comment="not needed"
    )
    place.clock.advance(timedelta(days=400))
    state = await load_request(place.ledger, request.id)
    assert state is not None
    assert (state.status, state.decided_by, state.submitted.person) == (Status.DENIED, BOB, ALICE)
    assert state.submitted.reason.commitment in place.ledger.matters


@pytest.mark.parametrize("text", ["", "short", "x" * TEXT_LENGTH_MAX, "x" * 10**6, "\ud800", "a\x00b", "é" * 300])
def test_whatever_was_typed_is_shown_within_bounds(text: str) -> None:
    seen = shown(text)
    assert len(seen) <= TEXT_LENGTH_MAX
    seen.encode()
    if len(text) <= TEXT_LENGTH_MAX and "\ud800" not in text:
        assert seen == text


async def test_an_attempt_on_record_is_bounded_in_every_field() -> None:
    place = await Workplace.open()
    huge = "y" * 10**6
    details = {f"{number:03}{huge}": huge for number in range(100)}
    refusal = Refusal(Code.GRANT_UNKNOWN, {"grant": huge, **details})
    await refuse(place.office, Attempt(verb="submit", actor=huge, source=huge), huge, refusal)
    (attempt,) = place.attempts()
    assert len(attempt.details) == DETAILS_MAX
    texts = [attempt.actor, attempt.source, attempt.subject, *(text for pair in attempt.details for text in pair)]
    assert max(map(len, texts)) <= TEXT_LENGTH_MAX


async def test_an_id_that_is_taken_never_continues_the_story_of_another_request() -> None:
    place = await Workplace.open()
    first = await pending(place)
    ids = iter((str(first.id), str(first.id), "r-fresh"))
    place.office = replace(place.office, new_id=lambda prefix: next(ids))
    second = await pending(place)
    assert second.id == "r-fresh"
    assert place.kinds(f"request/{first.id}") == ("request.submitted",)


async def test_nobody_counts_as_a_leaver_by_a_configuration_that_is_no_longer_in_force() -> None:
    place = await Workplace.open()
    request = await pending(place)
    await approve(place.office, request=request.id, person=BOB, digest=request.submitted.digest, source="t")
    grant = await activate(place.office, request=request.id, person=ALICE, source="t")
    assert isinstance(grant, Grant)
    gone = await place.reconfigure(without(CATALOGUE, ALICE))
    await place.reconfigure(CATALOGUE)
    place.adopted.append(gone)
    with pytest.raises(SojournError) as error:
        await end_for_leaver(place.office, grant.id)
    assert error.value.code is Code.RECORD_STALE
    assert place.kinds(f"grant/{grant.id}") == ("grant.created",)
