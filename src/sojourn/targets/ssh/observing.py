"""What an SSH host shows: who is connected, what of ours is there, who else is mighty, and what its log says."""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import re
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta, timezone

from sojourn.domain.logged import LoggedSession, LogReading
from sojourn.domain.reconciliation import Observation, SeenSession

OWN_SERIAL = 0
"""The serial number of the certificates by which Sojourn itself works on hosts; those of accesses have another."""

_TITLE = re.compile(r"sshd(?:-session)?: (?P<account>[^\s@\[]+)(?:@(?P<on>\S+))?(?: \[priv\])?\s*")
_NOT_YET = re.compile(r"\[(net|accepted|preauth)\]|: unknown \[priv\]")
_ACCEPTED = re.compile(
    r"(?P<at>.*?)\s(?:\S+\s)?sshd(?:-session)?\[\d+\]: Accepted (?P<how>\S+) for (?P<account>\S+)"
    r" from (?P<address>\S+) port (?P<port>\d+) ssh2(?:: (?P<proof>.*))?"
)
_CERTIFICATE = re.compile(r"\S+-CERT \S+ ID (?P<id>\S+) \(serial (?P<serial>\d+)\) CA \S+ (?P<authority>\S+)")


def observation(printed: str, *, roles_accounts: Collection[str], authority: str, now: datetime) -> Observation:
    """What was printed by `watching.script`, as an observation. `authority` is the public key that signs for us.

    Raises ValueError for what that script does not print.
    """
    words: dict[str, list[str]] = {}
    for line in printed.splitlines():
        word, _, rest = line.partition(" ")
        words.setdefault(word, []).append(rest)
    made = tuple(sorted(set(words.get("made", ()))))
    ours = {*roles_accounts, *made}
    own = (words.get("own") or [""])[0]
    return Observation(
        sessions=tuple(_sessions(words.get("holds", ()), words.get("socket", ()), ours, own)),
        logins=made,
        accounts=tuple(sorted(set(words.get("power", ())))),
        log=_reading(words, ours, fingerprint(authority), now),
    )


def fingerprint(public: str) -> str:
    """A public key's fingerprint as sshd writes it."""
    digest = hashlib.sha256(base64.b64decode(public.split()[1])).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def _sessions(holds: Iterable[str], sockets: Iterable[str], ours: Collection[str], own: str) -> Iterable[SeenSession]:
    """The connections of accounts that are ours, without the one that looks."""
    titles: dict[str, list[str]] = {}
    for line in holds:
        inode, _, title = line.partition(" ")
        titles.setdefault(inode, []).append(title)
    for line in sockets:
        inode, _, remote = line.partition(" ")
        said = titles.get(inode, [])
        found = [match for match in map(_TITLE.fullmatch, said) if match is not None]
        if not found or any(_NOT_YET.search(title) for title in said):
            # Nobody has been let in by it yet, or it is no connection of sshd.
            continue
        account = found[0]["account"]
        address, port = _peer(remote)
        if account in ours and str(port) != own:
            on = next((match["on"] for match in found if match["on"]), "")
            yield SeenSession(process=port, login=account, database="", application=on, address=address)


def _peer(text: str) -> tuple[str, int]:
    """Address and port as Linux writes them in /proc/net: words of four bytes, each as the machine stores it."""
    words, _, port = text.partition(":")
    packed = b"".join(bytes.fromhex(words[at : at + 8])[::-1] for at in range(0, len(words), 8))
    address = ipaddress.ip_address(packed)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address), int(port, 16)


def _reading(words: Mapping[str, list[str]], ours: Collection[str], authority: str, now: datetime) -> LogReading:
    if "log-place" not in words:
        problem = "neither the journal of sshd nor its log could be read; `log` in targets.yaml says where it is"
        return LogReading(problem=problem)
    zone = _zone((words.get("zone") or ["+0000"])[0])
    sessions: list[LoggedSession] = []
    tells_all, unread = False, 0
    for line in words.get("log", ()):
        match = _ACCEPTED.fullmatch(line)
        begun = None if match is None else _moment(match["at"], zone, now)
        if match is None or begun is None:
            unread += 1
            continue
        certificate = _CERTIFICATE.fullmatch(match["proof"] or "")
        login = match["account"]
        if certificate is not None and certificate["authority"] == authority:
            if int(certificate["serial"]) == OWN_SERIAL:
                # We ourselves: so the log does tell whoever comes.
                tells_all = True
                continue
            login = certificate["id"]
        elif login not in ours:
            continue
        sessions.append(LoggedSession(login=login, process=int(match["port"]), begun=begun, address=match["address"]))
    return LogReading(
        place=words["log-place"][-1],
        sessions=tuple(sessions),
        through=_time((words.get("time") or [""])[0]),
        gap="log-whole" not in words or bool(unread),
        tells_all=tells_all,
        problem=f"{unread} lines of sshd's log cannot be read" if unread else "",
    )


def _time(text: str) -> datetime:
    try:
        return datetime.fromtimestamp(int(text), UTC)
    except (OverflowError, OSError) as error:
        raise ValueError(f"{text[:40]!a} is no time") from error


def _zone(text: str) -> timezone:
    sign = -1 if text.startswith("-") else 1
    return timezone(sign * timedelta(hours=int(text[1:3]), minutes=int(text[3:5])))


def _moment(text: str, zone: timezone, now: datetime) -> datetime | None:
    """When a line was written: with a date as in RFC 3339, or as in RFC 3164, which has neither year nor zone."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    try:
        # The year comes first, for the 29th of February.
        moment = datetime.strptime(f"{now.astimezone(zone).year} {text}", "%Y %b %d %H:%M:%S").replace(tzinfo=zone)
        if moment - now > timedelta(days=1):
            moment = moment.replace(year=moment.year - 1)
    except ValueError:
        return None
    return moment.astimezone(UTC)
