"""The tests that an auditor makes of one access event, each with its answer and the reason in words.

The letters are those of docs/reference/attribute-tests.md. Every answer is worked out again from what is on record,
never taken from what decided then; a pack and a population report ask the same functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sojourn.evidence.accesses import Access, Configurations

from .afterwards import followed_up, reviewed, told_and_looked_at
from .answer import VERSION, Answer, AttributeTest, Letter, moment_text
from .deciding import approved_before_use, approvers_had_authority, different_people, ticket, within_approved
from .disposed import Disposed, disposals, dispositions
from .using import as_declared, credential_changed, inside_window, removed_in_time

__all__ = [
    "VERSION",
    "Answer",
    "AttributeTest",
    "Disposed",
    "Letter",
    "answer",
    "disposals",
    "dispositions",
    "moment_text",
]


def answer(
    access: Access,
    *,
    configurations: Configurations,
    as_of: datetime,
    integrity: AttributeTest,
    dispositions: Sequence[str] = (),
) -> tuple[AttributeTest, ...]:
    """All thirteen tests of one access event, in the order of their letters.

    `as_of` is the moment up to which the record was read; `integrity` is the answer to K, which is about the record
    and not about the access. `dispositions` say what was done about exceptions.
    """
    tests = [
        ticket(access, configurations),
        approved_before_use(access),
        approvers_had_authority(access, configurations),
        different_people(access, configurations),
        within_approved(access, configurations),
        inside_window(access),
        as_declared(access),
        removed_in_time(access, as_of),
        reviewed(access, as_of),
        integrity,
        credential_changed(access, configurations),
        told_and_looked_at(access, as_of),
    ]
    exceptions = followed_up(access, tests, dispositions)
    return (*tests[:9], exceptions, *tests[9:])
