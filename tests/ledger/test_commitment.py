"""Commitments: the documented hash, and a salt that cannot be left out."""

from __future__ import annotations

from hashlib import sha256

import pytest

from sojourn.ledger.commitment import commit
from sojourn.ledger.errors import LedgerError


def test_a_commitment_is_the_documented_hash() -> None:
    salt = bytes(range(32))
    assert commit(b"select 1", salt) == sha256(b"sojourn/sealed/v1\x00" + salt + b"select 1").hexdigest()


def test_another_value_or_salt_gives_another_commitment() -> None:
    made = {commit(value, salt) for value in (b"", b"a", b"b") for salt in (bytes(32), bytes(31) + b"\x01")}
    assert len(made) == 6


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_salt_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(LedgerError):
        commit(b"x", bytes(length))
