"""An office with an empty ledger, and somebody who has a browser."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from sojourn.domain.account import Account, Passkey
from sojourn.domain.events import AttemptRefused
from sojourn.domain.identifiers import ATTEMPTS, PersonId
from sojourn.errors import Refusal
from sojourn.identity import accounts, passkeys
from sojourn.identity.ceremonies import RelyingParty
from sojourn.identity.challenges import Challenges
from sojourn.identity.passkeys import Passkeys
from sojourn.testing.authenticator import Authenticator
from sojourn.testing.organisation import ALICE, ERIN, Workplace

URL = "https://sojourn.example"
KEY = b"the key that all nodes have"


@dataclass
class Desk:
    """A workplace with passkeys, and what people do there."""

    place: Workplace
    url: str = URL
    numbers: itertools.count[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        """Wire it up."""
        self.keys = Passkeys(
            office=self.place.office,
            challenges=Challenges(self.place.clock.now, os.urandom, KEY),
            party=lambda: RelyingParty(self.url),
        )

    def browser(self, **kinds: Any) -> Authenticator:
        """A browser with an authenticator, on a page of this installation."""
        return Authenticator(**{"origin": self.url, **kinds})

    async def invited(self, person: PersonId = ALICE) -> str:
        """The code of an invitation."""
        code = f"code {next(self.numbers)}"
        made = await accounts.invite(
            self.place.office, person=person, invited_by=ERIN, life=timedelta(hours=1), code=code
        )
        assert not isinstance(made, Refusal)
        return code

    def another_node(self) -> Desk:
        """The same workplace, served by another process."""
        return Desk(self.place, self.url, self.numbers)

    async def asked(self, person: PersonId = ALICE, code: str = "") -> tuple[dict[str, Any], str]:
        """What a browser is asked to make, and the ticket."""
        asked = await passkeys.offer(self.keys, person=person, code=code, source="here")
        assert not isinstance(asked, Refusal)
        return json.loads(asked.options), asked.ticket

    async def registered(self, browser: Authenticator, person: PersonId = ALICE, code: str = "") -> Passkey | Refusal:
        """The passkey that this browser makes now."""
        options, ticket = await self.asked(person, code)
        return await self.register(browser.create(options), ticket, person, code)

    async def register(
        self, credential: dict[str, Any], ticket: str, person: PersonId = ALICE, code: str = ""
    ) -> Passkey | Refusal:
        """Hand in what a browser has made."""
        return await passkeys.register(
            self.keys, person=person, code=code, label="a laptop", ticket=ticket, credential=credential, source="here"
        )

    async def signed_in(
        self, browser: Authenticator, change: Callable[[dict[str, Any]], object] = lambda answer: None
    ) -> PersonId | Refusal:
        """Who this browser is after a sign-in; `change` alters its answer on the way."""
        asked = passkeys.ask(self.keys)
        answer = browser.get(json.loads(asked.options))
        change(answer)
        return await passkeys.sign_in(self.keys, ticket=asked.ticket, credential=answer, source="here")

    async def account(self, person: PersonId = ALICE) -> Account:
        """The account of somebody who has one."""
        held = await accounts.load_account(self.place.office, person)
        assert held is not None
        return held

    def refused(self) -> list[tuple[str, str, str]]:
        """Verb, actor and code of every attempt on record."""
        entries = [one.event for one in self.place.entries(ATTEMPTS)]
        return [(one.verb, one.actor, one.code) for one in entries if isinstance(one, AttemptRefused)]


@pytest.fixture
async def desk() -> Desk:
    """A workplace where nobody has an account yet."""
    return Desk(await Workplace.open())
