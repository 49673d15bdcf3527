"""Every kind of entry is an OCSF event that the published schema knows, and carries the entry whole.

The newest schema that a package carries is 1.7.0; what came with 1.8 and 1.9 (user management, roles, the profile
`record_integrity`) is named here by hand.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from hypothesis import strategies as st

from sojourn.domain.events import KINDS, Event
from sojourn.domain.history import Recorded
from sojourn.domain.identifiers import StreamName
from sojourn.domain.window import Window
from sojourn.evidence.ocsf import Source, ocsf_event
from sojourn.evidence.ocsf.classes import CLASSES, USER_MANAGEMENT
from sojourn.testing.organisation import Workplace
from sojourn.testing.year import Plan, simulate

from .accesses import Company

SOURCE = Source(origin="test.localhost/ledger", build="0")
LATER = {"iam_roles", "attestation", "privileges", "user", "resources"}
"""What 1.9 has and 1.7 has not, of the classes used here."""

NAMES = {3003: "authorize_session", 3004: "entity_management", 6005: "datastore_activity", 2003: "compliance_finding"}
OBJECTS = {
    "actor": "actor",
    "entity": "managed_entity",
    "metadata": "metadata",
    "session": "session",
    "src_endpoint": "network_endpoint",
    "dst_endpoint": "network_endpoint",
    "database": "database",
    "query_info": "query_info",
    "finding_info": "finding_info",
    "compliance": "compliance",
    "table": "table",
}
"""What the attributes are, by the names of the schema's objects."""


def _schema() -> dict[str, Any]:
    found = importlib.util.find_spec("ocsf")
    assert found is not None and found.submodule_search_locations
    path = Path(next(iter(found.submodule_search_locations))) / "schemas" / "v1_7_0.json"
    schema: dict[str, Any] = json.loads(path.read_text())
    return schema


SCHEMA = _schema()


def _attributes(kind: str, name: str) -> dict[str, Any]:
    """All attributes of an event class or an object, with those of what it extends."""
    one = SCHEMA[kind][name]
    extended = one.get("extends")
    above = _attributes(kind, extended) if extended in SCHEMA[kind] else {}
    return above | {key: value for key, value in (one.get("attributes") or {}).items() if isinstance(value, dict)}


def _problems(event: dict[str, Any]) -> Iterator[str]:
    names = {
        3003: "authorize_session",
        3004: "entity_management",
        6005: "datastore_activity",
        2003: "compliance_finding",
    }
    name = names.get(event["class_uid"], "iam")
    known = _attributes("events", name)
    profiles = {"actor", "src_endpoint", "dst_endpoint"}
    for attribute in set(event) - set(known) - profiles - LATER:
        yield f"{name} has no {attribute}"
    for attribute, said in known.items():
        if said.get("requirement") == "required" and attribute not in event:
            yield f"{name} lacks {attribute}"
    for constraint, attributes in (SCHEMA["events"][name].get("constraints") or {}).items():
        given = [one for one in attributes if one in event]
        if not given or (constraint == "just_one" and len(given) > 1):
            yield f"{name}: {constraint} of {attributes}, and there are {given}"
    for attribute, kind in OBJECTS.items():
        if attribute in event:
            yield from _object_problems(kind, event[attribute])


def _object_problems(kind: str, value: dict[str, Any]) -> Iterator[str]:
    known = _attributes("objects", kind)
    for attribute in set(value) - set(known):
        yield f"{kind} has no {attribute}"
    for attribute, said in known.items():
        if said.get("requirement") == "required" and attribute not in value:
            yield f"{kind} lacks {attribute}"
    for attributes in (SCHEMA["objects"][kind].get("constraints") or {}).values():
        if not set(attributes) & set(value):
            yield f"{kind} has none of {attributes}"


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
        assert list(_problems(event)) == []
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
    assert list(_problems(told)) == []
    assert told["activity_id"] == 99 or told["activity_name"] in next(
        iter(one.activities.values() for one in CLASSES if one.uid == told["class_uid"])
    )


def test_user_management_is_named_as_in_1_9() -> None:
    assert USER_MANAGEMENT.uid == 3007 and USER_MANAGEMENT.activities[14] == "Assign Privileges"


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
