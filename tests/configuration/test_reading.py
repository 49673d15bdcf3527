"""The files that people write, read into what they mean; everything else is refused with its place."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sojourn.configuration import read_catalogue, read_settings, write_examples
from sojourn.domain.identifiers import PersonId, RoleName, TargetName
from sojourn.domain.target import Privilege, Recording, TlsMode, Verb
from sojourn.errors import Code, SojournError
from sojourn.settings import Settings
from sojourn.workflow.adopt import catalogue_bytes

PEOPLE = """\
people:
  alice: {name: Alice}
  bob: {name: Bob, auditor: true}
  carol: {name: Carol, administrator: true}
teams:
  engineering: [alice, bob]
"""
TARGETS = """\
targets:
  shop:
    kind: postgres
    host: db.example.com
    port: 5432
    database: shop
    administrator: admin
    administrator_secret: shop
    roles:
      read:
        privileges:
          - {schema: shop, tables: all, verbs: [select]}
"""
POLICY = """\
rules:
  shop-read:
    who: {teams: [engineering]}
    targets: [shop]
    roles: [read]
    longest: 4h
    approvers: {people: [alice, bob, carol]}
"""
WHOLE = {"people.yaml": PEOPLE, "targets.yaml": TARGETS, "policy.yaml": POLICY}


def _write(directory: Path, **changed: str | bytes) -> Path:
    for name, text in WHOLE.items():
        content = changed.get(name.partition(".")[0], text)
        (directory / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return directory


def _error(directory: Path, **changed: str | bytes) -> dict[str, str]:
    with pytest.raises(SojournError) as raised:
        read_catalogue(_write(directory, **changed))
    assert raised.value.code is Code.CONFIGURATION_INVALID
    sentence = raised.value.refusal.sentence + raised.value.refusal.next_step
    assert sentence.isprintable() and len(sentence) < 1000
    return dict(raised.value.refusal.details)


def _place(details: dict[str, str]) -> tuple[str, int, int]:
    return details["file"], int(details["line"]), int(details["column"])


def test_the_examples_are_a_configuration_and_settings(tmp_path: Path) -> None:
    directory = tmp_path / "config"
    write_examples(directory)
    catalogue, files = read_catalogue(directory)
    assert sorted(files) == ["people.yaml", "policy.yaml", "targets.yaml"]
    line = catalogue.policy().offered[TargetName("shop"), RoleName("read")][0]
    assert PersonId("alice") in line.who
    assert read_settings(directory) == Settings()
    assert directory.stat().st_mode & 0o777 == (directory / "secrets").stat().st_mode & 0o777 == 0o700


def test_the_examples_never_overwrite_anything(tmp_path: Path) -> None:
    with pytest.raises(SojournError) as raised:
        write_examples(tmp_path)
    assert raised.value.code is Code.DATA_DIRECTORY_EXISTS
    assert list(tmp_path.iterdir()) == []


def test_what_is_written_is_what_is_meant(tmp_path: Path) -> None:
    catalogue, files = read_catalogue(_write(tmp_path))
    assert files["people.yaml"] == PEOPLE.encode()
    assert [(one.id, one.administrator, one.auditor) for one in catalogue.people] == [
        ("alice", False, False),
        ("bob", False, True),
        ("carol", True, False),
    ]
    (target,) = catalogue.targets
    assert (target.host, target.port, target.tls) == ("db.example.com", 5432, TlsMode.VERIFY_FULL)
    assert target.roles[0].privileges == (Privilege(schema="shop", verbs=(Verb.SELECT,)),)
    assert target.roles[0].recording is Recording.BEFORE_FORWARD
    (rule,) = catalogue.rules
    assert (rule.longest, rule.approvals, rule.reason_required) == (timedelta(hours=4), 1, True)
    assert (rule.decide_within, rule.activate_within) == (timedelta(hours=24), timedelta(hours=8))


def test_a_role_that_only_reads_may_be_recorded_before_release(tmp_path: Path) -> None:
    text = TARGETS.replace("verbs: [select]}", "verbs: [select]}\n        record: before-release")
    catalogue, _ = read_catalogue(_write(tmp_path, targets=text))
    assert catalogue.targets[0].roles[0].recording is Recording.BEFORE_RELEASE


def test_a_role_may_replicate_and_have_its_many_rows_marked(tmp_path: Path) -> None:
    text = TARGETS.replace(
        "verbs: [select]}", "verbs: [select]}\n        replication: true\n        mark_rows_over: 500"
    )
    (role,) = read_catalogue(_write(tmp_path, targets=text))[0].targets[0].roles
    assert (role.replication, role.mark_rows_over, role.reads_only) == (True, 500, False)
    (alone,) = (
        read_catalogue(_write(tmp_path, targets=re.sub(r"privileges:\n.*", "replication: true", TARGETS)))[0]
        .targets[0]
        .roles
    )
    assert alone.opens == ("replication: a copy of every database of the server",)


def test_a_missing_file_is_named_with_the_command_that_writes_one(tmp_path: Path) -> None:
    _write(tmp_path)
    (tmp_path / "policy.yaml").unlink()
    with pytest.raises(SojournError) as raised:
        read_catalogue(tmp_path)
    assert raised.value.code is Code.CONFIGURATION_MISSING
    assert "policy.yaml" in raised.value.refusal.sentence
    assert "sojourn init" in raised.value.refusal.next_step


def test_a_role_can_say_all_that_a_target_offers(tmp_path: Path) -> None:
    _write(
        tmp_path,
        targets=TARGETS
        + """\
      special:
        as_owner: shop_owner
        connections: 2
        settings:
          { statement_timeout: 30s, work_mem: 64MB, read_only: true, search_path: [shop, public] }
        privileges:
          - { schema: shop, functions: ["refund(integer, text)", close_day] }
          - { schema: shop, sequences: all, verbs: [usage] }
          - { schema: shop, tables: [orders], columns: [id, status], verbs: [select, update] }
      legacy:
        account: legacy_app
