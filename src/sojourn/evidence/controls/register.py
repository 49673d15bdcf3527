"""Every control, by its name: the list that auditors test, in the order of an access."""

from __future__ import annotations

from sojourn.evidence.attributes.answer import Letter

from . import operation, wording
from .control import Control
from .wording import always, always_designed

CONTROLS: tuple[Control, ...] = (
    Control(
        name="provisioning",
        title="Access is granted only after approval, limited in scope and time",
        wording=wording.provisioning,
        design=wording.provisioning_design,
        operation=operation.tests(Letter.A, Letter.B, Letter.E),
        probes=("unapproved-access", "missing-ticket"),
    ),
    Control(
        name="eligibility",
        title="Who may ask is dated, owned and reviewed",
        wording=wording.eligibility,
        design=wording.eligibility_design,
        operation=operation.eligibility,
        probes=("not-eligible",),
    ),
    Control(
        name="privileged-access",
        title="Standing privilege at the targets is known",
        wording=wording.privileged,
        design=wording.privileged_design,
        operation=operation.privileged,
    ),
    Control(
        name="separation-of-duties",
        title="Nobody fills two places",
        wording=wording.separation,
        design=wording.separation_design,
        operation=operation.separation,
        probes=("self-approval",),
    ),
    Control(
        name="emergency-access",
        title="An emergency is told at once and reviewed afterwards",
        wording=wording.emergency,
        design=wording.emergency_design,
        operation=operation.emergency,
    ),
    Control(
        name="review-after-use",
        title="What was done is reviewed by somebody who had no part in it",
        wording=wording.review,
        design=wording.review_design,
        operation=operation.review,
    ),
    Control(
        name="complete-logging",
        title="No action without its record",
        wording=always(
            "Nothing is forwarded to a target before its record is durable; if recording fails, it does not happen.",
            "The actions of a session are numbered without a gap, and one without an outcome shows.",
        ),
        design=always_designed("an intent is on record before its first byte is sent", "the numbers have no gap"),
        operation=lambda context: [*operation.logging(context), operation.completeness(context)],
        probes=("unrecorded-action",),
    ),
    Control(
        name="timely-removal",
        title="An access is over on time, and read back as gone",
        wording=always(
            "An access has one absolute end. At its end connections are cut and the login is removed or shut.",
            "The removal is read back from the target, within five minutes, or an alarm is on record.",
        ),
        design=always_designed("the end is enforced by gateway, enforcer and target, each by itself"),
        operation=operation.tests(Letter.H, Letter.L),
        probes=("expired-grant",),
    ),
    Control(
        name="leavers-and-movers",
        title="Whoever leaves loses everything at once",
        wording=always(
            "When somebody leaves or moves, their access, requests and tokens end in the same entry.",
            "What they had and did is looked back at, on record.",
        ),
        design=always_designed("who has left is nobody, whatever the files still say"),
        operation=operation.leavers,
    ),
    Control(
        name="approver-authority",
        title="Who decided had the authority then",
        wording=always(
            "A decision counts only by whom the policy of that moment names, or whom they named while they were away.",
        ),
        design=always_designed("every decision names the version of the configuration that it was made under"),
        operation=operation.tests(Letter.C),
    ),
    Control(
        name="direct-data-change",
        title="Changes of data are approved, declared and counted",
        wording=wording.direct_change,
        design=wording.provisioning_design,
        operation=operation.direct_change,
    ),
    Control(
        name="administrators",
        title="Those who administer Sojourn are watched",
        wording=wording.administrators,
        design=always_designed("administrators hold no key that signs, and their deeds are entries"),
        operation=operation.administrators,
    ),
    Control(
        name="configuration-change",
        title="Policy and configuration change by two people",
        wording=wording.configuration_change,
        design=always_designed("a change is hashed, compared, and approved as exactly that hash"),
        operation=operation.configuration_change,
    ),
    Control(
        name="log-protection",
        title="The record cannot be altered unnoticed",
        wording=wording.protection,
        design=wording.protection_design,
        operation=operation.protection,
        probes=("edited-record", "tamper-drill"),
    ),
    Control(
        name="time",
        title="Times are right",
        wording=wording.time,
        design=always_designed("times are UTC, and never before that of the entry before"),
        operation=operation.time,
    ),
    Control(
        name="bypass",
        title="What comes around is seen",
        wording=wording.bypass,
        design=wording.privileged_design,
        operation=operation.bypass,
        probes=("unrecorded-action",),
    ),
    Control(
        name="retention-and-hold",
        title="What must be kept is kept",
        wording=always(
            "Each class of record has a floor below which nothing is destroyed; another time takes two administrators.",
            "A legal hold stops every destruction; releasing it takes two administrators.",
        ),
        design=always_designed("a key is destroyed only in the transaction that writes its tombstone"),
        operation=operation.retention,
    ),
)
"""In the order in which an access passes them."""


def control(name: str) -> Control | None:
    """The control of that name, or None."""
    return next((one for one in CONTROLS if one.name == name), None)
