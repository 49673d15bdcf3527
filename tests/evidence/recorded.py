"""An access told to a real scribe, and the pack that is made of it."""

from __future__ import annotations

import io
import json
import os
import zipfile
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from sojourn.domain.catalogue import Catalogue
from sojourn.domain.events import (
    ActionCompleted,
    ActionIntended,
    AttemptRefused,
    CancelRequested,
    CloseCause,
    EndCause,
    Event,
    GrantCreated,
    GrantEnded,
    GrantProvisioned,
    GrantRemovalFailed,
    GrantRemoved,
    Outcome,
    RequestActivated,
    RequestApproved,
    RequestSubmitted,
    SessionClosed,
    SessionOpened,
)
from sojourn.domain.history import Change
from sojourn.domain.identifiers import (
    ATTEMPTS,
    GrantId,
    PersonId,
    RequestId,
    RoleName,
    RuleName,
    SessionId,
    StreamName,
    TargetName,
    TokenId,
    grant_stream,
    request_stream,
    session_stream,
)
from sojourn.domain.people import Person
from sojourn.domain.policy import ApproverGroup, People, Rule
from sojourn.domain.sealed import Sealed, Sealing
from sojourn.domain.target import Privilege, Role, Target, TargetKind, Verb
from sojourn.domain.window import Window
from sojourn.errors import Code
from sojourn.evidence.sources import pack_of
from sojourn.projections.projector import Projections
from sojourn.scribe.client import ScribeClient
from sojourn.vault.keys import KeyPair
from sojourn.vault.opener import Opener
from sojourn.vault.sealer import Sealer

ALICE, BOB, CAROL = PersonId("alice"), PersonId("bob"), PersonId("carol")
SHOP, READ = TargetName("shop"), RoleName("read")
REQUEST, GRANT = RequestId("r-0000000001"), GrantId("g-0000000001")
EVIDENCE = KeyPair(recipient="evidence", private=X25519PrivateKey.generate())
GATEWAY = KeyPair(recipient="gateway", private=X25519PrivateKey.generate())
HOSTILE = "<script>alert(1)</script>\u202e\u0007 --> ]]> {{ 7*7 }} \" onload='x' &amp; \u2028 é"
SECRET = b"the password of the role in the target"

TARGET = Target(
    name=SHOP,
    kind=TargetKind.POSTGRES,
    host="db.example.com",
    port=5432,
    database="shop",
    administrator="admin",
    administrator_secret="shop",
    roles=(Role(name=READ, privileges=(Privilege(schema="shop", verbs=(Verb.SELECT,)),)),),
)


def catalogue(*approvers: PersonId) -> Catalogue:
    rule = Rule(
        name=RuleName("shop-read"),
        who=People(people=(ALICE,)),
        targets=(SHOP,),
        roles=(READ,),
        longest=timedelta(hours=4),
        approvers=People(people=approvers),
    )
    people = tuple(Person(id=one, name=one.title()) for one in (ALICE, BOB, CAROL))
    return Catalogue(people=people, teams=(), targets=(TARGET,), rules=(rule,))


