"""What may be written, what is refused, and what is signed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sojourn.codes import Code
from sojourn.domain.events import KINDS
from sojourn.errors import SojournError
from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger import entry as entries
from sojourn.ledger.merkle import leaf_hash, recompute_root, verify_consistency, verify_inclusion
from sojourn.ledger.note import Verifier
from sojourn.scribe import codec
from sojourn.scribe.answers import answer
from sojourn.scribe.protocol import (
    Append,
    Appended,
    Draft,
    Entries,
    Fetch,
    Hashes,
    Key,
    Matter,
    Matters,
    Proofs,
    Prove,
    ProveConsistency,
    Read,
    ReadMatter,
    Refused,
)
from sojourn.testing.scribe import KEY

from .conftest import Desk, alter, draft, forge

MakeDraft = Callable[..., Draft]
COMMITMENT = "ab" * 32


def stored(desk: Desk) -> list[bytes]:
    return [row[5] for row in desk.store.rows(0, 1 << 40)]


def test_an_entry_is_canonical_and_says_where_it_stands(desk: Desk, draft_of: MakeDraft) -> None:
    desk.append(draft_of("a"), draft_of("b"), draft_of("a"))
    found = [entries.parse(data) for data in stored(desk)]
    assert [(one.seq, one.stream, one.version) for one in found] == [
        (0, "session/s-a", 1),
        (1, "session/s-b", 1),
        (2, "session/s-a", 2),
    ]
    assert found[0].at == desk.clock.now()


def test_all_entries_of_a_batch_carry_one_time_and_a_clock_that_steps_back_reorders_nothing(
    desk: Desk, draft_of: MakeDraft
) -> None:
    calls = [Append(number, [draft_of("a"), draft_of("b")]) for number in (1, 2)]
    desk.log.append(calls, arriving=0)
    desk.clock.advance(-timedelta(days=1))
    desk.append(draft_of("a"))
    found = [entries.parse(data) for data in stored(desk)]
    assert len({one.at for one in found[:4]}) == 1
    assert found[4].at == found[3].at, "a time is never before that of the entry before it"
    assert [one.seq for one in found] == [0, 1, 2, 3, 4]


def test_a_stale_append_in_a_batch_is_refused_alone(desk: Desk, draft_of: MakeDraft) -> None:
    calls = [
        Append(1, [draft_of("a", 0)]),
        Append(2, [draft_of("b", 0), draft_of("a", 0)]),
        Append(3, [draft_of("b", 0)]),
        Append(4, [draft_of("c")], guards=[("session/s-a", 0)]),
        Append(5, [draft_of("c")], guards=[("session/s-a", 1), ("session/s-b", 1)]),
    ]
    answers = desk.log.append(calls, arriving=0)
    assert [type(one) for one in answers] == [Appended, Refused, Appended, Refused, Appended]
    assert [one.id for one in answers] == [1, 2, 3, 4, 5]
    assert [one.first for one in answers if isinstance(one, Appended)] == [0, 1, 2]
    refused = answers[1]
    assert isinstance(refused, Refused)
    assert (refused.code, refused.details) == ("record.stale", {"stream": "session/s-a"})


@given(st.lists(st.lists(st.tuples(st.sampled_from("abc"), st.none() | st.integers(0, 4)), max_size=3), max_size=12))
@settings(max_examples=60)
def test_versions_never_have_a_gap_whatever_is_asked(
    tmp_path_factory: pytest.TempPathFactory, asked: list[list[tuple[str, int | None]]]
) -> None:
    desk = Desk(tmp_path_factory.mktemp("log"))
    desk.open()
    expected: dict[str, int] = {}
    batch = [Append(number, [draft(*one) for one in call]) for number, call in enumerate(asked, start=1) if call]
    for call, got in zip(batch, desk.log.append(batch, arriving=0), strict=True):
        after = dict(expected)
        fits = True
        for one in call.drafts:
            fits = fits and one.seen in (None, after.get(one.stream, 0))
            after[one.stream] = after.get(one.stream, 0) + 1
        assert isinstance(got, Appended) is fits
        expected = after if fits else expected
    assert desk.log.size == sum(expected.values())
    assert {stream: desk.store.version(stream) for stream in expected} == expected
    assert desk.store.gap() is None
    desk.store.close()


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("session.cancel_requested", b'{"session":"s-a","source":1.5}'),
        ("session.cancel_requested", b'{"source":"here","session":"s-a"}'),
        ("session.cancel_requested", b'{"session":"s-a", "source":"here"}'),
        ("session.cancel_requested", b'{"session":"s-a","source":"\\u0061"}'),
        ("session.cancel_requested", b'{"extra":1,"session":"s-a","source":"here"}'),
        ("session.cancel_requested", b'{"session":"s-a"}'),
        ("session.cancel_requested", b'{"session":"s-a","source":"\xff"}'),
        ("session.cancel_requested", b'{"a":' + b"[" * 9000 + b"]" * 9000 + b"}"),
        ("session.cancel_requested", b'"text"'),
        ("session.cancel_requested", b""),
        ("session.unheard_of", b"{}"),
        ("Session Cancel", b"{}"),
        (
            "session.closed",
            b'{"actions":9007199254740992,"bytes_in":0,"bytes_out":0,"cause":"client_closed","cut_lag_us":null,"session":"s"}',
        ),
    ],
)
def test_a_body_that_readers_could_not_read_is_never_recorded(desk: Desk, kind: str, body: bytes) -> None:
    got = desk.append(Draft("session/s-a", kind, body, None))
    assert isinstance(got, Refused)
    assert got.code == "input.invalid"
    assert desk.log.size == 0
    assert desk.store.extent() == (0, 0, -1)


def test_the_largest_integer_that_is_allowed_is_recorded(desk: Desk) -> None:
    body = b'{"actions":%d,"bytes_in":0,"bytes_out":0,"cause":"client_closed","cut_lag_us":null,"session":"s"}' % (
        2**53 - 1
    )
    event = codec.decode("session.closed", body)
    assert isinstance(desk.append(Draft("session/s", event.kind, body, None)), Appended)


@pytest.mark.parametrize("stream", ["", "Session/s", "session/s b", 'session/"', "session//x", "session/\n"])
def test_a_stream_name_outside_the_alphabet_is_refused(desk: Desk, draft_of: MakeDraft, stream: str) -> None:
    good = draft_of("a")
    got = desk.append(Draft(stream, good.kind, good.body, None))
    assert isinstance(got, Refused)
    assert got.code == "input.invalid"


def test_an_entry_may_have_65535_bytes_and_not_one_more(desk: Desk, draft_of: MakeDraft) -> None:
    desk.append(draft_of("a", source=""))
    room = 65_535 - len(stored(desk)[0])
    assert isinstance(desk.append(draft_of("a", source="x" * room)), Appended)
    got = desk.append(draft_of("a", source="x" * (room + 1)))
    assert isinstance(got, Refused)
    assert (got.code, got.details) == ("record.too_large", {"size": "65536", "limit": "65535"})
    assert len(stored(desk)[1]) == 65_535


def test_a_full_disk_refuses_appends_writes_nothing_and_signs_nothing(desk: Desk, draft_of: MakeDraft) -> None:
    desk.append(draft_of("a"))
    desk.free = -1
    before = stored(desk)
    got = desk.append(draft_of("a"))
    assert isinstance(got, Refused)
    assert (got.code, got.details) == ("record.full", {"directory": str(desk.root)})
    with pytest.raises(SojournError) as error:
        desk.log.sign()
    assert error.value.code is Code.RECORD_FULL
    assert stored(desk) == before
    assert desk.store.last_checkpoint() is None
    desk.free = 1 << 30
    assert isinstance(desk.append(draft_of("a")), Appended)


def key(name: str = "k-1", wrapped: bytes = b"wrapped") -> Key:
    return Key(name, "p-alice", "auditors", wrapped)


@pytest.mark.parametrize(
    "more",
    [
        {"matter": [Matter(COMMITMENT, "k-unknown", b"x")]},
        {"keys": [key(), key(wrapped=b"other")]},
        {"keys": [key("k-taken", b"other")]},
        {"matter": [Matter("cd" * 32, "k-taken", b"other")]},
        {"keys": [key()], "matter": [Matter(COMMITMENT, "k-1", b"x"), Matter(COMMITMENT, "k-1", b"y")]},
    ],
)
def test_sealed_matter_that_could_not_be_opened_or_is_taken_is_refused_whole(
    desk: Desk, draft_of: MakeDraft, more: dict[str, object]
) -> None:
    desk.append(draft_of("z"), keys=[key("k-taken")], matter=[Matter("cd" * 32, "k-taken", b"x")])
    got = desk.append(draft_of("a"), **more)
    assert isinstance(got, Refused)
    assert got.code == "input.invalid"
    assert desk.log.size == 1
    assert desk.store.key("k-1") is None
    assert desk.store.ciphertext(COMMITMENT) is None


def test_a_key_or_a_value_may_be_sent_again_as_it_was(desk: Desk, draft_of: MakeDraft) -> None:
    more = {"keys": [key()], "matter": [Matter(COMMITMENT, "k-1", b"x")]}
    calls = [
        Append(number, [draft_of("a")], keys=[key()], matter=[Matter(COMMITMENT, "k-1", b"x")]) for number in (1, 2)
    ]
    assert all(isinstance(one, Appended) for one in desk.log.append(calls, arriving=0))
    assert isinstance(desk.append(draft_of("a"), **more), Appended)
    assert isinstance(desk.append(draft_of("a"), matter=[Matter("ef" * 32, "k-1", b"y")]), Appended)
    found = answer(ReadMatter(1, [COMMITMENT, "ef" * 32]), desk.log)
    assert isinstance(found, Matters)
    assert [one.ciphertext for one, _ in found.found] == [b"x", b"y"]


def test_a_checkpoint_covers_all_that_was_written_and_verifies(desk: Desk, draft_of: MakeDraft) -> None:
    verifier = Verifier.parse(KEY.vkey())
    assert checkpoints.open(desk.log.sign(), verifier).size == 0
    for count in (1, 300, 700):
        desk.append(*[draft_of("a") for _ in range(count)])
        note = desk.log.sign()
        opened = checkpoints.open(note, verifier)
        leaves = [leaf_hash(data) for data in stored(desk)]
        assert (opened.size, opened.root) == (len(leaves), recompute_root(leaves))
        assert (desk.root / "checkpoint").read_text() == note
        assert desk.store.last_checkpoint() == (opened.size, note)
        assert desk.log.sign() == note


def test_proofs_lead_to_the_signed_root(desk: Desk, draft_of: MakeDraft) -> None:
    roots = {}
    for _ in range(7):
        desk.append(*[draft_of("a") for _ in range(211)])
        roots[desk.log.size] = desk.log.edges.root()
    leaves = [leaf_hash(data) for data in stored(desk)]
    sizes = sorted(roots)
    for size in sizes:
        for seq in (0, 255, 256, size - 1):
            if seq < size:
                got = answer(Prove(1, [seq, 0], size), desk.log)
                assert isinstance(got, Proofs)
                for place, proof in zip((seq, 0), got.proofs, strict=True):
                    verify_inclusion(leaf=leaves[place], index=place, size=size, proof=proof, root=roots[size])
        got = answer(ProveConsistency(1, sizes[0], size), desk.log)
        assert isinstance(got, Hashes)
        verify_consistency(old=sizes[0], new=size, old_root=roots[sizes[0]], new_root=roots[size], proof=got.hashes)
    assert isinstance(answer(Prove(1, [0], sizes[-1] + 1), desk.log), Refused)


@pytest.mark.parametrize("which", ["entry and leaf", "bytes", "tile", "gone"])
def test_what_is_not_read_back_as_written_is_never_signed(desk: Desk, draft_of: MakeDraft, which: str) -> None:
    for _ in range(17):
        desk.append(*[draft_of("a") for _ in range(4096)])
    path = desk.root / "ledger.db"
    match which:
        case "bytes" | "entry and leaf":
            forge(path, 300, lambda data: data.replace(b"here", b"gone"), with_leaf=which == "entry and leaf")
        case "tile":
            alter(path, "UPDATE tile SET hashes = zeroblob(8192)")
        case _:
            alter(path, "DELETE FROM batch WHERE first = 256")
    with pytest.raises(SojournError) as error:
        desk.log.sign()
    assert error.value.code is Code.RECORD_DAMAGED
    assert desk.store.last_checkpoint() is None
    assert not (desk.root / "checkpoint").exists()


def test_one_answer_holds_a_page_at_most_and_says_where_to_go_on(desk: Desk, draft_of: MakeDraft) -> None:
    for _ in range(9):
        desk.append(*[draft_of("a", source="x" * 60_000) for _ in range(10)])
    start, seen = 0, 0
    while True:
        got = answer(Read(1, start, 2000, [], False), desk.log)
        assert isinstance(got, Entries)
        assert sum(map(len, got.entries)) < 5 * 1024 * 1024
        seen, start = seen + len(got.entries), got.following
        if not got.more:
            break
    assert (seen, start) == (90, 90)
    fetched = answer(Fetch(1, list(range(90))), desk.log)
    assert isinstance(fetched, Entries)
    assert 0 < len(fetched.entries) == fetched.following < 90


@given(st.lists(st.integers(0, 330), max_size=40), st.integers(0, 330), st.integers(0, 60))
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_entries_are_fetched_in_the_order_asked_however_they_lie(
    desk: Desk, scattered: list[int], start: int, run: int
) -> None:
    if not desk.log.size:
        for number in (300, 1, 9):
            desk.append(*[draft_of_place(place) for place in range(number)])
    places = [*scattered, *range(start, start + run), *scattered]
    got = answer(Fetch(1, places), desk.log)
    assert isinstance(got, Entries)
    there = [place for place in places if place < 310]
    assert got == Entries(1, [stored(desk)[place] for place in there], len(places), False)
    assert [entries.parse(data).seq for data in got.entries] == there


def draft_of_place(place: int) -> Draft:
    return draft(f"{place % 7}", source=f"{place}")


def test_who_has_seen_everything_is_told_so_without_a_look_into_the_store(desk: Desk, draft_of: MakeDraft) -> None:
    desk.append(*[draft_of("a") for _ in range(9)])
    assert answer(Read(1, 8, 10, [], True), desk.log) == Entries(1, stored(desk)[8:], 9, False)
    desk.store.close()
    assert answer(Read(1, 9, 10, ["session/"], True), desk.log) == Entries(1, [], 9, False)
    assert answer(Read(1, 12, 10, [], True), desk.log) == Entries(1, [], 12, False)


def test_no_kind_of_event_can_hold_a_float() -> None:
    # The body check of the hot path relies on it: what our codec writes has no floats.
    assert [name for name, event in KINDS.items() if "FloatType" in repr(msgspec.inspect.type_info(event))] == []
