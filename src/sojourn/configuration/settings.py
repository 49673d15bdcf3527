"""settings.yaml, read into `Settings`; what it does not say keeps its default."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, TypeVar

from sojourn.domain.duration import format_duration
from sojourn.domain.schedule import Every
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.policy import MAX_POLICY_BYTES
from sojourn.settings import (
    BucketSettings,
    ClientName,
    ControlSettings,
    GatewaySettings,
    MailSettings,
    MailTls,
    NotifySettings,
    OidcSettings,
    PublisherSettings,
    ReportsSettings,
    ScheduleSettings,
    ScribeSettings,
    SecondSignature,
    Settings,
    SiemDestination,
    SiemKind,
    SiemSettings,
    StepUp,
    TimestampSettings,
    WebhookSettings,
    WitnessSettings,
)

from .nodes import Node, compose
from .witness_policy import parse_policy
from .workloads import ISSUER

SETTINGS_FILE = "settings.yaml"

LIFE_MIN = timedelta(minutes=1)
"""What people sign in with lives so long at least: shorter, and nobody could come in to set it longer again."""

WORKLOAD_LIFE_MAX = timedelta(hours=1)
"""A workload can always have another token, so that one that got lost is over soon."""

ORIGIN = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?:/[a-z0-9._-]+)*", re.ASCII)
"""C2SP tlog-checkpoint recommends a URL without scheme; neither space nor plus may stand in a signer's name."""

SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)

PREFIX = re.compile(r"(?:[A-Za-z0-9._-]+/)+", re.ASCII)
"""What may stand before the names of objects in a bucket."""

One = TypeVar("One")

_SECTIONS = (
    *("gateway", "control", "scribe", "publisher", "witness"),
    *("timestamp", "notify", "siem", "reports", "oidc"),
)
PUBLIC_URL = re.compile(
    r"https://(?!\d+(?:\.\d+){3}(?::|$))[a-z0-9][a-z0-9.-]*(?::\d{1,5})?|http://localhost(?::\d{1,5})?"
)
"""Passkeys answer for a name, never for a number, and only where nobody listens in (WebAuthn level 3, 5.1.2)."""

_Reader = Callable[[Node], object]


def _text(node: Node) -> str:
    return node.text("text")


def _text_or_nothing(node: Node) -> str:
    return "" if node.is_empty_text() else node.text('text, or "" for none')


def _prefix(node: Node) -> str:
    value = _text_or_nothing(node)
    if value and PREFIX.fullmatch(value) is None:
        node.fail(f"{value!a} is not usable as a prefix", "names with a slash after each, such as sojourn/production/")
    return value


def _origin(node: Node) -> str:
    value = node.text("the ledger's name")
    if ORIGIN.fullmatch(value) is None:
        node.fail(f"{value!a} is not usable as the ledger's name", "a name such as example.com/sojourn")
    return value


def _store(node: Node) -> str:
    value = _text_or_nothing(node)
    if value and not value.startswith(("postgresql://", "postgres://")):
        node.fail(f"{value!a} is no address of a database", 'postgresql://role@host/database, or "" for a file')
    return value


def _authority(node: Node) -> str:
    value = _text_or_nothing(node)
    if value and not value.startswith(("https://", "http://")):
        node.fail(f"{value!a} is no address of an authority", 'an address that begins with http, or "" for none')
    return value


def _public_url(node: Node) -> str:
    value = _text_or_nothing(node)
    if value and PUBLIC_URL.fullmatch(value) is None:
        node.fail(
            f"{value!a} is no address that passkeys can answer for",
            "https://NAME, with a port if need be and nothing behind it; http:// for localhost alone",
        )
    return value


def _issuer(node: Node) -> str:
    value = _text_or_nothing(node)
    if value and ISSUER.fullmatch(value) is None:
        node.fail(f"{value!a} is no issuer", 'https://HOST and maybe a path, as the provider itself says it, or ""')
    return value


def _life(node: Node) -> timedelta:
    value = node.duration()
    if value < LIFE_MIN:
        node.fail(
            f"{format_duration(value)} is too short for anybody to come in", f"at least {format_duration(LIFE_MIN)}"
        )
    return value


def _short_life(node: Node) -> timedelta:
    value = _life(node)
    if value > WORKLOAD_LIFE_MAX:
        node.fail(f"{format_duration(value)} is not short", f"at most {format_duration(WORKLOAD_LIFE_MAX)}")
    return value


