"""The blocks of a pack: every value about one access, each with where it was told, when, and how it came to be known.

- `how` is `typed` for what a person wrote, `system` for what Sojourn itself found out, `target` for what was read back
  from the target, and `configuration` for what the files in force said then.
- All of it is as it was then. Who has since moved to another team is shown in the team of that day.
- Numbers come from the access event (`accesses`), answers from its tests, so that a pack and a report agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from sojourn.domain.catalogue import Adopted
from sojourn.domain.duration import format_duration
from sojourn.domain.events import ConfigurationAdopted, FactTold, RequestApproved, RequestSubmitted
from sojourn.domain.history import Recorded
from sojourn.domain.people import FactKind
from sojourn.domain.policy import explain
from sojourn.domain.policy.separation import ALWAYS_APART
from sojourn.domain.request.content import question
from sojourn.domain.sealed import Sealed
from sojourn.errors import Code
from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger import note as notes

from .accesses import Access, Books, Decision, Given
from .accesses.access import Placed
from .attributes import AttributeTest, moment_text
from .material import Material
from .step_up import proof_of

TYPED, SYSTEM, TARGET, CONFIGURATION = "typed", "system", "target", "configuration"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One value. `entry` and `at` say where and when it went on record; they are None for what was worked out here."""

    block: str
    what: str
    value: str
    how: str = SYSTEM
    entry: int | None = None
    at: str | None = None


Text = Callable[[Sealed | None], str | None]
"""Opens a sealed value, or says what stands for it."""


def blocks(
    material: Material, books: Books, access: Access, tests: tuple[AttributeTest, ...], text: Text
) -> list[Line]:
    """Every line of every block, in the order of an audit."""
    asked = access.asked
    adopted = books.configurations.under(asked.event.configuration_version)
    answers = {one.letter: one for one in tests}
    return [
        *_event(access, adopted),
        *_requester(asked, adopted),
        *_request(access, text),
        *_ticket(material, access, answers),
        *_risk(access, adopted),
        *_approvals(material, access, answers, text),
        *_policy(access, books, adopted),
        *_grant(access),
        *_sessions(access),
        *_revocation(access, answers),
        *_review(access, text),
        *_integrity(material, answers),
    ]


def _line(block: str, what: str, value: object, placed: Placed[RequestSubmitted] | Decision | None, how: str) -> Line:
    entry, at = (None, None) if placed is None else (placed.seq, moment_text(placed.at))
    return Line(block=block, what=what, value="" if value is None else str(value), how=how, entry=entry, at=at)


def _when(moment: datetime | None) -> str:
    return "" if moment is None else moment_text(moment)


def _event(access: Access, adopted: Adopted | None) -> Iterator[Line]:
    asked = access.asked
    target = None if adopted is None else adopted.catalogue.target(asked.event.target)
    person = None if adopted is None else adopted.catalogue.person(asked.event.person)
    labels = "none" if target is None else ", ".join(f"{name}: {value}" for name, value in target.labels) or "none"
    yield _line("event", "request", access.request, access.submitted, SYSTEM)
    yield _line("event", "number among all requests", access.number, access.submitted, SYSTEM)
    yield _line("event", "kind", access.kind, asked, SYSTEM)
    yield _line("event", "status", access.status, None, SYSTEM)
    yield _line("event", "made by", "unknown" if person is None else person.kind.value, asked, CONFIGURATION)
    yield _line("event", "scope: labels of the target", labels, asked, CONFIGURATION)
    yield _line("event", "calendar quarter (UTC)", _quarter(access.submitted.at), access.submitted, SYSTEM)


def _quarter(moment: datetime) -> str:
    return f"{moment.year} Q{(moment.month + 2) // 3}"


def _requester(asked: Placed[RequestSubmitted], adopted: Adopted | None) -> Iterator[Line]:
    event = asked.event
    yield _line("requester", "account", event.person, asked, SYSTEM)
    yield _line("requester", "from", event.source, asked, SYSTEM)
    person = None if adopted is None else adopted.catalogue.person(event.person)
    if person is None or adopted is None:
        yield _line("requester", "person", "not among the people of that configuration", asked, CONFIGURATION)
        return
    teams = ", ".join(team.name for team in adopted.catalogue.teams if person.id in team.members)
    told = {
        "name": person.name,
        "mail": person.mail,
        "manager": person.manager or "",
        "answered for by": person.owner or "",
        "teams": teams,
        "attributes": ", ".join(f"{name}: {value}" for name, value in person.attributes),
        "accounts of the same human being": ", ".join(sorted(adopted.policy.accounts.get(person.id, {person.id}))),
        "administers or audits Sojourn": _duties(person.administrator, person.auditor),
    }
    for what, value in told.items():
        if value:
            yield _line("requester", what, value, asked, CONFIGURATION)


