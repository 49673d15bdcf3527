"""As of a past moment every report says what it said then, whatever has come on record since."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest_asyncio

from sojourn.app.reporting import Asked, make_report
from sojourn.domain.events import Finding, FindingKind, TargetReconciled, TargetUnobserved
from sojourn.domain.history import Change
from sojourn.domain.identifiers import target_stream
from sojourn.domain.window import Window
from sojourn.evidence.attributes.answer import moment_text
from sojourn.evidence.reports.directory import REPORTS
from sojourn.scribe.client import ScribeClient
from sojourn.settings import ScribeSettings
from sojourn.testing.organisation import DAVE, SHOP, Workplace
from sojourn.testing.scribe import KEY, ScribeProcess

from .accesses import Company

PERIOD = Window(start=datetime(2020, 1, 1, tzinfo=UTC), end=datetime(2100, 1, 1, tzinfo=UTC))

Said = dict[str, tuple[datetime, dict[str, str]]]
"""Of each report the moment that it is as of, and the hash over the rows of each sheet but its parameters."""


def _said(root: ScribeProcess, directory: Path, moments: Said | None = None) -> Said:
    found: Said = {}
    for report in REPORTS:
        (directory / report).mkdir(parents=True)
        as_of = None if moments is None else datetime.fromisoformat(moment_text(moments[report][0]))
        now = datetime.now(UTC) + timedelta(days=1 if moments else 0)
        asked = Asked(report=report, period=PERIOD, run_by="t", run_at=now, as_of=as_of, sample=2, seed="7")
        built = make_report(root.layout, asked, directory / report, lambda *_: None)
        assert built.problem == "", report
        found[report] = (built.as_of, {one.name: one.sha256 for one in built.sheets if one.name != "Parameters"})
    return found


async def _tell(at: Company, scribe: ScribeProcess, told: int) -> int:
    """Put what was told since on record, signed."""
    scribe.start()
    async with ScribeClient(scribe.layout.scribe_socket) as ledger:
        await ledger.connected(30)
        changes = [Change(stream=one.stream, event=one.event, seen=None) for one in at.place.ledger.entries[told:]]
        await ledger.append(changes, attachments=list(at.place.ledger.attachments.values()))
        await ledger.sign()
    assert scribe.stop()[0] == 0
    scribe.layout.root.chmod(0o700)
    scribe.layout.verifier_key.write_text(KEY.vkey() + "\n")
    return len(at.place.ledger.entries)


async def _more(at: Company) -> None:
    """What changes something of every kind: uses, ends, a look, a time unseen."""
    await at.whole(DAVE)
    await at.asked()
    seen = Finding(kind=FindingKind.LOGIN_UNRECORDED, subject="sojourn_x", detail="nobody", since=at.place.clock.now())
    look = TargetReconciled(
        target=SHOP,
        looks=2,
        sessions=1,
        sessions_matched=0,
        logins=1,
        findings=(seen,),
        accounts=("eve: SUPERUSER",),
        accounts_changed=("+ eve: SUPERUSER",),
    )
    await at.say(target_stream(SHOP), look, TargetUnobserved(target=SHOP, problem="refused"))


@pytest_asyncio.fixture
async def then_and_now(tmp_path: Path) -> AsyncIterator[tuple[Said, Said, Said]]:
    """What all reports said after the first half, what they say now, and what they say now as of then."""
    at, scribe = Company(place=await Workplace.open()), ScribeProcess(tmp_path / "d", ScribeSettings())
    await _more(at)
    told = await _tell(at, scribe, 0)
    scribe.layout.configuration.mkdir()
    then = _said(scribe, tmp_path / "then")
    at.wait(timedelta(days=1))
    await _more(at)
    await _tell(at, scribe, told)
    yield then, _said(scribe, tmp_path / "now"), _said(scribe, tmp_path / "as-of", then)


async def test_every_report_as_of_a_past_moment_has_the_rows_that_it_had_then(
    then_and_now: tuple[Said, Said, Said],
) -> None:
    then, now, as_of = then_and_now
    differing = {
        f"{report}: {sheet}"
        for report, (_, sheets) in then.items()
        for sheet, sha256 in sheets.items()
        if as_of[report][1][sheet] != sha256
    }
    assert not differing
    changed = {name for name in REPORTS if now[name][1] != then[name][1]}
    assert {"access-events", "bypass-reconciliation", "standing-privilege", "ledger-integrity"} <= changed
