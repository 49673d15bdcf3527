"""A batch that is decided at once: what comes of it is what comes of deciding its appends one after the other."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.codes import Code
from sojourn.domain.events import ActionIntended, CancelRequested, Event, KeysDestroyed
from sojourn.domain.identifiers import SessionId
from sojourn.domain.sealed import Sealed
from sojourn.errors import SojournError
from sojourn.scribe import codec, plain, protocol
from sojourn.scribe.batch import Batch, UnacceptableError, accept
from sojourn.scribe.protocol import Append, Appended, AppendedTogether, Draft, Key, Matter, Refused

from .conftest import Desk

AT = "2026-11-30T10:00:00.000000Z"
FAULTS = (
    "none", "stale", "guard", "key", "attachment", "unknown key", "taken", "twice", "not hex", "tombstone",
    "rotation", "not canonical", "line break", "unknown kind", "no stream", "too large", "not utf-8",
)  # fmt: skip
HELD = Key("k-held", "alice/statement", "evidence", b"wrapped")


def action(stream: str, number: int) -> Draft:
    event: Event = ActionIntended(
        session=SessionId(stream),
        number=number,
        protocol="postgres",
        verb="read",
        may_write=False,
        objects=("shop.orders",),
        detail=Sealed(commitment=f"{number:064x}", key=HELD.key),
    )
    if number % 3 == 0:
        event = CancelRequested(session=SessionId(stream), source=f"line\n{number}")
    return Draft(f"session/{stream}", event.kind, codec.encode(event), None)


def spoilt(call: Append, fault: str) -> Append:
    """The same append with something that a plain batch does not have."""
    first, *others = call.drafts
    change = msgspec.structs.replace
    drafts = {
        "stale": change(first, seen=9_999),
        "tombstone": Draft("register", KeysDestroyed.kind, b"{}", None),
        "rotation": Draft("ledger", "ledger.key_rotated", b"{}", None),
        "not canonical": change(first, body=first.body[:1] + b" " + first.body[1:]),
        "line break": change(first, body=first.body + b"\n"),
        "unknown kind": change(first, kind="session.unheard_of"),
        "no stream": change(first, stream="Session/x"),
        "too large": change(first, kind=CancelRequested.kind, body=b'{"session":"s","source":"%b"}' % (b"x" * 65_500)),
        "not utf-8": change(first, kind=CancelRequested.kind, body=b'{"session":"s","source":"\xff"}'),
    }
    more: dict[str, dict[str, object]] = {
        "guard": {"guards": [("session/s-a", 9_999)]},
        "key": {"keys": [Key("k-new", "alice/statement", "evidence", b"other")]},
        "attachment": {"attachments": [b"content"]},
        "unknown key": {"matter": [Matter("ee" * 32, "k-unknown", b"x")]},
        "not hex": {"matter": [Matter("AB" * 32, HELD.key, b"x")]},
        "taken": {"matter": [Matter("ab" * 32, HELD.key, b"x")]},
        "twice": {"matter": [Matter("cd" * 32, HELD.key, b"x"), Matter("cd" * 32, HELD.key, b"y")]},
    }
    if fault in drafts:
        return change(call, drafts=[*others, drafts[fault]])
    return change(call, **more.get(fault, {}))


def one_by_one(calls: list[Append], batch: Batch, desk: Desk) -> Batch:
    for call in calls:
        try:
            accept(call, batch, desk.log)
        except UnacceptableError as error:
            batch.answers.append(Refused(call.id, error.code, error.details))
    return batch


def result(batch: Batch) -> tuple[object, ...]:
    return (
        batch.rows, batch.versions, batch.keys, batch.matter, batch.attachments, batch.destroyed, batch.answers,
    )  # fmt: skip


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A ledger with one entry, one sealing key, and one sealed value."""
    desk = Desk(tmp_path_factory.mktemp("plain"))
    desk.open()
    desk.append(action("s-a", 1), keys=[HELD], matter=[Matter("ab" * 32, HELD.key, b"x")])
    return desk


STREAMS = st.lists(st.lists(st.sampled_from(("s-a", "s-b", "s-c")), min_size=1, max_size=5), min_size=3, max_size=8)


