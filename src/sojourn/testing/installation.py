"""A running installation over a real PostgreSQL, with four people who have signed in: what the demo shows, to test on.

alice and bob are engineers and approve each other, carol is an administrator, dora an auditor.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from sojourn.app.offline import invite_as_operator
from sojourn.demo.installation import (
    PEOPLE,
    PEOPLE_FILE,
    POLICY_FILE,
    SETTINGS_FILE,
    TARGETS_FILE,
    Installation,
    installation,
)
from sojourn.demo.production import Production

PASSWORD = "correct horse battery"
SECONDS = 40.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """The installation, the production database behind it, and everybody's token."""

    installation: Installation
    production: Production
    tokens: Mapping[str, str]

    def send(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        person: str = "",
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        whole: bool = True,
    ) -> httpx2.Response:
        """One request to the API, as that person. Unless it is wanted `whole`, what is no refusal is left unread."""
        signed = {"authorization": f"Bearer {self.tokens[person]}"} if person else {}
        asked = httpx2.stream(
            method,
            f"{self.installation.address}/api/v1{path}",
            json=body,
            content=content,
            headers={**signed, **(headers or {})},
            timeout=SECONDS,
        )
        with asked as answered:
            if whole or not answered.is_success:
                answered.read()
            return answered

    def get(self, path: str, *, person: str) -> Any:
        """What the API answers to a person's GET."""
        return self.send("GET", path, person=person).json()

    def post(self, path: str, body: object = None, *, person: str) -> Any:
        """What the API answers to a person's POST."""
        return self.send("POST", path, body or {}, person=person).json()

    def requested(self, *, role: str = "read", duration: str = "10m", reason: str = "to test") -> Any:
        """A request of alice's."""
        asked = {"target": "shop", "role": role, "duration": duration, "reason": reason}
        return self.post("/requests", asked, person="alice")

    def approved(self, *, role: str = "read", duration: str = "10m") -> Any:
        """A request of alice's that bob has approved."""
        asked = self.requested(role=role, duration=duration)
        return self.post(f"/requests/{asked['request']}/approve", {"digest": asked["digest"]}, person="bob")

    def granted(self, *, role: str = "read", duration: str = "10m") -> Any:
        """An active grant of alice's."""
        asked = self.approved(role=role, duration=duration)
        return self.post(f"/requests/{asked['request']}/activate", person="alice")


@contextmanager
def running(
    directory: Path,
    server: Production,
    *,
    people: str = PEOPLE_FILE,
    policy: str = POLICY_FILE,
    targets: str = TARGETS_FILE,
    settings: str = SETTINGS_FILE,
) -> Iterator[Running]:
    """An installation in `directory` over `server` while the context lasts. Every access is taken back at the end."""
    with installation(directory, server, people=people, policy=policy, targets=targets, settings=settings) as one:
        tokens: dict[str, str] = {}
        found = Running(installation=one, production=server, tokens=tokens)
        for person in PEOPLE:
            code = invite_as_operator(one.layout, person)["code"]
            found.send("POST", "/enrol", {"person": person, "code": code, "password": PASSWORD}).raise_for_status()
            signed = found.send("POST", "/sign-in", {"person": person, "password": PASSWORD}).raise_for_status()
            tokens[person] = signed.json()["token"]
        try:
            yield found
        finally:
            for grant in found.get("/grants?status=active", person="carol")["grants"]:
                found.post(f"/grants/{grant['grant']}/revoke", person="carol")
