"""Access events told to a workplace by the real workflow, and the books and reports that are made of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sojourn.domain.events import (
    Event,
)
from sojourn.domain.grant import Grant
from sojourn.domain.history import Change
from sojourn.domain.identifiers import PersonId, RoleName, SessionId, StreamName, session_stream
from sojourn.domain.request import Request
from sojourn.domain.window import Window
from sojourn.errors import Refusal
from sojourn.evidence.accesses import Access, Books, Configurations
from sojourn.evidence.attributes import AttributeTest
from sojourn.evidence.reports.context import Context
from sojourn.evidence.reports.parameters import Base, Parameters
from sojourn.ledger import entry as entries
from sojourn.scribe import codec
from sojourn.testing.organisation import ALICE, BOB, READ, SHOP, Workplace
from sojourn.testing.sealer import FixedSealer
from sojourn.testing.session import session_of
from sojourn.workflow.activate import activate
from sojourn.workflow.approve import approve
from sojourn.workflow.end_early import end_early
from sojourn.workflow.expire import expire_grant
from sojourn.workflow.provision import confirm_provisioned
from sojourn.workflow.remove import confirm_removed
from sojourn.workflow.submit import submit

MINUTE = timedelta(minutes=1)


@dataclass(slots=True)
class Company:
    """A workplace where people get access, and where things go wrong when a test wants them to."""

    place: Workplace
    sessions: int = 0

    async def say(self, stream: StreamName, *events: Event) -> None:
        """Put events on record that no rule would let through, as a fault or a forger would."""
        await self.place.ledger.append([Change(stream=stream, event=event, seen=None) for event in events])

    def wait(self, span: timedelta = MINUTE) -> None:
        """Let time pass."""
        self.place.clock.advance(span)

    async def asked(self, person: PersonId = ALICE, role: RoleName = READ) -> Request:
        """A request for half an hour."""
        self.wait()
        made = await submit(
            self.place.office,
            person=person,
            target=SHOP,
            role=role,
            duration=timedelta(minutes=30),
            reason="x",
            source="t",
        )
        assert isinstance(made, Request), made
        return made

    async def approved(self, person: PersonId = ALICE, approver: PersonId = BOB) -> Request:
        """An approved request."""
        request = await self.asked(person)
        self.wait()
        digest = request.submitted.digest
        made = await approve(self.place.office, request=request.id, person=approver, digest=digest, source="t")
        assert isinstance(made, Request), made
        return made

    async def active(self, person: PersonId = ALICE) -> Grant:
        """An access that has begun and was read back."""
        request = await self.approved(person)
        grant = await activate(self.place.office, request=request.id, person=person, source="t")
        assert isinstance(grant, Grant), grant
        made = await confirm_provisioned(
            self.place.office, grant=grant.id, observed=["SELECT"], secret=b"s", sealer=FixedSealer()
        )
        assert isinstance(made, Grant), made
        return made

    async def used(self, grant: Grant, *, actions: int = 2, first: int = 1) -> SessionId:
        """A session with some actions, each with its outcome."""
        self.sessions += 1
        session = SessionId(f"s-{self.sessions:010d}")
        await self.say(session_stream(session), *session_of(grant, session, actions=actions, first=first))
        return session

    async def over(self, grant: Grant, *, after: timedelta = timedelta(seconds=1)) -> None:
        """Its holder ends it, if time has not, and its absence is read back."""
        ended = await end_early(self.place.office, grant=grant.id, person=grant.created.person, source="t")
        if isinstance(ended, Refusal):
            await expire_grant(self.place.office, grant.id)
        self.wait(after)
        await confirm_removed(
            self.place.office, grant=grant.id, role_present=False, sessions_present=0, sessions_terminated=0
        )

    async def whole(self, person: PersonId = ALICE) -> Grant:
        """An access from request to removal with nothing wrong about it."""
        grant = await self.active(person)
        await self.used(grant)
        self.wait()
        await self.over(grant)
        return grant

    def forge(self, kind: type[Event], **changes: Any) -> Company:
        """Alter every event of a kind, as somebody would who can write the record."""
        entries = self.place.ledger.entries
        entries[:] = [
            replace(one, event=replace(one.event, **changes)) if isinstance(one.event, kind) else one for one in entries
        ]
        return self

    def shift(self, kind: type[Event], by: timedelta) -> Company:
        """Alter the time of every event of a kind."""
        entries = self.place.ledger.entries
        entries[:] = [replace(one, at=one.at + by) if isinstance(one.event, kind) else one for one in entries]
        return self

    def drop(self, kind: type[Event]) -> Company:
        """Take every event of a kind away."""
        entries = self.place.ledger.entries
        entries[:] = [one for one in entries if not isinstance(one.event, kind)]
        return self

    def books(self) -> Books:
        """Everything on record, folded."""
        books = Books(configurations=Configurations(attachment=self.place.ledger.attachments.get))
        for one in self.place.ledger.entries:
            books.take(one)
        return books

    def raw(self, seq: int) -> bytes:
        """The bytes of an entry, as a scribe would write them."""
        one = self.place.ledger.entries[seq]
        return entries.assemble(
            seq=one.seq,
            at=entries.format_time(one.at),
            stream=one.stream,
            version=one.version,
            kind=one.event.kind,
            body=codec.encode(one.event),
        )

    def context(self, *, period: Window | None = None, sample: int = 0, seed: str = "", problem: str = "") -> Context:
        """What reports of all of it are made from."""
        now = self.place.clock.now()
        size = len(self.place.ledger.entries)
        return Context(
            books=self.books(),
            parameters=Parameters(
                report="access-events",
                title="Access events",
                purpose="a test",
                system="test",
                build="0",
                run_by="tester",
                run_at=now,
                period=period or Window(start=datetime(2026, 1, 1, tzinfo=UTC), end=now + timedelta(days=1)),
                as_of=now,
                sample=sample,
                seed=seed,
            ),
            base=Base(origin="test", size=size, root="r" * 44, note="note\n", last_at=now, problem=problem),
            raw=self.raw,
        )

    def access(self, grant: Grant) -> Access:
        """The access event of a grant."""
        found = self.books().accesses.of_grant(grant.id)
        assert found is not None
        return found

    def tests(self, name: str) -> dict[str, AttributeTest]:
        """The tests of the access event of a request or a grant, by letter."""
        for event in self.context().events:
            if name in (event.access.request, event.access.grant):
                return {test.letter: test for test in event.tests}
        raise AssertionError(f"{name} is in no population")

    def failing(self, name: str) -> str:
        """The letters of the tests that failed; J is left out, which fails with any other."""
        return "".join(
            sorted(letter for letter, test in self.tests(name).items() if test.answer == "fail" and letter != "J")
        )
