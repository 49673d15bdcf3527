"""Every kind of entry is an OCSF event that the published schema knows, and carries the entry whole.

The newest schema that a package carries is 1.8.0; what came with 1.9 (user management, roles, the profile
`record_integrity`) is added to it here by hand.
"""

from __future__ import annotations

import asyncio
import copy
import hashlib
import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, cast

import jsonschema_rs
import msgspec
import pytest
from hypothesis import strategies as st
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

from sojourn.domain.events import KINDS, Event, RequestSubmitted
from sojourn.domain.history import Recorded
from sojourn.domain.identifiers import StreamName
from sojourn.domain.window import Window
from sojourn.evidence.ocsf import Source, ocsf_event
from sojourn.testing.organisation import Workplace
from sojourn.testing.year import Plan, simulate

from .accesses import Company

SOURCE = Source(origin="test.localhost/ledger", build="0")


def _array(kind: str) -> dict[str, Any]:
    return _one(kind) | {"is_array": True}


def _one(kind: str) -> dict[str, Any]:
    return {"caption": kind, "type": "object_t", "object_type": kind, "requirement": "recommended"}


_TEXT = {"caption": "text", "type": "string_t", "requirement": "recommended"}


def _schema_1_9() -> dict[str, Any]:
    """The published schema 1.8, and of what 1.9 added that which is used here, as the schema's sources have it."""
    schema: dict[str, Any] = copy.deepcopy(get_ocsf_schema("1.8.0"))
    classes, objects = schema["classes"], schema["objects"]
    schema["version"] = "1.9.0"
    objects["iam_role"] = {"caption": "IAM Role", "attributes": {"name": _TEXT, "uid": _TEXT}}
    objects["attestation"] = {
        "caption": "Attestation",
        "attributes": {
            **dict.fromkeys(("uid", "authority_uid", "chain_uid"), _TEXT),
            "fingerprint": _one("fingerprint"),
        },
        "constraints": {"at_least_one": ["fingerprint", "signatures"]},
    }
    session = classes["authorize_session"]
    session["attributes"]["iam_roles"] = _array("iam_role")
    session["constraints"] = {"at_least_one": ["privileges", "groups", "iam_roles"]}
    # The one that `user_management` replaces extends the same class.
    user = classes["user_management"] = copy.deepcopy(classes["user_access"])
    user |= {"name": "user_management", "uid": 3007}
    activities = ["Unknown", "Create", "Update", "Delete", "Enable", "Disable", "Lock", "Unlock", "Password Change"]
    activities += ["Password Reset", "Attach Policies", "Detach Policies", "MFA Factor Enable", "MFA Factor Disable"]
    activities += ["Assign Privileges", "Remove Privileges", "Assign Roles", "Remove Roles"]
    named = {str(number): {"caption": name} for number, name in enumerate(activities)} | {"99": {"caption": "Other"}}
    attributes = user["attributes"]
    attributes["activity_id"]["enum"] = named
    attributes["class_uid"]["enum"] = {"3007": {}}
    attributes["type_uid"]["enum"] = {str(300_700 + int(number)): {} for number in named}
    attributes["privileges"]["requirement"] = "recommended"
    attributes["iam_roles"] = _array("iam_role")
    for one in classes.values():
        one["attributes"]["attestation"] = _one("attestation") | {"profiles": ["record_integrity"]}
    return schema


SCHEMA = OcsfJsonSchemaEmbedded(_schema_1_9())


@cache
def _class(uid: int) -> tuple[Any, dict[str, str]]:
    """What validates an event of a class, and the names of its activities by their numbers."""
    name = SCHEMA.lookup_class_name_from_uid(uid)
    activities = SCHEMA.schema.schema["classes"][name]["attributes"]["activity_id"]["enum"]
    validator = jsonschema_rs.validator_for(SCHEMA.get_class_schema(name, ["record_integrity"]))
    return validator, {number: one["caption"] for number, one in activities.items()}


def _problems(event: dict[str, Any]) -> list[str]:
    """Whatever the schema has against an event, as it is sent."""
    sent = json.loads(msgspec.json.encode(event))
    validator, activities = _class(event["class_uid"])
    found = [f"{error.instance_path}: {error.message}" for error in validator.iter_errors(sent)]
    named = activities[str(event["activity_id"])]
    return found + ([] if event["activity_name"] == named else [f"activity {event['activity_name']} is {named}"])


