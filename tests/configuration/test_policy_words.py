"""Every word of policy.yaml, read into what it means; everything else is refused with its place."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.configuration import parse_catalogue
from sojourn.domain.catalogue import Catalogue
from sojourn.domain.identifiers import PersonId, RuleName, TargetName, TeamName
from sojourn.domain.people import PersonKind
from sojourn.domain.policy import (
    CalendarWindow,
    Decision,
    Duty,
    Exclusion,
    People,
    Separation,
    TicketRequirement,
)
from sojourn.errors import Code, SojournError

PEOPLE = """\
people:
  ann: {name: Ann, manager: cat, attributes: {contract: employee}}
  ben: {name: Ben, attributes: {contract: vendor}}
  cat: {name: Cat}
  dan: {name: Dan}
  bot: {name: Bot, kind: agent, owner: ann}
teams:
  devs: [ann, ben, bot]
  leads: [cat, dan]
"""
TARGET = """\
    kind: postgres
    host: db.example.com
    port: 5432
    database: shop
    administrator: admin
    administrator_secret: shop
    roles: {read: {privileges: [{schema: shop, tables: all, verbs: [select]}]}}
"""
TARGETS = f"targets:\n  shop:\n{TARGET}    labels: {{tier: production}}\n  test:\n{TARGET}    labels: {{tier: test}}\n"
RULE = """\
rules:
  one:
    who: {teams: [devs]}
    targets: [shop]
    roles: [read]
    longest: 4h
"""
ONE = RULE + "    approvers: {teams: [leads]}\n"
EVERYTHING = """\
rules:
  day:
    who:
      teams: [devs]
      attributes: {contract: [employee, vendor]}
      except: {people: [ben], teams: [leads]}
    targets: {labels: {tier: [production]}, names: [test]}
    roles: [read]
    longest: 4h
    when:
      hours:
        - {days: mon-fri, from: 08:00, to: "18:00", zone: Europe/Berlin}
        - {days: [sun, sat], from: 22:00, to: 06:30, zone: UTC}
        - {days: fri-mon, from: 00:00, to: 24:00, zone: Asia/Tokyo}
      longer_than: 1h
    reason: optional
    reason_codes: [fix, look]
    ticket: {kinds: [change], states: [approved]}
    activities: [query, update]
    decisions:
      lead: {teams: [leads]}
      owner: {people: [ben, dan], needed: 1}
    excluded: [manager, subordinate, reciprocal, deployer, executor]
    decide_within: 2h
    activate_within: 30m
    escalation: {after: 1h, to: {people: [dan]}}
    review: {within: 3d, by: {teams: [leads]}}
  urgent:
    who: {people: [ann]}
    targets: [shop]
    roles: [read]
    longest: 30m
    when: {on_call: required, incident: required}
    automatic: whoever is on call may look during an incident
    instead_of: [day]
  glass:
    who: {people: [ann]}
    targets: [shop]
    roles: [read]
    longest: 15m
    break_glass: {uses: 3, per: 30d, tell: {teams: [leads]}}
    review: {within: 1d, by: {people: [dan]}}
separations:
  hands-off: [approve, execute, administer]
