"""Nobody makes themselves an auditor or an administrator: it takes a second administrator, or an operator on record."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sojourn.domain.catalogue import Catalogue
from sojourn.domain.change import Proposal
from sojourn.domain.events import ConfigurationAdopted
from sojourn.domain.identifiers import CONFIGURATION, PersonId
from sojourn.errors import Code, Refusal, SojournError
from sojourn.testing.organisation import ALICE, CATALOGUE, DAVE, ERIN, Workplace
from sojourn.workflow.adopt import adopt
from sojourn.workflow.change import approve_change, propose


def _with(catalogue: Catalogue, *people: PersonId, **offices: Any) -> Catalogue:
    changed = tuple(replace(one, **offices) if one.id in people else one for one in catalogue.people)
    return replace(catalogue, people=changed)


TWO = _with(CATALOGUE, DAVE, administrator=True)
"""erin and dave administer."""


async def _proposed(place: Workplace, catalogue: Catalogue) -> Proposal:
    made = await propose(
        place.office, person=ERIN, catalogue=catalogue, files={}, reason="I audit as well", source="here"
    )
    assert not isinstance(made, Refusal)
    return made


async def _approve(place: Workplace, made: Proposal, person: PersonId) -> Proposal | Refusal:
    return await approve_change(
        place.office,
        attachment=place.ledger.attachment,
        change=made.proposed.change,
        person=person,
        digest=made.proposed.digest,
        source="here",
    )


@pytest.mark.parametrize(
    ("person", "offices"),
    [(ERIN, {"auditor": True}), (ALICE, {"auditor": True}), (ALICE, {"administrator": True})],
    ids=["oneself", "somebody", "another_administrator"],
)
async def test_no_administrator_gives_an_office_alone(person: PersonId, offices: dict[str, Any]) -> None:
    place = await Workplace.open(TWO)
    made = await _proposed(place, _with(TWO, person, **offices))
    before = place.entries(CONFIGURATION)
    refused = await _approve(place, made, ERIN)
    assert isinstance(refused, Refusal) and refused.code is Code.CHANGE_SELF
    assert place.entries(CONFIGURATION) == before
    assert not isinstance(await _approve(place, made, DAVE), Refusal)
    last = place.entries(CONFIGURATION)[-1].event
    assert isinstance(last, ConfigurationAdopted)
    assert (last.proposed_by, last.approved_by, last.operator) == (ERIN, DAVE, "")


async def test_an_operator_gives_no_office_alone_once_two_administer() -> None:
    place = await Workplace.open(TWO)
    with pytest.raises(SojournError) as raised:
        await adopt(place.ledger, catalogue=_with(TWO, ERIN, auditor=True), files={}, operator="operator:root")
    assert raised.value.code is Code.CHANGE_NEEDS_APPROVAL


async def test_as_long_as_one_administers_the_record_names_the_operator_who_gave_it() -> None:
    place = await Workplace.open(CATALOGUE)
    await adopt(place.ledger, catalogue=_with(CATALOGUE, ALICE, auditor=True), files={}, operator="operator:root")
    last = place.entries(CONFIGURATION)[-1].event
    assert isinstance(last, ConfigurationAdopted)
    assert last.operator == "operator:root"


async def test_no_group_of_a_provider_gives_an_office() -> None:
    from sojourn.identity.single_sign_on import sign_in
    from sojourn.settings import OidcSettings

    teams = tuple(replace(team, groups=("auditors", "administrators")) for team in CATALOGUE.teams)
    place = await Workplace.open(replace(CATALOGUE, teams=teams))
    claims = {"sub": "u-1", "preferred_username": "alice", "groups": ["auditors", "administrators"]}
    assert await sign_in(place.office, OidcSettings(issuer="https://id.example"), claims, source="here") == ALICE
    known = place.in_force().catalogue.person(ALICE)
    assert known is not None and not known.auditor and not known.administrator
