"""Proof files: the text of C2SP tlog-proof, read strictly and followed to the signed root."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger import merkle
from sojourn.ledger import proof as proofs
from sojourn.ledger.checkpoint import Checkpoint
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.note import SigningKey
from sojourn.ledger.proof import Proof

KEY = SigningKey.generate("sojourn.example/ledger", bytes(range(32)))
LEAVES = [merkle.leaf_hash(bytes([n])) for n in range(11)]
CHECKPOINT = Checkpoint(origin=KEY.name, size=11, root=merkle.recompute_root(LEAVES))
NOTE = checkpoints.sign(CHECKPOINT, KEY)
V1 = "c2sp.org/tlog-proof@v1"
HASH = "gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ="


def read(level: int, index: int) -> bytes:
    return merkle.recompute_root(LEAVES[index << level : (index + 1) << level])


def proof_of(index: int, extra: bytes | None = None) -> Proof:
    hashes = tuple(merkle.inclusion_proof(index, 11, read))
    return Proof(index=index, hashes=hashes, checkpoint_note=NOTE, extra=extra)


def test_the_text_is_that_of_the_specification() -> None:
    proof = Proof(index=73_894, hashes=(bytes(32),), checkpoint_note=NOTE, extra=b"age")
    zeros = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
    assert proof.format() == f"c2sp.org/tlog-proof@v1\nextra YWdl\nindex 73894\n{zeros}\n\n{NOTE}"
    assert proofs.parse(proof.format()) == proof
    alone = Proof(index=0, hashes=(), checkpoint_note=NOTE)
    assert alone.format() == f"c2sp.org/tlog-proof@v1\nindex 0\n\n{NOTE}" and proofs.parse(alone.format()) == alone


@pytest.mark.parametrize("index", range(11))
def test_each_entry_is_followed_to_the_signed_root(index: int) -> None:
    proof = proofs.parse(proof_of(index, extra=b"ignored").format())
    assert proofs.verify(proof, leaf=LEAVES[index], verifier=KEY.verifier()) == CHECKPOINT
    for other in range(11):
        if other != index:
            with pytest.raises(LedgerError):
                proofs.verify(proof, leaf=LEAVES[other], verifier=KEY.verifier())


def test_a_proof_under_another_key_is_refused() -> None:
    stranger = SigningKey.generate(KEY.name, bytes(32))
    with pytest.raises(LedgerError, match="No trusted key"):
        proofs.verify(proof_of(3), leaf=LEAVES[3], verifier=stranger.verifier())


@pytest.mark.parametrize(
    "head",
    [
        "",
        "c2sp.org/tlog-proof@v2\nindex 1",
        V1,
        f"{V1}\nindex",
        f"{V1}\nindex 01",
        f"{V1}\nindex -1",
        f"{V1}\nindex 1\nAAAA",
        f"{V1}\nindex 1\n{HASH[:-1]}",
        f"{V1}\nindex 1\n{HASH[:-2]}R=",
        f"{V1}\n{HASH}\nindex 1",
        f"{V1}\nindex 1 ",
        f"{V1}\nextra !\nindex 1",
        f"{V1}\nextra YWdm\nextra YWdm\nindex 1",
        f"{V1}\nextra YWdl",
        f"{V1}\nindex 1" + f"\n{HASH}" * 64,
        f"{V1}\r\nindex 1",
        f"{V1}\nindex 1\n {HASH}",
    ],
)  # fmt: skip
def test_another_form_is_refused(head: str) -> None:
    with pytest.raises(LedgerError):
        proofs.parse(f"{head}\n\n{NOTE}")


def test_a_proof_without_its_checkpoint_or_far_too_long_is_refused() -> None:
    for text in (
        f"c2sp.org/tlog-proof@v1\nindex 1\n\n{NOTE[:-1]}",
        "c2sp.org/tlog-proof@v1\nindex 1\n\n",
        "x" * 2_000_000,
    ):
        with pytest.raises(LedgerError):
            proofs.parse(text)


@given(place=st.integers(0, 10_000), character=st.characters())
def test_a_changed_character_never_proves_another_thing(place: int, character: str) -> None:
    text = proof_of(6).format()
    place %= len(text)
    altered = text[:place] + character + text[place + 1 :]
    if altered == text:
        return
    with pytest.raises(LedgerError):
        proofs.verify(proofs.parse(altered), leaf=LEAVES[6], verifier=KEY.verifier())


@given(st.text(max_size=120))
def test_garbage_raises_only_the_error_of_the_ledger(text: str) -> None:
    with pytest.raises(LedgerError):
        proofs.parse(text)
