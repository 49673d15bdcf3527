"""`sojourn policy …` as people use it: on files, and on a running installation that two administrators change."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sojourn.configuration import write_examples
from sojourn.testing.installation import Running

EXECUTABLE = Path(sys.executable).with_name("sojourn")
CASES = """\
tests:
  engineers read with one approval:
    ask: {person: alice, target: shop, role: read, for: 2h}
    approved_by: [bob]
    expect: {rules: [shop-read], approved: true, needed: {approvers: 1}, longest: 4h, may_not_decide: [alice]}
  leads do not ask:
    ask: {person: carol, target: shop, role: read, for: 2h}
    expect: {refused: policy.no_rule}
"""


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [str(EXECUTABLE), "policy", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def plain(*arguments: str | Path) -> Any:
    return json.loads(run(*arguments, "--json").stdout)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    write_examples(tmp_path / "config")
    return tmp_path / "config"


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


# On files


def test_the_examples_check_without_a_fault(files: Path) -> None:
    done = run("check", files)
    assert (done.returncode, done.stderr) == (0, "")
    assert "2 rules, 0 faults" in done.stdout


def test_a_fault_is_told_and_is_an_exit_code(files: Path) -> None:
    edit(files / "policy.yaml", "    reason: required\n", "    reason: required\n    instead_of: [shop-fix]\n")
    edit(files / "policy.yaml", "roles: [read]", "roles: [read, fix-status]")
    done = run("check", files)
    assert done.returncode == 1
    assert "fault shop-fix: unreachable: shop-read always applies instead of it" in done.stdout
    assert plain("check", files)["ok"] is False


def test_what_cannot_be_read_is_told_with_its_place(files: Path) -> None:
    edit(files / "policy.yaml", "longest: 4h", "longest: forever")
    done = run("check", files)
    assert done.returncode == 2
    assert "policy.yaml:" in done.stderr and "a duration" in done.stderr


def test_tests_that_hold_are_counted(files: Path) -> None:
    (files / "policy.tests.yaml").write_text(CASES)
    done = run("test", files)
    assert (done.returncode, done.stdout) == (0, "2 tests, 0 failed.\n")
    assert [one["holds"] for one in plain("test", files)["tests"]] == [True, True]


def test_a_test_that_does_not_hold_says_what_is_otherwise_and_why(files: Path) -> None:
    (files / "policy.tests.yaml").write_text(CASES.replace("[bob]", "[]").replace("4h", "3h"))
    done = run("test", files)
    assert done.returncode == 1
    assert "policy.tests.yaml:3: engineers read with one approval" in done.stdout
    assert "1 approvals are missing" in done.stdout and "the longest is 4h" in done.stdout


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("for: 2h", "for: soon", "a duration"),
        ("person: alice", "person: alicia", "alice (did you mean that?)"),
        ("refused: policy.no_rule", "refused: policy.no_rules", "one of"),
        ("expect: {refused: policy.no_rule}", "expect: {}", "one of refused"),
        ("expect: {refused: policy.no_rule}", "expect: {refused: policy.no_rule, approved: false}", "refused alone"),
        ("for: 2h}", "for: 2h, at: 2026-03-02T10:00:00}", "a moment with its offset"),
    ],
)
def test_a_test_that_cannot_be_read_is_told_with_its_place(files: Path, old: str, new: str, expected: str) -> None:
    (files / "policy.tests.yaml").write_text(CASES.replace(old, new, 1))
    done = run("test", files)
    assert done.returncode == 2
    assert "policy.tests.yaml:" in done.stderr and expected in done.stderr


def test_without_tests_there_is_nothing_that_could_pass(files: Path) -> None:
    assert run("test", files).returncode == 2


def test_a_difference_is_told_by_person(files: Path, tmp_path: Path) -> None:
    write_examples(tmp_path / "new")
    edit(tmp_path / "new" / "people.yaml", "engineering: [alice, bob]", "engineering: [bob]")
    told = run("diff", tmp_path / "new", files).stdout.splitlines()
    assert told[0] == "alice"
    assert "  loses team engineering" in told and "  loses read on shop" in told
    found = plain("diff", tmp_path / "new", files)["differences"]
    assert {one["kind"] for one in found if one["person"] == "alice"} == {"loses"}


def test_who_can_is_told_for_a_target_and_for_a_person(files: Path) -> None:
    everybody = plain("who-can", "shop", "read", "--files", files)["accesses"]
    assert [one["person"] for one in everybody] == ["alice", "bob"]
    own = plain("who-can", "--person", "alice", "--files", files)["accesses"]
    assert [(one["target"], one["role"]) for one in own] == [("shop", "fix-status"), ("shop", "read")]
    assert run("who-can", "nowhere", "--files", files).returncode == 5


def test_an_explanation_names_the_condition_that_failed(files: Path) -> None:
    done = run("explain", "carol", "shop", "read", "--files", files)
    assert done.returncode == 3
    assert "  no   carol is not among those who may ask" in done.stdout
    answered = plain("explain", "alice", "shop", "read", "--for", "1h", "--files", files)
    assert (answered["allowed"], answered["by"]) == (True, ["shop-read"])


def test_an_explanation_says_why_somebody_whom_the_rule_names_may_not_decide(files: Path) -> None:
    edit(files / "policy.yaml", "    reason: required\n", "    reason: required\n    excluded: [executor]\n")
    lines = run("explain", "alice", "shop", "read", "--executing", "bob", "--files", files).stdout.splitlines()
    assert "alice may not decide: it is their own, by whatever account." in lines
    assert "bob may not decide: they are to carry it out, and the rule leaves that out." in lines
    answered = plain("explain", "alice", "shop", "read", "--executing", "bob", "--files", files)
    assert sorted(answered["may_not_decide"]) == ["alice", "bob"]


def test_the_table_for_auditors_is_markdown_and_html_and_nothing_in_it_is_taken_for_markup(files: Path) -> None:
    edit(files / "people.yaml", "Alice Arden", '"<script>|alert(1)"')
    markdown = run("render", "--files", files).stdout
    assert "| shop-read | alice, bob | read | shop | 4h | always | a reason |" in markdown
    assert "\\<script\\>\\|alert(1)" in markdown
    page = run("render", "--files", files, "--format", "html").stdout
    assert "&lt;script&gt;|alert(1)" in page and "<script>" not in page


# On a running installation


def fetched(sojourn: Running, directory: Path, *more: str) -> Path:
    done = sojourn.installation.sojourn("policy", "fetch", str(directory), *more, person="carol")
    assert done.returncode == 0, done.stderr
    return directory


def test_a_change_takes_two_people_and_is_live_without_a_restart(sojourn: Running, tmp_path: Path) -> None:
    ask = sojourn.installation.ask
    before = datetime.now(UTC).isoformat()
    new = fetched(sojourn, tmp_path / "new")
    edit(new / "policy.yaml", "longest: 4h", "longest: 2h")
    proposed = ask("policy", "propose", str(new), "--reason", "shorter", person="carol")
    assert (proposed["status"], proposed["reason"]) == ("pending", "shorter")
    assert {one["person"] for one in proposed["differences"]} == {"alice", "bob"}
    change, digest = proposed["change"], proposed["digest"]
    shown = sojourn.installation.sojourn("policy", "changes", change, person="dora")
    assert "changes read on shop" in shown.stdout and "up to 2h" in shown.stdout
    own = ask("policy", "approve-change", change, "--digest", digest, person="carol")
    assert own["error"]["code"] == "change.self"
    wrong = ask("policy", "approve-change", change, "--digest", "0" * 64, person="bob")
    assert wrong["error"]["code"] == "change.other"
    done = ask("policy", "approve-change", change, "--digest", digest, person="bob")
    assert done["status"] == "approved"
    long = {"target": "shop", "role": "read", "duration": "3h", "reason": "r"}
    assert sojourn.post("/requests", long, person="alice")["error"]["code"] == "request.duration_too_long"
    now = sojourn.get("/configuration", person="dora")
    assert (now["proposed_by"], now["approved_by"], now["version"]) == ("carol", "bob", done["version"])
    then = ask("policy", "who-can", "shop", "read", "--as-of", before, person="dora")
    assert {way["longest"] for one in then["accesses"] for way in one["ways"]} == {"4h"}
    after = ask("policy", "who-can", "shop", "read", person="dora")
    assert {way["longest"] for one in after["accesses"] for way in one["ways"]} == {"2h"}


def test_a_restart_with_other_files_changes_nothing(sojourn: Running) -> None:
    version = sojourn.get("/configuration", person="carol")["version"]
    policy = sojourn.installation.layout.configuration / "policy.yaml"
    edit(policy, "longest: 4h", "longest: 8h")
    sojourn.installation.kill("control")
    answered: Any = {}
    for _ in range(600):
        done = sojourn.installation.sojourn("policy", "who-can", "shop", "--json", person="carol")
        answered = json.loads(done.stdout or "{}")
        if "accesses" in answered:
            break
    assert "8h" not in json.dumps(answered) and answered["accesses"]
    assert sojourn.get("/configuration", person="carol")["version"] == version


def test_only_administrators_and_auditors_read_the_whole_configuration(sojourn: Running) -> None:
    for path in ("/configuration", "/configuration/files", "/configuration/changes"):
        answered = sojourn.send("GET", path, person="alice")
        assert (answered.status_code, answered.json()["error"]["code"]) == (403, "permission.denied")


def test_a_proposal_can_be_taken_back(sojourn: Running, tmp_path: Path) -> None:
    new = fetched(sojourn, tmp_path / "new")
    edit(new / "policy.yaml", "reason: required", "reason: optional")
    change = sojourn.installation.ask("policy", "propose", str(new), person="bob")["change"]
    assert sojourn.installation.ask("policy", "withdraw", change, person="bob")["status"] == "withdrawn"
    listed = sojourn.installation.ask("policy", "changes", person="dora")["changes"]
    assert (listed[0]["change"], listed[0]["status"]) == (change, "withdrawn")


def test_a_proposal_with_a_fault_or_of_other_files_is_refused(sojourn: Running) -> None:
    sent = {"files": {"people.yaml": "people: {}", "policy.yaml": "", "targets.yaml": ""}}
    assert sojourn.post("/configuration/changes", sent, person="bob")["error"]["code"] == "configuration.invalid"
    other = {"files": {"secrets.yaml": ""}}
    assert sojourn.post("/configuration/changes", other, person="bob")["error"]["code"] == "input.invalid"
    missing: dict[str, object] = {"files": {}}
    assert sojourn.post("/configuration/changes", missing, person="bob")["error"]["code"] == "configuration.missing"


@pytest.mark.parametrize("at", ["yesterday", "2026-03-02", "2026-03-02T10:00:00", "1970-01-01T00:00:00Z"])
def test_a_moment_that_is_none_or_was_before_everything_is_refused(sojourn: Running, at: str) -> None:
    answered = sojourn.send("GET", f"/configuration?at={at}", person="dora")
    assert (answered.status_code, answered.json()["error"]["code"]) == (422, "input.invalid")


def test_proposed_changes_go_on_where_a_page_stopped(sojourn: Running) -> None:
    files = sojourn.get("/configuration/files", person="carol")["files"]
    proposed = []
    for number in range(3):
        shorter = re.sub(r"longest: \w+", f"longest: {number + 11}m", files["policy.yaml"])
        body = {"files": {**files, "policy.yaml": shorter}, "reason": "shorter"}
        answered = sojourn.post("/configuration/changes", body, person="carol")
        assert "change" in answered, answered
        proposed.append(answered["change"])
    listed = [one["change"] for one in sojourn.get("/configuration/changes", person="dora")["changes"]]
    assert listed[:3] == proposed[::-1]
    page = sojourn.get(f"/configuration/changes?before={len(listed) - 1}", person="dora")
    assert [one["change"] for one in page["changes"]] == listed[1:]
    assert page["more"] is False
    for change in proposed:
        sojourn.post(f"/configuration/changes/{change}/withdraw", person="carol")
