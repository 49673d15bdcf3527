"""What the codes about evidence tell people."""

from __future__ import annotations

from collections.abc import Mapping

from sojourn.codes import Code, Exit, Meaning

from .answers import CONFLICT, MISSING

MEANINGS: Mapping[Code, Meaning] = {
    Code.REPORT_UNKNOWN: Meaning(
        "There is no report under way by the name {run}.",
        "Ask for the report again; what was made is kept until newer ones push it out, or until a restart.",
        *MISSING,
    ),
    Code.REPORT_NOT_READY: Meaning("The report {run} is {state}.", "Look again in a few seconds.", *CONFLICT),
    Code.REPORT_QUEUE_FULL: Meaning(
        "{limit} reports are waiting to be made.", "Ask again when some of them are done.", 503, Exit.UNAVAILABLE
    ),
}
