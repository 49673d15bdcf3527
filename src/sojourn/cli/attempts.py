"""sojourn attempts: what was refused."""

from __future__ import annotations

from .client import call
from .common import Common
from .output import print_json, print_table


def attempts(*, subject: str | None = None, actor: str | None = None, common: Common | None = None) -> None:
    """List refused attempts, newest first; for administrators and auditors.

    Example: sojourn attempts --actor alice

    Parameters
    ----------
    subject
        Only those about this, such as request/r-7k3m2q9x4h.
    actor
        Only those of this person.
    """
    common = common or Common()
    params = {name: value for name, value in (("subject", subject), ("actor", actor)) if value is not None}
    answered = call(common, "GET", "/attempts", params=params)
    if common.json:
        print_json(answered)
        return
    columns = ("at", "verb", "actor", "code", "subject", "source")
    print_table(answered["attempts"], columns, empty="There are none.")
