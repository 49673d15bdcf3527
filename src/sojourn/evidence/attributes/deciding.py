"""Tests of how an access was decided: A, B, C, D and E."""

from __future__ import annotations

from sojourn.domain.catalogue import Adopted
from sojourn.domain.duration import format_duration
from sojourn.domain.policy import Terms, counts, escalated
from sojourn.domain.policy.requirements import fits, say_ticket
from sojourn.domain.request.content import question
from sojourn.errors import Refusal
from sojourn.evidence.accesses import Access, Configurations, Decision

from .answer import AttributeTest, Letter, not_applicable, passed

NEVER = "it never became an access"


def ticket(access: Access, configurations: Configurations) -> AttributeTest:
    """A: the ticket that the rules asked for was given, in the kind and state they asked for, before the grant."""
    if access.activated_seq is None and access.given is None:
        return not_applicable(Letter.A, NEVER)
    terms = _terms_asked(access, configurations)
    if terms is None:
        return passed(Letter.A, False, _unreadable(access))
    given, asked = access.asked.event.facts.ticket, terms.requirements.tickets
    if not asked:
        return not_applicable(Letter.A, "its rules ask for no ticket")
    wanted = "; ".join(map(say_ticket, asked))
    if given is None:
        return passed(Letter.A, False, f"no ticket was given; asked for: {wanted}")
    fit = all(fits(one, given) for one in asked)
    said = f"ticket {given.id} ({given.kind}, {given.state}) was on record at entry {access.asked.seq}"
    return passed(Letter.A, fit, f"{said}; asked for: {wanted}")


def approved_before_use(access: Access) -> AttributeTest:
    """B: the last approval that was needed stands before the grant and before its first use in the ledger."""
    asked = access.asked.event
    if access.activated_seq is None and access.given is None:
        return not_applicable(Letter.B, NEVER)
    if asked.break_glass:
        return not_applicable(Letter.B, "an emergency access is approved afterwards: see M")
    begun = min(seq for seq in (access.activated_seq, _created(access), _first_use(access)) if seq is not None)
    if not asked.groups:
        reason = f"approved by rule {', '.join(asked.rules)} and by nobody: {asked.automatic}"
        return passed(
            Letter.B, bool(asked.automatic) and access.asked.seq < begun, f"{reason} (entry {access.asked.seq})"
        )
    complete = access.complete
    if complete is None:
        return passed(Letter.B, False, "no complete approval is on record")
    return passed(
        Letter.B, complete.seq < begun, f"complete approval at entry {complete.seq}, access from entry {begun}"
    )


def approvers_had_authority(access: Access, configurations: Configurations) -> AttributeTest:
    """C: the policy in force at each decision names who decided, and they decided about what was asked."""
    asked = access.asked.event
    if not asked.groups:
        why = f"by rule {', '.join(asked.rules)} nobody had to approve"
        return not_applicable(Letter.C, f"{why}: {asked.automatic or 'break-glass'}")
    decisions = [*access.approvals, *([access.denial] if access.denial else [])]
    if not decisions:
        if access.given is None and access.activated_seq is None:
            return not_applicable(Letter.C, "nobody has decided")
        return passed(Letter.C, False, "no approval is on record")
    answers = [_had_authority(access, one, configurations) for one in decisions]
    return passed(Letter.C, all(had for had, _ in answers), "; ".join(words for _, words in answers))


def _had_authority(access: Access, decision: Decision, configurations: Configurations) -> tuple[bool, str]:
    asked, given = access.asked.event, decision.event
    version, place = given.configuration_version, given.on_behalf_of or given.person
    adopted = configurations.under(version, decision.standing)
    terms = None if adopted is None else _terms_at(adopted, access, decision)
    if terms is None:
        had, words = False, "has no rule for this request"
    else:
        had = counts(terms.groups, place)
        words = f"{'names' if had else 'does not name'} {place} under rule {', '.join(terms.rules)}"
    if given.on_behalf_of is not None:
        named = place in decision.standing.delegators(given.person, decision.at)
        had = had and named
        words += f", who {'was away and had' if named else 'had not'} named {given.person}"
    if given.digest != asked.digest:
        had = False
        words += "; the decision was about something else than was asked"
    return had, f"configuration version {version} {words} (entry {decision.seq})"


