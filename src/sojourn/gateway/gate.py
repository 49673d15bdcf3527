"""What every connection of a gateway works with, whatever its protocol."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sojourn.domain.identifiers import SessionId
from sojourn.settings import GatewaySettings
from sojourn.workflow.ports import Clock, Sealer

from .attempts import AttemptRecorder
from .journal import Journal
from .live import GatewayLedger, LiveView
from .tls import DoorTls


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """One gateway: its settings, what it knows, where it records, and its sources of time and chance.

    `node` is the gateway's name in the record. `connections` are those open now, by their peer's address. `sessions`
    are those without an end on record, each with a place in the ledger that is not after its beginning.
    """

    settings: GatewaySettings
    ledger: GatewayLedger
    journal: Journal
    live: LiveView
    attempts: AttemptRecorder
    sealer: Sealer
    clock: Clock
    new_id: Callable[[str], str]
    random_bytes: Callable[[int], bytes]
    node: str
    tls: DoorTls
    connections: set[str] = field(default_factory=set)
    sessions: dict[SessionId, int] = field(default_factory=dict)
