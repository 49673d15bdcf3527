"""What is done to clones, each by whoever owns the tables and drops their triggers; some own the signing key too."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from hashlib import sha256

from sojourn.domain.events import CheckpointStamped
from sojourn.ledger import cosignature as cosignatures
from sojourn.ledger import entry as entries
from sojourn.ledger.entry import Entry
from sojourn.ledger.note import split

from . import forging
from .clones import Clone
from .forging import Connection

Act = Callable[[Clone], str]
"""Does it, and gives "", or else says why it cannot be done to this ledger."""


def cosign(clone: Clone, note: str, seconds: int) -> None:
    """Let the drill's witness cosign a checkpoint, and keep it where an auditor does."""
    text, _ = split(note)
    clone.cosigned.write_text(note + clone.witness.cosign(text, seconds))


def _flip(clone: Clone) -> str:
    forging.flip_in(clone.tables, clone.place)
    return ""


def _rewrite(clone: Clone, history: Sequence[bytes]) -> str:
    if list(history) == list(clone.history):
        return _NO_CHANGE
    forging.rewrite_in(clone.tables, history)
    return ""


def _with_alteration(clone: Clone) -> list[bytes]:
    history = [*clone.history]
    history[clone.place] = forging.altered(history[clone.place])
    return history


def _alter(clone: Clone) -> str:
    return _rewrite(clone, _with_alteration(clone))


def _delete(clone: Clone) -> str:
    place = clone.place
    return _rewrite(clone, forging.renumbered([*clone.history[:place], *clone.history[place + 1 :]]))


def _truncate(clone: Clone) -> str:
    return _rewrite(clone, clone.history[:-1])


def _reorder(clone: Clone) -> str:
    # Entries that say the same at the same time are the same in any order: then others have to change places.
    for place in (clone.place, 0):
        history = [*clone.history]
        history.insert(len(history) - 1, history.pop(place))
        forged = forging.renumbered(history)
        if forged != list(clone.history):
            return _rewrite(clone, forged)
    return _rewrite(clone, forging.renumbered(clone.history[::-1])) and "all its entries say the same at the same time"


def _backdate(clone: Clone) -> str:
    history = [*clone.history]
    history[clone.place] = forging.backdated(history[clone.place])
    return _rewrite(clone, history)


def _roll_back(clone: Clone) -> str:
    half = clone.sizes[0]
    forging.rewrite_in(clone.tables, clone.history[:half])
    told = b"".join(clone.history[:half])
    with clone.tables.opened() as connection:
        # An old copy holds nothing that came later.
        for table, name in (("sealed", "commitment"), ("attachment", "sha256")):
            found = connection.execute(f"SELECT {name} FROM {table}").fetchall()  # noqa: S608 - our own names
            later = [(one,) for (one,) in found if one.encode() not in told]
            connection.executemany(f"DELETE FROM {table} WHERE {name} = ?", later)  # noqa: S608 - our own names
    forging.sign_in(clone.tables, (half,), clone.key)
    return ""


def _fork(clone: Clone) -> str:
    _alter(clone)
    forging.sign_in(clone.tables, clone.sizes, clone.key)
    return ""


def _forge_cosignature(clone: Clone) -> str:
    """The thief of the key shows everybody another history, under the cosignature that was made for the true one."""
    true = cosignatures.verify(clone.cosigned.read_text(), [clone.witness.cosigner()])
    _alter(clone)
    note = forging.sign_in(clone.tables, clone.sizes, clone.key)
    clone.anchor.write_text(note)
    clone.cosigned.write_text(note + true[0].line)
    return ""


def _backdate_stamp(clone: Clone) -> str:
    """The thief of the key wants a time stamp to have been an hour earlier, and changes token, entry and hashes."""
    found = [(seq, one) for seq, one in enumerate(map(entries.parse, clone.history)) if _is_stamp(one)]
    if not found:
        return "nothing of this ledger is time-stamped"
    seq, entry = found[-1]
    body = json.loads(entry.body)
    with clone.tables.opened() as connection:
        query = "SELECT bytes FROM attachment WHERE sha256 = ?"
        row = connection.execute(query, (body["token_sha256"],)).fetchone()
        if row is None:
            return "the token of its newest time stamp is missing already"
        time = entries.parse_time(_with_fraction(body["time"]))
        earlier = time - timedelta(hours=1)
        token = bytes(row[0]).replace(_as_der(time), _as_der(earlier))
        name = sha256(token).hexdigest()
        values = (name, token, body["token_sha256"])
        connection.execute("UPDATE attachment SET sha256 = ?, bytes = ? WHERE sha256 = ?", values)
    told = body["time"].replace(time.isoformat()[:19], earlier.isoformat()[:19])
    history = [*clone.history]
    history[seq] = forging.with_body(entry, body | {"token_sha256": name, "time": told})
    forging.rewrite_in(clone.tables, history)
    clone.anchor.write_text(forging.sign_in(clone.tables, clone.sizes, clone.key))
    cosign(clone, clone.anchor.read_text(), 0)
    return ""


