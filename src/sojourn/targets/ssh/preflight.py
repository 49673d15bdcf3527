"""What an SSH host lacks to take accesses, found by trying it."""

from __future__ import annotations

from shlex import quote

from sojourn.domain.target import Target
from sojourn.errors import Code, SojournError

from .connection import Reach, of
from .scripts import MARK


async def lacking(reach: Reach, target: Target) -> tuple[str, ...]:
    """One line for each thing that is missing, with its remedy. Raises SojournError if the host cannot be reached."""
    host = of(target)
    setup = f"sojourn target ssh-setup {target.name}"
    try:
        printed = (await reach.run(target, _look(target))).splitlines()
    except SojournError as error:
        if error.code is not Code.TARGET_REFUSED:
            raise
        return (f"it does not let {host.administrator} work: {error.refusal.sentence} Run there: {setup}",)
    lacks = [line.removeprefix("lacks ") for line in printed if line.startswith("lacks ")]
    async with reach.connect(target, account=host.administrator, key_id="sojourn") as connection:
        told = await connection.run(f"printenv {MARK}", env={MARK: "trial"})
    if str(told.stdout or "").strip() != "trial":
        lacks.append(f"AcceptEnv {MARK}, so what an access leaves running could not be told apart: {setup}")
    if not host.source_addresses:
        lacks.append("source_addresses in targets.yaml, so a certificate would be good from anywhere")
    return tuple(lacks)


def _look(target: Target) -> str:
    """A script that prints what is missing on the host itself."""
    host = of(target)
    lines = [
        f"test -r {quote(host.revoked)} || echo 'lacks the file {host.revoked}: ssh-keygen -k -f {host.revoked}'",
        "for tool in ssh-keygen grep ps mktemp awk setsid; do",
        '  command -v $tool >/dev/null || echo "lacks the program $tool"; done',
    ]
    for role in target.roles:
        access = role.host
        if access is None:
            continue
        if access.temporary:
            lines.append("command -v useradd >/dev/null || echo 'lacks the program useradd'")
        elif access.login:
            name = quote(access.login)
            lines.append(f"id {name} >/dev/null 2>&1 || echo 'lacks the account {access.login}'")
        if access.chroot:
            lines.append(f"test -d {quote(access.chroot)} || echo 'lacks the folder {access.chroot}'")
        if access.sudo:
            lines.append("command -v visudo >/dev/null || echo 'lacks the program sudo'")
        lines += [
            f"getent group {quote(group)} >/dev/null || echo 'lacks the group {group}'" for group in access.groups
        ]
    return "\n".join((*lines, "exit 0", ""))
