"""What the API works with. Everything is handed in; nothing here is global."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sojourn.domain.events import TargetReconciled
from sojourn.domain.sealed import SealedMatter, SealingKey
from sojourn.domain.target import Target
from sojourn.identity.accounts import PasswordReader
from sojourn.identity.confirming import Confirming
from sojourn.identity.limits import AttemptLimit
from sojourn.identity.openid import Provider
from sojourn.identity.passkeys import Passkeys
from sojourn.identity.presence import Presence
from sojourn.identity.workload import Issuers
from sojourn.projections.projector import Projections
from sojourn.settings import Settings
from sojourn.vault.ssh_authority import Authority
from sojourn.workflow.keeping import KeyUses
from sojourn.workflow.ports import Office, Sealer

from .api.shapes import CopyShown
from .live import Live
from .report_desk import Desk


@dataclass(frozen=True, slots=True, kw_only=True)
class SshIssuer:
    """What it takes to issue SSH certificates to people. `gateways` and `grants` are public keys.

    `address()` is where the gateway takes SSH connections.
    """

    people: Authority
    gateways: str
    grants: str
    address: Callable[[], tuple[str, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """The packs of several access events in one ZIP, and its SHA-256 (hex)."""

    path: Path
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Vouched:
    """An entry that names evidence which was given, with the signed proof of it (C2SP tlog-proof)."""

    seq: int
    entry: bytes
    proof: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything that a request may need.

    `attachment(sha256)` is what was attached to an append; `size` counts the ledger's entries, `sign` gives a
    checkpoint over them, `cosigned()` is the newest one that witnesses have cosigned ("" if none), `copies()` are its
    published copies; `entries`, `prove` and `consistency` are as the scribe's client gives them; `live` tells who
    watches; `preflight(target)` says what is lacking there, `reconcile(target)` compares it with the record;
    `pack(name, confined)` builds an evidence pack of a grant or a request, `certificate(name)` that of a
    destruction (both ZIP), `packs(sample, requests, confined)` those of several access events; `delivered()` are
    the files that schedules made; `given(sha256, person)` is what vouches for evidence that was given (to anybody,
    for None); `key_uses(person)` tells which sealing keys still open; `reports` makes reports; `gateway_address()`
    is where clients connect; `random_bytes(n)` are fresh; `ssh` is None where the gateway does not speak it.
    """

    office: Office
    projections: Projections
    settings: Settings
    passwords: PasswordReader
    limit: AttemptLimit
    passkeys: Passkeys
    confirming: Confirming
    presence: Presence
    provider: Provider | None
    issuers: Issuers
    gateway_sealer: Sealer
    matter: Callable[[Sequence[str]], Awaitable[tuple[tuple[SealedMatter, SealingKey], ...]]]
    attachment: Callable[[str], Awaitable[bytes]]
    open_value: Callable[[SealedMatter, SealingKey], bytes]
    size: Callable[[], Awaitable[int]]
    sign: Callable[[], Awaitable[str]]
    cosigned: Callable[[], str]
    entries: Callable[[Sequence[int]], Awaitable[tuple[bytes, ...]]]
    prove: Callable[[Sequence[int], int], Awaitable[tuple[tuple[bytes, ...], ...]]]
    consistency: Callable[[int, int], Awaitable[tuple[bytes, ...]]]
    live: Live
    copies: Callable[[], Sequence[CopyShown]]
    pack: Callable[[str, bool], Awaitable[bytes]]
    packs: Callable[[str, Sequence[str], bool], Awaitable[Bundle]]
    given: Callable[[str, str | None], Awaitable[Vouched | None]]
    delivered: Callable[[], Sequence[Path]]
    preflight: Callable[[Target], Awaitable[tuple[str, ...]]]
    reconcile: Callable[[Target], Awaitable[TargetReconciled]]
    certificate: Callable[[str], Awaitable[bytes]]
    reports: Desk
    key_uses: KeyUses
    gateway_address: Callable[[], tuple[str, int]]
    random_bytes: Callable[[int], bytes]
    verifier_key: str
    authority: str
    version: str
    ssh: SshIssuer | None = None
