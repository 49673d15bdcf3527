"""sojourn attempts: what was refused."""

from __future__ import annotations

from .client import call, given
from .common import Common
from .output import print_json, print_more, print_table


def attempts(
    *, subject: str | None = None, actor: str | None = None, before: int | None = None, common: Common | None = None
) -> None:
    """List refused attempts, newest first; for administrators and auditors.

    Example: sojourn attempts --actor alice

    Parameters
    ----------
    subject
        Only those about this, such as request/r-7k3m2q9x4h.
    actor
        Only those of this person.
    before
        Go on where a page stopped; it names the number.
    """
    common = common or Common()
    answered = call(common, "GET", "/attempts", params=given(subject=subject, actor=actor, before=before))
    if common.json:
        print_json(answered)
        return
    columns = ("at", "verb", "actor", "code", "subject", "source")
    print_table(answered["attempts"], columns, empty="There are none.")
    print_more(answered)
