"""What the codes about holds, shredding and retention tell people."""

from __future__ import annotations

from collections.abc import Mapping

from sojourn.codes import Code, Meaning

from .answers import CONFLICT, INPUT, MISSING, REFUSED

MEANINGS: Mapping[Code, Meaning] = {
    Code.HOLD_UNKNOWN: Meaning("There is no hold {hold}.", "See `sojourn hold list`.", *MISSING),
    Code.HOLD_RELEASED: Meaning("Hold {hold} was released already.", "See `sojourn hold list --all`.", *CONFLICT),
    Code.HOLD_SELF: Meaning(
        "{person} asked for the release of {hold} and cannot confirm it too.",
        "Another administrator runs `sojourn hold release {hold}`.",
        *REFUSED,
    ),
    Code.HOLD_IN_FORCE: Meaning(
        "A hold keeps this, so nothing was destroyed: {holds}.",
        "See `sojourn hold list`. Two administrators can release a hold.",
        *REFUSED,
    ),
    Code.SHREDDING_UNKNOWN: Meaning(
        "There is no shredding {shredding}.", "See `sojourn shred` without a name.", *MISSING
    ),
    Code.SHREDDING_NOT_PENDING: Meaning(
        "Shredding {shredding} is {status} already.", "Ask for a new one if there is more to destroy.", *CONFLICT
    ),
    Code.SHREDDING_SELF: Meaning(
        "{person} asked for {shredding} or is the one whom it is about, and cannot do this too.",
        "Another administrator has to do it.",
        *REFUSED,
    ),
    Code.SHREDDING_NOTHING: Meaning(
        "Nothing about {person} is left to be destroyed.", "Check the person's id and the classes.", *MISSING
    ),
    Code.RETENTION_BELOW_FLOOR: Meaning(
        "Records of class {record_class} are kept for {floor} days at least, not {days}.",
        "Choose {floor} days or more.",
        *INPUT,
    ),
    Code.RETENTION_NOT_PENDING: Meaning(
        "Nobody has asked to keep records of class {record_class} for {days} days.",
        "See `sojourn retention show` for what waits.",
        *CONFLICT,
    ),
    Code.RETENTION_SELF: Meaning(
        "{person} asked for another retention of {record_class} and cannot confirm it too.",
        "Another administrator runs `sojourn retention confirm`.",
        *REFUSED,
    ),
    Code.RETENTION_NOTHING_DUE: Meaning(
        "Nothing has been kept longer than the schedule says.", "See `sojourn retention show`.", *MISSING
    ),
    Code.DISPOSAL_UNKNOWN: Meaning("There is no disposal {disposal}.", "See `sojourn retention show`.", *MISSING),
}
