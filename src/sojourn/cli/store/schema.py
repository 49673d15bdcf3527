"""sojourn store schema: what prepares a PostgreSQL database for the ledger."""

from __future__ import annotations

from sojourn.cli.output import print_line
from sojourn.errors import Code, SojournError


def schema(*, role: str = "sojourn_scribe") -> None:
    """Print the SQL that prepares an empty PostgreSQL database for the ledger.

    The owner of the database runs it once. The scribe signs in as another role, which may add to the ledger and change
    nothing in it.

    Example: sojourn store schema --role sojourn_scribe | psql --dbname ledger

    Parameters
    ----------
    role
        The role that the scribe signs in as. It has to be there already.
    """
    from sojourn.scribe.postgres_schema import script

    try:
        text = script(role)
    except ValueError as error:
        raise SojournError(Code.INPUT_INVALID, problem=str(error), expected="a name such as sojourn_scribe") from error
    print_line(text.rstrip())
