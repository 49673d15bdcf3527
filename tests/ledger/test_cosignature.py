"""Cosignatures: the form of C2SP tlog-cosignature, and everything that is not a witness's word on this checkpoint."""

from __future__ import annotations

import struct
from base64 import b64decode, b64encode
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger import cosignature as cosignatures
from sojourn.ledger.checkpoint import Checkpoint
from sojourn.ledger.cosignature import Cosigner, CosigningKey
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.note import SigningKey, Verifier

LOG = SigningKey.generate("sojourn.example/ledger", bytes(range(32)))
CHECKPOINT = Checkpoint(origin=LOG.name, size=7, root=sha256(b"root").digest())
NOTE = checkpoints.sign(CHECKPOINT, LOG)
W1 = CosigningKey.generate("witness.example/w1", bytes([1]) * 32)
W2 = CosigningKey.generate("witness.example/w2", bytes([2]) * 32)
# A public witness's key, as its operator publishes it.
REMORA = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"


def test_a_published_witness_key_is_read_and_written() -> None:
    cosigner = Cosigner.parse(REMORA)
    assert cosigner.name == "remora.n621.de" and cosigner.vkey() == REMORA


def test_a_cosignature_has_the_bytes_of_the_specification() -> None:
    line = W1.cosign(CHECKPOINT.format(), 1_679_315_147)
    blob = b64decode(line.split(" ")[2])
    public = Ed25519PrivateKey.from_private_bytes(W1.seed).public_key().public_bytes_raw()
    assert line.startswith("— witness.example/w1 ") and line.endswith("\n") and len(blob) == 4 + 8 + 64
    assert blob[:4] == sha256(b"witness.example/w1\n\x04" + public).digest()[:4]
    assert struct.unpack(">Q", blob[4:12]) == (1_679_315_147,)
    message = b"cosignature/v1\ntime 1679315147\n" + CHECKPOINT.format().encode()
    Ed25519PublicKey.from_public_bytes(public).verify(blob[12:], message)


def test_a_cosigning_key_comes_back_from_its_file_and_hides_its_seed() -> None:
    assert CosigningKey.parse(W1.format() + "\n") == W1
    assert W1.seed.hex() not in repr(W1) and str(W1.seed) not in repr(W1)
    assert Cosigner.parse(W1.cosigner().vkey()) == W1.cosigner()


def test_a_log_cannot_pass_for_a_witness_nor_a_witness_for_a_log() -> None:
    with pytest.raises(LedgerError, match="none of this kind"):
        Cosigner.parse(LOG.vkey())
    with pytest.raises(LedgerError, match="none of this kind"):
        Verifier.parse(W1.cosigner().vkey())
    with pytest.raises(LedgerError, match="none of this kind"):
        CosigningKey.parse(LOG.format())
    # The same key material under the same name signs both ways; neither signature is good as the other.
    twin = CosigningKey.generate(LOG.name, LOG.seed)
    as_log = LOG.signature_line(CHECKPOINT.format())
    forged = (
        f"— {twin.name} {b64encode(twin.cosigner().key_id + bytes(8) + b64decode(as_log.split(' ')[2])[4:]).decode()}"
    )
    with pytest.raises(LedgerError, match="is wrong"):
        cosignatures.verify(f"{CHECKPOINT.format()}\n{forged}\n", [twin.cosigner()])


@pytest.mark.parametrize("height", [0, 1, 2**255 - 20])
def test_a_key_that_would_accept_anything_is_refused(height: int) -> None:
    weak = Cosigner(name="weak.example", public=height.to_bytes(32, "little"))
    with pytest.raises(LedgerError, match="not a usable"):
        Cosigner.parse(weak.vkey())


def test_the_witnesses_of_a_checkpoint_are_told_with_their_times() -> None:
    text = CHECKPOINT.format()
    note = NOTE + W1.cosign(text, 100) + W2.cosign(text, 200)
    found = cosignatures.verify(note, [W1.cosigner(), W2.cosigner()])
    assert [(one.cosigner.name, one.seconds) for one in found] == [(W1.name, 100), (W2.name, 200)]
    assert checkpoints.open(note, LOG.verifier()) == CHECKPOINT
    assert cosignatures.verify(note, []) == () and cosignatures.verify(NOTE, [W1.cosigner()]) == ()


