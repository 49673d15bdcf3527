"""Settings: what is said counts, what is not said has its default, and all of it is in the reference."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sojourn.configuration import read_settings
from sojourn.domain.duration import format_duration
from sojourn.domain.people import Person
from sojourn.domain.policy import Rule
from sojourn.domain.ssh import Host, HostAccess
from sojourn.domain.target import Privilege, Role, Target
from sojourn.errors import Code, SojournError
from sojourn.settings import Settings

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference"
QUOTES = '""'


def _sections(name: str, value: Any) -> dict[str, dict[str, object]]:
    """Every section with its plain settings; one inside another is named with a dot between them."""
    held = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    inner = {key: part for key, part in held.items() if dataclasses.is_dataclass(part)}
    found = {name: {key: part for key, part in held.items() if key not in inner}}
    for key, part in inner.items():
        found |= _sections(f"{name}.{key}".lstrip("."), part)
    return found


SECTIONS = _sections("", Settings())
LISTS = ("policy",)
"""Settings that are lists; what else is empty by default is a mapping."""

FIELDS = [(section, name) for section, held in SECTIONS.items() for name in held]


def _shown(value: object, name: str) -> str:
    match value:
        case bool():
            return str(value).lower()
        case float():
            return f"{value:g}"
        case timedelta():
            return format_duration(value)
        case ():
            return "[]" if name in LISTS else "{}"
        case _:
            return str(value)


def _section(text: str, section: str) -> str:
    return text.partition(f"\n## {section}\n")[2].partition("\n## ")[0]


@pytest.mark.parametrize(("section", "name"), FIELDS)
def test_a_setting_is_in_the_reference_with_its_default(section: str, name: str) -> None:
    default = _shown(SECTIONS[section][name], name)
    text = _section((REFERENCE / "settings.md").read_text(), section)
    assert f"| `{name}` | `{default or QUOTES}` |" in text


@pytest.mark.parametrize(("section", "name"), FIELDS)
def test_a_setting_can_be_set_to_its_default(tmp_path: Path, section: str, name: str) -> None:
    default = _shown(SECTIONS[section][name], name)
    outer, _, inner = section.partition(".")
    held = f"{{{name}: {default or QUOTES}}}"
    (tmp_path / "settings.yaml").write_text(f"{outer}: {{{inner}: {held}}}\n" if inner else f"{outer}: {held}\n")
    assert read_settings(tmp_path) == Settings()


def test_what_is_said_counts_and_the_rest_keeps_its_default(tmp_path: Path) -> None:
    text = "gateway: {port: 0, require_tls: false, handshake_seconds: 2.5}\ncontrol: {api_token_life: 30m}\n"
    (tmp_path / "settings.yaml").write_text(text)
    settings = read_settings(tmp_path)
    assert (settings.gateway.port, settings.gateway.require_tls, settings.gateway.handshake_seconds) == (0, False, 2.5)
    assert settings.control.api_token_life == timedelta(minutes=30)
    assert settings.scribe == Settings().scribe


@pytest.mark.parametrize("text", ["", "# port: 1\n", "\n\n"])
def test_a_file_with_everything_commented_out_means_the_defaults(tmp_path: Path, text: str) -> None:
    (tmp_path / "settings.yaml").write_text(text)
    assert read_settings(tmp_path) == Settings()
    (tmp_path / "settings.yaml").unlink()
    assert read_settings(tmp_path) == Settings()


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("gatway: {}", 1, 1),
        ("gateway:\n  prot: 1", 2, 3),
        ("gateway:\n  port: 65536", 2, 9),
        ("gateway:\n  port: -1", 2, 9),
        ("gateway:\n  require_tls: 'true'", 2, 16),
        ("gateway:\n  handshake_seconds: 0", 2, 22),
        ("gateway:\n  handshake_seconds: 1e3", 2, 22),
        ("gateway:\n  handshake_seconds: .inf", 2, 22),
        ("gateway:\n  host: ''", 2, 9),
        ("control:\n  api_token_life: 43200", 2, 19),
        ("control:\n  password_length_min: 7", 2, 24),
        ("scribe:\n  origin: a b", 2, 11),
        ("scribe:\n  origin: a+b", 2, 11),
        ('scribe:\n  origin: "a\\nb"', 2, 11),
        ("scribe:", 1, 8),
    ],
)
def test_an_unusable_setting_is_refused_at_its_place(tmp_path: Path, text: str, line: int, column: int) -> None:
    (tmp_path / "settings.yaml").write_text(text)
    with pytest.raises(SojournError) as raised:
        read_settings(tmp_path)
    assert raised.value.code is Code.CONFIGURATION_INVALID
    details = raised.value.refusal.details
    assert (details["file"], int(details["line"]), int(details["column"])) == ("settings.yaml", line, column)


@pytest.mark.parametrize(
    ("kind", "section"),
    [
        (Person, "people.yaml"),
        (Target, "targets.yaml"),
        (Role, "targets.yaml"),
        (Privilege, "targets.yaml"),
        (Host, "targets.yaml"),
        (HostAccess, "targets.yaml"),
    ],
)
def test_a_field_of_the_catalogue_is_in_the_reference(
    kind: type[Person | Target | Role | Privilege | Host | HostAccess], section: str
) -> None:
    text = _section((REFERENCE / "configuration.md").read_text(), section)
    written = {"connections_max": "connections", "names": "tables", "recording": "record", "ssh": "host_keys"}
    written |= {"keys": "host_keys", "authorities": "host_authorities", "revoked": "revoked_keys"}
    for field in dataclasses.fields(kind):
        if field.name not in ("id", "name", *(("kind",) if kind is Privilege else ())) or (
            kind is Person and field.name == "name"
        ):
            assert f"| `{written.get(field.name, field.name)}` |" in text, field.name


def test_a_field_of_a_rule_is_in_the_reference() -> None:
    text = (REFERENCE / "policy.md").read_text()
    for field in dataclasses.fields(Rule):
        if field.name not in ("name", "labels"):
            assert f"| `{field.name.replace('reason_required', 'reason')}` |" in text, field.name


def test_mail_and_webhooks_are_read_with_their_secrets_by_name(tmp_path: Path) -> None:
    (tmp_path / "settings.yaml").write_text(
        "notify:\n"
        "  link: https://access.example.com\n"
        "  mail: { host: smtp.example.com, user: sojourn, secret: mail, tls: always }\n"
        "  webhooks:\n"
        "    chat: { url: 'https://hooks.example.com/x', secret: chat }\n"
    )
    notify = read_settings(tmp_path).notify
    assert (notify.mail.host, notify.mail.tls, notify.mail.secret) == ("smtp.example.com", "always", "mail")
    assert [(one.name, one.url, one.secret) for one in notify.webhooks] == [
        ("chat", "https://hooks.example.com/x", "chat")
    ]
    (tmp_path / "settings.yaml").write_text("notify:\n  webhooks:\n    chat: { url: 'file:///etc', secret: chat }\n")
    with pytest.raises(SojournError, match="no address of a web server"):
        read_settings(tmp_path)


def test_destinations_of_a_siem_and_schedules_of_reports_are_read_by_name(tmp_path: Path) -> None:
    (tmp_path / "settings.yaml").write_text(
        "siem:\n"
        "  destinations:\n"
        "    lake: { kind: https, url: 'https://siem.example.com/in', secret: lake }\n"
        "    wall: { kind: syslog, host: logs.example.com, authority: logs.pem }\n"
        "reports:\n"
        "  schedules:\n"
        "    quarterly: { report: access-events, every: quarter, sample: 25, seed: s, mail: [dora] }\n"
    )
    settings = read_settings(tmp_path)
    assert [(one.name, one.kind, one.port) for one in settings.siem.destinations] == [
        ("lake", "https", 6514),
        ("wall", "syslog", 6514),
    ]
    (quarterly,) = settings.reports.schedules
    assert (quarterly.report, quarterly.every, quarterly.sample, quarterly.mail) == (
        "access-events",
        "quarter",
        25,
        ("dora",),
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("siem: { destinations: { a: { kind: https, url: 'http://x' } } }", "begins with https"),
        ("siem: { destinations: { a: { kind: syslog } } }", "has no host"),
        ("siem: { destinations: { a: { url: 'https://x' } } }", "'kind' is missing"),
        ("reports: { schedules: { a: { every: month } } }", "'report' is missing"),
        ("reports: { schedules: { a: { report: access-events, every: week } } }", "week"),
    ],
    ids=["clear", "nowhere", "no-kind", "no-report", "every-week"],
)
def test_a_destination_or_schedule_that_cannot_work_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "settings.yaml").write_text(text + "\n")
    with pytest.raises(SojournError, match=problem):
        read_settings(tmp_path)
