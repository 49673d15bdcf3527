"""Which settings a process starts with: those that are in force by the record, and the machine's own from its file.

- Where an operator may adopt files alone, at first or while there is no second administrator, the file counts: control
  puts it on record with the same start.
- Otherwise what is on record counts, and a file that says something else is told and changes nothing.
- A ledger of an earlier release holds no settings yet. The file counts until control has put it on record, once. Where
  its settings do not say which witnesses are asked, those that the record says were asked last are.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from sojourn.configuration import compare_settings, holds_witnesses, parse_held, policy_lines, with_own_of
from sojourn.domain import standing as standings
from sojourn.domain.change import may_adopt_alone
from sojourn.domain.events import ConfigurationAdopted, WitnessPolicyAdopted
from sojourn.domain.identifiers import CONFIGURATION, PUBLICATION, STANDING
from sojourn.domain.standing import NOTHING_SAID
from sojourn.errors import Code, SojournError
from sojourn.ledger.errors import LedgerError
from sojourn.scribe import codec
from sojourn.settings import Layout, Settings
from sojourn.workflow.adopt import parse_catalogue, parsed

from .installation import read_settings
from .kept import Kept, damaged, reading

PATIENCE_SECONDS = 30.0
PAUSE_SECONDS = 0.1
UNREADABLE = frozenset({Code.RECORD_DAMAGED, Code.RECORD_UNAVAILABLE, Code.RECORD_STORE_UNREADY})


def settings_in_force(layout: Layout, differs: Callable[[SojournError], object] = lambda _: None) -> Settings:
    """The settings that count on this machine, read from the record where it lies.

    A file that says something else is told to `differs`. Raises SojournError as `installation.read_settings` and
    `kept.reading` do, and `record.damaged` where what is in force is not what is on record.
    """
    own = read_settings(layout)
    if not own.scribe.store and not layout.ledger.exists():
        return own
    with reading(layout) as kept:
        on_record = _on_record(kept)
    if on_record is None:
        return own
    found = compare_settings(on_record, own)
    if found:
        names = ", ".join(one.what.removeprefix("setting ") for one in found)
        differs(SojournError(Code.SETTINGS_NOT_IN_FORCE, names=names))
    return with_own_of(own, on_record)


def settings_when_readable(layout: Layout, seconds: float = PATIENCE_SECONDS) -> Settings:
    """The same, once the record can be read: it may be in the making, or its database on the way back.

    Raises as `settings_in_force` does, at last.
    """
    until = time.monotonic() + seconds
    while True:
        try:
            return settings_in_force(layout)
        except SojournError as error:
            if error.code not in UNREADABLE or time.monotonic() > until:
                raise
        time.sleep(PAUSE_SECONDS)


def settings_as_read(layout: Layout, warn: Callable[[SojournError], object] = lambda _: None) -> Settings:
    """The same for those who have to work on a record that cannot be read: then the file counts, and `warn` is told."""
    try:
        return settings_in_force(layout, warn)
    except SojournError as error:
        if error.code not in UNREADABLE:
            raise
        warn(error)
        return read_settings(layout)


def _on_record(kept: Kept) -> Settings | None:
    """The settings that the record holds against the file; None where the file counts."""
    adopted = None
    for entry in kept.stream(CONFIGURATION):
        event = codec.decode(entry.kind, entry.body)
        adopted = event if isinstance(event, ConfigurationAdopted) else adopted
    if adopted is None or not adopted.settings_sha256:
        return None
    standing = NOTHING_SAID
    for entry in kept.stream(STANDING):
        standing = standings.evolve(standing, codec.decode(entry.kind, entry.body))
    sha256 = adopted.catalogue_sha256
    catalogue = parsed("catalogue", parse_catalogue, _attachment(kept, sha256), sha256)
    if may_adopt_alone(catalogue.without(standing.left)):
        return None
    sha256 = adopted.settings_sha256
    content = _attachment(kept, sha256)
    settings = parsed("settings", parse_held, content, sha256)
    if holds_witnesses(content):
        return settings
    return replace(settings, witness=replace(settings.witness, policy=_witnesses(kept)))


def _witnesses(kept: Kept) -> tuple[str, ...]:
    """The witnesses that were asked last, by the record of a release whose settings did not hold them."""
    adopted = None
    for entry in kept.stream(PUBLICATION):
        event = codec.decode(entry.kind, entry.body)
        adopted = event if isinstance(event, WitnessPolicyAdopted) else adopted
    if adopted is None or not adopted.sha256:
        return ()
    try:
        return policy_lines(_attachment(kept, adopted.sha256))
    except LedgerError as error:
        raise damaged(kept.path, f"the policy of the witnesses: {error}") from error


def _attachment(kept: Kept, sha256: str) -> bytes:
    content = kept.attachment(sha256)
    if content is None:
        raise damaged(kept.path, f"the attachment {sha256} is not there")
    return content