def _is_stamp(entry: Entry) -> bool:
    return entry.kind == CheckpointStamped.kind


def _with_fraction(time: str) -> str:
    """A time as entries write it."""
    return time if "." in time else time.replace("Z", ".000000Z")


def _as_der(time: object) -> bytes:
    """The second of a time, as a token has it (GeneralizedTime)."""
    return f"{time:%Y%m%d%H%M%S}".encode()


def _readable(clone: Clone, connection: Connection, count: int) -> list[tuple[str, bytes]]:
    """(commitment, ciphertext) of up to so many sealed values that the keys here open."""
    query = (
        "SELECT commitment, ciphertext, wrapped, recipient FROM sealed "
        "JOIN sealing_key ON sealing_key.key_id = sealed.key_id ORDER BY commitment"
    )
    found: list[tuple[str, bytes]] = []
    for commitment, ciphertext, wrapped, recipient in connection.execute(query):
        if len(found) == count:
            break
        if recipient in clone.readable and any(wrapped):
            found.append((commitment, bytes(ciphertext)))
    return found


def _alter_sealed(clone: Clone) -> str:
    with clone.tables.opened() as connection:
        for commitment, ciphertext in _readable(clone, connection, 1):
            changed = ciphertext[:-1] + bytes([ciphertext[-1] ^ 1])
            connection.execute("UPDATE sealed SET ciphertext = ? WHERE commitment = ?", (changed, commitment))
            return ""
    return "no sealed value of this ledger opens with the keys that are here"


def _swap_sealed(clone: Clone) -> str:
    with clone.tables.opened() as connection:
        found = _readable(clone, connection, 2)
        if len(found) < 2:
            return "fewer than two sealed values of this ledger open with the keys that are here"
        (one, first), (other, second) = found
        for commitment, ciphertext in ((one, second), (other, first)):
            connection.execute("UPDATE sealed SET ciphertext = ? WHERE commitment = ?", (ciphertext, commitment))
    return ""


def _drop_sealed(clone: Clone) -> str:
    told = b"".join(clone.history)
    with clone.tables.opened() as connection:
        found = [commitment for (commitment,) in connection.execute("SELECT commitment FROM sealed").fetchall()]
        if not found:
            return "nothing of this ledger is sealed"
        # The newest: a file numbers them, and a gap would show at the next start.
        newest = max(found, key=lambda one: told.rfind(one.encode()))
        connection.execute("DELETE FROM sealed WHERE commitment = ?", (newest,))
    return ""


def _alter_attachment(clone: Clone) -> str:
    with clone.tables.opened() as connection:
        row = connection.execute("SELECT sha256, bytes FROM attachment ORDER BY sha256 DESC LIMIT 1").fetchone()
        if row is None:
            return _NO_ATTACHMENT
        longer = (bytes(row[1]) + b"!", row[0])
        connection.execute("UPDATE attachment SET bytes = ? WHERE sha256 = ?", longer)
    return ""


def _drop_attachment(clone: Clone) -> str:
    query = "DELETE FROM attachment WHERE sha256 = (SELECT max(sha256) FROM attachment)"
    with clone.tables.opened() as connection:
        done = connection.execute(query).rowcount
    return "" if done else _NO_ATTACHMENT


_NO_CHANGE = "it would leave this ledger as it is"
_NO_ATTACHMENT = "no entry of this ledger names an attachment"

ATTACKS: dict[str, tuple[str, Act]] = {
    "flip": ("one bit of an entry is changed where it lies", _flip),
    "alter": ("an entry says something else; all hashes are made to fit", _alter),
    "delete": ("an entry is gone, the later ones are renumbered; all hashes are made to fit", _delete),
    "truncate": ("the newest entry is gone; all hashes are made to fit", _truncate),
    "reorder": ("an entry stands behind later ones; all hashes are made to fit", _reorder),
    "backdate": ("an entry is an hour earlier; all hashes are made to fit", _backdate),
    "roll-back": ("the store is an older, rightly signed one", _roll_back),
    "fork": ("an entry says something else, and the thief of the key has signed it", _fork),
    "sealed-altered": ("a sealed value is changed where it lies", _alter_sealed),
    "sealed-swapped": ("two sealed values change places", _swap_sealed),
    "sealed-missing": ("a sealed value is gone", _drop_sealed),
    "attachment-altered": ("an attachment is another", _alter_attachment),
    "attachment-missing": ("an attachment is gone", _drop_attachment),
    "cosignature-forged": (
        "the thief of the key shows another history under the cosignature of the true one",
        _forge_cosignature,
    ),
    "stamp-backdated": (
        "the thief of the key makes a time stamp an hour earlier, in token, entry and all hashes; the witness helps",
        _backdate_stamp,
    ),
}
"""What is done to a clone each."""
