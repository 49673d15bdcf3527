"""Passkeys: made with an invitation or by somebody who has just signed in, and used to sign in."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from sojourn.domain.account import Passkey
from sojourn.domain.identifiers import PasskeyId, PersonId
from sojourn.identity import accounts, passkeys
from sojourn.identity.ceremonies import read_credential
from sojourn.web.exchange import Exchange

from . import bodies, identity_shapes, shapes
from .people import signed_in
from .viewing import opened_all


async def offer(exchange: Exchange) -> identity_shapes.PasskeyAsked:
    """POST /passkeys/options: what a browser needs to make a passkey."""
    sent = await exchange.body(bodies.PasskeyOffer)
    person = await _whose(exchange, sent.person, sent.code)
    asked = exchange.settled(
        await passkeys.offer(exchange.services.passkeys, person=person, code=sent.code, source=exchange.source)
    )
    return _asked(asked)


async def add(exchange: Exchange) -> identity_shapes.PasskeyShown:
    """POST /passkeys: the passkey that a browser has made opens the account from here on."""
    sent = await exchange.body(bodies.PasskeyMade)
    person = await _whose(exchange, sent.person, sent.code)
    added = exchange.settled(
        await passkeys.register(
            exchange.services.passkeys,
            person=person,
            code=sent.code,
            label=sent.label,
            ticket=sent.ticket,
            credential=read_credential(sent.credential),
            source=exchange.source,
        )
    )
    (shown,) = await _shown(exchange, [added])
    return shown


async def listing(exchange: Exchange) -> identity_shapes.PasskeyList:
    """GET /passkeys: the caller's own."""
    caller = await exchange.caller()
    account = await accounts.load_account(exchange.services.office, caller.id)
    held = () if account is None else account.passkeys
    return identity_shapes.PasskeyList(passkeys=await _shown(exchange, held))


async def remove(exchange: Exchange) -> None:
    """POST /passkeys/{name}/remove: a passkey of the caller's opens nothing from here on."""
    caller = await exchange.caller()
    await exchange.body(bodies.Nothing)
    await exchange.require_fresh()
    exchange.settled(
        await passkeys.remove(
            exchange.services.passkeys, person=caller.id, passkey=PasskeyId(exchange.name), source=exchange.source
        )
    )


async def ask(exchange: Exchange) -> identity_shapes.PasskeyAsked:
    """POST /sign-in/passkey/options: what a browser needs to sign in with whatever passkey it has."""
    await exchange.body(bodies.Nothing)
    return _asked(passkeys.ask(exchange.services.passkeys))


async def sign_in(exchange: Exchange) -> shapes.SignedIn:
    """POST /sign-in/passkey: the answer of a passkey for a token."""
    sent = await exchange.body(bodies.PasskeyAnswer)
    person = exchange.settled(
        await passkeys.sign_in(
            exchange.services.passkeys,
            ticket=sent.ticket,
            credential=read_credential(sent.credential),
            source=exchange.source,
        )
    )
    return await signed_in(exchange, person)


async def _whose(exchange: Exchange, person: str, code: str) -> PersonId:
    """Who is invited by the code, or who is signed in, and has been only just: a passkey stays for years."""
    if code:
        return PersonId(person)
    caller = await exchange.caller()
    await exchange.require_fresh()
    return caller.id


def _asked(asked: passkeys.Asked) -> identity_shapes.PasskeyAsked:
    return identity_shapes.PasskeyAsked(ticket=asked.ticket, public_key=msgspec.Raw(asked.options))


async def _shown(exchange: Exchange, held: Iterable[Passkey]) -> tuple[identity_shapes.PasskeyShown, ...]:
    listed = tuple(held)
    labels = await opened_all(exchange, [one.added.label.commitment for one in listed])
    return tuple(
        identity_shapes.PasskeyShown(
            passkey=one.added.passkey,
            label=labels.get(one.added.label.commitment),
            rp_id=one.added.rp_id,
            synced=one.added.synced,
            sign_count=one.sign_count,
        )
        for one in listed
    )
