"""Notices: real mails and signed webhooks, at least once, with nothing sealed in them, and holding up nobody."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from aiosmtpd.smtp import SMTP
from standardwebhooks.webhooks import Webhook as Receiver

from sojourn.domain.catalogue import Catalogue
from sojourn.domain.events import BreakGlassUsed, Event, GrantRemovalOverdue, NoticeFailed, RequestEscalated
from sojourn.domain.history import Change
from sojourn.domain.identifiers import GrantId, RequestId, break_glass_stream, grant_stream, request_stream
from sojourn.notify.channels import Channel, DeliveryError, Mail, Webhook
from sojourn.notify.courier import TRIES_MAX, Courier
from sojourn.notify.notices import Notice
from sojourn.settings import MailSettings, MailTls
from sojourn.testing.organisation import ALICE, BOB, CAROL, CATALOGUE, ERIN, READ, SHOP, Workplace
from sojourn.workflow.submit import submit

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
SECONDS = 20.0
LINK = "https://access.example.com"


@dataclass
class _Inbox:
    """Keeps mails; refuses the first `refuse` of them."""

    mails: list[Any] = field(default_factory=list)
    refuse: int = 0

    async def handle_DATA(self, server: object, session: object, envelope: Any) -> str:
        if self.refuse:
            self.refuse -= 1
            return "451 try again"
        self.mails.append((envelope.rcpt_tos, message_from_bytes(envelope.content)))
        return "250 OK"


@asynccontextmanager
async def _mail_server(inbox: _Inbox) -> AsyncIterator[int]:
    """A real SMTP server in the loop of the test; gives its port."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(inbox, loop=loop), "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@contextmanager
