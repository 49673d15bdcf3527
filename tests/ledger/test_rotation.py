"""A chain of changes of the ledger's key says whose turn it was at each size."""

from __future__ import annotations

import pytest

from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger import rotation as rotations
from sojourn.ledger.checkpoint import Checkpoint
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.note import SigningKey

NAME = "sojourn.example/ledger"
FIRST, SECOND, THIRD, OTHER = (SigningKey.generate(NAME, bytes([number]) * 32) for number in range(1, 5))
STATEMENTS = (rotations.sign(10, FIRST, SECOND), rotations.sign(20, SECOND, THIRD))
CHAIN = rotations.follow(STATEMENTS)


def note(size: int, *keys: SigningKey) -> str:
    return checkpoints.sign(Checkpoint(origin=NAME, size=size, root=bytes(32)), *keys)


@pytest.mark.parametrize("trusted", [FIRST, SECOND, THIRD])
@pytest.mark.parametrize(
    ("size", "turn"), [(0, FIRST), (10, FIRST), (11, SECOND), (20, SECOND), (21, THIRD), (99, THIRD)]
)
def test_whoever_trusts_one_key_takes_at_each_size_only_the_key_whose_turn_it_is(
    size: int, turn: SigningKey, trusted: SigningKey
) -> None:
    for key in (FIRST, SECOND, THIRD, OTHER):
        if key == turn:
            assert rotations.open_checkpoint(note(size, key), trusted.verifier(), CHAIN).size == size
        else:
            with pytest.raises(LedgerError):
                rotations.open_checkpoint(note(size, key), trusted.verifier(), CHAIN)
    assert rotations.open_checkpoint(note(size, FIRST, SECOND, THIRD), trusted.verifier(), CHAIN).size == size


def test_a_key_that_is_not_in_the_chain_stands_for_itself() -> None:
    assert rotations.open_checkpoint(note(15, OTHER), OTHER.verifier(), CHAIN).size == 15
    with pytest.raises(LedgerError):
        rotations.open_checkpoint(note(15, SECOND), OTHER.verifier(), CHAIN)


def test_statements_come_apart_again_and_nothing_may_stand_between_them() -> None:
    assert rotations.split("".join(STATEMENTS)) == STATEMENTS
    for wrong in ("x" + STATEMENTS[0], STATEMENTS[0] + "\n", STATEMENTS[0][:-1]):
        with pytest.raises(LedgerError):
            rotations.split(wrong)


@pytest.mark.parametrize(
    "statements",
    [
        STATEMENTS[::-1],
        (STATEMENTS[0], rotations.sign(10, SECOND, THIRD)),
        (STATEMENTS[0], rotations.sign(20, FIRST, THIRD)),
        (STATEMENTS[0], rotations.sign(20, SECOND, FIRST)),
    ],
    ids=["in the wrong order", "at the same size", "from a key that was followed", "back to an old key"],
)
def test_what_forms_no_chain_is_refused(statements: tuple[str, ...]) -> None:
    with pytest.raises(LedgerError):
        rotations.follow(statements)


def test_a_change_between_keys_of_two_names_is_refused() -> None:
    with pytest.raises(LedgerError):
        rotations.parse(rotations.sign(1, FIRST, SigningKey.generate("other.example", b"\x05" * 32)))
