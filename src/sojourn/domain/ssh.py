"""What an SSH host is, and what a role may do there."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

SFTP = "internal-sftp"
SFTP_READ_ONLY = "internal-sftp -R"
FORWARDING = "false"
"""What certificates force on a host that are for files, or for forwarding alone: it runs nothing then."""

CERTIFICATE = "certificate "
"""How a line of what was observed begins that holds a certificate."""


class Files(StrEnum):
    """What a role may do with files by SFTP (and by `scp`, which speaks it)."""

    NONE = "none"
    READ = "read"
    WRITE = "write"


class Leftovers(StrEnum):
    """What becomes of processes that an access leaves running: detached ones, in `tmux` or by `nohup`."""

    ENDED = "ended"
    REPORTED = "reported"


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """How an SSH host proves who it is, and how Sojourn gets in.

    `keys` are its pinned public keys, `authorities` keys that sign its host certificates; one of the two at least.
    `administrator` is the account that Sojourn itself uses, with certificates of a minute: root, or one that may use
    sudo without a password. `source_addresses` are the networks that certificates may be used from: the gateway's and
    control's own. `revoked` is the path of the list of what is revoked that the host reads (`RevokedKeys`), `log` that
    of sshd's own log, or `journal`; "" looks in the usual places.
    """

    keys: tuple[str, ...] = ()
    authorities: tuple[str, ...] = ()
    administrator: str = "root"
    source_addresses: tuple[str, ...] = ()
    revoked: str = "/etc/ssh/sojourn_revoked"
    log: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostAccess:
    """What one role may do on an SSH host.

    `login` is an account that is there already; with `temporary` an account is made for each access and removed with
    it. `shell` allows a shell and any command; `commands` allows exactly these and no shell; `menu` is the one command
    that runs when a shell is asked for. `forward_to` are the
    destinations (`host:port`, or the path of a socket) that may be reached through the host, `listen_on` the
    addresses that may be listened on there. `agent` lends the person's agent to the host, and `x11` their screen.
    `environment` are the names of variables that a client may set.
    `kept_bytes` is how much of each stream of a command without a terminal is kept; its hash is always on record.
    `kept_file_bytes` is how much of the content of each file by SFTP is kept, so that a reviewer can see it.
    `chroot` is the folder that the host itself keeps SFTP within. `leftovers` says what becomes of what still runs at
    the end; in a temporary account everything is ended.
    """

    login: str = ""
    temporary: bool = False
    shell: bool = False
    commands: tuple[str, ...] = ()
    menu: str = ""
    files: Files = Files.NONE
    forward_to: tuple[str, ...] = ()
    listen_on: tuple[str, ...] = ()
    agent: bool = False
    x11: bool = False
    environment: tuple[str, ...] = ()
    kept_bytes: int = 1 << 20
    kept_file_bytes: int = 0
    groups: tuple[str, ...] = ()
    sudo: tuple[str, ...] = ()
    chroot: str = ""
    leftovers: Leftovers = Leftovers.ENDED

    @property
    def opens(self) -> tuple[str, ...]:
        """All that it opens, one line each, as approvers read it."""
        account = "a temporary account" if self.temporary else f"the account {self.login}"
        lines = [f"a shell and any command as {account}"] if self.shell else []
        lines += [f"the menu `{self.menu}` as {account}, and no other shell"] if self.menu else []
        lines += [f"the command `{command}` as {account}" for command in self.commands]
        if self.files is not Files.NONE:
            verb = "read" if self.files is Files.READ else "read and write"
            within = f" within {self.chroot}" if self.chroot else ""
            lines.append(f"{verb} files by SFTP as {account}{within}")
        lines += [f"connections through the host to {destination}" for destination in self.forward_to]
        lines += [f"listening on the host at {address}" for address in self.listen_on]
        if self.agent:
            lines.append("the use of the person's own SSH agent by whoever is root on the host")
        if self.x11:
            lines.append("windows of programs on the host on the person's own screen")
        lines += [f"membership of the group {group}" for group in self.groups]
        lines += [f"sudo {rule}" for rule in self.sudo]
        return tuple(lines)

    @property
    def terms(self) -> tuple[str, ...]:
        """What else is settled about its sessions."""
        lines = [f"the variable {name} may be set" for name in self.environment]
        lines.append(f"{self.kept_bytes} bytes of each stream are kept")
        if self.kept_file_bytes:
            lines.append(f"{self.kept_file_bytes} bytes of each file that is transferred are kept")
        if self.leftovers is Leftovers.REPORTED:
            lines.append("what is left running at the end is reported, and runs on")
        return tuple(lines)


def place_line(host: str, port: int) -> str:
    """What is observed of where an access was made: it is used there and nowhere else."""
    return f"at {host} port {port}"


def widened(access: HostAccess, observed: Collection[str]) -> tuple[str, ...]:
    """What a role opens now that it did not when the access was made, as `observed` then."""
    return tuple(line for line in access.opens if line not in observed)


def narrower_access(narrow: HostAccess, wide: HostAccess) -> bool:
    """Whether everything that `narrow` may do `wide` may do too, in the same account."""
    order = tuple(Files)
    return (
        (narrow.login, narrow.temporary) == (wide.login, wide.temporary)
        and narrow.kept_bytes >= wide.kept_bytes
        and narrow.kept_file_bytes >= wide.kept_file_bytes
        and wide.chroot in ("", narrow.chroot)
        and wide.leftovers in (Leftovers.REPORTED, narrow.leftovers)
        and (wide.shell or (not narrow.shell and set(narrow.commands) <= set(wide.commands)))
        and (wide.shell or narrow.menu in ("", wide.menu))
        and order.index(narrow.files) <= order.index(wide.files)
        and set(narrow.forward_to) <= set(wide.forward_to)
        and set(narrow.listen_on) <= set(wide.listen_on)
        and (wide.agent or not narrow.agent)
        and (wide.x11 or not narrow.x11)
        and set(narrow.environment) <= set(wide.environment)
        and set(narrow.groups) <= set(wide.groups)
        and set(narrow.sudo) <= set(wide.sudo)
    )
