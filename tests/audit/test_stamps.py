"""`sojourn audit verify` holds the time stamps on record against the ledger, and a thief of the key cannot backdate."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sojourn.app.drill import forging
from sojourn.domain.events import CheckpointStamped
from sojourn.domain.history import Change
from sojourn.domain.identifiers import PUBLICATION
from sojourn.ledger import entry as entries
from sojourn.publisher.token import ask_for, check_token, read_roots
from sojourn.scribe.client import ScribeClient
from sojourn.settings import Layout, ScribeSettings
from sojourn.testing.scribe import KEY, ScribeProcess
from sojourn.testing.timestamp import TimestampAuthority

from .conftest import Kept, changes

BEFORE, AFTER = 200, 104


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> TimestampAuthority:
    """An authority that is asked without a network."""
    return TimestampAuthority.make(tmp_path_factory.mktemp("authority"))


def stamped(authority: TimestampAuthority, note: str, size: int) -> tuple[CheckpointStamped, list[bytes]]:
    """A stamp over a checkpoint, and its attachments."""
    content, pem = note.encode(), authority.root_pem.read_bytes()
    answer = authority.answer(ask_for(content).data)
    event = CheckpointStamped(
        place="timestamp:test",
        size=size,
        time=check_token(answer, content, read_roots(pem)),
        checkpoint_sha256=hashlib.sha256(content).hexdigest(),
        token_sha256=hashlib.sha256(answer).hexdigest(),
        root_sha256=hashlib.sha256(pem).hexdigest(),
    )
    return event, [content, answer, pem]


async def fill(root: Path, authority: TimestampAuthority, lie: timedelta = timedelta()) -> None:
    """A ledger with a stamp in its middle; with a `lie` its entry says another time than its token."""
    scribe = ScribeProcess(root, ScribeSettings(checkpoint_seconds=0.2))
    scribe.start()
    layout = scribe.layout
    async with ScribeClient(layout.scribe_socket) as ledger:
        await ledger.connected(20)
        written = changes()
        await ledger.append(written[:BEFORE])
        event, attachments = stamped(authority, await ledger.sign(), BEFORE)
        change = Change(stream=PUBLICATION, event=replace(event, time=event.time + lie), seen=None)
        await ledger.append([change], attachments=attachments)
        await ledger.append(written[BEFORE:])
        await ledger.sign()
    assert scribe.stop()[0] == 0
    layout.configuration.mkdir()
    layout.root.chmod(0o700)
    layout.verifier_key.write_text(KEY.vkey() + "\n")
    (layout.configuration / "timestamp-root.pem").write_bytes(authority.root_pem.read_bytes())


@pytest.fixture(scope="session")
def stamped_master(tmp_path_factory: pytest.TempPathFactory, authority: TimestampAuthority) -> Path:
    """The directory that every test gets a copy of."""
    root = tmp_path_factory.mktemp("stamped") / "d"
    asyncio.run(fill(root, authority))
    return root


@pytest.fixture
def kept(stamped_master: Path, tmp_path: Path) -> Kept:
    """A data directory of one's own."""
    root = Path(shutil.copytree(stamped_master, tmp_path / "d", ignore=shutil.ignore_patterns("run")))
    return Kept(layout=Layout(root=root))


def forge(kept: Kept, history: Sequence[bytes]) -> None:
    """Write another history, signed by the thief of the key, who owns the anchor as well."""
    forging.rewrite(kept.layout.ledger, history)
    note = forging.sign(kept.layout.ledger, [BEFORE, len(history)], KEY)
    kept.layout.anchor.write_text(note)


def found(told: Any) -> list[str]:
    """The codes of the problems that the last of the looks found."""
    return [one["code"] for one in told["verdicts"][-1]["problems"]]


def test_a_sound_ledger_verifies_with_its_stamps(kept: Kept) -> None:
    told = kept.ask("verify")
    assert told["sound"] is True
    assert [(one["target"], one["size"], one["checked"]) for one in told["verdicts"][1:]] == [
        ("time stamps", BEFORE, {"time stamps": 1})
    ]


def test_stamps_are_not_believed_without_a_root_or_with_another(kept: Kept, tmp_path: Path) -> None:
    other = TimestampAuthority.make(tmp_path / "other").root_pem
    assert found(kept.ask("verify", "--timestamp-root", str(other))) == ["timestamp.altered"]
    held = kept.layout.configuration / "timestamp-root.pem"
    elsewhere = held.rename(tmp_path / "root.pem")
    assert found(kept.ask("verify")) == ["timestamp.altered"]
    assert kept.ask("verify", "--timestamp-root", str(elsewhere))["sound"] is True
    done = kept.run("verify", "--timestamp-root", str(kept.layout.ledger))
    assert (done.returncode, done.stderr.split(":")[0]) == (2, "input.invalid")


def test_a_history_that_the_thief_of_the_key_wrote_anew_is_not_the_one_that_was_stamped(kept: Kept) -> None:
    history = forging.read(kept.layout.ledger)
    forge(kept, [forging.altered(history[0]), *history[1:]])
    told = kept.ask("verify")
    assert told["verdicts"][0]["problems"] == [], "a signature alone does not show it"
    assert found(told) == ["timestamp.other_history"]


def test_the_thief_of_the_key_cannot_put_something_in_an_hour_earlier(kept: Kept) -> None:
    history = forging.read(kept.layout.ledger)
    forge(kept, [*history[:-1], forging.backdated(history[-1])])
    told = kept.ask("verify")
    assert told["verdicts"][0]["problems"] == []
    assert found(told) == ["timestamp.backdated"]


def test_an_entry_cannot_say_that_it_came_after_a_stamp_that_covers_it(kept: Kept) -> None:
    history = forging.read(kept.layout.ledger)
    one = entries.parse(history[BEFORE - 1])
    at = entries.format_time(one.at + timedelta(hours=1))
    late = entries.assemble(seq=one.seq, at=at, stream=one.stream, version=one.version, kind=one.kind, body=one.body)
    forge(kept, [*history[: BEFORE - 1], late, *history[BEFORE:]])
    assert set(found(kept.ask("verify"))) == {"timestamp.postdated", "timestamp.other_history"}


def test_an_entry_that_says_another_time_than_its_token_is_found(authority: TimestampAuthority, tmp_path: Path) -> None:
    asyncio.run(fill(tmp_path / "d", authority, lie=timedelta(seconds=-30)))
    told = Kept(layout=Layout(root=tmp_path / "d")).ask("verify")
    assert found(told) == ["timestamp.altered"]
    assert "and the entry says" in told["verdicts"][-1]["problems"][0]["text"]