def test_of_two_cosignatures_of_one_witness_the_newest_counts() -> None:
    text = CHECKPOINT.format()
    for order in ((100, 300), (300, 100)):
        note = NOTE + "".join(W1.cosign(text, seconds) for seconds in order)
        assert [one.seconds for one in cosignatures.verify(note, [W1.cosigner()])] == [300]


def test_a_new_cosignature_takes_the_place_of_the_old_one_and_of_no_other_line() -> None:
    text = CHECKPOINT.format()
    note = NOTE + W1.cosign(text, 100) + W2.cosign(text, 100)
    fresh = cosignatures.read_answer(NOTE, W1.cosign(text, 200), W1.cosigner())
    attached = cosignatures.attach(note, [fresh])
    assert attached == NOTE + W2.cosign(text, 100) + W1.cosign(text, 200)


def test_an_answer_may_hold_lines_of_strangers_and_must_hold_one_of_this_witness() -> None:
    text = CHECKPOINT.format()
    answer = W2.cosign(text, 5) + W1.cosign(text, 6)
    assert cosignatures.read_answer(NOTE, answer, W1.cosigner()).seconds == 6
    with pytest.raises(LedgerError, match="holds no cosignature"):
        cosignatures.read_answer(NOTE, W2.cosign(text, 5), W1.cosigner())


@pytest.mark.parametrize("answer", ["", "\n", "hello", "— x y\n", "\n\n— a b\n", "—\n", "x" * 2_000_000])
def test_any_other_answer_is_refused(answer: str) -> None:
    with pytest.raises(LedgerError):
        cosignatures.read_answer(NOTE, answer, W1.cosigner())


@pytest.mark.parametrize("position", range(4, 76))
def test_a_flipped_bit_in_time_or_signature_is_noticed(position: int) -> None:
    blob = bytearray(b64decode(W1.cosign(CHECKPOINT.format(), 1_700_000_000).split(" ")[2]))
    blob[position] ^= 1
    note = NOTE + f"— {W1.name} {b64encode(blob).decode()}\n"
    with pytest.raises(LedgerError, match=r"is wrong|wrong form"):
        cosignatures.verify(note, [W1.cosigner()])


def test_a_cosignature_holds_for_no_other_checkpoint() -> None:
    other = checkpoints.sign(Checkpoint(origin=LOG.name, size=8, root=CHECKPOINT.root), LOG)
    with pytest.raises(LedgerError, match="is wrong"):
        cosignatures.verify(other + W1.cosign(CHECKPOINT.format(), 5), [W1.cosigner()])


@pytest.mark.parametrize("length", [0, 1, 7, 8, 63, 71, 73, 100])
def test_a_cosignature_of_another_length_is_refused(length: int) -> None:
    note = NOTE + f"— {W1.name} {b64encode(W1.cosigner().key_id + bytes(max(1, length))).decode()}\n"
    with pytest.raises(LedgerError):
        cosignatures.verify(note, [W1.cosigner()])


def test_a_time_beyond_the_specification_is_neither_written_nor_read() -> None:
    for seconds in (-1, 2**63):
        with pytest.raises(LedgerError, match="is not a time"):
            W1.cosign(CHECKPOINT.format(), seconds)
    blob = W1.cosigner().key_id + (2**63).to_bytes(8, "big") + bytes(64)
    with pytest.raises(LedgerError, match="wrong form"):
        cosignatures.verify(NOTE + f"— {W1.name} {b64encode(blob).decode()}\n", [W1.cosigner()])


def test_the_same_witness_twice_in_the_trusted_list_is_a_mistake() -> None:
    with pytest.raises(LedgerError, match="same name and id"):
        cosignatures.verify(NOTE, [W1.cosigner(), W1.cosigner()])


@pytest.mark.parametrize(("name", "seed"), [("", bytes(32)), ("a b", bytes(32)), ("a+b", bytes(32)), ("a", bytes(31))])
def test_a_key_without_a_proper_name_or_seed_is_not_made(name: str, seed: bytes) -> None:
    with pytest.raises(LedgerError):
        CosigningKey.generate(name, seed)


@given(st.text(max_size=300))
def test_reading_anything_gives_a_value_or_the_one_error(text: str) -> None:
    for read in (Cosigner.parse, CosigningKey.parse, lambda note: cosignatures.verify(note, [W1.cosigner()])):
        try:
            read(text)
        except LedgerError:
            continue
