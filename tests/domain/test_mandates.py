"""Auditors of other houses: let in by two people, for what their mandate covers, and not a moment longer."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sojourn.domain.catalogue import Catalogue
from sojourn.domain.change import lets_in
from sojourn.domain.identifiers import PersonId, TargetName
from sojourn.domain.people import Mandate, Person
from sojourn.errors import Code, SojournError
from sojourn.testing.clock import SimulatedClock
from sojourn.testing.ledger import MemoryLedger
from sojourn.testing.organisation import CATALOGUE
from sojourn.workflow.adopt import adopt

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=30)
SHOP, BANK = TargetName("shop"), TargetName("bank")


def _with(mandate: Mandate | None) -> Catalogue:
    outside = Person(id=PersonId("outside"), name="Olga", mandate=mandate)
    return replace(CATALOGUE, people=(*CATALOGUE.people, outside))


@pytest.mark.parametrize(
    ("mandate", "now", "target", "may"),
    [
        (None, NOW, None, False),
        (Mandate(until=LATER), NOW, "bank", True),
        (Mandate(until=LATER), LATER, "bank", False),
        (Mandate(until=LATER), LATER - timedelta(microseconds=1), None, True),
        (Mandate(until=LATER, targets=(SHOP,)), NOW, "shop", True),
        (Mandate(until=LATER, targets=(SHOP,)), NOW, "bank", False),
        (Mandate(until=LATER, targets=(SHOP,)), NOW, None, True),
    ],
    ids=["none", "everything", "at-its-end", "just-before", "in-scope", "out-of-scope", "anything"],
)
def test_a_mandate_covers_its_targets_until_its_end(
    mandate: Mandate | None, now: datetime, target: str | None, may: bool
) -> None:
    assert Person(id=PersonId("outside"), name="Olga", mandate=mandate).may_audit(now, target) is may


def test_an_auditor_of_the_house_may_audit_everything_without_a_mandate() -> None:
    assert Person(id=PersonId("dora"), name="Dora", auditor=True).may_audit(NOW, "bank")


@pytest.mark.parametrize(
    ("before", "after", "in_"),
    [
        (None, Mandate(until=NOW), True),
        (Mandate(until=NOW), None, False),
        (Mandate(until=NOW), Mandate(until=NOW), False),
        (Mandate(until=NOW), Mandate(until=LATER), True),
        (Mandate(until=LATER), Mandate(until=NOW), False),
        (Mandate(until=NOW, targets=(SHOP,)), Mandate(until=NOW), True),
        (Mandate(until=NOW), Mandate(until=NOW, targets=(SHOP,)), False),
        (Mandate(until=NOW, targets=(SHOP,)), Mandate(until=NOW, targets=(BANK,)), True),
        (Mandate(until=NOW, targets=(SHOP, BANK)), Mandate(until=NOW, targets=(BANK,)), False),
    ],
    ids=["new", "gone", "same", "longer", "shorter", "all", "some", "others", "fewer"],
)
def test_whoever_is_let_in_for_more_than_before_is_named(
    before: Mandate | None, after: Mandate | None, in_: bool
) -> None:
    assert lets_in(_with(before), _with(after)) == ("outside" if in_ else "")
    assert lets_in(None, _with(after)) == ("outside" if after is not None else "")


def test_an_administrator_becomes_no_auditor_by_one_person_alone() -> None:
    administrator = Person(id=PersonId("carol"), name="Carol", administrator=True)
    auditor = Person(id=PersonId("carol"), name="Carol", auditor=True)
    someone = Person(id=PersonId("carol"), name="Carol")

    def catalogue(one: Person) -> Catalogue:
        return replace(_with(None), people=(one,))

    assert lets_in(catalogue(administrator), catalogue(auditor)) == "carol"
    assert lets_in(catalogue(administrator), catalogue(administrator)) == ""
    assert lets_in(catalogue(someone), catalogue(auditor)) == ""
    assert lets_in(None, catalogue(auditor)) == ""


async def test_an_operator_alone_lets_nobody_in_from_outside() -> None:
    ledger = MemoryLedger(clock=SimulatedClock())
    with pytest.raises(SojournError) as refused:
        await adopt(ledger, catalogue=_with(Mandate(until=LATER)), files={}, operator="root")
    assert refused.value.code is Code.CHANGE_LETS_IN and ledger.entries == []
    await adopt(ledger, catalogue=_with(None), files={}, operator="root")
    size = len(ledger.entries)
    with pytest.raises(SojournError) as refused:
        await adopt(ledger, catalogue=_with(Mandate(until=LATER)), files={"people.yaml": b"x"}, operator="root")
    assert refused.value.code in (Code.CHANGE_LETS_IN, Code.CHANGE_NEEDS_APPROVAL) and len(ledger.entries) == size
