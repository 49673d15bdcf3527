"""sojourn extend: ask for more time."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from .client import call, place
from .common import Common
from .declaring import Declared, declared
from .output import print_json
from .telling import tell_asked


def extend(
    grant: str,
    *,
    duration: Annotated[str, Parameter(name="--for")],
    reason: str = "",
    facts: Declared | None = None,
    common: Common | None = None,
) -> None:
    """Ask that an access of yours lasts longer. It is decided like an access of its own.

    Until it is approved the end stays where it is. In the moment of the last approval the end moves, and open
    sessions go on. If the access is over by then, ask for a new one.

    Example: sojourn extend g-7k3m2q9x4h --for 30m --reason "the repair takes longer"

    Parameters
    ----------
    grant
        The grant's id (see `sojourn grants`).
    duration
        How much longer, such as 30m.
    reason
        Why.
    """
    common = common or Common()
    asked = {"duration": duration, "reason": reason, **declared(facts)}
    answered = call(common, "POST", place("grants", grant, "extend"), asked)
    print_json(answered) if common.json else tell_asked(answered)
