"""What a newcomer finds on every page: something to decide, to review, to certify, to answer, and to be puzzled by."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg

from sojourn.errors import Code, SojournError

from . import work

if TYPE_CHECKING:
    from .story import Stage

LOOK_SECONDS = 0.2
BETWEEN_SECONDS = 5.0
"""How often alice looks at the orders while the demo stays up, so that a session can be watched."""

STRAY = "sojourn_gnightshift"
"""A login that is called as ours are, and that no access on record has made."""


def ask_for_more(stage: Stage) -> None:
    """Something waits for bob, and alice holds an access."""
    from .story import granted

    stage.ask(*_request("fix-status", "1h", "INC-2043 forty orders are paid and still open"), person="alice")
    granted(stage, "read", "2h", "INC-2042 keep an eye on the queue")
    stage.say("alice asks for more, which waits for bob, and holds an access of two hours")


def break_the_glass(stage: Stage) -> None:
    """Alice takes an access that nobody has decided on; carol is told, and dora reviews it and asks."""
    taking = ("break-glass", "shop", "--role", "fix-status", "--for", "30m", "--reason", "INC-2044 nobody answers")
    grant = _answered(stage, *taking)
    with work.connection(stage.installation, "fix-status") as client:
        client.execute("update shop.orders set status = 'open' where id = 19")
    stage.ask("end", grant["grant"], person="alice")
    _wait_for_review(stage, grant["grant"])
    stage.ask("review", "question", grant["grant"], "Why could this not wait for bob?", person="dora")
    stage.say("alice breaks the glass: carol is told at once, and dora has to review it and asks her why")


def certify_and_change(stage: Stage) -> None:
    """Carol begins a campaign, proposes a longer access for erin to approve, and keeps what a case needs."""
    due = (datetime.now(UTC) + timedelta(days=7)).isoformat(timespec="seconds")
    stage.ask(
        *("certify", "open", "Who may do what", "--reviewer", "bob", "--reviewer", "dora", "--until", due),
        person="carol",
    )
    files = stage.directory / "proposed"
    stage.ask("policy", "fetch", str(files), person="carol")
    (files / "settings.yaml").unlink(missing_ok=True)
    policy = files / "policy.yaml"
    policy.write_text(policy.read_text().replace("longest: 4h", "longest: 8h", 1))
    stage.ask("policy", "propose", str(files), "--reason", "nights are long", person="carol")
    stage.ask("hold", "place", "--person", "alice", "--reason", "case 12 of the works council", person="carol")
    stage.say("carol begins a campaign, proposes a change that erin has to approve, and places a hold")


def draw_a_sample(stage: Stage) -> None:
    """Dora has a report made, draws a sample, and asks bob about an item."""
    now = datetime.now(UTC)
    period = ("--from", f"{now - timedelta(days=30):%Y-%m-%d}", "--until", f"{now + timedelta(days=1):%Y-%m-%d}")
    out = stage.directory / "access-events.zip"
    stage.ask(
        *("report", "fetch", "access-events", *period, "--sample", "3", "--seed", "4711", "--out", str(out)),
        person="dora",
    )
    sample = stage.ask("sample", "list", person="dora")["samples"][0]["sample"]
    item = stage.ask("sample", "show", sample, person="dora")["requests"][0]
    question = ("--of", "bob", "--text", "What do you know of this access?")
    stage.ask("sample", "ask", sample, item, *question, person="dora")
    stage.say(f"dora has a report made, draws three accesses from it ({sample}), and asks bob about one")


def make_a_stray_login(stage: Stage) -> None:
    """Somebody with the server's own password makes a login beside Sojourn: two looks at the target find it."""
    with stage.production.superuser() as owner:
        owner.execute(f'CREATE ROLE "{STRAY}" LOGIN')
    found: list[str] = []
    for _ in range(2):
        found = [one["subject"] for one in stage.ask("target", "reconcile", "shop", person="carol")["findings"]]
    told = "finds it" if STRAY in found else "DOES NOT FIND IT"
    stage.found["stray_found"] = STRAY in found
    stage.say(
        f"somebody makes the login {STRAY} in the database itself: Sojourn {told} by comparing it with the record"
    )


@contextmanager
def somebody_at_work(stage: Stage) -> Iterator[None]:
    """Alice looks at the orders now and then, as long as her access and this context last: a session to be watched."""
    over = threading.Event()

    def look() -> None:
        try:
            with work.connection(stage.installation, "read") as client:
                while not over.wait(BETWEEN_SECONDS):
                    client.execute("select status, count(*) from shop.orders group by status order by status")
        except (psycopg.Error, SojournError):
            # Whoever plays with the demo ends this access or its session sooner or later, and is meant to.
            return

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield
    finally:
        over.set()
        looking.join(work.PATIENCE_SECONDS)


def _request(role: str, duration: str, reason: str) -> tuple[str, ...]:
    return ("request", "shop", "--role", role, "--for", duration, "--reason", reason)


def _answered(stage: Stage, *arguments: str) -> Any:
    """The answer of a command of Alice's that wants her password."""
    done = stage.installation.sojourn(*arguments, "--json", person="alice", stdin=stage.password + "\n")
    answer = json.loads(done.stdout or "{}")
    if "error" in answer or not answer:
        raise SojournError(Code.SERVICE_UNREACHABLE, address=f"`sojourn {arguments[0]}` ({done.stdout}{done.stderr})")
    return answer


def _wait_for_review(stage: Stage, grant: str) -> None:
    """Until the review of an access is open. Raises SojournError `service.timeout`."""
    deadline = time.monotonic() + work.PATIENCE_SECONDS
    while all(one["grant"] != grant for one in stage.ask("review", "list", person="dora")["reviews"]):
        if time.monotonic() > deadline:
            raise SojournError(Code.SERVICE_TIMEOUT, what="Opening a review", seconds=f"{work.PATIENCE_SECONDS:g}")
        time.sleep(LOOK_SECONDS)
