"""What targets and the record did not both know: a population of its own, open until somebody disposes of it."""

from __future__ import annotations

import csv
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sojourn.domain.events import (
    Disposition,
    Finding,
    FindingDisposed,
    FindingKind,
    TargetReconciled,
    TargetUnobserved,
)
from sojourn.domain.finding import Unmatched, finding_id
from sojourn.domain.identifiers import FindingId, target_stream
from sojourn.domain.window import Window
from sojourn.errors import Code, Refusal
from sojourn.evidence.controls.operation import bypass
from sojourn.evidence.reports.build import build
from sojourn.evidence.reports.completeness import checks
from sojourn.evidence.reports.context import Context
from sojourn.evidence.reports.directory import REPORTS
from sojourn.testing.organisation import ALICE, BOB, ERIN, FRANK, SHOP, Workplace
from sojourn.workflow.evidence import dispose_of_a_finding

from .accesses import Company

HOUR = timedelta(hours=1)


def look(*findings: Finding) -> TargetReconciled:
    return TargetReconciled(
        target=SHOP,
        looks=1,
        sessions=len(findings),
        sessions_matched=0,
        logins=0,
        findings=findings,
        accounts=(),
        accounts_changed=(),
    )


def ghost(since: datetime, subject: str = "sojourn_ghost") -> Finding:
    return Finding(kind=FindingKind.LOGIN_UNRECORDED, subject=subject, detail="nobody uses it", since=since)


async def haunted() -> tuple[Company, Finding, datetime]:
    """A login is seen by two looks and then no more; between them the target cannot be looked at for an hour."""
    at = Company(place=await Workplace.open())
    await at.whole()
    began = at.place.clock.now()
    seen = ghost(began)
    stream = target_stream(SHOP)
    await at.say(stream, look(seen))
    at.wait(HOUR)
    await at.say(stream, TargetUnobserved(target=SHOP, problem="refused"))
    at.wait(HOUR)
    await at.say(stream, look(seen))
    at.wait(HOUR)
    await at.say(stream, look())
    at.wait(HOUR)
    return at, seen, began


async def disposed(at: Company, found: FindingId, **more: Any) -> FindingDisposed | Refusal:
    def find(name: FindingId) -> Unmatched | None:
        return Unmatched(finding=name, target=SHOP, involved=frozenset((ALICE, BOB))) if name == found else None

    given: dict[str, Any] = {
        "finding": found,
        "find": find,
        "person": FRANK,
        "disposition": Disposition.CORRECTED,
        "owner": BOB,
        "ticket": "PRB-1",
        "remark": "a drill of the owners",
        "source": "t",
    }
    return await dispose_of_a_finding(at.place.office, **{**given, **more})


def rows(context: Context, directory: Path, sheet: str, report: str = "bypass-reconciliation") -> list[dict[str, str]]:
    directory.mkdir()
    build(context, REPORTS[report].sheets(context), directory, lambda *_: None)
    with (directory / f"{sheet}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


async def test_a_finding_is_one_row_however_many_looks_tell_of_it_and_a_time_unseen_is_one(tmp_path: Path) -> None:
    at, seen, began = await haunted()
    login, gap = rows(at.context(), tmp_path / "r", "unmatched")
    assert login["finding"] == finding_id(SHOP, seen)
    assert (login["kind"], login["subject"], login["entries"]) == ("login_unrecorded", "sojourn_ghost", "2")
    assert datetime.fromisoformat(login["over_at"]) - began == 3 * HOUR
    assert (gap["kind"], gap["detail"]) == ("target_unobserved", "refused")
    assert datetime.fromisoformat(gap["over_at"]) - datetime.fromisoformat(gap["since"]) == HOUR
    assert int(login["first_entry"]) < int(gap["first_entry"]) < int(login["last_entry"])


async def test_what_nobody_disposed_of_is_an_exception_and_what_somebody_did_tells_who_and_why(tmp_path: Path) -> None:
    at, seen, _ = await haunted()
    before = rows(at.context(), tmp_path / "a", "exceptions", "access-events")
    assert [(one["title"], one["open"]) for one in before] == [
        ("login unrecorded", "yes"),
        ("target unobserved", "yes"),
    ]
    assert not isinstance(await disposed(at, finding_id(SHOP, seen)), Refusal)
    login, gap = rows(at.context(), tmp_path / "b", "exceptions", "access-events")
    told = (
        login["exception"],
        login["open"],
        login["disposition"],
        login["owner"],
        login["ticket"],
        login["disposed_by"],
    )
    assert told == (finding_id(SHOP, seen), "no", "corrected", BOB, "PRB-1", FRANK)
    assert gap["open"] == "yes" and gap["disposition"] == ""
    (still,) = rows(at.context(), tmp_path / "c", "open")
    assert still["finding"] == gap["exception"]
    found = {one.about: one for one in checks(at.context())}
    assert found["shop: login unrecorded"].holds and found["shop: login unrecorded"].found == "1 sojourn_ghost, 0 open"
    assert found["shop: target unobserved"].holds is False
    assert [(one.population, one.exceptions) for one in bypass(at.context())] == [(2, None), (2, 1)]


async def test_findings_roll_forward_from_period_to_period() -> None:
    at, seen, began = await haunted()
    await disposed(at, finding_id(SHOP, seen))
    at.wait()
    expected = [
        "0 open at the start + 1 found - 0 disposed of = 1",
        "1 open at the start + 1 found - 1 disposed of = 1",
    ]
    for start, end, told in ((began, began + HOUR, expected[0]), (began + HOUR, began + 9 * HOUR, expected[1])):
        found = {one.about: one for one in checks(at.context(period=Window(start=start, end=end)))}
        assert found["roll-forward of findings"].expected == told
        assert found["roll-forward of findings"].holds
    late = at.context(period=Window(start=began + 9 * HOUR, end=began + 10 * HOUR))
    assert [one.kind for one in late.findings] == ["target_unobserved"], "what is open is carried over"


async def test_only_those_who_had_no_part_in_it_dispose_of_a_finding_and_what_is_refused_is_on_record() -> None:
    at, seen, _ = await haunted()
    finding = finding_id(SHOP, seen)
    wrong: tuple[tuple[dict[str, Any], Code], ...] = (
        ({"person": ALICE}, Code.PERMISSION_DENIED),
        ({"person": BOB}, Code.PERMISSION_DENIED),
        ({"remark": "  "}, Code.INPUT_INVALID),
        ({"remark": "x" * 100_000}, Code.REQUEST_REASON_TOO_LONG),
        ({"owner": "mallory"}, Code.PERSON_UNKNOWN),
        ({"finding": FindingId("f-none")}, Code.FINDING_UNKNOWN),
        ({"finding": FindingId("../x")}, Code.FINDING_UNKNOWN),
    )
    for more, code in wrong:
        refused = await disposed(at, finding, **more)
        assert isinstance(refused, Refusal) and refused.code is code, more
    assert len(at.place.attempts()) == len(wrong)
    for person in (ERIN, FRANK):
        assert isinstance(await disposed(at, finding, person=person), FindingDisposed)

    def erins(name: FindingId) -> Unmatched:
        return Unmatched(finding=name, target=SHOP, involved=frozenset((ERIN,)))

    refused = await disposed(at, finding, person=ERIN, find=erins)
    assert isinstance(refused, Refusal) and refused.code is Code.PERMISSION_DENIED
