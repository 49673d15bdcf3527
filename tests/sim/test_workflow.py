"""Anybody does anything, in any order: whatever happens, the promises hold.

The machine drives the verbs over a ledger in memory and checks the ledger itself after every step, with set
arithmetic of its own rather than the rules under test.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Coroutine
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from sojourn.domain import grant as grants
from sojourn.domain import request as requests
from sojourn.domain.catalogue import Catalogue
from sojourn.domain.events import (
    GrantCreated,
    GrantEnded,
    RequestActivated,
    RequestApproved,
    RequestDenied,
    RequestExpired,
    RequestSubmitted,
    RequestWithdrawn,
)
from sojourn.domain.grant import Grant
from sojourn.domain.history import Recorded
from sojourn.domain.identifiers import GrantId, PersonId, RequestId, RoleName
from sojourn.domain.policy import People
from sojourn.domain.request import Request
from sojourn.errors import Code, Refusal, SojournError
from sojourn.projections import queries
from sojourn.projections.projector import Projections
from sojourn.testing.organisation import (
    ALICE,
    AMEND,
    BOB,
    CAROL,
    CATALOGUE,
    DAVE,
    ERIN,
    FRANK,
    READ,
    SHOP,
    Workplace,
    with_rules,
    without,
)
from sojourn.testing.sealer import FixedSealer
from sojourn.workflow.activate import activate
from sojourn.workflow.approve import approve
from sojourn.workflow.deny import deny
from sojourn.workflow.end_early import end_early
from sojourn.workflow.expire import end_for_leaver, expire_grant, lapse_request
from sojourn.workflow.loading import fold
from sojourn.workflow.provision import confirm_provisioned, give_up_provisioning
from sojourn.workflow.remove import confirm_removed
from sojourn.workflow.revoke import revoke
from sojourn.workflow.submit import submit
from sojourn.workflow.withdraw import withdraw

T = TypeVar("T")
READING, AMENDING = CATALOGUE.rules
TICK = timedelta(microseconds=1)

CONFIGURATIONS = (
    CATALOGUE,
    without(CATALOGUE, ALICE),
    without(CATALOGUE, BOB),
    with_rules(CATALOGUE, AMENDING),
    with_rules(CATALOGUE, replace(READING, approvals=2), AMENDING),
    with_rules(CATALOGUE, replace(READING, longest=timedelta(minutes=1)), AMENDING),
    with_rules(CATALOGUE, replace(READING, approvers=READING.who), replace(AMENDING, approvers=AMENDING.who)),
    with_rules(CATALOGUE, READING, replace(READING, approvers=People(people=(CAROL, DAVE))), AMENDING),
)
PEOPLE = st.sampled_from([ALICE, ALICE, BOB, CAROL, DAVE, ERIN, FRANK, PersonId("mallory")])
SPANS = st.sampled_from([TICK, timedelta(seconds=1), timedelta(minutes=1), timedelta(minutes=30), timedelta(hours=8)])


def entitled(catalogue: Catalogue, request: RequestSubmitted) -> tuple[frozenset[PersonId], int]:
    """Who may decide under this catalogue and how many of them it takes, said another way than the policy does."""
    members = {team.name: set(team.members) for team in catalogue.teams}
    everybody = {person.id for person in catalogue.people}
    people, needed = set(everybody), 1
    fits = False
    for one in catalogue.rules:
        who = set(one.who.people).union(*(members[team] for team in one.who.teams))
        if request.person in who and request.target in one.targets and request.role in one.roles:
            fits = True
            people &= set(one.approvers.people).union(*(members[team] for team in one.approvers.teams))
            needed = max(needed, one.approvals)
    return (frozenset(people - {request.person}), needed) if fits else (frozenset(), needed)


class Anything(RuleBasedStateMachine):
    """Everybody at work on one target."""

    asked: Bundle[RequestId] = Bundle("asked")
    given: Bundle[GrantId] = Bundle("given")

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.place = self.run(Workplace.open())
        self.refused: Counter[str] = Counter()
        self.projections = Projections.open(None)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def noted(self, outcome: T | Refusal) -> T | Refusal:
        """Remember what was refused, to be compared with the record."""
        if isinstance(outcome, Refusal):
            self.refused[outcome.code] += 1
        return outcome

    def teardown(self) -> None:
        rebuilt = Projections.open(None)
        for recorded in self.place.ledger.entries:
            rebuilt.apply((recorded,))
        assert rebuilt.digest() == self.projections.digest()
        rebuilt.close()
        self.projections.close()
        self.runner.close()

    def digest(self, request: RequestId) -> str:
        event = self.place.entries(f"request/{request}")[0].event
        assert isinstance(event, RequestSubmitted)
        return event.digest

    @initialize(target=asked)
    def somebody_asks_first(self) -> Any:
        return self.ask(ALICE, READ, 60)

    def ask(self, person: PersonId, role: RoleName, seconds: int) -> Any:
        duration = timedelta(seconds=seconds)
        outcome = self.noted(
            self.run(
                submit(
                    self.place.office,
                    person=person,
                    target=SHOP,
                    role=role,
                    duration=duration,
                    reason="because",
                    source="sim",
                )
            )
        )
        return outcome.id if isinstance(outcome, Request) else multiple()

    @rule(target=asked, person=PEOPLE, role=st.sampled_from([READ, AMEND]), seconds=st.sampled_from([0, 1, 60, 9999]))
    def somebody_asks(self, person: PersonId, role: RoleName, seconds: int) -> Any:
        return self.ask(person, role, seconds)

    @rule(request=asked, person=PEOPLE, right=st.sampled_from([True, True, True, False]))
    def somebody_approves(self, request: RequestId, person: PersonId, right: bool) -> None:
        digest = self.digest(request) if right else "0" * 64
        self.noted(self.run(approve(self.place.office, request=request, person=person, digest=digest, source="sim")))

    @rule(request=asked)
    def all_who_may_approve_do(self, request: RequestId) -> None:
        for person in (BOB, CAROL, DAVE):
            self.somebody_approves(request, person, True)

    @rule(request=asked, person=st.sampled_from([BOB, CAROL]))
    def an_approver_insists(self, request: RequestId, person: PersonId) -> None:
        self.somebody_approves(request, person, True)
        self.somebody_approves(request, person, True)

    @rule(target=given, person=st.sampled_from([ALICE, DAVE]), catalogue=st.sampled_from(CONFIGURATIONS))
    def the_ground_moves_between_approval_and_activation(self, person: PersonId, catalogue: Catalogue) -> Any:
        request = self.ask(person, READ, 60)
        if not isinstance(request, str):
            return multiple()
        self.somebody_approves(RequestId(request), BOB, True)
        self.the_configuration_changes(catalogue)
        return self.somebody_activates(RequestId(request), person)

    @rule(request=asked, person=PEOPLE)
    def somebody_denies(self, request: RequestId, person: PersonId) -> None:
        digest = self.digest(request)
        self.noted(self.run(deny(self.place.office, request=request, person=person, digest=digest, source="sim")))

    @rule(request=asked, person=PEOPLE)
    def somebody_withdraws(self, request: RequestId, person: PersonId) -> None:
        self.noted(self.run(withdraw(self.place.office, request=request, person=person, source="sim")))

    @rule(target=given, request=asked, person=PEOPLE)
    def somebody_activates(self, request: RequestId, person: PersonId) -> Any:
        outcome = self.noted(self.run(activate(self.place.office, request=request, person=person, source="sim")))
        return outcome.id if isinstance(outcome, Grant) else multiple()

    @rule(target=given, request=asked)
    def the_requester_activates_twice_at_once(self, request: RequestId) -> Any:
        event = self.place.entries(f"request/{request}")[0].event
        assert isinstance(event, RequestSubmitted)

        async def both() -> list[Grant | Refusal]:
            office = self.place.office
            return await asyncio.gather(
                *(activate(office, request=request, person=event.person, source="sim") for _ in range(2))
            )

        return multiple(*(one.id for one in map(self.noted, self.run(both())) if isinstance(one, Grant)))

    @rule(request=asked, first=PEOPLE, second=PEOPLE)
    def several_decide_at_once(self, request: RequestId, first: PersonId, second: PersonId) -> None:
        office, digest = self.place.office, self.digest(request)

        async def race() -> tuple[Request | Refusal, ...]:
            return await asyncio.gather(
                approve(office, request=request, person=first, digest=digest, source="sim"),
                deny(office, request=request, person=second, digest=digest, source="sim"),
                withdraw(office, request=request, person=ALICE, source="sim"),
                lapse_request(office, request),
            )

        for outcome in self.run(race()):
            self.noted(outcome)

    @rule(grant=given)
    def the_target_takes_it(self, grant: GrantId) -> None:
        sealer = FixedSealer(key="k-gateway")
        self.noted(
            self.run(confirm_provisioned(self.place.office, grant=grant, observed=["x"], secret=b"s", sealer=sealer))
        )

    @rule(grant=given)
    def the_target_refuses_it(self, grant: GrantId) -> None:
        self.noted(self.run(give_up_provisioning(self.place.office, grant=grant, problem="no")))

    @rule(grant=given, person=PEOPLE)
    def somebody_revokes(self, grant: GrantId, person: PersonId) -> None:
        self.noted(self.run(revoke(self.place.office, grant=grant, person=person, source="sim")))

    @rule(grant=given, person=PEOPLE)
    def somebody_ends_early(self, grant: GrantId, person: PersonId) -> None:
        self.noted(self.run(end_early(self.place.office, grant=grant, person=person, source="sim")))

    @rule(grant=given, left=st.integers(0, 1))
    def removal_is_read_back(self, grant: GrantId, left: int) -> None:
        try:
            self.run(
                confirm_removed(
                    self.place.office, grant=grant, role_present=False, sessions_present=left, sessions_terminated=0
                )
            )
        except SojournError as error:
            assert error.code is Code.GRANT_NOT_READY
            self.refused[error.code] += 1

    @rule()
    def the_sweeper_runs(self) -> None:
        for stream in sorted({one.stream for one in self.place.ledger.entries}):
            family, _, name = stream.partition("/")
            if family == "grant":
                self.run(expire_grant(self.place.office, GrantId(name)))
                self.run(end_for_leaver(self.place.office, GrantId(name)))
            elif family == "request":
                self.run(lapse_request(self.place.office, RequestId(name)))

    @rule(span=SPANS, back=st.sampled_from([False, False, False, True]))
    def time_passes_or_is_set_back(self, span: timedelta, back: bool) -> None:
        self.place.clock.advance(-min(span, timedelta(seconds=1)) if back else span)

    @rule(catalogue=st.sampled_from(CONFIGURATIONS))
    def the_configuration_changes(self, catalogue: Catalogue) -> None:
        self.run(self.place.reconfigure(catalogue))

    # The promises

    def streams(self, family: str) -> dict[str, list[Recorded]]:
        found: defaultdict[str, list[Recorded]] = defaultdict(list)
        for one in self.place.ledger.entries:
            if one.stream.startswith(f"{family}/"):
                found[one.stream].append(one)
        return found

    def catalogue(self, version: int) -> Catalogue:
        return next(one.catalogue for one in self.place.adopted if one.version == version)

    @invariant()
    def every_decision_is_by_an_entitled_person_who_did_not_ask_on_what_was_asked_and_in_time(self) -> None:
        for stream in self.streams("request").values():
            asked = stream[0].event
            assert isinstance(asked, RequestSubmitted)
            yes: list[PersonId] = []
            for one in stream[1:]:
                if not isinstance(one.event, RequestApproved | RequestDenied):
                    continue
                people, needed = entitled(self.catalogue(one.event.configuration_version), asked)
                assert one.event.person in people & set(asked.approvers)
                assert one.event.person != asked.person
                assert one.event.digest == asked.digest
                assert one.at < asked.decide_by
                if isinstance(one.event, RequestApproved):
                    assert one.event.person not in yes
                    yes.append(one.event.person)
                    assert one.event.complete == (len(people & set(yes)) >= max(needed, asked.approvals))

    @invariant()
    def no_grant_without_enough_decisions_on_record_before_it(self) -> None:
        told = self.streams("request")
        for stream in self.streams("grant").values():
            created = stream[0].event
            assert isinstance(created, GrantCreated)
            story = [one for one in told[f"request/{created.request}"] if one.seq < stream[0].seq]
            asked = story[0].event
            assert isinstance(asked, RequestSubmitted)
            assert isinstance(story[-1].event, RequestActivated)
            assert created.person == asked.person
            yes = [one.event for one in story if isinstance(one.event, RequestApproved)]
            assert yes and yes[-1].complete and stream[0].at < yes[-1].activate_by
            now, needed = entitled(self.catalogue(created.configuration_version), asked)
            assert len(now & {one.person for one in yes}) >= max(needed, asked.approvals)

    @invariant()
    def a_grant_opens_only_in_its_window_only_while_active_and_its_end_never_moves(self) -> None:
        for stream in self.streams("grant").values():
            created = stream[0].event
            assert isinstance(created, GrantCreated)
            asked = self.place.entries(f"request/{created.request}")[0].event
            assert isinstance(asked, RequestSubmitted)
            assert created.window.start == stream[0].at
            assert created.window.end == created.window.start + asked.duration
            state = fold(grants.evolve, stream)
            assert state is not None and state.created == created
            ended = [place for place, one in enumerate(stream) if isinstance(one.event, GrantEnded)]
            assert len(ended) <= 1
            if ended:
                after = {one.event.kind for one in stream[ended[0] + 1 :]}
                assert after <= {"grant.removal_failed", "grant.removed"}
            for moment in (created.window.start, created.window.end - TICK):
                provisioned = any(one.event.kind == "grant.provisioned" for one in stream)
                assert state.opens(moment) == (provisioned and not ended)
            for moment in (created.window.start - TICK, created.window.end, created.window.end + timedelta(days=1)):
                assert not state.opens(moment)

    @invariant()
    def a_request_ends_at_most_once_and_becomes_at_most_one_grant(self) -> None:
        ends = (RequestDenied, RequestWithdrawn, RequestExpired, RequestActivated)
        for stream in self.streams("request").values():
            closing = [place for place, one in enumerate(stream) if isinstance(one.event, ends)]
            assert closing in ([], [len(stream) - 1])
        made = Counter(
            stream[0].event.request
            for stream in self.streams("grant").values()
            if isinstance(stream[0].event, GrantCreated)
        )
        assert all(count == 1 for count in made.values())

    @invariant()
    def every_refusal_is_on_record_exactly_once(self) -> None:
        assert Counter(attempt.code for attempt in self.place.attempts()) == self.refused

    @invariant()
    def the_read_models_say_what_the_streams_say(self) -> None:
        self.projections.apply(self.place.ledger.entries[self.projections.following :])
        with self.projections.reading() as connection:
            for name, stream in self.streams("request").items():
                request = fold(requests.evolve, stream)
                shown = queries.request(connection, name.partition("/")[2])
                assert request is not None and shown is not None
                assert (shown.status, shown.grant) == (request.status, request.grant)
                assert (shown.due is None) == (request.due is None)
                yes = {one.person for one in queries.approvers(connection, shown.id) if one.decision == "approved"}
                no = {one.person for one in queries.approvers(connection, shown.id) if one.decision == "denied"}
                assert yes == set(request.approved_by) - no
            for name, stream in self.streams("grant").items():
                grant = fold(grants.evolve, stream)
                row = queries.grant(connection, name.partition("/")[2])
                assert grant is not None and row is not None
                assert (row.status, row.cause) == (grant.status, grant.cause)


TestAnythingThatAnybodyDoesKeepsThePromises = Anything.TestCase
TestAnythingThatAnybodyDoesKeepsThePromises.settings = settings(
    max_examples=60, stateful_step_count=40, suppress_health_check=[HealthCheck.too_slow]
)
