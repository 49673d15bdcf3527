"""A connection in the forms that clients take: a URL, a JDBC URL, an entry of pg_service.conf, the environment."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import quote, urlencode


class Form(StrEnum):
    """What `sojourn connect --form` prints."""

    URL = "url"
    JDBC = "jdbc"
    SERVICE = "service"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionForms:
    """One connection through the gateway. `token` is its password, `authority` the file to check the gateway by."""

    host: str
    port: int
    database: str
    user: str
    token: str
    authority: Path

    def form(self, form: Form) -> str:
        """The connection in that form, as it is printed."""
        match form:
            case Form.URL:
                return self.url
            case Form.JDBC:
                return self.jdbc
            case Form.SERVICE:
                return self.service

    @property
    def url(self) -> str:
        """The URL that libpq, and whatever follows it, takes."""
        who = f"{quote(self.user, safe='')}:{quote(self.token, safe='')}"
        return f"postgresql://{who}@{self._place()}?{self._parameters()}"

    @property
    def jdbc(self) -> str:
        """The URL of PostgreSQL's JDBC driver, which takes user and password as parameters."""
        return f"jdbc:postgresql://{self._place()}?{self._parameters(user=self.user, password=self.token)}"

    @property
    def service(self) -> str:
        """An entry of pg_service.conf, named after the database: `psql service=NAME`."""
        return "\n".join(
            (
                f"[{self.database}]",
                f"host={self.host}",
                f"port={self.port}",
                f"dbname={self.database}",
                f"user={self.user}",
                f"password={self.token}",
                "sslmode=verify-full",
                f"sslrootcert={self.authority}",
            )
        )

    @property
    def environment(self) -> dict[str, str]:
        """What a program finds in its environment: libpq's variables, and URLs for those who read none of them."""
        return {
            "PGHOST": self.host,
            "PGPORT": str(self.port),
            "PGDATABASE": self.database,
            "PGUSER": self.user,
            "PGPASSWORD": self.token,
            "PGSSLMODE": "verify-full",
            "PGSSLROOTCERT": str(self.authority),
            "DATABASE_URL": self.url,
            "JDBC_DATABASE_URL": self.jdbc,
        }

    def _place(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}/{quote(self.database, safe='')}"

    def _parameters(self, **more: str) -> str:
        return urlencode({**more, "sslmode": "verify-full", "sslrootcert": str(self.authority)}, quote_via=quote)
