"""What belongs to an access besides its own streams comes into its evidence, and nothing of others does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from sojourn.domain.events import (
    AbsenceDeclared,
    ApprovalWithdrawn,
    BreakGlassUsed,
    Event,
    FactTold,
    GrantExtended,
    RequestApproved,
    RequestSubmitted,
    ReviewConcluded,
    ReviewOutcome,
)
from sojourn.domain.history import Change, Recorded
from sojourn.domain.identifiers import (
    STANDING,
    AbsenceId,
    GrantId,
    PersonId,
    RequestId,
    StreamName,
    fact_stream,
    grant_stream,
    request_stream,
    review_stream,
)
from sojourn.domain.people import FactKind
from sojourn.domain.window import Window
from sojourn.evidence.circumstances import besides, entries_besides, streams_besides
from sojourn.testing.ledger import MemoryLedger
from sojourn.testing.organisation import ALICE, BOB, CAROL, DAVE, READ, SHOP, Workplace
from sojourn.workflow.approve import approve
from sojourn.workflow.submit import submit

GRANT = GrantId("g-1")


@dataclass
class _Raw:
    """Reads a ledger in memory as if its entries were bytes: each is its place."""

    ledger: MemoryLedger

    async def raw_stream(self, stream: StreamName) -> tuple[bytes, ...]:
        return tuple(str(one.seq).encode() for one in self.ledger.entries if one.stream == stream)

    async def raw(self, places: Sequence[int]) -> tuple[bytes, ...]:
        return tuple(str(place).encode() for place in places)

    def read(self, data: bytes) -> Recorded:
        return self.ledger.entries[int(data)]


async def _story() -> tuple[_Raw, list[Recorded], RequestId]:
    """alice asks twice; carol is away, and bob decides for her; the first is extended by the second, and reviewed."""
    place = await Workplace.open()
    ledger, now, requests = place.ledger, place.clock.now(), []

    async def tell(stream: StreamName, event: Event) -> None:
        await ledger.append([Change(stream=stream, event=event, seen=None)])

    incident = FactTold(
        fact=FactKind.INCIDENT, subject="I-1", told_by=DAVE, until=now, origin="pager", source="t", state="open"
    )
    await tell(fact_stream("incident/I-1"), incident)
    seen = len(ledger.entries) - 1
    for person in (CAROL, DAVE):
        window = Window(start=now, end=now + timedelta(days=1))
        away = AbsenceDeclared(absence=AbsenceId("a"), person=person, window=window, delegate=BOB, source="t")
        await tell(STANDING, away)
    for _ in range(2):
        request = await submit(
            place.office, person=ALICE, target=SHOP, role=READ, duration=timedelta(minutes=5), reason="x", source="t"
        )
        requests.append(request.id)  # type: ignore[union-attr]
        digest = request.submitted.digest  # type: ignore[union-attr]
        await approve(place.office, request=requests[-1], person=BOB, digest=digest, source="t")
    extended = GrantExtended(
        grant=GRANT,
        request=requests[1],
        since=now,
        until=now + timedelta(minutes=5),
        configuration_version=1,
    )
    await tell(grant_stream(GRANT), extended)
    concluded = ReviewConcluded(
        grant=GRANT,
        person=DAVE,
        outcome=ReviewOutcome.APPROPRIATE,
        answers=("yes",),
        remark=None,
        sessions=1,
        actions=2,
        writes=0,
        source="t",
    )
    await tell(review_stream(GRANT), concluded)
    await tell(review_stream(GrantId("g-2")), replace(concluded, grant=GrantId("g-2")))
    taken = ApprovalWithdrawn(request=requests[0], person=BOB, decide_by=now, source="t")
    await tell(request_stream(requests[0]), taken)
    own = [one for one in ledger.entries if one.stream in (request_stream(requests[0]), grant_stream(GRANT))]
    changed = [_deciding_for_carol(one, seen) for one in own]
    return _Raw(ledger), changed, requests[0]


def _deciding_for_carol(one: Recorded, fact: int) -> Recorded:
    """The approval as one in carol's place, and the request as one that rests on the fact."""
    if isinstance(one.event, RequestApproved):
        return replace(one, event=replace(one.event, on_behalf_of=CAROL))
    if isinstance(one.event, RequestSubmitted):
        return replace(one, event=replace(one.event, facts=replace(one.event.facts, entries=(fact,))))
    return one


async def test_extensions_review_absences_and_facts_of_an_access_are_gathered_and_no_others() -> None:
    raw, own, request = await _story()
    streams = streams_besides(own, GRANT)
    whole = [raw.read(data) for stream in streams for data in await raw.raw_stream(stream)]
    single = [raw.read(data) for data in await entries_besides(raw, raw.read, own, GRANT)]
    assert review_stream(GRANT) in streams and review_stream(GrantId("g-2")) not in streams
    assert {one.event.kind for one in whole} == {"request.submitted", "request.approved", "review.concluded"}
    people = [one.event.person for one in single if isinstance(one.event, AbsenceDeclared)]
    assert people == [CAROL], "dave is away too, and nobody decided for him"
    assert [one.event.kind for one in single if not isinstance(one.event, AbsenceDeclared)] == ["fact.told"]
    story = besides(sorted([*own, *whole, *single], key=lambda one: one.seq), request, lambda sealed: None)
    assert [one["what"] for one in story["extensions"]] == ["asked for", "approved", "the end moved"]
    assert [one["what"] for one in story["review"]] == ["concluded"]
    assert [one["what"] for one in story["taken_back"]] == ["approval taken back"]
    assert [one["what"] for one in story["facts"]] == ["incident I-1"]
    assert "decided for by bob" in str(story["absences"][0]["text"])


async def test_break_glass_of_another_access_of_the_same_person_is_left_out() -> None:
    place = await Workplace.open()
    now = place.clock.now()
    used = BreakGlassUsed(
        person=PersonId("alice"),
        request=RequestId("r-1"),
        grant=GrantId("g-2"),
        told=(BOB,),
        taken_at=now,
        confirmed_at=now,
        uses=1,
        per=timedelta(days=1),
    )
    await place.ledger.append([Change(stream=STANDING, event=used, seen=None)])
    raw = _Raw(place.ledger)
    assert await entries_besides(raw, raw.read, [], GRANT) == []
    assert len(await entries_besides(raw, raw.read, [], GrantId("g-2"))) == 1
