"""Where the access of a grant is: at the address that its approvers saw, and nowhere else.

- The address (kind, host, port, database) and the roles are those of the configuration that the grant was made under.
  A target that moved since, or is gone from the configuration, does not take its grants along: a removal is
  confirmed by the server that the role was made on.
- How to get in (account, secret, TLS) is as it is now, if the target still has that address now.
- Each address has its own places for work, removals apart from provisioning, so a dead target delays no other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from sojourn.domain.catalogue import Adopted
from sojourn.domain.grant import Grant
from sojourn.domain.target import Target, TargetKind
from sojourn.errors import Code, SojournError

from .port import TargetDriver

AT_ONCE_MAX = 4
"""How many grants are made at one address at the same time, and how many taken back."""


class Work(StrEnum):
    """What is done at a target."""

    PROVISIONING = "provisioning"
    REMOVAL = "removal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A target with what it takes to work there. `secret` is the administrator's."""

    target: Target
    driver: TargetDriver
    secret: str


@dataclass(slots=True)
class Places:
    """Every target of every configuration that was ever in force."""

    drivers: Mapping[TargetKind, TargetDriver]
    read_secret: Callable[[str], str]
    _targets: dict[tuple[int, str], Target] = field(default_factory=dict)
    _version: int = 0
    _slots: dict[tuple[str, int, Work], asyncio.Semaphore] = field(default_factory=dict)

    def adopt(self, adopted: Adopted) -> None:
        """Take note of a configuration; the last one is in force."""
        self._version = adopted.version
        for target in adopted.catalogue.targets:
            self._targets[adopted.version, target.name] = target

    def of(self, grant: Grant) -> Place:
        """Where the access of this grant is. Raises SojournError `target.unknown`, or what `read_secret` raises."""
        created = grant.created
        then = self._targets.get((created.configuration_version, created.target))
        if then is None:
            raise SojournError(Code.TARGET_UNKNOWN, target=created.target)
        now = self._targets.get((self._version, created.target))
        if now is not None and _address(now) == _address(then):
            then = replace(
                then,
                administrator=now.administrator,
                administrator_secret=now.administrator_secret,
                tls=now.tls,
                tls_authority=now.tls_authority,
                ssh=now.ssh,
            )
        # An SSH host has no secret: its administrator is let in by a certificate of a minute.
        secret = self.read_secret(then.administrator_secret) if then.administrator_secret else ""
        driver = self.drivers.get(then.kind)
        if driver is None:
            problem = f"this installation does not serve {then.kind}: settings.yaml has gateway.{then.kind}"
            raise SojournError(Code.TARGET_REFUSED, target=then.name, problem=problem)
        return Place(target=then, driver=driver, secret=secret)

    def slots(self, target: Target, work: Work) -> asyncio.Semaphore:
        """The places for such work at the target's address; to be held while it is done."""
        return self._slots.setdefault((target.host, target.port, work), asyncio.Semaphore(AT_ONCE_MAX))


def _address(target: Target) -> tuple[str, str, int, str]:
    return (target.kind, target.host, target.port, target.database)