def _terms_at(adopted: Adopted, access: Access, decision: Decision) -> Terms | None:
    asked = access.asked.event
    terms = adopted.judge(question(asked, decision.at))
    if isinstance(terms, Refusal):
        return None
    return escalated(terms) if asked.escalate_at is not None and decision.at >= asked.escalate_at else terms


def different_people(access: Access, configurations: Configurations) -> AttributeTest:
    """D: nobody filled two of the places of requester, approver and reviewer, by whatever account."""
    asked = access.asked.event
    approvers = [one.event.person for one in access.approvals]
    places = [one.event.on_behalf_of or one.event.person for one in access.approvals]
    review = access.given.review if access.given is not None else None
    reviewer = review.concluded.event.person if review is not None and review.concluded is not None else None
    own = _accounts(access, configurations)
    twice = len(set(places)) != len(places) or len(set(approvers)) != len(approvers)
    self_made = own & {*approvers, *places, *([reviewer] if reviewer else [])}
    reviewed_own = reviewer is not None and reviewer in {*approvers, *places}
    complete = access.complete is not None or access.given is not None
    if not approvers and reviewer is None and not (complete and asked.groups):
        return not_applicable(Letter.D, "nobody but the requester had a part in it")
    enough = not complete or len(set(places)) >= asked.approvals
    said = f"requested by {asked.person}, approved by {', '.join(approvers) or 'nobody'} ({asked.approvals} needed)"
    said += f", reviewed by {reviewer}" if reviewer else ""
    return passed(Letter.D, not (twice or self_made or reviewed_own) and enough, said)


def within_approved(access: Access, configurations: Configurations) -> AttributeTest:
    """E: what was granted is what was approved and not longer; and the rules then allowed as much."""
    given, asked = access.given, access.asked.event
    if given is None:
        reason = "it prolonged a grant, which is tested there" if access.activated_seq is not None else NEVER
        return not_applicable(Letter.E, reason)
    created = given.created.event
    same = (asked.person, asked.target, asked.role) == (created.person, created.target, created.role)
    within = same and created.window.length <= asked.duration
    said = f"approved {asked.role} on {asked.target} for {format_duration(asked.duration)}, "
    said += f"granted {created.role} on {created.target} for {format_duration(created.window.length)}"
    terms = _terms_asked(access, configurations)
    if terms is None:
        return passed(Letter.E, False, f"{said}; {_unreadable(access)}")
    said += f"; rule {', '.join(terms.rules)} allows {format_duration(terms.longest)}"
    return passed(Letter.E, within and asked.duration <= terms.longest, said)


def _terms_asked(access: Access, configurations: Configurations) -> Terms | None:
    """The terms of what was asked in the end, by the configuration that it was asked under."""
    asked = access.asked.event
    adopted = configurations.under(asked.configuration_version)
    terms = None if adopted is None else adopted.judge(question(asked, access.asked.at))
    return None if terms is None or isinstance(terms, Refusal) else terms


def _unreadable(access: Access) -> str:
    return f"configuration version {access.asked.event.configuration_version} has no rule for this request"


def _accounts(access: Access, configurations: Configurations) -> frozenset[str]:
    """All accounts of the human who asked."""
    person = access.asked.event.person
    adopted = configurations.under(access.asked.event.configuration_version)
    return frozenset((person,)) if adopted is None else adopted.policy.accounts.get(person, frozenset((person,)))


def _created(access: Access) -> int | None:
    return None if access.given is None else access.given.created.seq


def _first_use(access: Access) -> int | None:
    return None if access.given is None or access.given.first_use is None else access.given.first_use[0]
