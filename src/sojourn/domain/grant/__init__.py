"""A grant: one access, with one absolute end that only a further approval moves.

- A grant exists only because a request was approved and its requester activated it.
- It opens nothing before the privilege has been read back from the target.
- One control node at a time works on it at its target: who has a lease of it on record, until that lapses. Whoever
  lost the lease meanwhile does not make it active.
- It ends once: at its end, or earlier by its holder, by somebody entitled to revoke it, because its holder left or
  no rule lets them have it any more, or because the target would not take it. From that moment it opens nothing.
- An approved extension moves the end, from where it is to a later moment: no gap, and nothing is counted twice. Until
  it is approved the end stays where it was. Over is over: no extension brings a grant back.
- One session of it can be ended without it, by whoever may revoke it.
- Each grant ends for itself: ending one takes nothing from another, however they overlap.
- It is finished only when its removal has been read back from the target.
- Ending needs no eligibility of the holder and no approval: what was given can always be taken back.
- A grant that is past its end can no longer become active, and nobody is credited with ending it but time.
"""

from .commands import (
    Command,
    ConfirmProlonged,
    ConfirmProvisioned,
    ConfirmRemoved,
    EndEarly,
    EndForLeaver,
    Expire,
    Extend,
    GiveUpProvisioning,
    ReportOverdue,
    ReportProlongingFailed,
    ReportRemovalFailed,
    Revoke,
    StopSession,
    TakeLease,
)
from .decisions import decide, gone
from .state import Grant, Status, evolve

__all__ = [
    "Command",
    "ConfirmProlonged",
    "ConfirmProvisioned",
    "ConfirmRemoved",
    "EndEarly",
    "EndForLeaver",
    "Expire",
    "Extend",
    "GiveUpProvisioning",
    "Grant",
    "ReportOverdue",
    "ReportProlongingFailed",
    "ReportRemovalFailed",
    "Revoke",
    "Status",
    "StopSession",
    "TakeLease",
    "decide",
    "evolve",
    "gone",
]
