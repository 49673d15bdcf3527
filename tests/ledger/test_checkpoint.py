"""Checkpoints: three signed lines, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger import note as notes
from sojourn.ledger.checkpoint import Checkpoint
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.note import SigningKey

KEY = SigningKey.generate("sojourn.example/ledger", bytes(range(32)))
ROOT = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="


def test_the_specifications_text_reads_and_writes_back() -> None:
    text = f"example.com/behind-the-sofa\n20852163\n{ROOT}\n"
    checkpoint = checkpoints.parse(text)
    assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20_852_163)
    assert checkpoint.format() == text


@given(st.integers(0, 2**63 - 1), st.binary(min_size=32, max_size=32))
def test_what_is_signed_opens_again(size: int, root: bytes) -> None:
    checkpoint = Checkpoint(origin=KEY.name, size=size, root=root)
    assert checkpoints.open(checkpoints.sign(checkpoint, KEY), KEY.verifier()) == checkpoint


@pytest.mark.parametrize(
    "text",
    [
        "", "a\n1\n", f"\n1\n{ROOT}\n", f"a\n01\n{ROOT}\n", f"a\n-1\n{ROOT}\n", f"a\n+1\n{ROOT}\n",
        f"a\n\u0661\n{ROOT}\n",
        f"a\n9223372036854775808\n{ROOT}\n", f"a\n1\n{ROOT}", f"a\n1\n{ROOT[:-1]}\n", f"a\n1\n{ROOT[:-2]}J=\n",
        "a\n1\nAAAA\n", f"a\n1\n{ROOT}\nextension\n", f"a\n1\n{ROOT}\n\n", f"a\n\n{ROOT}\n", f"a\n1 \n{ROOT}\n",
    ],
)  # fmt: skip
def test_another_text_is_refused(text: str) -> None:
    with pytest.raises(LedgerError):
        checkpoints.parse(text)


@pytest.mark.parametrize(
    "checkpoint",
    [
        Checkpoint(origin="a\nb", size=1, root=bytes(32)), Checkpoint(origin="", size=1, root=bytes(32)),
        Checkpoint(origin="a", size=-1, root=bytes(32)), Checkpoint(origin="a", size=1, root=bytes(31)),
        Checkpoint(origin="a", size=2**63, root=bytes(32)),
    ],
)  # fmt: skip
def test_a_checkpoint_that_would_not_read_back_is_not_written(checkpoint: Checkpoint) -> None:
    with pytest.raises(LedgerError):
        checkpoint.format()


def test_a_key_signs_for_its_own_ledger_only() -> None:
    other = Checkpoint(origin="other.example", size=1, root=bytes(32))
    with pytest.raises(LedgerError, match="does not sign for"):
        checkpoints.sign(other, KEY)
    with pytest.raises(LedgerError, match=r"is of 'other\.example'"):
        checkpoints.open(notes.sign(other.format(), [KEY]), KEY.verifier())


@given(st.text(max_size=80))
def test_garbage_raises_only_the_error_of_the_ledger(text: str) -> None:
    with pytest.raises(LedgerError):
        checkpoints.parse(text)
    with pytest.raises(LedgerError):
        checkpoints.open(text, KEY.verifier())
