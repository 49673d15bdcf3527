"""What a change means for people, whatever it looks like in the files."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from sojourn.domain.catalogue import Catalogue
from sojourn.domain.identifiers import RuleName
from sojourn.domain.people import FactKind, Mandate, Person, PersonKind, Scope, Team, Workload
from sojourn.domain.policy import (
    BreakGlassRule,
    CalendarWindow,
    Decision,
    Duty,
    EscalationRule,
    Exclusion,
    People,
    ReviewRule,
    Rule,
    Separation,
    TicketRequirement,
    When,
)
from sojourn.domain.policy.difference import compare
from sojourn.domain.ssh import Files, Host, HostAccess, Leftovers
from sojourn.domain.target import Privilege, Recording, Role, Target, TargetKind, TlsMode, Verb

from .world import (
    ANN,
    BEN,
    BILLING,
    BOT,
    CAT,
    DAN,
    DEVELOPERS,
    EVE,
    FIX,
    HOUR,
    LEADS,
    NOW,
    PEOPLE,
    READ,
    SHOP,
    TARGETS,
    TEAMS,
    catalogue,
    rule,
)


def told(old: Catalogue, new: Catalogue) -> list[tuple[str, str, str]]:
    return [(one.person, str(one.kind), one.what) for one in compare(old, new)]


def test_a_renamed_or_split_rule_changes_nothing_for_anybody() -> None:
    whole = catalogue(rule(who=People(people=(ANN, BEN))))
    split = catalogue(rule("first"), rule("second", who=People(people=(BEN,))))
    assert told(whole, split) == []


def test_a_person_who_joins_a_team_gains_what_the_team_can_get_and_decide() -> None:
    before = catalogue(rule(who=People(teams=(DEVELOPERS,)), approvers=People(people=(DAN,), teams=(DEVELOPERS,))))
    teams = (Team(name=DEVELOPERS, members=(*TEAMS[0].members, CAT)), TEAMS[1])
    assert told(before, replace(before, teams=teams)) == [
        ("ann", "changes", "read on shop"),
        ("ben", "changes", "read on shop"),
        ("bot", "changes", "read on shop"),
        ("cat", "gains", "team developers"),
        ("cat", "gains", "read on shop"),
        ("cat", "gains", "deciding on read on shop"),
    ]


def test_a_rule_that_goes_is_lost_by_whom_it_was_for_and_by_whom_it_named() -> None:
    before = catalogue(rule(), rule("fix", roles=(FIX,), approvers=People(people=(CAT,))))
    assert told(before, catalogue(rule())) == [
        ("ann", "loses", "fix on shop"),
        ("cat", "loses", "deciding on fix on shop"),
    ]


def test_a_change_of_terms_tells_before_and_after() -> None:
    (found,) = compare(catalogue(rule()), catalogue(rule(longest=2 * HOUR)))
    assert (found.before[0][:8], found.after[0][:8]) == ("up to 1h", "up to 2h")


def test_a_condition_is_part_of_the_terms() -> None:
    (found,) = compare(catalogue(rule()), catalogue(rule(when=When(on_call=True))))
    assert "on call" in found.after[0]


def test_what_a_role_may_do_concerns_everybody() -> None:
    before = catalogue(rule())
    role = replace(TARGETS[0].roles[0], connections_max=9)
    shop = replace(TARGETS[0], roles=(role, TARGETS[0].roles[1]), host="other.example")
    (found,) = compare(before, replace(before, targets=(shop, *TARGETS[1:])))
    assert (found.person, found.what) == ("", f"target {SHOP}")
    assert any("other.example" in one for one in found.after)
    assert "role read: 9 connections" in found.after


def test_a_new_administrator_and_a_leaver_are_told() -> None:
    before = catalogue(rule())
    people = tuple(replace(one, administrator=one.id in (EVE, CAT)) for one in PEOPLE if one.id != BEN)
    after = replace(before, people=people)
    assert ("cat", "changes", "an account") in told(before, after)
    assert ("ben", "loses", "an account") in told(before, after)


def test_a_separation_that_goes_is_told() -> None:
    apart = (Separation(name="apart", apart=(Duty.APPROVE, Duty.REVIEW)),)
    assert told(catalogue(rule(), separations=apart), catalogue(rule())) == [("", "loses", "separation apart")]


def test_nothing_is_told_about_the_same() -> None:
    assert compare(catalogue(rule()), catalogue(rule())) == ()


# Every field of what is written, with another value: (how the value was before, how it is after).
_GLASS = {"break_glass": BreakGlassRule(uses=1, per=HOUR, tell=People(people=(EVE,))), "approvers": People()}
_RULE: Mapping[str, Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]] = {
    "who": [({}, {"who": People(people=(BEN,))})],
    "targets": [({}, {"targets": (BILLING,)})],
    "roles": [({}, {"roles": (FIX,)})],
    "longest": [({}, {"longest": 2 * HOUR})],
    "approvers": [({}, {"approvers": People(people=(BEN, CAT))})],
    "approvals": [({}, {"approvals": 2})],
    "reason_required": [({}, {"reason_required": False})],
    "decide_within": [({}, {"decide_within": HOUR})],
    "activate_within": [({}, {"activate_within": HOUR})],
    "labels": [({}, {"labels": (("tier", ("test",)),)})],
    "decisions": [({}, {"decisions": (Decision(name="a", people=People(people=(BEN, CAT, DAN))),)})],
    "automatic": [({}, {"automatic": "it is harmless"})],
    "when": [
        ({}, {"when": When(on_call=True)}),
        ({}, {"when": When(incident=True)}),
        ({}, {"when": When(longer_than=HOUR)}),
        ({}, {"when": When(windows=(CalendarWindow(zone="UTC", days=(0,), start=0, end=60),))}),
    ],
    "reason_codes": [({}, {"reason_codes": ("bug",)})],
    "ticket": [
        ({}, {"ticket": TicketRequirement()}),
        ({"ticket": TicketRequirement()}, {"ticket": TicketRequirement(kinds=("change",))}),
        ({"ticket": TicketRequirement()}, {"ticket": TicketRequirement(states=("open",))}),
    ],
    "activities": [({}, {"activities": ("look",)})],
    "excluded": [({}, {"excluded": (one,)}) for one in Exclusion],
    "escalation": [
        ({}, {"escalation": EscalationRule(after=HOUR, to=People(people=(EVE,)))}),
        (
            {"escalation": EscalationRule(after=HOUR, to=People(people=(EVE,)))},
            {"escalation": EscalationRule(after=2 * HOUR, to=People(people=(EVE,)))},
        ),
        (
            {"escalation": EscalationRule(after=HOUR, to=People(people=(EVE,)))},
            {"escalation": EscalationRule(after=HOUR, to=People(people=(CAT,)))},
        ),
    ],
    "review": [
        ({}, {"review": ReviewRule(within=HOUR, by=People(people=(EVE,)))}),
        (
            {"review": ReviewRule(within=HOUR, by=People(people=(EVE,)))},
            {"review": ReviewRule(within=2 * HOUR, by=People(people=(EVE,)))},
        ),
        (
            {"review": ReviewRule(within=HOUR, by=People(people=(EVE,)))},
            {"review": ReviewRule(within=HOUR, by=People(people=(CAT,)))},
        ),
    ],
    "break_glass": [
        ({}, _GLASS),
        (_GLASS, {"break_glass": BreakGlassRule(uses=2, per=HOUR, tell=People(people=(EVE,)))}),
        (_GLASS, {"break_glass": BreakGlassRule(uses=1, per=2 * HOUR, tell=People(people=(EVE,)))}),
        (_GLASS, {"break_glass": BreakGlassRule(uses=1, per=HOUR, tell=People(people=(CAT,)))}),
    ],
    "instead_of": [({}, {"instead_of": (RuleName("two"),)})],
}
_WORKLOAD: Mapping[str, Any] = {
    "issuer": "https://ci.example",
    "audience": "sojourn",
    "subjects": ("repo:shop",),
    "scope": (Scope.READ,),
    "claims": (("ref", "main"),),
}
_OTHER_WORKLOAD: Mapping[str, Any] = {
    "issuer": "https://other.example",
    "audience": "other",
    "subjects": ("repo:shop", "repo:other"),
    "scope": (Scope.ASK,),
    "claims": (),
}
_PERSON: Mapping[str, Any] = {
    "name": "Anna",
    "mail": "ann@example.com",
    "administrator": True,
    "auditor": True,
    "kind": PersonKind.SERVICE,
    "manager": CAT,
    "owner": BEN,
    "attributes": (("contract", "vendor"),),
    "tells": (FactKind.TICKET,),
    "mandate": Mandate(until=NOW),
    "zone": "Europe/Berlin",
    "workloads": (Workload(**_WORKLOAD),),
}
_TEAM: Mapping[str, Any] = {"members": (ANN,), "groups": ("staff",)}
_TARGET: Mapping[str, Any] = {
    "kind": TargetKind.SSH,
    "host": "other.example",
    "port": 1,
    "database": "other",
    "administrator": "other",
    "administrator_secret": "other",
    "roles": (),
    "tls": TlsMode.REQUIRE,
    "tls_authority": "other.pem",
    "tls_certificate": "other.pem",
    "tls_key": "other.key",
    "databases": ("other",),
    "description": "Another one.",
    "labels": (("tier", "test"),),
    "ssh": Host(keys=("ssh-ed25519 A",)),
}
_ROLE: Mapping[str, Any] = {
    "privileges": (Privilege(schema="other", verbs=(Verb.SELECT,)),),
    "description": "Another one.",
    "connections_max": 1,
    "settings": (("work_mem", "1MB"),),
    "as_owner": "owner",
    "account": "lent",
    "recording": Recording.BEFORE_RELEASE,
    "replication": True,
    "mark_rows_over": 1,
    "host": HostAccess(login="app", shell=True),
}
_HOST: Mapping[str, Any] = {
    "keys": ("ssh-ed25519 B",),
    "authorities": ("ssh-ed25519 C",),
    "administrator": "other",
    "source_addresses": ("192.0.2.0/24",),
    "revoked": "/other",
    "log": "/var/log/other",
}
_HOST_ACCESS: Mapping[str, Any] = {
    "login": "other",
    "temporary": True,
    "shell": False,
    "commands": ("uptime",),
    "menu": "/usr/bin/menu",
    "files": Files.READ,
    "forward_to": ("db:5432",),
    "listen_on": ("127.0.0.1:1",),
    "agent": True,
    "x11": True,
    "environment": ("LANG",),
    "kept_bytes": 1,
    "kept_file_bytes": 1,
    "groups": ("adm",),
    "sudo": ("ALL",),
    "chroot": "/srv",
    "leftovers": Leftovers.REPORTED,
}


def fields_of(kind: Any, but: str) -> set[str]:
    return {one.name for one in dataclasses.fields(kind)} - {but}


def test_nothing_that_can_be_written_of_a_rule_changes_without_being_told() -> None:
    assert set(_RULE) == fields_of(Rule, "name")
    two = rule("two", longest=timedelta(minutes=30))
    for name, changes in _RULE.items():
        for before, after in changes:
            old, new = rule(**before), rule(**{**before, **after})
            assert old != new
            assert compare(catalogue(old, two), catalogue(new, two)), (name, after)


@pytest.mark.parametrize("name", sorted(fields_of(Person, "id")))
def test_nothing_that_can_be_written_of_a_person_changes_without_being_told(name: str) -> None:
    before = catalogue(rule(), rule("by attribute", who=People(attributes=(("contract", ("vendor",)),))))
    people = tuple(replace(one, **{name: _PERSON[name]}) if one.id == ANN else one for one in PEOPLE)
    assert any(person == ANN for person, _, _ in told(before, replace(before, people=people)))


def test_nothing_that_can_be_written_of_a_workload_changes_without_being_told() -> None:
    assert set(_WORKLOAD) == fields_of(Workload, "")
    before = catalogue(rule())
    for name, other in _OTHER_WORKLOAD.items():
        old, new = (
            replace(
                before,
                people=tuple(replace(one, workloads=(workload,)) if one.id == BOT else one for one in PEOPLE),
            )
            for workload in (Workload(**_WORKLOAD), Workload(**{**_WORKLOAD, name: other}))
        )
        assert told(old, new) == [("bot", "changes", "an account")], name


@pytest.mark.parametrize("name", sorted(fields_of(Team, "name")))
def test_nothing_that_can_be_written_of_a_team_changes_without_being_told(name: str) -> None:
    before = catalogue(rule())
    teams = (replace(TEAMS[0], **{name: _TEAM[name]}), *TEAMS[1:])
    assert any("team developers" in what for _, _, what in told(before, replace(before, teams=teams)))


@pytest.mark.parametrize("name", sorted(fields_of(Target, "name")))
def test_nothing_that_can_be_written_of_a_target_changes_without_being_told(name: str) -> None:
    before = catalogue(rule())
    shop = replace(TARGETS[0], **{name: _TARGET[name]})
    assert ("", "changes", "target shop") in told(before, replace(before, targets=(shop, *TARGETS[1:])))


@pytest.mark.parametrize("name", sorted(fields_of(Role, "name")))
def test_nothing_that_can_be_written_of_a_role_changes_without_being_told(name: str) -> None:
    before = catalogue(rule())
    role = replace(TARGETS[0].roles[0], **{name: _ROLE[name]})
    shop = replace(TARGETS[0], roles=(role, *TARGETS[0].roles[1:]))
    assert ("", "changes", "target shop") in told(before, replace(before, targets=(shop, *TARGETS[1:])))


@pytest.mark.parametrize("name", sorted({*_HOST, *_HOST_ACCESS}))
def test_nothing_that_can_be_written_of_a_host_changes_without_being_told(name: str) -> None:
    assert set(_HOST) == fields_of(Host, "") and set(_HOST_ACCESS) == fields_of(HostAccess, "")
    host, access = Host(keys=("ssh-ed25519 A",)), HostAccess(login="app", shell=True, files=Files.WRITE)
    shop = replace(TARGETS[0], ssh=host, roles=(Role(name=READ, host=access),))
    others = {**_HOST, **_HOST_ACCESS}
    changed = [replace(shop, ssh=replace(host, **{name: others[name]}))] if name in _HOST else []
    if name in _HOST_ACCESS:
        changed.append(replace(shop, roles=(Role(name=READ, host=replace(access, **{name: others[name]})),)))
    before = catalogue(rule())
    for other in changed:
        old, new = (replace(before, targets=(one, *TARGETS[1:])) for one in (shop, other))
        assert ("", "changes", "target shop") in told(old, new), other


def test_groups_that_fill_a_team_are_told_and_who_comes_in_by_them() -> None:
    before = catalogue(rule(who=People(teams=(LEADS,)), approvers=People(people=(BEN, EVE))))
    teams = (TEAMS[0], replace(TEAMS[1], groups=("staff",)))
    claims = {(ANN, "scim"): frozenset({"staff"})}
    after = replace(before, teams=teams).joined(claims)
    found = told(before.joined(claims), after)
    assert ("", "gains", "groups that fill team leads") in found
    assert ("ann", "gains", "read on shop") in found
