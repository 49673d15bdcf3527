"""Settings: what an operator may choose, with safe defaults. Plain values; read from the outside in app.py.

Source: `settings.yaml` in the configuration folder of the data directory. Each field is described in
docs/reference/settings.md, and a test keeps the two in step.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where everything lies below one data directory. The directory is private to its owner (0700)."""

    root: Path

    @property
    def configuration(self) -> Path:
        """People, targets, policy and settings: the reviewable YAML files."""
        return self.root / "config"

    @property
    def ledger(self) -> Path:
        """The ledger store (SQLite)."""
        return self.root / "ledger.db"

    @property
    def anchor(self) -> Path:
        """The last signed checkpoint, kept apart from the store so that a rolled-back store is noticed."""
        return self.root / "checkpoint"

    @property
    def watermark(self) -> Path:
        """The last entry that the scribe acknowledged, so that a store which lost it is noticed."""
        return self.root / "acknowledged"

    @property
    def cosigned(self) -> Path:
        """The newest checkpoint that the quorum of witnesses has cosigned."""
        return self.root / "cosigned"

    @property
    def witness_policy(self) -> Path:
        """Where the policy of the witnesses is written and proposed from; what counts is the setting."""
        return self.configuration / "witness.policy"

    @property
    def verifier_key(self) -> Path:
        """The ledger's public key (a signed-note vkey), to be handed to auditors."""
        return self.root / "ledger.vkey"

    @property
    def next_verifier_key(self) -> Path:
        """The public key that is to follow it, while the ledger's key is being changed."""
        return self.root / "ledger.next.vkey"

    @property
    def second_verifier_key(self) -> Path:
        """The public key of the second signature, where the settings ask for one."""
        return self.root / "ledger.second.vkey"

    @property
    def before(self) -> Path:
        """What the first entry of a ledger that is begun anew says of the one before it (JSON)."""
        return self.root / "before.json"

    @property
    def closed(self) -> Path:
        """The public key of the ledger that follows this one, whose key may be in other hands. It is only read."""
        return self.root / "closed.vkey"

    @property
    def keys(self) -> Path:
        """Private keys, one file each (0600)."""
        return self.root / "keys"

    @property
    def tls(self) -> Path:
        """The gateway's certificate authority, certificate and key."""
        return self.root / "tls"

    @property
    def run(self) -> Path:
        """Sockets, lock files, and how far readers are; may be deleted whenever nothing runs."""
        return self.root / "run"

    @property
    def scribe_socket(self) -> Path:
        """The scribe's local socket (0600)."""
        return self.run / "scribe.sock"

    @property
    def projections(self) -> Path:
        """Read models; may be deleted at any time and are rebuilt from the ledger."""
        return self.root / "projections.db"

    @property
    def addresses(self) -> Path:
        """The addresses that control and gateway are listening on, written once they listen (JSON)."""
        return self.run / "addresses.json"

    @property
    def spool(self) -> Path:
        """Parts of recordings that are not entries yet, sealed; put on record when the gateway starts again."""
        return self.root / "spool"

    @property
    def delivered(self) -> Path:
        """Reports that were made by a schedule, for auditors to take away."""
        return self.root / "delivered"

    @property
    def forwarded(self) -> Path:
        """How far each SIEM has taken the record; without them all of it is sent again."""
        return self.root / "forwarded"

    @property
    def published(self) -> Path:
        """How far each published copy of the ledger is, as the publisher sees it while it runs (JSON)."""
        return self.run / "published.json"


class SecondSignature(StrEnum):
    """Whether checkpoints carry a second signature of the ledger, and of which kind. Experimental."""

    NONE = "none"
    ML_DSA_44 = "ml-dsa-44"


class ClientName(StrEnum):
    """By which name in a client's certificate its person is known."""

    ID = "id"
    MAIL = "mail"


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySettings:
    """The gateway's listener and limits. `client_authority` "" takes no certificates of clients.

    `client_authority_sha256` is the fingerprint of its certificates.
    """

    host: str = "127.0.0.1"
    port: int = 6543
    ssh: bool = False
    ssh_port: int = 6522
    public_host: str = "localhost"
    require_tls: bool = True
    handshake_seconds: float = 15.0
    connections_max: int = 2000
    warn_seconds: int = 300
    wait_seconds: int = 0
    link: str = ""
    idle_seconds: int = 0
    session_seconds: int = 0
    client_authority: str = ""
    client_authority_sha256: str = ""
    client_name: ClientName = ClientName.ID


