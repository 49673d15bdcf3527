"""sojourn logout: end the sign-in."""

from __future__ import annotations

from .client import call
from .common import Common
from .output import print_json, print_line


def logout(*, common: Common | None = None) -> None:
    """Sign out: the token is revoked and forgotten.

    Example: sojourn logout --as alice
    """
    common = common or Common()
    person = common.profile()["person"]
    call(common, "POST", "/sign-out")
    common.forget(person)
    if common.json:
        print_json({"person": person})
    else:
        print_line(f"{person} is signed out.")
