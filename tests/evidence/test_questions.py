"""What an auditor asks of reports: was late-revoked access used, did the rules change, whose day was it."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

from sojourn.cli.report.make import period_of
from sojourn.domain.identifiers import PersonId
from sojourn.domain.people import Person
from sojourn.domain.window import Window
from sojourn.evidence.controls.operation import leavers
from sojourn.evidence.reports.build import build
from sojourn.evidence.reports.context import Context
from sojourn.evidence.reports.directory import REPORTS
from sojourn.projections.projector import Projections
from sojourn.testing.organisation import ALICE, BOB, CATALOGUE, DAVE, ERIN, Workplace, without
from sojourn.workflow.adopt import adopt
from sojourn.workflow.leave import come_back, leave
from sojourn.workflow.timekeeping import tick

from .accesses import Company

HOUR = timedelta(hours=1)


def rows(context: Context, directory: Path, report: str, sheet: str) -> list[dict[str, str]]:
    directory.mkdir()
    build(context, REPORTS[report].sheets(context), directory, lambda *_: None)
    with (directory / f"{sheet}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


async def test_the_look_back_says_whether_access_that_was_revoked_late_was_used_meanwhile(tmp_path: Path) -> None:
    at = Company(place=await Workplace.open())
    unused = await at.active()
    await at.over(unused, after=2 * HOUR)
    used = await at.active()
    await at.over(used, after=2 * HOUR)
    await at.used(used)
    found = {one["grant"]: one for one in rows(at.context(), tmp_path / "r", "late-revocations", "late")}
    assert found.keys() == {unused.id, used.id} and all(one["H"] == "fail" for one in found.values())
    assert found[unused.id]["used_outside_window"] == "0" and found[unused.id]["F"] != "fail"
    assert int(found[used.id]["used_outside_window"]) >= 3 and found[used.id]["F"] == "fail"
    assert int(found[used.id]["removed_after_ms"]) == 2 * HOUR // timedelta(milliseconds=1)


async def test_the_control_counts_for_each_leaver_and_mover_whether_somebody_looked_back_since() -> None:
    """Two look-backs on one do not make up for the other who has none."""
    place = await Workplace.open()
    at = Company(place=place)

    async def looks_back() -> None:
        read = Projections.open(None)
        read.apply(place.ledger.entries)
        assert not await tick(place.office, read, place.adopted[-1])

    for _ in range(2):
        await leave(place.office, person=ALICE, by=ERIN, reason="gone", source="t")
        await looks_back()
        await come_back(place.office, person=ALICE, by=ERIN, reason="back", source="t")
    await leave(place.office, person=BOB, by=ERIN, reason="gone", source="t")
    await adopt(place.ledger, catalogue=without(without(CATALOGUE, BOB), DAVE), files={}, operator="root")
    at.wait()
    counted = [(one.population, one.exceptions) for one in leavers(at.context())]
    assert counted == [(3, 1), (1, 1)]
    await place.reconfigure(without(without(CATALOGUE, BOB), DAVE))
    await looks_back()
    assert [(one.population, one.exceptions) for one in leavers(at.context())] == [(3, 0), (1, 0)]


async def test_the_baseline_is_unchanged_until_something_is_adopted_and_tells_what_that_was(tmp_path: Path) -> None:
    place = await Workplace.open()
    at, start = Company(place=place), place.clock.now() + HOUR
    at.wait(2 * HOUR)
    period = Window(start=start, end=start + 100 * HOUR)
    first = rows(at.context(period=period), tmp_path / "a", "configuration-changes", "baseline")
    assert first[0]["version"] == first[1]["version"] and first[0]["sha256"] == first[1]["sha256"]
    assert rows(at.context(period=period), tmp_path / "b", "configuration-changes", "versions") == []
    more = replace(CATALOGUE, people=(*CATALOGUE.people, Person(id=PersonId("zoe"), name="Zoe", auditor=True)))
    await adopt(place.ledger, catalogue=more, files={}, operator="root")
    at.wait()
    second = rows(at.context(period=period), tmp_path / "c", "configuration-changes", "baseline")
    assert second[0] == first[0] and second[1]["version"] != first[1]["version"]
    (version,) = rows(at.context(period=period), tmp_path / "d", "configuration-changes", "versions")
    assert (version["operator"], version["two_people"]) == ("root", "fail")
    told = rows(at.context(period=period), tmp_path / "e", "configuration-changes", "differences")
    assert any("zoe" in (one["person"], *one["what"].split()) for one in told)


async def test_days_of_a_zone_whose_clocks_change_follow_one_another_and_share_no_event() -> None:
    """The ends are given with their offset, as somebody in Berlin types the days around a change of clocks."""
    zone = ZoneInfo("Europe/Berlin")
    for day, hours in ((datetime(2026, 3, 29, tzinfo=zone), 23), (datetime(2026, 10, 25, tzinfo=zone), 25)):
        at = Company(place=await Workplace.open())
        at.place.clock.moment = (day - timedelta(days=1)).astimezone(UTC)
        for _ in range(24 + hours + 24):
            await at.asked()
            at.wait(HOUR - timedelta(minutes=1))
        midnights = [(day + timedelta(days=number)).isoformat() for number in (-1, 0, 1, 2)]
        counts, seen = [], list[str]()
        for start, end in pairwise(midnights):
            period = period_of(start, end)
            asked = [one for one in at.context(period=period).events if not one.carried_over]
            counts.append(len(asked))
            seen += [one.access.request for one in asked]
        assert counts == [24, hours, 24]
        assert len(seen) == len(set(seen)) == sum(counts)
