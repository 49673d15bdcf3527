"""Reports: whole, right, the same in every file, the same every time; and loud when the record is not whole."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import io
import json
import shutil
import subprocess
import sys
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest

import sojourn_verify
from sojourn.domain.events import (
    ActionIntended,
    Finding,
    FindingKind,
    GrantCreated,
    RequestApproved,
    TargetReconciled,
    TargetUnobserved,
)
from sojourn.domain.history import Change
from sojourn.domain.identifiers import target_stream
from sojourn.domain.window import Window
from sojourn.evidence.reports.access_events import sample
from sojourn.evidence.reports.build import Built, build
from sojourn.evidence.reports.completeness import Check, checks
from sojourn.evidence.reports.context import Context
from sojourn.evidence.reports.directory import REPORTS
from sojourn.ledger.note import SigningKey
from sojourn.scribe.client import ScribeClient
from sojourn.settings import ScribeSettings
from sojourn.testing.organisation import BOB, DAVE, SHOP, Workplace
from sojourn.testing.scribe import KEY, ScribeProcess
from sojourn.workflow.deny import deny

from .accesses import Company

DAY = timedelta(days=1)


async def busy() -> Company:
    """Three days: accesses on the first, one read back a day later, one denied and one pending on the third."""
    at = Company(place=await Workplace.open())
    await at.say(
        target_stream(SHOP),
        TargetReconciled(
            target=SHOP,
            looks=3,
            sessions=0,
            sessions_matched=0,
            logins=0,
            findings=(),
            accounts=("postgres (superuser)",),
            accounts_changed=(),
        ),
    )
    for person in (None, DAVE):
        await at.whole(*([person] if person else []))
    late = await at.active()
    at.wait(DAY)
    await at.over(late)
    at.wait(DAY)
    denied = await at.asked()
    await deny(at.place.office, request=denied.id, person=BOB, digest=denied.submitted.digest, source="t")
    await at.asked()
    return at


def made(context: Context, directory: Path, report: str = "access-events") -> Built:
    directory.mkdir()
    return build(context, REPORTS[report].sheets(context), directory, lambda *_: None)


def found(context: Context) -> dict[str, Check]:
    return {check.about: check for check in checks(context)}


async def test_every_check_of_completeness_holds_for_a_record_that_is_whole() -> None:
    at = await busy()
    assert [check for check in checks(at.context()) if check.holds is False] == []


async def test_the_roll_forward_adds_up_for_every_period() -> None:
    at = await busy()
    start = datetime(2026, 3, 2, tzinfo=UTC)
    for first in range(4):
        for days in range(1, 5):
            period = Window.starting(start + first * DAY / 2, days * DAY / 2)
            told = found(at.context(period=period))
            assert told["roll-forward"].holds and told["rows of the population"].holds, period
            assert told["sequence of requests"].holds


async def test_an_event_that_was_open_when_the_period_began_is_carried_over() -> None:
    at = await busy()
    start = datetime(2026, 3, 2, tzinfo=UTC)
    events = at.context(period=Window.starting(start + DAY, DAY)).events
    assert [event.carried_over for event in events] == [True]


@pytest.mark.parametrize("kind", [ActionIntended, GrantCreated, RequestApproved])
async def test_an_entry_that_is_not_there_is_missed(kind: Any) -> None:
    at = await busy()
    before = len(at.place.ledger.entries)
    context = at.context()
    at.drop(kind)
    context.books = at.books()
    assert len(at.place.ledger.entries) < before
    assert found(context)["entries of the record"].holds is False


async def test_what_a_target_saw_and_the_record_did_not_is_told() -> None:
    at = await busy()
    finding = Finding(
        kind=FindingKind.SESSION_UNRECORDED, subject="17 mallory", detail="psql", since=at.place.clock.now()
    )
    look = TargetReconciled(
        target=SHOP,
        looks=1,
        sessions=1,
        sessions_matched=0,
        logins=1,
        findings=(finding,),
        accounts=(),
        accounts_changed=("- postgres (superuser)",),
    )
    await at.say(target_stream(SHOP), look, TargetUnobserved(target=SHOP, problem="refused"))
    told = found(at.context())
    assert told["shop: session unrecorded"].holds is False and "17 mallory" in told["shop: session unrecorded"].found
    assert told["shop: target unobserved"].holds is False
    assert told["shop: target unobserved"].found == "1 shop, 1 open"


async def test_a_row_that_differs_from_its_entry_is_found(tmp_path: Path) -> None:
    at = await busy()
    context = at.context()
    assert context.events
    at.forge(RequestApproved, person=DAVE)
    built = made(context, tmp_path / "report")
    with (tmp_path / "report" / "accuracy.csv").open(newline="") as file:
        results = [row["result"] for row in csv.DictReader(file)]
    assert "fail" in results and built.rows("Accuracy") == len(results)


async def test_all_files_and_the_manifest_say_the_same(tmp_path: Path) -> None:
    at = await busy()
    built = made(at.context(sample=2, seed="7"), tmp_path / "report")
    with zipfile.ZipFile(built.path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(files["manifest.json"])
    assert hashlib.sha256(files["manifest.json"]).hexdigest() == built.manifest_sha256
    for name, told in manifest["files"].items():
        assert (len(files[name]), hashlib.sha256(files[name]).hexdigest()) == (told["bytes"], told["sha256"])
    assert set(files) == {*manifest["files"], "manifest.json"}
    sheets = {one["name"]: one for one in json.loads(files["report.json"])["sheets"]}
    book = openpyxl.load_workbook(io.BytesIO(files["report.xlsx"]))
    assert book.sheetnames[0] == "Parameters" and set(book.sheetnames) == set(sheets)
    details = json.loads(files["details.json"])
    for told in details["sheets"]:
        name = told["name"]
        lines = list(csv.DictReader(io.StringIO(files[f"{name.lower().replace(' ', '-')}.csv"].decode(), newline="")))
        rows = sheets[name]["rows"]
        assert len(rows) == len(lines) == told["rows"] == book[name].max_row - 1
        hashed = hashlib.sha256()
        for row in rows:
            hashed.update(json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() + b"\n")
        assert hashed.hexdigest() == told["sha256"]
        for column, total in told["totals"].items():
            assert total == sum(row[column] for row in rows)


async def test_the_same_record_gives_the_same_bytes(tmp_path: Path) -> None:
    at = await busy()
    first, second = (made(at.context(), tmp_path / name).path.read_bytes() for name in ("a", "b"))
    assert first == second


@pytest.mark.parametrize("report", REPORTS)
async def test_every_report_can_be_made_of_a_record_with_and_without_events(report: str, tmp_path: Path) -> None:
    for number, at in enumerate([await busy(), Company(place=await Workplace.open())]):
        built = made(at.context(), tmp_path / str(number), report)
        assert built.problem == "" and built.path.exists()


async def test_a_sample_is_drawn_again_by_its_seed_and_another_by_another() -> None:
    at = Company(place=await Workplace.open())
    for _ in range(12):
        await at.asked()
    events = at.context().events
    drawn = [sample(events, count=5, seed=seed) for seed in ("a", "a", "b")]
    names = [[event.access.request for event in some] for some in drawn]
    assert names[0] == names[1] != names[2] and len(set(names[0])) == 5
    fewer = [event for event in events if event.access.request != names[0][0]]
    assert [event.access.request for event in sample(fewer, count=4, seed="a")] == names[0][1:]
    assert len(sample(events, count=99, seed="a")) == 12


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory as a stopped installation leaves it, with one access in its ledger."""
    root = tmp_path_factory.mktemp("reports") / "d"
    asyncio.run(_fill(root))
    return root


