"""The API's client in Python: typed calls, pages as iterators, errors with their stable codes.

    from sojourn.client import Client, calls
    from sojourn.web.api import bodies

    with Client("https://sojourn.example", token) as client:
        asked = client.do(calls.ASKING_SUBMIT, bodies.Ask(target="shop", role="read", duration="30m"), key="run-4711")
        for page in client.pages(calls.ASKING_LISTING, mine="1"):
            ...

- `calls` names every address of the API as its document does (`operationId`), with what is sent and what is answered.
- What is refused is raised as SojournError with the API's own code, sentence and next step.
- A call with a key is carried out once: when the line breaks, it is sent again with the same key.
- A stream whose messages have numbers goes on after the last one that was heard: none is lost, and none comes twice.

The command line uses the same transport.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Generic, Protocol, TypeVar

import httpx2
import msgspec

from sojourn.errors import Code, SojournError

from .transport import given, hear, place, read, transport

TRIES_MAX = 3
"""So often a call that has a key is sent when nothing answers."""

PAUSE_SECONDS = 1.0
"""Between a stream that broke off and coming back to it."""

KEY = "idempotency-key"
LAST = "last-event-id"
AWAY = (Code.SERVICE_TIMEOUT, Code.SERVICE_UNREACHABLE, Code.RECORD_UNAVAILABLE, Code.SERVICE_BUSY)
"""What may be otherwise a moment later."""

PLACES = ("before", "after")


class Paged(Protocol):
    """A page of a list: whether it goes on, and from where."""

    @property
    def more(self) -> bool:
        """Whether there is another page."""
        ...

    @property
    def next(self) -> int | None:
        """Where the next page begins."""
        ...


Body = TypeVar("Body", bound=msgspec.Struct)
Answer = TypeVar("Answer")
Page = TypeVar("Page", bound=Paged)


@dataclass(frozen=True, slots=True)
class Look(Generic[Answer]):
    """A GET that is answered by an `Answer`. `{…}` in the path are filled in order; `query` are the names it knows."""

    path: str
    answer: type[Answer]
    query: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Deed(Generic[Body, Answer]):
    """A POST of a `Body` that is answered by an `Answer`."""

    path: str
    body: type[Body]
    answer: type[Answer]


@dataclass(frozen=True, slots=True)
class File:
    """A GET that is answered by a file."""

    path: str
    query: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stream:
    """A GET that is answered by server-sent events, for as long as it is heard."""

    path: str
    query: tuple[str, ...] = ()


class Client:
    """One installation's API at `address`, with a person's or a program's `token` ("" before a sign-in).

    Connections are kept until `close`, or the end of a `with`. It may be used by one thread at a time.
    """

    def __init__(self, address: str, token: str = "") -> None:
        """Nothing is sent yet. Raises SojournError `input.invalid` for an address without TLS that is not here."""
        self._address = address.rstrip("/")
        self._token = token
        self._http = transport(self._address)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let the connections go."""
        self._http.close()

    def use(self, token: str) -> None:
        """Act with this token from here on, such as the one of a sign-in."""
        self._token = token

    def look(self, call: Look[Answer], *names: str | int, **query: str | int | None) -> Answer:
        """What is there. Raises SojournError: the API's own code, or `service.unreachable` or `.timeout`."""
        return _decoded(self._get(call.path, call.query, names, query), call.answer)

    def pages(self, call: Look[Page], *names: str | int, **query: str | int | None) -> Iterator[Page]:
        """Every page of a list, each asked for when the one before is done with. Raises as `look` does."""
        way = next(one for one in PLACES if one in call.query)
        while True:
            page = self.look(call, *names, **query)
            yield page
            if not page.more:
                return
            query = {**query, way: page.next}

    def do(self, call: Deed[Body, Answer], body: Body, *names: str | int, key: str = "") -> Answer:
        """Have something done; with a `key`, once, however often it has to be sent. Raises as `look` does."""
        content = msgspec.json.encode(body)
        headers = {"content-type": "application/json", **({KEY: key} if key else {})}
        path = _path(call.path, names)

        def sent() -> httpx2.Response:
            request = self._http.build_request("POST", path, content=content, headers=headers)
            return read(self._http, request, token=self._token)

        return _decoded(_until_answered(sent) if key else sent(), call.answer)

    def file(self, call: File, *names: str | int, **query: str | int | None) -> bytes:
        """The bytes of a file. Raises as `look` does."""
        return self._get(call.path, call.query, names, query).content

    def follow(self, call: Stream, *names: str | int, **query: str | int | None) -> Iterator[httpx2.ServerSentEvent]:
        """What happens, as it happens: `event`, `data` (`json()`) and, where messages have numbers, `id`.

        A stream of messages without numbers ends where it ends. One of messages with numbers is gone back to, after the
        last one that was heard, for ever. Raises as `look` does; of a line that broke, only when it stays broken.
        """
        last, tries = "", TRIES_MAX
        while True:
            request = self._asked(call.path, call.query, names, query)
            request.headers.update({LAST: last} if last else {})
            tries -= 1
            try:
                for one in hear(self._http, request, token=self._token):
                    last, tries = one.id or last, TRIES_MAX
                    if one.data:
                        yield one
            except SojournError as error:
                if not last or not tries or error.code not in AWAY:
                    raise
            if not last:
                return
            time.sleep(PAUSE_SECONDS)

    def _get(
        self, path: str, known: tuple[str, ...], names: tuple[str | int, ...], query: dict[str, str | int | None]
    ) -> httpx2.Response:
        return read(self._http, self._asked(path, known, names, query), token=self._token)

    def _asked(
        self, path: str, known: tuple[str, ...], names: tuple[str | int, ...], query: dict[str, str | int | None]
    ) -> httpx2.Request:
        unknown = [name for name in query if name not in known]
        if unknown:
            expected = ", ".join(known) or "none"
            raise SojournError(Code.INPUT_INVALID, problem=f"{path} knows no {unknown[0]}", expected=expected)
        return self._http.build_request("GET", _path(path, names), params=given(**query))


def _path(path: str, names: tuple[str | int, ...]) -> str:
    """The path with its names filled in, none of which can point anywhere else."""
    parts = path.strip("/").split("/")
    if len(names) != sum(part.startswith("{") for part in parts):
        raise SojournError(Code.INPUT_INVALID, problem=f"{len(names)} names are given", expected=f"those of {path}")
    left = iter(names)
    return place(*(str(next(left)) if part.startswith("{") else part for part in parts))


def _until_answered(sent: Callable[[], httpx2.Response]) -> httpx2.Response:
    """Send until something answers, whatever it says; a few times at most."""
    for _ in range(TRIES_MAX - 1):
        try:
            return sent()
        except SojournError as error:
            if error.code not in (Code.SERVICE_TIMEOUT, Code.SERVICE_UNREACHABLE):
                raise
    return sent()


def _decoded(answered: httpx2.Response, kind: type[Answer]) -> Answer:
    """The answer as what the API says it is. Raises SojournError `service.unreachable` for anything else."""
    try:
        if kind is type(None):
            return msgspec.convert(None, kind)
        return msgspec.json.decode(answered.content, type=kind)
    except msgspec.MsgspecError as error:
        where = f"{answered.url.scheme}://{answered.url.netloc.decode()} (what answers is not this Sojourn)"
        raise SojournError(Code.SERVICE_UNREACHABLE, address=where) from error
