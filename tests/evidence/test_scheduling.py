"""Reports by schedule on a running installation: made, kept, taken to a folder, a bucket and people, and an alarm when
that fails.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP

import sojourn_verify
from sojourn.demo.installation import PEOPLE_FILE, SETTINGS_FILE
from sojourn.demo.production import Production
from sojourn.testing.browser import Browser, signed_in
from sojourn.testing.bucket import ACCESS_KEY, SECRET_KEY, ObjectStore, object_store
from sojourn.testing.installation import PASSWORD, Running, running

SECONDS = 180.0
BUCKET = "evidence"
NOBODY = "http://127.0.0.1:9"
"""Where no server listens: the port of discard."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the reports go."""
    return tmp_path_factory.mktemp("audit")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    """A real object store with the bucket that reports go to."""
    with object_store(tmp_path_factory.mktemp("store")) as one:
        one.client().create_bucket(Bucket=BUCKET)
        yield one


@dataclass
class Inbox:
    """Takes every mail, as aiosmtpd hands it over."""

    mails: list[tuple[list[str], Message]] = field(default_factory=list)

    async def handle_DATA(self, server: object, session: object, envelope: Any) -> str:
        self.mails.append((envelope.rcpt_tos, message_from_bytes(envelope.content)))
        return "250 OK"


@pytest.fixture(scope="module")
def inbox() -> Iterator[tuple[int, Inbox]]:
    """A real SMTP server: its port, and what it took."""
    loop, taken = asyncio.new_event_loop(), Inbox()
    server = loop.run_until_complete(loop.create_server(lambda: SMTP(taken, loop=loop), "127.0.0.1", 0))
    thread = Thread(target=loop.run_forever)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1], taken
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        server.close()
        loop.close()


@pytest.fixture(scope="module")
def sojourn(
    tmp_path_factory: pytest.TempPathFactory,
    production: Production,
    folder: Path,
    store: ObjectStore,
    inbox: tuple[int, Inbox],
) -> Iterator[Running]:
    """An installation with schedules that work, one whose folder is not there, and one whose bucket does not answer."""
    bucket = f"prefix: audit/, endpoint: '{store.endpoint}', region: us-east-1"
    schedules = (
        f"notify: {{ mail: {{ host: 127.0.0.1, port: {inbox[0]}, tls: none, sender: sojourn@example.com }} }}\n"
        "reports:\n"
        "  schedules:\n"
        f"    monthly: {{ report: access-events, every: month, sample: 5, seed: s, folder: '{folder}' }}\n"
        f"    nowhere: {{ report: ledger-integrity, every: quarter, folder: '{folder}/missing', overdue: 1s }}\n"
    )
    schedules += (
        f"    away: {{ report: administrators, every: month, sample: 0, bucket: {BUCKET}, {bucket}, mail: [dora] }}\n"
        f"    lost: {{ report: administrators, every: quarter, bucket: {BUCKET}, endpoint: '{NOBODY}', overdue: 1s }}\n"
    )
    people = PEOPLE_FILE.replace("Dora Dale,", "Dora Dale, mail: dora@example.com,")
    root = tmp_path_factory.mktemp("schedules") / "one"
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        patch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        patch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
        one = stack.enter_context(running(root, production, people=people, settings=SETTINGS_FILE + schedules))
        done = one.installation.sojourn("login", "dora", "--url", one.installation.address, stdin=PASSWORD + "\n")
        assert done.returncode == 0, done.stderr
        yield one


def _entries(sojourn: Running, kind: str, schedule: str) -> list[dict[str, Any]]:
    """What the stream of schedules says of one, once there is an entry of that kind."""
    until = time.monotonic() + SECONDS
    root = str(sojourn.installation.layout.root)
    while time.monotonic() < until:
        done = sojourn.installation.sojourn("audit", "show", "schedules", "--json", "--data", root)
        found = [json.loads(line) for line in done.stdout.splitlines()] if done.returncode == 0 else []
        wanted = [one["body"] for one in found if one["kind"] == kind and one["body"]["schedule"] == schedule]
        if wanted:
            return wanted
        time.sleep(0.5)
    raise AssertionError(f"no {kind} of {schedule} within {SECONDS:g} s")


