"""The table of addresses says who may call each; here everybody calls each, and the table has to be right."""

from __future__ import annotations

import msgspec
import pytest
from msgspec import inspect

from sojourn.testing.installation import Running
from sojourn.web.api.endpoints import ADMINISTRATOR, AUDITOR, ENDPOINTS, OPEN, OVERSIGHT, Endpoint

EVERYBODY = ("alice", "bob", "carol", "dora")
ENTITLED = {OVERSIGHT: ("carol", "dora"), ADMINISTRATOR: ("carol",), AUDITOR: ("dora",)}
MOMENT = "2027-01-01T00:00:00Z"
REAL = {
    "scope": "person",
    "name": "alice",
    "person": "alice",
    "reason": "to see who may",
    "record_class": "statement",
    "days": 400,
    "files": {"people.yaml": "people: {}\n", "targets.yaml": "targets: {}\n", "policy.yaml": "rules: {}\n"},
}
"""What is looked at before it is asked who may: it has to be something."""

LOOKS = {one.path: one for one in ENDPOINTS if one.method == "GET" and one.permission is not OPEN}
DEEDS = {one.path: one for one in ENDPOINTS if one.method != "GET" and one.permission in ENTITLED}


@pytest.mark.parametrize("path", LOOKS)
def test_a_look_is_for_those_whom_the_table_names_and_for_nobody_else(sojourn: Running, path: str) -> None:
    for person in EVERYBODY:
        answered = sojourn.send("GET", path.replace("{name}", "nobody"), person=person, whole=False)
        code = "" if answered.status_code == 200 else answered.json()["error"]["code"]
        if person in ENTITLED.get(LOOKS[path].permission, EVERYBODY):
            assert code != "permission.denied", person
        else:
            assert answered.status_code in (403, 404), (person, answered.text)


@pytest.mark.parametrize("path", DEEDS)
def test_a_deed_of_an_office_is_refused_to_everybody_else(sojourn: Running, path: str) -> None:
    one = DEEDS[path]
    for person in EVERYBODY:
        if person not in ENTITLED[one.permission]:
            name = "statement" if path.startswith("/retention/") else "nobody"
            answered = sojourn.send(one.method, path.replace("{name}", name), _least(one), person=person)
            assert answered.status_code in (403, 404), (person, answered.text)


def test_every_address_that_takes_a_body_says_which(sojourn: Running) -> None:
    assert [one.path for one in ENDPOINTS if (one.method == "GET") is not (one.body is None)] == []


def _least(one: Endpoint) -> dict[str, object]:
    """A body of the right shape with nothing in it that has to be refused."""
    kind = inspect.type_info(one.body)
    assert isinstance(kind, inspect.StructType)
    return {
        field.encode_name: REAL.get(field.encode_name, _value(field.type))
        for field in kind.fields
        if field.required or field.encode_name in REAL
    }


def _value(kind: inspect.Type) -> object:
    match kind:
        case inspect.StrType():
            return MOMENT
        case inspect.IntType():
            return 1
        case inspect.BoolType():
            return False
        case inspect.EnumType():
            return next(iter(kind.cls)).value
        case inspect.DictType():
            return {}
        case inspect.VarTupleType():
            return []
        case _:
            raise AssertionError(msgspec.to_builtins(str(kind)))