def _web_server(statuses: list[int]) -> Iterator[tuple[str, list[tuple[Mapping[str, str], bytes]]]]:
    """Answers with these statuses, then with 204; gives its address and what was posted."""
    got: list[tuple[Mapping[str, str], bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            got.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(statuses.pop(0) if statuses else 204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/hook", got
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class _Place:
    place: int | None = 0

    def read(self) -> int | None:
        return self.place

    def write(self, place: int) -> None:
        self.place = place


@dataclass
class _Kept:
    """A channel that keeps what it is given, and fails where it is told to."""

    name: str = "kept"
    told: list[Notice] = field(default_factory=list)
    fail: set[str] = field(default_factory=set)
    held: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.held.set()

    async def send(self, notice: Notice) -> None:
        await self.held.wait()
        if notice.kind in self.fail:
            raise DeliveryError("it would not")
        self.told.append(notice)


def _with_mail(catalogue: Catalogue) -> Catalogue:
    people = tuple(replace(one, mail=f"{one.id}@example.com") for one in catalogue.people)
    return replace(catalogue, people=people)


def _courier(place: Workplace, *channels: Channel, at: _Place | None = None) -> Courier:
    return Courier(
        ledger=place.ledger,
        follow=place.ledger.follow,
        size=place.ledger.size,
        in_force=place.in_force,
        channels=channels,
        place=at or _Place(),
        pause=0.001,
    )


@dataclass
class _Running:
    courier: Courier
    task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Courier:
        self.task = asyncio.get_running_loop().create_task(self.courier.run())
        return self.courier

    async def __aexit__(self, *_: object) -> None:
        assert self.task is not None
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


async def _until(so: Any) -> None:
    async with asyncio.timeout(SECONDS):
        while not so():
            await asyncio.sleep(0.005)


async def _ask(place: Workplace) -> RequestId:
    request = await submit(
        place.office,
        person=ALICE,
        target=SHOP,
        role=READ,
        duration=timedelta(minutes=5),
        reason="the secret reason",
        source="t",
    )
    return request.id  # type: ignore[union-attr]


def _mail(place: Workplace, port: int) -> Mail:
    settings = MailSettings(host="127.0.0.1", port=port, tls=MailTls.NONE, sender="sojourn@example.com")
    return Mail(settings=settings, password="", link=LINK, seconds=5, in_force=place.in_force)


async def test_those_who_may_approve_get_a_mail_with_a_link_and_nothing_sealed() -> None:
    place, inbox = await Workplace.open(_with_mail(CATALOGUE)), _Inbox()
    async with _mail_server(inbox) as port, _Running(_courier(place, _mail(place, port))):
        request = await _ask(place)
        await _until(lambda: inbox.mails)
    ((to, mail),) = inbox.mails
    assert sorted(to) == ["bob@example.com", "carol@example.com"]
    assert request in mail["Subject"] and mail["From"] == "sojourn@example.com"
    assert f"{LINK}/requests/{request}" in mail.get_payload()
    assert "secret reason" not in mail.as_string()


async def test_a_mail_server_that_refuses_for_now_is_asked_again() -> None:
    place, inbox, at = await Workplace.open(_with_mail(CATALOGUE)), _Inbox(refuse=2), _Place()
    async with _mail_server(inbox) as port, _Running(_courier(place, _mail(place, port), at=at)):
        await _ask(place)
        await _until(lambda: inbox.mails and at.place == len(place.ledger.entries))
    assert len(inbox.mails) == 1 and place.kinds("notices") == ()


async def test_a_webhook_is_signed_as_a_receiver_of_standard_webhooks_expects_it() -> None:
    place = await Workplace.open()
    with _web_server([503]) as (url, got):
        hook = Webhook(name="webhook chat", url=url, secret=SECRET, link=LINK, seconds=5, now=lambda: datetime.now(UTC))
        async with _Running(_courier(place, hook)):
            await _break_the_glass(place)
            await _until(lambda: len(got) == 2)
    (first, _), (headers, body) = got
    assert first["webhook-id"] == headers["webhook-id"]
    sent = Receiver(SECRET).verify(body, dict(headers))
    assert sent["type"] == "sojourn.break_glass" and sent["data"]["people"] == ["bob", "carol"]
    assert json.loads(body)["data"]["link"] == f"{LINK}/grants/g-1"


async def _break_the_glass(place: Workplace) -> None:
    now = place.clock.now()
    used = BreakGlassUsed(
        person=ALICE,
        request=RequestId("r-1"),
        grant=GrantId("g-1"),
        told=(BOB, CAROL),
        taken_at=now,
        confirmed_at=now,
        uses=1,
        per=timedelta(days=1),
    )
    await place.ledger.append([Change(stream=break_glass_stream(ALICE), event=used, seen=None)])


@pytest.mark.parametrize(
    ("stream", "event", "kind", "people"),
    [
        (
            request_stream(RequestId("r-1")),
            RequestEscalated(request=RequestId("r-1"), people=(CAROL,)),
            "escalation",
            (CAROL,),
        ),
        (
            grant_stream(GrantId("g-1")),
            GrantRemovalOverdue(
                grant=GrantId("g-1"), since=datetime(2026, 1, 1, tzinfo=UTC), attempts=3, problem="down"
            ),
            "removal_overdue",
            (ERIN,),
        ),
    ],
)
async def test_each_kind_of_notice_goes_to_whom_it_concerns(
    stream: Any, event: Event, kind: str, people: tuple[str, ...]
) -> None:
    place, kept = await Workplace.open(), _Kept()
    async with _Running(_courier(place, kept)):
        await place.ledger.append([Change(stream=stream, event=event, seen=None)])
        await _until(lambda: kept.told)
    assert [(one.kind, one.people) for one in kept.told] == [(kind, people)]


async def test_a_moment_is_told_in_utc_and_in_the_zones_of_those_who_are_told() -> None:
    zones = {BOB: "Asia/Kolkata", CAROL: "America/New_York", ERIN: "Europe/Berlin"}
    people = tuple(replace(one, zone=zones.get(one.id, "")) for one in CATALOGUE.people)
    place, kept = await Workplace.open(replace(CATALOGUE, people=people)), _Kept()
    since = datetime(2026, 11, 1, 6, 30, tzinfo=UTC)
    late = GrantRemovalOverdue(grant=GrantId("g-1"), since=since, attempts=3, problem="p")
    asked = place.clock.now()
    async with _Running(_courier(place, kept)):
        await place.ledger.append([Change(stream=grant_stream(GrantId("g-1")), event=late, seen=None)])
        await _ask(place)
        await _until(lambda: len(kept.told) == 2)
    overdue, waiting = sorted(kept.told, key=lambda one: one.kind, reverse=True)
    assert "since 2026-11-01 06:30 UTC (2026-11-01 07:30 Europe/Berlin)." in overdue.text
    due = asked + timedelta(hours=24)
    there = [f"{due.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M} {zone}" for zone in ("America/New_York", "Asia/Kolkata")]
    assert waiting.text == f"It lapses at {due:%Y-%m-%d %H:%M} UTC ({', '.join(there)}) if nobody decides."


async def test_what_does_not_get_there_is_given_up_on_record_and_the_rest_goes_on() -> None:
    place, at = await Workplace.open(), _Place()
    failing, kept = _Kept(name="failing", fail={"break_glass"}), _Kept()
    async with _Running(_courier(place, failing, kept, at=at)):
        await _break_the_glass(place)
        await _ask(place)
        await _until(lambda: place.entries("notices") and failing.told and len(kept.told) == 2)
    (failed,) = [one.event for one in place.entries("notices")]
    assert isinstance(failed, NoticeFailed)
    assert (failed.channel, failed.attempts, failed.problem) == ("failing", TRIES_MAX, "it would not")
    assert [one.kind for one in failing.told] == ["approval_waiting"]


async def test_a_courier_that_is_stopped_repeats_what_was_underway_and_loses_nothing() -> None:
    place, at, kept = await Workplace.open(), _Place(), _Kept()
    kept.held.clear()
    async with _Running(_courier(place, kept, at=at)):
        await _break_the_glass(place)
        await _ask(place)
        await _until(lambda: at.place is not None and at.place >= 1)
        await asyncio.sleep(0.05)
    assert kept.told == []
    kept.held.set()
    async with _Running(_courier(place, kept, at=at)):
        await _until(lambda: len(kept.told) == 2)
    assert sorted(one.kind for one in kept.told) == ["approval_waiting", "break_glass"]


async def test_the_first_start_tells_nobody_of_what_is_past() -> None:
    place, kept = await Workplace.open(), _Kept()
    await _break_the_glass(place)
    async with _Running(_courier(place, kept, at=_Place(None))):
        await asyncio.sleep(0.05)
        await _ask(place)
        await _until(lambda: kept.told)
    assert [one.kind for one in kept.told] == ["approval_waiting"]


async def test_people_without_an_address_are_on_record_as_not_told() -> None:
    place = await Workplace.open()
    async with _Running(_courier(place, _mail(place, 1))):
        await _ask(place)
        await _until(lambda: place.entries("notices"))
    (failed,) = [one.event for one in place.entries("notices")]
    assert isinstance(failed, NoticeFailed) and failed.attempts == 1
    assert failed.problem == "none of them has a mail address in people.yaml"
