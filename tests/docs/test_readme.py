"""README's commands do what README says."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()


def _first_commands() -> list[str]:
    block = re.search(r"```sh\n(.*?)```", README, re.DOTALL)
    assert block is not None
    return block[1].split("\n")[:-1]


def test_the_first_two_commands_are_the_demo_and_the_tests() -> None:
    assert _first_commands() == ["make demo", "make test"]


@pytest.mark.integration
def test_make_demo_tells_the_whole_story() -> None:
    with tempfile.TemporaryDirectory(prefix="sj") as short:
        directory = Path(short) / "demo"
        with subprocess.Popen(
            ["make", "--no-print-directory", "demo", f"DEMO=--json --directory {directory}"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as demo:
            assert demo.stdout is not None
            said: list[str] = []
            try:
                for line in demo.stdout:
                    said.append(line)
                    if line.startswith("{"):
                        break
                assert said and said[-1].startswith("{"), "".join(said)
                found = json.loads(said[-1])
                _is_the_whole_story(found)
                _a_link_signs_in_and_every_room_is_filled(found["links"])
            finally:
                os.killpg(demo.pid, signal.SIGINT)
                demo.communicate(timeout=240)
        with pytest.raises(httpx2.TransportError):
            httpx2.get(found["links"]["alice"])


def _a_link_signs_in_and_every_room_is_filled(links: Mapping[str, str]) -> None:
    filled: dict[str, list[str]] = {}
    for person, link in links.items():
        assert re.fullmatch(rf"http://localhost:\d+/[\w-]{{24,}}/{person}", link)
        opened = httpx2.get(link, timeout=60)
        assert opened.status_code == 303, opened.text
        cookie, _, rest = opened.headers["set-cookie"].partition("; ")
        assert cookie.startswith("__Host-sojourn=sj_browser_") and "HttpOnly" in rest and "Secure" in rest
        first = opened.headers["location"]
        pages = first.removesuffix(urlsplit(first).path)
        shown = httpx2.get(first, headers={"cookie": cookie}, timeout=60).text
        assert f'<a href="/me">{person.capitalize()} ' in shown
        for room in re.findall(r'<li><a href="(/[^"]*)"', shown):
            found = httpx2.get(pages + room, headers={"cookie": cookie}, timeout=60)
            assert found.status_code == 200, (person, room)
            filled.setdefault(room, []).extend([person] if 'class="empty"' not in found.text else [])
        # The door stands in the demo: the installation itself knows no such address.
        assert httpx2.get(pages + urlsplit(link).path, timeout=60).status_code == 404
        if person == "dora":
            _is_delivered(pages + "/delivered-reports", cookie)
    assert len(filled) > 15
    # Copies and witnesses are somebody else's machines, which a demo does not have.
    assert [room for room, people in filled.items() if not people] == ["/ledger"]
    wrong = links["carol"].replace("/carol", "x/carol")
    for other in (wrong, links["carol"] + "x", links["carol"] + "?x", urlsplit(wrong)._replace(path="/").geturl()):
        refused = httpx2.get(other, timeout=60)
        assert refused.status_code == 404 and "set-cookie" not in refused.headers


def _is_delivered(page: str, cookie: str) -> None:
    """The report of the last month is made by itself, whenever that is done."""
    until = time.monotonic() + 60
    while "monthly-" not in httpx2.get(page, headers={"cookie": cookie}, timeout=60).text:
        assert time.monotonic() < until
        time.sleep(0.5)


def _is_the_whole_story(found: Mapping[str, object]) -> None:
    assert found["ok"] is True
    assert found["self_approval_refused"] is True
    assert found["write_refused_sqlstate"] == "42501"
    assert found["rows_changed"] == 1
    assert isinstance(cut := found["cut_ms"], int) and 0 <= cut < 1000
    assert found["role_absent"] is True
    assert isinstance(statements := found["statements_recorded"], int) and statements >= 10
    assert isinstance(entries := found["entries"], int) and entries > statements * 2
    assert found["verified"] is True
    assert found["tamper_detected"] is True
    assert found["stray_found"] is True
    assert re.fullmatch(r"g-[0-9a-z]{10}", str(found["grant_id"]))


def test_every_command_in_readme_exists() -> None:
    from sojourn.cli import COMMANDS, GROUPS

    named = set(re.findall(r"^sojourn ([a-z-]+(?: [a-z-]+)?)", README, re.MULTILINE))
    assert named
    for words in named:
        first, _, _ = words.partition(" ")
        assert (words if first in GROUPS else first) in COMMANDS, words


def test_every_link_in_the_documentation_leads_somewhere() -> None:
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.relative_to(ROOT)} links to {target}"


def test_make_needs_nothing_that_a_fresh_machine_lacks() -> None:
    script = ROOT / "scripts" / "uv"
    assert script.stat().st_mode & 0o111
    assert subprocess.run([shutil.which("sh") or "sh", "-n", str(script)], check=False).returncode == 0
