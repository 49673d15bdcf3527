"""What a change of the configuration means for people: who gains or loses what, and who decides for whom.

Compared is what the rules come to, and not how they are written: a rule that is renamed or split changes nobody's
access, and a person who joins a team gains all that the team can get.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sojourn.domain.catalogue import Catalogue
from sojourn.domain.duration import format_duration
from sojourn.domain.identifiers import PersonId, RoleName, TargetName
from sojourn.domain.people import Mandate, Person, Workload
from sojourn.domain.ssh import Host
from sojourn.domain.target import Target

from .compiled import Policy
from .ways import Access, Way, accesses_of

Place = tuple[TargetName, RoleName]


class Kind(StrEnum):
    """What kind of change it is, seen from the person."""

    GAINS = "gains"
    LOSES = "loses"
    CHANGES = "changes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that is otherwise for one person; `person` is empty for what concerns everybody."""

    person: str
    kind: Kind
    what: str
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


def compare(old: Catalogue, new: Catalogue) -> tuple[Difference, ...]:
    """Every difference, by person; first what concerns everybody."""
    before, after = old.policy(), new.policy()
    found = list(_for_everybody(old, new))
    for person in sorted({*before.people, *after.people}):
        found += _standing(person, before.people.get(person), after.people.get(person))
        found += _memberships(person, old, new)
        found += _accesses(person, before, after)
        found += _deciding(person, before, after)
    return tuple(found)


def _for_everybody(old: Catalogue, new: Catalogue) -> Iterator[Difference]:
    targets = {one.name: one for one in old.targets}, {one.name: one for one in new.targets}
    for name in sorted({*targets[0], *targets[1]}):
        before, after = (_say_target(side.get(name)) for side in targets)
        yield from _otherwise("", f"target {name}", before, after)
    groups = [{one.name: one.groups for one in side.teams} for side in (old, new)]
    for team in sorted({*groups[0], *groups[1]}):
        before, after = (side.get(team, ()) for side in groups)
        yield from _otherwise("", f"groups that fill team {team}", before, after)
    separations = [{one.name: one for one in side.separations} for side in (old, new)]
    for separation in sorted({*separations[0], *separations[1]}):
        said = [side.get(separation) for side in separations]
        before, after = ((", ".join(one.apart),) if one is not None else () for one in said)
        yield from _otherwise("", f"separation {separation}", before, after)


def _otherwise(person: str, what: str, before: Sequence[str], after: Sequence[str]) -> Iterator[Difference]:
    """The difference between two descriptions; empty means that there is no such thing."""
    if set(before) == set(after):
        return
    kind = Kind.CHANGES if before and after else Kind.GAINS if after else Kind.LOSES
    shared = set(before) & set(after) if kind is Kind.CHANGES else set[str]()
    yield Difference(
        person=person,
        kind=kind,
        what=what,
        before=tuple(one for one in before if one not in shared),
        after=tuple(one for one in after if one not in shared),
    )


def _say_target(target: Target | None) -> tuple[str, ...]:
    if target is None:
        return ()
    said = _say_host(target, target.ssh) if target.ssh is not None else _say_database(target)
    said += [f"described as {target.description}"] if target.description else []
    said += (f"label {name}: {value}" for name, value in target.labels)
    for role in target.roles:
        said.append(f"role {role.name}: {role.connections_max} connections")
        said += (f"role {role.name}: {line}" for line in role.opens)
        if role.mark_rows_over:
            said.append(f"role {role.name}: statements of more than {role.mark_rows_over} rows are marked")
        said += (f"role {role.name}: {line}" for line in (role.host.terms if role.host is not None else ()))
        said += (f"role {role.name}: {name} = {value}" for name, value in role.defaults)
        said.append(f"role {role.name}: recorded {role.recording}")
        said += [f"role {role.name}: {role.description}"] if role.description else []
    return tuple(said)


def _say_database(target: Target) -> list[str]:
    authority = f", authority {target.tls_authority}" if target.tls_authority else ""
    said = [
        f"{target.kind} {target.host}:{target.port}/{target.database}, {target.tls}{authority}",
        f"administrator {target.administrator} with secret {target.administrator_secret}",
    ]
    said += (f"database {name} may be opened too" for name in target.databases)
    if target.tls_certificate or target.tls_key:
        said.append(f"shown to it: certificate {target.tls_certificate} with key {target.tls_key}")
    return said


