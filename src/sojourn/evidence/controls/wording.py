"""The wording of controls, sentence by sentence, from the policy and the settings in force.

Nothing here is a text that could drift: every name, number and duration is read from what decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from sojourn.domain.duration import format_duration
from sojourn.domain.policy import Line as RuleLine
from sojourn.domain.policy.requirements import say_requirements
from sojourn.domain.policy.separation import ALWAYS_APART

from .control import InForce, Line

Say = Callable[[InForce], Sequence[str]]
Design = Callable[[InForce], Sequence[Line]]


def always(*sentences: str) -> Say:
    """A wording that no setting changes, because no setting can."""
    return lambda _: sentences


def always_designed(*texts: str) -> Design:
    """A design that no setting changes."""
    return lambda _: [Line(source="always", text=text) for text in texts]


def _places(now: InForce, line: RuleLine) -> str:
    return ", ".join(f"{role} on {target}" for (target, role), lines in now.policy.offered.items() if line in lines)


def _approvals(line: RuleLine) -> str:
    return " and ".join(f"{group.needed} of {group.name} ({', '.join(group.people)})" for group in line.groups)


def _rules(now: InForce, wanted: Callable[[RuleLine], bool]) -> Iterator[tuple[RuleLine, str]]:
    """Rules that somebody can use, with what each opens."""
    for line in now.policy.lines:
        places = _places(now, line)
        if places and wanted(line):
            yield line, places


def _decided(line: RuleLine) -> bool:
    return not line.rule.automatic and line.rule.break_glass is None


def provisioning(now: InForce) -> list[str]:
    """Who approves what, and for how long."""
    said = []
    for line, places in _rules(now, lambda one: one.rule.break_glass is None):
        longest = format_duration(line.rule.longest)
        by = (
            f"after approval by {_approvals(line)}" if _decided(line) else f"without an approval: {line.rule.automatic}"
        )
        asked = ", ".join(say_requirements(line.requirements))
        giving = f" and on giving {asked}" if asked else ""
        said.append(f"Access as {places} is granted {by}{giving}, for at most {longest}, and ends by itself.")
    return said or ["No rule grants any access."]


def provisioning_design(now: InForce) -> list[Line]:
    """The rules, each with what it opens."""
    rules = [Line(source=f"rule {line.rule.name}", text=places) for line, places in _rules(now, lambda _: True)]
    return [*rules, Line(source="always", text="what no rule allows is not allowed")]


def eligibility(now: InForce) -> list[str]:
    """How many people may ask for what."""
    said = []
    for line, places in _rules(now, lambda _: True):
        said.append(f"{len(line.who)} accounts may ask for {places}: {', '.join(sorted(line.who)) or 'nobody'}.")
    said.append(
        "A campaign shows every one of these to a reviewer who is not the holder; what nobody keeps is removed."
    )
    return said


def eligibility_design(now: InForce) -> list[Line]:
    """The rules' sets of people."""
    rules = [
        Line(source=f"rule {line.rule.name}", text=f"who: {', '.join(sorted(line.who))}") for line in now.policy.lines
    ]
    return [*rules, Line(source="always", text="the snapshot of a campaign is locked, and silence removes")]


def privileged(now: InForce) -> list[str]:
    """Which targets are looked at for standing privilege."""
    every = format_duration_seconds(now.settings.control.reconcile_seconds)
    names = ", ".join(target.name for target in now.catalogue.targets) or "no target"
    return [
        f"The mighty accounts of {names} that are not Sojourn's are listed every {every}; each change is on record."
    ]


def privileged_design(now: InForce) -> list[Line]:
    """The setting that says how often, and each target with the account that looks."""
    setting = f"{now.settings.control.reconcile_seconds:g}"
    looks = [
        Line(source=f"target {one.name}", text=f"looked at as {one.administrator}") for one in now.catalogue.targets
    ]
    return [Line(source="setting control.reconcile_seconds", text=setting), *looks]


def separation(now: InForce) -> list[str]:
    """What is kept apart, always and by this policy."""
    said = [f"{one.name[0].upper()}{one.name[1:]}." for one in ALWAYS_APART]
    said += (f"Nobody does two of: {', '.join(one.apart)} ({one.name})." for one in now.catalogue.separations)
    for line, places in _rules(now, lambda one: bool(one.rule.excluded)):
        said.append(f"For {places} nobody decides who is, to the requester: {', '.join(line.rule.excluded)}.")
    return said


def separation_design(now: InForce) -> list[Line]:
    """The separations of the policy."""
    own = [Line(source=f"separation {one.name}", text=", ".join(one.apart)) for one in now.catalogue.separations]
    return [*(Line(source="always", text=one.name) for one in ALWAYS_APART), *own]


