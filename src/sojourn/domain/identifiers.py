"""Names of things. A `NewType` each, so that a grant's id cannot be passed where a request's is meant."""

from __future__ import annotations

from typing import NewType

PersonId = NewType("PersonId", str)
"""The immutable account id of a person, service account or agent; never a mail address."""

TeamName = NewType("TeamName", str)
TargetName = NewType("TargetName", str)
RoleName = NewType("RoleName", str)
RuleName = NewType("RuleName", str)

RequestId = NewType("RequestId", str)
GrantId = NewType("GrantId", str)
SessionId = NewType("SessionId", str)
TokenId = NewType("TokenId", str)
HoldId = NewType("HoldId", str)
ShreddingId = NewType("ShreddingId", str)
DisposalId = NewType("DisposalId", str)
AbsenceId = NewType("AbsenceId", str)
CampaignId = NewType("CampaignId", str)
ChangeId = NewType("ChangeId", str)
SampleId = NewType("SampleId", str)
PasskeyId = NewType("PasskeyId", str)
FindingId = NewType("FindingId", str)

StreamName = NewType("StreamName", str)
"""A stream of the ledger: one of those below, or one of a thing, by the functions that follow."""

CONFIGURATION = StreamName("configuration")
CHANGES = StreamName("changes")
"""What was proposed in the place of the configuration in force."""
SYSTEM = StreamName("system")
ATTEMPTS = StreamName("attempts")
PUBLICATION = StreamName("publication")
LEDGER = StreamName("ledger")
"""Changes of the key that signs the ledger."""
ORIGIN = StreamName("origin")
"""Of a ledger that was begun anew: which one it follows."""
KEEPING = StreamName("keeping")
"""What is held, how long records are kept, and what was destroyed."""
STANDING = StreamName("standing")
NOTICES = StreamName("notices")
"""Whom it was tried to tell something, without success."""
FACTS = StreamName("fact")
"""What was told about the world, as a subject of attempts; each thing has a stream of its own."""
EVIDENCE = StreamName("evidence")
"""What evidence was given to whom, and what came of trying to break the controls."""
SCHEDULES = StreamName("schedules")
"""Which reports were delivered by a schedule, and which are overdue."""
SAMPLES = StreamName("samples")
"""What auditors drew, what they asked about it, and what they were told."""


def request_stream(request: RequestId) -> StreamName:
    """The stream that holds one request's whole story."""
    return StreamName(f"request/{request}")


def grant_stream(grant: GrantId) -> StreamName:
    """The stream that holds one grant's whole story."""
    return StreamName(f"grant/{grant}")


def review_stream(grant: GrantId) -> StreamName:
    """The stream that holds the review of one grant."""
    return StreamName(f"review/{grant}")


def exception_stream(exception: RequestId | FindingId) -> StreamName:
    """The stream that holds what became of the exceptions of one access event, or of one finding at a target."""
    return StreamName(f"exception/{exception}")


def campaign_stream(campaign: CampaignId) -> StreamName:
    """The stream that holds one certification campaign."""
    return StreamName(f"campaign/{campaign}")


def break_glass_stream(person: PersonId) -> StreamName:
    """The stream that holds every time that one person took an access without a decision beforehand."""
    return StreamName(f"break_glass/{person}")


def session_stream(session: SessionId) -> StreamName:
    """The stream that holds one session and every action in it."""
    return StreamName(f"session/{session}")


def account_stream(person: PersonId) -> StreamName:
    """The stream of one person's account: invitation, enrolment, sign-ins."""
    return StreamName(f"account/{person}")


def call_stream(call: str) -> StreamName:
    """The stream of one call that may be repeated; `call` is a digest of who calls what under which key."""
    return StreamName(f"call/{call}")


def identity_stream(subject_sha256: str) -> StreamName:
    """The stream of one identity at a provider: who it is here."""
    return StreamName(f"identity/{subject_sha256}")


def token_stream(token: TokenId) -> StreamName:
    """The stream of one token: issued, revoked."""
    return StreamName(f"token/{token}")


def fact_stream(about: str) -> StreamName:
    """The stream of everything that was told about one thing, such as `ticket/CHG-77`."""
    return StreamName(f"fact/{about}")


def target_stream(target: TargetName) -> StreamName:
    """The stream of what was seen at one target."""
    return StreamName(f"target/{target}")
