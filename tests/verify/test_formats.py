"""The verifier and the ledger package are written apart; here they have to agree on every input."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import sojourn_verify
from sojourn.ledger import canonical, merkle
from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger import entry as entries
from sojourn.ledger import proof as proofs
from sojourn.ledger.checkpoint import Checkpoint
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.note import SigningKey
from sojourn.ledger.proof import Proof
from sojourn.ledger.tiles import encode_bundle
from sojourn_verify import CheckError, Key, Note, Trust, Verification

KEY = SigningKey.generate("sojourn.example/ledger", bytes(range(32)))
OTHER = SigningKey.generate("witness.example", bytes(32))
TRUSTED = Trust([Key.parse(KEY.vkey(), sojourn_verify.LOG)])
ENTRY = entries.assemble(
    seq=3, at="2026-11-25T07:29:12.123456Z", stream="grant/g-1", version=2, kind="grant.ended", body=b'{"rows":12}'
)
NOTE = checkpoints.sign(Checkpoint(origin=KEY.name, size=9, root=bytes(range(32))), KEY)


def accepts(function: Any, *arguments: Any) -> bool:
    try:
        function(*arguments)
    except (CheckError, LedgerError):
        return False
    return True


def open_checkpoint(data: bytes) -> None:
    TRUSTED.check(Note(data))


def edits(text: bytes) -> st.SearchStrategy[bytes]:
    """The bytes with a slice replaced by something short: most results are wrong in one place."""
    pieces = st.binary(max_size=3) | st.sampled_from(
        [b'"', b"{}", b"[]", b" ", b"\n", b"0", b"1.0", b"-0", b"=", b"\\u0041"]
    )
    places = st.tuples(st.integers(0, len(text)), st.integers(0, 3), pieces)
    return places.map(lambda edit: text[: edit[0]] + edit[2] + text[edit[0] + edit[1] :])


@given(edits(ENTRY))
@example(ENTRY)
@example(ENTRY.replace(b'{"rows":12}', b'{"a":9007199254740991}'))
@example(ENTRY.replace(b'{"rows":12}', b'{"a":9007199254740992}'))
@example(ENTRY.replace(b'{"rows":12}', b'{"a":-9007199254740992}'))
@example(ENTRY.replace(b'{"rows":12}', b'{"rows":12,"rows":12}'))
@example(ENTRY.replace(b'{"rows":12}', b'{"rows":{"A":1}}'))
@example(ENTRY.replace(b'{"rows":12}', b'{"rows":1e3}'))
@example(ENTRY.replace(b'{"rows":12}', b'{"rows":NaN}'))
@example(ENTRY.replace(b'{"rows":12}', b'{"rows":"\\ud800"}'))
@example(ENTRY.replace(b'{"rows":12}', b'{"rows":"\x7f"}'))
@example(ENTRY.replace(b'{"rows":12}', b'{"rows":"\\u001f\\b\\t\\n\\f\\r\\"\\\\/"}'))
@example(ENTRY.replace(b"g-1", b"g" * 250))
@example(ENTRY.replace(b"g-1", b"g" * 251))
@example(ENTRY.replace(b"grant.ended", b"k" * 101))
@example(ENTRY.replace(b'{"rows":12}', b'{"a":"' + b"x" * 65_390 + b'"}'))
def test_both_accept_the_same_entries(data: bytes) -> None:
    assert accepts(entries.parse, data) == accepts(sojourn_verify.read_entry, data)


def refused_by_form(data: bytes, run: Verification) -> bool:
    run.time, run.versions, run.problems = b"", {b"grant/g-1": 1}, []
    run.take(encode_bundle([data]), merkle.leaf_hash(data), 3)
    return any(problem["code"] in ("entry.form", "form.json") for problem in run.problems)


BODIES = [
    b'{"rows":12}', b'{"a":"x","b":null,"c":true}', b'{"a":["x","y"],"b":-3}', b'{"a":{"b":[]},"c":[1,2,3,4,5,6]}',
    b'{"a":[{"b":"c"},{"b":"d"}]}', b'{"a":{},"b":"\\n"}',
]  # fmt: skip


@given(st.sampled_from(BODIES), st.data())
def test_what_is_known_by_its_shape_is_what_would_have_been_parsed(body: bytes, data: st.DataObject) -> None:
    """The fast way through a ledger takes nothing that the slow one refuses, and refuses nothing that it takes."""
    first = ENTRY.replace(b'{"rows":12}', body)
    run = Verification()
    run.read(first)
    assert not refused_by_form(first, run)
    altered = data.draw(edits(first))
    assert refused_by_form(altered, run) is not accepts(sojourn_verify.read_entry, altered)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"grant.ended", b'grant"ended'), (b"grant.ended", b"grantxended"), (b"12}", b"012}"), (b"12}", b"-0}"),
        (b"12}", b"1" * 16 + b"}"), (b"12}", b"9" * 16 + b"}"), (b"12}", b'"\\n"}'), (b"12}", b'"\x01"}'),
        (b"11-25", b"02-30"), (b"g-1", b"g" * 251), (b"g-1", b"g" * 250), (b"12}", b'"\xff"}'),
        (b"12}", b'"\xc3\xa4"}'),
    ],
)  # fmt: skip
def test_a_shape_does_not_blur_what_the_form_tells_apart(old: bytes, new: bytes) -> None:
    run = Verification()
    run.read(ENTRY)
    altered = ENTRY.replace(old, new)
    assert altered != ENTRY
    assert refused_by_form(altered, run) is not accepts(sojourn_verify.read_entry, altered)


KEYS = st.from_regex(r"[a-z][a-z0-9_]{0,4}", fullmatch=True)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


@given(VALUES)
def test_both_accept_what_the_encoder_writes(value: Any) -> None:
    data = canonical.encode({"value": value})
    assert canonical.parse(data) == sojourn_verify.canonical(data) == {"value": value}


@given(edits(NOTE.encode()))
@example(NOTE.encode())
@example((NOTE + OTHER.signature_line("x\n")).encode())
@example((NOTE + NOTE.splitlines()[-1] + "\n").encode())
@example(NOTE.replace("\n\n", "\nextension\n\n").encode())
def test_both_accept_the_same_checkpoints(data: bytes) -> None:
    text = data.decode(errors="surrogateescape")
    assert accepts(checkpoints.open, text, KEY.verifier()) == accepts(open_checkpoint, data)


@pytest.mark.parametrize(("index", "size"), [(0, 1), (0, 2), (5, 9), (8, 9), (255, 300), (299, 300)])
def test_both_follow_the_same_proofs(index: int, size: int) -> None:
    leaves = [merkle.leaf_hash(bytes([n % 251, n // 251])) for n in range(size)]

    def read(level: int, place: int) -> bytes:
        return merkle.recompute_root(leaves[place << level : (place + 1) << level])

    data = bytes([index % 251, index // 251])
    note = checkpoints.sign(Checkpoint(origin=KEY.name, size=size, root=merkle.recompute_root(leaves)), KEY)
    hashes = tuple(merkle.inclusion_proof(index, size, read))
    text = Proof(index=index, hashes=hashes, checkpoint_note=note).format()
    assert proofs.verify(proofs.parse(text), leaf=merkle.leaf_hash(data), verifier=KEY.verifier()).size == size
    assert sojourn_verify.check_proof(text.encode(), data)[0] == index
    longer = Proof(index=index, hashes=(*hashes, bytes(32)), checkpoint_note=note).format()
    wrong = [longer, text.replace(f"index {index}\n", f"index {index + 1}\n"), text.replace("@v1", "@v2")]
    if hashes:
        wrong.append(Proof(index=index, hashes=hashes[:-1], checkpoint_note=note).format())
        root = merkle.recompute_root(leaves)
        wrong += [Proof(index=index, hashes=(root,) * length, checkpoint_note=note).format() for length in range(1, 4)]
    for bad in wrong:
        assert not accepts(sojourn_verify.check_proof, bad.encode(), data)
        with pytest.raises(LedgerError):
            proofs.verify(proofs.parse(bad), leaf=merkle.leaf_hash(data), verifier=KEY.verifier())


@given(st.binary(max_size=300))
def test_garbage_gives_a_failed_check_and_nothing_else(data: bytes) -> None:
    assert not accepts(sojourn_verify.read_entry, data)
    assert not accepts(open_checkpoint, data)
    assert not accepts(sojourn_verify.check_proof, data, b"")
    accepts(sojourn_verify.canonical, data)


@pytest.mark.parametrize("data", [b"[" * 200_000, b"1" * 10_000, b'{"a":' * 5000 + b"1" + b"}" * 5000])
def test_input_that_would_exhaust_a_parser_gives_a_failed_check(data: bytes) -> None:
    assert not accepts(sojourn_verify.canonical, data)
