"""The ledger's stream: each entry once, in order and as it lies there, for those who oversee and for nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import takewhile

import httpx2
import pytest

from sojourn.client import Client, calls
from sojourn.testing.installation import PASSWORD, Running

SECONDS = 40
REASON = "a reason that nobody but those who decide may read"


@pytest.fixture
def dora(sojourn: Running) -> Iterator[Client]:
    """The auditor's client."""
    with Client(sojourn.installation.address, sojourn.tokens["dora"]) as client:
        yield client


def _size(sojourn: Running) -> int:
    return int(sojourn.get("/ledger", person="dora")["size"])


def test_entries_come_from_any_place_on_as_they_lie_there_and_then_as_they_are_added(
    sojourn: Running, dora: Client
) -> None:
    first = _size(sojourn) - 5
    told = dora.follow(calls.FOLLOWING_ENTRIES, first=first)
    before = list(takewhile(lambda one: one.event != "here", told))
    assert [int(one.id) for one in before] == list(range(first, first + len(before)))
    assert {one.event for one in before} == {"entry"} and len(before) >= 5
    for one in before:
        assert one.data == sojourn.get(f"/ledger/entries/{one.id}", person="dora")["content"]

    asked = sojourn.requested(reason=REASON)
    number = int(before[-1].id)
    for one in told:
        if one.event == "here":
            continue
        number += 1
        assert int(one.id) == number, "an entry was left out, or came twice"
        assert REASON not in one.data
        if "request.submitted" in one.data and asked["request"] in one.data:
            break


def test_a_small_page_of_a_long_ledger_is_not_all_of_it(sojourn: Running, dora: Client) -> None:
    size = _size(sojourn)
    numbers = [int(one.id) for one in takewhile(lambda one: one.event != "here", dora.follow(calls.FOLLOWING_ENTRIES))]
    assert numbers == list(range(len(numbers))) and len(numbers) >= size


def test_whoever_comes_back_goes_on_after_the_entry_that_they_had(sojourn: Running) -> None:
    last = _size(sojourn) - 3
    headers = {"authorization": f"Bearer {sojourn.tokens['dora']}", "last-event-id": str(last)}
    address = f"{sojourn.installation.address}/api/v1/ledger/events?first=0"
    with httpx2.Client(timeout=SECONDS) as http, http.sse(address, headers=headers) as told:
        assert told.response.headers["cache-control"] == "no-store"
        assert next(one.id for one in told if one.event == "entry") == str(last + 1)


@pytest.mark.parametrize("given", ["-1", "x", "1.5", "1e3", "\u0663", "9" * 40, "0x1", "1\n2"])
def test_a_place_that_is_none_is_refused(sojourn: Running, given: str) -> None:
    for query, headers in ((given, {}), ("0", {"last-event-id": given.encode("ascii", "replace").decode()})):
        if "\n" in given and headers:
            continue
        where = str(httpx2.URL("/ledger/events", params={"first": query}))
        refused = sojourn.send("GET", where, person="dora", headers=headers, whole=False)
        assert (refused.status_code, refused.json()["error"]["code"]) == (422, "input.invalid")


def test_a_place_beyond_the_ledger_is_refused_for_it_was_another_ledger(sojourn: Running) -> None:
    for query, headers in (("1000000000", {}), ("0", {"last-event-id": "1000000000"})):
        refused = sojourn.send("GET", f"/ledger/events?first={query}", person="dora", headers=headers, whole=False)
        assert (refused.status_code, refused.json()["error"]["code"]) == (404, "entry.unknown")


def test_whoever_signs_out_follows_no_longer(sojourn: Running) -> None:
    signed = sojourn.post("/sign-in", {"person": "dora", "password": PASSWORD}, person="")
    headers = {"authorization": f"Bearer {signed['token']}"}
    address = f"{sojourn.installation.address}/api/v1/ledger/events?first={_size(sojourn)}"
    with httpx2.Client(timeout=SECONDS) as http, http.sse(address, headers=headers) as told:
        heard = iter(told)
        assert next(one for one in heard if one.event == "here")
        assert sojourn.send("POST", "/sign-out", {}, headers=headers).status_code == 200
        number = _size(sojourn)
        sojourn.requested(reason="nobody hears of this")
        assert [one.id for one in heard if one.event == "entry" and int(one.id) >= number] == []


def test_a_program_may_follow_and_is_asked_anew_like_anybody(sojourn: Running) -> None:
    made = sojourn.send(
        "POST", "/tokens", {"label": "to a SIEM", "scope": ["read"], "life": "1h"}, person="dora"
    ).json()
    with Client(sojourn.installation.address, made["text"]) as client:
        told = client.follow(calls.FOLLOWING_ENTRIES, first=_size(sojourn))
        assert next(one for one in told if one.event == "here")
        # A change of who is there makes everybody who follows ask anew.
        end = (datetime.now(UTC) + timedelta(days=1)).isoformat()
        away = sojourn.post("/absences", {"start": "", "end": end, "delegate": ""}, person="bob")
        try:
            assert next(one for one in told if one.event == "entry" and away["absence"] in one.data)
            asked = sojourn.requested(reason="after that")
            assert next(one for one in told if one.event == "entry" and asked["request"] in one.data)
        finally:
            sojourn.post(f"/absences/{away['absence']}/end", person="bob")
