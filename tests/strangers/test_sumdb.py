"""Checkpoints of a log that the whole world uses, sum.golang.org, read by our code with Go's published key."""

from __future__ import annotations

import pytest

from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger import note as notes
from sojourn.ledger import policy as policies
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.note import Verifier

KEY = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
# Served by https://sum.golang.org/latest in January 2023, and by a lookup in 2026.
OLDER = """\
go.sum database tree
15081221
BoMMe1wd25Tco0mYGROkyqxHZWx+hcSCtMV315Lu6Lg=

— sum.golang.org Az3grilD7vQqTrv66jRgKM84Y80KTprrSt4bKmiOPxgmS5ZVBTeCl6dUvjYnN13R+C8j0jGY1WnUADGMkok3U0m2Zgo=
"""
NEWER = """\
go.sum database tree
63096908
8lHrQPRYe4KT4WQ9/Qk8/taKnD6IRHbFgfN7vQE2Y54=

— sum.golang.org Az3gri/oVBN1jAhNZ/iS+W31psFAWRT20/GyrhpU6taFwulQGetBkH5S7wpGXdS935jiIGiUUAXBVHzT/P6fYhqAmAk=
"""


@pytest.mark.parametrize(("note", "size"), [(OLDER, 15_081_221), (NEWER, 63_096_908)])
def test_a_checkpoint_of_the_go_checksum_database_verifies(note: str, size: int) -> None:
    opened = notes.open(note, [Verifier.parse(KEY)])
    checkpoint = checkpoints.parse(opened.text)
    assert (opened.names, checkpoint.origin, checkpoint.size) == (("sum.golang.org",), "go.sum database tree", size)


@pytest.mark.parametrize("note", [OLDER, NEWER])
def test_one_other_character_and_it_does_not(note: str) -> None:
    for position, character in enumerate(note):
        if character == "\n":
            continue
        changed = note[:position] + ("x" if character != "x" else "y") + note[position + 1 :]
        with pytest.raises(LedgerError):
            notes.open(changed, [Verifier.parse(KEY)])


def test_a_log_that_signs_under_another_name_than_its_own_is_not_taken_for_a_ledger() -> None:
    with pytest.raises(LedgerError, match="is of"):
        checkpoints.open(OLDER, Verifier.parse(KEY))
    with pytest.raises(LedgerError, match="signs for"):
        policies.accept(policies.parse(f"log {KEY}\nquorum none\n".encode()), OLDER)
