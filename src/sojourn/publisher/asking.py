"""Asking one witness over HTTP (C2SP tlog-witness), with a deadline and a bound on every answer.

Nothing that a witness says is believed without a signature: a cosignature by its key, or a checkpoint by our own.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

import httpx2

from sojourn.errors import Code, SojournError
from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger import cosignature as cosignatures
from sojourn.ledger.checkpoint import Checkpoint
from sojourn.ledger.cosignature import Cosignature
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.note import Verifier
from sojourn.ledger.policy import Witness
from sojourn.ledger.submission import Submission

ANSWER_BYTES_MAX = 65_536
_SIZE = re.compile(r"(0|[1-9][0-9]{0,18})\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The witness has cosigned another size than we thought."""

    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradicted:
    """The witness holds another history: it refuses our proof, or our root for a size that it knows."""


def place_of(witness: Witness) -> str:
    """What a witness is called on record."""
    return f"witness:{witness.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One witness that can be asked. `seconds` is the deadline of each question."""

    witness: Witness
    http: httpx2.AsyncClient
    seconds: float

    async def cosign(self, submission: Submission) -> Cosignature | Known | Contradicted:
        """Ask for a cosignature.

        Raises SojournError `publication.unreachable` when there is no answer, or none that can be used.
        """
        status, answer = await self._ask("POST", "add-checkpoint", submission.format())
        match status:
            case HTTPStatus.OK:
                try:
                    return cosignatures.read_answer(submission.note, answer, self.witness.cosigner)
                except LedgerError as error:
                    raise self._unusable(str(error)) from error
            case HTTPStatus.CONFLICT:
                size = _SIZE.fullmatch(answer)
                if size is None:
                    raise self._unusable("it names no size")
                if int(size[1]) == submission.old == submission.checkpoint.size:
                    return Contradicted()
                return Known(size=int(size[1]))
            case HTTPStatus.UNPROCESSABLE_ENTITY:
                return Contradicted()
            case HTTPStatus.NOT_FOUND:
                raise self._unusable("it does not know this ledger; its owner adds it with `sojourn witness add-log`")
            case _:
                raise self._unusable(f"it answers {status}: {_one_line(answer)}")

    async def latest(self, verifier: Verifier) -> Checkpoint | None:
        """The newest checkpoint of ours that the witness has cosigned; None if there is none or it does not tell.

        Telling it is an addition of `sojourn witness`; other witnesses answer 404. Raises SojournError
        `publication.unreachable`.
        """
        status, answer = await self._ask("GET", f"checkpoint/{verifier.name}")
        if status != HTTPStatus.OK:
            return None
        try:
            if not cosignatures.verify(answer, [self.witness.cosigner]):
                return None
            return checkpoints.open(answer, verifier)
        except LedgerError:
            return None

    async def _ask(self, method: str, path: str, content: bytes | None = None) -> tuple[int, str]:
        if not self.witness.url:
            raise self._unusable("the policy names no address for it")
        body = bytearray()
        try:
            async with (
                asyncio.timeout(self.seconds),
                self.http.stream(method, f"{self.witness.url.rstrip('/')}/{path}", content=content) as response,
            ):
                async for part in response.aiter_bytes():
                    body += part
                    if len(body) > ANSWER_BYTES_MAX:
                        raise self._unusable("its answer is too long")
            return response.status_code, body.decode()
        except TimeoutError as error:
            raise self._unusable(f"no answer within {self.seconds:g} seconds") from error
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, UnicodeDecodeError) as error:
            raise self._unusable(f"{type(error).__name__} {error}".strip()) from error

    def _unusable(self, problem: str) -> SojournError:
        return SojournError(Code.PUBLICATION_UNREACHABLE, place=place_of(self.witness), problem=problem)


HttpClient = Callable[[], httpx2.AsyncClient]
"""Opens an HTTP client; to be used as an asynchronous context manager."""


def http_client() -> httpx2.AsyncClient:
    """The client that witnesses and authorities are asked with: no redirects, no cookies kept, few connections."""
    return httpx2.AsyncClient(
        follow_redirects=False,
        trust_env=False,
        limits=httpx2.Limits(max_connections=100, max_keepalive_connections=20),
        headers={"User-Agent": "sojourn", "Content-Type": "text/plain; charset=utf-8"},
        timeout=None,
    )


def _one_line(text: str) -> str:
    return " ".join(text[:200].split())
