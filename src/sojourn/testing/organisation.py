"""A small organisation to try things on: a handful of people, one shop database, two rules; and an office at work.

- alice and dave ask; bob and carol lead and decide; erin administers; frank audits.
- `read` takes one approval by a lead for up to an hour; `amend` takes two for up to half an hour.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta

from sojourn.domain import standing as standings
from sojourn.domain.catalogue import Adopted, Catalogue
from sojourn.domain.events import AttemptRefused
from sojourn.domain.history import Recorded
from sojourn.domain.identifiers import STANDING, PersonId, RoleName, RuleName, TargetName, TeamName
from sojourn.domain.people import Person, Team
from sojourn.domain.policy import People, Rule
from sojourn.domain.standing import NOTHING_SAID
from sojourn.domain.target import Privilege, Role, Target, TargetKind, Verb
from sojourn.workflow.adopt import adopt
from sojourn.workflow.ports import Office

from .clock import SimulatedClock
from .identifiers import CountedIds
from .ledger import MemoryLedger
from .sealer import FixedSealer

ALICE, BOB, CAROL, DAVE, ERIN, FRANK = (PersonId(one) for one in ("alice", "bob", "carol", "dave", "erin", "frank"))
ENGINEERS, LEADS = TeamName("engineers"), TeamName("leads")
SHOP = TargetName("shop")
READ, AMEND = RoleName("read"), RoleName("amend")

CATALOGUE = Catalogue(
    people=(
        Person(id=ALICE, name="Alice"),
        Person(id=BOB, name="Bob"),
        Person(id=CAROL, name="Carol"),
        Person(id=DAVE, name="Dave"),
        Person(id=ERIN, name="Erin", administrator=True),
        Person(id=FRANK, name="Frank", auditor=True),
    ),
    teams=(
        Team(name=ENGINEERS, members=(ALICE, BOB, CAROL, DAVE)),
        Team(name=LEADS, members=(BOB, CAROL)),
    ),
    targets=(
        Target(
            name=SHOP,
            kind=TargetKind.POSTGRES,
            host="shop.example",
            port=5432,
            database="shop",
            administrator="sojourn",
            administrator_secret="shop",
            roles=(
                Role(name=READ, privileges=(Privilege(schema="shop", verbs=(Verb.SELECT,)),)),
                Role(
                    name=AMEND,
                    privileges=(
                        Privilege(schema="shop", verbs=(Verb.UPDATE,), names=("orders",), columns=("status",)),
                    ),
                ),
            ),
        ),
    ),
    rules=(
        Rule(
            name=RuleName("reading"),
            who=People(teams=(ENGINEERS,)),
            targets=(SHOP,),
            roles=(READ,),
            longest=timedelta(hours=1),
            approvers=People(teams=(LEADS,)),
        ),
        Rule(
            name=RuleName("amending"),
            who=People(teams=(ENGINEERS,)),
            targets=(SHOP,),
            roles=(AMEND,),
            longest=timedelta(minutes=30),
            approvers=People(teams=(LEADS,)),
            approvals=2,
        ),
    ),
)


def adopted(catalogue: Catalogue = CATALOGUE) -> Adopted:
    """The catalogue as if it were in force."""
    return Adopted(catalogue=catalogue, version=1, digest="d" * 64)


def without(catalogue: Catalogue, person: PersonId) -> Catalogue:
    """The catalogue after `person` has left: in no list and no team."""
    return replace(
        catalogue,
        people=tuple(one for one in catalogue.people if one.id != person),
        teams=tuple(
            replace(team, members=tuple(one for one in team.members if one != person)) for team in catalogue.teams
        ),
    )


def with_rules(catalogue: Catalogue, *rules: Rule) -> Catalogue:
    """The catalogue with these rules in the place of its own."""
    return replace(catalogue, rules=rules)


@dataclass(slots=True)
class Workplace:
    """An office over a ledger in memory, with the catalogue in force and every one that ever was."""

    clock: SimulatedClock
    ledger: MemoryLedger
    office: Office
    adopted: list[Adopted] = field(default_factory=list)
    _composed: tuple[tuple[int, int], Adopted] | None = None

    @classmethod
    async def open(cls, catalogue: Catalogue = CATALOGUE) -> Workplace:
        """A workplace where `catalogue` has just come into force."""
        clock = SimulatedClock()
        ledger = MemoryLedger(clock)
        put: list[Adopted] = []
        office = Office(
            ledger=ledger,
            sealer=FixedSealer(),
            clock=clock,
            new_id=CountedIds(),
            in_force=lambda: place.in_force(),
        )
        place = cls(clock=clock, ledger=ledger, office=office, adopted=put)
        await place.reconfigure(catalogue)
        return place

    async def reconfigure(self, catalogue: Catalogue) -> Adopted:
        """Put another catalogue in force."""
        now = await adopt(self.ledger, catalogue=catalogue, files={}, operator="operator")
        self.adopted.append(now)
        return now

    def in_force(self) -> Adopted:
        """The configuration adopted last, under the standing that is on record."""
        entries = self.entries(STANDING)
        version = (self.adopted[-1].version, len(entries))
        if self._composed is None or self._composed[0] != version:
            standing = NOTHING_SAID
            for recorded in entries:
                standing = standings.evolve(standing, recorded.event)
            self._composed = (version, self.adopted[-1].under(standing))
        return self._composed[1]

    def attempts(self) -> tuple[AttemptRefused, ...]:
        """Every refused attempt on record, in order."""
        return tuple(one.event for one in self.ledger.entries if isinstance(one.event, AttemptRefused))

    def entries(self, stream: str) -> tuple[Recorded, ...]:
        """What one stream holds."""
        return tuple(one for one in self.ledger.entries if one.stream == stream)

    def kinds(self, stream: str) -> tuple[str, ...]:
        """The kinds of what one stream holds, in order."""
        return tuple(one.event.kind for one in self.entries(stream))
