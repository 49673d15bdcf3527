"""Who is let in, sentence by sentence."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sojourn.domain.events import EndCause, GrantCreated
from sojourn.domain.grant import Grant, Status
from sojourn.domain.identifiers import GrantId, RequestId, RoleName, TargetName
from sojourn.domain.session import admit
from sojourn.domain.window import Window
from sojourn.errors import Code, Refusal
from sojourn.testing.organisation import ALICE, AMEND, BOB, READ, SHOP

NOW = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def grant(name: str, *, minutes: int = 30, role: RoleName = READ, status: Status = Status.ACTIVE) -> Grant:
    created = GrantCreated(
        grant=GrantId(name),
        request=RequestId("r"),
        person=ALICE,
        target=SHOP,
        role=role,
        window=Window(start=NOW, end=NOW + minutes * MINUTE),
        credential="c",
        configuration_version=1,
    )
    over = status in (Status.ENDED, Status.REMOVED)
    return Grant(created=created, status=status, cause=EndCause.REVOKED if over else None)


def enter(*grants: Grant, role: RoleName | None = None, now: datetime = NOW) -> Grant | Refusal:
    return admit(grants, person=ALICE, target=SHOP, role=role, now=now)


def code(outcome: Grant | Refusal) -> Code:
    assert isinstance(outcome, Refusal), outcome
    assert outcome.sentence and outcome.next_step
    return outcome.code


def test_a_person_is_let_in_under_a_grant_of_their_own_that_opens_now() -> None:
    assert enter(grant("g-1")) == grant("g-1")


def test_a_grant_of_somebody_else_or_of_another_target_opens_nothing() -> None:
    mine = [grant("g-1")]
    assert code(admit(mine, person=BOB, target=SHOP, role=None, now=NOW)) == Code.GRANT_NONE_ACTIVE
    assert code(admit(mine, person=ALICE, target=TargetName("billing"), role=None, now=NOW)) == Code.GRANT_NONE_ACTIVE
    assert code(enter(grant("g-1"), role=AMEND)) == Code.GRANT_NONE_ACTIVE


def test_nobody_is_let_in_at_the_end_of_the_grant_or_later() -> None:
    assert not isinstance(enter(grant("g-1"), now=NOW + 30 * MINUTE - timedelta(microseconds=1)), Refusal)
    assert code(enter(grant("g-1"), now=NOW + 30 * MINUTE)) == Code.GRANT_EXPIRED


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (Status.PROVISIONING, Code.GRANT_NOT_READY),
        (Status.ENDED, Code.GRANT_ENDED),
        (Status.REMOVED, Code.GRANT_ENDED),
    ],
)
def test_a_grant_that_is_not_active_tells_why(status: Status, expected: Code) -> None:
    assert code(enter(grant("g-1", status=status))) == expected


def test_with_several_roles_nothing_is_guessed() -> None:
    both = (grant("g-1"), grant("g-2", role=AMEND))
    refusal = enter(*both)
    assert code(refusal) == Code.GRANT_AMBIGUOUS
    assert isinstance(refusal, Refusal) and refusal.details["roles"] == "amend, read"
    chosen = enter(*both, role=AMEND)
    assert isinstance(chosen, Grant) and chosen.id == "g-2"


def test_a_role_whose_grant_is_over_makes_nothing_ambiguous() -> None:
    chosen = enter(grant("g-1"), grant("g-2", role=AMEND, status=Status.ENDED))
    assert isinstance(chosen, Grant) and chosen.id == "g-1"


def test_of_two_grants_for_the_same_role_the_one_that_lasts_longer_counts() -> None:
    for order in ((10, 20), (20, 10)):
        chosen = enter(*(grant(f"g-{minutes}", minutes=minutes) for minutes in order))
        assert isinstance(chosen, Grant) and chosen.id == "g-20"


def test_the_end_of_one_of_two_overlapping_grants_leaves_the_other_open() -> None:
    chosen = enter(grant("g-1", minutes=10, status=Status.ENDED), grant("g-2", minutes=20), now=NOW + 15 * MINUTE)
    assert isinstance(chosen, Grant) and chosen.id == "g-2"


def test_a_grant_that_starts_the_moment_another_ends_leaves_no_gap() -> None:
    first = grant("g-1", minutes=10)
    window = Window.starting(first.created.window.end, 10 * MINUTE)
    second = replace(grant("g-2"), created=replace(grant("g-2").created, window=window))
    for micro, expected in ((-1, "g-1"), (0, "g-2"), (1, "g-2")):
        chosen = enter(first, second, now=window.start + timedelta(microseconds=micro))
        assert isinstance(chosen, Grant) and chosen.id == expected