""",
    )
    (target,) = read_catalogue(tmp_path)[0].targets
    special, legacy = target.roles[1:]
    assert special.settings == (
        ("default_transaction_read_only", "on"),
        ("search_path", "shop,public"),
        ("statement_timeout", "30000"),
        ("work_mem", "64MB"),
    )
    assert special.connections_max == 2
    assert special.opens == (
        "EXECUTE on shop.refund(integer, text), shop.close_day",
        "USAGE on every sequence of schema shop",
        "SELECT, UPDATE (id, status) on shop.orders",
        "everything that shop_owner may do, acting as it",
    )
    assert legacy.opens == ("everything that the account legacy_app may do",)


CASES = {
    # what is wrong: (which file, what it says, line, column, words of the problem, words of what was expected)
    "unknown key": ("people", "people:\n  alice: {name: A, admin: true}", 2, 20, "'admin'", "administrator (did you"),
    "missing key": ("people", "people:\n  alice: {mail: a@b.c}", 2, 10, "'name' is missing", "name"),
    "duplicate key": ("people", "people:\n  alice: {name: A}\n  alice: {name: B}", 3, 3, "given twice", "once"),
    "upper case": ("people", "people:\n  Alice: {name: A}", 2, 3, "'Alice' is not usable", "lower-case"),
    "name with a space": ("people", "people:\n  'al ice': {name: A}", 2, 3, "not usable", "lower-case"),
    "long name": ("people", f"people:\n  {'a' * 65}: {{name: A}}", 2, 3, "not usable", "at most 64"),
    "other alphabet": ("people", "people:\n  \u0430lice: {name: A}", 2, 3, "\\u0430", "lower-case"),
    "reserved name": ("people", "people:\n  system: {name: A}", 2, 11, "'system'", "another id"),
    "name that is a boolean": ("people", "people:\n  no: {name: A}", 2, 3, "a boolean", "quotes"),
    "text that is a boolean": ("people", "people:\n  alice: {name: yes}", 2, 17, "a boolean", "quotes"),
    "boolean of YAML 1.1": ("people", "people:\n  a: {name: A, auditor: yes}", 2, 25, "'yes'", "true or false"),
    "empty text": ("people", "people:\n  alice: {name: ''}", 2, 17, "empty", "name"),
    "nothing": ("people", "people:\n  alice: {name: }", 2, 16, "nothing", "name"),
    "invisible text": ("people", 'people:\n  alice: {name: "a\\u202eb"}', 2, 17, "cannot be seen", "printable"),
    "half a surrogate": ("people", 'people:\n  alice: {name: "\\ud800"}', 2, 17, "cannot be seen", "printable"),
    "long text": ("people", f"people:\n  alice: {{name: {'a' * 501}}}", 2, 17, "501", "at most 500"),
    "both offices": (
        "people",
        "people:\n  a: {name: A, administrator: true, auditor: true}",
        2,
        46,
        "cannot audit",
        "other",
    ),
    "list for mapping": ("people", "people: [alice]", 1, 9, "a list", "by name"),
    "text for mapping": ("people", "people: alice", 1, 9, "text", "by name"),
    "unknown member": ("people", PEOPLE + "  leads: [bop]\n", 7, 11, "no person 'bop'", "bob (did you mean"),
    "member twice": ("people", PEOPLE + "  leads: [bob, bob]\n", 7, 16, "'bob' is listed twice", "once"),
    "empty file": ("people", "", 1, 1, "empty", "sojourn init"),
    "only a comment": ("people", "# nobody yet\n", 1, 1, "empty", "sojourn init"),
    "only nothing": ("people", "---\n", 2, 1, "nothing", "people"),
    "two documents": ("people", PEOPLE + "---\n" + PEOPLE, 7, 1, "second document", "one document"),
    "tab": ("people", "people:\n\talice: {name: A}", 2, 1, "tab", "spaces"),
    "unclosed": ("people", "people: {alice: {name: A}", 1, 26, "xpected", "YAML"),
    "anchor": ("people", "people: &a\n  alice: {name: A}", 1, 9, "Anchors", "plain"),
    "alias": ("people", "people: *a", 1, 9, "Anchors", "plain"),
    "tag": ("people", "people:\n  alice: {name: !!str 5}", 2, 17, "tags", "plain"),
    "tag of Python": ("people", "people: !!python/object/apply:os.system [x]", 1, 9, "tags", "plain"),
    "merge key": ("people", "people:\n  alice: {<<: {name: A}}", 2, 11, "text", ""),
    "not UTF-8": ("people", b"people:\n  alice: {name: \xff}", 2, 17, "UTF-8", "UTF-8"),
    "UTF-16": ("people", "people: {}".encode("utf-16"), 1, 1, "UTF-8", "UTF-8"),
    "control character": ("people", "people:\n  alice: {name: \x00}", 2, 17, "U+0000", "printable"),
    "escape of nothing": ("people", 'people: "\\U99999999"', 1, 1, "escape", "exists"),
    "too large": ("people", b"#" * (1 << 20) + b"\n", 1, 1, "too large", "1048576"),
    "too deep": ("people", "people: " + "[" * 20000, 1, 24, "too deeply", "16"),
    "octal port": ("targets", TARGETS.replace("5432", "010"), 5, 11, "'010'", "from 1 to 65535"),
    "sexagesimal port": ("targets", TARGETS.replace("5432", "12:30"), 5, 11, "'12:30'", "from 1 to 65535"),
    "underscored port": ("targets", TARGETS.replace("5432", "5_432"), 5, 11, "'5_432'", "from 1 to 65535"),
    "text for port": ("targets", TARGETS.replace("5432", "'5432'"), 5, 11, "text '5432'", "from 1 to 65535"),
    "port out of bounds": ("targets", TARGETS.replace("5432", "65536"), 5, 11, "out of bounds", "from 1 to 65535"),
    "unknown kind": ("targets", TARGETS.replace("postgres", "oracle"), 3, 11, "'oracle'", "one of postgres"),
    "secret by path": ("targets", TARGETS.replace("secret: shop", "secret: ../x"), 8, 27, "'../x'", "lower-case"),
    "unknown verb": ("targets", TARGETS.replace("select", "references"), 12, 49, "'references'", "one of select"),
    "verb of another kind": ("targets", TARGETS.replace("select", "execute"), 12, 49, "'execute'", "one of select"),
    "two kinds of objects": (
        "targets",
        TARGETS.replace("tables: all", "tables: all, functions: all"),
        12,
        13,
        "one kind",
        "one of them",
    ),
    "verbs of a function": (
        "targets",
        TARGETS.replace("tables: all", "functions: all"),
        12,
        51,
        "executed",
        "no verbs",
    ),
    "columns of a sequence": (
        "targets",
        TARGETS.replace("tables: all", "sequences: [a], columns: [b]"),
        12,
        53,
        "named tables",
        "of its own",
    ),
    "no verbs of a table": ("targets", TARGETS.replace(", verbs: [select]", ""), 12, 13, "without verbs", "verbs"),
    "an account with privileges": (
        "targets",
        TARGETS.replace("privileges:", "account: app\n        privileges:"),
        11,
        18,
        "its own privileges",
        "no privileges",
    ),
    "an unknown setting": (
        "targets",
        TARGETS.replace("privileges:", "settings: {log_statement: none}\n        privileges:"),
        11,
        20,
        "'log_statement'",
        "statement_timeout",
    ),
    "a size without a unit": (
        "targets",
        TARGETS.replace("privileges:", "settings: {work_mem: '64'}\n        privileges:"),
        11,
        30,
        "'64' is not a size",
        "MB",
    ),
    "a schema with a comma": (
        "targets",
        TARGETS.replace("privileges:", "settings: {search_path: ['a,b']}\n        privileges:"),
        11,
        34,
        "comma",
        "one schema",
    ),
    "verb twice": ("targets", TARGETS.replace("select", "select, select"), 12, 57, "listed twice", "once"),
    "no verbs": ("targets", TARGETS.replace("[select]", "[]"), 12, 48, "without verbs", "one of select"),
    "no tables": ("targets", TARGETS.replace("tables: all", "tables: []"), 12, 36, "empty", "or all"),
    "tables as text": ("targets", TARGETS.replace("tables: all", "tables: orders"), 12, 36, "'orders'", "one of all"),
    "columns of all tables": (
        "targets",
        TARGETS.replace("verbs", "columns: [a], verbs"),
        12,
        50,
        "named tables",
        "its own",
    ),
    "delete with columns": (
        "targets",
        TARGETS.replace("all, verbs: [select]", "[a], columns: [b], verbs: [select, delete]"),
        12,
        50,
        "never with delete",
        "its own",
    ),
    "a role that may write, recorded before release": (
        "targets",
        TARGETS.replace("verbs: [select]}", "verbs: [select, update]}\n        record: before-release"),
        13,
        17,
        "may change something",
        "before-forward",
    ),
    "a role that replicates, recorded before release": (
        "targets",
        TARGETS.replace(
            "verbs: [select]}", "verbs: [select]}\n        replication: true\n        record: before-release"
        ),
        14,
        17,
        "may change something",
        "before-forward",
    ),
    "no columns": ("targets", TARGETS.replace("all, verbs", "[a], columns: [], verbs"), 12, 50, "empty", "columns"),
    "no privileges": (
        "targets",
        re.sub(r"privileges:\n.*", "privileges: []", TARGETS),
        11,
        21,
        "opens nothing",
        "one privilege",
    ),
    "no duration": ("policy", POLICY.replace("4h", "0h"), 6, 14, "'0h'", "such as 90s"),
    "fraction": ("policy", POLICY.replace("4h", "1.5h"), 6, 14, "'1.5h'", "whole number"),
    "bare number": ("policy", POLICY.replace("4h", "30"), 6, 14, "a number '30'", "such as 90s"),
    "ISO duration": ("policy", POLICY.replace("4h", "PT4H"), 6, 14, "'PT4H'", "such as 90s"),
    "sexagesimal time": ("policy", POLICY.replace("4h", "04:00"), 6, 14, "'04:00'", "such as 90s"),
    "huge duration": ("policy", POLICY.replace("4h", "999999999d"), 6, 14, "'999999999d'", "366d"),
    "longer than any access": ("policy", POLICY.replace("4h", "31d"), 6, 14, "that long", "30d"),
    "unknown team": ("policy", POLICY.replace("engineering", "enginering"), 3, 19, "no team", "engineering (did"),
    "unknown target": ("policy", POLICY.replace("targets: [shop]", "targets: [bank]"), 4, 15, "'bank'", "one of shop"),
    "unknown role": ("policy", POLICY.replace("roles: [read]", "roles: [write]"), 5, 13, "'write'", "read"),
    "unknown approver": ("policy", POLICY.replace("carol", "zed"), 7, 38, "'zed'", "one of alice"),
    "no approvals": ("policy", POLICY + "    approvals: 0\n", 8, 16, "out of bounds", "from 1 to 10"),
    "approvals as boolean": ("policy", POLICY + "    approvals: true\n", 8, 16, "a boolean", "from 1 to 10"),
    "too many approvals": ("policy", POLICY + "    approvals: 3\n", 7, 16, "alice could never get 3", "more approvers"),
    "only oneself": ("policy", POLICY.replace("[alice, bob, carol]", "[alice]"), 7, 16, "alice could never", "more"),
    "nobody": ("policy", POLICY.replace("{teams: [engineering]}", "{people: []}"), 3, 10, "Nobody", "somebody"),
    "reason as boolean": ("policy", POLICY + "    reason: no\n", 8, 13, "'no'", "one of required, optional"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_an_error_names_its_place_and_what_was_expected(
    tmp_path: Path, case: tuple[str, str | bytes, int, int, str, str]
) -> None:
    file, content, line, column, problem, expected = case
    details = _error(tmp_path, **{file: content})
    assert _place(details) == (f"{file}.yaml", line, column), details
    assert problem in details["problem"]
    assert expected in details["expected"]


def test_rules_that_fit_together_and_leave_too_few_approvers_are_named(tmp_path: Path) -> None:
    second = """\
  shop-strict:
    who: {people: [alice]}
    targets: [shop]
    roles: [read]
    longest: 1h
    approvers: {people: [bob]}
