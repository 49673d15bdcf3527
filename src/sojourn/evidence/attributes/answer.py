"""What an attribute test says: its letter, its answer, and the reason in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Answer(StrEnum):
    """What a test found."""

    PASS = "pass"  # noqa: S105 - an answer, not a password
    FAIL = "fail"
    NOT_APPLICABLE = "not applicable"


class Letter(StrEnum):
    """The tests, by the letters that auditors know them by. `asks` says what each asks."""

    asks: str

    def __new__(cls, letter: str, asks: str) -> Letter:
        """A letter with its title."""
        made = str.__new__(cls, letter)
        made._value_ = letter
        made.asks = asks
        return made

    A = ("A", "Ticket valid, and dated before the grant")
    B = ("B", "Approved before first use")
    C = ("C", "Approvers had the authority then")
    D = ("D", "Requester, approvers and reviewer are different people")
    E = ("E", "Granted within what was approved, and that within what was eligible")
    F = ("F", "No action outside the window")
    G = ("G", "Actions within what was declared")
    H = ("H", "Removed in time, and read back as gone")
    I = ("I", "Reviewed in time, by somebody eligible who had no part in it")  # noqa: E741
    J = ("J", "Exceptions followed up")
    K = ("K", "Integrity verifies")
    L = ("L", "Shared credential changed after use")
    M = ("M", "Emergency: told at once, and looked at afterwards in time")


VERSION = "2"
"""Of the logic of the tests. Raised with every change of what an answer means (docs/reference/attribute-tests.md)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeTest:
    """One test with its answer."""

    letter: str
    title: str
    answer: Answer
    reason: str


def passed(letter: Letter, holds: bool, reason: str) -> AttributeTest:
    """A test that passes if `holds`."""
    answer = Answer.PASS if holds else Answer.FAIL
    return AttributeTest(letter=letter, title=letter.asks, answer=answer, reason=reason)


def not_applicable(letter: Letter, reason: str) -> AttributeTest:
    """A test that has nothing to ask here."""
    return AttributeTest(letter=letter, title=letter.asks, answer=Answer.NOT_APPLICABLE, reason=reason)


def moment_text(moment: datetime) -> str:
    """A moment as people and machines read it: RFC 3339 in UTC, to the millisecond."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