@given(STREAMS, st.booleans(), st.sampled_from(FAULTS), st.data())
@settings(max_examples=400)
def test_a_batch_decided_at_once_is_the_batch_decided_one_by_one(
    held: Desk, streams: list[list[str]], sealed: bool, fault: str, data: st.DataObject
) -> None:
    calls: list[Append] = []
    number = 0
    for some in streams:
        drafts = []
        for stream in some:
            number += 1
            drafts.append(action(stream, number))
        matter = [Matter(f"{number:064x}", HELD.key, b"sealed")] if sealed else []
        calls.append(Append(len(calls) + 1, drafts, [], matter))
    place = data.draw(st.integers(0, len(calls) - 1))
    calls[place] = spoilt(calls[place], fault)
    taken = held.store.taken({one.commitment for call in calls for one in call.matter})

    def empty() -> Batch:
        return Batch(at=AT, first=held.log.size, taken=taken)

    at_once = empty()
    whole = plain.accept_all(calls, at_once, held.log)
    assert whole is (fault == "none" and number >= plain.FEW)
    assert result(at_once) == result(one_by_one(calls, empty(), held) if whole else empty())


LINES = st.sampled_from(
    [
        b'{"session":"s-a","source":"here"}', b'{"session":"s-b","source":"a\\nb"}', b"\n", b"", b" ", b"{}", b"\r",
        b'{"session":"s-a","source":"here"}\n', b'\n{"session":"s-a","source":"here"}', b'{"session":"s-a",\n',
        b'{"session":"s-a",', b'"source":"here"}', b'{"session":"s-a","source":"here"}\n{"session":"s-a","source":""}',
        b'{"session":"s-a","source":"\xff"}', b'"text"', b"[", b"[" * 5000, b'{"source":"here","session":"s-a"}',
    ]
)  # fmt: skip


@given(st.lists(LINES | st.binary(max_size=8), max_size=6), st.sampled_from([CancelRequested.kind, "session.unheard"]))
@settings(max_examples=500)
def test_bodies_that_are_checked_together_are_held_to_what_each_is_held_to(bodies: list[bytes], kind: str) -> None:
    def alone(body: bytes) -> bool:
        try:
            return codec.is_canonical(kind, body)
        except SojournError:
            return False

    if bodies:
        assert codec.all_canonical(kind, bodies) is all(map(alone, bodies))


@pytest.mark.parametrize(
    "commitment", ["AB" * 32, "ab" * 31 + "g0", "ab" * 31 + " 0", "ab" * 31 + "\n0", "\u0661b" * 32], ids=repr
)
@pytest.mark.parametrize("others", [0, plain.FEW])
def test_a_commitment_that_is_no_hash_is_refused_and_its_batch_goes_on(
    held: Desk, commitment: str, others: int
) -> None:
    wrong = Append(1, [action("s-a", 1)], [], [Matter(commitment, HELD.key, b"x")])
    calls = [wrong, *(Append(number, [action("s-b", number)]) for number in range(2, 2 + others))]
    refused, *rest = held.log.append(calls, arriving=0)
    assert isinstance(refused, Refused)
    assert refused.code == Code.INPUT_INVALID
    assert [type(one) for one in rest] == [Appended] * others


def test_a_commitment_with_a_line_break_behind_it_is_no_call() -> None:
    for call in (
        Append(7, [action("s-a", 1)], [], [Matter("ab" * 32 + "\n", HELD.key, b"x")]),
        protocol.ReadAttachment(7, "ab" * 32 + "\n"),
    ):
        with pytest.raises(msgspec.ValidationError):
            protocol.call_decoder.decode(protocol.frame(call)[4:])


@given(st.lists(st.integers(0, 60), max_size=12, unique=True))
@settings(max_examples=60)
def test_commitments_are_found_whether_few_or_many_are_asked(
    tmp_path_factory: pytest.TempPathFactory, asked: list[int]
) -> None:
    desk = Desk(tmp_path_factory.mktemp("taken"))
    desk.open()
    values = [Matter(f"{number:064x}", HELD.key, b"x") for number in range(30)]
    desk.append(action("s-a", 1), keys=[HELD], matter=values[:20])
    with desk.store.writing():
        desk.store._write_index()
    desk.append(action("s-a", 2), matter=values[20:])
    found = desk.store.taken({f"{number:064x}" for number in asked})
    desk.store.close()
    assert found == {f"{number:064x}" for number in asked if number < 30}


def test_answers_of_appends_that_follow_one_another_go_in_one_frame_and_keep_their_order() -> None:
    done = [Appended(number, number, number + 1, AT) for number in range(5)]
    refused = Refused(9, Code.RECORD_STALE, {"stream": "a"})
    assert protocol.together([done[0]]) == [done[0]]
    assert protocol.together([]) == []
    told = protocol.together([done[0], done[1], refused, refused, done[2], done[3], done[4]])
    assert told == [AppendedTogether(done[:2]), refused, refused, AppendedTogether(done[2:])]
    assert [protocol.answer_decoder.decode(protocol.frame(one)[4:]) for one in told] == told
