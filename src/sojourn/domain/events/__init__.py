"""Everything that can have happened. Each class is one kind of ledger entry; its fields are the entry's body.

Fields are plain: ids, text, integers, UTC datetimes, timedeltas, tuples and the small values of this package.
Anything that a person typed, and anything secret, is `Sealed`.

One module for each kind of stream; all names are imported from here.
"""

from __future__ import annotations

from typing import get_args

from .account import AccountEnrolled, AccountInvited, TokenIssued, TokenPurpose, TokenRevoked
from .attempt import AttemptRefused
from .configuration import ConfigurationAdopted, ConfigurationFile, ProcessStarted
from .grant import EndCause, GrantCreated, GrantEnded, GrantProvisioned, GrantRemovalFailed, GrantRemoved
from .keeping import (
    DisposedClass,
    HoldPlaced,
    HoldReleased,
    HoldReleaseRequested,
    HoldScope,
    KeysDestroyed,
    RecordsDisposed,
    RetentionLengthened,
    RetentionShortened,
    RetentionShorteningRequested,
    RetentionShorteningWithdrawn,
    ShreddingConfirmed,
    ShreddingRequested,
    ShreddingWithdrawn,
)
from .publication import PublicationOverdue, PublicationRefused, PublicationResumed
from .request import (
    RequestActivated,
    RequestApproved,
    RequestDenied,
    RequestExpired,
    RequestSubmitted,
    RequestWithdrawn,
)
from .session import ActionCompleted, ActionIntended, CancelRequested, CloseCause, Outcome, SessionClosed, SessionOpened

Event = (
    ConfigurationAdopted
    | ProcessStarted
    | AccountInvited
    | AccountEnrolled
    | TokenIssued
    | TokenRevoked
    | RequestSubmitted
    | RequestApproved
    | RequestDenied
    | RequestWithdrawn
    | RequestExpired
    | RequestActivated
    | AttemptRefused
    | GrantCreated
    | GrantProvisioned
    | GrantEnded
    | GrantRemovalFailed
    | GrantRemoved
    | SessionOpened
    | ActionIntended
    | ActionCompleted
    | CancelRequested
    | SessionClosed
    | PublicationRefused
    | PublicationOverdue
    | PublicationResumed
    | HoldPlaced
    | HoldReleased
    | HoldReleaseRequested
    | KeysDestroyed
    | RecordsDisposed
    | RetentionLengthened
    | RetentionShortened
    | RetentionShorteningRequested
    | RetentionShorteningWithdrawn
    | ShreddingConfirmed
    | ShreddingRequested
    | ShreddingWithdrawn
)
"""Any event. Adding one here is all that makes a new kind of ledger entry."""

KINDS: dict[str, type[Event]] = {event.kind: event for event in get_args(Event)}
"""Every kind's name and its class."""

__all__ = [
    "KINDS",
    "AccountEnrolled",
    "AccountInvited",
    "ActionCompleted",
    "ActionIntended",
    "AttemptRefused",
    "CancelRequested",
    "CloseCause",
    "ConfigurationAdopted",
    "ConfigurationFile",
    "DisposedClass",
    "EndCause",
    "Event",
    "GrantCreated",
    "GrantEnded",
    "GrantProvisioned",
    "GrantRemovalFailed",
    "GrantRemoved",
    "HoldPlaced",
    "HoldReleaseRequested",
    "HoldReleased",
    "HoldScope",
    "KeysDestroyed",
    "Outcome",
    "ProcessStarted",
    "PublicationOverdue",
    "PublicationRefused",
    "PublicationResumed",
    "RecordsDisposed",
    "RequestActivated",
    "RequestApproved",
    "RequestDenied",
    "RequestExpired",
    "RequestSubmitted",
    "RequestWithdrawn",
    "RetentionLengthened",
    "RetentionShortened",
    "RetentionShorteningRequested",
    "RetentionShorteningWithdrawn",
    "SessionClosed",
    "SessionOpened",
    "ShreddingConfirmed",
    "ShreddingRequested",
    "ShreddingWithdrawn",
    "TokenIssued",
    "TokenPurpose",
    "TokenRevoked",
]
