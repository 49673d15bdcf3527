"""What Sojourn does on an SSH host, as scripts of POSIX sh that print what they found.

Every word that comes from outside is quoted; nothing else is put into them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from shlex import quote

from sojourn.domain.ssh import Host, HostAccess, Leftovers

MARK = "SOJOURN_GRANT"
"""The variable that sshd sets for what an access runs, with the name of the grant."""

MADE_BY = "Sojourn access"
"""What the comment of a temporary account begins with."""


def make(access: HostAccess, *, account: str, grant: str, credential: str, until: datetime) -> str:
    """Make what the access needs on the host, and print what is there then."""
    name = quote(account)
    lines = ["set -eu"]
    if access.temporary:
        groups = f"-G {quote(','.join(access.groups))}" if access.groups else ""
        # Days are all that the host counts in; the certificate is what ends to the second.
        day = (until + timedelta(days=1)).strftime("%Y-%m-%d")
        lines += [
            f"if id {name} >/dev/null 2>&1; then",
            f'  case "$(getent passwd {name} | cut -d: -f5)" in {quote(MADE_BY)}*) ;;',
            f"    *) echo 'there is an account {account}, and Sojourn did not make it' >&2; exit 1;; esac",
            f"else useradd -m -s /bin/sh -c {quote(f'{MADE_BY} {grant}')} -e {day} {groups} {name}; fi",
            # `!` would lock it for public keys too; `*` is no password at all.
            f"usermod -p '*' {name}",
        ]
    if access.sudo:
        path = quote(f"/etc/sudoers.d/sojourn-{credential}")
        # Whoever somebody becomes, what they start keeps the mark by which it is found at the end.
        kept = f'Defaults:{account} env_keep += "{MARK}"\n'
        rules = kept + "".join(f"{account} ALL={rule}\n" for rule in access.sudo)
        lines += [
            f"printf %s {quote(rules)} >{path}.new",
            f"visudo -cqf {path}.new || {{ rm -f {path}.new; echo 'sudo does not take the rule' >&2; exit 1; }}",
            f"chmod 0440 {path}.new; mv {path}.new {path}; echo 'sudo rules installed'",
        ]
    lines += [f'echo "account {account}: $(id {name})"']
    return "\n".join(lines) + "\n"


def mark(folder: str) -> str:
    """Put an empty file of a fresh name into the folder, and print its name: whoever is kept there finds it at `/`."""
    return f"set -eu; cd {quote(folder)}; marker=$(mktemp .sojourn-XXXXXXXX); chmod 0444 $marker; echo $marker\n"


def unmark(folder: str, marker: str) -> str:
    """Take it away again."""
    return f"rm -f {quote(f'{folder}/{marker}')}\n"


def revoke(host: Host, *, authority: str, credential: str) -> str:
    """Put every certificate of that name on the host's list of what is revoked, by replacing the list whole."""
    path = quote(host.revoked)
    return "\n".join(
        (
            # Not `(…) || exit 1`, for on the left of that a shell goes on after whatever fails.
            "(set -eu",
            "work=$(mktemp -d)",
            "trap 'rm -rf \"$work\"' EXIT",
            f"printf '%s\\n' {quote(authority)} >$work/authority.pub",
            f"printf 'id: %s\\n' {quote(credential)} >$work/what",
            f"update=; if [ -s {path} ]; then cp {path} $work/list; update=-u; fi",
            "ssh-keygen -q -k $update -s $work/authority.pub -f $work/list $work/what",
            f"cp $work/list {path}.new; chmod 0644 {path}.new; mv {path}.new {path})",
            "[ $? = 0 ] || exit 1",
            "",
        )
    )


def take_away(*, temporary: Collection[str], grant: str, credential: str, leftovers: Leftovers) -> str:
    """End what is left of an access, or tell of it, and remove what was made; print what was ended and what is there.

    `temporary` are the accounts that may have been made for it. Prints `ended N`, `left N`, `runs PID NAME` for what
    may run on, and `account present` for an account that would not go. What a variable `earlier` says counts as ended.
    """
    accounts = [quote(name) for name in temporary]
    # What carries the mark is of this access, whoever it has become since.
    found = [f"grep -lzxF -- {quote(f'{MARK}={grant}')} /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3"]
    found += [
        f"id {name} >/dev/null 2>&1 && ps -o pid=,stat= -u {name} | awk '$2 !~ /^Z/ {{print $1}}'" for name in accounts
    ]
    lines = [
        "set +e",
        f"marked() {{ {{ {'; '.join(found)}; }} | sort -u; }}",
        f"rm -f {quote(f'/etc/sudoers.d/sojourn-{credential}')}",
        *(_report() if leftovers is Leftovers.REPORTED else _kill()),
        *(f"id {name} >/dev/null 2>&1 && userdel -rf {name} >/dev/null 2>&1" for name in accounts),
        *(f"id {name} >/dev/null 2>&1 && echo 'account present'" for name in accounts),
    ]
    return "\n".join((*lines, ""))


def _kill() -> Iterable[str]:
    """End all that is marked, and see that it is gone."""
    yield "ended=0"
    yield "for try in 1 2 3 4 5 6 7 8 9 10; do"
    yield '  found=$(marked); [ -n "$found" ] || break'
    # What is being ended already is not counted again.
    yield '  [ "$try" -gt 1 ] || ended=$(echo $found | wc -w)'
    yield "  kill -KILL $found 2>/dev/null; sleep 0.05"
    yield "done"
    yield 'echo "ended $((ended + ${earlier:-0}))"; echo "left $(marked | wc -w)"'


def _report() -> Iterable[str]:
    """Tell of what is marked, once what ends by itself with its connection has had the time to."""
    yield 'for try in 1 2 3 4 5; do [ -n "$(marked)" ] || break; sleep 0.1; done'
    yield 'for process in $(marked); do echo "runs $process $(cat /proc/$process/comm 2>/dev/null)"; done'
    yield 'echo "ended ${earlier:-0}"; echo "left 0"'
