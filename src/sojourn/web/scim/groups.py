"""Groups as the directory pushes them; `groups` of people.yaml says which teams they fill."""

from __future__ import annotations

from collections.abc import Callable

from starlette.responses import Response

from sojourn.domain import directory
from sojourn.domain.directory import DropGroup, SayGroup, Saying
from sojourn.domain.identifiers import PersonId
from sojourn.domain.standing import Standing
from sojourn.errors import Code, Refusal, SojournError
from sojourn.web.api.standing import seen
from sojourn.web.exchange import Exchange
from sojourn.workflow.directory import hear

from .answering import program, resource, sent
from .looking import page, require_unchanged, root, shown
from .reading import Op, Operation, field, invalid, members, read_patch, text
from .resources import Resource, group


async def listing(exchange: Exchange) -> Response:
    """GET /Groups: those that the directory has pushed."""
    await program(exchange)
    standing = exchange.services.office.in_force().standing
    return page(exchange, [group(name, standing, root(exchange)) for name in sorted(standing.groups)])


async def one(exchange: Exchange) -> Response:
    """GET /Groups/{name}."""
    await program(exchange)
    return shown(exchange, _known(exchange, exchange.services.office.in_force().standing))


async def create(exchange: Exchange) -> Response:
    """POST /Groups: there is such a group, with these members."""
    await program(exchange)
    saying = _said(exchange.services.office.new_id("d"), await sent(exchange), known=False)
    return await _heard(exchange, "scim create group", saying.group, lambda _: saying, 201)


async def put(exchange: Exchange) -> Response:
    """PUT /Groups/{name}: all that the directory says of it."""
    await program(exchange)
    saying = _said(exchange.name, await sent(exchange), known=True)

    def decide(standing: Standing) -> Saying | Refusal:
        require_unchanged(exchange, _known(exchange, standing))
        return saying

    return await _heard(exchange, "scim replace group", saying.group, decide)


async def patch(exchange: Exchange) -> Response:
    """PATCH /Groups/{name}: a name, or some members."""
    await program(exchange)
    operations = read_patch(await sent(exchange))

    def decide(standing: Standing) -> Saying | Refusal:
        require_unchanged(exchange, _known(exchange, standing))
        held = standing.groups[exchange.name]
        saying = SayGroup(
            group=held.group,
            name=held.name,
            external_id=held.external_id,
            members=directory.members(standing, held.name),
            known=True,
        )
        for operation in operations:
            saying = _changed(saying, operation)
        return saying

    return await _heard(exchange, "scim change group", exchange.name, decide)


async def delete(exchange: Exchange) -> Response:
    """DELETE /Groups/{name}: nobody is in a team through it any more."""
    caller = await program(exchange)

    def decide(standing: Standing) -> Saying | Refusal:
        require_unchanged(exchange, _known(exchange, standing))
        return DropGroup(group=exchange.name)

    standing = exchange.settled(
        await hear(
            exchange.services.office, by=caller.id, source=exchange.source, verb="scim delete group", saying=decide
        )
    )
    await seen(exchange, standing.version)
    return Response(None, 204)


async def _heard(
    exchange: Exchange, verb: str, name: str, saying: Callable[[Standing], Saying | Refusal], status: int = 200
) -> Response:
    """Have it recorded, and show how the group reads afterwards."""
    office = exchange.services.office
    standing = exchange.settled(
        await hear(office, by=exchange.token.person, source=exchange.source, verb=verb, saying=saying)
    )
    await seen(exchange, standing.version)
    return resource(group(name, standing, root(exchange)), status)


def _said(name: str, body: Resource, *, known: bool) -> SayGroup:
    return SayGroup(
        group=name,
        name=_name(field(body, "displayname")),
        external_id=text(field(body, "externalid"), "externalId"),
        members=_people(field(body, "members")),
        known=known,
    )


def _changed(saying: SayGroup, operation: Operation) -> SayGroup:
    name, external, inside = saying.name, saying.external_id, saying.members
    match operation.attribute, operation.op:
        case "displayname", _:
            name = _name(operation.value)
        case "externalid", op:
            external = "" if op is Op.REMOVE else text(operation.value, "externalId")
        case "members", Op.ADD:
            inside |= _people(operation.value)
        case "members", Op.REPLACE:
            inside = _people(operation.value)
        case "members", Op.REMOVE:
            inside = frozenset() if operation.value is None else inside - _people(operation.value)
    return SayGroup(group=saying.group, name=name, external_id=external, members=inside, known=True)


def _people(value: object) -> frozenset[PersonId]:
    return frozenset(PersonId(one) for one in members(value))


def _name(value: object) -> str:
    name = text(value, "displayName")
    if not name:
        raise invalid("a group has a `displayName`")
    return name


def _known(exchange: Exchange, standing: Standing) -> Resource:
    if exchange.name not in standing.groups:
        raise SojournError(Code.DIRECTORY_UNKNOWN, what="group", name=exchange.name[:100])
    return group(exchange.name, standing, root(exchange))
