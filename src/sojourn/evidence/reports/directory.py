"""Every report that can be asked for, by its name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sojourn.evidence.controls import report as controls
from sojourn.evidence.files.sheet import Sheet

from . import access_events, ageing, configuration, eligibility, lists, narrowed, standing_privilege
from .context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A report: its title, what it is for, and its sheets."""

    title: str
    purpose: str
    sheets: Callable[[Context], Iterator[Sheet]]


BY_TARGET = frozenset(("access-events", "emergency-access", "service-access", "late-revocations"))
"""Reports that can be about some targets alone."""

REPORTS: dict[str, Report] = {
    "access-events": Report(
        title="Access events",
        purpose="Every request for access of the period, what became of it, and thirteen tests of each.",
        sheets=access_events.sheets,
    ),
    "controls": Report(
        title="Controls",
        purpose="Each control in the words of the policy in force, what it rests on, and what is on record of it.",
        sheets=controls.sheets,
    ),
    "emergency-access": Report(
        title="Emergency access",
        purpose="Every access that was taken without a decision beforehand.",
        sheets=narrowed.emergencies,
    ),
    "service-access": Report(
        title="Service and AI-agent access",
        purpose="Every access of an account that is no human being, with the human who answers for it.",
        sheets=narrowed.programs,
    ),
    "late-revocations": Report(
        title="Failed or late revocations",
        purpose="Every access whose removal failed at first, came late, or has not come yet.",
        sheets=narrowed.late,
    ),
    "review-ageing": Report(
        title="Review ageing",
        purpose="Every review that was open in the period: when it was due, how long it took or takes, month by month.",
        sheets=ageing.sheets,
    ),
    "frequent-users": Report(
        title="Frequent users and repeated reasons",
        purpose="Who came how often, and to do what: access that is asked for again and again may belong in a role.",
        sheets=lists.frequent,
    ),
    "reciprocal-approvals": Report(
        title="Separation of duties and reciprocal approvals",
        purpose="People who approved each other's requests, and refusals because duties are kept apart.",
        sheets=lists.reciprocal,
    ),
    "invalid-actors": Report(
        title="Invalid actors",
        purpose="Attempts by people who were not entitled, or not known, or had left.",
        sheets=lists.actors,
    ),
    "eligibility": Report(
        title="Who is eligible",
        purpose="Everybody who could get a role on a target, as of the report, by which rule.",
        sheets=eligibility.sheets,
    ),
    "approver-roster": Report(
        title="Approvers and reviewers",
        purpose="Everybody whose word counts for a role on a target, as of the report, and who stood in for whom.",
        sheets=eligibility.roster,
    ),
    "standing-privilege": Report(
        title="Standing privilege",
        purpose="Mighty accounts at the targets that are not Sojourn's, and access that is open as of the report.",
        sheets=standing_privilege.sheets,
    ),
    "bypass-reconciliation": Report(
        title="Bypass reconciliation",
        purpose="What the targets saw and the record did not, and the other way round.",
        sheets=standing_privilege.bypass,
    ),
    "configuration-changes": Report(
        title="Policy and configuration changes",
        purpose="Every version that came into force in the period, by whom, and its difference to the one before.",
        sheets=configuration.changes,
    ),
    "administrators": Report(
        title="Sojourn's own administrators",
        purpose="Who administers Sojourn, and everything that they did.",
        sheets=configuration.administrators,
    ),
    "ledger-integrity": Report(
        title="Integrity of the record",
        purpose="What the record holds, that it leads to its signed root, and what was noticed about it.",
        sheets=configuration.integrity,
    ),
    "evidence-access": Report(
        title="Who looked at evidence",
        purpose="Every look at evidence that is on record.",
        sheets=configuration.looks,
    ),
}