"""


def read(policy: str, people: str = PEOPLE, targets: str = TARGETS) -> Catalogue:
    files = {"people.yaml": people, "targets.yaml": targets, "policy.yaml": policy}
    return parse_catalogue({name: text.encode() for name, text in files.items()})


def error(policy: str = ONE, people: str = PEOPLE, targets: str = TARGETS) -> dict[str, str]:
    with pytest.raises(SojournError) as raised:
        read(policy, people, targets)
    assert raised.value.code is Code.CONFIGURATION_INVALID
    return dict(raised.value.refusal.details)


def test_every_word_is_read_as_what_it_means() -> None:
    catalogue = read(EVERYTHING)
    day, urgent, glass = catalogue.rules
    assert day.who == People(
        teams=(TeamName("devs"),),
        attributes=(("contract", ("employee", "vendor")),),
        except_people=(PersonId("ben"),),
        except_teams=(TeamName("leads"),),
    )
    assert (day.targets, day.labels) == ((TargetName("test"),), (("tier", ("production",)),))
    assert day.when.windows == (
        CalendarWindow(zone="Europe/Berlin", days=(0, 1, 2, 3, 4), start=480, end=1080),
        CalendarWindow(zone="UTC", days=(5, 6), start=1320, end=390),
        CalendarWindow(zone="Asia/Tokyo", days=(0, 4, 5, 6), start=0, end=1440),
    )
    assert day.when.longer_than == timedelta(hours=1)
    assert (day.reason_required, day.reason_codes, day.activities) == (False, ("fix", "look"), ("query", "update"))
    assert day.ticket == TicketRequirement(kinds=("change",), states=("approved",))
    assert day.decisions == (
        Decision(name="lead", people=People(teams=(TeamName("leads"),))),
        Decision(name="owner", people=People(people=(PersonId("ben"), PersonId("dan"))), needed=1),
    )
    assert day.excluded == tuple(Exclusion)
    assert (day.decide_within, day.activate_within) == (timedelta(hours=2), timedelta(minutes=30))
    assert day.escalation is not None and day.escalation.after == timedelta(hours=1)
    assert day.review is not None and day.review.within == timedelta(days=3)
    assert (urgent.when.on_call, urgent.when.incident, urgent.instead_of) == (True, True, (RuleName("day"),))
    assert urgent.automatic == "whoever is on call may look during an incident" and urgent.groups == ()
    assert glass.break_glass is not None and (glass.break_glass.uses, glass.groups) == (3, ())
    assert catalogue.separations == (Separation(name="hands-off", apart=(Duty.APPROVE, Duty.EXECUTE, Duty.ADMINISTER)),)
    bot = catalogue.person(PersonId("bot"))
    assert bot is not None and (bot.kind, bot.owner) == (PersonKind.AGENT, "ann")


def test_a_simple_rule_is_one_group() -> None:
    (rule,) = read(ONE).rules
    assert [(group.name, group.needed) for group in rule.groups] == [("approvers", 1)]


def added(line: str) -> str:
    return ONE + f"    {line}\n"


CASES = {
    "no way to decide": (RULE, 3, "Nothing says who decides", "approvers, decisions"),
    "two ways to decide": (added("automatic: because"), 8, "approvers says already", "one of the keys"),
    "an expression": (added("when: person == 'ann'"), 8, "Found text", "hours, on_call"),
    "an unknown condition": (added("when: {weather: good}"), 8, "'weather'", "one of hours"),
    "no condition": (added("when: {}"), 8, "empty", "hours, on_call, incident or longer_than"),
    "on call as boolean": (added("when: {on_call: true}"), 8, "'true'", "one of required"),
    "an unknown zone": (
        added("when: {hours: [{days: mon, from: 08:00, to: 09:00, zone: Europe/Berlyn}]}"),
        8,
        "no time zone 'Europe/Berlyn'",
        "Europe/Berlin (did you mean that?)",
    ),
    "an unknown day": (
        added("when: {hours: [{days: mon-fry, from: 08:00, to: 09:00, zone: UTC}]}"),
        8,
        "'mon-fry' names no days",
        "mon-fri",
    ),
    "a time past midnight": (
        added("when: {hours: [{days: mon, from: 08:00, to: 24:01, zone: UTC}]}"),
        8,
        "'24:01'",
        "00:00 to 24:00",
    ),
    "hours without end": (
        added("when: {hours: [{days: mon, from: 08:00, to: 08:00, zone: UTC}]}"),
        8,
        "never begin or never end",
        "24:00",
    ),
    "an unknown label": (
        ONE.replace("[shop]", "{labels: {teir: [production]}}"),
        4,
        "Nothing has the label 'teir'",
        "tier (did you mean that?)",
    ),
    "an unknown value of a label": (
        ONE.replace("[shop]", "{labels: {tier: [prod]}}"),
        4,
        "no value 'prod'",
        "one of production, test",
    ),
    "no labels": (ONE.replace("[shop]", "{labels: {}}"), 4, "empty", "labels with their values"),
    "an unknown attribute": (
        ONE.replace("{teams: [devs]}", "{attributes: {contract: [emploeye]}}"),
        3,
        "'emploeye'",
        "employee (did you mean that?)",
    ),
    "everybody taken out": (
        ONE.replace("{teams: [devs]}", "{teams: [devs], except: {teams: [devs]}}"),
        3,
        "Nobody is meant",
        "somebody",
    ),
    "approvals without approvers": (
        RULE + "    decisions: {lead: {teams: [leads]}}\n    approvals: 2\n",
        8,
        "approvals goes with approvers",
        "needed",
    ),
    "no groups": (RULE + "    decisions: {}\n", 7, "0 groups", "1 to 10 groups"),
    "groups that need more people than there are": (
        RULE + "    decisions: {lead: {teams: [leads], needed: 2}, owner: {people: [cat, dan]}}\n",
        7,
        "ann could never get 3 approvals: only 2 others",
        "more approvers",
    ),
    "an agent as the only approver": (
        RULE + "    approvers: {people: [bot]}\n",
        7,
        "ann could never get 1 approvals: only 0 others",
        "more approvers",
    ),
    "an owner as the only approver of their agent": (
        ONE.replace("{teams: [devs]}", "{people: [bot]}").replace("{teams: [leads]}", "{people: [ann]}"),
        7,
        "bot could never get",
        "more approvers",
    ),
    "an unknown exclusion": (added("excluded: [boss]"), 8, "'boss'", "manager, subordinate"),
    "automatic without a reason": (RULE + "    automatic: true\n", 7, "a boolean", "the reason why nobody decides"),
    "break-glass without review": (
        RULE + "    break_glass: {uses: 1, per: 1d, tell: {teams: [leads]}}\n",
        3,
        "has to be reviewed",
        "the key review",
    ),
    "escalation without decision": (
        RULE + "    automatic: because\n    escalation: {after: 1h, to: {teams: [leads]}}\n",
        8,
        "no decision that could escalate",
        "no such key",
    ),
    "instead of itself": (added("instead_of: [one]"), 8, "no other rule 'one'", ""),
    "instead of nothing": (added("instead_of: []"), 8, "The list is empty", "a list of rules"),
    "an unknown duty": (ONE + "separations: {x: [approve, sleep]}\n", 8, "'sleep'", "one of request, approve"),
    "one duty": (ONE + "separations: {x: [approve]}\n", 8, "One duty is not apart", "two duties"),
    "an empty ticket kind": (added("ticket: {kinds: []}"), 8, "The list is empty", "a list of kinds"),
    "no codes": (added("reason_codes: []"), 8, "The list is empty", "a list of names"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_is_no_word_is_refused_at_its_place_with_what_was_expected(case: tuple[str, int, str, str]) -> None:
    policy, line, problem, expected = case
    details = error(policy)
    assert (details["file"], int(details["line"])) == ("policy.yaml", line), details
    assert problem in details["problem"]
    assert expected in details["expected"]


def test_rules_that_are_instead_of_each_other_are_refused() -> None:
    second = ONE.removeprefix("rules:\n").replace("one:", "two:") + "    instead_of: [one]\n"
    details = error(added("instead_of: [two]") + second)
    assert "one is instead of a rule that is instead of it" in details["problem"]


PEOPLE_CASES = {
    "a service without owner": ("  bot: {name: Bot, kind: service}", "Nobody answers for this service"),
    "an owner who is an agent": (
        "  bot: {name: Bot, kind: agent, owner: ann}\n  cot: {name: C, kind: agent, owner: bot}",
        "bot is agent",
    ),
    "a human with an owner": ("  bot: {name: Bot, owner: ann}", "no owner"),
    "an agent that administers": ("  bot: {name: B, kind: agent, owner: ann, administrator: true}", "administer"),
    "one's own manager": ("  bot: {name: Bot, kind: agent, owner: ann, manager: bot}", "their own manager"),
    "an unknown kind": ("  bot: {name: Bot, kind: robot, owner: ann}", "'robot'"),
    "an unknown owner": ("  bot: {name: Bot, kind: agent, owner: zoe}", "no person 'zoe'"),
}


@pytest.mark.parametrize("case", PEOPLE_CASES.values(), ids=PEOPLE_CASES)
def test_an_account_that_nobody_answers_for_is_refused(case: tuple[str, str]) -> None:
    line, problem = case
    details = error(people=PEOPLE.replace("  bot: {name: Bot, kind: agent, owner: ann}", line))
    assert details["file"] == "people.yaml"
    assert problem in details["problem"]


@pytest.mark.parametrize(
    "mail", ["ann@x.example", "Ann@X.EXAMPLE", "ann+work@x.example", "ann@x.example.", "\uff41nn@x.example"]
)
def test_a_second_account_of_a_human_being_is_refused(mail: str) -> None:
    """Whoever has two could decide with one of them on what they ask with the other."""
    line = f"  one: {{name: One, mail: ann@x.example}}\n  two: {{name: Two, mail: {mail}}}\n  bot:"
    details = error(people=PEOPLE.replace("  bot:", line))
    assert details["file"] == "people.yaml"
    assert details["problem"] == "two and one have the same mail address"


def test_a_program_may_have_the_mail_address_of_who_answers_for_it() -> None:
    line = "  one: {name: One, mail: ann@x.example}\n  bot: {name: Bot, mail: ann@x.example, kind: agent, owner: ann}"
    read(ONE, people=PEOPLE.replace("  bot: {name: Bot, kind: agent, owner: ann}", line))


def test_a_missing_file_is_named() -> None:
    with pytest.raises(SojournError) as raised:
        parse_catalogue({"people.yaml": PEOPLE.encode(), "targets.yaml": TARGETS.encode()})
    assert raised.value.code is Code.CONFIGURATION_MISSING


@given(data=st.data())
def test_a_damaged_policy_gives_our_errors_only(data: st.DataObject) -> None:
    lines = EVERYTHING.splitlines()
    number = data.draw(st.integers(0, len(lines) - 1))
    change = data.draw(st.sampled_from(["drop", "double", "cut", "indent", "swap"]))
    line = lines[number]
    place = data.draw(st.integers(0, len(line)))
    other = lines[data.draw(st.integers(0, len(lines) - 1))]
    put = {"drop": [], "double": [line, line], "cut": [line[:place]], "indent": ["  " + line], "swap": [other]}
    text = "\n".join([*lines[:number], *put[change], *lines[number + 1 :]])
    try:
        read(text)
    except SojournError as raised:
        assert raised.code is Code.CONFIGURATION_INVALID
        assert str(raised).isprintable()