def test_the_report_of_the_last_month_is_delivered_verifies_and_is_there_to_be_taken(
    sojourn: Running, folder: Path, tmp_path: Path
) -> None:
    (told,) = _entries(sojourn, "report.delivered", "monthly")
    (path,) = folder.glob("monthly-*.zip")
    assert hashlib.sha256(path.read_bytes()).hexdigest() == told["sha256"]
    assert told["places"] == ["sojourn report delivered", f"folder {folder}"] and told["problem"] == ""
    assert path.stat().st_mode & 0o777 == 0o600
    key = (sojourn.installation.layout.root / "ledger.vkey").read_text().strip()
    assert sojourn_verify.__file__ is not None
    command = [sys.executable, sojourn_verify.__file__, str(path), "--key", key]
    assert subprocess.run(command, capture_output=True, timeout=60).returncode == 0
    out = tmp_path / "taken.zip"
    done = sojourn.installation.sojourn("report", "delivered", path.name, "--out", str(out), person="dora")
    assert (done.returncode, out.read_bytes()) == (0, path.read_bytes()), done.stderr
    with zipfile.ZipFile(out) as archive:
        period = json.loads(archive.read("details.json"))["parameters"]["period"]
    assert path.name == f"monthly-{period['start'][:10]}-{period['end'][:10]}.zip"


def test_a_report_is_put_into_the_bucket_and_people_hear_its_hash_and_sign_in_for_the_file(
    sojourn: Running, store: ObjectStore, inbox: tuple[int, Inbox], tmp_path: Path
) -> None:
    (told,) = _entries(sojourn, "report.delivered", "away")
    name = f"away-{told['period']['start'][:10]}-{told['period']['end'][:10]}.zip"
    assert told["places"] == ["sojourn report delivered", f"bucket {BUCKET}/audit/", "mail to dora@example.com"]
    held = store.client().get_object(Bucket=BUCKET, Key=f"audit/{name}")["Body"].read()
    assert hashlib.sha256(held).hexdigest() == told["sha256"]
    ((people, mail),) = inbox[1].mails
    assert people == ["dora@example.com"] and not mail.is_multipart()
    text = mail.get_payload(decode=True)
    assert isinstance(text, bytes) and told["sha256"] in text.decode() and name in text.decode()
    assert sojourn.send("GET", f"/delivered-reports/{name}").status_code == 401
    out = tmp_path / "taken.zip"
    done = sojourn.installation.sojourn("report", "delivered", name, "--out", str(out), person="dora")
    assert (done.returncode, out.read_bytes()) == (0, held), done.stderr


@pytest.mark.parametrize(
    ("schedule", "problem"), [("nowhere", "is no folder"), ("lost", "the bucket evidence did not take it")]
)
def test_a_delivery_that_cannot_be_made_is_an_alarm_on_record_once(
    sojourn: Running, schedule: str, problem: str
) -> None:
    (overdue,) = _entries(sojourn, "report.delivery_overdue", schedule)
    assert problem in overdue["problem"]


def test_the_page_shows_how_far_each_schedule_is_and_gives_the_files_to_auditors(
    sojourn: Running, folder: Path
) -> None:
    (told,) = _entries(sojourn, "report.delivered", "monthly")
    _entries(sojourn, "report.delivery_overdue", "nowhere")
    shown = {one["schedule"]: one for one in sojourn.get("/delivered-reports", person="dora")["schedules"]}
    monthly, nowhere = shown["monthly"], shown["nowhere"]
    assert datetime.fromisoformat(monthly["delivered_until"]) == datetime.fromisoformat(told["period"]["end"])
    assert (monthly["due"], monthly["overdue"]) == (None, False)
    assert nowhere["delivered_until"] is None and nowhere["due"] and nowhere["overdue"] is True

    dora = signed_in(sojourn, "dora")
    page = dora.get("/delivered-reports").text
    assert "up to date" in page and "overdue" in page
    (path,) = folder.glob("monthly-*.zip")
    assert f'href="/delivered-reports/{path.name}"' in page
    taken = dora.get(f"/delivered-reports/{path.name}")
    assert taken.content == path.read_bytes() and "attachment" in taken.headers["content-disposition"]
    assert signed_in(sojourn, "carol").get(f"/delivered-reports/{path.name}").status_code == 403
    assert Browser(address=dora.address).get(f"/delivered-reports/{path.name}").status_code == 303


@pytest.mark.parametrize("person", ["alice", "carol"])
def test_only_auditors_take_delivered_reports(sojourn: Running, person: str) -> None:
    assert sojourn.get("/delivered-reports", person=person)["error"]["code"] == "permission.denied"
    assert sojourn.get("/delivered-reports/ledger.db", person="dora")["error"]["code"] == "report.unknown"
