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
from .connection_forms import ConnectionForms, Form
from .output import print_json, print_line


def connect(
    target: str,
    *command: Annotated[str, Parameter(allow_leading_hyphen=True)],
    role: str = "",
    form: Form | None = None,
    common: Common | None = None,
) -> None:
    """Open psql on a target through the gateway, or another program, or print the connection for any client.

    If a request of yours is approved and you have no access yet, this begins it.

    Example: sojourn connect shop

    Example: sojourn connect shop -- pgcli

    Example: sojourn connect shop/reports --form jdbc

    Parameters
    ----------
    target
        The target's name, or TARGET/DATABASE for another database of it.
    command
        A program to run with the connection in its environment (PGHOST, PGPASSWORD …, DATABASE_URL) instead of psql.
    role
        Which of your accesses is meant, if you hold several.
    form
        Print the connection in this form and do not connect: a URL, a JDBC URL, or an entry of pg_service.conf.
    """
    common = common or Common()
    name, _, database = target.partition("/")
    answered = call(common, "POST", place("targets", name, "connection"), {"role": role})
    authority = _keep_authority(common, answered)
    forms = ConnectionForms(
        host=answered["host"],
        port=answered["port"],
        database=answered["database"] + (f"/{database}" if database else ""),
        user=answered["user"],
        token=answered["token"],
        authority=authority,
    )
    if common.json:
        print_json({**answered, "database": forms.database, "url": forms.url, "authority_file": str(authority)})
    elif form is not None:
        for line in forms.form(form).splitlines():
            print_line(line)
    else:
        _run(command, forms)


def _keep_authority(common: Common, answered: dict[str, Any]) -> Path:
    """The gateway's certificate authority in a file of the client directory."""
    path = common.directory / f"{answered['host']}-{answered['port']}.crt"
    common.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(path, answered["authority"].encode())
    return path


def _run(command: tuple[str, ...], forms: ConnectionForms) -> NoReturn:
    """Become the client."""
    environment = {**process_environment(), **forms.environment}
    program, extra = (command[0], {}) if command else _psql()
    found = shutil.which(program)
    if found is None:
        raise SojournError(Code.TOOL_MISSING, tool=program, remedy="Install it, or use --form url.")
    sys.stdout.flush()
    os.execve(found, [program, *command[1:]], {**environment, **extra})  # noqa: S606 - the user's own client


def _psql() -> tuple[str, dict[str, str]]:
    """psql: the machine's own, or the one that comes with the demo."""
    if shutil.which("psql") is not None:
        return "psql", {}
    from sojourn.demo.production import binaries, psql_with_tls

    return psql_with_tls(binaries())
