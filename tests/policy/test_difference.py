"""What a change means for people, whatever it looks like in the files."""

from __future__ import annotations

from dataclasses import replace

from sojourn.domain.catalogue import Catalogue
from sojourn.domain.people import Team
from sojourn.domain.policy import Duty, People, Separation, When
from sojourn.domain.policy.difference import compare

from .world import ANN, BEN, CAT, DAN, DEVELOPERS, EVE, FIX, HOUR, PEOPLE, SHOP, TARGETS, TEAMS, catalogue, rule


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
