"""A stranger's check of a published log, made of aics-tlog (PyPI), which needs Python 3.12 or newer.

    python aics.py FOLDER VKEY WITNESS-VKEY <questions.json

It verifies the checkpoint (and the witness's cosignature, where one is there), walks every tile and every bundle, and
checks proofs: those it makes itself from the tiles, and those that the questions bring along. It prints what it found
as JSON, or one line of error with exit code 1. Nothing of Sojourn is imported here.
"""

import json
import sys
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

import aics_tlog as tlog


def proof_of(one: dict[str, Any]) -> list[bytes]:
    return [b64decode(text) for text in one["proof"]]


def look(folder: Path, vkey: str, witness: str, asked: dict[str, Any]) -> dict[str, Any]:
    key = tlog.parse_vkey(vkey)
    cosigned = folder / "cosigned"
    note = tlog.parse_note((cosigned if cosigned.exists() else folder / "checkpoint").read_bytes())
    witnesses = [tlog.parse_vkey(witness)] if cosigned.exists() else []
    result = tlog.verify_checkpoint(note, key, witnesses, quorum=len(witnesses), expected_origin=key.name)
    assert result.ok, "the checkpoint does not verify"
    head = tlog.parse_checkpoint(note.text)
    reader = tlog.FileSystemTileReader(folder)
    report = tlog.audit_tiles(reader, head.size, head.root)
    assert report.size == head.size
    checked, proven = 0, tlog.VerifiedTileReader(reader, head.size, head.root)
    for index in asked.get("indexes", []):
        entry = tlog.read_entry(proven, index, head.size)
        made = tlog.inclusion_proof_from_tiles(proven, index, head.size)
        assert tlog.verify_leaf_inclusion(entry, index, head.size, made, head.root), f"entry {index}"
        checked += 1
    for one in asked.get("included", []):
        entry, made = b64decode(one["entry"]), proof_of(one)
        assert tlog.verify_leaf_inclusion(entry, one["index"], head.size, made, head.root), f"proof of {one['index']}"
        checked += 1
    for one in asked.get("extending", []):
        root, made = b64decode(one["root"]), proof_of(one)
        assert tlog.verify_consistency(one["size"], head.size, root, head.root, made), f"growth from {one['size']}"
        checked += 1
    return {
        "origin": head.origin,
        "size": head.size,
        "root": b64encode(head.root).decode(),
        "checked": checked,
        "witnesses": len(witnesses),
    }


if __name__ == "__main__":
    try:
        found = look(Path(sys.argv[1]), sys.argv[2], sys.argv[3], json.load(sys.stdin))
    except Exception as error:  # noqa: BLE001 - whatever it does not like, it refuses
        sys.exit(f"{type(error).__name__}: {error}")
    print(json.dumps(found))
