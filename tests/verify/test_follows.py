"""The verifier on a ledger that was begun anew: it links the two, and finds whatever does not fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sojourn.ledger import note as notes
from sojourn.ledger.cosignature import CosigningKey
from sojourn.ledger.note import SigningKey

SECOND = SigningKey.generate("sojourn.example/second", bytes([9] * 32))
WITNESS = CosigningKey.generate("witness.example/one", bytes([1] * 32))


def codes(report: dict[str, Any]) -> set[str]:
    return {problem["code"] for problem in report["problems"]}


def cosigned(note: str) -> str:
    return note + WITNESS.cosign(notes.split(note)[0], 1_790_000_000)


def following(tools: Any, note: str, kind: str = "ledger.begun_anew") -> Any:
    """A ledger of three entries whose first one names the ledger before it."""
    made = tools.new_ledger(key=SECOND)
    body = {"cause": "theft", "checkpoint": note, "operator": "root", "vkey": "x", "witnessed": True}
    made.append("origin", kind, body)
    made.append("configuration", "configuration.adopted", {"version": 1})
    made.append("configuration", "configuration.adopted", {"version": 2})
    return made


@pytest.fixture
def keys(ledger: Any) -> tuple[str, ...]:
    return ("--key", SECOND.vkey(), "--key", ledger.key.vkey())


@pytest.fixture
def old(ledger: Any, tools: Any, tmp_path: Path) -> Path:
    return Path(tools.write_directory(ledger.published(), tmp_path / "old"))


def test_the_ledger_before_is_named_checked_and_verified_as_far_as_it_can_be(
    ledger: Any, tools: Any, tmp_path: Path, verify: Any, keys: tuple[str, ...], old: Path
) -> None:
    new = tools.write_directory(following(tools, ledger.note(5)).published(), tmp_path / "new")
    for arguments, state in (
        (("--key", SECOND.vkey()), "not checked, for no key of it was given"),
        (keys, "signed by its key"),
        ((*keys, "--follows", old), "verified up to there"),
    ):
        status, report = verify(new, *arguments)
        assert (status, report["follows"]) == (0, f"{ledger.key.name} at 5 entries: {state}"), report
    assert report["origin"] == SECOND.name and report["size"] == 3


def test_another_history_before_a_ledger_and_one_that_ends_too_early_are_found(
    ledger: Any, tools: Any, tmp_path: Path, verify: Any, keys: tuple[str, ...], old: Path
) -> None:
    new = tools.write_directory(following(tools, ledger.note(5)).published(), tmp_path / "new")
    short = tools.write_directory(ledger.published(4), tmp_path / "short")
    assert "log.truncated" in codes(verify(new, *keys, "--follows", short)[1])
    forged = tools.new_ledger(key=ledger.key)
    for place in range(7):
        forged.append("grant/g-1", "grant.created", {"place": place})
    other = tools.write_directory(forged.published(), tmp_path / "other")
    assert verify(other, "--key", ledger.key.vkey())[0] == 0, "alone it looks whole"
    assert codes(verify(new, *keys, "--follows", other)[1]) == {"root.altered"}
    assert codes(verify(new, "--key", SECOND.vkey(), "--follows", old)[1]) == {"checkpoint.unsigned"}


def test_a_link_that_is_no_checkpoint_or_signed_by_another_key_is_found(
    ledger: Any, tools: Any, tmp_path: Path, verify: Any, keys: tuple[str, ...]
) -> None:
    thief = SigningKey.generate(ledger.key.name, bytes([5] * 32))
    text, _ = notes.split(ledger.note(5))
    for number, (note, code) in enumerate(
        (
            (notes.sign(text, [thief]), "checkpoint.unsigned"),
            (ledger.note(5)[:-3], "checkpoint.form"),
            ("", "checkpoint.form"),
        )
    ):
        new = tools.write_directory(following(tools, note).published(), tmp_path / f"new{number}")
        assert code in codes(verify(new, *keys)[1])


def test_a_policy_has_to_be_met_by_the_link_as_well(
    ledger: Any, tools: Any, tmp_path: Path, verify: Any, keys: tuple[str, ...], old: Path
) -> None:
    policy = tmp_path / "policy"
    policy.write_text(f"witness one {WITNESS.cosigner().vkey()}\nquorum one\n")
    for number, (note, found) in enumerate(
        ((cosigned(ledger.note(5)), set()), (ledger.note(5), {"checkpoint.unwitnessed"}))
    ):
        made = following(tools, note)
        files = made.published() | {"cosigned": cosigned(made.note()).encode()}
        new = tools.write_directory(files, tmp_path / f"new{number}")
        assert codes(verify(new, *keys, "--policy", policy)[1]) == found
        assert codes(verify(new, *keys, "--policy", policy, "--follows", old)[1]) == found


def test_a_ledger_that_names_none_before_it_and_a_pack_follow_nothing(
    ledger: Any, tools: Any, tmp_path: Path, verify: Any, keys: tuple[str, ...], old: Path
) -> None:
    assert codes(verify(old, *keys, "--follows", old)[1]) == {"input.follows"}
    made = following(tools, ledger.note(5), kind="ledger.begun_anew_not")
    new = tools.write_directory(made.published(), tmp_path / "new")
    assert verify(new, *keys)[1]["follows"] == ""
    pack = tools.write_directory(ledger.pack(), tmp_path / "pack")
    assert verify(pack, *keys, "--follows", old)[0] == 2


def test_each_changed_byte_of_the_link_is_found(
    ledger: Any, tools: Any, tmp_path: Path, verify: Any, keys: tuple[str, ...], old: Path
) -> None:
    note = ledger.note(5)
    for place in range(0, len(note), 3):
        altered = note[:place] + chr(ord(note[place]) ^ 1) + note[place + 1 :]
        new = tools.write_directory(following(tools, altered).published(), tmp_path / f"new{place}")
        assert verify(new, *keys, "--follows", old)[0] != 0, place
