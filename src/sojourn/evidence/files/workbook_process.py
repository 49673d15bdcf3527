"""The process that writes a workbook: what to write comes on standard input (see `apart`). Its status is its answer.

Its input stays open until it has ended, so the end of the input says that whoever wanted the workbook is gone. It reads
ahead, so that those who make rows need not wait for each to be written.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import assert_never

import msgspec

from .apart import LENGTH_BYTES, Ending, Heading, Line, Message, Opening
from .sheet import Sheet
from .workbook import SheetWriter, Workbook, open_workbook

_BLOCK = 1 << 16
_BLOCKS_MAX = 1024
"""Blocks that wait to be written: 64 MiB, which a year's rows hardly fill."""


def main() -> None:
    """Write the workbook that is wanted."""
    # Cells come and go by millions and nothing of them refers to itself: looking for such things would find nothing.
    gc.disable()
    blocks: Queue[bytes] = Queue(_BLOCKS_MAX)
    Thread(target=_read, args=(blocks,), daemon=True).start()
    messages = _messages(blocks)
    opening = msgspec.msgpack.decode(next(messages), type=Opening)
    with open_workbook(Path(opening.path), title=opening.title, created=opening.created) as workbook:
        _write(workbook, messages)


def _write(workbook: Workbook, messages: Iterator[bytes]) -> None:
    decoder = msgspec.msgpack.Decoder(Message)
    writers: list[SheetWriter] = []
    for body in messages:
        message = decoder.decode(body)
        match message:
            case Line():
                writers[message.sheet].write(message.row)
            case Heading():
                writers.append(workbook.add(Sheet(name=message.name, purpose="", columns=message.columns, rows=())))
            case Ending():
                return
            case _:
                assert_never(message)


def _read(blocks: Queue[bytes]) -> None:
    """Take blocks from the input until it ends, and this process with it."""
    try:
        while block := os.read(sys.stdin.fileno(), _BLOCK):
            blocks.put(block)
    finally:
        os._exit(1)


def _messages(blocks: Queue[bytes]) -> Iterator[bytes]:
    """The messages in the blocks. They go on until the process ends."""
    held = bytearray()
    while True:
        held += blocks.get()
        start = 0
        while len(held) - start >= LENGTH_BYTES:
            end = start + LENGTH_BYTES + int.from_bytes(held[start : start + LENGTH_BYTES], "big")
            if end > len(held):
                break
            yield bytes(held[start + LENGTH_BYTES : end])
            start = end
        del held[:start]


if __name__ == "__main__":
    main()
