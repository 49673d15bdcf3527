"""`sojourn audit verify` and `export`: damage is found, and the exported copy leads to the signed root."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import sojourn_verify
from sojourn.app.drill import forging
from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger import note as notes
from sojourn.ledger.cosignature import CosigningKey
from sojourn.ledger.merkle import leaf_hash, recompute_root
from sojourn.ledger.tiles import TILE_WIDTH, tile_width
from sojourn.publisher.files import Files
from sojourn.publisher.tiles import Tiles
from sojourn.testing.scribe import KEY

from .conftest import ATTACHED, CANCELLED, Kept

SIZE = CANCELLED + 4


def stranger(folder: Path) -> int:
    """Check an exported folder as somebody would who has the key and nothing else; gives its size."""
    head = checkpoints.open((folder / "checkpoint").read_text(), KEY.verifier())
    tiles = Tiles(read=Files(folder).read, size=head.size)
    entries: list[bytes] = []
    for tile_index in range(-(-head.size // TILE_WIDTH)):
        tiles.check_bundle(tile_index)
        entries.extend(tiles.bundle(tile_index, tile_width(0, tile_index, head.size)))
    assert recompute_root([leaf_hash(entry) for entry in entries]) == head.root == tiles.root()
    return head.size


def test_a_sound_ledger_verifies_and_says_what_that_proves(kept: Kept) -> None:
    done = kept.run("verify")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"signed at {SIZE}" in done.stdout
    assert "An auditor runs sojourn-verify elsewhere" in done.stdout
    told = kept.ask("verify")
    assert (told["sound"], [one["size"] for one in told["verdicts"]]) == (True, [SIZE, None])
    assert told["verdicts"][1]["checked"] == {"attachments": 1, "sealed values": 0, "of them readable": 0}


def test_an_altered_entry_is_found_by_the_verifier(kept: Kept) -> None:
    forging.flip(kept.layout.ledger, 100)
    told = kept.ask("verify")
    assert kept.run("verify").returncode == 1
    assert told["verdicts"][0]["problems"]


def test_a_store_that_was_rolled_back_is_found_by_the_anchor(kept: Kept) -> None:
    history = forging.read(kept.layout.ledger)
    forging.rewrite(kept.layout.ledger, history[:100])
    forging.sign(kept.layout.ledger, [100], KEY)
    assert kept.run("verify").returncode == 1


@pytest.mark.parametrize("spoilt", ["tile/0/000", "tile/entries/000", "checkpoint"])
def test_a_published_folder_is_verified_too(kept: Kept, spoilt: str) -> None:
    public = kept.layout.root / "public"
    assert kept.run("export", "--to", str(public)).returncode == 0
    told = kept.ask("verify")
    assert [(one["size"], one["problems"]) for one in told["verdicts"]] == [(SIZE, []), (SIZE, []), (None, [])]
    content = bytearray((public / spoilt).read_bytes())
    content[40] ^= 1
    (public / spoilt).write_bytes(content)
    told = kept.ask("verify")
    assert (told["sound"], told["verdicts"][0]["problems"]) == (False, [])
    assert told["verdicts"][1]["problems"]


def test_an_export_is_the_whole_ledger_with_its_attachments(kept: Kept, tmp_path: Path) -> None:
    told = kept.ask("export", "--to", str(tmp_path / "copy"))
    assert (told["entries"], told["attachments"], told["unsigned"]) == (SIZE, 1, 0)
    assert stranger(tmp_path / "copy") == SIZE
    (attached,) = (tmp_path / "copy" / "attachment").iterdir()
    assert attached.read_bytes() == ATTACHED


def test_an_export_goes_on_where_an_earlier_one_ended(kept: Kept, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    history, whole = forging.read(kept.layout.ledger), kept.layout.ledger.read_bytes()
    forging.rewrite(kept.layout.ledger, history[:100])
    forging.sign(kept.layout.ledger, [100], KEY)
    assert kept.ask("export", "--to", str(copy))["entries"] == 100
    kept.layout.ledger.write_bytes(whole)
    assert kept.ask("export", "--to", str(copy))["entries"] == SIZE
    assert stranger(copy) == SIZE
    assert kept.run("export", "--to", str(copy)).returncode == 0
    assert stranger(copy) == SIZE


def test_an_altered_ledger_is_not_exported(kept: Kept, tmp_path: Path) -> None:
    history = forging.read(kept.layout.ledger)
    forging.rewrite(kept.layout.ledger, [forging.altered(history[0]), *history[1:]])
    done = kept.run("export", "--to", str(tmp_path / "copy"))
    assert (done.returncode != 0, done.stderr.split(":")[0]) == (True, "publication.conflict")
    assert not (tmp_path / "copy" / "checkpoint").exists()


def test_a_folder_that_cannot_be_written_is_one_clear_error(kept: Kept) -> None:
    done = kept.run("export", "--to", os.devnull)
    assert (done.returncode, done.stderr.split(":")[0]) == (2, "input.invalid")


def test_an_export_carries_what_witnesses_have_cosigned(kept: Kept, tmp_path: Path) -> None:
    witness = CosigningKey.generate("witness.example/one", bytes([1] * 32))
    policy = tmp_path / "policy"
    policy.write_text(f"log {KEY.vkey()}\nwitness one {witness.cosigner().vkey()}\nquorum one\n")
    told = kept.run("export", "--to", str(tmp_path / "before"))
    assert told.returncode == 0 and not (tmp_path / "before" / "cosigned").exists()
    note = (tmp_path / "before" / "checkpoint").read_text()
    kept.layout.cosigned.write_text(note + witness.cosign(notes.split(note)[0], 1_790_000_000))
    assert kept.run("export", "--to", str(tmp_path / "after")).returncode == 0
    assert sojourn_verify.main([str(tmp_path / "after"), "--policy", str(policy)]) == 0
    assert sojourn_verify.main([str(tmp_path / "before"), "--policy", str(policy)]) == 1
