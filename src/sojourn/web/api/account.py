"""One's own account: password and second factor; and the recovery of somebody else's by two people."""

from __future__ import annotations

import base64

from sojourn.domain.identifiers import PersonId, TokenId
from sojourn.identity import accounts, recovering, second_factor
from sojourn.projections import queries
from sojourn.projections.moments import text
from sojourn.web.exchange import Exchange
from sojourn.workflow.leave import revoke_tokens

from . import bodies, identity_shapes, shapes
from .people import CODE_BYTES


async def change_password(exchange: Exchange) -> None:
    """POST /password: another password, or the first one; for somebody who has just signed in."""
    services, caller = exchange.services, await exchange.caller()
    sent = await exchange.body(bodies.NewPassword)
    await exchange.require_fresh()
    exchange.settled(
        await accounts.change_password(
            services.office,
            person=caller.id,
            password=sent.password,
            source=exchange.source,
            minimum=services.settings.control.password_length_min,
        )
    )


async def offer_second_factor(exchange: Exchange) -> identity_shapes.SecondFactorOffered:
    """POST /second-factor/options: a secret for an authenticator app."""
    services, caller = exchange.services, await exchange.caller()
    await exchange.body(bodies.Nothing)
    await exchange.require_fresh()
    challenges, host = services.passkeys.challenges, services.passkeys.party().id
    offered = second_factor.offer(challenges, person=caller.id, issuer=f"Sojourn {host}")
    return identity_shapes.SecondFactorOffered(ticket=offered.ticket, secret=offered.secret, address=offered.address)


async def begin_second_factor(exchange: Exchange) -> None:
    """POST /second-factor: codes of that secret are asked for from here on, beside the password."""
    services, caller = exchange.services, await exchange.caller()
    sent = await exchange.body(bodies.SecondFactor)
    await exchange.require_fresh()
    exchange.settled(
        await second_factor.begin(
            services.office,
            services.passkeys.challenges,
            person=caller.id,
            ticket=sent.ticket,
            code=sent.code,
            source=exchange.source,
        )
    )


async def remove_second_factor(exchange: Exchange) -> None:
    """POST /second-factor/remove: no codes are asked for any more."""
    caller = await exchange.caller()
    await exchange.body(bodies.Nothing)
    await exchange.require_fresh()
    exchange.settled(await second_factor.remove(exchange.services.office, person=caller.id, source=exchange.source))


async def ask_recovery(exchange: Exchange) -> identity_shapes.RecoveryAskedFor:
    """POST /people/{name}/recovery: they have lost every way in, says one; another administrator has to confirm it."""
    caller, sent = await exchange.caller(), await exchange.body(bodies.Reason)
    account = exchange.settled(
        await recovering.ask_recovery(
            exchange.services.office,
            person=PersonId(exchange.name),
            by=caller.id,
            reason=sent.reason,
            source=exchange.source,
        )
    )
    assert account.recovery is not None, "what was just recorded is there"
    return identity_shapes.RecoveryAskedFor(person=account.person, until=text(account.recovery.until))


async def confirm_recovery(exchange: Exchange) -> shapes.Invitation:
    """POST /people/{name}/recovery/confirm: nothing opens the account any more but this one-time code."""
    services, caller = exchange.services, await exchange.caller()
    await exchange.body(bodies.Nothing)
    person = PersonId(exchange.name)
    code = base64.b32encode(services.random_bytes(CODE_BYTES)).decode().lower()
    account = exchange.settled(
        await recovering.confirm_recovery(
            services.office,
            person=person,
            by=caller.id,
            code=code,
            life=services.settings.control.invitation_life,
            source=exchange.source,
        )
    )
    await end_sessions(exchange, person, by=caller.id)
    assert account.invitation is not None, "a recovery invites"
    return shapes.Invitation(person=person, code=code, expires_at=text(account.invitation.expires_at))


async def end_sessions(exchange: Exchange, person: PersonId, *, by: PersonId) -> int:
    """Kill every token of somebody, of whatever kind; gives how many there were."""
    await exchange.caught_up()
    now = exchange.services.office.clock.now()
    with exchange.services.projections.reading() as connection:
        live = queries.live_tokens(connection, person, text(now))
    await revoke_tokens(exchange.services.office, tokens=tuple(TokenId(one.id) for one in live), by=by)
    return len(live)
