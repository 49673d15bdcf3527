"""What Sojourn asks of every kind of target: make one access real, take it back, and say what is there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sojourn.domain.reconciliation import Observation
from sojourn.domain.target import Role, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """What was read back after an access was taken out of a target. A login that is still open counts as present."""

    role_present: bool
    sessions_present: int
    sessions_terminated: int

    @property
    def complete(self) -> bool:
        """Whether nothing is left."""
        return not self.role_present and not self.sessions_present


class TargetDriver(Protocol):
    """One kind of target. Every method may raise SojournError `target.…`; none waits for ever."""

    async def grant(
        self, target: Target, role: Role, *, grant: str, credential: str, password: str, until: datetime, secret: str
    ) -> tuple[str, ...]:
        """Make the login `credential` with exactly the privileges of `role`; gives what was read back.

        What is left of an earlier try of the same credential is replaced; a login of that name that Sojourn did
        not make is refused. For a role with an `account` the credential is that account, which is opened for `grant`
        and for nobody else meanwhile. `secret` is the administrator's.
        """
        ...

    async def prolong(
        self,
        target: Target,
        *,
        grant: str,
        credential: str,
        until: datetime,
        secret: str,
        observed: tuple[str, ...] = (),
    ) -> tuple[str, ...]:
        """Move the end of `credential` to `until`, later than the present one; gives what was read back.

        `observed` is what was read back the last time.

        Its sessions and privileges stay as they are. A login that is not there, or not ours, is refused.
        """
        ...

    async def revoke(self, target: Target, *, grant: str, credential: str, secret: str) -> Removal:
        """End its sessions, remove it and all it holds, and read back. Removing what is not there is no error.

        An account of the target's own is shut, with a password that nobody knows, if it is open for `grant`.

        The answer says if something would not go; then the login is shut at least, and this is to be called again.
        """
        ...

    async def observe(self, target: Target, *, secret: str) -> Observation:
        """What the target shows of our logins and their sessions, and of the mighty logins of others."""
        ...

    async def preflight(self, target: Target, *, secret: str) -> tuple[str, ...]:
        """What Sojourn's account lacks for the target's roles, one line each with its remedy; empty if nothing."""
        ...
