"""The policy in force, to read: the table of its rules, and who can get what by them."""

from __future__ import annotations

from sojourn.configuration.rendering import tables
from sojourn.domain.identifiers import PersonId, RoleName, TargetName
from sojourn.domain.policy.difference import say_way
from sojourn.domain.reach import accesses_of, who_can
from sojourn.errors import Code, SojournError
from sojourn.web.exchange import Exchange

from . import policy_shapes


async def rendered(exchange: Exchange) -> policy_shapes.PolicyShown:
    """GET /policy: the rules in force as an auditor reads them; for administrators and auditors."""
    await _overseer(exchange, "read the policy")
    adopted = exchange.services.office.in_force()
    return policy_shapes.PolicyShown(
        version=adopted.version,
        tables=tuple(
            policy_shapes.TableShown(title=one.title, columns=one.columns, rows=one.rows)
            for one in tables(adopted.catalogue)
        ),
    )


async def reach(exchange: Exchange) -> policy_shapes.WhoCan:
    """GET /policy/who-can?target=…&role=…&person=…: everybody who can get it, exactly, and by which rules."""
    await _overseer(exchange, "ask who can get what")
    adopted = exchange.services.office.in_force()
    catalogue = adopted.catalogue
    target, role, person = (exchange.query(name) or "" for name in ("target", "role", "person"))
    if not target and not person:
        raise SojournError(Code.INPUT_INVALID, problem="Neither a target nor a person is given", expected="one of them")
    if target and catalogue.target(TargetName(target)) is None:
        raise SojournError(Code.TARGET_UNKNOWN, target=target[:100])
    if person and catalogue.person(PersonId(person)) is None:
        raise SojournError(Code.PERSON_UNKNOWN, person=person[:100])
    if target:
        found = who_can(adopted, TargetName(target), RoleName(role) if role else None)
        found = tuple(one for one in found if person in ("", one.person))
    else:
        found = accesses_of(adopted, PersonId(person))
    return policy_shapes.WhoCan(
        version=adopted.version,
        accesses=tuple(
            policy_shapes.ReachShown(
                person=one.person,
                target=one.target,
                role=one.role,
                ways=tuple(policy_shapes.WayShown(rule=way.rule, how=say_way(way)) for way in one.ways),
            )
            for one in found
        ),
    )


async def _overseer(exchange: Exchange, action: str) -> None:
    caller = await exchange.caller()
    if not (caller.administrator or caller.auditor):
        raise SojournError(
            Code.PERMISSION_DENIED, person=caller.id, action=action, who="an administrator or an auditor"
        )
