"""What the codes about the standing of people tell people."""

from __future__ import annotations

from collections.abc import Mapping

from sojourn.codes import Code, Meaning

from .answers import CONFLICT, INPUT, MISSING, REFUSED

MEANINGS: Mapping[Code, Meaning] = {
    Code.PERSON_LEFT: Meaning(
        "{person} has left.",
        "If that is a mistake, an administrator records the return: sojourn rejoin {person}.",
        *CONFLICT,
    ),
    Code.PERSON_PRESENT: Meaning("{person} has not left.", "Nothing is to be done.", *CONFLICT),
    Code.OWNER_LEFT: Meaning(
        "{owner}, who answers for {person}, has left.",
        "Give the account another owner in people.yaml.",
        *REFUSED,
    ),
    Code.ELIGIBILITY_REMOVED: Meaning(
        "A review of eligibility took {role} on {target} from {person}.",
        "Change people.yaml or policy.yaml so that they no longer give it; after that it can be given anew.",
        *REFUSED,
    ),
    Code.ADMINISTRATOR_LAST: Meaning(
        "{person} is the last administrator.", "Make somebody else an administrator first.", *REFUSED
    ),
    Code.ABSENCE_UNKNOWN: Meaning(
        "There is no absence {absence} of yours.", "`sojourn away list` shows them.", *MISSING
    ),
    Code.ABSENCE_INVALID: Meaning("{problem}.", "See `sojourn away --help`.", *INPUT),
}
