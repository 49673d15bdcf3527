"""`sojourn audit verify` holds the time stamps on record against the ledger, and a thief of the key cannot backdate."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from sojourn.app.drill import forging
from sojourn.app.self_check import check_itself
from sojourn.app.verifying import Verdict
from sojourn.ledger import entry as entries
from sojourn.settings import Layout
from sojourn.testing.scribe import KEY
from sojourn.testing.timestamp import TimestampAuthority

from . import bound
from .conftest import Kept


def forge(whole: Kept, history: Sequence[bytes]) -> None:
    """Write another history, signed by the thief of the key, who owns the anchor as well."""
    forging.rewrite(whole.layout.ledger, history)
    note = forging.sign(whole.layout.ledger, [bound.BEFORE, len(history)], KEY)
    whole.layout.anchor.write_text(note)


def verified(whole: Kept, root: Path | None = None) -> tuple[Verdict, ...]:
    """What each look found."""
    return check_itself(whole.layout, root).verdicts


def found(verdicts: Sequence[Verdict]) -> list[str]:
    """The codes of the problems that the last of the looks found."""
    return [one["code"] for one in verdicts[-1].problems]


def test_a_sound_ledger_verifies_with_its_stamps(whole: Kept) -> None:
    told = whole.ask("verify")
    assert told["sound"] is True
    last = told["verdicts"][-1]
    assert (last["target"], last["size"], last["checked"]) == ("time stamps", bound.BEFORE, {"time stamps": 1})


def test_stamps_are_not_believed_without_a_root_or_with_another(whole: Kept, tmp_path: Path) -> None:
    other = TimestampAuthority.make(tmp_path / "other").root_pem
    assert found(verified(whole, other)) == ["timestamp.altered"]
    held = whole.layout.configuration / "timestamp-root.pem"
    elsewhere = held.rename(tmp_path / "root.pem")
    assert found(verified(whole)) == ["timestamp.altered"]
    assert found(verified(whole, elsewhere)) == []
    done = whole.run("verify", "--timestamp-root", str(whole.layout.ledger))
    assert (done.returncode, done.stderr.split(":")[0]) == (2, "input.invalid")


def test_a_history_that_the_thief_of_the_key_wrote_anew_is_not_the_one_that_was_stamped(whole: Kept) -> None:
    history = forging.read(whole.layout.ledger)
    forge(whole, [forging.altered(history[0]), *history[1:]])
    told = verified(whole)
    assert told[0].problems == (), "a signature alone does not show it"
    assert found(told) == ["timestamp.other_history"]


def test_the_thief_of_the_key_cannot_put_something_in_an_hour_earlier(whole: Kept) -> None:
    history = forging.read(whole.layout.ledger)
    forge(whole, [*history[:-1], forging.backdated(history[-1])])
    assert [one["code"] for one in verified(whole)[0].problems] == ["entry.backdated"], "its neighbours show it"
    forge(whole, [forging.backdated(one) for one in history])
    told = verified(whole)
    assert told[0].problems == (), "in an order of its own nothing shows it but the stamp"
    assert "timestamp.backdated" in found(told)


def test_an_entry_cannot_say_that_it_came_after_a_stamp_that_covers_it(whole: Kept) -> None:
    history = forging.read(whole.layout.ledger)
    forge(whole, [*history[: bound.BEFORE - 1], *map(_later, history[bound.BEFORE - 1 :])])
    assert set(found(verified(whole))) == {"timestamp.postdated", "timestamp.other_history"}


def _later(leaf: bytes) -> bytes:
    one = entries.parse(leaf)
    at = entries.format_time(one.at + timedelta(hours=1))
    return entries.assemble(seq=one.seq, at=at, stream=one.stream, version=one.version, kind=one.kind, body=one.body)


def test_an_entry_that_says_another_time_than_its_token_is_found(authority: TimestampAuthority, tmp_path: Path) -> None:
    asyncio.run(bound.fill(tmp_path / "d", authority, lie=timedelta(seconds=-30)))
    told = verified(Kept(layout=Layout(root=tmp_path / "d")))
    assert found(told) == ["timestamp.altered"]
    assert "and the entry says" in told[-1].problems[0]["text"]
