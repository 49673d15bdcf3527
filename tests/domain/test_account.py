"""The rules of accounts and tokens, sentence by sentence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sojourn.domain.account import Account, Enrol, Invite, Token, check_token, decide, evolve, evolve_token
from sojourn.domain.catalogue import Catalogue
from sojourn.domain.events import TokenIssued, TokenPurpose, TokenRevoked
from sojourn.domain.identifiers import PersonId, TokenId
from sojourn.domain.sealed import Sealed
from sojourn.errors import Code, Refusal
from sojourn.testing.organisation import ALICE, CATALOGUE, without

NOW = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=24)
TICK = timedelta(microseconds=1)
PASSWORD = Sealed(commitment="c" * 64, key="k")
INVITE = Invite(person=ALICE, code_sha256="a" * 64, expires_at=LATER, invited_by="erin")
ENROL = Enrol(person=ALICE, code_sha256="a" * 64, password=PASSWORD)
ISSUED = TokenIssued(
    token=TokenId("t-1"),
    person=ALICE,
    purpose=TokenPurpose.API,
    secret_sha256="b" * 64,
    expires_at=LATER,
    source="test",
)


def after(state: Account | None, command: Invite | Enrol, now: datetime = NOW) -> Account:
    decided = decide(state, command, CATALOGUE, now)
    assert not isinstance(decided, Refusal), decided
    for event in decided:
        state = evolve(state, event)
    assert state is not None
    return state


def refused(
    state: Account | None, command: Invite | Enrol, now: datetime = NOW, catalogue: Catalogue = CATALOGUE
) -> Code:
    decided = decide(state, command, catalogue, now)
    assert isinstance(decided, Refusal), decided
    return decided.code


def test_an_account_is_made_by_redeeming_an_invitation_once() -> None:
    enrolled = after(after(None, INVITE), ENROL)
    assert enrolled.password == PASSWORD
    assert refused(enrolled, ENROL) == Code.INVITATION_INVALID
    assert refused(enrolled, INVITE) == Code.ACCOUNT_EXISTS


def test_an_invitation_is_redeemed_in_time_and_by_its_own_code() -> None:
    invited = after(None, INVITE)
    assert refused(invited, ENROL, LATER) == Code.INVITATION_INVALID
    assert after(invited, ENROL, LATER - TICK).password == PASSWORD
    wrong = Enrol(person=ALICE, code_sha256="f" * 64, password=PASSWORD)
    assert refused(invited, wrong) == Code.INVITATION_INVALID
    assert refused(None, ENROL) == Code.INVITATION_INVALID


def test_a_second_invitation_voids_the_first() -> None:
    again = Invite(person=ALICE, code_sha256="e" * 64, expires_at=LATER, invited_by="erin")
    assert refused(after(after(None, INVITE), again), ENROL) == Code.INVITATION_INVALID


def test_only_people_whom_the_catalogue_knows_have_accounts() -> None:
    gone = without(CATALOGUE, ALICE)
    assert refused(None, INVITE, catalogue=gone) == Code.PERSON_UNKNOWN
    assert refused(after(None, INVITE), ENROL, catalogue=gone) == Code.PERSON_UNKNOWN


def check(token: Token | None, **changes: object) -> PersonId | Refusal:
    known: dict[str, object] = {"purpose": TokenPurpose.API, "catalogue": CATALOGUE, "now": NOW, **changes}
    return check_token(token, **known)  # type: ignore[arg-type]


def test_a_token_opens_one_kind_of_door_for_one_person_until_it_ends() -> None:
    token = evolve_token(None, ISSUED)
    assert check(token) == ALICE
    assert check(token, now=LATER - TICK) == ALICE


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"purpose": TokenPurpose.GATEWAY}, Code.CREDENTIALS_INVALID),
        ({"now": LATER}, Code.CREDENTIALS_EXPIRED),
        ({"catalogue": without(CATALOGUE, ALICE)}, Code.CREDENTIALS_INVALID),
    ],
)
def test_a_token_opens_nothing_else(changes: dict[str, object], expected: Code) -> None:
    outcome = check(evolve_token(None, ISSUED), **changes)
    assert isinstance(outcome, Refusal)
    assert outcome.code == expected


def test_an_unknown_or_revoked_token_opens_nothing() -> None:
    revoked = evolve_token(evolve_token(None, ISSUED), TokenRevoked(token=TokenId("t-1"), revoked_by=ALICE))
    for token in (None, revoked):
        outcome = check(token)
        assert isinstance(outcome, Refusal)
        assert outcome.code == Code.CREDENTIALS_INVALID
