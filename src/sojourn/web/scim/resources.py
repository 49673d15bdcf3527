"""How people and groups read to a directory (RFC 7643, 4.1, 4.2), and what can be asked of this service (5 to 7)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from sojourn.domain.catalogue import Catalogue
from sojourn.domain.directory import members
from sojourn.domain.identifiers import PersonId
from sojourn.domain.standing import DIRECTORY, Standing

from .reading import Term

CORE = "urn:ietf:params:scim:schemas:core:2.0:"
MESSAGE = "urn:ietf:params:scim:api:messages:2.0:"
USERS, GROUPS = "/Users", "/Groups"
PAGE_MAX = 200
ALWAYS = ("schemas", "id", "meta")

Resource = dict[str, Any]


def user(person: PersonId, standing: Standing, catalogue: Catalogue, root: str) -> Resource:
    """A person for whom the directory answers."""
    known = catalogue.person(person)
    external = standing.provisioned[person]
    claimed = standing.claims.get((person, DIRECTORY), frozenset())
    listed = [(group, one.name) for group, one in standing.groups.items() if one.name in claimed]
    return _whole(
        {
            "schemas": [CORE + "User"],
            "id": person,
            **({"externalId": external} if external else {}),
            "userName": person,
            **({"displayName": known.name} if known is not None else {}),
            "active": known is not None,
            "groups": [{"value": group, "display": name} for group, name in sorted(listed)],
        },
        "User",
        f"{root}{USERS}/{person}",
    )


def group(name: str, standing: Standing, root: str) -> Resource:
    """A group of the directory."""
    held = standing.groups[name]
    inside = sorted(person for person in members(standing, held.name) if person in standing.provisioned)
    return _whole(
        {
            "schemas": [CORE + "Group"],
            "id": name,
            **({"externalId": held.external_id} if held.external_id else {}),
            "displayName": held.name,
            "members": [{"value": person, "type": "User", "$ref": f"{root}{USERS}/{person}"} for person in inside],
        },
        "Group",
        f"{root}{GROUPS}/{name}",
    )


def _whole(resource: Resource, kind: str, location: str) -> Resource:
    """With its version, which changes with anything that it says (RFC 7644, 3.14)."""
    version = hashlib.sha256(msgspec.json.encode(resource, order="sorted")).hexdigest()[:32]
    return {**resource, "meta": {"resourceType": kind, "location": location, "version": f'W/"{version}"'}}


def fits(resource: Mapping[str, Any], terms: Sequence[Term]) -> bool:
    """Whether every comparison of a filter holds. Names of people and groups are compared in whatever letters."""
    return all(_fits(resource, term) for term in terms)


def _fits(resource: Mapping[str, Any], term: Term) -> bool:
    if term.attribute in ("members", "members.value"):
        return any(one["value"] == term.value for one in resource.get("members", ()))
    held = next((value for name, value in resource.items() if name.lower() == term.attribute), None)
    if term.attribute in ("username", "displayname") and isinstance(held, str) and isinstance(term.value, str):
        return held.casefold() == term.value.casefold()
    return held is not None and type(held) is type(term.value) and bool(held == term.value)


def narrowed(resource: Resource, attributes: str | None, excluded: str | None) -> Resource:
    """Only the attributes that were asked for, or all but some (RFC 7644, 3.9)."""
    if attributes:
        wanted = {one.strip().partition(".")[0].lower() for one in attributes.split(",")}
        return {name: value for name, value in resource.items() if name in ALWAYS or name.lower() in wanted}
    unwanted = {one.strip().lower() for one in (excluded or "").split(",")}
    return {name: value for name, value in resource.items() if name in ALWAYS or name.lower() not in unwanted}


def listed(found: Sequence[Resource], start: int, count: int) -> Resource:
    """A page of what was found; `start` counts from 1 (RFC 7644, 3.4.2.4)."""
    page = found[start - 1 : start - 1 + count]
    return {
        "schemas": [MESSAGE + "ListResponse"],
        "totalResults": len(found),
        "startIndex": start,
        "itemsPerPage": len(page),
        "Resources": page,
    }


def configuration(root: str) -> Resource:
    """What this service can do (RFC 7643, 5)."""
    no = {"supported": False}
    return {
        "schemas": [CORE + "ServiceProviderConfig"],
        "patch": {"supported": True},
        "bulk": {**no, "maxOperations": 0, "maxPayloadSize": 0},
        "filter": {"supported": True, "maxResults": PAGE_MAX},
        "changePassword": no,
        "sort": no,
        "etag": {"supported": True},
        "authenticationSchemes": [
            {
                "type": "oauthbearertoken",
                "name": "Token for a program",
                "description": "Made with `sojourn token --scope provision`.",
            }
        ],
        "meta": {"resourceType": "ServiceProviderConfig", "location": f"{root}/ServiceProviderConfig"},
    }


def resource_types(root: str) -> list[Resource]:
    """What there is (RFC 7643, 6)."""
    return [
        {
            "schemas": [CORE + "ResourceType"],
            "id": kind,
            "name": kind,
            "endpoint": endpoint,
            "schema": CORE + kind,
            "meta": {"resourceType": "ResourceType", "location": f"{root}/ResourceTypes/{kind}"},
        }
        for kind, endpoint in (("User", USERS), ("Group", GROUPS))
    ]


def schemas(root: str) -> list[Resource]:
    """Which attributes they have (RFC 7643, 7)."""
    person = [
        _attribute("userName", required=True, mutability="immutable", uniqueness="server"),
        _attribute("externalId", exact=True),
        _attribute("displayName", mutability="readOnly"),
        _attribute("active", kind="boolean"),
        _attribute("groups", kind="complex", many=True, mutability="readOnly", parts=("value", "display")),
    ]
    group = [
        _attribute("displayName", required=True, uniqueness="server"),
        _attribute("externalId", exact=True),
        _attribute("members", kind="complex", many=True, parts=("value",)),
    ]
    return [
        {
            "schemas": [CORE + "Schema"],
            "id": CORE + kind,
            "name": kind,
            "attributes": attributes,
            "meta": {"resourceType": "Schema", "location": f"{root}/Schemas/{CORE}{kind}"},
        }
        for kind, attributes in (("User", person), ("Group", group))
    ]


def _attribute(
    name: str,
    *,
    kind: str = "string",
    many: bool = False,
    required: bool = False,
    exact: bool = False,
    mutability: str = "readWrite",
    uniqueness: str = "none",
    parts: Iterable[str] = (),
) -> Resource:
    inside = [_attribute(part, exact=True, mutability="immutable") for part in parts]
    return {
        "name": name,
        "type": kind,
        "multiValued": many,
        "required": required,
        "caseExact": exact,
        "mutability": mutability,
        "returned": "default",
        "uniqueness": uniqueness,
        **({"subAttributes": inside} if inside else {}),
    }
