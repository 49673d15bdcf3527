"""Connections of Sojourn's own account to a PostgreSQL server, with a deadline that holds even if the server is mute.

- Every statement has the server's timeout; every connection has ours besides, for a server that answers nothing.
- At the deadline the socket is shut before anything is cancelled: a polite cancellation would wait for the mute peer.
- Errors are told apart by SQLSTATE and never by their text, which the server may give in any language. Before a
  connection stands libpq gives no SQLSTATE; then a bare TCP connection says whether anybody is there.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TypeVar

import psycopg
from psycopg import AsyncConnection, errors

from sojourn.domain.target import Role, Target, TlsMode
from sojourn.errors import Code, SojournError

CONNECT_SECONDS = 5
STATEMENT_MS = 8000
LOCK_MS = 3000
MUTE_MS = 8000
OPTIONS = {
    "search_path": "pg_catalog",
    "statement_timeout": STATEMENT_MS,
    "lock_timeout": LOCK_MS,
    # What a node has begun that is held up for long is undone by the server, before another node takes the work over.
    "idle_in_transaction_session_timeout": STATEMENT_MS,
}
PROBE_SECONDS = 2.0
GRACE_SECONDS = 1.0
TRIES_MAX = 12
PAUSE_SECONDS, PAUSE_SECONDS_MAX = 0.02, 1.0
INHERIT_OPTION_SINCE = 160000
"""The version from which on GRANT says whether a membership inherits and may be set."""

Connection = AsyncConnection[tuple[object, ...]]
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How to get at one target's server until a deadline (`until`: the event loop's time)."""

    target: Target
    secret: str
    until: float

    @asynccontextmanager
    async def connect(self, database: str = "") -> AsyncIterator[Connection]:
        """A connection as Sojourn's account, to the target's database or another of the same server.

        Raises SojournError `target.unreachable` or `target.refused`; so does what is done with the connection
        while the context lasts, if the connection breaks.
        """
        loop = asyncio.get_running_loop()
        connection = await self._open(database or self.target.database)
        severing = loop.call_at(self.until, _sever, connection)
        try:
            yield connection
        except (psycopg.OperationalError, errors.IdleInTransactionSessionTimeout) as error:
            problem = "no answer in time" if loop.time() >= self.until else first_line(error)
            code = Code.TARGET_UNREACHABLE if _is_broken(error) else Code.TARGET_REFUSED
            raise SojournError(code, target=self.target.name, problem=problem) from error
        finally:
            await connection.close()
            severing.cancel()

    async def _open(self, database: str) -> Connection:
        target = self.target
        try:
            return await AsyncConnection.connect(
                host=target.host,
                port=target.port,
                dbname=database,
                user=target.administrator,
                password=self.secret,
                sslmode=target.tls,
                sslrootcert=target.tls_authority or ("system" if target.tls is TlsMode.VERIFY_FULL else None),
                connect_timeout=CONNECT_SECONDS,
                tcp_user_timeout=MUTE_MS,
                application_name="sojourn",
                options=" ".join(f"-c {name}={value}" for name, value in OPTIONS.items()),
                autocommit=True,
            )
        except psycopg.OperationalError as error:
            code = Code.TARGET_UNREACHABLE
            if not isinstance(error, errors.ConnectionTimeout) and await _answers(target):
                code = Code.TARGET_REFUSED
            raise SojournError(code, target=target.name, problem=first_line(error)) from error


@asynccontextmanager
async def reaching(target: Target, secret: str, seconds: float) -> AsyncIterator[Reach]:
    """A deadline for everything inside. Raises SojournError `target.unreachable` when it has passed."""
    until = asyncio.get_running_loop().time() + seconds
    try:
        # The socket is severed at the deadline; the cancellation comes after it and finds nothing to wait for.
        async with asyncio.timeout_at(until + GRACE_SECONDS):
            yield Reach(target=target, secret=secret, until=until)
    except TimeoutError as error:
        problem = f"no answer within {seconds:g} seconds"
        raise SojournError(Code.TARGET_UNREACHABLE, target=target.name, problem=problem) from error


@asynccontextmanager
async def explained(target: Target, role: Role | None) -> AsyncIterator[None]:
    """Turn what the server says into our own words, by SQLSTATE; a lack of privilege is the caller's to explain."""
    try:
        yield
    except (errors.UndefinedTable, errors.UndefinedColumn, errors.UndefinedFunction, errors.InvalidSchemaName) as error:
        raise SojournError(
            Code.TARGET_OBJECT_MISSING,
            role=role.name if role is not None else "",
            target=target.name,
            problem=first_line(error),
        ) from error
    except (psycopg.OperationalError, errors.InsufficientPrivilege):
        raise
    except psycopg.Error as error:
        raise SojournError(Code.TARGET_REFUSED, target=target.name, problem=first_line(error)) from error


async def again(attempt: Callable[[], Awaitable[Result]]) -> Result:
    """Do it, and again if it met somebody else's change of the same catalog row or a deadlock; it must undo itself.

    PostgreSQL says XX000 ("tuple concurrently updated") when two transactions change the privileges of one table, and
    23505, of its own catalog's index, when two make the same member of a role at once.
    """
    for tried in range(TRIES_MAX - 1):
        try:
            return await attempt()
        except (errors.InternalError_, errors.DeadlockDetected, errors.UniqueViolation):
            await asyncio.sleep(min(PAUSE_SECONDS * 2**tried, PAUSE_SECONDS_MAX))
    return await attempt()


def first_line(error: Exception) -> str:
    """The first line of what an error says, of bounded length and without a full stop."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300].rstrip(".")


def _is_broken(error: psycopg.Error) -> bool:
    """Whether the connection or the server went away (no SQLSTATE, class 08, 57P01 to 57P05, or 25P03: held up)."""
    state = error.sqlstate
    return state is None or state.startswith(("08", "57P", "25P03"))


def _sever(connection: Connection) -> None:
    """Shut the socket under libpq, which then reads its end: every wait on it is over at once."""
    if connection.closed:
        return
    with suppress(OSError), socket.socket(fileno=os.dup(connection.fileno())) as same:
        same.shutdown(socket.SHUT_RDWR)


async def _answers(target: Target) -> bool:
    """Whether anybody takes TCP connections there."""
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            _, writer = await asyncio.open_connection(target.host, target.port)
    except OSError:
        return False
    writer.transport.abort()
    return True