"""
    read_catalogue(_write(tmp_path, policy=POLICY + second))
    details = _error(tmp_path, policy=POLICY + second + "  third:" + second.split(":", 1)[1].replace("bob", "carol"))
    assert _place(details)[:2] == ("policy.yaml", 15)
    assert "alice could never get 1 approvals for read on shop" in details["problem"]
    assert "shop-read, shop-strict, third" in details["problem"]


@pytest.mark.parametrize(
    "content",
    ["[" * 500_000, "{" * 500_000, "- " * 500_000, "? " * 500_000, "[" + "1," * 500_000, "a: &a [" + "*a," * 300_000],
    ids=["lists", "mappings", "dashes", "questions", "values", "aliases"],
)
def test_no_file_takes_long_to_refuse(tmp_path: Path, content: str) -> None:
    started = time.monotonic()
    _error(tmp_path, people=content)
    assert time.monotonic() - started < 20


scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=12), st.sampled_from(["all", "4h", "alice"])
)
keys = st.one_of(
    st.sampled_from(
        ["people", "teams", "targets", "rules", "who", "roles", "longest", "approvers", "name", "mail", "kind", "alice"]
    ),
    st.text(max_size=6),
)
documents = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4), max_leaves=12
)


def _only_our_errors(directory: Path, file: str, content: bytes) -> None:
    _write(directory)
    (directory / f"{file}.yaml").write_bytes(content)
    try:
        catalogue = read_catalogue(directory)[0] if file != "settings" else None
        read_settings(directory)
    except SojournError as error:
        assert error.code is Code.CONFIGURATION_INVALID
        assert int(error.refusal.details["line"]) >= 1 and int(error.refusal.details["column"]) >= 1
        assert str(error).isprintable()
    else:
        if catalogue is not None:
            catalogue_bytes(catalogue).decode()


files = st.sampled_from(["people", "targets", "policy", "settings"])
tolerant = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@tolerant
@given(file=files, content=st.binary(max_size=200))
def test_arbitrary_bytes_give_our_errors_only(tmp_path: Path, file: str, content: bytes) -> None:
    _only_our_errors(tmp_path, file, content)


@tolerant
@given(file=files, document=documents)
def test_arbitrary_yaml_gives_our_errors_only(tmp_path: Path, file: str, document: object) -> None:
    import yaml

    try:
        text = yaml.safe_dump(document, allow_unicode=True)
    except (yaml.YAMLError, UnicodeEncodeError):
        return
    _only_our_errors(tmp_path, file, text.encode("utf-8", "replace"))


@tolerant
@given(data=st.data(), file=st.sampled_from(["people", "targets", "policy"]))
def test_a_damaged_configuration_gives_our_errors_only(tmp_path: Path, data: st.DataObject, file: str) -> None:
    content = WHOLE[f"{file}.yaml"].encode()
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, min(len(content), start + 20)))
    put = data.draw(
        st.binary(max_size=6) | st.sampled_from([b"&a ", b"*a", b"!!int ", b"\t", b": ", b"- ", b"'", b'"\\'])
    )
    _only_our_errors(tmp_path, file, content[:start] + put + content[end:])
