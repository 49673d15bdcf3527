"""Builds small ledgers, stores and packs the way the product does, for the verifier to judge."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import zipfile
from base64 import b64encode
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from sojourn.ledger import canonical, merkle
from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger import entry as entries
from sojourn.ledger.checkpoint import Checkpoint
from sojourn.ledger.commitment import commit
from sojourn.ledger.note import SigningKey
from sojourn.ledger.proof import Proof
from sojourn.ledger.tiles import encode_bundle, tile_path

SCHEMA = """
CREATE TABLE batch (first INTEGER PRIMARY KEY, count INTEGER NOT NULL, leaves BLOB NOT NULL, entries BLOB NOT NULL);
CREATE TABLE tile (level INTEGER, tile_index INTEGER, hashes BLOB, PRIMARY KEY (level, tile_index));
CREATE TABLE checkpoint (size INTEGER PRIMARY KEY, note TEXT);
CREATE TABLE attachment (sha256 TEXT PRIMARY KEY, bytes BLOB);
CREATE TABLE sealed (commitment TEXT PRIMARY KEY, key_id TEXT, ciphertext BLOB);
CREATE TABLE sealing_key (key_id TEXT PRIMARY KEY, subject TEXT, recipient TEXT, wrapped BLOB);
"""
AT = "2026-11-25T07:29:12.123456Z"


@dataclass
class Ledger:
    """A ledger in memory."""

    key: SigningKey
    leaves: list[bytes] = field(default_factory=list)
    rows: list[tuple[int, str, int, str, bytes, bytes]] = field(default_factory=list)
    versions: dict[str, int] = field(default_factory=dict)
    attachments: dict[str, bytes] = field(default_factory=dict)
    disclosed: list[dict[str, str]] = field(default_factory=list)

    def append(self, stream: str, kind: str, body: dict[str, Any]) -> bytes:
        version = self.versions[stream] = self.versions.get(stream, 0) + 1
        data = entries.assemble(
            seq=len(self.rows), at=AT, stream=stream, version=version, kind=kind, body=canonical.encode(body)
        )
        self.leaves.append(merkle.leaf_hash(data))
        self.rows.append((len(self.rows), stream, version, kind, self.leaves[-1], data))
        return data

    def attach(self, content: bytes) -> str:
        name = hashlib.sha256(content).hexdigest()
        self.attachments[name] = content
        return name

    def seal(self, value: bytes) -> str:
        salt = bytes(range(32))
        commitment = commit(value, salt)
        self.disclosed.append({"commitment": commitment, "salt": salt.hex(), "value": b64encode(value).decode()})
        return commitment

    def read_hash(self, level: int, index: int) -> bytes:
        return merkle.recompute_root(self.leaves[index << level : (index + 1) << level])

    def note(self, size: int | None = None) -> str:
        size = len(self.leaves) if size is None else size
        root = merkle.recompute_root(self.leaves[:size])
        return checkpoints.sign(Checkpoint(origin=self.key.name, size=size, root=root), self.key)

    def proof(self, index: int, size: int | None = None) -> str:
        size = len(self.leaves) if size is None else size
        hashes = tuple(merkle.inclusion_proof(index, size, self.read_hash))
        return Proof(index=index, hashes=hashes, checkpoint_note=self.note(size)).format()

    def published(self, size: int | None = None) -> dict[str, bytes]:
        """The ledger as static files (C2SP tlog-tiles), with the tiles of the levels above."""
        size = len(self.leaves) if size is None else size
        files = {"checkpoint": self.note(size).encode()}
        hashes = self.leaves[:size]
        entries = [row[5] for row in self.rows[:size]]
        for tile_index, bundle in enumerate(entries[at : at + 256] for at in range(0, size, 256)):
            files[tile_path(None, tile_index, len(bundle))] = encode_bundle(bundle)
        level = 0
        while hashes:
            rows = [hashes[at : at + 256] for at in range(0, len(hashes), 256)]
            files |= {tile_path(level, index, len(row)): b"".join(row) for index, row in enumerate(rows)}
            hashes = [merkle.recompute_root(row) for row in rows if len(row) == 256]
            level += 1
        return files | {f"attachment/{name}": content for name, content in self.attachments.items()}

    def fill_store(self, connection: sqlite3.Connection, *signed_sizes: int) -> None:
        connection.executescript(SCHEMA)
        for row in self.rows:
            connection.execute("INSERT INTO batch VALUES (?, 1, ?, ?)", (row[0], row[4], encode_bundle([row[5]])))
        for size in signed_sizes or (len(self.rows),):
            connection.execute("INSERT INTO checkpoint VALUES (?, ?)", (size, self.note(size)))
        connection.executemany("INSERT INTO attachment VALUES (?, ?)", self.attachments.items())
        for one in self.disclosed:
            connection.execute("INSERT INTO sealed VALUES (?, 'k-1', x'00112233')", (one["commitment"],))
        connection.execute("INSERT INTO sealing_key VALUES ('k-1', 'alice', 'auditor', x'445566')")
        connection.commit()

    def write_store(self, path: Path, *signed_sizes: int) -> Path:
        connection = sqlite3.connect(path)
        self.fill_store(connection, *signed_sizes)
        connection.close()
        return path

    def pack(self, *indexes: int, subject: str = "grant/g-1") -> dict[str, bytes]:
        files = {"checkpoint": self.note().encode(), "disclosed.json": canonical.encode(self.disclosed)}
        for index in indexes or range(len(self.rows)):
            files[f"entries/{index:012}.json"] = self.rows[index][5]
            files[f"proofs/{index:012}.tlog-proof"] = self.proof(index).encode()
        for name, content in self.attachments.items():
            files[f"attachments/{name}"] = content
        files["grant.json"] = b'{"grant":"g-1"}'
        files["index.html"] = b"<p>What happened</p>"
        return with_manifest(files, self.key.name, subject)


def with_manifest(files: dict[str, bytes], origin: str, subject: str = "grant/g-1") -> dict[str, bytes]:
    """Return the files with a manifest that fits them."""
    rest = {path: content for path, content in files.items() if path != "manifest.json"}
    manifest = {
        "files": {
            path: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for path, content in rest.items()
        },
        "format": "sojourn-evidence-pack/1",
        "origin": origin,
        "subject": subject,
    }
    return rest | {"manifest.json": canonical.encode(manifest)}


def write_directory(files: dict[str, bytes], root: Path) -> Path:
    for path, content in files.items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    return root


def write_zip(files: dict[str, bytes], path: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


@dataclass
class Tools:
    """What the tests of this folder share."""

    with_manifest = staticmethod(with_manifest)
    write_directory = staticmethod(write_directory)
    write_zip = staticmethod(write_zip)
    new_ledger = Ledger


@pytest.fixture(scope="session")
def tools() -> type[Tools]:
    return Tools


@pytest.fixture(scope="session")
def signing_key() -> SigningKey:
    return SigningKey.generate("sojourn.example/ledger", bytes(range(32)))


@pytest.fixture
def ledger(signing_key: SigningKey) -> Ledger:
    """Seven entries of four streams, with an attachment and a sealed value."""
    made = Ledger(key=signing_key)
    made.append("configuration", "configuration.adopted", {"version": 1})
    made.append("configuration", "configuration.adopted", {"version": 2})
    made.append("request/r-1", "request.submitted", {"by": "alice", "reason": "Zahlen prüfen \u2713"})
    made.append("request/r-1", "request.approved", {"by": "bob"})
    made.append("grant/g-1", "grant.created", {"attached": made.attach(b"terms of the grant")})
    sealed = {"commitment": made.seal(b"select * from orders"), "key": "k-1"}
    made.append("session/s-1", "statement.intended", {"statement": sealed})
    made.append("grant/g-1", "grant.ended", {"rows": 12})
    return made


@pytest.fixture
def key_file(tmp_path: Path, signing_key: SigningKey) -> str:
    path = tmp_path / "ledger.vkey"
    path.write_text(signing_key.vkey() + "\n")
    return str(path)


@pytest.fixture
def verify(capsys: pytest.CaptureFixture[str]) -> Any:
    """Run the command with --json; give its exit status and what it printed."""
    import sojourn_verify

    def run(*arguments: object) -> tuple[int, dict[str, Any]]:
        status = sojourn_verify.main([*map(str, arguments), "--json"])
        return status, json.loads(capsys.readouterr().out)

    return run
