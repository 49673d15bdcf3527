"""README's commands do what README says."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

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
        _tell(Path(short) / "demo")


def _tell(directory: Path) -> None:
    done = subprocess.run(
        ["make", "--no-print-directory", "demo", f"DEMO=--once --json --directory {directory}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=480,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(next(line for line in reversed(done.stdout.splitlines()) if line.startswith("{")))
    assert found["ok"] is True
    assert found["self_approval_refused"] is True
    assert found["write_refused_sqlstate"] == "42501"
    assert found["rows_changed"] == 1
    assert 0 <= found["cut_ms"] < 1000
    assert found["role_absent"] is True
    assert found["statements_recorded"] >= 10
    assert found["entries"] > found["statements_recorded"] * 2
    assert found["verified"] is True
    assert found["tamper_detected"] is True
    assert re.fullmatch(r"g-[0-9a-z]{10}", found["grant_id"])


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
