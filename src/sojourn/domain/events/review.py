"""What can happen to the review of an access."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from sojourn.domain.identifiers import GrantId, PersonId, RequestId, TeamName
from sojourn.domain.sealed import Sealed


class ReviewOutcome(StrEnum):
    """What a reviewer found."""

    APPROPRIATE = "appropriate"
    APPROPRIATE_WITH_REMARKS = "appropriate_with_remarks"
    INAPPROPRIATE = "inappropriate"
    NOT_DETERMINABLE = "not_determinable"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewOpened:
    """An access is over, and somebody of `reviewers` has to look at what was done, by `due`.

    None of them held the access, or decided on it. `declared` is what the holder had said to be going to do. If it is
    overdue, `teams` are given nothing new.
    """

    kind: ClassVar[str] = "review.opened"
    grant: GrantId
    request: RequestId
    person: PersonId
    reviewers: tuple[PersonId, ...]
    involved: tuple[PersonId, ...]
    due: datetime
    teams: tuple[TeamName, ...]
    break_glass: bool
    declared: tuple[str, ...]
    checklist: tuple[str, ...]
    configuration_version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewNoted:
    """The holder or a reviewer said something. A `question` waits for a reply; `answers` names the question."""

    kind: ClassVar[str] = "review.noted"
    grant: GrantId
    person: PersonId
    number: int
    text: Sealed
    question: bool
    answers: int | None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewOverdue:
    """Nobody has concluded it in time; these people may do so as well from here on."""

    kind: ClassVar[str] = "review.overdue"
    grant: GrantId
    due: datetime
    escalated_to: tuple[PersonId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewConcluded:
    """A reviewer answered every point of the checklist (`yes`, `no` or `not_applicable`) and came to an outcome.

    `sessions`, `actions` and `writes` are what they saw to have been done.
    """

    kind: ClassVar[str] = "review.concluded"
    grant: GrantId
    person: PersonId
    outcome: ReviewOutcome
    answers: tuple[str, ...]
    remark: Sealed | None
    sessions: int
    actions: int
    writes: int
    source: str
    configuration_version: int = 0
