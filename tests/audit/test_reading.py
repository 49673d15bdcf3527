"""`sojourn audit tail`, `show` and `search`: what is on record, read where it lies."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from sojourn.scribe.client import ScribeClient
from sojourn.settings import ScribeSettings
from sojourn.testing.scribe import ScribeProcess

from .conftest import CANCELLED, Kept, changes

SIZE = CANCELLED + 4


def test_the_newest_entries_are_shown_oldest_first(kept: Kept) -> None:
    assert [one["seq"] for one in kept.lines("tail")] == list(range(SIZE - 10, SIZE))
    assert kept.lines("tail", "--lines", "0") == []
    assert len(kept.lines("tail", "--lines", "100000")) == SIZE


@pytest.mark.parametrize(
    ("arguments", "places"),
    [
        (["--stream", "grant"], [1]),
        (["--stream", "grant/g-1"], [1]),
        (["--stream", "gran"], []),
        (["--kind", "session.opened"], [2]),
        (["--kind", "attempt"], [3]),
        (["--kind", "attempt.refused", "--stream", "session"], []),
    ],
)
def test_a_tail_shows_what_is_asked_for_however_far_back(kept: Kept, arguments: list[str], places: list[int]) -> None:
    assert [one["seq"] for one in kept.lines("tail", *arguments)] == places


@pytest.mark.parametrize("arguments", [["show", "3"], ["show", "attempts"], ["tail", "--kind", "attempt"], ["search"]])
def test_nothing_hostile_in_an_entry_reaches_the_terminal(kept: Kept, arguments: list[str]) -> None:
    done = kept.run(*arguments)
    assert done.returncode == 0, done.stderr
    assert "mallory" in done.stdout
    assert "\x1b" not in done.stdout
    assert not any(line.startswith("7 grant.ended") for line in done.stdout.splitlines())


def test_an_entry_is_shown_as_it_lies_in_the_ledger(kept: Kept) -> None:
    (told,) = kept.lines("show", "1")
    assert (told["seq"], told["kind"], told["stream"], told["version"]) == (1, "grant.created", "grant/g-1", 1)
    assert told["body"]["person"] == "alice"


def test_a_stream_is_shown_in_order(kept: Kept) -> None:
    told = kept.lines("show", "session/s-1")
    assert [one["version"] for one in told] == list(range(1, CANCELLED + 2))


@pytest.mark.parametrize("name", [str(SIZE), "9" * 40, "grant/g-2", "-", "\x1b[2J"])
def test_what_is_not_on_record_is_one_clear_error(kept: Kept, name: str) -> None:
    done = kept.run("show", name)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("input.invalid: ")
    assert "\x1b" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "places"),
    [
        (["PSQL"], [2]),
        (["--person", "alice"], [1, 2]),
        (["--person", "alice", "--kind", "grant"], [1]),
        (["--person", "ali"], []),
        (["--target", "shop"], [1, 2]),
        (["--target", "shop", "gateway-1"], [2]),
        (["mallory", "--until", "2000-01-01"], []),
        (["mallory", "--from", "2000-01-01"], [3]),
        (["mallory", "--from", "2000-01-01T00:00:00+02:00", "--until", "9999-01-01"], [3]),
    ],
)
def test_a_search_finds_what_meets_all_conditions(kept: Kept, arguments: list[str], places: list[int]) -> None:
    assert [one["seq"] for one in kept.lines("search", *arguments)] == places


def test_a_search_says_that_there_is_more(kept: Kept) -> None:
    done = kept.run("search", "here", "--most", "5")
    assert len(done.stdout.splitlines()) == 6
    assert "There are more" in done.stdout


def test_a_moment_that_is_none_is_one_clear_error(kept: Kept) -> None:
    done = kept.run("search", "--from", "yesterday")
    assert (done.returncode, done.stderr.split(":")[0]) == (2, "input.invalid")


def test_a_file_that_is_no_ledger_is_one_clear_error(kept: Kept) -> None:
    kept.layout.ledger.write_bytes(b"not a database" * 100)
    for arguments in (["tail"], ["show", "1"], ["search"], ["replay"]):
        done = kept.run(*arguments)
        assert (done.returncode, done.stderr.split(":")[0]) == (1, "record.damaged")


async def test_a_tail_follows_what_a_running_scribe_records(kept: Kept) -> None:
    root: Path = kept.layout.root
    scribe = ScribeProcess(root, ScribeSettings(checkpoint_seconds=0.2))
    scribe.start()
    try:
        async with ScribeClient(kept.layout.scribe_socket) as ledger:
            await ledger.connected(20)
            command = [sys.executable, "-m", "sojourn", "audit", "tail", "--follow", "--json", "--data", str(root)]
            with subprocess.Popen([*command, "--kind", "attempt"], stdout=subprocess.PIPE, text=True) as following:
                try:
                    assert following.stdout is not None
                    assert json.loads(following.stdout.readline())["seq"] == 3
                    await ledger.append(changes()[3:5])
                    assert json.loads(following.stdout.readline())["seq"] == SIZE
                finally:
                    following.kill()
    finally:
        scribe.kill()
