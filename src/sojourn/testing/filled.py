"""An installation in which something has happened everywhere: what a browser looks at, and what pictures are made of.

Alice holds an access with an open connection, has asked for another, and has worked on an SSH host; some of what she
said tries to be more than text. Bob approves, and is an administrator like Carol.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any, TypeVar

import psycopg

from sojourn.demo.installation import PEOPLE_FILE, TARGETS_FILE
from sojourn.demo.production import Production

from .installation import PASSWORD, Running, running
from .sshd import ACCOUNT, sshd

TARGETS = """\
  web-1:
    kind: ssh
    description: The shop's web server
    host: 127.0.0.1
    port: {port}
    host_keys: ["{key}"]
    administrator: root
    source_addresses: [127.0.0.1]
    revoked_keys: {revoked}
    roles:
      operator: {{ description: Look after the service, login: {account}, shell: true }}
"""
POLICY = """\
rules:
  shop-work:
    who: { teams: [engineering] }
    targets: [shop]
    roles: [read]
    longest: 4h
    approvers: { teams: [engineering] }
    reason: required
  shop-repair:
    who: { teams: [engineering] }
    targets: [shop]
    roles: [fix-status]
    longest: 4h
    approvers: { teams: [engineering] }
    reason: required
    review: { within: 3d, by: { people: [dora] } }
  web-work:
    who: { teams: [engineering] }
    targets: [web-1]
    roles: [operator]
    longest: 4h
    approvers: { teams: [engineering] }
"""
SETTINGS = """\
gateway: { port: 0, ssh: true, ssh_port: 0 }
control: { port: 0 }
scribe: { origin: sojourn-filled.localhost/ledger }
"""
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{7*7}}\u202e\x1b[2K\x1b]0;owned\x07"
"""What somebody may type who wants a page to do something."""

SHORT = "<b>x</b>'\"{{7*7}}"
"""The same for a field that takes a name."""

NOT_THERE = "select '" + HOSTILE.replace("'", "''") + "' from shop.nothing"  # noqa: S608 - it is meant to be hostile

COMMANDS = """\
echo "deploying $((4+3)) changes"
printf '\\033[32mok\\033[0m \\033[1;31mred\\033[0m \\033]0;owned\\007 <b>bold</b>\\n'
ls /usr
exit 3
"""
SECONDS = 20.0
Client = psycopg.Connection[tuple[Any, ...]]
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """What there is to look at: names of things, and Alice's open `client`."""

    running: Running
    client: Client
    request: str
    grant: str
    open_session: str
    closed_session: str
    shell_session: str
    reviewed: str
    campaign: str
    change: str
    command: tuple[str, ...]

    @contextmanager
    def shell(self) -> Iterator[tuple[str, IO[str]]]:
        """A shell of Alice's on the host: its session, and what she types into."""
        before = {one["session"] for one in self._shells()}
        shell = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        assert shell.stdin is not None
        try:
            (session, *_) = until(lambda: [one for one in self._shells() if one["session"] not in before])
            name = str(session["session"])
            until(lambda: self.running.get(f"/sessions/{name}/recording", person="alice")["recorded"])
            yield name, shell.stdin
        finally:
            shell.kill()
            shell.wait()

    def _shells(self) -> list[Any]:
        found = self.running.get("/sessions", person="alice")["sessions"]
        return [one for one in found if one["target"] == "web-1"]


@contextmanager
def filled(directory: Path, server: Production) -> Iterator[Filled]:
    """The installation while the context lasts. Needs to be root, for the SSH host."""
    with sshd(directory / "host", authority="") as host:
        targets = TARGETS.format(port=host.port, key=host.host_key, revoked=host.revoked, account=ACCOUNT)
        # What is no place for a value has its braces twice, as the whole is a template.
        written = TARGETS_FILE + targets.replace("{", "{{").replace("}", "}}")
        people = PEOPLE_FILE.replace("Bob Brook }", "Bob Brook, administrator: true }")
        files = {"people": people, "policy": POLICY, "targets": written, "settings": SETTINGS}
        with running(directory / "whole", server, **files) as found:
            setup = found.get("/targets/web-1/ssh-setup", person="carol")
            (host.directory / "authority.pub").write_text(setup["authority"] + "\n")
            shell, command = _work_in_a_shell(found)
            closed = _work_in_the_database(found)
            said = _say_hostile_things(found, closed)
            grant = found.granted(duration="1h")
            with connected(found) as client:
                client.execute("select id, status from shop.orders where status = 'open' limit 5")
                open_session = until(lambda: _sessions(found, grant["grant"]))[0]["session"]
                yield Filled(
                    running=found,
                    client=client,
                    **said,
                    grant=grant["grant"],
                    open_session=open_session,
                    closed_session=closed,
                    shell_session=shell,
                    command=command,
                )


