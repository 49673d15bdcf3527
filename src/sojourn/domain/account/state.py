"""What the streams of accounts and tokens tell."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sojourn.domain.catalogue import Catalogue
from sojourn.domain.events import (
    AccountEnrolled,
    AccountInvited,
    AccountRecovered,
    Event,
    IdentityLinked,
    PasskeyAdded,
    PasskeyRemoved,
    PasskeyUsed,
    PasswordChanged,
    RecoveryAsked,
    SecondFactorRemoved,
    SecondFactorSet,
    SecondFactorUsed,
    TokenIssued,
    TokenPurpose,
    TokenRevoked,
)
from sojourn.domain.identifiers import PasskeyId, PersonId
from sojourn.domain.people import Person
from sojourn.domain.sealed import Sealed
from sojourn.errors import Code, Refusal

WORKLOAD = "workload:"
"""How the record names who got a token for an ID token: this and the issuer."""

ANSWERED_MAX = 256
"""Challenges that are remembered; one is good for five minutes, and each takes somebody's finger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passkey:
    """A passkey as the account's stream tells it; `sign_count` is of its last use."""

    added: PasskeyAdded
    sign_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account as its stream tells it. `last_step` is that of the last code that was taken.

    `answered` are the challenges that its passkeys have answered lately: more than there can be in a challenge's life.
    """

    person: PersonId
    invitation: AccountInvited | None = None
    password: Sealed | None = None
    passkeys: tuple[Passkey, ...] = ()
    second_factor: Sealed | None = None
    last_step: int = 0
    answered: tuple[str, ...] = ()
    recovery: RecoveryAsked | None = None
    identities: tuple[IdentityLinked, ...] = ()

    @property
    def set_up(self) -> bool:
        """Whether there is any way to sign in."""
        return self.password is not None or bool(self.passkeys)

    def passkey(self, passkey: PasskeyId) -> Passkey | None:
        """The passkey of that id, or None."""
        return next((one for one in self.passkeys if one.added.passkey == passkey), None)

    def passkey_of(self, credential: str) -> Passkey | None:
        """The passkey that its authenticator calls so (base64url), or None."""
        return next((one for one in self.passkeys if one.added.credential == credential), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token as its stream tells it."""

    issued: TokenIssued
    revoked: bool = False


def evolve(state: Account | None, event: Event) -> Account | None:
    """The account after `event`. Events of other streams leave it as it is."""
    match event:
        case AccountInvited():
            return replace(state or Account(person=event.person), invitation=event)
        case AccountEnrolled():
            return replace(state or Account(person=event.person), invitation=None, password=event.password)
        case PasskeyAdded():
            account = state or Account(person=event.person)
            kept = (*account.passkeys, Passkey(added=event, sign_count=event.sign_count))
            invitation = None if event.invited else account.invitation
            return replace(account, passkeys=kept, invitation=invitation, answered=_answered(account, event.challenge))
        case PasskeyUsed() if state is not None:
            passkeys = tuple(
                replace(one, sign_count=event.sign_count) if one.added.passkey == event.passkey else one
                for one in state.passkeys
            )
            return replace(state, passkeys=passkeys, answered=_answered(state, event.challenge))
        case PasswordChanged() if state is not None:
            return replace(state, password=event.password)
        case SecondFactorSet() if state is not None:
            return replace(state, second_factor=event.secret)
        case SecondFactorUsed() if state is not None:
            return replace(state, last_step=event.step)
        case SecondFactorRemoved() if state is not None:
            return replace(state, second_factor=None)
        case IdentityLinked():
            account = state or Account(person=event.person)
            return replace(account, identities=(*account.identities, event))
        case RecoveryAsked() if state is not None:
            return replace(state, recovery=event)
        case AccountRecovered() if state is not None:
            kept_from = replace(state, password=None, passkeys=(), second_factor=None, recovery=None, identities=())
            return replace(kept_from, invitation=_anew(event))
        case PasskeyRemoved() if state is not None:
            return replace(state, passkeys=tuple(one for one in state.passkeys if one.added.passkey != event.passkey))
        case _:
            return state


def _answered(state: Account, challenge: str) -> tuple[str, ...]:
    """What was answered by now. Entries of before 2026-12 do not say which challenge it was."""
    return (*state.answered, challenge)[-ANSWERED_MAX:] if challenge else state.answered


def _anew(event: AccountRecovered) -> AccountInvited:
    """The invitation that a recovery is."""
    return AccountInvited(
        person=event.person,
        code_sha256=event.code_sha256,
        expires_at=event.expires_at,
        invited_by=event.confirmed_by,
    )


def evolve_token(state: Token | None, event: Event) -> Token | None:
    """The token after `event`. Events of other streams leave it as it is."""
    match event:
        case TokenIssued():
            return Token(issued=event)
        case TokenRevoked() if state is not None:
            return replace(state, revoked=True)
        case _:
            return state


def check_token(
    token: Token | None, *, purpose: TokenPurpose, catalogue: Catalogue, now: datetime
) -> PersonId | Refusal:
    """Whose token this is, or why it opens nothing here. The caller has recognised its secret."""
    if token is None or token.revoked or token.issued.purpose is not purpose:
        return Refusal(Code.CREDENTIALS_INVALID)
    if now >= token.issued.expires_at:
        return Refusal(Code.CREDENTIALS_EXPIRED)
    person = catalogue.person(token.issued.person)
    if person is None or not _still_let_in(person, token.issued):
        return Refusal(Code.CREDENTIALS_INVALID)
    return token.issued.person


def _still_let_in(person: Person, issued: TokenIssued) -> bool:
    """Whether a workload that was let in would be still, for as much; anybody else has no workload to lose."""
    before, workload, issuer = issued.issued_by.partition(WORKLOAD)
    if before or not workload:
        return True
    return any(one.issuer == issuer and set(issued.scope) <= set(one.scope) for one in person.workloads)
