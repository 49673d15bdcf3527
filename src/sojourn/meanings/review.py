"""What the codes about reviews and campaigns tell people."""

from __future__ import annotations

from collections.abc import Mapping

from sojourn.codes import Code, Meaning

from .answers import REFUSED

MEANINGS: Mapping[Code, Meaning] = {
    Code.REVIEW_OVERDUE: Meaning(
        "A review of what was done under {grants} is overdue, so {person} gets nothing new.",
        "Its reviewers conclude it with `sojourn review conclude`; `sojourn review list` names them.",
        *REFUSED,
    ),
}
