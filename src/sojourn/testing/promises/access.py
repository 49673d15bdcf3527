"""The promises about requests and grants."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sojourn.domain.events import (
    BreakGlassUsed,
    GrantCreated,
    GrantEnded,
    GrantExtended,
    GrantLeased,
    GrantProlonged,
    GrantProvisioned,
    GrantRemovalFailed,
    GrantRemovalOverdue,
    GrantRemoved,
    RequestActivated,
    RequestApproved,
    RequestDenied,
    RequestExpired,
    RequestRevised,
    RequestSubmitted,
    RequestWithdrawn,
)
from sojourn.domain.history import Recorded

from .company import Company, Seats, filled

LESS_CAN_HAPPEN = (GrantLeased, GrantRemovalFailed, GrantRemovalOverdue, GrantRemoved)
"""All that can still happen to a grant that has ended."""


@dataclass(slots=True)
class Asked:
    """A request, as far as the promises need it. `approvals` are (place, person) of the present content."""

    content: RequestSubmitted
    due: datetime
    state: str = "pending"
    approvals: list[tuple[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class Given:
    """A grant, as far as the promises need it."""

    created: GrantCreated
    end: datetime
    provisioned: bool = False
    ended: bool = False
    removed: bool = False
    lease: GrantLeased | None = None


@dataclass(slots=True)
class Accesses:
    """Every request and grant, at the place in the ledger that was reached."""

    company: Company
    slack: timedelta
    requests: dict[str, Asked] = field(default_factory=dict)
    grants: dict[str, Given] = field(default_factory=dict)
    glass: dict[str, list[BreakGlassUsed]] = field(default_factory=dict)

    def told(self, recorded: Recorded) -> Iterator[str]:
        """Take note of an entry; gives what is wrong with it."""
        family, _, name = recorded.stream.partition("/")
        if family == "request":
            yield from self._request(recorded, name)
        elif family == "grant":
            yield from self._grant(recorded, name)
        elif isinstance(recorded.event, BreakGlassUsed):
            yield from self._glass(recorded.event, recorded.at)

    def _late(self, at: datetime, limit: datetime) -> bool:
        return at >= limit + self.slack

    # Requests

    def _request(self, recorded: Recorded, name: str) -> Iterator[str]:
        event, asked = recorded.event, self.requests.get(name)
        match event:
            case RequestSubmitted():
                if asked is not None:
                    yield "one request in the place of another"
                self.requests[name] = Asked(event, event.decide_by, "pending" if event.groups else "approved")
                yield from self._new(event)
                return
            case _ if asked is None:
                yield "a story that begins with no request"
                return
            case RequestRevised():
                yield from self._revised(asked, event, recorded.at)
            case RequestApproved() | RequestDenied():
                yield from self._judged(asked, event, recorded.at)
            case RequestWithdrawn() | RequestExpired():
                if asked.state not in ("pending", "approved"):
                    yield f"it was {asked.state} already"
                asked.state = "closed"
            case RequestActivated():
                yield from self._spent(asked, event, recorded.at)
            case _:
                pass

    def _new(self, content: RequestSubmitted) -> Iterator[str]:
        """What is wrong with asking for this now."""
        company, person = self.company, content.person
        if not company.known(person):
            yield f"{person} is nobody"
        if company.human(person) in company.left:
            yield f"{company.human(person)}, who answers for {person}, has left"
        if content.configuration_version != company.version:
            yield f"decided under version {content.configuration_version}, and {company.version} is in force"
        if (person, content.target, content.role) in company.removed:
            yield f"a certification took this from {person}"
        if company.blocked(person) and not content.break_glass:
            yield f"a review of a team of {person} is overdue"
        if not content.groups and not content.automatic and not content.break_glass:
            yield "nobody has to decide, and no rule says so"
        if company.human(person) in {company.human(one) for group in content.groups for one in group.people}:
            yield f"{person} is among those who decide"

    def _revised(self, asked: Asked, event: RequestRevised, at: datetime) -> Iterator[str]:
        if asked.state not in ("pending", "approved") or self._late(at, asked.due):
            yield f"revised when {asked.state}"
        before, after = asked.content, event.content
        if event.person != before.person and not (
            after.duration <= before.duration and (after.target, after.start) == (before.target, before.start)
        ):
            yield f"{event.person} asks for more in the name of {before.person}"
        if before.digest == after.digest:
            yield "other content under the same digest"
        if after.person != before.person:
            yield "the request of another person"
        asked.content, asked.approvals, asked.due = after, [], after.decide_by
        asked.state = "pending" if after.groups else "approved"
        if event.person == before.person:
            yield from self._new(after)

    def _judged(self, asked: Asked, event: RequestApproved | RequestDenied, at: datetime) -> Iterator[str]:
        company, content = self.company, asked.content
        place = event.on_behalf_of or event.person
        if asked.state != "pending" or self._late(at, asked.due):
            yield f"decided when {asked.state}"
        if event.digest != content.digest:
            yield "decided on something else than what is asked"
        if event.configuration_version != company.version:
            yield f"decided under version {event.configuration_version}, and {company.version} is in force"
        for one in (place, event.person):
            if not company.decides(one) or company.human(one) == company.human(content.person):
                yield f"{one} decides on a request of {content.person}"
        if place != event.person and not self._stood_in(event.person, place, at):
            yield f"{event.person} decides for {place}, who is not away or named somebody else"
        if not any(self._sits(place, seats) for seats in self._grounds(content, at)):
            yield f"{place} is in no group that decides, then and now"
        if isinstance(event, RequestDenied):
            asked.state = "closed"
            return
        if {place, event.person} & {one for pair in asked.approvals for one in pair}:
            yield f"{place} or {event.person} counts twice"
        asked.approvals.append((place, event.person))
        enough = any(self._enough(asked, grounds) for grounds in self._grounds(content, at))
        if event.complete and not enough:
            yield "complete, and approvals are missing"
        if event.complete:
            asked.state, asked.due = "approved", event.activate_by

    def _stood_in(self, person: str, place: str, at: datetime) -> bool:
        return any(self.company.stands_in(person, place, at + off) for off in (-self.slack, timedelta(0), self.slack))

    def _grounds(self, content: RequestSubmitted, at: datetime) -> list[tuple[Seats, Seats]]:
        """The groups then and now; before and after the escalation, where clocks may disagree about it."""
        due = content.escalate_at
        states = {due is not None and at + off >= due for off in (-self.slack, timedelta(0), self.slack)}
        found = []
        for escalated in states:
            more = frozenset(content.escalate_to) if escalated else frozenset()
            then: Seats = [(one.name, frozenset(one.people) | more, one.needed) for one in content.groups]
            now = self.company.seats(content, escalated=escalated)
            if now is not None:
                found.append((then, now))
        return found

    def _sits(self, place: str, grounds: tuple[Seats, Seats]) -> bool:
        return all(any(place in people for _, people, _ in seats) for seats in grounds)

    def _enough(self, asked: Asked, grounds: tuple[Seats, Seats]) -> bool:
        """Whether those who are still entitled, and still there, fill all places of both."""
        places = [
            place
            for place, person in asked.approvals
            if self.company.known(place) and self.company.known(person) and self._sits(place, grounds)
        ]
        return all(filled(seats, places) for seats in grounds)

    def _spent(self, asked: Asked, event: RequestActivated, at: datetime) -> Iterator[str]:
        content = asked.content
        if event.person != content.person:
            yield f"{event.person} uses what {content.person} asked for"
        if asked.state != "approved" and not content.break_glass:
            yield f"used when {asked.state}"
        if self._late(at, asked.due):
            yield "used after its time"
        if not content.break_glass:
            if content.groups and not any(self._enough(asked, one) for one in self._grounds(content, at)):
                yield "used without the approvals that it takes now"
            yield from (one for one in self._new(content) if "decided under" not in one)
        asked.state = "spent"

    def _glass(self, event: BreakGlassUsed, at: datetime) -> Iterator[str]:
        uses = self.glass.setdefault(event.person, [])
        lately = [one for one in uses if one.taken_at > event.taken_at - event.per]
        if len(lately) >= event.uses:
            yield f"{event.person} breaks the glass once more than {event.uses} times"
        if not event.told:
            yield "nobody is told"
        if not timedelta(0) <= event.taken_at - event.confirmed_at < timedelta(minutes=5):
            yield f"{event.person} showed who they are too long ago"
        uses.append(event)

    # Grants

    def _grant(self, recorded: Recorded, name: str) -> Iterator[str]:
        event, given = recorded.event, self.grants.get(name)
        if isinstance(event, GrantCreated):
            if given is not None:
                yield "one grant in the place of another"
            self.grants[name] = Given(event, event.window.end)
            yield from self._created(event, recorded.at)
            return
        if given is None:
            yield "a story that begins with no grant"
            return
        if given.ended and not isinstance(event, LESS_CAN_HAPPEN):
            yield "after its end"
        match event:
            case GrantLeased():
                held = given.lease
                if held is not None and held.node != event.node and recorded.at + self.slack < held.until:
                    yield "two nodes work on it at once"
                given.lease = event
            case GrantProvisioned():
                if event.node and (given.lease is None or given.lease.node != event.node):
                    yield "made by a node that had no lease of it"
                given.lease = None
                if given.provisioned or self._late(recorded.at, given.end):
                    yield "provisioned twice, or when it was over"
                given.provisioned = True
            case GrantExtended():
                yield from self._extended(given, event, recorded.at)
            case GrantProlonged():
                given.lease = None
                if event.until > given.end:
                    yield "the target keeps it beyond its end"
            case GrantEnded():
                given.ended = True
            case GrantRemoved():
                if not given.ended or given.removed or event.role_present or event.sessions_present:
                    yield "removed before its end, twice, or not at all"
                given.removed = True
            case _:
                pass

    def _created(self, event: GrantCreated, at: datetime) -> Iterator[str]:
        asked = self.requests.get(event.request)
        if asked is None or asked.state != "spent":
            yield "a grant without a request that was spent on it"
            return
        asked.state = "used"
        content, window = asked.content, event.window
        if (event.person, event.target, event.role) != (content.person, content.target, content.role):
            yield "not what was asked"
        if abs(window.start - at) > self.slack:
            yield f"begins {window.start - at} off"
        if window.end != (content.start or window.start) + content.duration:
            yield "does not end when its approvers saw it end"
        if event.configuration_version != self.company.version:
            yield "made under another version than the one in force"
        if event.break_glass and event.review is None:
            yield "break-glass without a review"

    def _extended(self, given: Given, event: GrantExtended, at: datetime) -> Iterator[str]:
        asked = self.requests.get(event.request)
        if asked is None or asked.state != "spent" or asked.content.extends != event.grant:
            yield "an end that moves without an approval of its own"
            return
        asked.state = "used"
        if event.since != given.end or event.until != given.end + asked.content.duration:
            yield "the end does not move from where it was by what was asked"
        if self._late(at, given.end):
            yield "extended when it was over"
        given.end = event.until
