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
    Code.SAMPLE_UNKNOWN: Meaning(
        "There is no sample by the name {sample}.", "`sojourn sample list` shows those that were drawn.", *MISSING
    ),
    Code.SAMPLE_ITEM_UNKNOWN: Meaning(
        "{request} is not in the sample {sample}.", "`sojourn sample show` lists what is in it.", *MISSING
    ),
    Code.SAMPLE_QUESTION_UNKNOWN: Meaning(
        "Nothing was asked about the sample {sample} under the number {number}.",
        "`sojourn sample show` lists the questions.",
        *MISSING,
    ),
    Code.SAMPLE_ANSWERED: Meaning(
        "{person} has answered question {number} about the sample {sample}.",
        "An auditor asks another question if there is more to say.",
        *CONFLICT,
    ),
    Code.SAMPLE_FULL: Meaning(
        "About the sample {sample} {limit} questions were asked, which is as many as there may be.",
        "Draw another sample for more.",
        *CONFLICT,
    ),
    Code.EVIDENCE_UNKNOWN: Meaning(
        "No evidence with the hash {sha256} was given to you.",
        "Give the SHA-256 of the ZIP of a pack, or of the manifest of a report, as it was given.",
        *MISSING,
    ),
    Code.FINDING_UNKNOWN: Meaning(
        "There is no finding by the name {finding}.", "`sojourn exception list` shows those on record.", *MISSING
    ),
}
