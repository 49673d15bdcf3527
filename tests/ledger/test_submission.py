"""Submissions: the text of C2SP tlog-witness, and the one error for everything else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.ledger import submission as submissions
from sojourn.ledger.errors import LedgerError
from sojourn.testing.log import MemoryLog

LOG = MemoryLog().grow(40)
GOOD = submissions.submit(LOG.note(11), old=3, proof=LOG.proof(3, 11)).format().decode()
# The example of the specification.
EXAMPLE = """\
old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
"""  # noqa: E501 - as it is there


def test_the_example_of_the_specification_is_read() -> None:
    read = submissions.parse(EXAMPLE.encode())
    assert (read.old, len(read.proof)) == (20_852_014, 4)
    assert (read.checkpoint.origin, read.checkpoint.size) == ("example.com/behind-the-sofa", 20_852_163)
    assert read.format() == EXAMPLE.encode()


@given(st.integers(0, 40), st.integers(0, 40))
def test_what_is_written_is_read_again(one: int, other: int) -> None:
    old, new = sorted((one, other))
    written = submissions.submit(LOG.note(new), old=old, proof=LOG.proof(old, new))
    assert submissions.parse(written.format()) == written


def test_a_checkpoint_with_lines_of_its_own_is_read_and_they_are_part_of_what_is_signed() -> None:
    note = LOG.note(11).replace("\n\n", "\nan extension\n\n", 1)
    read = submissions.submit(note, old=0, proof=())
    assert read.checkpoint == LOG.checkpoint(11) and read.text.endswith("an extension\n")


@pytest.mark.parametrize(
    "body",
    [
        "",
        "\n\n",
        "old 3",
        GOOD.replace("old 3", "old 03"),
        GOOD.replace("old 3", "old -3"),
        GOOD.replace("old 3", "old  3"),
        GOOD.replace("old 3", "Old 3"),
        GOOD.replace("old 3", "old 9223372036854775808"),
        GOOD.replace("old 3\n", "old 3\n" + "A" * 43 + "\n"),
        GOOD.replace("old 3\n", "old 3\nAAAA\n"),
        GOOD.replace("old 3\n", "old 3\n" + ("A" * 43 + "=\n") * 64),
        GOOD.replace("old 3\n", "old 3\r\n"),
        GOOD.replace("\n\n", "\n", 1),
        GOOD[:-1],
        GOOD + " ",
        GOOD + "x" * 70_000,
        GOOD.replace("sojourn.example/ledger\n11\n", "sojourn.example/ledger\n011\n"),
    ],
)
def test_any_other_body_is_refused(body: str) -> None:
    with pytest.raises(LedgerError):
        submissions.parse(body.encode())


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(LedgerError, match="UTF-8"):
        submissions.parse(b"old 3\xff\n\n")


@given(st.binary(max_size=400))
def test_reading_anything_gives_a_submission_or_the_one_error(body: bytes) -> None:
    try:
        submissions.parse(body)
    except LedgerError:
        return


@given(st.integers(0, len(GOOD) - 1), st.text(max_size=3))
def test_reading_something_near_gives_a_submission_or_the_one_error(position: int, inserted: str) -> None:
    try:
        submissions.parse((GOOD[:position] + inserted + GOOD[position + 1 :]).encode())
    except (LedgerError, UnicodeEncodeError):
        return
