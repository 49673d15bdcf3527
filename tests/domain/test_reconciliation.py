"""Two sides that both change while they are compared: what holds for two looks is a finding, in either direction."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sojourn.domain.events import FindingKind
from sojourn.domain.reconciliation import (
    Comparison,
    KnownLogin,
    KnownSession,
    Observation,
    SeenSession,
    changed,
    compare,
)

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
LOGIN = KnownLogin(grant="g-1", login="sojourn_g1", active=True)
SEEN = SeenSession(process=7, login="sojourn_g1", database="shop")
KNOWN = KnownSession(session="s-1", login="sojourn_g1", process=7)


def observation(*sessions: SeenSession, logins: tuple[str, ...] = ("sojourn_g1",)) -> Observation:
    return Observation(sessions=sessions, logins=logins, accounts=())


def two_looks(observed: Observation, sessions: tuple[KnownSession, ...], logins: tuple[KnownLogin, ...]) -> Comparison:
    first = compare(observed, sessions, logins, before=Comparison(), now=NOW)
    assert first.findings == ()
    return compare(observed, sessions, logins, before=first, now=NOW + timedelta(seconds=20))


def test_what_is_on_both_sides_is_matched() -> None:
    found = two_looks(observation(SEEN), (KNOWN,), (LOGIN,))
    assert (found.matched, found.findings) == (1, ())


@pytest.mark.parametrize(
    ("observed", "sessions", "logins", "kind", "subject"),
    [
        (observation(SEEN), (), (LOGIN,), FindingKind.SESSION_UNRECORDED, "sojourn_g1"),
        (
            observation(SEEN),
            (KnownSession(session="s-1", login="sojourn_g1", process=8),),
            (LOGIN,),
            FindingKind.SESSION_UNRECORDED,
            "sojourn_g1",
        ),
        (observation(), (KNOWN,), (LOGIN,), FindingKind.SESSION_MISSING, "s-1"),
        (observation(), (), (), FindingKind.LOGIN_UNRECORDED, "sojourn_g1"),
        (observation(logins=()), (), (LOGIN,), FindingKind.LOGIN_MISSING, "sojourn_g1"),
    ],
)
def test_a_difference_in_either_direction_is_found_at_the_second_look(
    observed: Observation,
    sessions: tuple[KnownSession, ...],
    logins: tuple[KnownLogin, ...],
    kind: FindingKind,
    subject: str,
) -> None:
    found = two_looks(observed, sessions, logins).findings
    assert (kind, subject, NOW) in {(one.kind, one.subject, one.since) for one in found}


def test_a_login_that_is_being_made_or_removed_is_no_finding() -> None:
    leaving = KnownLogin(grant="g-1", login="sojourn_g1", active=False)
    assert two_looks(observation(), (), (leaving,)).findings == ()
    assert two_looks(observation(logins=()), (), (leaving,)).findings == ()


def test_a_difference_that_goes_and_comes_again_counts_anew() -> None:
    first = compare(observation(SEEN), (), (LOGIN,), before=Comparison(), now=NOW)
    second = compare(observation(SEEN), (KNOWN,), (LOGIN,), before=first, now=NOW)
    third = compare(observation(SEEN), (), (LOGIN,), before=second, now=NOW)
    assert (second.findings, third.findings) == ((), ())


def test_what_came_and_went_among_the_accounts_is_told() -> None:
    assert changed(("eve: CREATEDB", "root: SUPERUSER"), ("eve: SUPERUSER", "root: SUPERUSER")) == (
        "+ eve: SUPERUSER",
        "- eve: CREATEDB",
    )
