"""The tables and triggers of a ledger on SQLite: what the file itself refuses, whoever opens it."""

from __future__ import annotations

_TABLES = {
    "batch": """(
    first INTEGER PRIMARY KEY,
    count INTEGER NOT NULL CONSTRAINT a_row_holds_a_bundle CHECK (count BETWEEN 1 AND 256),
    leaves BLOB NOT NULL CONSTRAINT a_leaf_is_a_sha256 CHECK (typeof(leaves) = 'blob' AND length(leaves) = 32 * count),
    entries BLOB NOT NULL CONSTRAINT an_entry_fits_a_bundle
        CHECK (typeof(entries) = 'blob' AND length(entries) BETWEEN 4 * count AND 65537 * count)
)""",
    "stream_part": """(
    stream TEXT NOT NULL,
    version INTEGER NOT NULL,
    places BLOB NOT NULL CONSTRAINT a_place_has_eight_bytes
        CHECK (typeof(places) = 'blob' AND length(places) > 0 AND length(places) % 8 = 0),
    CONSTRAINT a_version_is_written_once PRIMARY KEY (stream, version)
) WITHOUT ROWID""",
    "indexed": "(size INTEGER PRIMARY KEY, sealed INTEGER NOT NULL)",
    "tile": """(
    level INTEGER NOT NULL,
    tile_index INTEGER NOT NULL,
    hashes BLOB NOT NULL CONSTRAINT a_stored_tile_is_full CHECK (length(hashes) = 8192),
    PRIMARY KEY (level, tile_index)
)""",
    "checkpoint": "(size INTEGER PRIMARY KEY, note TEXT NOT NULL)",
    "attachment": """(
    sha256 TEXT PRIMARY KEY CONSTRAINT a_name_is_a_sha256 CHECK (length(sha256) = 64),
    bytes BLOB NOT NULL
)""",
    "sealing_key": "(key_id TEXT PRIMARY KEY, subject TEXT NOT NULL, recipient TEXT NOT NULL, wrapped BLOB NOT NULL)",
    "sealed": """(
    place INTEGER PRIMARY KEY,
    commitment TEXT NOT NULL CONSTRAINT a_commitment_is_a_sha256 CHECK (length(commitment) = 64),
    key_id TEXT NOT NULL,
    ciphertext BLOB NOT NULL
)""",
    "sealed_place": "(commitment TEXT PRIMARY KEY, place INTEGER NOT NULL) WITHOUT ROWID",
}

_APPEND_ONLY = ("batch", "stream_part", "indexed", "tile", "checkpoint", "attachment", "sealed", "sealed_place")

_FIRST_ROW_STAYS = {
    "tile": "level = NEW.level AND tile_index = NEW.tile_index",
    "checkpoint": "size = NEW.size",
    "attachment": "sha256 = NEW.sha256",
    "sealed_place": "commitment = NEW.commitment",
    "sealing_key": "key_id = NEW.key_id",
}
"""How an insert finds the row that it would replace: SQLite runs no DELETE trigger for INSERT OR REPLACE."""

_RULES = {
    "batch_takes_the_next_place": """BEFORE INSERT ON batch
WHEN NEW.first <> coalesce((SELECT first + count FROM batch ORDER BY first DESC LIMIT 1), 0)
BEGIN SELECT RAISE(ABORT, 'entries take the next place'); END""",
    "sealed_takes_the_next_place": """BEFORE INSERT ON sealed
WHEN NEW.place <> coalesce((SELECT max(place) FROM sealed), 0) + 1
BEGIN SELECT RAISE(ABORT, 'sealed values take the next place'); END""",
    "stream_part_takes_the_next_version": """BEFORE INSERT ON stream_part
WHEN NEW.version <> coalesce((SELECT version + length(places) / 8 FROM stream_part WHERE stream = NEW.stream
                              ORDER BY version DESC LIMIT 1), 1)
BEGIN SELECT RAISE(ABORT, 'a part of a stream takes its next version'); END""",
    "indexed_only_grows": """BEFORE INSERT ON indexed
WHEN NEW.size <= (SELECT max(size) FROM indexed) OR NEW.sealed < (SELECT max(sealed) FROM indexed)
BEGIN SELECT RAISE(ABORT, 'the index only grows'); END""",
    "sealing_key_is_only_ever_destroyed": """BEFORE UPDATE ON sealing_key
WHEN NEW.rowid <> OLD.rowid OR NEW.key_id <> OLD.key_id OR NEW.subject <> OLD.subject
  OR NEW.recipient <> OLD.recipient OR NEW.wrapped <> zeroblob(length(OLD.wrapped))
BEGIN SELECT RAISE(ABORT, 'a sealing key can be destroyed and not changed'); END""",
    "sealing_key_refuses_delete": """BEFORE DELETE ON sealing_key
BEGIN SELECT RAISE(ABORT, 'a sealing key is destroyed by overwriting it'); END""",
}


def _schema() -> dict[str, str]:
    """The statement that makes each table and trigger, by name."""
    made = {name: f"CREATE TABLE {name} {columns}" for name, columns in _TABLES.items()}
    triggers = dict(_RULES)
    for table in _APPEND_ONLY:
        for verb in ("UPDATE", "DELETE"):
            triggers[f"{table}_refuses_{verb.lower()}"] = (
                f"BEFORE {verb} ON {table} BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"
            )
    for table, same in _FIRST_ROW_STAYS.items():
        triggers[f"{table}_keeps_its_first_row"] = (
            f"BEFORE INSERT ON {table} WHEN EXISTS (SELECT 1 FROM {table} WHERE {same}) "  # noqa: S608
            "BEGIN SELECT RAISE(IGNORE); END"
        )
    return made | {name: f"CREATE TRIGGER {name} {rest}" for name, rest in triggers.items()}


SCHEMA = _schema()
"""The statement that makes each table and trigger, by name."""
