"""What the codes about the record tell people."""

from __future__ import annotations

from collections.abc import Mapping

from sojourn.codes import Code, Exit, Meaning

from .answers import CONFLICT, DOWN, INPUT, MISSING

MEANINGS: Mapping[Code, Meaning] = {
    Code.ENTRY_UNKNOWN: Meaning(
        "There is no entry {number} in a ledger of {size}.",
        "Entries count from 0; `sojourn ledger` says how many.",
        *MISSING,
    ),
    Code.RECORD_UNAVAILABLE: Meaning(
        "The record cannot be written, so nothing was done.",
        "Try again in a moment; nothing runs unrecorded.",
        *DOWN,
    ),
    Code.RECORD_STALE: Meaning(
        "{stream} changed while this was being decided.",
        "Look again and repeat if you still want it.",
        *CONFLICT,
    ),
    Code.RECORD_TOO_LARGE: Meaning(
        "A record of {size} bytes is over the limit of {limit}.", "Send it in smaller parts.", *INPUT
    ),
    Code.RECORD_FULL: Meaning(
        "The disk that holds the record is full, so nothing was done.", "Free space on {directory}.", *DOWN
    ),
    Code.RECORD_DAMAGED: Meaning(
        "The ledger is damaged: {problem}.",
        "Do not repair it by hand; run `sojourn audit verify`.",
        500,
        Exit.FAILED,
    ),
    Code.SIGNING_UNAVAILABLE: Meaning(
        "The signing key does not sign: {key}: {problem}.",
        "Bring the key back. What is on record is kept, and signed as soon as the key is there.",
        *DOWN,
    ),
    Code.SIGNING_CHANGED: Meaning(
        "The signing key {vkey} is not the one whose turn it is in this ledger, which is {pinned}.",
        "Set `scribe.signing_key` back to where that key lies; a key is changed with `sojourn signing-key rotate`.",
        500,
        Exit.FAILED,
    ),
    Code.SIGNING_COMPROMISED: Meaning(
        "The ledger in {directory} is closed, since its signing key may be in other hands; {follower} follows it.",
        "Start the ledger that follows it. This one can still be read, verified and exported.",
        *CONFLICT,
    ),
    Code.RECORD_BEHIND: Meaning(
        "The ledger holds {held} entries, but {anchor} has seen {seen}.",
        "It was rolled back or restored from an old copy. Restore the newest copy.",
        500,
        Exit.FAILED,
    ),
    Code.RECORD_STORE_UNREADY: Meaning(
        "The database cannot keep the ledger: {problem}.",
        "Let the database's owner do what docs/how-to/use-postgresql-for-the-ledger.md says.",
        500,
        Exit.FAILED,
    ),
}