def _say_host(target: Target, host: Host) -> list[str]:
    said = [f"{target.kind} {target.host}:{target.port}"]
    said += (f"host key {key}" for key in host.keys)
    said += (f"host keys signed by {key}" for key in host.authorities)
    said.append(f"administrator {host.administrator}, revoked keys in {host.revoked}")
    said += (f"certificates good from {network}" for network in host.source_addresses)
    said += [f"log of sshd in {host.log}"] if host.log else []
    return said


def _standing(person: PersonId, before: Person | None, after: Person | None) -> Iterator[Difference]:
    yield from _otherwise(person, "an account", _say_person(before), _say_person(after))


def say_mandate(mandate: Mandate) -> str:
    """A mandate as people read it."""
    return f"audits {', '.join(mandate.targets) or 'everything'} from outside until {mandate.until.isoformat()}"


def say_workload(workload: Workload) -> str:
    """A workload as people read it: who may come in as the service, and for what."""
    claims = "".join(f", {name} {value}" for name, value in workload.claims)
    who = f"{' or '.join(workload.subjects)} of {workload.issuer} for {workload.audience}{claims}"
    return f"comes in as {who}, to {', '.join(workload.scope)}"


def _say_person(person: Person | None) -> tuple[str, ...]:
    if person is None:
        return ()
    said = [f"{person.kind} {person.name}"]
    said += ["administrator"] if person.administrator else []
    said += ["auditor"] if person.auditor else []
    said += [say_mandate(person.mandate)] if person.mandate is not None else []
    said += [f"manager {person.manager}"] if person.manager else []
    said += [f"owner {person.owner}"] if person.owner else []
    said += [f"mail {person.mail}"] if person.mail else []
    said += [f"zone {person.zone}"] if person.zone else []
    said += (f"tells of every {kind}" for kind in person.tells)
    said += (f"{name}: {value}" for name, value in person.attributes)
    said += (say_workload(one) for one in person.workloads)
    return tuple(said)


def _memberships(person: PersonId, old: Catalogue, new: Catalogue) -> Iterator[Difference]:
    before, after = ({team.name for team in side.teams if person in team.members} for side in (old, new))
    for team in sorted(before ^ after):
        yield Difference(person=person, kind=Kind.GAINS if team in after else Kind.LOSES, what=f"team {team}")


def _accesses(person: PersonId, before: Policy, after: Policy) -> Iterator[Difference]:
    sides = [_by_place(policy, person) for policy in (before, after)]
    for place in sorted({*sides[0], *sides[1]}):
        target, role = place
        yield from _otherwise(person, f"{role} on {target}", *(_say_ways(side.get(place)) for side in sides))


def _by_place(policy: Policy, person: PersonId) -> Mapping[Place, Access]:
    return {(one.target, one.role): one for one in accesses_of(policy, person)} if person in policy.people else {}


def _say_ways(access: Access | None) -> tuple[str, ...]:
    return () if access is None else tuple(sorted({say_way(way) for way in access.ways}))


def say_way(way: Way) -> str:
    """One way to an access, in words, without the name of its rule."""
    said = [f"up to {format_duration(way.longest)}"]
    said += way.conditions
    said += (f"approved by {group.needed} of {', '.join(group.people)} ({group.name})" for group in way.groups)
    said += [f"approved by nobody: {way.automatic}"] if way.automatic else []
    said += ["break-glass: approved by nobody"] if way.break_glass else []
    said += [f"giving {', '.join(way.given)}"] if way.given else []
    said += [f"reviewed by one of {', '.join(way.reviewers)}"] if way.reviewers else []
    said += way.terms
    return "; ".join(said)


def _deciding(person: PersonId, before: Policy, after: Policy) -> Iterator[Difference]:
    sides = [_decides_on(policy, person) for policy in (before, after)]
    for target, role in sorted(sides[0] ^ sides[1]):
        kind = Kind.GAINS if (target, role) in sides[1] else Kind.LOSES
        yield Difference(person=person, kind=kind, what=f"deciding on {role} on {target}")


def _decides_on(policy: Policy, person: PersonId) -> frozenset[Place]:
    if person not in policy.people:
        return frozenset()
    return frozenset(
        place
        for place, lines in policy.offered.items()
        if any(person in group.people for line in lines for group in line.groups)
    )
