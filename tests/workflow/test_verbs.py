"""What a person can do, verb by verb, and what each leaves on record."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from sojourn.domain import grant as grants
from sojourn.domain import request as requests
from sojourn.domain.events import (
    CloseCause,
    GrantCreated,
    RequestApproved,
    RequestDenied,
    RequestSubmitted,
    SessionClosed,
    SessionOpened,
)
from sojourn.domain.grant import Grant
from sojourn.domain.history import Change
from sojourn.domain.identifiers import (
    GrantId,
    PersonId,
    RequestId,
    RoleName,
    SessionId,
    TargetName,
    TokenId,
    session_stream,
)
from sojourn.domain.publication import Held
from sojourn.domain.request import Request
from sojourn.errors import Code, Refusal, SojournError
from sojourn.testing.organisation import ALICE, AMEND, BOB, CAROL, CATALOGUE, DAVE, ERIN, READ, SHOP, Workplace, without
from sojourn.testing.sealer import FixedSealer
from sojourn.workflow.activate import activate, credential_for
from sojourn.workflow.approve import approve
from sojourn.workflow.deny import deny
from sojourn.workflow.end_early import end_early
from sojourn.workflow.expire import end_for_leaver, expire_grant, lapse_request
from sojourn.workflow.loading import load_grant, load_request
from sojourn.workflow.provision import confirm_provisioned, give_up_provisioning
from sojourn.workflow.remove import confirm_removed, report_removal_failed
from sojourn.workflow.revoke import revoke
from sojourn.workflow.stop import stop
from sojourn.workflow.submit import submit
from sojourn.workflow.withdraw import withdraw


async def asked(place: Workplace, person: PersonId = ALICE, role: RoleName = READ) -> Request:
    outcome = await submit(
        place.office,
        person=person,
        target=SHOP,
        role=role,
        duration=timedelta(minutes=30),
        reason="INC-1 wrong totals",
        source="test",
    )
    assert isinstance(outcome, Request), outcome
    return outcome


async def agreed(place: Workplace, request: Request, person: PersonId = BOB, comment: str = "") -> Request | Refusal:
    digest = request.submitted.digest
    return await approve(place.office, request=request.id, person=person, digest=digest, source="test", comment=comment)


async def begun(place: Workplace) -> Grant:
    request = await asked(place)
    await agreed(place, request)
    outcome = await activate(place.office, request=request.id, person=ALICE, source="test")
    assert isinstance(outcome, Grant), outcome
    return outcome


async def working(place: Workplace) -> Grant:
    grant = await begun(place)
    outcome = await confirm_provisioned(
        place.office, grant=grant.id, observed=["select on shop.orders"], secret=b"password", sealer=FixedSealer()
    )
    assert isinstance(outcome, Grant), outcome
    return outcome


async def test_one_access_from_request_to_removal_is_one_story_on_record() -> None:
    place = await Workplace.open()
    grant = await working(place)
    request = grant.created.request
    place.clock.advance(timedelta(minutes=30))
    ended = await expire_grant(place.office, grant.id)
    assert ended.status is grants.Status.ENDED
    await report_removal_failed(place.office, grant=grant.id, problem="unreachable")
    await confirm_removed(place.office, grant=grant.id, role_present=True, sessions_present=0, sessions_terminated=0)
    gone = await confirm_removed(
        place.office, grant=grant.id, role_present=False, sessions_present=0, sessions_terminated=1
    )
    assert gone.status is grants.Status.REMOVED
    assert place.kinds(f"request/{request}") == ("request.submitted", "request.approved", "request.activated")
    assert place.kinds(f"grant/{grant.id}") == (
        "grant.created",
        "grant.provisioned",
        "grant.ended",
        "grant.removal_failed",
        "grant.removal_failed",
        "grant.removed",
    )
    assert place.attempts() == ()
    assert await load_grant(place.ledger, grant.id) == gone


async def test_what_a_verb_gives_back_is_what_the_record_says() -> None:
    place = await Workplace.open()
    request = await asked(place)
    assert await load_request(place.ledger, request.id) == request
    approved = await agreed(place, request)
    assert await load_request(place.ledger, request.id) == approved
    grant = await activate(place.office, request=request.id, person=ALICE, source="test")
    assert isinstance(grant, Grant)
    assert await load_grant(place.ledger, grant.id) == grant


async def test_no_access_begins_while_a_copy_of_the_record_is_late_and_the_attempt_is_on_record() -> None:
    place = await Workplace.open()
    request = await asked(place)
    await agreed(place, request)
    late: list[Held | None] = [
        Held(place="quorum", published=3, missing_since=place.clock.now() - timedelta(minutes=31))
    ]

    async def ask() -> Held | None:
        return late[0]

    office = replace(place.office, late=ask)
    refused = await activate(office, request=request.id, person=ALICE, source="test")
    assert isinstance(refused, Refusal)
    assert refused.code is Code.PUBLICATION_LATE
    assert "quorum holds 3 entries" in refused.sentence
    assert place.kinds("attempts") == ("attempt.refused",)
    late[0] = None
    assert isinstance(await activate(office, request=request.id, person=ALICE, source="test"), Grant)


async def test_a_reason_is_kept_beside_the_record_and_not_in_it() -> None:
    place = await Workplace.open()
    request = await asked(place)
    event = place.entries(f"request/{request.id}")[0].event
    assert isinstance(event, RequestSubmitted)
    assert "INC-1" not in repr(event)
    matter, key = place.ledger.matters[event.reason.commitment]
    assert (FixedSealer().open(matter), key.person) == (b"INC-1 wrong totals", ALICE)


async def test_the_credential_is_sealed_by_the_sealer_given_and_not_by_the_office() -> None:
    place = await Workplace.open()
    grant = await begun(place)
    sealer = FixedSealer(key="k-gateway", recipient="gateway")
    outcome = await confirm_provisioned(place.office, grant=grant.id, observed=[], secret=b"password", sealer=sealer)
    assert isinstance(outcome, Grant) and outcome.secret is not None
    matter, key = place.ledger.matters[outcome.secret.commitment]
    assert (key.recipient, matter.key, sealer.open(matter)) == ("gateway", "k-gateway", b"password")


@pytest.mark.parametrize("verb", [approve, deny])
async def test_a_comment_is_sealed_about_its_author_and_absent_when_empty(verb: type) -> None:
    place = await Workplace.open()
    for comment in ("not on a Friday", ""):
        request = await asked(place)
        digest = request.submitted.digest
        await verb(place.office, request=request.id, person=BOB, digest=digest, source="test", comment=comment)
        event = place.entries(f"request/{request.id}")[1].event
        assert isinstance(event, RequestApproved | RequestDenied)
        if comment:
            assert event.comment is not None
            matter, key = place.ledger.matters[event.comment.commitment]
            assert (FixedSealer().open(matter), key.person) == (comment.encode(), BOB)
        else:
            assert event.comment is None


async def test_a_refused_decision_leaves_no_sealed_comment() -> None:
    place = await Workplace.open()
    request = await asked(place)
    before = dict(place.ledger.matters)
    assert isinstance(await agreed(place, request, DAVE, comment="let me in"), Refusal)
    assert isinstance(await agreed(place, request, BOB, comment="x" * 2001), Refusal)
    assert place.ledger.matters == before


async def test_a_stranger_leaves_no_sealed_reason() -> None:
    place = await Workplace.open()
    outcome = await submit(
        place.office,
        person=PersonId("mallory"),
        target=SHOP,
        role=READ,
        duration=timedelta(minutes=1),
        reason="x",
        source="test",
    )
    assert isinstance(outcome, Refusal) and outcome.code is Code.PERSON_UNKNOWN
    assert place.ledger.matters == {}


async def test_activation_records_request_and_grant_in_one_append() -> None:
    place = await Workplace.open()
    grant = await begun(place)
    spent, created = place.ledger.entries[-2:]
    assert (spent.event.kind, created.event.kind) == ("request.activated", "grant.created")
    assert isinstance(created.event, GrantCreated)
    assert created.event == grant.created
    assert created.event.window.start == place.clock.now()
    assert created.event.window.length == timedelta(minutes=30)


async def test_a_credential_is_named_after_its_grant_and_fits_postgresql() -> None:
    assert credential_for(GrantId("g-7K3m2q9x4h")) == "sojourn_g7k3m2q9x4h"
    assert len(credential_for(GrantId("g" * 55))) == 63
    with pytest.raises(ValueError, match="too long"):
        credential_for(GrantId("g" * 56))


async def test_a_withdrawn_approval_opens_nothing() -> None:
    place = await Workplace.open()
    request = await asked(place)
    await agreed(place, request)
    withdrawn = await withdraw(place.office, request=request.id, person=ALICE, source="test")
    assert isinstance(withdrawn, Request) and withdrawn.status is requests.Status.WITHDRAWN
    outcome = await activate(place.office, request=request.id, person=ALICE, source="test")
    assert isinstance(outcome, Refusal) and outcome.code is Code.REQUEST_NOT_APPROVED
    assert not any(isinstance(one.event, GrantCreated) for one in place.ledger.entries)


async def test_the_holder_ends_early_and_a_second_click_is_told_so() -> None:
    place = await Workplace.open()
    grant = await working(place)
    first = await end_early(place.office, grant=grant.id, person=ALICE, source="test")
    assert isinstance(first, Grant) and first.status is grants.Status.ENDED
    second = await end_early(place.office, grant=grant.id, person=ALICE, source="test")
    assert isinstance(second, Refusal) and second.code is Code.GRANT_ENDED
    assert place.kinds(f"grant/{grant.id}").count("grant.ended") == 1


async def test_time_driven_verbs_may_be_repeated_and_record_once() -> None:
    place = await Workplace.open()
    pending, grant = await asked(place), await working(place)
    for _ in range(3):
        assert (await expire_grant(place.office, grant.id)).status is grants.Status.ACTIVE
        assert (await lapse_request(place.office, pending.id)).status is requests.Status.PENDING
    place.clock.advance(timedelta(days=2))
    for _ in range(3):
        assert (await expire_grant(place.office, grant.id)).status is grants.Status.ENDED
        assert (await lapse_request(place.office, pending.id)).status is requests.Status.EXPIRED
    assert place.kinds(f"grant/{grant.id}").count("grant.ended") == 1
    assert place.kinds(f"request/{pending.id}") == ("request.submitted", "request.expired")
    assert place.attempts() == ()


async def test_a_leaver_loses_the_access() -> None:
    place = await Workplace.open()
    grant = await working(place)
    assert (await end_for_leaver(place.office, grant.id)).status is grants.Status.ACTIVE
    await place.reconfigure(without(CATALOGUE, ALICE))
    assert (await end_for_leaver(place.office, grant.id)).cause == "holder_left"


async def test_a_target_that_refuses_ends_the_grant() -> None:
    place = await Workplace.open()
    grant = await begun(place)
    outcome = await give_up_provisioning(place.office, grant=grant.id, problem="p" * 5000)
    assert isinstance(outcome, Grant) and outcome.cause == "provisioning_failed"
    late = await confirm_provisioned(place.office, grant=grant.id, observed=[], secret=b"x", sealer=FixedSealer())
    assert isinstance(late, Refusal) and late.code is Code.GRANT_ENDED


async def test_revoking_depends_on_nothing_but_who_asks() -> None:
    place = await Workplace.open()
    grant = await working(place)
    await place.reconfigure(without(CATALOGUE, ALICE))
    outcome = await revoke(place.office, grant=grant.id, person=ERIN, source="test")
    assert isinstance(outcome, Grant) and outcome.cause == "revoked"


async def test_what_a_person_typed_is_told_apart_when_it_names_nothing() -> None:
    place = await Workplace.open()
    outcome = await submit(
        place.office,
        person=ALICE,
        target=TargetName("shop\x00\ud800"),
        role=READ,
        duration=timedelta(minutes=1),
        reason="\ud800 lone surrogate",
        source="test",
    )
    assert isinstance(outcome, Refusal) and outcome.code is Code.TARGET_UNKNOWN
    assert place.attempts()[0].code == "target.unknown"


async def _connected(place: Workplace, grant: Grant) -> SessionId:
    session = SessionId("s-0000000001")
    created = grant.created
    opened = SessionOpened(
        session=session,
        grant=grant.id,
        person=created.person,
        target=created.target,
        role=created.role,
        database="",
        token=TokenId("t-1"),
        node="gateway-test",
        source="test",
        application="test",
        tls="",
    )
    await place.office.ledger.append([Change(stream=session_stream(session), event=opened, seen=0)])
    return session


async def test_one_session_is_ended_on_record_and_its_access_goes_on() -> None:
    place = await Workplace.open()
    grant = await working(place)
    session = await _connected(place, grant)
    for _ in range(2):
        outcome = await stop(place.office, session=session, person=ERIN, source="test")
        assert isinstance(outcome, Grant)
        assert (outcome.status, outcome.stopped) == (grants.Status.ACTIVE, (session,))
    outcome = await stop(place.office, session=SessionId("s-0000000002"), person=ERIN, source="test")
    assert isinstance(outcome, Refusal) and outcome.code is Code.SESSION_UNKNOWN


async def test_only_who_may_revoke_the_access_may_end_a_session_of_it() -> None:
    place = await Workplace.open()
    session = await _connected(place, await working(place))
    outcome = await stop(place.office, session=session, person=PersonId("mallory"), source="test")
    assert isinstance(outcome, Refusal) and outcome.code is Code.GRANT_REVOKE_NOT_ENTITLED
    assert [attempt.verb for attempt in place.attempts()] == ["stop"]
    outcome = await stop(place.office, session=session, person=ALICE, source="test")
    assert isinstance(outcome, Grant)


async def test_a_session_that_is_over_is_not_ended_again() -> None:
    place = await Workplace.open()
    session = await _connected(place, await working(place))
    closed = SessionClosed(session=session, cause=CloseCause.CLIENT_CLOSED, actions=0, bytes_in=0, bytes_out=0)
    await place.office.ledger.append([Change(stream=session_stream(session), event=closed, seen=1)])
    assert await stop(place.office, session=session, person=ERIN, source="test") is None


@pytest.mark.parametrize("name", ["", "g-0000000009", "../etc/passwd", "g" * 10_000, "g\x00", "\ud800", "grün", "g/1"])
async def test_what_does_not_exist_is_refused_and_on_record(name: str) -> None:
    place = await Workplace.open()
    outcomes = [
        await approve(place.office, request=RequestId(name), person=BOB, digest="d", source="test"),
        await deny(place.office, request=RequestId(name), person=BOB, digest="d", source="test"),
        await withdraw(place.office, request=RequestId(name), person=ALICE, source="test"),
        await activate(place.office, request=RequestId(name), person=ALICE, source="test"),
        await revoke(place.office, grant=GrantId(name), person=ERIN, source="test"),
        await end_early(place.office, grant=GrantId(name), person=ALICE, source="test"),
        await give_up_provisioning(place.office, grant=GrantId(name), problem="x"),
    ]
    codes = [outcome.code for outcome in outcomes if isinstance(outcome, Refusal)]
    assert codes == [Code.REQUEST_UNKNOWN] * 4 + [Code.GRANT_UNKNOWN] * 3
    assert [attempt.code for attempt in place.attempts()] == codes
    assert all(len(attempt.subject) <= 200 for attempt in place.attempts())


async def test_verbs_that_nobody_asked_for_raise_on_what_does_not_exist() -> None:
    place = await Workplace.open()
    with pytest.raises(SojournError) as unknown_request:
        await lapse_request(place.office, RequestId("r-9"))
    assert unknown_request.value.code is Code.REQUEST_UNKNOWN
    for verb in (expire_grant, end_for_leaver):
        with pytest.raises(SojournError) as unknown_grant:
            await verb(place.office, GrantId("g-9"))
        assert unknown_grant.value.code is Code.GRANT_UNKNOWN


async def test_removal_of_a_live_grant_is_a_fault_of_the_caller() -> None:
    place = await Workplace.open()
    grant = await working(place)
    with pytest.raises(SojournError) as error:
        await confirm_removed(
            place.office, grant=grant.id, role_present=False, sessions_present=0, sessions_terminated=0
        )
    assert error.value.code is Code.GRANT_NOT_READY


async def test_two_approvals_by_two_people_are_needed_where_the_rule_says_two() -> None:
    place = await Workplace.open()
    request = await asked(place, role=AMEND)
    once = await agreed(place, request, BOB)
    assert isinstance(once, Request) and once.status is requests.Status.PENDING
    again = await agreed(place, request, BOB)
    assert isinstance(again, Refusal) and again.code is Code.APPROVAL_REPEATED
    twice = await agreed(place, request, CAROL)
    assert isinstance(twice, Request) and twice.status is requests.Status.APPROVED


@pytest.mark.parametrize("verb", ["submit", "approve", "activate"])
async def test_a_fault_while_the_rules_are_judged_gives_nobody_anything(
    monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    place = await Workplace.open()
    request = await asked(place)
    if verb == "activate":
        await agreed(place, request)
    before = place.kinds(f"request/{request.id}")

    def broken(*arguments: object, **named: object) -> None:
        raise ZeroDivisionError(verb)

    for judged in ("submit", "decide"):
        monkeypatch.setattr(requests, judged, broken)
    with pytest.raises(ZeroDivisionError, match=verb):
        if verb == "submit":
            await asked(place)
        elif verb == "approve":
            await agreed(place, request)
        else:
            await activate(place.office, request=request.id, person=ALICE, source="test")
    assert place.kinds(f"request/{request.id}") == before
    assert not [one for one in place.ledger.entries if one.stream.startswith("grant/")]
