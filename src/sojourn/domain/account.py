"""An account and its tokens: how a person shows who they are.

- An account is made by redeeming an invitation once, in time, and only for a person the catalogue knows.
- It is opened by a password, by any of several passkeys, or both. The last way in cannot be removed.
- A passkey that counts its uses never counts backwards: one that does may have been copied, and opens nothing.
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
    PasskeyAdded,
    PasskeyRemoved,
    PasskeyUsed,
    TokenIssued,
    TokenPurpose,
    TokenRevoked,
)
from .identifiers import PasskeyId, PersonId
from .sealed import Sealed

PASSKEYS_MAX = 20


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


@dataclass(frozen=True, slots=True, kw_only=True)
class AddPasskey:
    """One more passkey, which the caller has checked. `code_sha256` redeems an invitation; "" is for the signed-in."""

    added: PasskeyAdded
    code_sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsePasskey:
    """A passkey has signed what it was asked to; the caller has checked that. `sign_count` is what it counts now."""

    person: PersonId
    passkey: PasskeyId
    sign_count: int
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovePasskey:
    """Take a passkey away."""

    person: PersonId
    passkey: PasskeyId
    source: str


Command = Invite | Enrol | AddPasskey | UsePasskey | RemovePasskey


@dataclass(frozen=True, slots=True, kw_only=True)
class Passkey:
    """A passkey as the account's stream tells it; `sign_count` is of its last use."""

    added: PasskeyAdded
    sign_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account as its stream tells it."""

    person: PersonId
    invitation: AccountInvited | None = None
    password: Sealed | None = None
    passkeys: tuple[Passkey, ...] = ()

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
            return replace(account, passkeys=kept, invitation=None if event.invited else account.invitation)
        case PasskeyUsed() if state is not None:
            passkeys = tuple(
                replace(one, sign_count=event.sign_count) if one.added.passkey == event.passkey else one
                for one in state.passkeys
            )
            return replace(state, passkeys=passkeys)
        case PasskeyRemoved() if state is not None:
            return replace(state, passkeys=tuple(one for one in state.passkeys if one.added.passkey != event.passkey))
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
    person = command.added.person if isinstance(command, AddPasskey) else command.person
    if catalogue.person(person) is None:
        return Refusal(Code.PERSON_UNKNOWN, {"person": person})
    match command:
        case Invite():
            if state is not None and state.set_up:
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
            if not invited(state, command.code_sha256, now):
                return Refusal(Code.INVITATION_INVALID)
            return (AccountEnrolled(person=command.person, password=command.password),)
        case AddPasskey():
            return _add_passkey(state, command, now)
        case UsePasskey():
            return _use_passkey(state, command)
        case RemovePasskey():
            return _remove_passkey(state, command)
        case _:
            assert_never(command)


def invited(state: Account | None, code_sha256: str, now: datetime) -> bool:
    """Whether this is the code (as its SHA-256) of an invitation that is neither used nor over."""
    invitation = state.invitation if state is not None else None
    return (
        invitation is not None
        and now < invitation.expires_at
        and hmac.compare_digest(invitation.code_sha256, code_sha256)
    )


def _add_passkey(state: Account | None, command: AddPasskey, now: datetime) -> tuple[Event, ...] | Refusal:
    added, held = command.added, () if state is None else state.passkeys
    if added.invited and not invited(state, command.code_sha256, now):
        return Refusal(Code.INVITATION_INVALID)
    if any(one.added.credential == added.credential for one in held):
        return Refusal(Code.PASSKEY_INVALID, {"problem": "it is registered already"})
    if len(held) >= PASSKEYS_MAX:
        return Refusal(Code.PASSKEYS_FULL, {"person": added.person, "count": str(len(held))})
    return (added,)


def _use_passkey(state: Account | None, command: UsePasskey) -> tuple[Event, ...] | Refusal:
    held = None if state is None else state.passkey(command.passkey)
    if held is None:
        return Refusal(Code.CREDENTIALS_INVALID)
    # One that does not count says 0 for ever (WebAuthn level 3, section 6.1.1).
    if (command.sign_count or held.sign_count) and command.sign_count <= held.sign_count:
        counts = {"counted": str(command.sign_count), "known": str(held.sign_count)}
        return Refusal(Code.PASSKEY_COPIED, {"passkey": command.passkey, **counts})
    used = PasskeyUsed(
        person=command.person, passkey=command.passkey, sign_count=command.sign_count, source=command.source
    )
    return (used,)


def _remove_passkey(state: Account | None, command: RemovePasskey) -> tuple[Event, ...] | Refusal:
    details = {"passkey": command.passkey, "person": command.person}
    if state is None or state.passkey(command.passkey) is None:
        return Refusal(Code.PASSKEY_UNKNOWN, details)
    if state.password is None and len(state.passkeys) == 1:
        return Refusal(Code.PASSKEY_LAST, details)
    removed = PasskeyRemoved(
        person=command.person, passkey=command.passkey, removed_by=command.person, source=command.source
    )
    return (removed,)


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
