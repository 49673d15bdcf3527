"""The second signature: beside the first, over the same checkpoint, and passed over by who does not know its key."""

from __future__ import annotations

from base64 import b64decode

import pytest

from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger import note as notes
from sojourn.ledger.checkpoint import Checkpoint
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.note import SigningKey
from sojourn.ledger.second_key import SecondKey

NAME = "sojourn.example/ledger"
FIRST = SigningKey.generate(NAME, bytes(range(32)))
SECOND = SecondKey.generate(NAME, bytes([9] * 32))
HEAD = Checkpoint(origin=NAME, size=300, root=bytes(range(32)))
NOTE = checkpoints.sign(HEAD, FIRST, SECOND)


def test_both_sign_the_same_checkpoint_and_the_first_alone_is_enough_to_open_it() -> None:
    assert checkpoints.open(NOTE, FIRST.verifier()) == SECOND.verify(NOTE) == HEAD
    _, lines = notes.split(NOTE)
    assert [len(blob) for _, _, blob in lines] == [64, 8 + 2420]


def test_the_second_one_alone_opens_nothing() -> None:
    alone = checkpoints.sign(HEAD, SECOND)
    with pytest.raises(LedgerError):
        checkpoints.open(alone, FIRST.verifier())
    with pytest.raises(LedgerError):
        SECOND.verify(checkpoints.sign(HEAD, FIRST))


def test_a_key_comes_back_from_its_text_and_never_shows() -> None:
    assert SecondKey.parse(SECOND.format()) == SECOND
    assert SECOND.seed.hex() not in repr(SECOND) and "seed" not in repr(SECOND)
    public = b64decode(SECOND.vkey().split("+", 2)[2])
    assert public[:1] == b"\x06" and len(public) == 1313
    for text in (FIRST.format(), SECOND.vkey(), SECOND.format()[:-4] + "AAA=", ""):
        with pytest.raises(LedgerError):
            SecondKey.parse(text)


@pytest.mark.parametrize("step", [97])
def test_each_changed_byte_of_what_it_signs_is_found(step: int) -> None:
    text, _ = notes.split(NOTE)
    for place in [*range(len(text) - 1), *range(len(text), len(NOTE), step)]:
        altered = NOTE[:place] + chr(ord(NOTE[place]) ^ 1) + NOTE[place + 1 :]
        if altered.splitlines()[-2] != NOTE.splitlines()[-2]:
            continue  # only the first signature was altered, and that one it does not look at
        with pytest.raises(LedgerError):
            assert SECOND.verify(altered) != HEAD
            raise LedgerError("another checkpoint, and it was taken")


def test_an_origin_or_a_name_that_it_cannot_write_down_is_refused() -> None:
    long = "a" * 256
    with pytest.raises(LedgerError):
        SecondKey.generate(long, bytes(32))
    with pytest.raises(LedgerError):
        SECOND.signature_line(Checkpoint(origin=long, size=1, root=bytes(32)).format())
