"""An access on an SSH host: certificates that the host checks, an account if the role wants one, and the end of both.

- Nothing of a certificate is kept on the host; it trusts the authority, and a list of what is revoked.
- The host itself ends what an access runs and has there at its end, if nobody comes to do it: see `own_end`.
- At the end the certificates are on that list, processes of the access are ended, and what was made is removed.
  Read back is that the host refuses a certificate of that name, and that processes and account are gone.
"""

from __future__ import annotations

import asyncio
from functools import partial

import asyncssh

from sojourn.domain.reconciliation import Observation
from sojourn.domain.ssh import HostAccess, Leftovers, place_line
from sojourn.domain.target import Role, Target
from sojourn.errors import Code, SojournError
from sojourn.targets.port import Claim, Made, Removal
from sojourn.vault.ssh_authority import Authority, grant_key, private_file
from sojourn.workflow.ports import Clock

from . import own_end, scripts, watching
from .certificates import certificates_of, found, prolonged, said
from .connection import Reach, log_in, of
from .observing import OWN_SERIAL, observation
from .preflight import lacking

GRANT_SECONDS = 25.0
REVOKE_SECONDS = 40.0
WATCH_BYTES_MAX = 8 * 1024 * 1024


class SshDriver:
    """Implements `targets.port.TargetDriver` for OpenSSH 8.4 and newer on a host with the tools of POSIX."""

    def __init__(self, authority: Authority, clock: Clock) -> None:
        """`authority` signs the certificates of accesses."""
        self._authority = authority
        self._clock = clock
        self._reach = Reach(authority=authority, clock=clock)
        self._lists: dict[tuple[str, int], asyncio.Lock] = {}

    async def grant(self, target: Target, role: Role, claim: Claim, *, password: str, secret: str) -> Made:
        """See `targets.port.TargetDriver.grant`."""
        access = _access(role)
        account = access.login or claim.credential
        sign = partial(
            certificates_of,
            self._authority,
            access,
            account=account,
            credential=claim.credential,
            password=password,
            source_addresses=of(target).source_addresses,
            since=(now := self._clock.now()),
            until=claim.ends[-1],
        )
        lines = sign(int(now.timestamp()))
        async with asyncio.timeout(GRANT_SECONDS):
            script = scripts.make(
                access, account=account, grant=claim.grant, credential=claim.credential, until=claim.ends[-1]
            )
            script += self._held(target, claim)
            printed = await self._reach.run(target, script)
            # The host is asked whether it takes the certificate, before anybody is told that it does: by one that is
            # the same but for its number, which tells this log-in from those of the access in the host's log.
            key = private_file(grant_key(password))
            async with log_in(target, account=account, key=key, certificate=sign(OWN_SERIAL)[0]) as connection:
                if access.chroot:
                    await self._check_chroot(target, access, account, connection)
        return Made(
            observed=(place_line(target.host, target.port), *printed.splitlines(), *role.opens, *said(lines)),
            identity="",
        )

    def _held(self, target: Target, claim: Claim) -> str:
        """What has the host end the access by itself at its end."""
        left = (claim.ends[-1] - self._clock.now()).total_seconds()
        return own_end.hold(credential=claim.credential, seconds=left, take_back=_taking_back(target, claim))

    async def _check_chroot(
        self, target: Target, access: HostAccess, account: str, connection: asyncssh.SSHClientConnection
    ) -> None:
        """See that the account finds at `/` what lies in the role's folder. Raises SojournError `target.refused`."""
        marker = (await self._reach.run(target, scripts.mark(access.chroot))).strip()
        try:
            async with connection.start_sftp_client() as files:
                kept = await files.exists(f"/{marker}")
        except asyncssh.Error as error:
            problem = f"SFTP does not work ({error}): {access.chroot} and all above it have to be root's alone"
            raise SojournError(Code.TARGET_REFUSED, target=target.name, problem=problem) from error
        finally:
            await self._reach.run(target, scripts.unmark(access.chroot, marker))
        if not kept:
            problem = f"the host does not keep {account} within {access.chroot}: `sojourn target ssh-setup` says how"
            raise SojournError(Code.TARGET_REFUSED, target=target.name, problem=problem)

    async def prolong(self, target: Target, claim: Claim, *, secret: str) -> tuple[str, ...]:
        """See `targets.port.TargetDriver.prolong`: the same certificates with a later end, which the host is told."""
        observed, until = claim.observed, claim.ends[-1]
        async with asyncio.timeout(GRANT_SECONDS):
            await self._reach.run(target, self._held(target, claim))
        others = tuple(line for line in observed if line not in said(found(observed)))
        return (*others, *said(prolonged(self._authority, found(observed), until)))

    async def revoke(self, target: Target, claim: Claim, *, secret: str) -> Removal:
        """See `targets.port.TargetDriver.revoke`."""
        async with asyncio.timeout(REVOKE_SECONDS):
            script = scripts.revoke(of(target), authority=self._authority.public, credential=claim.credential)
            script += own_end.release(claim.credential) + _taking_back(target, claim) + own_end.forget(claim.credential)
            # The list of what is revoked is replaced whole, so one at a time does that.
            async with self._lists.setdefault((target.host, target.port), asyncio.Lock()):
                printed = (await self._reach.run(target, script)).splitlines()
            opens = await self._still_opens(target, claim.credential)
        return Removal(
            role_present=opens or "account present" in printed,
            sessions_present=_number(printed, "left"),
            sessions_terminated=_number(printed, "ended"),
            left=tuple(line.removeprefix("runs ") for line in printed if line.startswith("runs ")),
        )

    async def _still_opens(self, target: Target, credential: str) -> bool:
        """Whether the host takes a certificate of that name, shown to it now."""
        try:
            async with self._reach.connect(target, account=of(target).administrator, key_id=credential):
                return True
        except SojournError as error:
            if error.code is not Code.TARGET_REFUSED:
                raise
            return False

    async def observe(self, target: Target, *, secret: str, log_place: str) -> Observation:
        """See `targets.port.TargetDriver.observe`."""
        accounts = {_access(role).login for role in target.roles} - {""}
        async with asyncio.timeout(GRANT_SECONDS):
            script = watching.script(accounts, of(target).log, log_place)
            printed = await self._reach.run(target, script, limit=WATCH_BYTES_MAX)
        try:
            return observation(
                printed, roles_accounts=accounts, authority=self._authority.public, now=self._clock.now()
            )
        except ValueError as error:
            # Whoever is root on the host can print what they like; that is on record as a look that failed.
            problem = f"what it says of its sessions cannot be read: {error}"
            raise SojournError(Code.TARGET_REFUSED, target=target.name, problem=problem[:400]) from error

    async def preflight(self, target: Target, *, secret: str) -> tuple[str, ...]:
        """See `targets.port.TargetDriver.preflight`."""
        async with asyncio.timeout(GRANT_SECONDS):
            return await lacking(self._reach, target)


def _taking_back(target: Target, claim: Claim) -> str:
    leftovers = (_access(role).leftovers for role in target.roles if role.name == claim.role)
    return scripts.take_away(
        # A role that was not temporary then may be now: such an account has the access's own name.
        temporary=[claim.credential],
        grant=claim.grant,
        credential=claim.credential,
        leftovers=next(leftovers, Leftovers.ENDED),
    )


def _access(role: Role) -> HostAccess:
    assert role.host is not None, "the configuration gives every role of an SSH host one"
    return role.host


def _number(printed: list[str], word: str) -> int:
    """What was counted. Raises ValueError if nothing was."""
    for line in printed:
        if line.startswith(f"{word} ") and line.removeprefix(f"{word} ").strip().isdigit():
            return int(line.removeprefix(f"{word} "))
    raise ValueError(f"the host did not say {word}")
