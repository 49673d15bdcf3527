"""People: signing in, enrolling, inviting, and who one is."""

from __future__ import annotations

import base64

from sojourn.domain.events import TokenPurpose
from sojourn.domain.identifiers import PersonId
from sojourn.errors import Code, SojournError
from sojourn.identity import accounts, tokens
from sojourn.identity.confirming import needed, usable
from sojourn.projections.moments import text
from sojourn.web.exchange import Exchange

from . import bodies, shapes, standing_shapes

CODE_BYTES = 15


async def sign_in(exchange: Exchange) -> shapes.SignedIn:
    """POST /sign-in: a password for a token."""
    services, sent = exchange.services, await exchange.body(bodies.SignIn)
    person = exchange.settled(
        await accounts.sign_in(
            services.office,
            person=PersonId(sent.person),
            password=sent.password,
            code=sent.code,
            source=exchange.source,
            reader=services.passwords,
            limit=services.limit,
        )
    )
    return await signed_in(exchange, person)


async def signed_in(exchange: Exchange, person: PersonId) -> shapes.SignedIn:
    """A token for somebody who has shown who they are."""
    services = exchange.services
    token, issued = await tokens.issue(
        services.office,
        person=person,
        purpose=TokenPurpose.API,
        life=services.settings.control.api_token_life,
        source=exchange.source,
        secret=services.random_bytes(tokens.SECRET_BYTES),
    )
    return shapes.SignedIn(person=person, token=token, expires_at=text(issued.expires_at), ssh=services.ssh is not None)


async def sign_out(exchange: Exchange) -> None:
    """POST /sign-out: the token is dead from here on."""
    person = await exchange.caller()
    await exchange.body(bodies.Nothing)
    await tokens.revoke(exchange.services.office, token=exchange.token.token, person=person.id)


async def enrol(exchange: Exchange) -> shapes.Enrolled:
    """POST /enrol: an invitation for an account."""
    services, sent = exchange.services, await exchange.body(bodies.Enrol)
    exchange.settled(
        await accounts.enrol(
            services.office,
            person=PersonId(sent.person),
            code=sent.code,
            password=sent.password,
            source=exchange.source,
            minimum=services.settings.control.password_length_min,
        )
    )
    return shapes.Enrolled(person=sent.person)


async def invite(exchange: Exchange) -> shapes.Invitation:
    """POST /people/{name}/invitation: an administrator lets somebody set up an account."""
    services, caller = exchange.services, await exchange.caller()
    await exchange.body(bodies.Nothing)
    if not caller.administrator:
        raise SojournError(Code.PERMISSION_DENIED, person=caller.id, action="invite people", who="an administrator")
    code = base64.b32encode(services.random_bytes(CODE_BYTES)).decode().lower()
    life = services.settings.control.invitation_life
    account = exchange.settled(
        await accounts.invite(
            services.office, person=PersonId(exchange.name), invited_by=caller.id, life=life, code=code
        )
    )
    assert account.invitation is not None
    return shapes.Invitation(person=account.person, code=code, expires_at=text(account.invitation.expires_at))


async def me(exchange: Exchange) -> shapes.Me:
    """GET /me: who the caller is."""
    caller = await exchange.caller()
    account = await accounts.load_account(exchange.services.office, caller.id)
    teams = exchange.services.office.in_force().catalogue.teams
    return shapes.Me(
        person=caller.id,
        name=caller.name,
        mail=caller.mail,
        administrator=caller.administrator,
        auditor=caller.auditor,
        second_factor=account is not None and account.second_factor is not None,
        confirms=needed(exchange.services.confirming, account),
        passkey=bool(usable(exchange.services.confirming, account)),
        password=account is not None and account.password is not None,
        teams=tuple(team.name for team in teams if caller.id in team.members),
    )


async def listing(exchange: Exchange) -> standing_shapes.PeopleListed:
    """GET /people: everybody of the configuration in force; for administrators and auditors."""
    caller = await exchange.caller()
    if not (caller.administrator or caller.auditor):
        who = "an administrator or an auditor"
        raise SojournError(Code.PERMISSION_DENIED, person=caller.id, action="see all people", who=who)
    office = exchange.services.office
    adopted, now = office.in_force(), office.clock.now()
    return standing_shapes.PeopleListed(
        people=tuple(
            standing_shapes.PersonListed(
                person=one.id,
                name=one.name,
                mail=one.mail,
                kind=one.kind,
                owner=one.owner,
                manager=one.manager,
                administrator=one.administrator,
                auditor=one.auditor,
                teams=tuple(team.name for team in adopted.catalogue.teams if one.id in team.members),
                left=one.id in adopted.standing.left,
                away=adopted.standing.away(one.id, now),
            )
            for one in sorted(adopted.catalogue.people, key=lambda one: one.id)
        )
    )
