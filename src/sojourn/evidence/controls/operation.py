"""What is on record of a control in a period: how much there was, and how much of it was an exception.

Counts come from the same events and tests as the reports, never from a second reading.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from sojourn.domain.events import (
    CampaignClosed,
    ConfigurationAdopted,
    EligibilityLost,
    EligibilityRemoved,
    EvidenceGiven,
    HoldPlaced,
    LedgerDrilled,
    LookedBack,
    PersonLeft,
    RecordsDisposed,
    ReviewOutcome,
    TargetReconciled,
)
from sojourn.domain.finding import UNOBSERVED
from sojourn.domain.history import Recorded
from sojourn.errors import Code
from sojourn.evidence.attributes import Answer
from sojourn.evidence.attributes.answer import Letter
from sojourn.evidence.reports.ageing import reviews
from sojourn.evidence.reports.completeness import checks
from sojourn.evidence.reports.context import Context

from .control import Measure

Operation = Callable[[Context], Sequence[Measure]]


def tests(*letters: Letter) -> Operation:
    """What tests of access events found."""
    return lambda context: [tested(context, letter) for letter in letters]


def tested(context: Context, letter: Letter) -> Measure:
    """One test over all events of the period: to how many it applied, and how many failed."""
    answers = [event.test(letter.value).answer for event in context.events]
    applied = [one for one in answers if one is not Answer.NOT_APPLICABLE]
    return Measure(
        what=f"{letter.value} {letter.asks}",
        population=len(applied),
        exceptions=sum(one is Answer.FAIL for one in applied),
        where=f"access-events, test {letter.value}",
    )


def _others(context: Context, kind: type) -> Iterator[Recorded]:
    for one in context.books.others:
        if isinstance(one.event, kind) and context.parameters.period.contains(one.at):
            yield one


def eligibility(context: Context) -> list[Measure]:
    """Campaigns of the period."""
    closed = [one.event for one in _others(context, CampaignClosed)]
    silent = sum(len(one.silent) for one in closed if isinstance(one, CampaignClosed))
    return [
        Measure(what="campaigns closed", population=len(closed), exceptions=None, where="eligibility"),
        Measure(what="removed because nobody decided", population=silent, exceptions=None, where="eligibility"),
        tested(context, Letter.E),
    ]


def privileged(context: Context) -> list[Measure]:
    """Looks at targets, and changes of their mighty accounts."""
    looks = [one.event for one in _others(context, TargetReconciled)]
    changed = sum(bool(one.accounts_changed) for one in looks if isinstance(one, TargetReconciled))
    count = sum(one.looks for one in looks if isinstance(one, TargetReconciled))
    return [Measure(what="looks at targets", population=count, exceptions=changed, where="standing-privilege")]


def separation(context: Context) -> list[Measure]:
    """Test D, and what was refused."""
    refused = sum(
        attempt.code in (Code.POLICY_DUTIES_APART, Code.APPROVAL_SELF)
        for event in context.events
        for attempt in event.access.attempts
    )
    told = Measure(what="attempts refused", population=refused, exceptions=None, where="reciprocal-approvals")
    return [tested(context, Letter.D), told]


def emergency(context: Context) -> list[Measure]:
    """How many emergencies, and test M."""
    count = sum(event.access.asked.event.break_glass for event in context.events)
    told = Measure(what="emergencies", population=count, exceptions=None, where="emergency-access")
    return [told, tested(context, Letter.M)]


def review(context: Context) -> list[Measure]:
    """Test I, and what reviewers found in the period."""
    period = context.parameters.period
    concluded = [one.review.concluded for one in reviews(context) if one.review.concluded is not None]
    found = [one.event.outcome for one in concluded if period.contains(one.at)]
    bad = sum(one in (ReviewOutcome.INAPPROPRIATE, ReviewOutcome.NOT_DETERMINABLE) for one in found)
    told = Measure(what="reviews concluded", population=len(found), exceptions=bad, where="review-ageing, Months")
    return [tested(context, Letter.I), told, tested(context, Letter.J)]


def logging(context: Context) -> list[Measure]:
    """Actions, those without an outcome, and times that nobody could look."""
    given = [event.access.given for event in context.events if event.access.given is not None]
    actions, open_ended = (sum(one.total(name) for one in given) for name in ("actions", "unanswered"))
    blind = [one for one in context.findings if one.kind == UNOBSERVED]
    return [
        Measure(what="actions", population=actions, exceptions=open_ended, where="access-events, unanswered"),
        tested(context, Letter.F),
        Measure(
            what="times a target could not be looked at",
            population=len(blind),
            exceptions=sum(one.disposed is None for one in blind),
            where="bypass-reconciliation",
        ),
    ]


def leavers(context: Context) -> list[Measure]:
    """Who left and who lost something, and those of them on whom nobody has looked back since."""
    lost = [*_others(context, EligibilityLost), *_others(context, EligibilityRemoved)]
    return [
        _looked_back(context, "people who left", _others(context, PersonLeft)),
        _looked_back(context, "losses by a configuration or a certification", lost),
    ]


def _looked_back(context: Context, what: str, found: Iterable[Recorded]) -> Measure:
    back = {one.event.person: one.seq for one in context.books.others if isinstance(one.event, LookedBack)}
    owed = [
        (one.event.person, one.seq)
        for one in found
        if isinstance(one.event, PersonLeft | EligibilityLost | EligibilityRemoved)
    ]
    missing = sum(back.get(person, -1) < seq for person, seq in owed)
    return Measure(what=what, population=len(owed), exceptions=missing, where="administrators")


def direct_change(context: Context) -> list[Measure]:
    """Writes, and test G."""
    given = [event.access.given for event in context.events if event.access.given is not None]
    writes = sum(one.total("writes") for one in given)
    told = Measure(what="actions that could write", population=writes, exceptions=None, where="access-events, writes")
    return [told, tested(context, Letter.G), tested(context, Letter.B)]


def configuration_change(context: Context) -> list[Measure]:
    """Versions that came into force, and those by one person alone."""
    made = [one.event for one in _others(context, ConfigurationAdopted)]
    alone = sum(isinstance(one, ConfigurationAdopted) and bool(one.operator) for one in made)
    return [
        Measure(what="versions put in force", population=len(made), exceptions=alone, where="configuration-changes")
    ]


def administrators(context: Context) -> list[Measure]:
    """Looks at evidence by anybody."""
    given = sum(1 for _ in _others(context, EvidenceGiven))
    return [Measure(what="times evidence was given", population=given, exceptions=None, where="evidence-access")]


def protection(context: Context) -> list[Measure]:
    """The record against its root, and the drills of the period."""
    drills = [one.event for one in _others(context, LedgerDrilled)]
    failed = sum(isinstance(one, LedgerDrilled) and not one.passed for one in drills)
    return [
        Measure(
            what="entries under the signed root",
            population=context.base.size,
            exceptions=int(bool(context.base.problem)),
            where="ledger-integrity",
        ),
        Measure(what="tamper drills", population=len(drills), exceptions=failed, where="ledger-integrity"),
        tested(context, Letter.K),
    ]


def time(context: Context) -> list[Measure]:
    """Time stamps of others."""
    stamps = sum(
        one.event.kind == "publication.stamped" and context.parameters.period.contains(one.at)
        for one in context.books.others
    )
    return [Measure(what="time stamps of an authority", population=stamps, exceptions=None, where="ledger-integrity")]


def bypass(context: Context) -> list[Measure]:
    """What targets saw and the record did not, and the other way round; open ones are exceptions."""
    looks = [one.event for one in _others(context, TargetReconciled)]
    sessions = sum(one.sessions for one in looks if isinstance(one, TargetReconciled))
    opened = sum(one.disposed is None for one in context.findings)
    where = "bypass-reconciliation"
    return [
        Measure(what="sessions seen at targets", population=sessions, exceptions=None, where=where),
        Measure(what="findings at targets", population=len(context.findings), exceptions=opened, where=where),
    ]


def retention(context: Context) -> list[Measure]:
    """Disposals and holds."""
    disposed, held = (sum(1 for _ in _others(context, kind)) for kind in (RecordsDisposed, HoldPlaced))
    return [
        Measure(what="disposals", population=disposed, exceptions=None, where="ledger-integrity"),
        Measure(what="holds placed", population=held, exceptions=None, where="ledger-integrity"),
    ]


def completeness(context: Context) -> Measure:
    """Every check of completeness."""
    held = [check.holds for check in checks(context) if check.holds is not None]
    return Measure(
        what="checks of completeness",
        population=len(held),
        exceptions=sum(not one for one in held),
        where="access-events, Completeness",
    )
