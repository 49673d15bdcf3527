"""What was shown and is no entry yet lies here, sealed, so that the death of a gateway loses nothing of it.

One file for each channel that is recorded. What is written survives the process, and is put on record when the gateway
starts again, before its sessions are closed there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from sojourn.domain.events import ChunkRecorded, SessionClosed
from sojourn.domain.history import Change
from sojourn.domain.identifiers import SessionId, session_stream
from sojourn.domain.sealed import Sealed, SealedMatter, Sealing, SealingKey
from sojourn.workflow.ports import Ledger

SUFFIX = ".spool"
ENTRY_BYTES_MAX = 4 * 1024 * 1024
PARTS_PER_APPEND_MAX = 500
_LENGTH = 4


class _Kept(msgspec.Struct, array_like=True):
    """One sealed piece of a recording, and the part of it that it belongs to."""

    part: int
    matter: SealedMatter
    key: SealingKey


@dataclass(slots=True)
class Spool:
    """One channel's file. Made when something is first put into it."""

    path: Path
    _descriptor: int | None = field(default=None)

    def put(self, part: int, sealing: Sealing) -> None:
        """Keep this. Raises OSError: then it must not be shown."""
        if self._descriptor is None:
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
            self._descriptor = os.open(self.path, flags, 0o600)
        entry = msgspec.msgpack.encode(_Kept(part, sealing.matter, sealing.key))
        left = memoryview(len(entry).to_bytes(_LENGTH, "big") + entry)
        while left:
            # A disk that is nearly full takes a part of it, and says so only when it is asked again.
            left = left[os.write(self._descriptor, left) :]

    def clear(self) -> None:
        """All that is in it is an entry now."""
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)

    def remove(self) -> None:
        """Nothing more is kept here."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
            self.path.unlink(missing_ok=True)


def spool_of(directory: Path, session: SessionId, number: int) -> Spool:
    """The file of that action of the session."""
    return Spool(directory / f"{session}.{number}{SUFFIX}")


async def recover(ledger: Ledger, directory: Path) -> int:
    """Put on record what an earlier run left in `directory`; gives the number of pieces. Raises SojournError."""
    recovered = 0
    for path in _left(directory):
        session, _, number = path.name.removesuffix(SUFFIX).rpartition(".")
        if session and number.isdecimal():
            recovered += await _recover(ledger, _entries(path), SessionId(session), int(number))
        path.unlink()
    return recovered


async def _recover(ledger: Ledger, entries: Iterator[_Kept], session: SessionId, number: int) -> int:
    stream = session_stream(session)
    events = [recorded.event for recorded in await ledger.stream(stream)]
    if not events or any(isinstance(event, SessionClosed) for event in events):
        return 0
    known = max((one.part for one in events if isinstance(one, ChunkRecorded) and one.number == number), default=0)
    changes: list[Change] = []
    sealings: list[Sealing] = []
    for kept in entries:
        if kept.part <= known:
            continue
        sealed = Sealed(commitment=kept.matter.commitment, key=kept.matter.key)
        part = known + 1 + len(changes)
        size = len(kept.matter.ciphertext)
        event = ChunkRecorded(session=session, number=number, part=part, size=size, content=sealed)
        changes.append(Change(stream=stream, event=event, seen=None))
        sealings.append(Sealing(kept.matter.commitment, kept.matter.ciphertext, kept.key))
    for begin in range(0, len(changes), PARTS_PER_APPEND_MAX):
        end = begin + PARTS_PER_APPEND_MAX
        await ledger.append(changes[begin:end], sealings=sealings[begin:end])
    return len(changes)


def _left(directory: Path) -> list[Path]:
    return sorted(directory.glob(f"*{SUFFIX}"))


def _entries(path: Path) -> Iterator[_Kept]:
    """The pieces of a file; a last one that was cut off by the crash was never shown."""
    content, place = path.read_bytes(), 0
    while place + _LENGTH <= len(content):
        size = int.from_bytes(content[place : place + _LENGTH], "big")
        end = place + _LENGTH + size
        if size > ENTRY_BYTES_MAX or end > len(content):
            return
        try:
            yield msgspec.msgpack.decode(content[place + _LENGTH : end], type=_Kept)
        except msgspec.MsgspecError:
            return
        place = end
