"""Room in the write-ahead log before it is needed.

A sync of a file that has grown has to write the file's size and where its blocks lie, too, which costs as much again
as what was to be synced. So the log is lengthened by a mebibyte of zeros at a time: SQLite stops reading it at the
first frame whose checksum and salt are not those of the log, as it does behind the end of every log that it has begun
to write over again from its start. No byte that SQLite has written is touched.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

STEP = 1 << 20
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Room:
    """The write-ahead log of one database, which this process holds open, seen as a file that has a length."""

    def __init__(self, database: Path) -> None:
        """Open the log, which has to be there."""
        self._file = Path(f"{database}-wal").open("r+b", buffering=0)  # noqa: SIM115 - closed by `close`
        self.length = -1
        """How long the log was when it was last looked at."""

    def make(self) -> int:
        """Lengthen the log if SQLite has come to its end, or has cut it; gives its length, with the room or without.

        Only while nobody writes. Raises OSError for a disk that fails.
        """
        length = self._end()
        if length == self.length:
            return length
        missing = STEP - length % STEP
        try:
            os.pwrite(self._file.fileno(), bytes(missing), length)
        except OSError as error:
            if error.errno not in _NO_ROOM:
                raise
        self.length = self._end()
        return self.length

    def _end(self) -> int:
        """Where the file ends. Asking for its status instead would have the kernel note the exact time of the next
        write, and the sync after it write that time, too: one more write of the disk for each commit.
        """
        return os.lseek(self._file.fileno(), 0, os.SEEK_END)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
