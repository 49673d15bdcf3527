"""sojourn target ssh-setup: what an SSH host needs, and whether it has it."""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import Parameter

from sojourn.cli.client import call, place
from sojourn.cli.common import Common
from sojourn.cli.output import print_json, print_line, print_lines
from sojourn.codes import Exit


def ssh_setup(
    target: str, *, check: Annotated[bool, Parameter(negative="")] = False, common: Common | None = None
) -> int:
    """Print what to put where on an SSH host so that it trusts Sojourn, as a script to run there as root.

    With --check, look whether the host has it; exits with 1 if something is lacking.

    Example: sojourn target ssh-setup web-1

    Example: sojourn target ssh-setup web-1 --check

    Parameters
    ----------
    target
        The target's name.
    check
        Log in to the host and look, instead of printing the script.
    """
    common = common or Common()
    if check:
        answered = call(common, "POST", place("targets", target, "preflight"), {})
        lacking: list[str] = answered["lacking"]
        if common.json:
            print_json(answered)
        for line in () if common.json else lacking or [f"Nothing is lacking on {target}."]:
            print_line(line)
        return Exit.FAILED if lacking else Exit.DONE
    answered = call(common, "GET", place("targets", target, "ssh-setup"))
    print_json(answered) if common.json else print_lines(_script(answered))
    return Exit.DONE


def _script(needs: dict[str, Any]) -> str:
    accounts = ", ".join(needs["accounts"]) or "none yet"
    # What such an account runs is forced by its certificate; ForceCommand here would take that one's place.
    confined = "".join(
        f"Match {one['match']}\n  ChrootDirectory {one['folder']}\n  AllowTcpForwarding no\n"
        for one in needs["confined"]
    )
    return f"""#!/bin/sh
# Lets Sojourn's accesses into this host ({needs["target"]}). Run it as root. Accounts of its roles: {accounts}.
set -eu
cat >/etc/ssh/sojourn_authority.pub <<'END'
{needs["authority"]} sojourn
END
test -s {needs["revoked"]} || ssh-keygen -q -k -f {needs["revoked"]}
cat >/etc/ssh/sshd_config.d/10-sojourn.conf <<'END'
TrustedUserCAKeys /etc/ssh/sojourn_authority.pub
RevokedKeys {needs["revoked"]}
AcceptEnv SOJOURN_GRANT SOJOURN_SESSION
{confined}END
# {needs["administrator"]} works here for Sojourn, with certificates of one minute and no password.
id {needs["administrator"]} >/dev/null
sshd -t
systemctl reload ssh 2>/dev/null || systemctl reload sshd 2>/dev/null || kill -HUP "$(cat /run/sshd.pid)"
"""