def _fingerprint(node: Node) -> str:
    value = _text_or_nothing(node)
    if value and SHA256.fullmatch(value) is None:
        node.fail(f"{value[:80]!a} is no fingerprint", 'a SHA-256 in 64 hexadecimal digits, or "" for that of the file')
    return value


def _port(node: Node) -> int:
    return node.integer(0, 65535)


_GATEWAY: Mapping[str, _Reader] = {
    "host": _text,
    "port": _port,
    "ssh": Node.boolean,
    "ssh_port": _port,
    "public_host": _text,
    "require_tls": Node.boolean,
    "handshake_seconds": Node.seconds,
    "connections_max": lambda node: node.integer(1, 100_000),
    "warn_seconds": lambda node: node.integer(0, 86_400),
    "wait_seconds": lambda node: node.integer(0, 86_400),
    "link": _text_or_nothing,
    "idle_seconds": lambda node: node.integer(0, 2_592_000),
    "session_seconds": lambda node: node.integer(0, 2_592_000),
    "client_authority": _text_or_nothing,
    "client_authority_sha256": _fingerprint,
    "client_name": lambda node: node.choice({str(name): name for name in ClientName}),
}
_CONTROL: Mapping[str, _Reader] = {
    "host": _text,
    "port": _port,
    "public_url": _public_url,
    "step_up": lambda node: node.choice({str(one): one for one in StepUp}),
    "api_token_life": _life,
    "session_life": _life,
    "session_idle": _life,
    "program_token_life_max": _life,
    "workload_token_life": _short_life,
    "behind_proxy": Node.boolean,
    "gateway_token_life": Node.duration,
    "ssh_certificate_life": Node.duration,
    "ssh_key_life": Node.duration,
    "invitation_life": _life,
    "reconcile_seconds": Node.seconds,
    "password_length_min": lambda node: node.integer(8, 128),
}
_SCRIBE: Mapping[str, _Reader] = {
    "origin": _origin,
    "checkpoint_seconds": Node.seconds,
    "free_bytes_min": lambda node: node.integer(0, 1 << 50),
    "store": _store,
    "signing_key": _text,
    "next_signing_key": _text,
    "second_signature": lambda node: node.choice({str(one): one for one in SecondSignature}),
}

_S3: Mapping[str, _Reader] = {
    "bucket": _text_or_nothing,
    "prefix": _prefix,
    "endpoint": _text_or_nothing,
    "region": _text_or_nothing,
    "seconds": Node.seconds,
    "retention_days": lambda node: node.integer(1, 36_500),
    "tail_retention_days": lambda node: node.integer(1, 36_500),
}
_PUBLISHER: Mapping[str, _Reader] = {
    "folder": _text_or_nothing,
    "seconds": Node.seconds,
    "attachments": Node.boolean,
    "overdue": Node.duration,
    "refuse_after_minutes": lambda node: node.integer(0, 366 * 24 * 60),
    "s3": lambda node: BucketSettings(**_section(node, _S3)),
}


def _witnesses(node: Node) -> tuple[str, ...]:
    lines = tuple(one.text("a line of a policy", MAX_POLICY_BYTES) for one in node.items("the lines of a policy"))
    try:
        parse_policy(lines)
    except LedgerError as error:
        node.fail(str(error).rstrip("."), "the lines of a policy, as docs/how-to/run-a-witness.md shows one")
    return lines


_WITNESS: Mapping[str, _Reader] = {
    "policy": _witnesses,
    "seconds": Node.seconds,
    "answer_seconds": Node.seconds,
}
_TIMESTAMP: Mapping[str, _Reader] = {
    "url": _authority,
    "root": _text,
    "root_sha256": _fingerprint,
    "every": Node.duration,
    "answer_seconds": Node.seconds,
    "clocks_apart_max": Node.duration,
}


_MAIL: Mapping[str, _Reader] = {
    "host": _text_or_nothing,
    "port": _port,
    "tls": lambda node: node.choice({str(one): one for one in MailTls}),
    "user": _text_or_nothing,
    "secret": _text_or_nothing,
    "sender": _text,
}
_NOTIFY: Mapping[str, _Reader] = {
    "link": _text_or_nothing,
    "seconds": Node.seconds,
    "mail": lambda node: MailSettings(**_section(node, _MAIL)),
    "webhooks": lambda node: tuple(_webhook(name, one) for name, one in node.named("webhooks").items()),
}


