"""People as the directory hands them over. Their id and `userName` is that of people.yaml."""

from __future__ import annotations

from collections.abc import Callable

from starlette.responses import Response

from sojourn.domain.directory import HandOver, Saying, TakeBack
from sojourn.domain.identifiers import PersonId
from sojourn.domain.standing import Standing
from sojourn.errors import Code, Refusal, SojournError
from sojourn.web.api.standing import seen, wound_up
from sojourn.web.exchange import Exchange
from sojourn.workflow.adopt import load_standing
from sojourn.workflow.directory import hear

from .answering import program, resource, sent
from .looking import page, require_unchanged, root, shown
from .reading import Op, Operation, boolean, field, invalid, read_patch, text
from .resources import Resource, user


async def listing(exchange: Exchange) -> Response:
    """GET /Users: those for whom the directory answers."""
    await program(exchange)
    standing = exchange.services.office.in_force().standing
    return page(exchange, [_shown(exchange, person, standing) for person in sorted(standing.provisioned)])


async def one(exchange: Exchange) -> Response:
    """GET /Users/{name}."""
    await program(exchange)
    return shown(exchange, _known(exchange, exchange.services.office.in_force().standing))


async def create(exchange: Exchange) -> Response:
    """POST /Users: the directory answers for somebody of people.yaml from here on."""
    await program(exchange)
    body = await sent(exchange)
    person = PersonId(text(field(body, "username"), "userName"))
    saying = _said(body, person, known=False)
    return await _heard(exchange, "scim create user", person, lambda _: saying, 201)


async def put(exchange: Exchange) -> Response:
    """PUT /Users/{name}: all that the directory says of them."""
    await program(exchange)
    person, body = PersonId(exchange.name), await sent(exchange)
    _same_name(person, field(body, "username"))
    saying = _said(body, person, known=True)

    def decide(standing: Standing) -> Saying | Refusal:
        require_unchanged(exchange, _known(exchange, standing))
        return saying

    return await _heard(exchange, "scim replace user", person, decide)


async def patch(exchange: Exchange) -> Response:
    """PATCH /Users/{name}: some of it."""
    await program(exchange)
    person, operations = PersonId(exchange.name), read_patch(await sent(exchange))

    def decide(standing: Standing) -> Saying | Refusal:
        require_unchanged(exchange, _known(exchange, standing))
        saying = HandOver(
            person=person,
            external_id=standing.provisioned[person],
            active=person not in standing.left,
            known=True,
        )
        for operation in operations:
            saying = _changed(saying, operation)
        return saying

    return await _heard(exchange, "scim change user", person, decide)


async def delete(exchange: Exchange) -> Response:
    """DELETE /Users/{name}: they have left."""
    caller, person = await program(exchange), PersonId(exchange.name)

    def decide(standing: Standing) -> Saying | Refusal:
        require_unchanged(exchange, _known(exchange, standing))
        return TakeBack(person=person)

    before = exchange.services.office.in_force().standing
    standing = exchange.settled(
        await hear(
            exchange.services.office, by=caller.id, source=exchange.source, verb="scim delete user", saying=decide
        )
    )
    await _settled(exchange, person, before, standing)
    return Response(None, 204)


async def _heard(
    exchange: Exchange, verb: str, person: PersonId, saying: Callable[[Standing], Saying | Refusal], status: int = 200
) -> Response:
    """Have it recorded, and show how the person reads afterwards."""
    office = exchange.services.office
    before = await load_standing(office.ledger)
    standing = exchange.settled(
        await hear(office, by=exchange.token.person, source=exchange.source, verb=verb, saying=saying)
    )
    await _settled(exchange, person, before, standing)
    return resource(_shown(exchange, person, standing), status)


async def _settled(exchange: Exchange, person: PersonId, before: Standing, after: Standing) -> None:
    """Wait until it counts here; of somebody who has left by it, all is wound up."""
    await seen(exchange, after.version)
    if person in after.left and person not in before.left:
        await wound_up(exchange, person, by=exchange.token.person)


def _said(body: Resource, person: PersonId, *, known: bool) -> HandOver:
    active = field(body, "active")
    return HandOver(
        person=person,
        external_id=text(field(body, "externalid"), "externalId"),
        active=True if active is None else boolean(active),
        known=known,
    )


def _changed(saying: HandOver, operation: Operation) -> HandOver:
    external, active = saying.external_id, saying.active
    match operation.attribute:
        case "active":
            active = operation.op is not Op.REMOVE and boolean(operation.value)
        case "externalid":
            external = "" if operation.op is Op.REMOVE else text(operation.value, "externalId")
        case "username":
            _same_name(saying.person, operation.value)
    return HandOver(person=saying.person, external_id=external, active=active, known=True)


def _same_name(person: PersonId, given: object) -> None:
    if text(given, "userName").casefold() != person.casefold():
        raise invalid("`userName` is the id in people.yaml, and stays")


def _known(exchange: Exchange, standing: Standing) -> Resource:
    person = PersonId(exchange.name)
    if person not in standing.provisioned:
        raise SojournError(Code.DIRECTORY_UNKNOWN, what="person", name=person[:100])
    return _shown(exchange, person, standing)


def _shown(exchange: Exchange, person: PersonId, standing: Standing) -> Resource:
    adopted = exchange.services.office.in_force()
    return user(person, standing, adopted.catalogue.without(standing.left), root(exchange))
