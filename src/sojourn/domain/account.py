"""An account and its tokens: how a person shows who they are.

- An account is made by redeeming an invitation once, in time, and only for a person the catalogue knows.
- A token belongs to one person, opens one kind of door, and ends by itself.
- A token of somebody whom the catalogue no longer knows opens nothing.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

from sojourn.errors import Code, Refusal

from .catalogue import Catalogue
from .events import (
    AccountEnrolled,
    AccountInvited,
    Event,
    TokenIssued,
    TokenPurpose,
    TokenRevoked,
)
from .identifiers import PersonId
from .sealed import Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class Invite:
    """Let a person set up an account with a one-time code, given here as its SHA-256."""

    person: PersonId
    code_sha256: str
    expires_at: datetime
    invited_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrol:
    """Redeem the code (given as its SHA-256) and set the password (given as its sealed hash)."""

    person: PersonId
    code_sha256: str
    password: Sealed


Command = Invite | Enrol


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account as its stream tells it."""

    person: PersonId
    invitation: AccountInvited | None = None
    password: Sealed | None = None


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
        case _:
            return state


def evolve_token(state: Token | None, event: Event) -> Token | None:
    """The token after `event`. Events of other streams leave it as it is."""
    match event:
        case TokenIssued():
            return Token(issued=event)
        case TokenRevoked() if state is not None:
            return replace(state, revoked=True)
        case _:
            return state


def decide(state: Account | None, command: Command, catalogue: Catalogue, now: datetime) -> tuple[Event, ...] | Refusal:
    """What follows from `command`, or why nothing does. Pure: the same inputs give the same answer."""
    if catalogue.person(command.person) is None:
        return Refusal(Code.PERSON_UNKNOWN, {"person": command.person})
    match command:
        case Invite():
            if state is not None and state.password is not None:
                return Refusal(Code.ACCOUNT_EXISTS, {"person": command.person})
            return (
                AccountInvited(
                    person=command.person,
                    code_sha256=command.code_sha256,
                    expires_at=command.expires_at,
                    invited_by=command.invited_by,
                ),
            )
        case Enrol():
            invitation = state.invitation if state is not None else None
            if (
                invitation is None
                or now >= invitation.expires_at
                or not hmac.compare_digest(invitation.code_sha256, command.code_sha256)
            ):
                return Refusal(Code.INVITATION_INVALID)
            return (AccountEnrolled(person=command.person, password=command.password),)
        case _:
            assert_never(command)


def check_token(
    token: Token | None, *, purpose: TokenPurpose, catalogue: Catalogue, now: datetime
) -> PersonId | Refusal:
    """Whose token this is, or why it opens nothing here. The caller has recognised its secret."""
    if token is None or token.revoked or token.issued.purpose is not purpose:
        return Refusal(Code.CREDENTIALS_INVALID)
    if now >= token.issued.expires_at:
        return Refusal(Code.CREDENTIALS_EXPIRED)
    if catalogue.person(token.issued.person) is None:
        return Refusal(Code.CREDENTIALS_INVALID)
    return token.issued.person
