"""Controls as OSCAL assessment results: valid by models made from NIST's schema, and true to the record."""

from __future__ import annotations

from datetime import timedelta

from oscal_bindings import AssessmentResultsDocument
from tests.evidence.accesses import Company

from sojourn.domain.events import ControlsProved, ProbeTried
from sojourn.domain.identifiers import EVIDENCE, PersonId, TargetName
from sojourn.evidence.controls.report import shown
from sojourn.evidence.oscal import assessment_results
from sojourn.testing.organisation import Workplace


async def _late() -> Company:
    """A company with an access that was removed hours too late, and a negative test that failed."""
    at = Company(place=await Workplace.open())
    await at.whole()
    grant = await at.active()
    at.wait()
    await at.over(grant, after=timedelta(hours=2))
    probe = ProbeTried(name="self-approval", passed=False, found="it was allowed", entries=())
    proved = ControlsProved(
        target=TargetName("shop"),
        requester=PersonId("alice"),
        approver=PersonId("bob"),
        passed=False,
        probes=(probe,),
        untried=(),
        result_sha256="0" * 64,
        operator="root",
    )
    await at.say(EVIDENCE, proved)
    return at


async def test_the_document_is_valid_oscal() -> None:
    context = (await _late()).context()
    document = assessment_results(context, list(shown(context)))
    # From a mapping: from JSON the models would drop what is misspelt.
    AssessmentResultsDocument.model_validate(document)


async def test_a_control_with_an_exception_or_a_failed_test_is_not_satisfied_and_others_are() -> None:
    context = (await _late()).context()
    (result,) = assessment_results(context, list(shown(context)))["assessment-results"]["results"]
    states = {one["target"]["target-id"]: one["target"]["status"]["state"] for one in result["findings"]}
    assert len(states) == 17
    assert states["timely-removal"] == states["separation-of-duties"] == "not-satisfied"
    assert states["approver-authority"] == states["retention-and-hold"] == "satisfied"
    known = {one["uuid"] for one in result["observations"]}
    named = [one["observation-uuid"] for finding in result["findings"] for one in finding["related-observations"]]
    assert len(known) == len(result["observations"]) == len(named) and set(named) == known


async def test_the_same_record_gives_the_same_document() -> None:
    context = (await _late()).context()
    assert assessment_results(context, list(shown(context))) == assessment_results(context, list(shown(context)))