def _duties(administrator: bool, auditor: bool) -> str:
    held = [word for word, has in (("administers", administrator), ("audits", auditor)) if has]
    return " and ".join(held) or "no"


def _request(access: Access, text: Text) -> Iterator[Line]:
    asked, event = access.asked, access.asked.event
    yield _line("request", "first asked at", moment_text(access.submitted.at), access.submitted, SYSTEM)
    yield _line("request", "role and target", f"{event.role} on {event.target}", asked, TYPED)
    yield _line("request", "for", format_duration(event.duration), asked, TYPED)
    yield _line("request", "planned start", "at once" if event.start is None else _when(event.start), asked, TYPED)
    yield _line("request", "reason", text(event.reason), asked, TYPED)
    yield _line("request", "reason code", event.facts.reason_code or "none", asked, TYPED)
    yield _line("request", "declared activities", ", ".join(event.facts.activities) or "none", asked, TYPED)
    yield _line("request", "incident", event.facts.incident_named or "none", asked, TYPED)
    yield _line("request", "changed", f"{access.revisions} times, each time losing its approvals", asked, SYSTEM)
    yield _line("request", "comments", f"{access.comments}, {access.open_questions} questions open", None, SYSTEM)
    yield _line("request", "digest of all this", event.digest, asked, SYSTEM)


def _ticket(material: Material, access: Access, answers: dict[str, AttributeTest]) -> Iterator[Line]:
    asked, facts = access.asked, access.asked.event.facts
    named = facts.ticket.id if facts.ticket is not None else facts.ticket_named
    yield _line("ticket", "named", named or "none", asked, TYPED)
    yield _line("ticket", "test A", f"{answers['A'].answer}: {answers['A'].reason}", None, SYSTEM)
    if not named:
        return
    told = [one for one in material.entries if _about_ticket(one, named)]
    before = [one for one in told if one.seq < asked.seq]
    yield from _snapshot("as known when asked", before[-1] if before else None)
    yield from _snapshot("as last told before the pack", told[-1] if told else None)


def _about_ticket(one: Recorded, named: str) -> bool:
    return isinstance(one.event, FactTold) and (one.event.fact, one.event.subject) == (FactKind.TICKET, named)


def _snapshot(what: str, one: Recorded | None) -> Iterator[Line]:
    if one is None:
        yield Line(block="ticket", what=what, value="the record knows of no such ticket")
        return
    event = one.event
    assert isinstance(event, FactTold)
    executing = ", ".join(event.people) or "nobody named"
    value = f"{event.sort}, {event.state}, to be done by {executing}; told by {event.told_by} from {event.origin}"
    yield Line(block="ticket", what=what, value=value, entry=one.seq, at=moment_text(one.at))


def _risk(access: Access, adopted: Adopted | None) -> Iterator[Line]:
    asked = access.asked
    rules = () if adopted is None else adopted.catalogue.separations
    for one in (*ALWAYS_APART, *rules):
        words = f"kept apart: {', '.join(duty.value for duty in one.apart)}"
        how = SYSTEM if one in ALWAYS_APART else CONFIGURATION
        yield _line("separation of duties", one.name, words, asked, how)
    conflicts = [one for one in access.attempts if one.code in (Code.POLICY_DUTIES_APART, Code.APPROVAL_SELF)]
    for attempt in conflicts:
        yield Line(
            block="separation of duties",
            what="refused",
            value=f"{attempt.actor} tried to {attempt.verb}: {attempt.code}",
            entry=attempt.seq,
            at=moment_text(attempt.at),
        )
    yield Line(block="separation of duties", what="conflicts that were let through", value="none: there is no way to")


