"""Everything that can have happened. Each class is one kind of ledger entry; its fields are the entry's body.

Fields are plain: ids, text, integers, UTC datetimes, timedeltas, tuples and the small values of this package.
Anything that a person typed, and anything secret, is `Sealed`.

One module for each kind of stream; all names are imported from here.
"""

from __future__ import annotations

from typing import get_args

from .account import AccountEnrolled, AccountInvited, TokenIssued, TokenPurpose, TokenRevoked
from .attempt import AttemptRefused
from .campaign import (
    CampaignClosed,
    CampaignDecided,
    CampaignItem,
    CampaignListed,
    CampaignOpened,
)
from .configuration import ConfigurationAdopted, ConfigurationFile, ProcessStarted
from .grant import (
    EndCause,
    GrantCreated,
    GrantEnded,
    GrantExtended,
    GrantProlonged,
    GrantProlongingFailed,
    GrantProvisioned,
    GrantRemovalFailed,
    GrantRemovalOverdue,
    GrantRemoved,
)
from .request import (
    BreakGlassUsed,
    LapseCause,
    RequestActivated,
    RequestApproved,
    RequestCommented,
    RequestDenied,
    RequestEscalated,
    RequestExpired,
    RequestRevised,
    RequestSubmitted,
    RequestWithdrawn,
)
from .review import (
    ReviewConcluded,
    ReviewNoted,
    ReviewOpened,
    ReviewOutcome,
    ReviewOverdue,
)
from .session import ActionCompleted, ActionIntended, CancelRequested, CloseCause, Outcome, SessionClosed, SessionOpened
from .standing import (
    AbsenceDeclared,
    AbsenceEnded,
    EligibilityRemovalConfirmed,
    EligibilityRemoved,
    LookedBack,
    PersonLeft,
    PersonReturned,
    TeamsBlocked,
    TeamsUnblocked,
)

Event = (
    ConfigurationAdopted
    | ProcessStarted
    | AccountInvited
    | AccountEnrolled
    | TokenIssued
    | TokenRevoked
    | RequestSubmitted
    | RequestRevised
    | RequestCommented
    | RequestEscalated
    | BreakGlassUsed
    | RequestApproved
    | RequestDenied
    | RequestWithdrawn
    | RequestExpired
    | RequestActivated
    | AttemptRefused
    | PersonLeft
    | PersonReturned
    | LookedBack
    | AbsenceDeclared
    | AbsenceEnded
    | TeamsBlocked
    | TeamsUnblocked
    | EligibilityRemoved
    | EligibilityRemovalConfirmed
    | GrantCreated
    | GrantProvisioned
    | GrantExtended
    | GrantProlonged
    | GrantProlongingFailed
    | GrantEnded
    | GrantRemovalFailed
    | GrantRemovalOverdue
    | GrantRemoved
    | SessionOpened
    | ActionIntended
    | ActionCompleted
    | CancelRequested
    | CampaignOpened
    | CampaignListed
    | CampaignDecided
    | CampaignClosed
    | ReviewOpened
    | ReviewNoted
    | ReviewOverdue
    | ReviewConcluded
    | SessionClosed
)
"""Any event. Adding one here is all that makes a new kind of ledger entry."""

KINDS: dict[str, type[Event]] = {event.kind: event for event in get_args(Event)}
"""Every kind's name and its class."""

__all__ = [
    "KINDS",
    "AbsenceDeclared",
    "AbsenceEnded",
    "AccountEnrolled",
    "AccountInvited",
    "ActionCompleted",
    "ActionIntended",
    "AttemptRefused",
    "BreakGlassUsed",
    "CampaignClosed",
    "CampaignDecided",
    "CampaignItem",
    "CampaignListed",
    "CampaignOpened",
    "CancelRequested",
    "CloseCause",
    "ConfigurationAdopted",
    "ConfigurationFile",
    "EligibilityRemovalConfirmed",
    "EligibilityRemoved",
    "EndCause",
    "Event",
    "GrantCreated",
    "GrantEnded",
    "GrantExtended",
    "GrantProlonged",
    "GrantProlongingFailed",
    "GrantProvisioned",
    "GrantRemovalFailed",
    "GrantRemovalOverdue",
    "GrantRemoved",
    "LapseCause",
    "LookedBack",
    "Outcome",
    "PersonLeft",
    "PersonReturned",
    "ProcessStarted",
    "RequestActivated",
    "RequestApproved",
    "RequestCommented",
    "RequestDenied",
    "RequestEscalated",
    "RequestExpired",
    "RequestRevised",
    "RequestSubmitted",
    "RequestWithdrawn",
    "ReviewConcluded",
    "ReviewNoted",
    "ReviewOpened",
    "ReviewOutcome",
    "ReviewOverdue",
    "SessionClosed",
    "SessionOpened",
    "TeamsBlocked",
    "TeamsUnblocked",
    "TokenIssued",
    "TokenPurpose",
    "TokenRevoked",
]
