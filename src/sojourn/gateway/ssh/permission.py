"""What a role allows on a host, asked before anything goes there. Pure: words in, a use or a refusal out.

This is the first of two guards. The second is the host's own: the certificate that is used there forces just this.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from sojourn.domain.ssh import SFTP, SFTP_READ_ONLY, Files, HostAccess
from sojourn.errors import Code, Refusal

ALWAYS = ("LANG", "LC_*")
"""Variables that say how to write, which OpenSSH's packages pass on as well."""


class Asked(StrEnum):
    """What a client can ask of a session channel."""

    SHELL = "shell"
    EXEC = "exec"
    SUBSYSTEM = "subsystem"


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """Something that is allowed. `force` names the certificate: what it forces on the host, empty for nothing."""

    asked: Asked
    text: str
    force: str


def judge(access: HostAccess, asked: Asked, text: str) -> Use | Refusal:
    """Whether the role allows this; `text` is the command, or the name of the subsystem."""
    match asked:
        case Asked.SHELL if access.shell:
            return Use(asked=asked, text="", force="")
        case Asked.SHELL if access.menu:
            return Use(asked=asked, text=access.menu, force=access.menu)
        case Asked.EXEC if access.shell:
            return Use(asked=asked, text=text, force="")
        case Asked.EXEC if text in access.commands:
            return Use(asked=asked, text=text, force=text)
        case Asked.SUBSYSTEM if text == "sftp" and access.files is not Files.NONE:
            return Use(asked=asked, text=text, force=SFTP if access.files is Files.WRITE else SFTP_READ_ONLY)
        case Asked.SHELL:
            return refusal(access, "a shell")
        case Asked.EXEC:
            return refusal(access, _mosh(text) or f"the command {shown(text)}")
        case Asked.SUBSYSTEM:
            return refusal(access, "files by SFTP" if text == "sftp" else f"the subsystem {shown(text)}")


def mosh(text: str) -> Refusal | None:
    """The refusal for what cannot work through a gateway, or None."""
    what = _mosh(text)
    return None if what is None else Refusal(Code.HOST_NOT_ALLOWED, {"what": what, "allowed": "any other command"})


def _mosh(text: str) -> str | None:
    first = text.split(maxsplit=1)[0].rpartition("/")[2] if text.split() else ""
    if first == "mosh-server":
        return "mosh, which goes on by UDP past the gateway and its record"
    return None


def forwards_to(access: HostAccess, host: str, port: int) -> bool:
    """Whether this destination may be reached through the host."""
    return any(_fits(one, host, port) for one in access.forward_to)


def opens_socket(access: HostAccess, path: str) -> bool:
    """Whether this socket of the host may be reached."""
    return path.startswith("/") and path in access.forward_to


def listens_on(access: HostAccess, host: str, port: int) -> bool:
    """Whether the host may be asked to listen there; a port of 0 in the role allows any."""
    for one in access.listen_on:
        name, _, number = one.rpartition(":")
        if one.startswith("/") or name.strip("[]").lower() != host.lower():
            continue
        if int(number) in (0, port):
            return True
    return False


def listens_on_socket(access: HostAccess, path: str) -> bool:
    """Whether the host may be asked to listen on this socket."""
    return path.startswith("/") and path in access.listen_on


def _fits(one: str, host: str, port: int) -> bool:
    if one.startswith("/"):
        return False
    name, _, number = one.rpartition(":")
    return fnmatchcase(host.lower(), name.strip("[]").lower()) and number in ("*", str(port))


def environment(access: HostAccess, wanted: Mapping[str, str]) -> dict[str, str]:
    """The variables that go on to the host."""
    allowed = (*ALWAYS, *access.environment)
    return {name: value for name, value in wanted.items() if any(fnmatchcase(name, one) for one in allowed)}


def refusal(access: HostAccess, what: str) -> Refusal:
    """The refusal of something that the role does not name."""
    allowed = "; ".join(access.opens)
    return Refusal(Code.HOST_NOT_ALLOWED, {"what": what[:200], "allowed": allowed[:600]})


def shown(text: str) -> str:
    """A command as it may stand in a sentence."""
    return f"{text[:120]!a}"
