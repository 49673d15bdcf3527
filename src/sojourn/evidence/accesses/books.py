"""The books: everything that reports are made of, folded from the entries of the ledger in their order.

Pass every entry once, from the first to the one that a report is as of, and ask afterwards. Memory grows with the
number of requests and sessions, not with what was done in them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

import msgspec

from sojourn.configuration import parse_held
from sojourn.domain import standing as standings
from sojourn.domain.catalogue import Adopted, Catalogue
from sojourn.domain.events import ConfigurationAdopted
from sojourn.domain.history import Recorded
from sojourn.domain.identifiers import CONFIGURATION, STANDING
from sojourn.domain.standing import NOTHING_SAID, Standing
from sojourn.settings import Settings

from .actions import Taken
from .fold import Fold

_decoder = msgspec.json.Decoder(Catalogue)
POLICIES_KEPT = 16
"""Compiled at a time; events of one period were mostly decided under few versions."""


@dataclass(slots=True)
class Configurations:
    """Every configuration that was in force. `attachment(sha256)` gives a catalogue's bytes, or None if it is lost."""

    attachment: Callable[[str], bytes | None]
    adopted: dict[int, Recorded] = field(default_factory=dict)
    _ready: Callable[[int], Adopted | None] = field(init=False)

    def __post_init__(self) -> None:
        """Keep the last few at hand."""
        self._ready = lru_cache(POLICIES_KEPT)(self._load)

    def under(self, version: int, standing: Standing = NOTHING_SAID) -> Adopted | None:
        """The configuration of that version under a standing of people, or None if it cannot be read."""
        found = self._ready(version)
        return found if found is None or standing == NOTHING_SAID else found.under(standing)

    def settings(self, version: int) -> Settings | None:
        """The settings of that version, defaults before there were any on record; None if they cannot be read."""
        one = self.adopted.get(version)
        if one is None:
            return None
        assert isinstance(one.event, ConfigurationAdopted)
        if not one.event.settings_sha256:
            return Settings()
        data = self.attachment(one.event.settings_sha256)
        try:
            return None if data is None else parse_held(data)
        except ValueError:
            return None

    def in_force(self, moment: datetime) -> int | None:
        """The version in force at a moment, or None before the first."""
        known = [version for version, one in self.adopted.items() if one.at <= moment]
        return max(known) if known else None

    def _load(self, version: int) -> Adopted | None:
        one = self.adopted.get(version)
        if one is None:
            return None
        assert isinstance(one.event, ConfigurationAdopted)
        data = self.attachment(one.event.catalogue_sha256)
        if data is None:
            return None
        try:
            catalogue = _decoder.decode(data)
        except msgspec.MsgspecError:
            return None
        return Adopted(
            catalogue=catalogue,
            version=version,
            digest=one.event.catalogue_sha256,
            settings_sha256=one.event.settings_sha256,
        )


@dataclass(slots=True)
class Books:
    """The fold of a ledger. `size` entries were taken, the last at `until`; `kinds` counts them by kind."""

    configurations: Configurations
    size: int = 0
    until: datetime | None = None
    kinds: Counter[str] = field(default_factory=Counter)
    standing: Standing = NOTHING_SAID
    accesses: Fold = field(default_factory=Fold)
    others: list[Recorded] = field(default_factory=list)

    def take(self, one: Taken) -> None:
        """The next entry."""
        event = one.event
        self.size += 1
        self.until = one.at
        self.kinds[event.kind] += 1
        if isinstance(one, Recorded):
            self._keep(one)
        self.accesses.take(one, event, self.standing)

    def _keep(self, one: Recorded) -> None:
        """What is no action may be about more than one access."""
        if one.stream == STANDING:
            self.standing = standings.evolve(self.standing, one.event)
        elif one.stream == CONFIGURATION and isinstance(one.event, ConfigurationAdopted):
            self.configurations.adopted[one.version] = one
        if not one.event.kind.startswith(FOLDED):
            self.others.append(one)


FOLDED = ("request.", "grant.", "break_glass.", "review.", "session.", "action.", "token.")
"""Kinds that are not kept one by one: each is counted, and folded into the access event that it belongs to."""
