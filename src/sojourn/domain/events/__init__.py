"""Everything that can have happened. Each class is one kind of ledger entry; its fields are the entry's body.

Fields are plain: ids, text, integers, UTC datetimes, timedeltas, tuples and the small values of this package.
Anything that a person typed, and anything secret, is `Sealed`.

One module for each kind of stream; all names are imported from here.
"""

from __future__ import annotations

from typing import get_args

from .account import AccountEnrolled, AccountInvited, TokenIssued, TokenPurpose, TokenRevoked
from .attempt import AttemptRefused
from .call import CallBegun, CallSettled
from .campaign import CampaignClosed, CampaignDecided, CampaignItem, CampaignListed, CampaignOpened
from .configuration import (
    ConfigurationAdopted,
    ConfigurationApproved,
    ConfigurationFile,
    ConfigurationProposed,
    ConfigurationWithdrawn,
    ProcessStarted,
)
from .delivery import DeliveryOverdue, ReportDelivered
from .directory import GroupDeprovisioned, GroupProvisioned, PersonDeprovisioned, PersonProvisioned
from .evidence import (
    ControlsProved,
    Disposition,
    EvidenceForm,
    EvidenceGiven,
    ExceptionDisposed,
    FindingDisposed,
    ProbeTried,
)
from .fact import FactTold, FactWithdrawn, Shift
from .grant import (
    EndCause,
    GrantCreated,
    GrantEnded,
    GrantExtended,
    GrantLeased,
    GrantProlonged,
    GrantProlongingFailed,
    GrantProvisioned,
    GrantRemovalFailed,
    GrantRemovalOverdue,
    GrantRemoved,
    GrantSessionStopped,
)
from .keeping import (
    DisposedClass,
    HoldPlaced,
    HoldReleased,
    HoldReleaseRequested,
    HoldScope,
    KeysDestroyed,
    RecordsDisposed,
    RetentionChanged,
    RetentionChangeRequested,
    RetentionChangeWithdrawn,
    ShreddingConfirmed,
    ShreddingRequested,
    ShreddingWithdrawn,
)
from .notice import ForwardingOverdue, ForwardingResumed, NoticeFailed
from .passkey import PasskeyAdded, PasskeyRemoved, PasskeyUsed
from .publication import (
    AccessReadmitted,
    AccessSuspended,
    AttackTried,
    CheckpointStamped,
    LedgerBegunAnew,
    LedgerDrilled,
    LedgerKeyRotated,
    PublicationOverdue,
    PublicationRefused,
    PublicationResumed,
    WitnessPolicyAdopted,
    WormExamined,
    WormTry,
    WormVerdict,
)
from .recovery import (
    AccountRecovered,
    IdentityLinked,
    PasswordChanged,
    RecoveryAsked,
    SecondFactorRemoved,
    SecondFactorSet,
    SecondFactorUsed,
)
from .request import (
    ApprovalWithdrawn,
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
from .review import ReviewConcluded, ReviewNoted, ReviewOpened, ReviewOutcome, ReviewOverdue
from .sample import InformationGiven, InformationRequested, SampleDrawn
from .session import (
    ActionCompleted,
    ActionIntended,
    CancelRequested,
    ChunkRecorded,
    CloseCause,
    Outcome,
    SessionClosed,
    SessionConnected,
    SessionOpened,
)
from .standing import (
    AbsenceDeclared,
    AbsenceEnded,
    EligibilityLost,
    EligibilityRemovalConfirmed,
    EligibilityRemoved,
    GroupsClaimed,
    LookedBack,
    PersonLeft,
    PersonReturned,
    TeamsBlocked,
    TeamsUnblocked,
)
from .target import Finding, FindingKind, TargetReconciled, TargetUnobserved

Event = (
    AccountInvited
    | AccountEnrolled
    | PasskeyAdded
    | PasskeyUsed
    | PasskeyRemoved
    | PasswordChanged
    | SecondFactorSet
    | SecondFactorUsed
    | SecondFactorRemoved
    | RecoveryAsked
    | AccountRecovered
    | IdentityLinked
    | GroupsClaimed
    | TokenIssued
    | TokenRevoked
    | AttemptRefused
    | CampaignOpened
    | CampaignListed
    | CampaignDecided
    | CampaignClosed
    | ConfigurationAdopted
    | ConfigurationProposed
    | ConfigurationApproved
    | ConfigurationWithdrawn
    | ProcessStarted
    | EvidenceGiven
    | ExceptionDisposed
    | FindingDisposed
    | CallBegun
    | CallSettled
    | GrantLeased
    | ReportDelivered
    | DeliveryOverdue
    | SampleDrawn
    | InformationRequested
    | InformationGiven
    | ControlsProved
    | CallBegun
    | CallSettled
    | GrantCreated
    | GrantProvisioned
    | GrantEnded
    | GrantRemovalFailed
    | GrantRemoved
    | GrantSessionStopped
    | GrantExtended
    | GrantProlonged
    | GrantProlongingFailed
    | GrantRemovalOverdue
    | HoldPlaced
    | HoldReleaseRequested
    | HoldReleased
    | ShreddingRequested
    | ShreddingWithdrawn
    | ShreddingConfirmed
    | KeysDestroyed
    | RetentionChangeRequested
    | RetentionChangeWithdrawn
    | RetentionChanged
    | RecordsDisposed
    | PublicationRefused
    | AccessReadmitted
    | AccessSuspended
    | PublicationOverdue
    | PublicationResumed
    | WormExamined
    | WitnessPolicyAdopted
    | CheckpointStamped
    | LedgerBegunAnew
    | LedgerDrilled
    | LedgerKeyRotated
    | RequestSubmitted
    | RequestRevised
    | RequestCommented
    | RequestEscalated
    | RequestApproved
    | RequestDenied
    | RequestWithdrawn
    | ApprovalWithdrawn
    | RequestExpired
    | RequestActivated
    | BreakGlassUsed
    | ReviewOpened
    | ReviewNoted
    | ReviewOverdue
    | ReviewConcluded
    | SessionOpened
    | SessionConnected
    | ActionIntended
    | ActionCompleted
    | CancelRequested
    | SessionClosed
    | ChunkRecorded
    | PersonLeft
    | PersonReturned
    | LookedBack
    | PersonProvisioned
    | PersonDeprovisioned
    | GroupProvisioned
    | GroupDeprovisioned
    | AbsenceDeclared
    | AbsenceEnded
    | TeamsBlocked
    | TeamsUnblocked
    | EligibilityRemoved
    | EligibilityRemovalConfirmed
    | EligibilityLost
    | TargetReconciled
    | TargetUnobserved
    | FactTold
    | FactWithdrawn
    | NoticeFailed
    | ForwardingOverdue
    | ForwardingResumed
)
"""Any event. Adding one here is all that makes a new kind of ledger entry."""

KINDS: dict[str, type[Event]] = {event.kind: event for event in get_args(Event)}
"""Every kind's name and its class."""

__all__ = [
    "KINDS",
    "AbsenceDeclared",
    "AbsenceEnded",
    "AccessReadmitted",
    "AccessSuspended",
    "AccountEnrolled",
    "AccountInvited",
    "AccountRecovered",
    "ActionCompleted",
    "ActionIntended",
    "ApprovalWithdrawn",
    "AttackTried",
    "AttemptRefused",
    "BreakGlassUsed",
    "CallBegun",
    "CallSettled",
    "CampaignClosed",
    "CampaignDecided",
    "CampaignItem",
    "CampaignListed",
    "CampaignOpened",
    "CancelRequested",
    "CheckpointStamped",
    "ChunkRecorded",
    "CloseCause",
    "ConfigurationAdopted",
    "ConfigurationApproved",
    "ConfigurationFile",
    "ConfigurationProposed",
    "ConfigurationWithdrawn",
    "ControlsProved",
    "DeliveryOverdue",
    "DisposedClass",
    "Disposition",
    "EligibilityLost",
    "EligibilityRemovalConfirmed",
    "EligibilityRemoved",
    "EndCause",
    "Event",
    "EvidenceForm",
    "EvidenceGiven",
    "ExceptionDisposed",
    "FactTold",
    "FactWithdrawn",
    "Finding",
    "FindingDisposed",
    "FindingKind",
    "ForwardingOverdue",
    "ForwardingResumed",
    "GrantCreated",
    "GrantEnded",
    "GrantExtended",
    "GrantLeased",
    "GrantProlonged",
    "GrantProlongingFailed",
    "GrantProvisioned",
    "GrantRemovalFailed",
    "GrantRemovalOverdue",
    "GrantRemoved",
    "GrantSessionStopped",
    "GroupDeprovisioned",
    "GroupProvisioned",
    "GroupsClaimed",
    "HoldPlaced",
    "HoldReleaseRequested",
    "HoldReleased",
    "HoldScope",
    "IdentityLinked",
    "InformationGiven",
    "InformationRequested",
    "KeysDestroyed",
    "LapseCause",
    "LedgerBegunAnew",
    "LedgerDrilled",
    "LedgerKeyRotated",
    "LookedBack",
    "NoticeFailed",
    "Outcome",
    "PasskeyAdded",
    "PasskeyRemoved",
    "PasskeyUsed",
    "PasswordChanged",
    "PersonDeprovisioned",
    "PersonLeft",
    "PersonProvisioned",
    "PersonReturned",
    "ProbeTried",
    "ProcessStarted",
    "PublicationOverdue",
    "PublicationRefused",
    "PublicationResumed",
    "RecordsDisposed",
    "RecoveryAsked",
    "ReportDelivered",
    "RequestActivated",
    "RequestApproved",
    "RequestCommented",
    "RequestDenied",
    "RequestEscalated",
    "RequestExpired",
    "RequestRevised",
    "RequestSubmitted",
    "RequestWithdrawn",
    "RetentionChangeRequested",
    "RetentionChangeWithdrawn",
    "RetentionChanged",
    "ReviewConcluded",
    "ReviewNoted",
    "ReviewOpened",
    "ReviewOutcome",
    "ReviewOverdue",
    "SampleDrawn",
    "SecondFactorRemoved",
    "SecondFactorSet",
    "SecondFactorUsed",
    "SessionClosed",
    "SessionConnected",
    "SessionOpened",
    "Shift",
    "ShreddingConfirmed",
    "ShreddingRequested",
    "ShreddingWithdrawn",
    "TargetReconciled",
    "TargetUnobserved",
    "TeamsBlocked",
    "TeamsUnblocked",
    "TokenIssued",
    "TokenPurpose",
    "TokenRevoked",
    "WitnessPolicyAdopted",
    "WormExamined",
    "WormTry",
    "WormVerdict",
]