_OIDC: Mapping[str, _Reader] = {
    "issuer": _issuer,
    "name": _text,
    "client": _text_or_nothing,
    "secret": _text_or_nothing,
    "scopes": _text,
    "person_claim": _text,
    "groups_claim": _text,
}


def _webhook(name: str, node: Node) -> WebhookSettings:
    fields = node.fields("url", "secret", required=("url", "secret"))
    url = fields["url"].text("an address")
    if not url.startswith(("https://", "http://")):
        fields["url"].fail(f"{url[:60]!a} is no address of a web server", "one that begins with https://")
    return WebhookSettings(name=name, url=url, secret=fields["secret"].name("the name of a secret"))


_DESTINATION: Mapping[str, _Reader] = {
    "kind": lambda node: node.choice({str(one): one for one in SiemKind}),
    "url": _text_or_nothing,
    "host": _text_or_nothing,
    "port": _port,
    "secret": lambda node: "" if node.is_empty_text() else node.name("the name of a secret"),
    "authority": _text_or_nothing,
    "seconds": Node.seconds,
    "overdue": Node.duration,
}


def _destination(name: str, node: Node) -> SiemDestination:
    """One SIEM; each kind has to say where it is."""
    node.fields(*_DESTINATION, required=("kind",))
    found = SiemDestination(name=name, **_section(node, _DESTINATION))
    if found.kind is SiemKind.HTTPS and not found.url.startswith("https://"):
        node.fail(f"{name} has no address that begins with https://", "url, with the address that events are posted to")
    if found.kind is SiemKind.SYSLOG and not found.host:
        node.fail(f"{name} has no host", "host, with the name of the server that takes syslog over TLS")
    return found


_SCHEDULE: Mapping[str, _Reader] = {
    "report": lambda node: node.name("the name of a report"),
    "every": lambda node: node.choice({str(one): str(one) for one in Every}),
    "sample": lambda node: node.integer(0, 500),
    "seed": _text_or_nothing,
    "folder": _text_or_nothing,
    "bucket": _text_or_nothing,
    "prefix": _prefix,
    "endpoint": _text_or_nothing,
    "region": _text_or_nothing,
    "mail": lambda node: tuple(one.name("a person") for one in node.items("a list of people")),
    "overdue": Node.duration,
}


def _schedule(name: str, node: Node) -> ScheduleSettings:
    """One schedule; it says what is made, and how often."""
    node.fields(*_SCHEDULE, required=("report", "every"))
    return ScheduleSettings(name=name, **_section(node, _SCHEDULE))


_SIEM: Mapping[str, _Reader] = {
    "destinations": lambda node: _each(node, "destinations", _destination),
}
_REPORTS: Mapping[str, _Reader] = {
    "schedules": lambda node: _each(node, "schedules", _schedule),
}


def parse_settings(content: bytes) -> Settings:
    """The settings that the text of a settings.yaml says. Raises SojournError `configuration.invalid`."""
    root = compose(SETTINGS_FILE, content)
    if root is None:
        return Settings()
    sections = root.fields(*_SECTIONS)
    publisher = PublisherSettings(**_section(sections.get("publisher"), _PUBLISHER))
    if publisher.s3.bucket and not publisher.folder:
        sections["publisher"].fail("There is a bucket and no folder", "a folder, which the bucket is filled from")
    return Settings(
        gateway=GatewaySettings(**_section(sections.get("gateway"), _GATEWAY)),
        control=ControlSettings(**_section(sections.get("control"), _CONTROL)),
        scribe=ScribeSettings(**_section(sections.get("scribe"), _SCRIBE)),
        publisher=publisher,
        witness=WitnessSettings(**_section(sections.get("witness"), _WITNESS)),
        timestamp=TimestampSettings(**_section(sections.get("timestamp"), _TIMESTAMP)),
        notify=NotifySettings(**_section(sections.get("notify"), _NOTIFY)),
        siem=SiemSettings(**_section(sections.get("siem"), _SIEM)),
        reports=ReportsSettings(**_section(sections.get("reports"), _REPORTS)),
        oidc=OidcSettings(**_section(sections.get("oidc"), _OIDC)),
    )


def _each(node: Node, what: str, reader: Callable[[str, Node], One]) -> tuple[One, ...]:
    """A mapping of names to one thing each."""
    return tuple(reader(name, one) for name, one in node.named(what).items())


def _section(node: Node | None, readers: Mapping[str, _Reader]) -> dict[str, Any]:
    if node is None:
        return {}
    return {name: readers[name](value) for name, value in node.fields(*readers).items()}