def _approvals(material: Material, access: Access, answers: dict[str, AttributeTest], text: Text) -> Iterator[Line]:
    event = access.asked.event
    for group in event.groups:
        names = ", ".join(group.people)
        needed = f"{group.needed} of {names}"
        yield _line("approvals", f"needed from {group.name}", needed, access.asked, CONFIGURATION)
    if not event.groups:
        yield _line("approvals", "needed", f"none: {event.automatic or 'break-glass'}", access.asked, CONFIGURATION)
    for one in (*access.approvals, *([access.denial] if access.denial else [])):
        place = f" in the place of {one.event.on_behalf_of}" if one.event.on_behalf_of else ""
        decision = "denied" if one is access.denial else "approved"
        yield _line("approvals", decision, f"by {one.event.person}{place}, from {one.event.source}", one, SYSTEM)
        yield _line("approvals", "of", f"digest {one.event.digest}", one, SYSTEM)
        yield _line("approvals", "comment", text(one.event.comment) or "none", one, TYPED)
        if isinstance(one.event, RequestApproved):
            yield _line("approvals", "step-up proof", proof_of(one.seq, one.event, material.entries), one, SYSTEM)
    used = access.break_glass
    if used is not None:
        proof = proof_of(used.seq, used.event, material.entries)
        yield Line(
            block="approvals", what="step-up proof", value=proof, entry=used.seq, at=moment_text(used.at), how=SYSTEM
        )
    if access.superseded:
        yield _line("approvals", "lost by a change of the request", access.superseded, None, SYSTEM)
    for letter, what in (("C", "authority"), ("D", "independence"), ("B", "in time")):
        yield _line("approvals", f"{what} (test {letter})", answers[letter].reason, None, SYSTEM)


def _policy(access: Access, books: Books, adopted: Adopted | None) -> Iterator[Line]:
    asked, event = access.asked, access.asked.event
    yield _line("policy", "version", event.configuration_version, asked, SYSTEM)
    yield _line("policy", "hash (SHA-256)", event.configuration_digest, asked, SYSTEM)
    version = books.configurations.adopted.get(event.configuration_version)
    if version is not None:
        change = version.event
        assert isinstance(change, ConfigurationAdopted)
        two = f"{change.proposed_by}, approved by {change.approved_by}"
        by = f"the operator {change.operator}" if change.operator else two
        yield Line(
            block="policy", what="put in force by", value=by, entry=version.seq, at=moment_text(version.at), how=SYSTEM
        )
    yield _line("policy", "rules that applied", ", ".join(event.rules), asked, CONFIGURATION)
    for found in () if adopted is None else explain(adopted.policy, question(event, asked.at)):
        said = "; ".join(f"{'yes' if one.holds else 'no'}: {one.text}" for one in found.conditions)
        applies = "applied" if found.applies else "did not apply"
        yield _line("policy", f"rule {found.rule}", f"{applies} ({said})", asked, CONFIGURATION)


def _grant(access: Access) -> Iterator[Line]:
    given = access.given
    if given is None:
        yield Line(block="grant", what="given", value="nothing")
        return
    created = given.created

    def line(what: str, value: object, how: str = SYSTEM) -> Line:
        return Line(block="grant", what=what, value=str(value), how=how, entry=created.seq, at=moment_text(created.at))

    yield line("grant", given.id)
    yield line("not before", moment_text(created.event.window.start))
    yield line("end", moment_text(created.event.window.end))
    yield line("end with extensions", f"{moment_text(given.window.end)} ({len(given.extended_by)} extensions)")
    yield line("login at the target", created.event.credential)
    yield line("before", "no such login: it is made for this access, or opened for it")
    if given.provisioned_seq is None:
        yield Line(block="grant", what="while it lasted", value="it was never made", how=TARGET)
        return
    for privilege in given.observed:
        yield Line(
            block="grant",
            what="while it lasted",
            value=privilege,
            how=TARGET,
            entry=given.provisioned_seq,
            at=_when(given.provisioned_at),
        )


def _sessions(access: Access) -> Iterator[Line]:
    given = access.given
    if given is None or not given.uses:
        yield Line(block="sessions", what="used", value="never")
        return
    for use in given.uses.values():
        value = (
            f"from {use.source} ({use.application or 'no name told'}), first action {_when(use.first_at) or 'none'}, "
            f"last {_when(use.last_at) or 'none'}, closed {_when(use.closed_at) or 'not yet'}"
            f"{f' ({use.cause})' if use.cause else ''}"
        )
        at = moment_text(use.opened_at)
        yield Line(block="sessions", what=use.session, value=value, entry=use.seq, at=at)
        counts = (
            f"{use.actions} actions, {use.writes} that could write, {use.failed} refused by the target, "
            f"{use.unanswered} without an outcome; {use.rows} rows, {use.bytes_out} bytes"
        )
        yield Line(block="sessions", what=f"{use.session}: done", value=counts, entry=use.seq, at=at)


