"""The verifier follows changes of the ledger's key, and takes nothing signed by a key whose turn it was not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sojourn.app.verifying import verify_file
from sojourn.ledger import note as notes
from sojourn.ledger import rotation
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.note import SigningKey

from . import second

NAME = "sojourn.example/ledger"
OLD = SigningKey.generate(NAME, bytes(range(32)))
NEW = SigningKey.generate(NAME, bytes([7] * 32))
NEWEST = SigningKey.generate(NAME, bytes([8] * 32))


def codes(report: dict[str, Any]) -> set[str]:
    return {problem["code"] for problem in report["problems"]}


def turn(size: int, old: SigningKey, new: SigningKey, *signers: SigningKey) -> str:
    text = f"sojourn/key-rotation/v1\nfrom {size}\nold {old.vkey()}\nnew {new.vkey()}\n"
    return notes.sign(text, signers or (old, new))


def signed(ledger: Any, size: int, *keys: SigningKey) -> str:
    text, _ = notes.split(ledger.note(size))
    return notes.sign(text, keys)


@pytest.fixture
def turned(ledger: Any) -> Any:
    """A ledger of eight entries, the last of which says that from size 7 on the new key signs."""
    ledger.append("ledger", "ledger.key_rotated", {"statement": turn(7, OLD, NEW)})
    return ledger


def published(ledger: Any, tools: Any, root: Path, note: str, rotations: str) -> Path:
    files = ledger.published() | {"checkpoint": note.encode(), "rotations": rotations.encode()}
    return Path(tools.write_directory(files, root))


@pytest.mark.parametrize("root", [OLD, NEW], ids=["the old root of trust", "the new root of trust"])
@pytest.mark.parametrize(
    ("size", "keys", "good"),
    [(7, (OLD,), True), (7, (NEW,), False), (8, (NEW,), True), (8, (OLD, NEW), True), (8, (OLD,), False)],
)
def test_each_size_has_a_key_whose_turn_it_is(
    root: SigningKey, size: int, keys: tuple[SigningKey, ...], good: bool, turned: Any, tools: Any, tmp_path: Path,
    verify: Any,
) -> None:  # fmt: skip
    log = published(turned, tools, tmp_path / "log", signed(turned, size, *keys), turn(7, OLD, NEW))
    status, report = verify(log, "--key", root.vkey())
    assert codes(report) == (set() if good else {"checkpoint.unsigned"}) and status == (0 if good else 1)
    store = turned.write_store(tmp_path / "ledger.db", 7)
    import sqlite3

    connection = sqlite3.connect(store)
    connection.execute("DELETE FROM checkpoint")
    connection.execute("INSERT INTO checkpoint VALUES (?, ?)", (size, signed(turned, size, *keys)))
    connection.commit()
    connection.close()
    assert verify_file(store, keys=[root.vkey()]).sound is good, "the store has the statement in its entries"


def test_several_changes_are_followed_in_both_directions(turned: Any, tools: Any, tmp_path: Path, verify: Any) -> None:
    statements = turn(3, OLD, NEW) + turn(7, NEW, NEWEST)
    log = published(turned, tools, tmp_path / "log", signed(turned, 8, NEWEST), statements)
    for root in (OLD, NEW, NEWEST):
        assert verify(log, "--key", root.vkey())[0] == 0
    other = SigningKey.generate(NAME, bytes([5] * 32))
    assert codes(verify(log, "--key", other.vkey())[1]) == {"checkpoint.unsigned"}


@pytest.mark.parametrize(
    "statements",
    [
        "", turn(7, OLD, NEW, OLD), turn(7, OLD, NEW, NEW), turn(7, OLD, NEW)[:-1], turn(7, OLD, NEW) + "x",
        turn(7, OLD, NEW).replace("from 7", "from 6"), turn(7, NEWEST, NEW), turn(9, OLD, NEW),
        turn(7, OLD, NEW) + turn(7, NEW, NEWEST), turn(5, OLD, NEWEST) + turn(7, OLD, NEW),
        turn(7, OLD, replace(NEW, name="other.example"), OLD, replace(NEW, name="other.example")), turn(7, NEW, NEW),
    ],
)  # fmt: skip
def test_a_statement_that_is_missing_or_is_not_the_two_keys_own_leads_nowhere(
    statements: str, turned: Any, tools: Any, tmp_path: Path, verify: Any
) -> None:
    log = published(turned, tools, tmp_path / "log", signed(turned, 8, NEW), statements)
    assert verify(log, "--key", OLD.vkey())[0] != 0


def test_each_changed_byte_of_a_statement_is_found(turned: Any, tools: Any, tmp_path: Path, verify: Any) -> None:
    content = turn(7, OLD, NEW).encode()
    log = published(turned, tools, tmp_path / "log", signed(turned, 8, NEW), content.decode())
    assert verify(log, "--key", OLD.vkey())[0] == 0
    for place in range(len(content)):
        altered = bytearray(content)
        altered[place] ^= 1
        (log / "rotations").write_bytes(altered)
        assert verify(log, "--key", OLD.vkey())[0] != 0, place


def test_a_pack_brings_the_statements_that_its_reader_needs(
    turned: Any, tools: Any, tmp_path: Path, verify: Any
) -> None:
    plain, new = turned.note(), signed(turned, 8, NEW)
    files = {path: content.replace(plain.encode(), new.encode()) for path, content in turned.pack().items()}
    pack = tools.write_directory(tools.with_manifest(files, NAME), tmp_path / "without")
    assert codes(verify(pack, "--key", OLD.vkey())[1]) == {"checkpoint.unsigned"}
    assert verify(pack, "--key", NEW.vkey())[0] == 0
    files["rotations"] = turn(7, OLD, NEW).encode()
    pack = tools.write_directory(tools.with_manifest(files, NAME), tmp_path / "with")
    assert verify(pack, "--key", OLD.vkey())[0] == 0 and verify(pack, "--key", NEW.vkey())[0] == 0


@pytest.mark.parametrize("back", [OLD, NEW], ids=["to the first key", "to a later key"])
def test_a_key_that_was_given_up_never_comes_back(
    back: SigningKey, turned: Any, tools: Any, tmp_path: Path, verify: Any
) -> None:
    """Whoever stole the old key would have the ledger again; the product and both verifiers refuse it."""
    statements = [turn(2, OLD, NEW), turn(4, NEW, NEWEST), turn(6, NEWEST, back)]
    log = published(turned, tools, tmp_path / "log", signed(turned, 8, back), "".join(statements))
    status, report = verify(log, "--key", OLD.vkey())
    assert status == 1 and "rotation.unsigned" in codes(report)
    with pytest.raises(LedgerError):
        rotation.follow(statements)
    files = {str(path.relative_to(log)): path.read_bytes() for path in log.rglob("*") if path.is_file()}
    with pytest.raises(second.Refused, match="comes back"):
        second.verify_log(files, second.Trust(OLD.vkey()))
