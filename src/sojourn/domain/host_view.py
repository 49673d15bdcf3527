"""What an SSH host can show of what is on record: it knows accounts, and not which access somebody came by.

- A session shows as its account. Whoever is in an account of a role must be on record, whoever it is.
- An access leaves something on the host only if its role has an account made for it, or a sudo rule.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from .reconciliation import KnownLogin, KnownSession
from .target import Role


def sessions_on_host(roles: Iterable[Role], sessions: Iterable[KnownSession]) -> tuple[KnownSession, ...]:
    """The sessions, each by the account that its role works in."""
    accounts = {role.name: role.host.login for role in roles if role.host is not None}
    return tuple(replace(one, login=accounts.get(one.role) or one.login) for one in sessions)  # type: ignore[call-overload]


def logins_on_host(roles: Iterable[Role], logins: Iterable[KnownLogin]) -> tuple[KnownLogin, ...]:
    """The logins; only one that leaves something on the host is missed if it is not there."""
    leaving = {role.name for role in roles if role.host is not None and (role.host.temporary or role.host.sudo)}
    return tuple(one if one.role in leaving else replace(one, active=False) for one in logins)
