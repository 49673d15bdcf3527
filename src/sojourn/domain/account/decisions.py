"""What follows from what is said to an account."""

from __future__ import annotations

import hmac
from datetime import datetime
from typing import assert_never

from sojourn.domain.catalogue import Catalogue
from sojourn.domain.change import may_adopt_alone
from sojourn.domain.entitled import unless_administrator
from sojourn.domain.events import (
    AccountEnrolled,
    AccountInvited,
    AccountRecovered,
    Event,
    IdentityLinked,
    PasskeyRemoved,
    PasskeyUsed,
    PasswordChanged,
    RecoveryAsked,
    SecondFactorRemoved,
    SecondFactorSet,
    SecondFactorUsed,
)
from sojourn.domain.identifiers import PersonId
from sojourn.errors import Code, Refusal

from .commands import (
    AddPasskey,
    AskRecovery,
    ChangePassword,
    Command,
    ConfirmRecovery,
    Enrol,
    Invite,
    LinkIdentity,
    RemovePasskey,
    RemoveSecondFactor,
    SetSecondFactor,
    UsePasskey,
    UseSecondFactor,
)
from .state import Account

PASSKEYS_MAX = 20
OPERATOR = "operator:"
"""How the record names who works on the machine itself, without an account."""


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
        case ChangePassword():
            if state is None or not state.set_up:
                return Refusal(Code.CREDENTIALS_INVALID)
            return (PasswordChanged(person=command.person, password=command.password, source=command.source),)
        case SetSecondFactor() | UseSecondFactor() | RemoveSecondFactor():
            return _second_factor(state, command)
        case AskRecovery():
            return _ask_recovery(state, command, catalogue)
        case LinkIdentity():
            return _link(state, command)
        case ConfirmRecovery():
            return _confirm_recovery(state, command, catalogue, now)
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
    if state is not None and added.challenge in state.answered:
        return Refusal(Code.PASSKEY_INVALID, {"problem": "it was answered before"})
    if len(held) >= PASSKEYS_MAX:
        return Refusal(Code.PASSKEYS_FULL, {"person": added.person, "count": str(len(held))})
    return (added,)


def _use_passkey(state: Account | None, command: UsePasskey) -> tuple[Event, ...] | Refusal:
    held = None if state is None else state.passkey(command.passkey)
    if state is None or held is None:
        return Refusal(Code.CREDENTIALS_INVALID)
    if command.challenge in state.answered:
        return Refusal(Code.PASSKEY_INVALID, {"problem": "it was answered before"})
    # One that does not count says 0 for ever (WebAuthn level 3, section 6.1.1).
    if (command.sign_count or held.sign_count) and command.sign_count <= held.sign_count:
        counts = {"counted": str(command.sign_count), "known": str(held.sign_count)}
        return Refusal(Code.PASSKEY_COPIED, {"passkey": command.passkey, **counts})
    used = PasskeyUsed(
        person=command.person,
        passkey=command.passkey,
        sign_count=command.sign_count,
        source=command.source,
        challenge=command.challenge,
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


def _second_factor(
    state: Account | None, command: SetSecondFactor | UseSecondFactor | RemoveSecondFactor
) -> tuple[Event, ...] | Refusal:
    if state is None or state.password is None:
        return Refusal(Code.SECOND_FACTOR_ALONE, {"person": command.person})
    if isinstance(command, RemoveSecondFactor):
        if state.second_factor is None:
            return Refusal(Code.SECOND_FACTOR_NONE, {"person": command.person})
        return (SecondFactorRemoved(person=command.person, source=command.source),)
    # A code is taken once (RFC 6238, section 5.2), and none before it afterwards.
    if command.step <= state.last_step:
        return Refusal(Code.CREDENTIALS_INVALID)
    used = SecondFactorUsed(person=command.person, step=command.step, source=command.source)
    if isinstance(command, UseSecondFactor):
        return (used,)
    return (SecondFactorSet(person=command.person, secret=command.secret, source=command.source), used)


def _link(state: Account | None, command: LinkIdentity) -> tuple[Event, ...] | Refusal:
    """The first identity that comes under a name keeps it: who takes the name on at the provider later is refused."""
    held = {one.issuer: one.subject_sha256 for one in (() if state is None else state.identities)}
    if held.get(command.issuer) == command.subject_sha256 and command.known_as == command.person:
        return ()
    if command.issuer in held or command.known_as not in (None, command.person):
        return Refusal(Code.IDENTITY_OTHER, {"person": command.person, "provider": command.issuer})
    linked = IdentityLinked(
        person=command.person,
        issuer=command.issuer,
        subject_sha256=command.subject_sha256,
        source=command.source,
    )
    return (linked,)


def _ask_recovery(state: Account | None, command: AskRecovery, catalogue: Catalogue) -> tuple[Event, ...] | Refusal:
    refusal = _not_entitled(command.asked_by, command.person, catalogue)
    if refusal is not None:
        return refusal
    if state is None or not state.set_up:
        return Refusal(Code.RECOVERY_NOTHING, {"person": command.person})
    return (
        RecoveryAsked(
            person=command.person,
            asked_by=command.asked_by,
            until=command.until,
            reason=command.reason,
            source=command.source,
        ),
    )


def _confirm_recovery(
    state: Account | None, command: ConfirmRecovery, catalogue: Catalogue, now: datetime
) -> tuple[Event, ...] | Refusal:
    refusal = _not_entitled(command.confirmed_by, command.person, catalogue)
    if refusal is not None:
        return refusal
    asked = None if state is None else state.recovery
    if asked is None or now >= asked.until:
        return Refusal(Code.RECOVERY_NOTHING, {"person": command.person})
    # Where no second person exists, an operator does alone what takes two otherwise, as with the configuration.
    alone = command.confirmed_by.startswith(OPERATOR)
    if alone and not may_adopt_alone(catalogue):
        who = "an administrator"
        details = {"person": command.confirmed_by, "action": "confirm a recovery", "who": who}
        return Refusal(Code.PERMISSION_DENIED, details)
    if asked.asked_by == command.confirmed_by and not alone:
        return Refusal(Code.RECOVERY_SELF, {"person": command.confirmed_by})
    return (
        AccountRecovered(
            person=command.person,
            asked_by=asked.asked_by,
            confirmed_by=command.confirmed_by,
            code_sha256=command.code_sha256,
            expires_at=command.expires_at,
            source=command.source,
        ),
    )


def _not_entitled(by: str, person: PersonId, catalogue: Catalogue) -> Refusal | None:
    if by == person:
        return Refusal(Code.RECOVERY_SELF, {"person": person})
    if by.startswith(OPERATOR):
        return None
    return unless_administrator(catalogue, PersonId(by), "recover an account")
