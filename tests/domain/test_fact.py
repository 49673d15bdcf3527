"""Facts: who may tell what, and what is known of a request at a moment."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.domain.events import FactTold, FactWithdrawn, Shift
from sojourn.domain.fact import LIFE_MAX, Tell, Told, Unsay, assemble, decide
from sojourn.domain.identifiers import PersonId, RoleName, RuleName
from sojourn.domain.people import FactKind, Person, PersonKind
from sojourn.domain.policy import NO_FACTS, Exclusion, Facts, People, Question, Rule, When, judge, lacking
from sojourn.domain.policy.terms import Terms, TicketRequirement
from sojourn.domain.window import Window
from sojourn.errors import Code, Refusal
from sojourn.testing.organisation import ALICE, BOB, CAROL, CATALOGUE, DAVE, ENGINEERS, LEADS, READ, SHOP, with_rules

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
PAGER, TRACKER = PersonId("pager"), PersonId("tracker")
WORLD = replace(
    CATALOGUE,
    people=(
        *CATALOGUE.people,
        Person(
            id=PAGER,
            name="Pager",
            kind=PersonKind.SERVICE,
            owner=CAROL,
            tells=(FactKind.ON_CALL, FactKind.INCIDENT, FactKind.DEPLOYMENT),
        ),
        Person(id=TRACKER, name="Tracker", kind=PersonKind.SERVICE, owner=ALICE, tells=(FactKind.TICKET,)),
    ),
)


def _shift(person: PersonId, start: timedelta, end: timedelta) -> Shift:
    return Shift(person=person, window=Window(start=NOW + start, end=NOW + end))


def _incident(**changed: object) -> Tell:
    told = Tell(
        fact=FactKind.INCIDENT,
        subject="INC-1",
        person=PAGER,
        until=NOW + HOUR,
        origin="pager",
        source="here",
        state="open",
    )
    return replace(told, **changed)  # type: ignore[arg-type]


def _told(command: Tell, seq: int = 1, at: datetime = NOW) -> Told:
    event = decide(WORLD, command, at)
    assert isinstance(event, FactTold), event
    return Told(fact=event, seq=seq)


def _known(declared: Facts, *told: Told, now: datetime = NOW, person: PersonId = ALICE) -> Facts:
    accounts = WORLD.policy().accounts.get(person, frozenset((person,)))
    return assemble(declared, told, accounts=accounts, target=SHOP, now=now)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"person": PersonId("nobody")}, Code.PERSON_UNKNOWN),
        ({"person": ALICE}, Code.FACT_NOT_ENTITLED),
        ({"person": TRACKER}, Code.FACT_NOT_ENTITLED),
        ({"subject": ""}, Code.FACT_INVALID),
        ({"subject": "a/b"}, Code.FACT_INVALID),
        ({"subject": "a#b"}, Code.FACT_INVALID),
        ({"subject": "x" * 65}, Code.FACT_INVALID),
        ({"until": NOW}, Code.FACT_INVALID),
        ({"until": NOW + LIFE_MAX + timedelta(seconds=1)}, Code.FACT_INVALID),
        ({"origin": ""}, Code.FACT_INVALID),
        ({"origin": "x" * 201}, Code.FACT_INVALID),
        ({"state": "Open"}, Code.FACT_INVALID),
        ({"state": ""}, Code.FACT_INVALID),
        ({"people": (ALICE,)}, Code.FACT_INVALID),
        ({"fact": FactKind.ON_CALL}, Code.FACT_INVALID),
        ({"fact": FactKind.DEPLOYMENT, "state": "", "people": (ALICE,)}, Code.FACT_INVALID),
        (
            {"fact": FactKind.DEPLOYMENT, "subject": SHOP, "state": "", "people": (PersonId("nobody"),)},
            Code.PERSON_UNKNOWN,
        ),
    ],
)
def test_what_cannot_be_told_is_refused_with_its_reason(changed: dict[str, object], code: Code) -> None:
    refusal = decide(WORLD, _incident(**changed), NOW)
    assert isinstance(refusal, Refusal) and refusal.code is code


def test_who_may_tell_a_fact_may_take_it_back_and_nobody_else() -> None:
    unsay = Unsay(fact=FactKind.INCIDENT, subject="INC-1", person=PAGER, source="here")
    assert isinstance(decide(WORLD, unsay, NOW), FactWithdrawn)
    refusal = decide(WORLD, replace(unsay, person=BOB), NOW)
    assert isinstance(refusal, Refusal) and refusal.code is Code.FACT_NOT_ENTITLED


def test_an_incident_counts_only_while_it_is_on_record_as_open() -> None:
    named = Facts(incident_named="INC-1")
    assert _known(named).incident == ""
    assert _known(named, _told(_incident())).incident == "INC-1"
    assert _known(named, _told(_incident(state="resolved"))).incident == ""
    assert _known(named, _told(_incident()), now=NOW + HOUR).incident == ""
    assert _known(Facts(incident_named="INC-2"), _told(_incident())).incident == ""
    assert _known(NO_FACTS, _told(_incident())).incident == ""


@given(st.integers(-120, 120), st.integers(-60, 60), st.integers(1, 60), st.integers(1, 120))
def test_somebody_is_on_call_exactly_within_a_shift_and_while_the_schedule_counts(
    at: int, start: int, length: int, life: int
) -> None:
    shift = _shift(DAVE, timedelta(minutes=start), timedelta(minutes=start + length))
    told = _told(
        _incident(fact=FactKind.ON_CALL, subject="primary", state="", shifts=(shift,), until=NOW + life * HOUR / 60)
    )
    now = NOW + timedelta(minutes=at)
    known = _known(NO_FACTS, told, now=now)
    assert (DAVE in known.on_call) is (start <= at < start + length and at < life)
    assert known.schedules == (("primary",) if at < life else ())


def test_kind_state_and_executors_of_a_ticket_come_from_the_record() -> None:
    told = _told(
        _incident(fact=FactKind.TICKET, subject="C-7", person=TRACKER, sort="change", state="approved", people=(DAVE,)),
        seq=9,
    )
    known = _known(Facts(ticket_named="C-7"), told, person=DAVE)
    assert known.ticket is not None
    assert (known.ticket.id, known.ticket.kind, known.ticket.state) == ("C-7", "change", "approved")
    assert known.executing == (DAVE,) and known.entries == (9,)


def test_nobody_rests_on_what_they_told_themselves_by_whatever_account() -> None:
    """carol answers for the pager and alice for the tracker: for them nothing is told."""
    assert _known(Facts(incident_named="INC-1"), _told(_incident()), person=CAROL).incident == ""
    ticket = _told(_incident(fact=FactKind.TICKET, subject="C-7", person=TRACKER, sort="change", state="approved"))
    assert _known(Facts(ticket_named="C-7"), ticket, person=ALICE).ticket is None
    assert _known(Facts(ticket_named="C-7"), ticket, person=BOB).ticket is not None


def _terms(rule: Rule, facts: Facts) -> Terms | Refusal:
    question = Question(person=ALICE, target=SHOP, role=READ, duration=HOUR, moment=NOW, facts=facts)
    terms = judge(with_rules(WORLD, rule).policy(), question)
    return terms if isinstance(terms, Refusal) else lacking(terms, question) or terms


RULE = Rule(
    name=RuleName("work"),
    who=People(teams=(ENGINEERS,)),
    targets=(SHOP,),
    roles=(RoleName(READ),),
    longest=HOUR,
    approvers=People(teams=(LEADS,)),
)


@pytest.mark.parametrize(
    ("rule", "declared", "code", "said"),
    [
        (replace(RULE, when=When(on_call=True)), NO_FACTS, Code.POLICY_NO_RULE, "not on call by any schedule"),
        (
            replace(RULE, when=When(incident=True)),
            Facts(incident_named="INC-1"),
            Code.POLICY_NO_RULE,
            "INC-1 is not on record as open",
        ),
        (
            replace(RULE, ticket=TicketRequirement(kinds=("change",))),
            Facts(ticket_named="C-7"),
            Code.REQUEST_REQUIREMENT_MISSING,
            "C-7, of which nothing is on record",
        ),
        (replace(RULE, excluded=(Exclusion.DEPLOYER,)), NO_FACTS, Code.POLICY_FACT_MISSING, "who deployed"),
    ],
    ids=["on call", "incident", "ticket", "deployment"],
)
def test_a_fact_that_nobody_has_told_fails_the_condition_and_is_named(
    rule: Rule, declared: Facts, code: Code, said: str
) -> None:
    refusal = _terms(rule, _known(declared))
    assert isinstance(refusal, Refusal) and refusal.code is code
    assert said in refusal.sentence


def test_who_deployed_what_runs_there_does_not_decide() -> None:
    rule = replace(RULE, excluded=(Exclusion.DEPLOYER,))
    told = _told(_incident(fact=FactKind.DEPLOYMENT, subject=SHOP, state="", people=(BOB,)))
    terms = _terms(rule, _known(NO_FACTS, told))
    assert isinstance(terms, Terms) and terms.approvers == (CAROL,)
