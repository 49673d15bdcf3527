"""By HTTPS: one POST for each batch, one JSON object a line (NDJSON), with a bearer token."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import dataclass

import httpx2

from .sink import Message, SinkError


@dataclass(frozen=True, slots=True, kw_only=True)
class Https:
    """Implements `Sink`. `authority` is the file of certificates that the server's leads to; "" the system's."""

    name: str
    url: str
    token: str
    authority: str
    seconds: float

    async def send(self, messages: Sequence[Message]) -> None:
        """See `Sink.send`. Anything but a 2xx is not taken."""
        headers = {"content-type": "application/x-ndjson"}
        if self.token:
            headers["authorization"] = f"Bearer {self.token}"
        body = b"".join(message.body + b"\n" for message in messages)
        try:
            context = ssl.create_default_context(cafile=self.authority or None)
            async with httpx2.AsyncClient(timeout=self.seconds, follow_redirects=False, verify=context) as client:
                answered = await client.post(self.url, content=body, headers=headers)
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            raise SinkError(f"it cannot be reached ({type(error).__name__}: {error})") from error
        if not answered.is_success:
            raise SinkError(f"it answered {answered.status_code}")

    async def close(self) -> None:
        """Nothing is kept open."""
