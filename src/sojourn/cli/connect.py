"""sojourn connect: work with your own client."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

from cyclopts import Parameter

from sojourn.app.ambient import process_environment
from sojourn.errors import Code, SojournError
from sojourn.vault.files import write_private

from .client import call, place
from .common import Common
from .output import print_json, print_line


def connect(
    target: str,
    *command: Annotated[str, Parameter(allow_leading_hyphen=True)],
    role: str = "",
    print_url: Annotated[bool, Parameter(negative="")] = False,
    common: Common | None = None,
) -> None:
    """Open psql on a target through the gateway, or another program, or print a URL for any client.

    If a request of yours is approved and you have no access yet, this begins it.

    Example: sojourn connect shop

    Example: sojourn connect shop -- pgcli

    Example: sojourn connect shop --print-url

    Parameters
    ----------
    target
        The target's name.
    command
        A program to run with the connection in its environment (PGHOST, PGPASSWORD …) instead of psql.
    role
        Which of your accesses is meant, if you hold several.
    print_url
        Print a URL and do not connect.
    """
    common = common or Common()
    answered = call(common, "POST", place("targets", target, "connection"), {"role": role})
    authority = _keep_authority(common, answered)
    if common.json:
        print_json({**answered, "authority_file": str(authority)})
        return
    if print_url:
        print_line(f"{answered['url'].partition('?')[0]}?sslmode=verify-full&sslrootcert={authority}")
        return
    _run(command, answered, authority)


def _keep_authority(common: Common, answered: dict[str, Any]) -> Path:
    """The gateway's certificate authority in a file of the client directory."""
    path = common.directory / f"{answered['host']}-{answered['port']}.crt"
    common.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(path, answered["authority"].encode())
    return path


def _run(command: tuple[str, ...], answered: dict[str, Any], authority: Path) -> NoReturn:
    """Become the client."""
    environment = {
        **process_environment(),
        "PGHOST": answered["host"],
        "PGPORT": str(answered["port"]),
        "PGDATABASE": answered["database"],
        "PGUSER": answered["user"],
        "PGPASSWORD": answered["token"],
        "PGSSLMODE": "verify-full",
        "PGSSLROOTCERT": str(authority),
    }
    program, extra = (command[0], {}) if command else _psql()
    found = shutil.which(program)
    if found is None:
        raise SojournError(Code.TOOL_MISSING, tool=program, remedy="Install it, or use --print-url.")
    sys.stdout.flush()
    os.execve(found, [program, *command[1:]], {**environment, **extra})  # noqa: S606 - the user's own client


def _psql() -> tuple[str, dict[str, str]]:
    """psql: the machine's own, or the one that comes with the demo."""
    if shutil.which("psql") is not None:
        return "psql", {}
    from sojourn.demo.production import binaries, psql_with_tls

    return psql_with_tls(binaries())
