"""A target in memory: logins that are made, last until a moment, and are taken back.

It keeps the promises of a real one (see `targets.port`) and none of its privileges. It can be unreachable, and it can
refuse to let go for a while.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from sojourn.domain.reconciliation import Observation
from sojourn.domain.target import Role, Target
from sojourn.errors import Code, SojournError
from sojourn.targets.port import Claim, Made, Removal


@dataclass(slots=True)
class Login:
    """A login that is there, made for `grant`."""

    grant: str
    password: str
    until: datetime
    sessions: int = 0


@dataclass(slots=True)
class SimulatedTarget:
    """Implements `targets.port.TargetDriver`. `logins` are by credential; `done` is told what has just been done.

    While `unreachable` nothing can be done; for the next `holding` removals, sessions will not end.
    """

    logins: dict[str, Login] = field(default_factory=dict)
    unreachable: bool = False
    holding: int = 0
    done: Callable[[str, str], None] = lambda what, grant: None

    async def grant(self, target: Target, role: Role, claim: Claim, *, password: str, secret: str) -> Made:
        """See `targets.port.TargetDriver.grant`."""
        self._reach(target)
        until = claim.ends[-1]
        self.logins[claim.credential] = Login(grant=claim.grant, password=password, until=until)
        self.done("grant", claim.grant)
        observed = (f"LOGIN until {until.isoformat()}", *(str(one) for one in role.privileges))
        return Made(observed=observed, identity=claim.credential)

    async def prolong(self, target: Target, claim: Claim, *, secret: str) -> tuple[str, ...]:
        """See `targets.port.TargetDriver.prolong`."""
        self._reach(target)
        login = self.logins.get(claim.credential)
        if login is None or login.grant != claim.grant:
            problem = f"there is no login {claim.credential}"
            raise SojournError(Code.TARGET_REFUSED, target=target.name, problem=problem)
        login.until = claim.ends[-1]
        self.done("prolong", claim.grant)
        return (f"LOGIN until {login.until.isoformat()}",)

    async def revoke(self, target: Target, claim: Claim, *, secret: str) -> Removal:
        """See `targets.port.TargetDriver.revoke`."""
        self._reach(target)
        login = self.logins.get(claim.credential)
        if login is not None and self.holding:
            self.holding -= 1
            return Removal(role_present=True, sessions_present=1, sessions_terminated=0)
        self.logins.pop(claim.credential, None)
        self.done("revoke", claim.grant)
        return Removal(role_present=False, sessions_present=0, sessions_terminated=login.sessions if login else 0)

    async def observe(self, target: Target, *, secret: str, log_place: str) -> Observation:
        """See `targets.port.TargetDriver.observe`. Nobody is at work, and nobody else is mighty."""
        self._reach(target)
        return Observation(sessions=(), logins=tuple(sorted(self.logins)), accounts=())

    async def preflight(self, target: Target, *, secret: str) -> tuple[str, ...]:
        """See `targets.port.TargetDriver.preflight`. Nothing is ever missing."""
        self._reach(target)
        return ()

    def _reach(self, target: Target) -> None:
        if self.unreachable:
            raise SojournError(Code.TARGET_UNREACHABLE, target=target.name, problem="it is away")
