"""A configuration comes into force once, whole, and can be read back from the record alone."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from sojourn.domain.catalogue import Adopted
from sojourn.domain.events import ConfigurationAdopted
from sojourn.errors import Code, SojournError
from sojourn.testing.clock import SimulatedClock
from sojourn.testing.ledger import MemoryLedger
from sojourn.testing.organisation import ALICE, CATALOGUE, without
from sojourn.workflow.adopt import adopt, catalogue_bytes, load_adopted

FILES = {"people.yaml": b"people: []\n", "policy.yaml": b"rules: []\n"}


async def test_before_the_first_adoption_nothing_is_in_force() -> None:
    assert await load_adopted(MemoryLedger(SimulatedClock())) is None


async def test_what_was_adopted_is_read_back_from_the_record() -> None:
    ledger = MemoryLedger(SimulatedClock())
    adopted = await adopt(ledger, catalogue=CATALOGUE, files=FILES, operator="erin")
    assert adopted.version == 1
    assert await load_adopted(ledger) == adopted
    event = ledger.entries[0].event
    assert isinstance(event, ConfigurationAdopted)
    kept = {file.name: ledger.attachments[file.sha256] for file in event.files}
    assert kept == FILES


async def test_adopting_what_is_in_force_records_nothing() -> None:
    ledger = MemoryLedger(SimulatedClock())
    first = await adopt(ledger, catalogue=CATALOGUE, files=FILES, operator="erin")
    again = await adopt(ledger, catalogue=CATALOGUE, files=dict(reversed(FILES.items())), operator="dave")
    assert again == first
    assert len(ledger.entries) == 1


@pytest.mark.parametrize("part", ["catalogue", "files"])
async def test_a_change_of_catalogue_or_of_a_file_is_a_new_version(part: str) -> None:
    ledger = MemoryLedger(SimulatedClock())
    first = await adopt(ledger, catalogue=CATALOGUE, files=FILES, operator="erin")
    catalogue = without(CATALOGUE, ALICE) if part == "catalogue" else CATALOGUE
    files = FILES if part == "catalogue" else {**FILES, "policy.yaml": b"rules: [] # reviewed\n"}
    second = await adopt(ledger, catalogue=catalogue, files=files, operator="erin")
    assert (second.version, second.digest != first.digest) == (2, part == "catalogue")
    assert await load_adopted(ledger) == second


async def test_going_back_to_an_older_configuration_is_on_record() -> None:
    ledger = MemoryLedger(SimulatedClock())
    for catalogue in (CATALOGUE, without(CATALOGUE, ALICE), CATALOGUE):
        adopted = await adopt(ledger, catalogue=catalogue, files=FILES, operator="erin")
    assert adopted == Adopted(catalogue=CATALOGUE, version=3, digest=adopted.digest)


async def test_many_who_adopt_the_same_at_once_record_it_once() -> None:
    ledger = MemoryLedger(SimulatedClock())
    adopted = await asyncio.gather(
        *(adopt(ledger, catalogue=CATALOGUE, files=FILES, operator="erin") for _ in range(20))
    )
    assert len(ledger.entries) == 1
    assert len({one.version for one in adopted}) == 1


async def test_equal_catalogues_have_equal_bytes() -> None:
    assert catalogue_bytes(CATALOGUE) == catalogue_bytes(replace(CATALOGUE))
    assert b" " not in catalogue_bytes(replace(CATALOGUE, people=(), targets=(), rules=()))


@pytest.mark.parametrize("damage", [b"{}", b"", b"\xff"])
async def test_a_catalogue_that_is_not_the_one_on_record_is_damage(damage: bytes) -> None:
    ledger = MemoryLedger(SimulatedClock())
    adopted = await adopt(ledger, catalogue=CATALOGUE, files=FILES, operator="erin")
    ledger.attachments[adopted.digest] = damage
    with pytest.raises(SojournError) as error:
        await load_adopted(ledger)
    assert error.value.code is Code.RECORD_DAMAGED
