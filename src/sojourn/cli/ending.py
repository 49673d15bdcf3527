"""What ending and revoking share: do it, wait until the target says that it is gone, and tell."""

from __future__ import annotations

from .client import call, place
from .common import Common
from .output import print_json, print_line


def end_grant(common: Common, grant: str, verb: str) -> None:
    """End a grant as the signed-in person. Raises SojournError with the API's codes."""
    answered = call(common, "POST", place("grants", grant, verb))
    if common.json:
        print_json(answered)
        return
    cut = answered["cut_us_max"]
    how = f", the slowest {cut / 1000:.1f} ms after its end" if cut is not None else ""
    print_line(f"{grant} has ended. Sessions cut: {answered['sessions_cut']}{how}.")
    if answered["removed"]:
        print_line(f"Read back from the target as gone after {answered['removal_ms']} ms.")
        if answered["grant"]["leftovers"]:
            print_line(f"Running on there, as the role says: {', '.join(answered['grant']['leftovers'])}.")
    else:
        print_line(
            f"The target has not let go of it yet ({answered['grant']['problem']}); that is tried until it does."
        )
