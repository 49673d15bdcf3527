"""The tables, triggers and privileges of a ledger on PostgreSQL: what the database itself refuses.

The schema belongs to whoever runs this text, never to the scribe: the scribe's role may read and insert, may move the
head on, and may overwrite sealing keys with zeros. It may not update, delete or truncate anything else, nor drop a
trigger.
"""

from __future__ import annotations

import re

SCHEMA = "sojourn"

APPEND_ONLY = ("batch", "stream_part", "tile", "checkpoint", "attachment", "sealed")

UPDATABLE = {"head": "size", "sealing_key": "wrapped"}
"""The one column of each of these tables that the scribe may update, under a trigger."""

_TABLES = """
CREATE TABLE sojourn.head (
    one boolean PRIMARY KEY DEFAULT true CONSTRAINT there_is_one_head CHECK (one),
    size bigint NOT NULL
);
INSERT INTO sojourn.head (size) VALUES (0);
CREATE TABLE sojourn.batch (
    first bigint PRIMARY KEY,
    count integer NOT NULL CONSTRAINT a_row_holds_a_bundle CHECK (count BETWEEN 1 AND 256),
    leaves bytea NOT NULL CONSTRAINT a_leaf_is_a_sha256 CHECK (length(leaves) = 32 * count),
    entries bytea NOT NULL
        CONSTRAINT an_entry_fits_a_bundle CHECK (length(entries) BETWEEN 4 * count AND 65537 * count),
    writer text NOT NULL
);
CREATE TABLE sojourn.stream_part (
    stream text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    places bytea NOT NULL CONSTRAINT a_place_has_eight_bytes CHECK (length(places) > 0 AND length(places) % 8 = 0),
    CONSTRAINT a_version_is_written_once PRIMARY KEY (stream, version)
);
CREATE TABLE sojourn.tile (
    level integer NOT NULL,
    tile_index bigint NOT NULL,
    hashes bytea NOT NULL CONSTRAINT a_stored_tile_is_full CHECK (length(hashes) = 8192),
    PRIMARY KEY (level, tile_index)
);
CREATE TABLE sojourn.checkpoint (size bigint PRIMARY KEY, note text NOT NULL);
CREATE TABLE sojourn.attachment (
    sha256 text COLLATE "C" PRIMARY KEY CONSTRAINT a_name_is_a_sha256 CHECK (length(sha256) = 64),
    bytes bytea NOT NULL
);
CREATE TABLE sojourn.sealing_key (
    key_id text COLLATE "C" PRIMARY KEY,
    subject text COLLATE "C" NOT NULL,
    recipient text NOT NULL,
    wrapped bytea NOT NULL
);
CREATE TABLE sojourn.sealed (
    commitment text COLLATE "C" PRIMARY KEY CONSTRAINT a_commitment_is_a_sha256 CHECK (length(commitment) = 64),
    key_id text NOT NULL,
    ciphertext bytea NOT NULL
);
"""

FUNCTIONS = {
    "refuse": "BEGIN RAISE EXCEPTION 'the ledger is append-only'; END",
    "take_the_next_place": """BEGIN
    IF NEW.first <> coalesce((SELECT first + count FROM sojourn.batch ORDER BY first DESC LIMIT 1), 0) THEN
        RAISE EXCEPTION 'entries take the next place';
    END IF;
    RETURN NEW;
END""",
    "take_the_next_version": """BEGIN
    IF NEW.version <> coalesce((SELECT version + length(places) / 8 FROM sojourn.stream_part
                                WHERE stream = NEW.stream ORDER BY version DESC LIMIT 1), 1) THEN
        RAISE EXCEPTION 'a part of a stream takes its next version';
    END IF;
    RETURN NEW;
END""",
    "only_grow": """BEGIN
    IF NEW.one <> OLD.one OR NEW.size <= OLD.size THEN
        RAISE EXCEPTION 'the head only moves on';
    END IF;
    RETURN NEW;
END""",
    "only_destroy": """BEGIN
    IF NEW.key_id <> OLD.key_id OR NEW.subject <> OLD.subject OR NEW.recipient <> OLD.recipient
        OR NEW.wrapped <> decode(repeat('00', length(OLD.wrapped)), 'hex') THEN
        RAISE EXCEPTION 'a sealing key can be destroyed and not changed';
    END IF;
    RETURN NEW;
END""",
}
"""The body of each trigger function."""

TRIGGERS = {
    **{
        f"{table}_is_append_only": (table, "BEFORE UPDATE OR DELETE OR TRUNCATE", "STATEMENT", "refuse")
        for table in APPEND_ONLY
    },
    **{f"{table}_stays": (table, "BEFORE DELETE OR TRUNCATE", "STATEMENT", "refuse") for table in UPDATABLE},
    "batch_takes_the_next_place": ("batch", "BEFORE INSERT", "ROW", "take_the_next_place"),
    "stream_part_takes_the_next_version": ("stream_part", "BEFORE INSERT", "ROW", "take_the_next_version"),
    "head_only_moves_on": ("head", "BEFORE UPDATE", "ROW", "only_grow"),
    "sealing_key_is_only_ever_destroyed": ("sealing_key", "BEFORE UPDATE", "ROW", "only_destroy"),
}
"""The table, the moment, the granularity and the function of each trigger."""

_ROLE = re.compile(r"[a-z_][a-z0-9_]{0,62}", re.ASCII)


def script(role: str) -> str:
    """The SQL that prepares an empty database for the ledger, for a scribe that signs in as `role`.

    Raises ValueError for a name that would have to be quoted.
    """
    if _ROLE.fullmatch(role) is None:
        raise ValueError(f"{role!a} is not a plain name of a role: lower-case letters, digits and _")
    lines = [
        "-- The ledger of Sojourn. Run it once, as the database's owner; the scribe signs in as another role.",
        "BEGIN;",
        "CREATE SCHEMA sojourn;",
        _TABLES.strip(),
    ]
    for name, body in FUNCTIONS.items():
        lines.append(f"CREATE FUNCTION sojourn.{name}() RETURNS trigger LANGUAGE plpgsql AS $${body}$$;")
    for name, (table, moment, each, function) in TRIGGERS.items():
        lines.append(
            f"CREATE TRIGGER {name} {moment} ON sojourn.{table} FOR EACH {each} EXECUTE FUNCTION sojourn.{function}();"
        )
        lines.append(f"ALTER TABLE sojourn.{table} ENABLE ALWAYS TRIGGER {name};")
    lines.append("REVOKE ALL ON SCHEMA sojourn FROM PUBLIC;")
    lines.append("REVOKE ALL ON ALL TABLES IN SCHEMA sojourn FROM PUBLIC;")
    lines.append(f"GRANT USAGE ON SCHEMA sojourn TO {role};")
    lines.append(f"GRANT SELECT ON ALL TABLES IN SCHEMA sojourn TO {role};")
    for table in (*APPEND_ONLY, "sealing_key"):
        lines.append(f"GRANT INSERT ON sojourn.{table} TO {role};")
    for table, column in UPDATABLE.items():
        lines.append(f"GRANT UPDATE ({column}) ON sojourn.{table} TO {role};")
    lines.append("COMMIT;")
    return "\n".join(lines) + "\n"
