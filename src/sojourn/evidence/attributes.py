"""The tests that an auditor makes of one access, each with its answer and the reason in words.

The letters are those of the catalogue of tests in docs/reference/evidence-pack.md. A test that this version cannot
answer is not listed. Every answer is worked out again from the raw entries, never taken from what decided then.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from sojourn.domain.catalogue import Catalogue
from sojourn.domain.duration import format_duration
from sojourn.domain.events import (
    ActionIntended,
    ConfigurationAdopted,
    Event,
    GrantCreated,
    GrantEnded,
    GrantExtended,
    GrantRemoved,
    RequestApproved,
    RequestRevised,
    RequestSubmitted,
    SessionOpened,
)
from sojourn.domain.history import Recorded
from sojourn.domain.policy import Question, Terms, judge
from sojourn.domain.window import Window
from sojourn.errors import Refusal
from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger import merkle
from sojourn.ledger.errors import LedgerError

from .material import Material

REMOVAL_ALLOWED = timedelta(minutes=5)
"""Cutting takes milliseconds; a target that is down for a moment is still in time, one that is down longer is not."""

_catalogue_decoder = msgspec.json.Decoder(Catalogue)


class Answer(StrEnum):
    """What a test found."""

    PASS = "pass"  # noqa: S105 - an answer, not a password
    FAIL = "fail"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeTest:
    """One test with its answer."""

    letter: str
    title: str
    answer: Answer
    reason: str


def answer_attributes(material: Material) -> tuple[AttributeTest, ...]:
    """Every test that can be answered from the material of one access."""
    return tuple(_tests(material))


def _tests(material: Material) -> Iterator[AttributeTest]:
    entries = material.entries
    submitted = _asked_last(entries)
    created = _first(entries, GrantCreated)
    approvals = [one for one in entries if isinstance(one.event, RequestApproved) and one.seq > submitted.seq]
    actions = [one for one in entries if isinstance(one.event, SessionOpened | ActionIntended)]
    yield _approved_before_use(submitted, approvals, created, actions)
    yield _approvers_had_authority(material, submitted, approvals)
    yield _different_people(submitted, approvals)
    yield _within_approved(submitted, created)
    window = _window(entries, created)
    yield _inside_window(window, actions)
    yield _removed_in_time(entries, window)
    yield _integrity(material)


def _asked_last(entries: Sequence[Recorded]) -> Recorded:
    """What was asked in the end: decisions before it were about something else."""
    submitted = _first(entries, RequestSubmitted)
    for one in entries:
        if isinstance(one.event, RequestRevised):
            submitted = replace(one, event=one.event.content)
    return submitted


def _window(entries: Sequence[Recorded], created: Recorded) -> Window:
    """From its start to its end, with every extension."""
    event = created.event
    assert isinstance(event, GrantCreated)
    ends = [one.event.until for one in entries if isinstance(one.event, GrantExtended)]
    return Window(start=event.window.start, end=max([event.window.end, *ends]))


def _first(entries: Sequence[Recorded], kind: type[Event]) -> Recorded:
    return next(one for one in entries if isinstance(one.event, kind))


def _result(letter: str, title: str, passed: bool, reason: str) -> AttributeTest:
    return AttributeTest(letter=letter, title=title, answer=Answer.PASS if passed else Answer.FAIL, reason=reason)


def _by_rule(submitted: Recorded) -> str:
    """The words of the policy that approved the request without a person, or nothing."""
    asked = submitted.event
    assert isinstance(asked, RequestSubmitted)
    return "" if asked.groups else f"approved by rule {', '.join(asked.rules)} and by nobody: {asked.automatic}"


def _approved_before_use(
    submitted: Recorded, approvals: Sequence[Recorded], created: Recorded, actions: Sequence[Recorded]
) -> AttributeTest:
    title = "Approved before first use"
    if _by_rule(submitted):
        return _result("B", title, submitted.seq < created.seq, f"{_by_rule(submitted)} (entry {submitted.seq})")
    complete = [one for one in approvals if isinstance(one.event, RequestApproved) and one.event.complete]
    if not complete:
        return _result("B", title, False, "no complete approval is on record")
    used = actions[0].seq if actions else created.seq
    reason = f"complete approval at entry {complete[0].seq}, first use at entry {used}"
    return _result("B", title, complete[0].seq < min(used, created.seq), reason)


def _approvers_had_authority(material: Material, submitted: Recorded, approvals: Sequence[Recorded]) -> AttributeTest:
    """Asks the policy that was in force at each approval again who could approve, and whether it was the one shown."""
    title = "Approvers had the authority then"
    asked = submitted.event
    assert isinstance(asked, RequestSubmitted)
    if _by_rule(submitted):
        return _result("C", title, True, _by_rule(submitted))
    if not approvals:
        return _result("C", title, False, "no approval is on record")
    reasons, passed = [], True
    for one in approvals:
        given = one.event
        assert isinstance(given, RequestApproved)
        catalogue = _catalogue(material, given.configuration_version)
        terms = None if catalogue is None else _terms(catalogue, asked, one.at)
        if terms is None or isinstance(terms, Refusal):
            named, words = False, "had no rule for this request"
        else:
            named = (given.on_behalf_of or given.person) in terms.approvers
            words = f"{'names' if named else 'does not name'} {given.person} under rule {', '.join(terms.rules)}"
        shown = given.digest == asked.digest
        passed = passed and named and shown
        words += "" if shown else "; the approval was for something else than was asked"
        reasons.append(f"configuration version {given.configuration_version} {words} (entry {one.seq})")
    return _result("C", title, passed, "; ".join(reasons))


def _terms(catalogue: Catalogue, asked: RequestSubmitted, moment: datetime) -> Terms | Refusal:
    question = Question(
        person=asked.person,
        target=asked.target,
        role=asked.role,
        duration=asked.duration,
        moment=moment,
        facts=asked.facts,
    )
    return judge(catalogue.policy(), question)


def _catalogue(material: Material, version: int) -> Catalogue | None:
    for one in material.entries:
        if isinstance(one.event, ConfigurationAdopted) and one.version == version:
            try:
                return _catalogue_decoder.decode(material.attachments[one.event.catalogue_sha256])
            except msgspec.MsgspecError:
                return None
    return None


def _different_people(submitted: Recorded, approvals: Sequence[Recorded]) -> AttributeTest:
    event = submitted.event
    assert isinstance(event, RequestSubmitted)
    people = [one.event.person for one in approvals if isinstance(one.event, RequestApproved)]
    passed = event.person not in people and len(set(people)) == len(people) >= event.approvals
    reason = f"requested by {event.person}, approved by {', '.join(people) or 'nobody'}; {event.approvals} needed"
    return _result("D", "Requester and approvers are different people", passed, reason)


def _within_approved(submitted: Recorded, created: Recorded) -> AttributeTest:
    asked, given = submitted.event, created.event
    assert isinstance(asked, RequestSubmitted) and isinstance(given, GrantCreated)
    same = (asked.person, asked.target, asked.role) == (given.person, given.target, given.role)
    passed = same and given.window.length <= asked.duration
    approved = f"approved {asked.role} on {asked.target} for {format_duration(asked.duration)}"
    granted = f"granted {given.role} on {given.target} for {format_duration(given.window.length)}"
    return _result("E", "Granted within what was approved", passed, f"{approved}, {granted}")


def _inside_window(window: Window, actions: Sequence[Recorded]) -> AttributeTest:
    title = "No action outside the window"
    if not actions:
        return AttributeTest(letter="F", title=title, answer=Answer.NOT_APPLICABLE, reason="it was never used")
    outside = [one.seq for one in actions if not window.contains(one.at)]
    if outside:
        return _result("F", title, False, f"entries {', '.join(map(str, outside))} lie outside")
    span = f"from {moment_text(window.start)} to {moment_text(window.end)}"
    return _result("F", title, True, f"{len(actions)} entries, all {span}")


def _removed_in_time(entries: Sequence[Recorded], window: Window) -> AttributeTest:
    """Counts from the moment the access had to be over: its end, or earlier when somebody ended it."""
    title = "Removed in time, and read back as gone"
    ended = next((one for one in entries if isinstance(one.event, GrantEnded)), None)
    if ended is None:
        reason = f"no end is on record yet; the window closes at {moment_text(window.end)}"
        return AttributeTest(letter="H", title=title, answer=Answer.NOT_APPLICABLE, reason=reason)
    removed = next((one for one in entries if isinstance(one.event, GrantRemoved)), None)
    if removed is None:
        return _result("H", title, False, "it has ended, and its absence has not been read back yet")
    gone = removed.event
    assert isinstance(gone, GrantRemoved)
    due = min(ended.at, window.end)
    latency = removed.at - due
    milliseconds = round(latency.total_seconds() * 1000)
    allowed = format_duration(REMOVAL_ALLOWED)
    reason = f"read back as gone {milliseconds} ms after it had to be over; {allowed} are allowed"
    passed = latency <= REMOVAL_ALLOWED and not gone.role_present and gone.sessions_present == 0
    return _result("H", title, passed, reason)


def _integrity(material: Material) -> AttributeTest:
    """Follows every proof again, as the verifier does; that the signature is ours only the verifier can say."""
    title = "Integrity verifies"
    head = checkpoints.parse(material.checkpoint.partition("\n\n")[0] + "\n")
    broken = []
    for seq, data in material.raw.items():
        try:
            leaf, proof = merkle.leaf_hash(data), material.proofs[seq]
            merkle.verify_inclusion(leaf=leaf, index=seq, size=head.size, proof=proof, root=head.root)
        except LedgerError:
            broken.append(seq)
    if broken:
        return _result("K", title, False, f"entries {', '.join(map(str, broken))} do not lead to the checkpoint")
    reason = f"all {len(material.raw)} entries lead to the checkpoint of {head.size}; repeat it with sojourn-verify"
    return _result("K", title, True, reason)


def moment_text(moment: datetime) -> str:
    """A moment as people and machines read it: RFC 3339 in UTC, to the millisecond."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