@contextmanager
def connected(found: Running, *, role: str = "read", name: str = "psql") -> Iterator[Client]:
    """A client of Alice's through the gateway."""
    given = found.post("/targets/shop/connection", {"role": role}, person="alice")
    client: Client = psycopg.connect(
        host=given["host"],
        port=given["port"],
        dbname=given["database"],
        user=given["user"],
        password=given["token"],
        sslmode="require",
        application_name=name,
        autocommit=True,
    )
    try:
        yield client
    finally:
        client.close()


def _work_in_the_database(found: Running) -> str:
    grant = found.granted(role="fix-status", duration="10m")
    with connected(found, role="fix-status", name="psql <b>16</b>") as client:
        client.execute("select id, status, total_cents from shop.orders -- the newest\norder by id desc limit 3")
        client.execute("update shop.orders set status = %s where id = %s", ("packed", 17))
        client.execute("select %s::text, 42", (HOSTILE,))
        for refused in ("update shop.orders set total_cents = 0 where id = 17", NOT_THERE):
            try:
                client.execute(refused)
            except psycopg.Error:
                continue
    (session,) = until(lambda: [one for one in _sessions(found, grant["grant"]) if one["closed_at"]])
    found.post(f"/grants/{grant['grant']}/end", person="alice")
    return str(session["session"])


def _say_hostile_things(found: Running, closed: str) -> dict[str, str]:
    """Something hostile in every field that takes a text; gives the names of what has some of it."""
    asked = {"target": "shop", "role": "fix-status", "duration": "30m", "reason": f"order 17 hangs {HOSTILE}"}
    told = {"reason_code": "incident", "incident": SHORT, "ticket": SHORT, "activities": [SHORT]}
    waiting = str(found.post("/requests", asked | told, person="alice")["request"])
    reviewed = found.get(f"/sessions/{closed}", person="alice")["grant"]
    review = f"/reviews/{reviewed}/notes"
    until(lambda: found.send("GET", f"/reviews/{reviewed}", person="dora").is_success)
    due = (datetime.now(UTC) + timedelta(days=7)).strftime("%Y-%m-%dT%H:%M:%SZ")
    files = found.get("/configuration/files", person="carol")["files"]
    files.pop("settings.yaml", None)
    files["targets.yaml"] = files["targets.yaml"].replace("The shop's production database", json.dumps(SHORT))
    said = []
    for person, path, body in (
        ("carol", "/campaigns", {"title": HOSTILE, "reviewers": ["bob", "dora"], "due": due}),
        ("carol", "/configuration/changes", {"files": files, "reason": HOSTILE}),
        ("bob", f"/requests/{waiting}/comments", {"text": HOSTILE, "question": True}),
        ("dora", review, {"text": HOSTILE, "question": True}),
        ("alice", review, {"text": HOSTILE, "answers": 1}),
        ("carol", "/holds", {"scope": "person", "name": "alice", "reason": HOSTILE}),
        ("alice", "/tokens", {"label": SHORT, "scope": ["read"], "life": "1h"}),
    ):
        answered = found.send("POST", path, body, person=person)
        assert answered.is_success, answered.text
        said.append(answered.json())
    return {
        "request": waiting,
        "reviewed": reviewed,
        "campaign": said[0]["campaign"]["campaign"],
        "change": said[1]["change"],
    }


def _work_in_a_shell(found: Running) -> tuple[str, tuple[str, ...]]:
    """The session, and the command that opens a shell on the host."""
    asked = {"target": "web-1", "role": "operator", "duration": "1h", "reason": "deploy"}
    made = found.post("/requests", asked, person="alice")
    found.post(f"/requests/{made['request']}/approve", {"digest": made["digest"]}, person="bob")
    grant = found.post(f"/requests/{made['request']}/activate", person="alice")["grant"]
    address = found.installation.address
    found.installation.sojourn("login", "alice", "--url", address, stdin=PASSWORD + "\n").check_returncode()
    configuration = found.installation.ask("ssh-config", person="alice")["file"]
    command = ("ssh", "-F", configuration, "-o", "BatchMode=yes", "-tt", "web-1")
    subprocess.run(command, input=COMMANDS, text=True, capture_output=True, check=False, timeout=60)
    (session,) = until(lambda: [one for one in _sessions(found, grant) if one["closed_at"]])
    return str(session["session"]), command


def _sessions(found: Running, grant: str) -> list[Any]:
    return list(found.get(f"/sessions?grant={grant}", person="alice")["sessions"])


def until(look: Callable[[], Found]) -> Found:
    """What is there at last. Raises TimeoutError."""
    deadline = time.monotonic() + SECONDS
    while not (found := look()):
        if time.monotonic() > deadline:
            raise TimeoutError("it did not come to pass")
        time.sleep(0.05)
    return found