async def _entries() -> list[tuple[Recorded, bytes]]:
    at = Company(place=await Workplace.open())
    await at.whole()
    return [(one, at.raw(one.seq)) for one in at.place.ledger.entries]


def _any(kind: type[Event]) -> Event:
    """Some event of a kind: what it has to have, as plainly as can be."""
    window = Window.starting(datetime(2026, 3, 2, tzinfo=UTC), timedelta(hours=1))
    st.register_type_strategy(Window, st.just(window))
    return cast("Event", st.builds(kind).example())


async def test_the_whole_story_of_an_access_is_valid_and_carries_its_entries() -> None:
    told = [(ocsf_event(one, raw, SOURCE), raw) for one, raw in await _entries()]
    assert {event["class_uid"] for event, _ in told} == {3003, 3004, 3007, 6005}
    for event, raw in told:
        assert _problems(event) == []
        assert event["raw_data"].encode() == raw
        assert event["raw_data_hash"]["value"] == hashlib.sha256(raw).hexdigest()
        assert event["type_uid"] == event["class_uid"] * 100 + event["activity_id"]


async def test_the_fingerprint_is_that_of_the_event_and_any_change_breaks_it() -> None:
    one, raw = (await _entries())[3]
    event = json.loads(msgspec.json.encode(ocsf_event(one, raw, SOURCE)))
    fingerprint = event["attestation"].pop("fingerprint")["value"]

    def digest() -> str:
        return hashlib.sha256(json.dumps(event, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

    assert digest() == fingerprint
    event["message"] += "x"
    assert digest() != fingerprint


@pytest.mark.filterwarnings("ignore::hypothesis.errors.NonInteractiveExampleWarning")
@pytest.mark.parametrize("kind", sorted(KINDS))
async def test_every_kind_of_entry_is_told_as_something_that_the_schema_knows(kind: str) -> None:
    first = (await _entries())[0][0]
    event = _any(KINDS[kind])
    one = Recorded(seq=1, at=first.at, stream=StreamName("thing/x"), version=1, event=event)
    told = ocsf_event(one, b"{}", SOURCE)
    assert _problems(told) == []


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("192.0.2.7:5432", {"ip": "192.0.2.7", "port": 5432}),
        ("[2001:db8::7]:22", {"ip": "2001:db8::7", "port": 22}),
        ("192.0.2.7", {"ip": "192.0.2.7"}),
        ("2001:db8:0:0:0:0:0:7", {"ip": "2001:db8::7"}),
        ("machine", {"name": "machine"}),
        ("unix:/run/sojourn.sock", {"name": "unix:/run/sojourn.sock"}),
    ],
    ids=["address and port", "version 6 and port", "address", "version 6", "a word", "a path"],
)
async def test_where_something_came_from_is_an_address_only_if_it_is_one(source: str, told: dict[str, Any]) -> None:
    found = ((one, one.event) for one, _ in await _entries() if isinstance(one.event, RequestSubmitted))
    asked, submitted = next(found)
    event = ocsf_event(replace(asked, event=replace(submitted, source=source)), b"{}", SOURCE)
    assert event["src_endpoint"] == told and _problems(event) == []


async def test_an_event_with_something_wrong_is_refused_by_the_schema() -> None:
    for one, raw in await _entries():
        event = ocsf_event(one, raw, SOURCE)
        for wrong in ({"time": "now"}, {"attestation": {"uid": "x"}}, {"more": 1}, {"type_uid": 1}):
            assert _problems(event | wrong) != []


def test_the_command_goes_on_where_its_cursor_stands(tmp_path: Path) -> None:
    root, out, cursor = tmp_path / "d", tmp_path / "out.jsonl", tmp_path / "cursor"
    asyncio.run(simulate(root, Plan(people=25, targets=1, grants=4, actions=8)))

    def run(*more: str) -> list[dict[str, Any]]:
        command = [sys.executable, "-m", "sojourn", "audit", "ocsf", "--data", str(root), *more]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        return [json.loads(line) for line in out.read_text().splitlines()]

    told = run("--out", str(out), "--cursor", str(cursor))
    assert [event["metadata"]["sequence"] for event in told] == list(range(len(told))) and len(told) > 20
    assert run("--out", str(out), "--cursor", str(cursor)) == told
    cursor.write_text("10\n")
    again = run("--out", str(out), "--cursor", str(cursor))
    assert [event["metadata"]["sequence"] for event in again[len(told) :]] == list(range(10, len(told)))