def _revocation(access: Access, answers: dict[str, AttributeTest]) -> Iterator[Line]:
    given = access.given
    if given is None:
        yield Line(block="revocation", what="nothing to take back", value="")
        return
    ended, removed = given.ended, given.removed
    if ended is None:
        yield Line(block="revocation", what="trigger", value="it is open")
    else:
        by = f" by {ended.event.ended_by}" if ended.event.ended_by else ""
        yield Line(
            block="revocation",
            what="trigger",
            value=f"{ended.event.cause}{by}",
            entry=ended.seq,
            at=moment_text(ended.at),
        )
    cut = [use for use in given.uses.values() if use.cut_lag_us is not None]
    longest = max((use.cut_lag_us or 0 for use in cut), default=0)
    yield Line(block="revocation", what="sessions cut", value=f"{len(cut)}, the last {longest / 1000:.1f} ms after")
    yield Line(block="revocation", what="tries that failed", value=f"{given.removal_failures} {given.last_problem}")
    if removed is not None:
        role, sessions = removed.event.role_present, removed.event.sessions_present
        yield Line(
            block="revocation",
            what="read back",
            value=f"login {'still there' if role else 'gone'}, {sessions} sessions, {_terminated(given)} ended there",
            how=TARGET,
            entry=removed.seq,
            at=moment_text(removed.at),
        )
    yield Line(block="revocation", what="in time (test H)", value=answers["H"].reason)
    yield Line(block="revocation", what="credential (test L)", value=answers["L"].reason)


def _terminated(given: Given) -> int:
    return 0 if given.removed is None else given.removed.event.sessions_terminated


def _review(access: Access, text: Text) -> Iterator[Line]:
    review = None if access.given is None else access.given.review
    if review is None:
        yield Line(block="review", what="opened", value="no")
        return
    opened = review.opened

    def line(what: str, value: object, placed: tuple[int, datetime], how: str = SYSTEM) -> Line:
        return Line(block="review", what=what, value=str(value), how=how, entry=placed[0], at=moment_text(placed[1]))

    begun = (opened.seq, opened.at)
    yield line("may be concluded by", ", ".join(opened.event.reviewers), begun, CONFIGURATION)
    yield line("had a part in it", ", ".join(opened.event.involved), begun)
    yield line("due", moment_text(opened.event.due), begun)
    yield line("said and asked", f"{review.notes} notes, {review.questions} questions open", begun)
    if review.overdue is not None:
        more = ", ".join(review.overdue.event.escalated_to) or "nobody"
        yield line("overdue, also for", more, (review.overdue.seq, review.overdue.at))
    if review.concluded is None:
        return
    concluded, done = review.concluded.event, (review.concluded.seq, review.concluded.at)
    yield line("concluded by", f"{concluded.person}: {concluded.outcome.replace('_', ' ')}", done, TYPED)
    for point, answer in zip(opened.event.checklist, concluded.answers, strict=False):
        yield line(point, answer.replace("_", " "), done, TYPED)
    seen = f"{concluded.sessions} sessions, {concluded.actions} actions, {concluded.writes} that could write"
    yield line("saw", seen, done)
    yield line("remark", text(concluded.remark) or "none", done, TYPED)


def _integrity(material: Material, answers: dict[str, AttributeTest]) -> Iterator[Line]:
    body, signatures = notes.split(material.checkpoint)
    head = checkpoints.parse(body)
    first, last = material.entries[0], material.entries[-1]

    def line(what: str, value: object) -> Line:
        return Line(block="integrity", what=what, value=str(value))

    yield line("origin of the record", head.origin)
    yield line("checkpoint over", f"{head.size} entries")
    yield line("root (SHA-256, RFC 6962)", head.root.hex())
    yield line("signed and cosigned by", ", ".join(name for name, _, _ in signatures))
    yield line("entries in this pack", f"{len(material.entries)}, from place {first.seq} to {last.seq}")
    yield line("as of", moment_text(material.as_of))
    yield line("proofs (test K)", answers["K"].reason)
    destroyed = [one.seq for one in material.entries if one.event.kind == "keys.destroyed"]
    yield line("tombstones", ", ".join(map(str, destroyed)) or "none")
