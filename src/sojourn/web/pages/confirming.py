"""With what the reader of a page confirms the decision that it offers them."""

from __future__ import annotations

from dataclasses import dataclass

from sojourn.identity.confirming import Needed
from sojourn.web.api import people
from sojourn.web.exchange import Exchange


@dataclass(frozen=True, slots=True)
class Ways:
    """Whether a passkey of the reader's can confirm a decision here, and whether their password can."""

    passkey: bool
    password: bool


async def ways(exchange: Exchange, *, always: bool = False) -> Ways | None:
    """How a decision is to be confirmed; None where it need not be. `always` is for what is never taken without."""
    mine = await people.me(exchange.beside())
    if not (mine.confirms or always):
        return None
    return Ways(mine.passkey, mine.password and mine.confirms != Needed.PASSKEY)
