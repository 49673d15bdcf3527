"""A real time-stamping authority (OpenSSL) stamps the checkpoints of a real scribe; what goes wrong is on record."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sojourn.domain.events import CheckpointStamped, PublicationOverdue, PublicationRefused, PublicationResumed
from sojourn.ledger import checkpoint as checkpoints
from sojourn.publisher.asking import http_client
from sojourn.publisher.bucket import Bucket
from sojourn.publisher.certificate_set import with_sorted_certificates
from sojourn.publisher.follow import follow_folder
from sojourn.publisher.timestamps import CLOCKS_APART, Stamping
from sojourn.publisher.token import TokenError, ask_for, check_token, read_roots
from sojourn.publisher.upload import fill_bucket
from sojourn.settings import BucketSettings, PublisherSettings, TimestampSettings
from sojourn.testing.bucket import ObjectStore
from sojourn.testing.clock import SimulatedClock
from sojourn.testing.scribe import KEY
from sojourn.testing.timestamp import Mood, TimestampAuthority

from .conftest import Desk, fill

Make = Callable[..., Stamping]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TimestampAuthority]:
    """An authority that serves."""
    with TimestampAuthority.make(tmp_path_factory.mktemp("authority")).serving() as one:
        yield one


@pytest.fixture
def stamping(desk: Desk, authority: TimestampAuthority) -> Make:
    """Makes the task that is tested; the clock of the desk is right when it is made."""
    authority.mood = Mood.STAMP
    desk.clock = SimulatedClock(datetime.now(UTC))

    def make(*, every: float = 3600.0, root: Path | None = None, answer_seconds: float = 10.0) -> Stamping:
        asked = TimestampSettings(url=authority.url, every=timedelta(seconds=every), answer_seconds=answer_seconds)
        desk.settings = dataclasses.replace(desk.settings, timestamp=asked)
        pem = (root or authority.root_pem).read_bytes()
        return Stamping(
            url=authority.url,
            root_pem=pem,
            roots=read_roots(pem),
            open_http=http_client,
            keep=lambda note, token: None,
            retry_seconds=0.05,
        )

    return make


async def test_a_checkpoint_is_stamped_and_openssl_takes_the_published_token(
    desk: Desk, stamping: Make, authority: TimestampAuthority
) -> None:
    await fill(desk.ledger, 300)
    async with desk.running(follow_folder, stamping().run):
        found = await desk.until_recorded(CheckpointStamped)
        assert isinstance(found, CheckpointStamped)
        token, note = (desk.folder / "attachment" / one for one in (found.token_sha256, found.checkpoint_sha256))
        root = desk.folder / "attachment" / found.root_sha256
        await desk.until(lambda: token.exists() and note.exists() and root.exists())
    assert (found.place, found.size) == ("timestamp:127.0.0.1", 300)
    assert checkpoints.open(note.read_text(), KEY.verifier()).size == 300
    assert authority.accepts(token, note)
    assert not authority.accepts(token, root)
    assert root.read_bytes() == authority.root_pem.read_bytes()
    assert abs(found.time - datetime.now(UTC)) < timedelta(minutes=1)
    assert desk.seen["timestamp:127.0.0.1"].behind_since is None


async def test_stamps_and_their_checkpoints_are_published_when_other_attachments_are_not(
    desk: Desk, stamping: Make
) -> None:
    publisher = dataclasses.replace(desk.settings.publisher, attachments=False)
    desk.settings = dataclasses.replace(desk.settings, publisher=publisher)
    await fill(desk.ledger, 5)
    async with desk.running(follow_folder, stamping().run):
        await desk.until_recorded(CheckpointStamped)
        folder = desk.folder / "attachment"
        await desk.until(lambda: folder.is_dir() and len(list(folder.iterdir())) == 3)


async def test_a_token_lies_in_the_bucket_under_the_long_lock(desk: Desk, stamping: Make, store: ObjectStore) -> None:
    s3 = BucketSettings(bucket="worm", prefix="stamps/", endpoint=store.endpoint, seconds=0.05, retention_days=3)
    desk.settings = dataclasses.replace(desk.settings, publisher=PublisherSettings(seconds=0.05, s3=s3))
    task = stamping()
    bucket = Bucket(client=store.client(), settings=s3, clock=lambda: datetime.now(UTC))
    await fill(desk.ledger, 5)
    async with desk.running(follow_folder, task.run, lambda context: fill_bucket(context, bucket)):
        found = await desk.until_recorded(CheckpointStamped)
        assert isinstance(found, CheckpointStamped)
        await desk.until(lambda: _held(store, f"stamps/attachment/{found.token_sha256}") is not None)
    until = _held(store, f"stamps/attachment/{found.token_sha256}")
    assert until is not None and until > datetime.now(UTC) + timedelta(days=2)


def _held(store: ObjectStore, key: str) -> datetime | None:
    client = store.client()
    if not client.list_objects_v2(Bucket="worm", Prefix=key).get("KeyCount"):
        return None
    head = client.head_object(Bucket="worm", Key=key)
    assert head["ObjectLockMode"] == "COMPLIANCE"
    return head["ObjectLockRetainUntilDate"]


async def test_the_next_stamp_is_due_a_while_after_the_last_on_record_also_after_a_restart(
    desk: Desk, stamping: Make, authority: TimestampAuthority
) -> None:
    await fill(desk.ledger, 1)
    async with desk.running(stamping().run):
        await desk.until_recorded(CheckpointStamped)
    asked = len(authority.answered)
    restarted = stamping()
    async with desk.running(restarted.run):
        await desk.until(lambda: restarted.size == 1)
    assert len(authority.answered) == asked
    async with desk.running(stamping(every=0.01).run):
        desk.clock.advance(timedelta(seconds=1))
        found = await desk.until_recorded(CheckpointStamped, 2)
    assert isinstance(found, CheckpointStamped)
    assert found.size == 2, "the stamp before is an entry too"


@pytest.mark.parametrize("mood", [Mood.SILENT, Mood.BROKEN, Mood.REPEAT, Mood.RAMBLE])
async def test_an_authority_that_fails_is_overdue_on_record_and_stamps_again_when_it_can(
    desk: Desk, stamping: Make, authority: TimestampAuthority, mood: Mood
) -> None:
    authority.answered.append(authority.answer(ask_for(b"something else").data))
    await fill(desk.ledger, 3)
    task = stamping(answer_seconds=0.5 if mood is Mood.SILENT else 10.0)
    authority.mood = mood
    async with desk.running(task.run):
        await desk.until(lambda: task.place in desk.seen and desk.seen[task.place].problem)
        assert await desk.on_record() == []
        desk.clock.advance(timedelta(minutes=11))
        overdue = await desk.until_recorded(PublicationOverdue)
        assert isinstance(overdue, PublicationOverdue)
        assert (overdue.place, overdue.published) == (task.place, 0)
        desk.clock.moment = datetime.now(UTC)
        authority.mood = Mood.STAMP
        resumed = await desk.until_recorded(PublicationResumed)
        assert isinstance(resumed, PublicationResumed)
        assert resumed.place == task.place
    kinds = [one.kind for one in await desk.on_record()]
    assert kinds == ["publication.overdue", "publication.stamped", "publication.resumed"]


async def test_an_authority_that_does_not_lead_to_our_root_is_not_believed(
    desk: Desk, stamping: Make, tmp_path: Path
) -> None:
    other = TimestampAuthority.make(tmp_path / "other")
    await fill(desk.ledger, 3)
    task = stamping(root=other.root_pem)
    async with desk.running(task.run):
        await desk.until(lambda: task.place in desk.seen and "certificate" in desk.seen[task.place].problem)
    assert await desk.on_record() == []


@pytest.mark.parametrize("minutes", [-5, 5])
async def test_a_clock_that_is_wrong_is_on_record_with_the_stamp_that_shows_it(
    desk: Desk, stamping: Make, minutes: int
) -> None:
    await fill(desk.ledger, 3)
    task = stamping()
    desk.clock.advance(timedelta(minutes=minutes))
    async with desk.running(task.run):
        refused = await desk.until_recorded(PublicationRefused)
        assert isinstance(refused, PublicationRefused)
        assert (refused.place, refused.problem) == (task.place, CLOCKS_APART)
    assert [one.kind for one in await desk.on_record()] == ["publication.stamped", "publication.refused"]


def test_no_byte_of_a_token_can_change_its_time(authority: TimestampAuthority) -> None:
    query = ask_for(b"content")
    answer = authority.answer(query.data)
    roots = read_roots(authority.root_pem.read_bytes())
    time = check_token(answer, b"content", roots, nonce=query.nonce)
    for position in range(len(answer)):
        for bit in (0, 7):
            changed = bytearray(answer)
            changed[position] ^= 1 << bit
            try:
                found = check_token(bytes(changed), b"content", roots, nonce=query.nonce)
            except TokenError:
                continue
            assert found == time


@pytest.mark.parametrize("bad", [b"", b"0", b"0\x00", bytes(1000), b"\x30\x84\xff\xff\xff\xff"])
def test_what_is_no_token_is_one_kind_of_error(authority: TimestampAuthority, bad: bytes) -> None:
    with pytest.raises(TokenError):
        check_token(bad, b"content", read_roots(authority.root_pem.read_bytes()))


def test_a_token_of_another_content_nonce_or_root_is_refused(authority: TimestampAuthority, tmp_path: Path) -> None:
    query = ask_for(b"content")
    answer = authority.answer(query.data)
    roots = read_roots(authority.root_pem.read_bytes())
    assert query.nonce is not None
    other = TimestampAuthority.make(tmp_path / "other").root_pem.read_bytes()
    for content, nonce, trusted in (
        (b"other", query.nonce, roots),
        (b"content", query.nonce + 1, roots),
        (b"content", query.nonce, read_roots(other)),
    ):
        with pytest.raises(TokenError):
            check_token(answer, content, trusted, nonce=nonce)
    with pytest.raises(TokenError, match="no certificate"):
        read_roots(b"nothing")


def test_the_certificates_of_an_authority_may_come_in_any_order(authority: TimestampAuthority) -> None:
    query = ask_for(b"content")
    answer = authority.answer(query.data)
    again = with_sorted_certificates(answer)
    assert sorted(again) == sorted(answer) and with_sorted_certificates(again) == again
    certificates = [
        one.public_bytes(Encoding.DER)
        for name in ("authority", "between")
        for one in read_roots((authority.root / f"{name}.pem").read_bytes())
    ]
    roots = read_roots(authority.root_pem.read_bytes())
    for order in (certificates, certificates[::-1]):
        start = min(map(answer.index, certificates))
        joined = b"".join(order)
        swapped = answer[:start] + joined + answer[start + len(joined) :]
        assert check_token(swapped, b"content", roots, nonce=query.nonce)


@given(st.binary(max_size=200))
def test_whatever_is_no_answer_is_left_as_it_is(data: bytes) -> None:
    assert sorted(with_sorted_certificates(data)) == sorted(data)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.integers(0, 1400), byte=st.integers(0, 255), cut=st.integers(0, 1400))
def test_a_broken_answer_is_one_kind_of_error_or_the_same_time(
    authority: TimestampAuthority, position: int, byte: int, cut: int
) -> None:
    if not authority.answered:
        authority.answered.append(authority.answer(ask_for(b"content").data))
    broken = bytearray(authority.answered[0])
    broken[position % len(broken)] = byte
    if cut % 3 == 0:
        del broken[cut % len(broken) :]
    with suppress(TokenError):
        check_token(bytes(broken), b"content", read_roots(authority.root_pem.read_bytes()))
