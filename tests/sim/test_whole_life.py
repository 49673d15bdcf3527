"""Everything that people can do with an access, by anybody, in any order, through two nodes: the promises hold.

Time is simulated. The promises are checked by an eye of their own (`sojourn.testing.promises`), after every step, on
the ledger itself. A node decides, at the first try, on what was in force when it was asked the last time.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from sojourn.domain import grant as grants
from sojourn.domain import request as requests
from sojourn.domain import standing as standings
from sojourn.domain.campaign import Campaign
from sojourn.domain.catalogue import Adopted, Catalogue
from sojourn.domain.change import Proposal
from sojourn.domain.events import (
    AbsenceDeclared,
    AttemptRefused,
    ConfigurationAdopted,
    ConfigurationProposed,
    ReviewOutcome,
)
from sojourn.domain.grant import Grant
from sojourn.domain.grant import Status as GrantStatus
from sojourn.domain.identifiers import (
    CONFIGURATION,
    STANDING,
    AbsenceId,
    CampaignId,
    ChangeId,
    GrantId,
    PersonId,
    RequestId,
    RoleName,
)
from sojourn.domain.request import Request
from sojourn.domain.request import Status as RequestStatus
from sojourn.domain.review import CHECKLIST
from sojourn.domain.standing import NOTHING_SAID
from sojourn.errors import Code, Refusal, SojournError
from sojourn.projections.projector import Projections
from sojourn.testing.identifiers import CountedIds
from sojourn.testing.ledger import MemoryLedger
from sojourn.testing.loop import LoopClock, SimulatedLoop
from sojourn.testing.organisation import ALICE, AMEND, BOB, CAROL, DAVE, ENGINEERS, ERIN, FRANK, LEADS, READ, SHOP
from sojourn.testing.promises import Promises
from sojourn.testing.sealer import FixedSealer
from sojourn.workflow.activate import activate
from sojourn.workflow.adopt import adopt
from sojourn.workflow.approve import approve
from sojourn.workflow.approve_less import approve_less
from sojourn.workflow.away import declare_absence, end_absence
from sojourn.workflow.break_glass import break_glass
from sojourn.workflow.certifying import decide_item, open_campaign
from sojourn.workflow.change import approve_change, propose, withdraw_change
from sojourn.workflow.comment import comment
from sojourn.workflow.deny import deny
from sojourn.workflow.end_early import end_early
from sojourn.workflow.expire import end_for_leaver, expire_grant, lapse_request
from sojourn.workflow.extend import extend
from sojourn.workflow.leave import come_back, leave
from sojourn.workflow.loading import fold
from sojourn.workflow.ports import Office
from sojourn.workflow.prolong import confirm_prolonged
from sojourn.workflow.provision import confirm_provisioned, give_up_provisioning
from sojourn.workflow.remove import confirm_removed
from sojourn.workflow.reviewing import conclude, note, open_review
from sojourn.workflow.revise import revise
from sojourn.workflow.revoke import revoke
from sojourn.workflow.submit import submit
from sojourn.workflow.timekeeping import tick
from sojourn.workflow.withdraw import withdraw

from .company import AGENT, COMPANY, EDGAR, GINA, HENRY, ROBOT, SECURITY, with_members, with_role

T = TypeVar("T")
SOURCE = "sim"
YES = ("yes",) * len(CHECKLIST)

ASKERS = st.sampled_from([ALICE, ALICE, DAVE, BOB, ROBOT, AGENT, FRANK])
PEOPLE = st.sampled_from([ALICE, BOB, BOB, CAROL, DAVE, ERIN, EDGAR, FRANK, GINA, HENRY, ROBOT, AGENT, "mallory"])
DELEGATES = st.sampled_from([AGENT, ROBOT, ALICE, DAVE, CAROL, HENRY, FRANK])
ADMINISTRATORS = st.sampled_from([ERIN, ERIN, EDGAR, EDGAR, BOB])
NODES = st.sampled_from([0, 1])
ROLES = st.sampled_from([READ, READ, AMEND])
SECONDS = st.sampled_from([1, 60, 600, 1800, 3600, -5, 0, 10**9])
FRESH = st.sampled_from([0, 0, 299, 300, -1])
REMARKS = st.sampled_from(["", "x"])
STARTS = st.sampled_from([None, None, None, 60, 3600, -60])
CONFIGURATIONS = st.sampled_from(
    [
        COMPANY,
        with_role(COMPANY, READ, approvals=2),
        with_role(COMPANY, READ, longest=timedelta(minutes=1)),
        with_role(COMPANY, READ, automatic="reading is open to all engineers"),
        with_members(COMPANY, ENGINEERS, BOB, CAROL, DAVE),
        with_members(COMPANY, SECURITY, GINA, CAROL),
        with_members(COMPANY, LEADS, BOB, DAVE),
        replace(COMPANY, people=tuple(one for one in COMPANY.people if one.id != BOB)),
    ]
)


@dataclass(slots=True)
class View:
    """What one node takes to be in force: what was, when it was last asked. The second look sees the record."""

    ledger: MemoryLedger
    _seen: Adopted | None = None
    _read: dict[str, Catalogue] = field(default_factory=dict)

    def files(self) -> Adopted:
        adopted = [one for one in self.ledger.entries if one.stream == CONFIGURATION]
        event = adopted[-1].event
        assert isinstance(event, ConfigurationAdopted)
        sha256 = event.catalogue_sha256
        if sha256 not in self._read:
            self._read[sha256] = msgspec.json.decode(self.ledger.attachments[sha256], type=Catalogue)
        return Adopted(catalogue=self._read[sha256], version=adopted[-1].version, digest=sha256)

    def latest(self) -> Adopted:
        standing = NOTHING_SAID
        for one in self.ledger.entries:
            if one.stream == STANDING:
                standing = standings.evolve(standing, one.event)
        return self.files().under(standing)

    def __call__(self) -> Adopted:
        before, self._seen = self._seen, self.latest()
        return before or self._seen


class WholeLife(RuleBasedStateMachine):
    """Two nodes, one ledger, a company of eleven."""

    asked: Bundle[RequestId] = Bundle("asked")
    given: Bundle[GrantId] = Bundle("given")
    absent: Bundle[AbsenceId] = Bundle("absent")
    campaigns: Bundle[CampaignId] = Bundle("campaigns")
    changes: Bundle[ChangeId] = Bundle("changes")

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner(loop_factory=SimulatedLoop)
        self.clock = LoopClock()
        self.ledger = MemoryLedger(self.clock)
        ids = CountedIds()
        self.views = tuple(View(self.ledger) for _ in range(2))
        self.offices = tuple(
            Office(ledger=self.ledger, sealer=FixedSealer(key=f"k-{n}"), clock=self.clock, new_id=ids, in_force=view)
            for n, view in enumerate(self.views)
        )
        self.run(adopt(self.ledger, catalogue=COMPANY, files={}, operator="operator"))
        self.refused: Counter[str] = Counter()
        self.promises = Promises(self.ledger.attachments)
        self.projections = Projections.open(None)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def now(self) -> datetime:
        async def look() -> datetime:
            return self.clock.now()

        return self.run(look())

    def do(self, verb: Coroutine[Any, Any, T | Refusal]) -> T | Refusal:
        """Do it, and remember what was refused, to be compared with the record."""
        outcome = self.run(verb)
        if isinstance(outcome, Refusal):
            assert outcome.sentence and outcome.next_step
            self.refused[outcome.code] += 1
        return outcome

    def request(self, name: RequestId) -> Request:
        state = fold(requests.evolve, (one for one in self.ledger.entries if one.stream == f"request/{name}"))
        assert state is not None
        return state

    def grant(self, name: GrantId) -> Grant:
        state = fold(grants.evolve, (one for one in self.ledger.entries if one.stream == f"grant/{name}"))
        assert state is not None
        return state

    def digest(self, request: RequestId) -> str:
        return self.request(request).submitted.digest

    def teardown(self) -> None:
        self.the_promises_hold()
        rebuilt = Projections.open(None)
        for recorded in self.ledger.entries:
            rebuilt.apply((recorded,))
        self.projections.apply(self.ledger.entries[self.projections.following :])
        assert rebuilt.digest() == self.projections.digest()
        for name, given in self.promises.accesses.grants.items():
            state = self.grant(GrantId(name))
            assert (state.end, state.status in (GrantStatus.ENDED, GrantStatus.REMOVED)) == (given.end, given.ended)
            assert state.opens(given.end - timedelta(microseconds=1)) == (given.provisioned and not given.ended)
            assert not state.opens(given.end)
        rebuilt.close()
        self.projections.close()
        self.runner.close()

    # Asking

    def ask(self, office: Office, person: PersonId, role: RoleName, seconds: int, start: int | None) -> Any:
        planned = None if start is None else self.now() + timedelta(seconds=start)
        duration = timedelta(seconds=seconds)
        outcome = self.do(
            submit(
                office,
                person=person,
                target=SHOP,
                role=role,
                duration=duration,
                reason="because",
                source=SOURCE,
                start=planned,
            )
        )
        return outcome.id if isinstance(outcome, Request) else multiple()

    @initialize(target=asked)
    def somebody_asks_first(self) -> Any:
        return self.ask(self.offices[0], ALICE, READ, 600, None)

    @rule(target=asked, node=NODES, person=ASKERS, role=ROLES, seconds=SECONDS, start=STARTS)
    def somebody_asks(self, node: int, person: PersonId, role: RoleName, seconds: int, start: int | None) -> Any:
        return self.ask(self.offices[node], person, role, seconds, start)

    @rule(node=NODES, request=asked, person=PEOPLE, role=ROLES, seconds=SECONDS, own=st.booleans())
    def somebody_revises(
        self, node: int, request: RequestId, person: PersonId, role: RoleName, seconds: int, own: bool
    ) -> None:
        person = self.request(request).submitted.person if own else person
        self.do(
            revise(
                self.offices[node],
                request=request,
                person=person,
                target=SHOP,
                role=role,
                duration=timedelta(seconds=seconds),
                reason="after all",
                source=SOURCE,
            )
        )

    @rule(node=NODES, request=asked, person=PEOPLE, question=st.booleans(), answers=st.sampled_from([None, 1, 2]))
    def somebody_comments(
        self, node: int, request: RequestId, person: PersonId, question: bool, answers: int | None
    ) -> None:
        self.do(
            comment(
                self.offices[node],
                request=request,
                person=person,
                text="?",
                source=SOURCE,
                question=question,
                answers=answers,
            )
        )

    @rule(node=NODES, request=asked, person=PEOPLE, own=st.booleans())
    def somebody_withdraws(self, node: int, request: RequestId, person: PersonId, own: bool) -> None:
        person = self.request(request).submitted.person if own else person
        self.do(withdraw(self.offices[node], request=request, person=person, source=SOURCE))

    # Deciding

    @rule(node=NODES, request=asked, person=PEOPLE, right=st.sampled_from([True, True, True, False]))
    def somebody_approves(self, node: int, request: RequestId, person: PersonId, right: bool) -> None:
        digest = self.digest(request) if right else "0" * 64
        self.do(approve(self.offices[node], request=request, person=person, digest=digest, source=SOURCE))

    @rule(node=NODES, request=asked)
    def all_who_may_approve_do(self, node: int, request: RequestId) -> None:
        for person in (BOB, GINA, CAROL, HENRY):
            self.somebody_approves(node, request, person, True)

    @rule(node=NODES, request=asked, person=PEOPLE, role=ROLES, seconds=st.sampled_from([1, 30, 600, 3600]))
    def somebody_approves_less(
        self, node: int, request: RequestId, person: PersonId, role: RoleName, seconds: int
    ) -> None:
        self.do(
            approve_less(
                self.offices[node],
                request=request,
                person=person,
                digest=self.digest(request),
                role=role,
                duration=timedelta(seconds=seconds),
                source=SOURCE,
            )
        )

    @rule(node=NODES, request=asked, person=PEOPLE)
    def somebody_denies(self, node: int, request: RequestId, person: PersonId) -> None:
        self.do(deny(self.offices[node], request=request, person=person, digest=self.digest(request), source=SOURCE))

    @rule(request=asked, first=PEOPLE, second=PEOPLE)
    def several_decide_at_once(self, request: RequestId, first: PersonId, second: PersonId) -> None:
        digest, (one, other) = self.digest(request), self.offices
        owner = self.request(request).submitted.person

        async def race() -> list[Any]:
            return await asyncio.gather(
                approve(one, request=request, person=first, digest=digest, source=SOURCE),
                approve(other, request=request, person=first, digest=digest, source=SOURCE),
                approve(other, request=request, person=second, digest=digest, source=SOURCE),
                deny(one, request=request, person=second, digest=digest, source=SOURCE),
                activate(other, request=request, person=owner, source=SOURCE),
                activate(one, request=request, person=owner, source=SOURCE),
                withdraw(one, request=request, person=owner, source=SOURCE),
                lapse_request(other, request),
            )

        for outcome in self.run(race()):
            if isinstance(outcome, Refusal):
                self.refused[outcome.code] += 1

    @rule(target=absent, person=PEOPLE, delegate=PEOPLE, begins=st.sampled_from([0, 0, 600]), lasts=SECONDS)
    def somebody_goes_away(self, person: PersonId, delegate: PersonId, begins: int, lasts: int) -> Any:
        start = self.now() + timedelta(seconds=begins)
        outcome = self.do(
            declare_absence(
                self.offices[0],
                person=person,
                start=start,
                end=start + timedelta(seconds=lasts),
                delegate=delegate,
                source=SOURCE,
            )
        )
        return outcome.absence if isinstance(outcome, AbsenceDeclared) else multiple()

    @rule(absence=absent, person=PEOPLE)
    def somebody_is_back(self, absence: AbsenceId, person: PersonId) -> None:
        self.do(end_absence(self.offices[1], absence=absence, person=person, source=SOURCE))

    @rule(node=NODES, asker=ASKERS, place=st.sampled_from([BOB, CAROL, GINA]), person=DELEGATES, role=ROLES)
    def somebody_decides_for_who_is_away(
        self, node: int, asker: PersonId, place: PersonId, person: PersonId, role: RoleName
    ) -> None:
        request = self.ask(self.offices[node], asker, role, 600, None)
        self.somebody_goes_away(place, person, 0, 3600)
        if isinstance(request, str):
            for one in (person, BOB, GINA):
                self.somebody_approves(node, RequestId(request), one, True)

    # Using

    @rule(target=given, node=NODES, request=asked, person=PEOPLE, own=st.sampled_from([True, True, False]))
    def somebody_activates(self, node: int, request: RequestId, person: PersonId, own: bool) -> Any:
        person = self.request(request).submitted.person if own else person
        outcome = self.do(activate(self.offices[node], request=request, person=person, source=SOURCE))
        return outcome.id if isinstance(outcome, Grant) else multiple()

    @rule(target=given, person=ASKERS, role=ROLES)
    def somebody_gets_it_without_any_trouble(self, person: PersonId, role: RoleName) -> Any:
        request = self.ask(self.offices[0], person, role, 600, None)
        if not isinstance(request, str):
            return multiple()
        for approver in (BOB, CAROL, GINA):
            if self.request(RequestId(request)).status is RequestStatus.PENDING:
                self.somebody_approves(0, RequestId(request), approver, True)
        name = self.somebody_activates(0, RequestId(request), person, True)
        if isinstance(name, str):
            self.the_target_takes_it(0, GrantId(name))
        return name

    @rule(
        target=given,
        node=NODES,
        person=ASKERS,
        seconds=st.sampled_from([60, 900, 3600]),
        ago=st.sampled_from([0, 299, 300, -1]),
    )
    def somebody_breaks_the_glass(self, node: int, person: PersonId, seconds: int, ago: int) -> Any:
        outcome = self.do(
            break_glass(
                self.offices[node],
                person=person,
                target=SHOP,
                role=AMEND,
                duration=timedelta(seconds=seconds),
                reason="it burns",
                confirmed_at=self.now() - timedelta(seconds=ago),
                source=SOURCE,
            )
        )
        return outcome.id if isinstance(outcome, Grant) else multiple()

    @rule(node=NODES, grant=given)
    def the_target_takes_it(self, node: int, grant: GrantId) -> None:
        office, sealer = self.offices[node], FixedSealer(key="k-gateway")
        self.do(confirm_provisioned(office, grant=grant, observed=["x"], secret=b"s", sealer=sealer))

    @rule(node=NODES, grant=given)
    def the_target_refuses_it(self, node: int, grant: GrantId) -> None:
        self.do(give_up_provisioning(self.offices[node], grant=grant, problem="no"))

    @rule(target=asked, node=NODES, grant=given, person=PEOPLE, own=st.booleans(), seconds=SECONDS)
    def somebody_asks_for_more_time(self, node: int, grant: GrantId, person: PersonId, own: bool, seconds: int) -> Any:
        person = self.grant(grant).created.person if own else person
        duration = timedelta(seconds=seconds)
        outcome = self.do(
            extend(self.offices[node], grant=grant, person=person, duration=duration, reason="more", source=SOURCE)
        )
        return outcome.id if isinstance(outcome, Request) else multiple()

    @rule(node=NODES, grant=given)
    def the_target_takes_the_new_end(self, node: int, grant: GrantId) -> None:
        self.run(confirm_prolonged(self.offices[node], grant=grant, until=self.grant(grant).end, observed=["x"]))

    @rule(target=asked, grant=given, seconds=st.sampled_from([60, 600]))
    def more_time_is_given(self, grant: GrantId, seconds: int) -> Any:
        request = self.somebody_asks_for_more_time(0, grant, ALICE, True, seconds)
        if isinstance(request, str):
            self.all_who_may_approve_do(1, RequestId(request))
        return request

    @rule(target=asked, grant=given, approver=PEOPLE)
    def more_time_is_approved_when_it_is_over(self, grant: GrantId, approver: PersonId) -> Any:
        request = self.somebody_asks_for_more_time(0, grant, ALICE, True, 60)
        if isinstance(request, str):
            left = (self.grant(grant).end - self.now()).total_seconds()
            self.run(asyncio.sleep(max(0.0, left)))
            self.somebody_approves(1, RequestId(request), approver, True)
        return request

    # Ending

    def ended_alone(self, grant: GrantId, ends: Coroutine[Any, Any, Grant | Refusal]) -> None:
        """Whatever ends one access leaves every other as it was."""
        seen = len(self.ledger.entries)
        self.do(ends)
        streams = {one.stream for one in self.ledger.entries[seen:]}
        assert streams <= {f"grant/{grant}", "attempts"}

    @rule(node=NODES, grant=given, person=PEOPLE)
    def somebody_revokes(self, node: int, grant: GrantId, person: PersonId) -> None:
        self.ended_alone(grant, revoke(self.offices[node], grant=grant, person=person, source=SOURCE))

    @rule(node=NODES, grant=given, person=PEOPLE, own=st.booleans())
    def somebody_ends_early(self, node: int, grant: GrantId, person: PersonId, own: bool) -> None:
        person = self.grant(grant).created.person if own else person
        self.ended_alone(grant, end_early(self.offices[node], grant=grant, person=person, source=SOURCE))

    @rule(node=NODES, grant=given, left=st.sampled_from([0, 0, 1]))
    def removal_is_read_back(self, node: int, grant: GrantId, left: int) -> None:
        try:
            self.run(
                confirm_removed(
                    self.offices[node], grant=grant, role_present=False, sessions_present=left, sessions_terminated=0
                )
            )
        except SojournError as error:
            assert error.code is Code.GRANT_NOT_READY
            self.refused[error.code] += 1

    @rule(node=NODES, person=PEOPLE, by=ADMINISTRATORS)
    def somebody_leaves(self, node: int, person: PersonId, by: PersonId) -> None:
        self.do(leave(self.offices[node], person=person, by=by, reason="left", source=SOURCE))

    @rule(node=NODES, person=PEOPLE, by=ADMINISTRATORS)
    def somebody_rejoins(self, node: int, person: PersonId, by: PersonId) -> None:
        self.do(come_back(self.offices[node], person=person, by=by, reason="back", source=SOURCE))

    # Looking back

    def over(self, grant: GrantId) -> None:
        """Let the holder end it, and take it away."""
        self.somebody_ends_early(0, grant, ALICE, True)
        self.time_does_its_work(1)
        self.removal_is_read_back(1, grant, 0)

    @rule(grant=given)
    def a_used_access_is_over_and_to_be_reviewed(self, grant: GrantId) -> None:
        self.over(grant)
        now = self.now()
        self.run(open_review(self.offices[0], grant=grant, ended_at=now, used=True))

    @rule(grant=given, asker=ASKERS)
    def a_review_is_overdue(self, grant: GrantId, asker: PersonId) -> None:
        self.a_used_access_is_over_and_to_be_reviewed(grant)
        self.run(asyncio.sleep(4 * 86400))
        self.time_does_its_work(0)
        self.ask(self.offices[1], asker, READ, 60, None)

    @rule(grant=given)
    def everybody_tries_to_conclude_a_review(self, grant: GrantId) -> None:
        for person in (ALICE, BOB, DAVE, ROBOT, CAROL, FRANK, ERIN):
            self.somebody_concludes_a_review(0, grant, person, ReviewOutcome.APPROPRIATE, "")

    @rule(node=NODES, grant=given, person=PEOPLE, question=st.booleans())
    def somebody_says_something_in_a_review(self, node: int, grant: GrantId, person: PersonId, question: bool) -> None:
        self.do(note(self.offices[node], grant=grant, person=person, text="?", source=SOURCE, question=question))

    @rule(
        node=NODES,
        grant=given,
        person=PEOPLE,
        outcome=st.sampled_from(ReviewOutcome),
        remark=st.sampled_from(["", "x"]),
    )
    def somebody_concludes_a_review(
        self, node: int, grant: GrantId, person: PersonId, outcome: ReviewOutcome, remark: str
    ) -> None:
        self.do(
            conclude(
                self.offices[node],
                grant=grant,
                person=person,
                outcome=outcome,
                answers=YES,
                remark=remark,
                seen=(1, 1, 0),
                source=SOURCE,
            )
        )

    @rule(target=campaigns, node=NODES, person=ADMINISTRATORS, second=PEOPLE, seconds=st.sampled_from([600, 86400]))
    def somebody_begins_a_campaign(self, node: int, person: PersonId, second: PersonId, seconds: int) -> Any:
        due = self.now() + timedelta(seconds=seconds)
        outcome = self.do(
            open_campaign(
                self.offices[node], title="all", person=person, reviewers=(CAROL, second), due=due, source=SOURCE
            )
        )
        return outcome.id if isinstance(outcome, Campaign) else multiple()

    @rule(node=NODES, campaign=campaigns, number=st.integers(1, 12), person=PEOPLE, keep=st.booleans())
    def somebody_certifies(self, node: int, campaign: CampaignId, number: int, person: PersonId, keep: bool) -> None:
        self.do(
            decide_item(
                self.offices[node],
                campaign=campaign,
                number=number,
                person=person,
                keep=keep,
                comment="",
                source=SOURCE,
            )
        )

    @rule(campaign=campaigns, keep=st.booleans())
    def a_reviewer_certifies_everything(self, campaign: CampaignId, keep: bool) -> None:
        for number in range(1, 13):
            self.somebody_certifies(0, campaign, number, CAROL, keep)
        self.time_does_its_work(1)

    @rule(campaign=campaigns)
    def nobody_says_anything_in_time(self, campaign: CampaignId) -> None:
        self.run(asyncio.sleep(86400))
        self.time_does_its_work(0)

    # The rules themselves

    @rule(target=changes, node=NODES, person=ADMINISTRATORS, catalogue=CONFIGURATIONS)
    def somebody_proposes_other_rules(self, node: int, person: PersonId, catalogue: Catalogue) -> Any:
        outcome = self.do(
            propose(self.offices[node], person=person, catalogue=catalogue, files={}, reason="because", source=SOURCE)
        )
        return outcome.proposed.change if isinstance(outcome, Proposal) else multiple()

    @rule(node=NODES, change=changes, person=ADMINISTRATORS)
    def somebody_approves_other_rules(self, node: int, change: ChangeId, person: PersonId) -> None:
        proposed = [one.event for one in self.ledger.entries if isinstance(one.event, ConfigurationProposed)]
        digest = next(one.digest for one in proposed if one.change == change)
        self.do(
            approve_change(
                self.offices[node],
                attachment=self.ledger.attachment,
                change=change,
                person=person,
                digest=digest,
                source=SOURCE,
            )
        )

    @rule(catalogue=CONFIGURATIONS)
    def the_rules_change(self, catalogue: Catalogue) -> None:
        change = self.somebody_proposes_other_rules(0, ERIN, catalogue)
        if isinstance(change, str):
            self.somebody_approves_other_rules(1, ChangeId(change), EDGAR)

    @rule(node=NODES, change=changes, person=ADMINISTRATORS)
    def somebody_takes_a_proposal_back(self, node: int, change: ChangeId, person: PersonId) -> None:
        self.do(withdraw_change(self.offices[node], change=change, person=person, source=SOURCE))

    @rule(catalogue=CONFIGURATIONS)
    def an_operator_tries_alone(self, catalogue: Catalogue) -> None:
        try:
            self.run(adopt(self.ledger, catalogue=catalogue, files={}, operator="operator"))
        except SojournError as error:
            assert error.code is Code.CHANGE_NEEDS_APPROVAL

    # Time

    @rule(seconds=st.sampled_from([1, 59, 60, 600, 3600, 8 * 3600, 86400, 2 * 86400]))
    def time_passes(self, seconds: int) -> None:
        self.run(asyncio.sleep(seconds))

    @rule(node=NODES)
    def time_does_its_work(self, node: int) -> None:
        office = self.offices[node]
        for stream in sorted({one.stream for one in self.ledger.entries}):
            family, _, name = stream.partition("/")
            if family == "grant":
                self.run(expire_grant(office, GrantId(name)))
                self.run(end_for_leaver(office, GrantId(name)))
            elif family == "request":
                self.run(lapse_request(office, RequestId(name)))
        self.projections.apply(self.ledger.entries[self.projections.following :])
        assert not self.run(tick(office, self.projections, self.views[node].files()))

    # What holds after every step

    @invariant()
    def the_promises_hold(self) -> None:
        self.promises.see(self.ledger.entries[self.promises.seen :])
        assert not self.promises.broken, self.promises.broken
        assert not self.promises.assurance.owed()

    @invariant()
    def every_refusal_is_on_record_exactly_once(self) -> None:
        told = Counter(one.event.code for one in self.ledger.entries if isinstance(one.event, AttemptRefused))
        assert told == self.refused


class CalmTimes(WholeLife):
    """Everybody stays, the rules stay, and nothing is taken away: so accesses, extensions and reviews get far."""

    def somebody_leaves(self, node: int, person: PersonId, by: PersonId) -> None:
        """Nobody does."""

    def somebody_certifies(self, node: int, campaign: CampaignId, number: int, person: PersonId, keep: bool) -> None:
        """There are no campaigns."""

    def somebody_begins_a_campaign(self, node: int, person: PersonId, second: PersonId, seconds: int) -> Any:
        """There are no campaigns."""

    def a_reviewer_certifies_everything(self, campaign: CampaignId, keep: bool) -> None:
        """There are no campaigns."""

    def nobody_says_anything_in_time(self, campaign: CampaignId) -> None:
        """There are no campaigns."""

    def somebody_approves_other_rules(self, node: int, change: ChangeId, person: PersonId) -> None:
        """Nobody does."""

    def somebody_goes_away(self, person: PersonId, delegate: PersonId, begins: int, lasts: int) -> Any:
        """Nobody does."""

    def somebody_is_back(self, absence: AbsenceId, person: PersonId) -> None:
        """Nobody was away."""

    @rule(seconds=st.sampled_from([1, 59, 60, 299]))
    def time_passes(self, seconds: int) -> None:
        self.run(asyncio.sleep(seconds))


EXAMPLES = int(os.environ.get("SOJOURN_SIM_EXAMPLES", "0"))
"""For the long run: so many, and other ones every time. In short the same ones every time."""

LIMITS = settings(
    max_examples=EXAMPLES or 30,
    derandomize=not EXAMPLES,
    stateful_step_count=50,
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
    report_multiple_bugs=False,
)

TestWholeLife = WholeLife.TestCase
TestWholeLife.settings = LIMITS
TestCalmTimes = CalmTimes.TestCase
TestCalmTimes.settings = LIMITS
