"""What is looked at on an SSH host, as one script of POSIX sh that runs as root and changes nothing.

It prints lines of a word and its values; `observing` reads them.
"""

from __future__ import annotations

from collections.abc import Iterable
from shlex import quote

from .scripts import MADE_BY

LOG_BYTES_MAX = 1 << 20
"""So much of the log is read in one look; what is more comes with the next."""

JOURNAL = "journal"
FILES = ("/var/log/auth.log", "/var/log/secure")

CONNECTIONS = r"""
set -u
peer=$(echo "${1:-}" | cut -d' ' -f2); port=$(echo "${1:-}" | cut -d' ' -f4)
echo "own $peer"
for process in /proc/[0-9]*; do
  case "$(cat "$process/comm" 2>/dev/null)" in sshd|sshd-session|sshd-auth) ;; *) continue ;; esac
  title=$(tr '\0' ' ' <"$process/cmdline" 2>/dev/null)
  for inode in $(ls -l "$process/fd" 2>/dev/null | sed -n 's/.*socket:\[\([0-9]*\)\]$/\1/p'); do
    echo "holds $inode $title"
  done
done
hex=$(printf ':%04X' "${port:-0}")
cat /proc/net/tcp /proc/net/tcp6 2>/dev/null |
  awk -v port="$hex" '$4 == "01" && substr($2, length($2) - 4) == port {print "socket", $10, $3}'
"""
"""Connections to this sshd, and the titles of the processes that hold them: sshd says in them who is let in."""

POWERS = r"""
awk -F: '$3 == 0 {print "power account " $1 " is root"}' /etc/passwd
for group in root sudo wheel admin; do
  members=$(getent group "$group" 2>/dev/null | cut -d: -f4)
  [ -z "$members" ] || echo "power group $group: $members"
done
for file in /etc/sudoers /etc/sudoers.d/*; do
  case "$file" in /etc/sudoers.d/sojourn-*) continue ;; esac
  [ ! -f "$file" ] || echo "power sudo rules of $file: sha256 $(sha256sum "$file" | cut -c1-64)"
done
"""
"""Who is mighty there and is not ours."""


def script(accounts: Iterable[str], log: str, place: str) -> str:
    """The script for one look. `accounts` are those of the roles, `place` how far the log was read."""
    names = " ".join(quote(name) for name in dict.fromkeys((*accounts, "root")))
    made = f"""
getent passwd | awk -F: -v by={quote(MADE_BY)} 'index($5, by) == 1 {{print "made " $1}}'
for file in /etc/sudoers.d/sojourn-*; do
  [ ! -f "$file" ] || echo "made ${{file#/etc/sudoers.d/sojourn-}}"
done
for name in {names}; do
  home=$(getent passwd "$name" | cut -d: -f6)
  [ -n "$home" ] && [ -f "$home/.ssh/authorized_keys" ] || continue
  ssh-keygen -lf "$home/.ssh/authorized_keys" 2>/dev/null |
    while read -r size hash comment; do echo "power key $hash opens $name"; done
done
"""
    return "\n".join((CONNECTIONS, POWERS, made, _log(log, place), "exit 0", ""))


def _log(log: str, place: str) -> str:
    files = (log,) if log not in ("", JOURNAL) else FILES
    journal = "true" if log in ("", JOURNAL) else "false"
    kind, _, rest = place.partition(":")
    cursor = quote(rest) if kind == "journal" else "''"
    inode, _, offset = rest.partition(":") if kind == "file" else ("", "", "")
    return f"""
echo "zone $(date +%z)"
echo "time $(date +%s)"
accepted() {{ grep -aE '(sshd|sshd-session)\\[[0-9]+\\]: Accepted [^ ]+ for ' | sed 's/^/log /'; }}
from_journal() {{
  {journal} && command -v journalctl >/dev/null || return 1
  cursor={cursor}; told=$(mktemp)
  # Where the entry is gone, journalctl goes on near it and says nothing of what is missing.
  [ "$(journalctl -q -t sshd -t sshd-session -o export --cursor="$cursor" 2>/dev/null | head -n 1)" \\
    = "__CURSOR=$cursor" ] || cursor=
  if [ -n "$cursor" ] && TZ=UTC journalctl -q -t sshd -t sshd-session -o short-iso-precise --no-hostname \\
      --show-cursor --after-cursor="$cursor" >"$told" 2>/dev/null; then :
  else
    cursor=
    TZ=UTC journalctl -q -t sshd -t sshd-session -o short-iso-precise --no-hostname -n 1 --show-cursor \\
      >"$told" 2>/dev/null
    grep -q Accepted "$told" || grep -q sshd "$told" || {{ rm -f "$told"; return 1; }}
  fi
  next=$(sed -n 's/^-- cursor: //p' "$told")
  [ -n "$cursor" ] && accepted <"$told"
  [ -n "$cursor" ] && echo 'log-whole'
  echo "log-place journal:${{next:-$cursor}}"; rm -f "$told"
}}
part() {{ # FILE OFFSET: the whole lines from there on, and where they end
  work=$(mktemp)
  tail -c "+$(($2 + 1))" "$1" | head -c {LOG_BYTES_MAX} >"$work"
  lines=$(wc -l <"$work")
  head -n "$lines" "$work" | accepted
  end=$(($2 + $(head -n "$lines" "$work" | wc -c)))
  rm -f "$work"
}}
from_file() {{
  for file in {" ".join(quote(one) for one in files)}; do
    [ -r "$file" ] || continue
    inode=$(stat -c %i "$file"); size=$(stat -c %s "$file"); end=$size
    if [ -z "{inode}" ]; then :
    elif [ "$inode" = "{inode}" ] && [ "$size" -ge "{offset or 0}" ]; then
      part "$file" "{offset or 0}"; echo 'log-whole'
    elif [ -r "$file.1" ] && [ "$(stat -c %i "$file.1")" = "{inode}" ]; then
      part "$file.1" "{offset or 0}"; part "$file" 0; echo 'log-whole'
    fi
    echo "log-place file:$inode:$end"; return 0
  done
  return 1
}}
from_journal || from_file || echo 'log-none'
"""
