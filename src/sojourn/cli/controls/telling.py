"""What the commands of this group read: the controls as the record where it lies shows them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sojourn.app.ambient import SystemClock, operator
from sojourn.app.reporting import Asked, controls_of
from sojourn.cli.moments import moment
from sojourn.domain.window import Window
from sojourn.evidence.controls.report import Shown
from sojourn.settings import Layout

QUARTER = timedelta(days=92)


def period(since: str, until: str, now: datetime) -> Window:
    """The period that is meant: by default the last 92 days."""
    end = moment("--until", until).astimezone(UTC) if until else now
    return Window(start=moment("--from", since).astimezone(UTC) if since else end - QUARTER, end=end)


def read_controls(layout: Layout, since: str, until: str) -> list[Shown]:
    """Every control over a period. Raises SojournError as a report does."""
    now = SystemClock().now()
    asked = Asked(report="controls", period=period(since, until, now), run_by=operator(), run_at=now)
    return controls_of(layout, asked)


def as_json(one: Shown) -> dict[str, Any]:
    """A control as machines read it."""
    return {
        "control": one.control.name,
        "title": one.control.title,
        "wording": list(one.wording),
        "design": [{"source": line.source, "text": line.text} for line in one.design],
        "operation": [
            {
                "measure": measure.what,
                "population": measure.population,
                "exceptions": measure.exceptions,
                "where": measure.where,
            }
            for measure in one.operation
        ],
        "tests": [
            {
                "probe": tried.probe.name,
                "passed": tried.probe.passed,
                "found": tried.probe.found,
                "entry": tried.recorded.seq,
                "at": tried.recorded.at.isoformat(),
            }
            for tried in one.tried
        ],
    }
