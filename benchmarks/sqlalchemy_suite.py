"""`python -m benchmarks.sqlalchemy_suite HOST PORT USER DATABASE`: SQLAlchemy's own tests, by psycopg 3.

They are in its source distribution, while psycopg 3's own are in no package; so these are the largest suite of others
that drives it. Only those run that talk to a server. Everything is installed in a folder of its own. Says
`N passed, N failed` at the end, like the suites of others. The password comes from PGPASSWORD, TLS from PGSSLMODE.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from urllib.parse import quote

import psycopg

VERSION = "2.0.44"
PACKAGES = ("psycopg[binary]==3.3.*", "pytest<9", "setuptools", "greenlet", "typing-extensions")
PLACE = Path(tempfile.gettempdir()) / f"sojourn-peers-sqlalchemy-{VERSION}"
SECONDS = 600
PREPARED = (
    "CREATE SCHEMA IF NOT EXISTS test_schema",
    "CREATE SCHEMA IF NOT EXISTS test_schema_2",
    "CREATE EXTENSION IF NOT EXISTS hstore",
    "CREATE EXTENSION IF NOT EXISTS citext",
)
TESTS = (
    "test/dialect/test_suite.py",
    "test/dialect/postgresql/test_dialect.py",
    "test/dialect/postgresql/test_on_conflict.py",
    "test/dialect/postgresql/test_query.py",
    "test/engine/test_transaction.py",
)
"""Its tests of types and of reflection beside these take much longer, and say little of the way to the server."""
_LAST = re.compile(r"^(?=.* in [\d.]+s)(.*)$", re.MULTILINE)


def _installed() -> tuple[str, Path]:
    """The interpreter with everything, and the folder of the tests."""
    interpreter, source = PLACE / "venv" / "bin" / "python", PLACE / f"sqlalchemy-{VERSION}"
    if not (PLACE / "ready").exists():
        PLACE.mkdir(exist_ok=True)
        base = getattr(sys, "_base_executable", sys.executable)
        subprocess.run([base, "-m", "venv", str(PLACE / "venv")], check=True)
        pip = [str(interpreter), "-m", "pip", "-q"]
        subprocess.run([*pip, "install", f"sqlalchemy=={VERSION}", *PACKAGES], check=True)
        fetch = ["download", "--no-deps", "--no-binary", "sqlalchemy", "-d", str(PLACE), f"sqlalchemy=={VERSION}"]
        subprocess.run([*pip, *fetch], check=True)
        with tarfile.open(PLACE / f"sqlalchemy-{VERSION}.tar.gz") as archive:
            archive.extractall(PLACE, filter="data")
        (PLACE / "ready").touch()
    return str(interpreter), source


def _count(summary: str, words: str) -> int:
    found = re.search(rf"(\d+) (?:{words})\b", summary)
    return int(found.group(1)) if found else 0


def main() -> int:
    """Run the command. Exit status 1 if a test failed."""
    host, port, user, database = sys.argv[1:5]
    interpreter, source = _installed()
    with psycopg.connect(host=host, port=int(port), user=user, dbname=database, autocommit=True) as connection:
        for statement in PREPARED:
            connection.execute(statement.encode())
    address = f"postgresql+psycopg://{user}:{quote(os.environ['PGPASSWORD'], safe='')}@{host}:{port}/{database}"
    command = [interpreter, "-m", "pytest", "-q", "-p", "no:logging", "--backend-only", "--dburi", address, *TESTS]
    done = subprocess.run(
        command, cwd=source, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=SECONDS
    )
    sys.stdout.write(done.stdout)
    summaries = _LAST.findall(done.stdout)
    if not summaries:
        print("0 passed, 1 failed")
        return 1
    failed = _count(summaries[-1], "failed") + _count(summaries[-1], "errors?")
    print(f"{_count(summaries[-1], 'passed')} passed, {failed} failed, {_count(summaries[-1], 'skipped')} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
