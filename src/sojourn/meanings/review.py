"""What the codes about reviews and campaigns tell people."""

from __future__ import annotations

from collections.abc import Mapping

from sojourn.codes import Code, Meaning

from .answers import CONFLICT, INPUT, MISSING, REFUSED

MEANINGS: Mapping[Code, Meaning] = {
    Code.REVIEW_OVERDUE: Meaning(
        "A review of what was done under {grants} is overdue, so {person} gets nothing new.",
        "Its reviewers conclude it with `sojourn review conclude`; `sojourn review list` names them.",
        *REFUSED,
    ),
    Code.REVIEW_UNKNOWN: Meaning(
        "There is no review of grant {grant} for you.", "`sojourn review list` shows those that wait.", *MISSING
    ),
    Code.REVIEW_NOT_ENTITLED: Meaning(
        "{person} may not conclude the review of grant {grant}.", "These people can: {reviewers}.", *REFUSED
    ),
    Code.REVIEW_CONCLUDED: Meaning(
        "The review of grant {grant} was concluded by {person}.", "`sojourn review show {grant}` tells it.", *CONFLICT
    ),
    Code.REVIEW_INCOMPLETE: Meaning("{problem}.", "`sojourn review show {grant}` lists the points.", *INPUT),
    Code.REVIEW_NOTES_FULL: Meaning(
        "The review of grant {grant} has {limit} notes, and takes no more.", "Conclude it.", *CONFLICT
    ),
    Code.REVIEW_QUESTION_UNKNOWN: Meaning(
        "The review of grant {grant} has no open question {number}.",
        "`sojourn review show {grant}` lists them.",
        *MISSING,
    ),
    Code.CAMPAIGN_UNKNOWN: Meaning("There is no campaign {campaign}.", "`sojourn certify list` shows them.", *MISSING),
    Code.CAMPAIGN_INVALID: Meaning("{problem}.", "See `sojourn certify --help`.", *INPUT),
    Code.CAMPAIGN_ITEM_UNKNOWN: Meaning(
        "Campaign {campaign} has no item {number}.", "`sojourn certify show {campaign}` lists them.", *MISSING
    ),
    Code.CAMPAIGN_NOT_ENTITLED: Meaning(
        "{person} may not decide on item {number} of campaign {campaign}.", "These people can: {reviewers}.", *REFUSED
    ),
    Code.CAMPAIGN_CLOSED: Meaning(
        "Campaign {campaign} was over at {due}.", "What nobody decided on was taken away.", *CONFLICT
    ),
    Code.CAMPAIGN_DECIDED: Meaning(
        "Item {number} of campaign {campaign} was decided by {person}.",
        "`sojourn certify show {campaign}` tells how.",
        *CONFLICT,
    ),
    Code.BREAK_GLASS_SPENT: Meaning(
        "{person} has used break-glass {uses} times in {per}, which is the limit.",
        "Ask in the ordinary way, or wait until {after}.",
        *REFUSED,
    ),
    Code.SIGN_IN_STALE: Meaning(
        "{person} has not shown who they are in the last {minutes} minutes.", "Enter your password again.", *REFUSED
    ),
}
