"""What a browser sends, without one: a signed-in session that follows no redirect and runs no script."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import httpx2

from sojourn.web.exchange import COOKIE

from .installation import PASSWORD, SECONDS, Running


@dataclass(frozen=True, slots=True, kw_only=True)
class Browser:
    """One person's browser. `cookie` is the session that it keeps; "" is none."""

    address: str
    cookie: str = ""

    def get(self, path: str) -> httpx2.Response:
        """Open a page."""
        return httpx2.get(self.address + path, headers=self._headers(), timeout=SECONDS)

    def post(
        self, path: str, fields: Mapping[str, str] | None = None, *, headers: Mapping[str, str] | None = None
    ) -> httpx2.Response:
        """Send a form from a page of this site, or with other `headers` from elsewhere."""
        own = {"origin": self.address, "sec-fetch-site": "same-origin"} if headers is None else headers
        sent = {**self._headers(), **own}
        return httpx2.post(self.address + path, data=dict(fields or {}), headers=sent, timeout=SECONDS)

    def _headers(self) -> dict[str, str]:
        return {"cookie": f"{COOKIE}={self.cookie}"} if self.cookie else {}


def signed_in(sojourn: Running, person: str) -> Browser:
    """The browser of somebody who has just signed in."""
    stranger = Browser(address=sojourn.installation.address)
    answered = stranger.post("/sign-in", {"person": person, "password": PASSWORD})
    assert answered.status_code == 303, answered.text
    return Browser(address=stranger.address, cookie=answered.cookies[COOKIE])