async def _fill(root: Path) -> None:
    at = Company(place=await Workplace.open())
    await at.whole()
    scribe = ScribeProcess(root, ScribeSettings(checkpoint_seconds=0.2))
    scribe.start()
    layout = scribe.layout
    async with ScribeClient(layout.scribe_socket) as ledger:
        await ledger.connected(20)
        told = at.place.ledger.entries
        changes = [Change(stream=one.stream, event=one.event, seen=None) for one in told]
        await ledger.append(changes, attachments=list(at.place.ledger.attachments.values()))
        await ledger.sign()
    assert scribe.stop()[0] == 0
    layout.configuration.mkdir()
    layout.root.chmod(0o700)
    layout.verifier_key.write_text(KEY.vkey() + "\n")


def _report(root: Path, out: Path, *more: str, until: str = "2100-01-01") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sojourn", "report", "make", "access-events", "--data", str(root), "--json"]
    period = ["--from", "2026-01-01", "--until", until, "--out", str(out)]
    return subprocess.run([*command, *period, *more], capture_output=True, text=True, timeout=60, check=False)


def test_the_command_writes_a_report_that_only_its_owner_can_read(master: Path, tmp_path: Path) -> None:
    done = _report(master, tmp_path / "r.zip")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["problem"] == "" and {one["name"]: one["rows"] for one in told["sheets"]}["Population"] == 1
    assert (tmp_path / "r.zip").stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r.zip"]


