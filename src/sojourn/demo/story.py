"""One temporary access from request to proof, step by step, each for real."""

from __future__ import annotations

import json
import secrets
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from sojourn.codes import Exit
from sojourn.errors import Code, SojournError

from . import furnish, proof, work
from .cast import PEOPLE_FILE, POLICY_FILE, ROOMS, SETTINGS_FILE
from .installation import Installation, installation
from .links import SECRET_BYTES, links
from .production import Production, production
from .summary import print_summary

PASSWORD_BYTES = 18
FIRST = "carol"


@dataclass(slots=True)
class Stage:
    """What the steps share: the servers, what was found out, and how to say it."""

    production: Production
    installation: Installation
    directory: Path
    say: Callable[[str], None]
    found: dict[str, Any] = field(default_factory=dict)
    password: str = ""

    def ask(self, *arguments: str, person: str) -> Any:
        """The answer of a command; the demo ends with its error if it is one."""
        answer = self.installation.ask(*arguments, person=person)
        if isinstance(answer, dict) and "error" in answer:
            problem = answer["error"]
            raise SojournError(Code(problem["code"]), **problem["details"])
        return answer

    def refused(self, *arguments: str, person: str) -> str:
        """The code with which a command is refused; empty if it is not."""
        answer = self.installation.ask(*arguments, person=person)
        return str(answer["error"]["code"]) if "error" in answer else ""


def run(directory: Path, *, once: bool, as_json: bool) -> int:
    """Tell the whole story; gives the exit code. Keeps everything running afterwards unless `once`."""
    started = time.monotonic()
    said = 0

    def say(text: str) -> None:
        nonlocal said
        said += 1
        if not as_json:
            sys.stdout.write(f"[{time.monotonic() - started:5.1f} s] {text}\n")
            sys.stdout.flush()

    with ExitStack() as stack:
        say("starting a real PostgreSQL 18 that plays production")
        server = stack.enter_context(production(_production_directory(directory), password=secrets.token_urlsafe(24)))
        say("starting sojourn serve: scribe, publisher, control, gateway")
        stage = Stage(
            production=server,
            installation=stack.enter_context(
                installation(directory, server, people=PEOPLE_FILE, policy=POLICY_FILE, settings=SETTINGS_FILE)
            ),
            directory=directory,
            say=say,
        )
        for step in STEPS if once else STEPS + FURNISHING:
            step(stage)
        found = stage.found
        found["seconds"] = round(time.monotonic() - started, 1)
        found["ok"] = _is_good(found)
        if not once:
            stack.enter_context(furnish.somebody_at_work(stage))
            secret = secrets.token_urlsafe(SECRET_BYTES)
            found["links"] = stack.enter_context(
                links(stage.installation, ROOMS, password=stage.password, secret=secret)
            )
        if as_json:
            sys.stdout.write(json.dumps(found) + "\n")
            sys.stdout.flush()
        else:
            print_summary(found, stage.installation, password=None if once else stage.password)
        if not once:
            _stay()
    return Exit.DONE if found["ok"] else Exit.FAILED


def _production_directory(directory: Path) -> Path:
    """Where the database lies: apart from the installation, whose directory no other user may enter."""
    marker = "".join(letter if letter.isalnum() else "-" for letter in str(directory))[-60:]
    return Path(tempfile.gettempdir()) / f"sojourn-production{marker}"


def _is_good(found: dict[str, Any]) -> bool:
    return bool(
        found["self_approval_refused"]
        and found["write_refused_sqlstate"] == "42501"
        and found["rows_changed"] == 1
        and found["cut_ms"] < 1000
        and found["cut_sqlstate"] == "57P01"
        and found["role_absent"]
        and found["refused_while_scribe_was_dead"]
        and found["works_after_restart"]
        and found["verified"]
        and found["tamper_detected"]
    )


def _stay() -> None:
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        sys.stdout.write("\nstopping\n")


