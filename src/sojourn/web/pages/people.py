"""People: who there is, what somebody can get and did, and what happens when they leave. And oneself."""

from __future__ import annotations

from sojourn.errors import Code, SojournError
from sojourn.web.api import passkeys, people, policy, standing
from sojourn.web.exchange import Exchange

from .frame import Onward, Shown, form, show


async def listing(exchange: Exchange) -> Shown:
    """GET /people: everybody."""
    return show("people.html", people=(await people.listing(exchange)).people)


async def one(exchange: Exchange) -> Shown:
    """GET /people/{name}: what they can get, what they held and did."""
    caller, name = await exchange.caller(), exchange.name
    person = next((one for one in (await people.listing(exchange)).people if one.person == name), None)
    if person is None:
        raise SojournError(Code.PERSON_UNKNOWN, person=name[:100])
    return show(
        "person.html",
        person=person,
        reach=await policy.reach(exchange.beside(person=name)),
        past=await standing.looked_back(exchange.beside(name)),
        administers=caller.administrator,
    )


async def invite(exchange: Exchange) -> Shown:
    """POST /people/{name}/invitation: the one-time code, shown once."""
    return show("invitation.html", invitation=await people.invite(exchange))


async def me(exchange: Exchange) -> Shown:
    """GET /me: who one is here, what opens one's account, and when one is away."""
    mine = await people.me(exchange)
    held = (await passkeys.listing(exchange)).passkeys
    away = [one for one in (await standing.listing(exchange)).absences if one.person == mine.person]
    everybody = exchange.services.office.in_force().catalogue.people
    others = [one for one in everybody if one.id != mine.person]
    return show("me.html", mine=mine, away=away, others=others, passkeys=held, fresh=await exchange.fresh())


async def add_passkey(exchange: Exchange) -> Onward:
    """POST /passkeys: one more that opens the reader's account. With an invitation one is added on its own page."""
    await exchange.caller()
    await passkeys.add(exchange)
    return Onward(path="/me")


leave = form(standing.leave, lambda back: f"/people/{back.person}")
rejoin = form(standing.rejoin, lambda shown: f"/people/{shown.person}")
declare = form(standing.declare, lambda _: "/me")
remove_passkey = form(passkeys.remove, lambda _: "/me")
end_absence = form(standing.end, lambda _: "/me")