@dataclass
class Record:
    """Tells a story to a real scribe."""

    client: ScribeClient
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    cosigned: str = ""

    def __post_init__(self) -> None:
        """Who seals, who reads, and where reading begins."""
        self.sealer = Sealer("evidence", EVIDENCE.public, os.urandom)
        self.gateway_sealer = Sealer("gateway", GATEWAY.public, os.urandom)
        self.projections = Projections.open(None)
        self.sealings: list[Sealing] = []

    def seal(self, text: str | bytes, sealer: Sealer | None = None) -> Sealed:
        """A sealed value about alice, stored with the next append."""
        sealing = (sealer or self.sealer).seal(ALICE, text if isinstance(text, bytes) else text.encode())
        self.sealings.append(sealing)
        return sealing.sealed

    async def say(self, stream: StreamName, *events: Event) -> None:
        """Append events to a stream."""
        sealings, self.sealings = self.sealings, []
        await self.client.append([Change(stream=stream, event=one, seen=None) for one in events], sealings=sealings)

    async def ask_and_approve(self, version: int = 1, approver: PersonId = BOB, reason: str = "INC-1") -> None:
        """A request of alice, approved and activated, and its grant."""
        asked = RequestSubmitted(
            request=REQUEST,
            person=ALICE,
            target=SHOP,
            role=READ,
            duration=timedelta(minutes=30),
            reason=self.seal(reason),
            digest="d" * 64,
            rules=(RuleName("shop-read"),),
            groups=(ApproverGroup(name="approvers", people=(BOB, CAROL), needed=1),),
            decide_by=self.now + timedelta(hours=24),
            activate_within=timedelta(hours=8),
            configuration_version=1,
            configuration_digest="c" * 64,
            source="192.0.2.1:4000",
        )
        approved = RequestApproved(
            request=REQUEST,
            person=approver,
            digest="d" * 64,
            complete=True,
            activate_by=self.now + timedelta(hours=8),
            configuration_version=version,
            source="192.0.2.2:4000",
            comment=self.seal("go ahead"),
        )
        activated = RequestActivated(request=REQUEST, person=ALICE, grant=GRANT, source="192.0.2.1:4001")
        await self.refuse("approve", ALICE, Code.APPROVAL_SELF, {"person": ALICE, "approvers": "bob"})
        await self.say(request_stream(REQUEST), asked, approved, activated)
        created = GrantCreated(
            grant=GRANT,
            request=REQUEST,
            person=ALICE,
            target=SHOP,
            role=READ,
            window=Window.starting(self.now, timedelta(minutes=30)),
            credential="sojourn_g_0000000001",
            configuration_version=version,
        )
        secret = self.seal(SECRET, self.gateway_sealer)
        observed = ("SELECT on shop.orders", "CONNECT on shop")
        await self.say(grant_stream(GRANT), created, GrantProvisioned(grant=GRANT, observed=observed, secret=secret))

    async def refuse(self, verb: str, actor: str, code: str, details: dict[str, str]) -> None:
        """A refused attempt about the request."""
        event = AttemptRefused(
            verb=verb,
            actor=actor,
            code=code,
            subject=request_stream(REQUEST),
            source="192.0.2.1:4000",
            details=tuple(details.items()),
        )
        await self.say(ATTEMPTS, event)

    async def intend(self, session: SessionId, number: int, detail: bytes) -> None:
        """An action with exactly this sealed detail, and no outcome."""
        event = ActionIntended(
            session=session,
            number=number,
            protocol="postgres",
            verb="other",
            may_write=True,
            objects=(),
            detail=self.seal(detail),
        )
        await self.say(session_stream(session), event)

    async def work(
        self, session: SessionId, *statements: tuple[str, list[Any] | None, str], close: bool = True
    ) -> None:
        """A session with statements: text, bound values, and the SQLSTATE they ended with."""
        stream = session_stream(session)
        opened = SessionOpened(
            session=session,
            grant=GRANT,
            person=ALICE,
            target=SHOP,
            role=READ,
            database="shop",
            token=TokenId("t-0000000001"),
            node="gateway-1",
            source="192.0.2.1:5000",
            application="psql",
            tls="TLSv1.3",
        )
        await self.say(stream, opened)
        for number, (text, binds, sqlstate) in enumerate(statements, 1):
            detail: dict[str, object] = {"text": text} | ({} if binds is None else {"binds": binds})
            intended = ActionIntended(
                session=session,
                number=number,
                protocol="postgres",
                verb="select",
                may_write=False,
                objects=("shop.orders",),
                detail=self.seal(msgspec.json.encode(detail, order="sorted")),
            )
            completed = ActionCompleted(
                session=session,
                number=number,
                outcome=Outcome.FAILED if sqlstate else Outcome.COMPLETED,
                tags=() if sqlstate else ("SELECT 3",),
                sqlstate=sqlstate,
                rows=0 if sqlstate else 3,
                bytes_in=50,
                bytes_out=900,
                duration_us=1500,
                message=self.seal(f"permission denied: {HOSTILE}") if sqlstate else None,
            )
            await self.say(stream, intended, completed)
        if close:
            await self.say(
                stream,
                CancelRequested(session=session, source="192.0.2.1:5001"),
                SessionClosed(
                    session=session,
                    cause=CloseCause.GRANT_ENDED,
                    actions=len(statements),
                    bytes_in=50,
                    bytes_out=900,
                    cut_lag_us=12_300,
                ),
            )

    async def end(self) -> None:
        """The grant is revoked and taken back at the second try."""
        await self.say(
            grant_stream(GRANT),
            GrantEnded(grant=GRANT, cause=EndCause.REVOKED, ended_by=CAROL),
            GrantRemovalFailed(grant=GRANT, attempt=1, problem="the target is restarting"),
            GrantRemoved(
                grant=GRANT,
                role_present=False,
                sessions_present=0,
                sessions_terminated=1,
                read_back_at=self.now,
            ),
        )

    async def pack(self, grant: str = GRANT, *, confined: bool = False) -> bytes:
        """The evidence pack of what was told."""
        start = self.projections.following
        while batch := await self.client.read(start, 1000):
            self.projections.apply(batch)
            start = batch[-1].seq + 1
        return await pack_of(
            grant,
            ledger=self.client,
            projections=self.projections,
            open_sealed=Opener(EVIDENCE).open,
            cosigned=lambda: self.cosigned,
            build="0.0",
            confined=confined,
        )


async def whole_story(record: Record) -> bytes:
    """The pack of an access with everything in it."""
    await record.ask_and_approve()
    await record.work(
        SessionId("s-0000000001"),
        ("select * from orders where id = $1", [{"text": "7"}, None, {"base64": "AAE="}], ""),
        ("update orders set total = 0", None, "42501"),
    )
    await record.work(SessionId("s-0000000002"), ("select 1\n  from orders", None, ""))
    await record.end()
    return await record.pack()


def files_of(pack: bytes) -> dict[str, bytes]:
    """Every file of a pack."""
    with zipfile.ZipFile(io.BytesIO(pack)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def story_of(pack: bytes) -> dict[str, Any]:
    """What `grant.json` tells."""
    story: dict[str, Any] = json.loads(files_of(pack)["grant.json"])
    return story