def emergency(now: InForce) -> list[str]:
    """Break-glass, if there is any."""
    said = []
    for line, places in _rules(now, lambda one: one.rule.break_glass is not None):
        glass = line.rule.break_glass
        assert glass is not None
        said.append(
            f"In an emergency {places} is taken without a decision beforehand, for at most "
            f"{format_duration(line.rule.longest)}, {glass.uses} times in {format_duration(glass.per)} each; "
            f"{', '.join(line.tell)} are told at once, and its use is always reviewed."
        )
    return said or ["There is no access without a decision beforehand."]


def emergency_design(now: InForce) -> list[Line]:
    """The rules for break-glass."""
    rules = [
        Line(source=f"rule {line.rule.name}", text=places)
        for line, places in _rules(now, lambda one: one.rule.break_glass is not None)
    ]
    return [*rules, Line(source="always", text="the password is entered again, and those to be told are told")]


def review(now: InForce) -> list[str]:
    """Who reviews what, and by when."""
    said = []
    for line, places in _rules(now, lambda one: one.rule.review is not None):
        assert line.rule.review is not None
        within = format_duration(line.rule.review.within)
        said.append(
            f"The use of {places} is reviewed within {within} by one of {', '.join(line.review)}, never the holder."
        )
    said.append(
        "A review that is overdue goes to auditors and administrators too, and the holder's teams get nothing new."
    )
    return said


def review_design(now: InForce) -> list[Line]:
    """The rules that ask for a review, and those that ask for none."""
    return [
        Line(
            source=f"rule {line.rule.name}",
            text="no review" if line.rule.review is None else f"reviewed by {', '.join(line.review)}",
        )
        for line in now.policy.lines
    ]


def direct_change(now: InForce) -> list[str]:
    """Roles that can change data, and what they take."""
    said = []
    for _, places in _rules(now, lambda one: one.requirements.activities is not None):
        said.append(
            f"Whoever gets {places} declares beforehand what they will do; the reviewer compares it with what was done."
        )
    return said or ["No rule asks for a declaration of what will be done."]


def administrators(now: InForce) -> list[str]:
    """Who administers Sojourn."""
    names = [one.id for one in now.catalogue.people if one.administrator]
    auditors = [one.id for one in now.catalogue.people if one.auditor]
    return [
        f"Sojourn is administered by {', '.join(names) or 'nobody'}; everything that they do is on record.",
        f"Their deeds are listed for {', '.join(auditors) or 'nobody'}, who audit.",
    ]


def configuration_change(now: InForce) -> list[str]:
    """Whether a change takes two."""
    count = sum(one.administrator for one in now.catalogue.people)
    if count > 1:
        return ["People, targets and policy change only when one administrator approves exactly what another proposed."]
    return [
        f"There is {count} administrator, so whoever operates the machine changes the configuration alone, on record."
    ]


def protection(now: InForce) -> list[str]:
    """Where copies of the record are."""
    bucket = now.settings.publisher.s3
    held = [f"the folder {now.settings.publisher.folder}"] if now.settings.publisher.folder else []
    held += [f"the locked bucket {bucket.bucket}, for {bucket.retention_days} days"] if bucket.bucket else []
    return [
        "Every entry is in a signed Merkle tree; no entry can be changed, dropped or moved without breaking its root.",
        f"Copies are kept in {' and '.join(held) or 'no other place'}.",
    ]


def protection_design(now: InForce) -> list[Line]:
    """The settings of copies."""
    publisher = now.settings.publisher
    return [
        Line(source="setting publisher.folder", text=publisher.folder or "none"),
        Line(source="setting publisher.s3.bucket", text=publisher.s3.bucket or "none"),
        Line(source="setting publisher.s3.retention_days", text=str(publisher.s3.retention_days)),
        Line(source="setting publisher.refuse_after_minutes", text=str(publisher.refuse_after_minutes)),
    ]


def time(now: InForce) -> list[str]:
    """Whose time it is."""
    stamp = now.settings.timestamp
    if not stamp.url:
        return [
            "Times are UTC by this machine's clock, and never go backwards; no other authority puts its time to them."
        ]
    every = format_duration(stamp.every)
    return [f"Times are UTC and never go backwards; {stamp.url} puts its own time under the record every {every}."]


def bypass(now: InForce) -> list[str]:
    """How soon what came around is seen."""
    every = format_duration_seconds(now.settings.control.reconcile_seconds)
    return [
        f"Every {every} each target is compared with the record, in both directions; what came around is on record."
    ]


def format_duration_seconds(seconds: float) -> str:
    """Seconds as people read them."""
    return f"{seconds:g} seconds"
