"""Reads a server's own log, from where the last reading ended: which sessions of our logins it shows.

- No message is read, so it does not matter in which language the server writes. Every line of a session says whose it
  is, which process, and when the session began; with `log_connections` there is one of every session, and with pgaudit
  one of every statement besides.
- A log-in that failed is no session (SQLSTATE of class 28).
- The log has to be kept as JSON or CSV. Reading it takes privileges that Sojourn does not need otherwise: without them
  it is not read, and the record says so.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sojourn.domain.logged import LoggedSession, LogReading

from .connection import Connection

FORMATS = ("jsonlog", "csvlog")
CHUNK_BYTES = 4 * 1024 * 1024
READING_BYTES_MAX = 16 * 1024 * 1024
"""A reading ends here and the next one goes on: a server that logs much more is not read to its end."""

FILES_MAX = 16
READ = "pg_catalog.pg_read_binary_file(text, bigint, bigint, boolean)"
LIST = "pg_catalog.pg_ls_logdir()"
CURRENT = "pg_catalog.pg_current_logfile(text)"

_SETTINGS = """
SELECT pg_catalog.current_setting('logging_collector') = 'on', pg_catalog.current_setting('log_destination'),
       pg_catalog.current_setting('log_connections'), pg_catalog.current_setting('log_timezone'),
       pg_catalog.has_function_privilege(%s, 'EXECUTE') AND pg_catalog.has_function_privilege(%s, 'EXECUTE')
       AND pg_catalog.has_function_privilege(%s, 'EXECUTE')