class StepUp(StrEnum):
    """Who confirms approvals, configuration changes and the release of holds anew, and with what."""

    NEVER = "never"
    WHEN_POSSIBLE = "when_possible"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlSettings:
    """The JSON API's listener and the life of what it issues.

    `public_url` is the address that people's browsers show; "" is that of a browser on this machine.
    """

    host: str = "127.0.0.1"
    port: int = 6580
    public_url: str = ""
    step_up: StepUp = StepUp.WHEN_POSSIBLE
    api_token_life: timedelta = timedelta(hours=12)
    session_life: timedelta = timedelta(hours=12)
    program_token_life_max: timedelta = timedelta(days=90)
    workload_token_life: timedelta = timedelta(minutes=15)
    session_idle: timedelta = timedelta(hours=1)
    behind_proxy: bool = False
    gateway_token_life: timedelta = timedelta(minutes=15)
    ssh_certificate_life: timedelta = timedelta(hours=12)
    ssh_key_life: timedelta = timedelta(days=90)
    invitation_life: timedelta = timedelta(hours=24)
    password_length_min: int = 12
    reconcile_seconds: float = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ScribeSettings:
    """The ledger's writer.

    `store` is the address of a PostgreSQL database; "" is a file in the data directory. `signing_key` says where its
    key is kept: see `vault.signing.address`; `next_signing_key` where the key is that is to follow it, once that has
    begun. `second_signature` is experimental: see `ledger.second_key`.
    """

    origin: str = "sojourn.localhost/ledger"
    checkpoint_seconds: float = 0.8
    free_bytes_min: int = 64 * 1024 * 1024
    store: str = ""
    signing_key: str = "file"
    next_signing_key: str = "file"
    second_signature: SecondSignature = SecondSignature.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketSettings:
    """A bucket with Object Lock (S3) that holds a copy of the ledger which nobody can alter. `bucket` "" is none."""

    bucket: str = ""
    prefix: str = ""
    endpoint: str = ""
    region: str = ""
    seconds: float = 5.0
    retention_days: int = 2647
    tail_retention_days: int = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class PublisherSettings:
    """What is published of the ledger. `folder` is relative to the data directory, and "" publishes none."""

    folder: str = "public"
    seconds: float = 1.0
    attachments: bool = True
    overdue: timedelta = timedelta(minutes=15)
    refuse_after_minutes: int = 0
    s3: BucketSettings = field(default_factory=BucketSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessSettings:
    """Which witnesses are asked and how many have to agree, as the lines of a C2SP tlog-policy; how often
    they are asked, and how long one may take to answer.
    """

    policy: tuple[str, ...] = ()
    seconds: float = 5.0
    answer_seconds: float = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcSettings:
    """The OpenID provider that may say who somebody is; `issuer` "" is none. `secret` names a file among the secrets.

    `person_claim` is the claim that gives their id here, `groups_claim` the one that lists their groups.
    """

    issuer: str = ""
    name: str = "single sign-on"
    client: str = ""
    secret: str = ""
    scopes: str = "openid profile"
    person_claim: str = "preferred_username"
    groups_claim: str = "groups"


class MailTls(StrEnum):
    """How the connection to a mail server is encrypted."""

    STARTTLS = "starttls"
    ALWAYS = "always"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailSettings:
    """A mail server; `host` "" sends no mail. `secret` names the file of the password among the secrets."""

    host: str = ""
    port: int = 587
    tls: MailTls = MailTls.STARTTLS
    user: str = ""
    secret: str = ""
    sender: str = "sojourn@localhost"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSettings:
    """An address that notices are posted to, signed with the secret of that name."""

    name: str
    url: str
    secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifySettings:
    """How people are told what waits for them. `link` is put before the path of what a notice is about."""

    link: str = ""
    seconds: float = 10.0
    mail: MailSettings = field(default_factory=MailSettings)
    webhooks: tuple[WebhookSettings, ...] = ()


class SiemKind(StrEnum):
    """How events get to a SIEM."""

    HTTPS = "https"
    SYSLOG = "syslog"


@dataclass(frozen=True, slots=True, kw_only=True)
class SiemDestination:
    """A destination of every entry as an OCSF event: `url` for `https`, `host` and `port` for `syslog` (over TLS).

    `secret` names the file of a bearer token among the secrets. `authority` is a file of certificates in the
    configuration folder; "" trusts the system's.
    """

    name: str
    kind: SiemKind
    url: str = ""
    host: str = ""
    port: int = 6514
    secret: str = ""
    authority: str = ""
    seconds: float = 20.0
    overdue: timedelta = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class SiemSettings:
    """Where every entry goes as an OCSF event."""

    destinations: tuple[SiemDestination, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleSettings:
    """A report that is made by itself over each `month` or `quarter`, and taken to `folder`, bucket and people.

    `sample` rows are drawn by `seed` and the start of the period, with the packs of all of them. "" is no folder, and a
    `bucket` of "" is none. `mail` are the ids of people who are told: the hash is in the mail, the file behind sign-in.
    """

    name: str
    report: str
    every: str
    sample: int = 0
    seed: str = ""
    folder: str = ""
    bucket: str = ""
    prefix: str = ""
    endpoint: str = ""
    region: str = ""
    mail: tuple[str, ...] = ()
    overdue: timedelta = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportsSettings:
    """Reports that are made by themselves."""

    schedules: tuple[ScheduleSettings, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TimestampSettings:
    """The time-stamping authority (RFC 3161) that is asked for its time; `url` "" is none.

    `root` is the file with the certificates that its tokens lead to, in the configuration folder, and `root_sha256`
    their fingerprint. `clocks_apart_max` is how far its time and this machine's may be apart.
    """

    url: str = ""
    root: str = "timestamp-root.pem"
    root_sha256: str = ""
    every: timedelta = timedelta(hours=1)
    answer_seconds: float = 10.0
    clocks_apart_max: timedelta = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings of one installation."""

    gateway: GatewaySettings = field(default_factory=GatewaySettings)
    control: ControlSettings = field(default_factory=ControlSettings)
    scribe: ScribeSettings = field(default_factory=ScribeSettings)
    publisher: PublisherSettings = field(default_factory=PublisherSettings)
    witness: WitnessSettings = field(default_factory=WitnessSettings)
    notify: NotifySettings = field(default_factory=NotifySettings)
    oidc: OidcSettings = field(default_factory=OidcSettings)
    timestamp: TimestampSettings = field(default_factory=TimestampSettings)
    siem: SiemSettings = field(default_factory=SiemSettings)
    reports: ReportsSettings = field(default_factory=ReportsSettings)
