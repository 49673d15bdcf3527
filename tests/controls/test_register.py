"""Every control: its wording follows the policy in force, and its counts are those of the reports."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.evidence.accesses import Company

from sojourn.app.proving import PROBES
from sojourn.domain.events import ControlsProved, ProbeTried
from sojourn.domain.identifiers import EVIDENCE, PersonId, TargetName
from sojourn.evidence.controls.control import InForce
from sojourn.evidence.controls.register import CONTROLS
from sojourn.evidence.controls.report import in_force, shown
from sojourn.evidence.reports.context import Context
from sojourn.settings import ControlSettings, Settings
from sojourn.testing.organisation import Workplace

NAMES = [one.name for one in CONTROLS]


async def _company() -> Company:
    at = Company(place=await Workplace.open())
    await at.whole()
    await at.whole()
    return at


def _now(context: Context) -> InForce:
    found = in_force(context)
    assert found is not None
    return found


def _longer(now: InForce) -> InForce:
    """The same policy with every duration, account name and setting changed."""
    rules = tuple(replace(rule, longest=rule.longest + timedelta(minutes=7)) for rule in now.catalogue.rules)
    catalogue = replace(now.catalogue, rules=rules)
    settings = replace(now.settings, control=ControlSettings(reconcile_seconds=77.0))
    return replace(now, catalogue=catalogue, policy=catalogue.policy(), settings=settings)


async def test_the_wording_of_provisioning_names_durations_and_approvers_of_the_policy_in_force() -> None:
    now = _now((await _company()).context())
    before, after = (" ".join(one.wording(now)) for one in CONTROLS[:1]), CONTROLS[0].wording(_longer(now))
    said = " ".join(before)
    (longest,) = {rule.longest for rule in now.catalogue.rules[:1]}
    assert "bob" in said and "read on shop" in said
    assert f"{longest // timedelta(hours=1)}h" in said
    assert said != " ".join(after) and "7m" in " ".join(after)


async def test_a_setting_that_a_control_rests_on_is_in_its_wording() -> None:
    now = _now((await _company()).context())
    (bypass,) = [one for one in CONTROLS if one.name == "bypass"]
    assert "20 seconds" in " ".join(bypass.wording(now))
    assert "77 seconds" in " ".join(bypass.wording(_longer(now)))


@pytest.mark.parametrize("name", NAMES)
async def test_every_control_has_wording_design_and_operation(name: str) -> None:
    (control,) = [one for one in shown((await _company()).context()) if one.control.name == name]
    assert all(one.endswith(".") for one in control.wording) and control.wording
    assert control.design and all(line.source and line.text for line in control.design)
    assert control.operation and all(one.where for one in control.operation)


def test_every_negative_test_belongs_to_a_control_and_every_named_one_is_there() -> None:
    assert {probe for control in CONTROLS for probe in control.probes} == set(PROBES)
    assert len(NAMES) == len(set(NAMES)) == 17


async def test_the_counts_of_a_control_are_those_of_its_report() -> None:
    at = await _company()
    context = at.context()
    (removal,) = [one for one in shown(context) if one.control.name == "timely-removal"]
    answers = [event.test("H").answer for event in context.events]
    assert removal.operation[0].population == sum(one != "not applicable" for one in answers) == 2
    assert removal.operation[0].exceptions == answers.count("fail") == 0  # type: ignore[arg-type]


async def test_an_exception_in_the_record_is_one_of_its_control() -> None:
    at = Company(place=await Workplace.open())
    grant = await at.active()
    await at.used(grant)
    at.wait(timedelta(minutes=1))
    await at.over(grant, after=timedelta(hours=2))
    (removal,) = [one for one in shown(at.context()) if one.control.name == "timely-removal"]
    assert removal.exceptions == 1


async def test_the_last_negative_test_counts_and_an_older_one_does_not() -> None:
    at = await _company()

    def proved(passed: bool) -> ControlsProved:
        probe = ProbeTried(name="self-approval", passed=passed, found="x", entries=(1,))
        return ControlsProved(
            target=TargetName("shop"),
            requester=PersonId("alice"),
            approver=PersonId("bob"),
            passed=passed,
            probes=(probe,),
            untried=(),
            result_sha256="0" * 64,
            operator="root",
        )

    await at.say(EVIDENCE, proved(False), proved(True))
    (separation,) = [one for one in shown(at.context()) if one.control.name == "separation-of-duties"]
    assert [one.probe.passed for one in separation.tried] == [True]


async def test_before_the_first_configuration_nothing_is_promised() -> None:
    at = Company(place=await Workplace.open())
    at.place.ledger.entries.clear()
    assert in_force(at.context()) is None
    assert all(one.wording == () for one in shown(at.context()))


def test_settings_have_their_defaults_where_a_report_is_given_none() -> None:
    assert Settings().control.reconcile_seconds == 20.0
