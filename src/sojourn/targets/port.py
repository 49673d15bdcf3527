"""What Sojourn asks of every kind of target: make one access real, take it back, and say what is there."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sojourn.domain.reconciliation import Observation
from sojourn.domain.target import Role, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Which access is meant, by all that is known of it: any one mark at the target may have been taken away.

    `credential` is its login, `ends` are all the ends that it ever had, `identity` is what was read back when it was
    made ("" if that is not on record). `others` are the other accesses on record of the same login, not removed yet.
    `observed` is what was last read back of it, `role` the one that it is for ("" if that is not known).
    """

    grant: str
    credential: str
    ends: tuple[datetime, ...]
    identity: str = ""
    others: Collection[str] = ()
    observed: tuple[str, ...] = ()
    role: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """An access that was made: what was read back, and how its login is known again whatever it is called then."""

    observed: tuple[str, ...]
    identity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """What was read back after an access was taken out of a target. A login that is still open counts as present.

    `doubt` says why it cannot be told whether something of the access is left; "" if it can. `left` is what runs on
    because the role says so, one line each.
    """

    role_present: bool
    sessions_present: int
    sessions_terminated: int
    doubt: str = ""
    left: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether nothing is left, for sure."""
        return not (self.role_present or self.sessions_present or self.doubt)

    def __str__(self) -> str:
        """What is left, in words."""
        return self.doubt or f"role present {self.role_present}, sessions {self.sessions_present}"


class TargetDriver(Protocol):
    """One kind of target. Every method may raise SojournError `target.…`; none waits for ever."""

    async def grant(self, target: Target, role: Role, claim: Claim, *, password: str, secret: str) -> Made:
        """Make the login of `claim` with exactly the privileges of `role`, until the last of its ends.

        What is left of an earlier try of the same credential is replaced; a login of that name that Sojourn did
        not make is refused. For a role with an `account` the credential is that account, which is opened for this
        access and for nobody else meanwhile. `secret` is the administrator's.
        """
        ...

    async def prolong(self, target: Target, claim: Claim, *, secret: str) -> tuple[str, ...]:
        """Move the end of the login to the last of the claim's ends; gives what was read back.

        Its sessions and privileges stay as they are. A login that is not there, or not ours, is refused.
        """
        ...

    async def revoke(self, target: Target, claim: Claim, *, secret: str) -> Removal:
        """End its sessions, remove it and all it holds, and read back. Removing what is not there is no error.

        An account of the target's own is shut, with a password that nobody knows, if it is open for this access.

        The answer says if something would not go, or if it cannot be told; then what is surely ours is shut at least,
        and this is to be called again.
        """
        ...

    async def observe(self, target: Target, *, secret: str, log_place: str) -> Observation:
        """What the target shows of our logins and their sessions, and of the mighty logins of others.

        Its own log is read from `log_place` on (what the observation before gave), or from its end on if that is "".
        """
        ...

    async def preflight(self, target: Target, *, secret: str) -> tuple[str, ...]:
        """What Sojourn's account lacks for the target's roles, one line each with its remedy; empty if nothing."""
        ...