def enrol_people(stage: Stage) -> None:
    """Everybody sets up an account, with a password that is this demo's alone, and signs in."""
    one, password = stage.installation, secrets.token_urlsafe(PASSWORD_BYTES)
    stage.password = password
    for person in (FIRST, *(name for name in ROOMS if name != FIRST)):
        # Who runs the installation lets the first administrator in, and she the others.
        way = ("--data", str(one.layout.root)) if person == FIRST else ()
        code = stage.ask("invite", person, *way, person="" if person == FIRST else FIRST)["code"]
        for arguments in (("enrol", person, code), ("login", person)):
            done = one.sojourn(*arguments, "--url", one.address, stdin=password + "\n")
            if done.returncode:
                raise SojournError(Code.SERVICE_UNREACHABLE, address=f"`sojourn {arguments[0]}` ({done.stderr})")
    stage.say("alice, bob, carol and erin (administrators) and dora (auditor) have signed in")


def ask_and_decide(stage: Stage) -> None:
    """Alice asks; she cannot approve it herself; Bob can."""
    asked = stage.ask(
        *("request", "shop", "--role", "read", "--for", "30m", "--reason", "INC-2041 wrong totals"), person="alice"
    )
    stage.say("alice asks: role read on shop for 30m, because INC-2041 wrong totals")
    refused = stage.refused("approve", asked["request"], person="alice")
    stage.found["self_approval_refused"] = refused == Code.APPROVAL_SELF
    stage.say(f"alice tries to approve it herself: refused ({refused})")
    stage.ask("approve", asked["request"], "--comment", "go ahead", person="bob")
    stage.say("bob approves")
    stage.found["request_id"] = asked["request"]


def granted(stage: Stage, role: str, duration: str, reason: str) -> dict[str, Any]:
    """A further access for Alice, asked for and approved; gives the active grant."""
    asked = stage.ask("request", "shop", "--role", role, "--for", duration, "--reason", reason, person="alice")
    stage.ask("approve", asked["request"], person="bob")
    grant: dict[str, Any] = stage.ask("activate", asked["request"], person="alice")
    return grant


def cut_at_the_end(stage: Stage) -> None:
    """A grant of a few seconds ends while a statement runs."""
    grant = granted(stage, "read", "4s", "INC-2041 once more")
    end = datetime.fromisoformat(grant["end"])
    stage.say("a third access, of 4 seconds: alice runs select pg_sleep(600) in it")
    with work.connection(stage.installation, "read") as client:
        try:
            client.execute("select pg_sleep(600)")
            stage.found["cut_sqlstate"] = ""
        except psycopg.Error as error:
            stage.found["cut_sqlstate"] = error.sqlstate or ""
        cut = datetime.now(UTC)
    stage.found["cut_ms"] = round((cut - end).total_seconds() * 1000)
    absent = work.wait_until_absent(stage.production, "sojourn_" + grant["grant"].replace("-", ""))
    stage.found["role_absent"] = absent is not None
    stage.found["role_absent_ms"] = None if absent is None else round((absent - end).total_seconds() * 1000)
    stage.found["cut_grant_id"] = grant["grant"]
    stage.say(f"it ends: cut {stage.found['cut_ms']} ms after the end, with SQLSTATE {stage.found['cut_sqlstate']}")
    stage.say(f"its role is gone from pg_roles {stage.found['role_absent_ms']} ms after the end")


STEPS: tuple[Callable[[Stage], None], ...] = (
    enrol_people,
    ask_and_decide,
    work.read_and_try_to_write,
    work.change_one_row,
    cut_at_the_end,
    work.revoke_at_once,
    work.survive_crashes,
    proof.prove,
    proof.tamper,
)
"""What the demo does, in this order."""

FURNISHING: tuple[Callable[[Stage], None], ...] = (
    furnish.ask_for_more,
    furnish.break_the_glass,
    furnish.certify_and_change,
    furnish.draw_a_sample,
    furnish.make_a_stray_login,
)
"""What it does besides where it stays up to be looked at."""