"""
_CURRENT = "SELECT pg_catalog.pg_current_logfile(%s)"
_FILES = "SELECT name, size FROM pg_catalog.pg_ls_logdir() ORDER BY modification, name"
_READ = "SELECT pg_catalog.pg_read_binary_file(%s, %s, %s, true)"
_LOGS_COMERS = re.compile(r"\b(on|true|yes|1|all|authentication|authorization)\b", re.IGNORECASE)
_FAILED_LOG_IN = "28"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """How a server keeps its log: the first format that can be read here ("" for none), and whether we may."""

    form: str
    tells_all: bool
    zone: str
    readable: bool


async def log_settings(connection: Connection) -> LogSettings:
    """How this server keeps its log."""
    row = await (await connection.execute(_SETTINGS, (READ, LIST, CURRENT))).fetchone()
    assert row is not None
    collected, destinations, connections, zone, readable = row
    kept = str(destinations).replace(" ", "").split(",")
    form = next((one for one in FORMATS if one in kept), "") if collected else ""
    tells_all = _LOGS_COMERS.search(str(connections)) is not None
    return LogSettings(form=form, tells_all=tells_all, zone=str(zone), readable=readable is True)


async def read_log(connection: Connection, logins: Collection[str], named: str, place: str) -> LogReading:
    """What the log shows from `place` on (from its end on, if that is ""), of `logins` and of names like `named`."""
    settings = await log_settings(connection)
    if not settings.form:
        return LogReading(problem="the server keeps no log as JSON or CSV")
    if not settings.readable:
        return LogReading(problem="Sojourn's account may not read the server's log")
    row = await (await connection.execute(_CURRENT, (settings.form,))).fetchone()
    if row is None or row[0] is None:
        return LogReading(problem="the server has no log file at the moment")
    directory, _, current = str(row[0]).rpartition("/")
    cursor = await connection.execute(_FILES)
    sizes = {str(name): int(str(size)) for name, size in await cursor.fetchall()}
    file, _, offset = place.rpartition(" ")
    gap = not (offset.isdecimal() and file in sizes and int(offset) <= sizes[file])
    if gap:
        file, offset = current, str(sizes.get(current, 0))
    files, start = _to_read(list(sizes), file, current), int(offset)
    ours = _Ours(frozenset(logins), re.compile(named), _zone(settings.zone))
    found: dict[LoggedSession, None] = {}
    budget = READING_BYTES_MAX
    for name in files:
        start = start if name == file else 0
        while budget > 0:
            data = await _chunk(connection, f"{directory}/{name}", start)
            whole = _whole_records(data, settings.form)
            if not whole and len(data) == CHUNK_BYTES:
                # One record that is larger than all that is read at once: it is passed over, with the rest of its file.
                start, gap = sizes.get(name, start), True
            if not whole:
                break
            found.update(dict.fromkeys(ours.sessions(data[:whole], settings.form)))
            start, budget = start + whole, budget - whole
        file = name
        if budget <= 0:
            break
    now = await _now(connection)
    through = now if budget > 0 else now - timedelta(days=1)
    return LogReading(
        place=f"{file} {start}", sessions=tuple(found), through=through, gap=gap, tells_all=settings.tells_all
    )


def _to_read(names: list[str], file: str, current: str) -> list[str]:
    """The files from the last one read to the present one, of the same kind, the oldest first."""
    suffix = current.rpartition(".")[2]
    alike = [name for name in names if name.endswith(f".{suffix}")]
    first, last = alike.index(file) if file in alike else 0, alike.index(current) if current in alike else len(alike)
    between = alike[first : last + 1] or [current]
    return between[:FILES_MAX]


async def _chunk(connection: Connection, path: str, start: int) -> bytes:
    row = await (await connection.execute(_READ, (path, start, CHUNK_BYTES))).fetchone()
    return row[0] if row is not None and isinstance(row[0], bytes) else b""


async def _now(connection: Connection) -> datetime:
    row = await (await connection.execute("SELECT pg_catalog.clock_timestamp()")).fetchone()
    assert row is not None and isinstance(row[0], datetime)
    return row[0]


def _whole_records(data: bytes, form: str) -> int:
    """How many of the bytes are whole records. A line of JSON is one; one of CSV may go over lines, within quotes."""
    end = data.rfind(b"\n") + 1
    if form == "csvlog":
        while end and data.count(b'"', 0, end) % 2:
            end = data.rfind(b"\n", 0, end - 1) + 1
    return end


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class _Ours:
    """Finds sessions of our logins in lines of a log."""

    logins: frozenset[str]
    named: re.Pattern[str]
    zone: ZoneInfo

    def sessions(self, data: bytes, form: str) -> Iterator[LoggedSession]:
        """The sessions that the records show, one for each record of theirs."""
        text = data.decode(errors="replace")
        for line in _json_lines(text) if form == "jsonlog" else _csv_lines(text):
            user, database, process, address, begun, state = line
            if state.startswith(_FAILED_LOG_IN) or not (user in self.logins or self.named.fullmatch(user)):
                continue
            moment = self._moment(begun)
            if moment is not None and process.isdecimal():
                yield LoggedSession(
                    login=user, process=int(process), begun=moment, database=database[:200], address=address[:200]
                )

    def _moment(self, text: str) -> datetime | None:
        """`2026-11-30 10:00:00 CET`, which is in the server's own zone for its log."""
        try:
            return datetime.fromisoformat(text[:19]).replace(tzinfo=self.zone).astimezone(UTC)
        except ValueError:
            return None


Line = tuple[str, str, str, str, str, str]
"""User, database, process, address, begin of the session, SQLSTATE."""


def _json_lines(text: str) -> Iterator[Line]:
    names = ("user", "dbname", "pid", "remote_host", "session_start", "state_code")
    for line in text.splitlines():
        if '"user"' not in line:
            continue
        try:
            told = json.loads(line)
        except ValueError:
            continue
        if isinstance(told, dict):
            user, database, process, address, begun, state = (str(told.get(name, "")) for name in names)
            yield user, database, process, address, begun, state


def _csv_lines(text: str) -> Iterator[Line]:
    csv.field_size_limit(CHUNK_BYTES)
    for row in csv.reader(io.StringIO(text, newline="")):
        if len(row) > 13:
            yield row[1], row[2], row[3], row[4].rpartition(":")[0], row[8], row[12]
