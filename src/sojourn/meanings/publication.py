"""What the codes about the published copies of the record tell people."""

from __future__ import annotations

from collections.abc import Mapping

from sojourn.codes import Code, Exit, Meaning

from .answers import DOWN

MEANINGS: Mapping[Code, Meaning] = {
    Code.PUBLICATION_CONFLICT: Meaning(
        "{place} does not hold this ledger: {problem}.",
        "Keep it as it is for whoever looks into it, and publish to another place; see how-to/publish-the-ledger.",
        500,
        Exit.FAILED,
    ),
    Code.PUBLICATION_UNREACHABLE: Meaning(
        "{place} does not answer: {problem}.",
        "Check its address, its permissions and its room; publishing goes on by itself when it answers.",
        *DOWN,
    ),
    Code.PUBLICATION_LATE: Meaning(
        "No access begins: {place} holds {published} entries, and nothing that was recorded since {since}.",
        "Have an operator look at `sojourn ledger`; activate again when the copy has caught up, or break glass.",
        *DOWN,
    ),
}