def _verify(path: Path, key: str = KEY.vkey()) -> tuple[int, dict[str, Any]]:
    assert sojourn_verify.__file__ is not None
    command = [sys.executable, "-I", "-S", sojourn_verify.__file__, str(path), "--key", key, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    return done.returncode, json.loads(done.stdout)


def test_a_report_is_a_pack_that_the_verifier_checks_with_the_rules_it_was_made_under(
    master: Path, tmp_path: Path
) -> None:
    assert _report(master, tmp_path / "r.zip").returncode == 0
    status, told = _verify(tmp_path / "r.zip")
    assert (status, told["problems"]) == (0, [])
    assert told["checked"]["attachments"] >= 1 and told["checked"]["entries"] >= 1


@pytest.mark.parametrize("name", ["population.csv", "report.json", "report.xlsx", "details.json"])
def test_a_report_with_a_file_that_was_altered_is_refused_by_the_verifier(
    name: str, master: Path, tmp_path: Path
) -> None:
    _report(master, tmp_path / "r.zip")
    with (
        zipfile.ZipFile(tmp_path / "r.zip") as archive,
        zipfile.ZipFile(tmp_path / "altered.zip", "w") as altered,
    ):
        for one in archive.namelist():
            content = archive.read(one)
            altered.writestr(one, content[:-1] + b"!" if one == name else content)
    status, told = _verify(tmp_path / "altered.zip")
    assert (status, [one["where"] for one in told["problems"]]) == (1, [name])


def test_a_record_that_was_altered_is_said_at_the_top_of_the_report(master: Path, tmp_path: Path) -> None:
    root = tmp_path / "d"
    shutil.copytree(master, root, ignore=shutil.ignore_patterns("*.sock"))
    other = SigningKey.generate("test.localhost/ledger", b"\x08" * 32)
    (root / "ledger.vkey").write_text(other.vkey() + "\n")
    done = _report(root, tmp_path / "r.zip")
    assert done.returncode == 1
    with zipfile.ZipFile(tmp_path / "r.zip") as archive:
        first = next(csv.reader(io.StringIO(archive.read("parameters.csv").decode().split("\n", 1)[1], newline="")))
        manifest = json.loads(archive.read("details.json"))
    assert first[0] == "NOT COMPLETE" and "signature" in first[1]
    assert "signature" in manifest["record"]["problem"]


@pytest.mark.parametrize(
    ("until", "problem"), [("2026-01-01", "is not after"), ("soon", "no moment"), ("2026-13-01", "no moment")]
)
def test_a_period_that_is_none_is_refused(until: str, problem: str, master: Path, tmp_path: Path) -> None:
    done = _report(master, tmp_path / "r.zip", until=until)
    assert done.returncode != 0 and problem in done.stderr
    assert list(tmp_path.iterdir()) == []
