"""A disk and a clock that fail when told to, under a real scribe process: `faults.c`, preloaded."""

from __future__ import annotations

import errno
import subprocess
from dataclasses import dataclass
from pathlib import Path

from sojourn.testing.packages import install

SOURCE = Path(__file__).with_name("faults.c")
TORN = "torn"


def build(into: Path) -> Path:
    """The library, built with the machine's compiler or Debian's."""
    install({"gcc": "/usr/bin/gcc", "libc6-dev": "/usr/include/stdio.h"})
    library = into / "faults.so"
    command = ["gcc", "-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", "-o", str(library), str(SOURCE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return library


@dataclass(frozen=True, slots=True)
class Faults:
    """What one process is to meet. `environment` is added to that of the process."""

    library: Path
    directory: Path

    @property
    def environment(self) -> dict[str, str]:
        return {
            "LD_PRELOAD": str(self.library),
            "SOJOURN_FAULTS": str(self.directory / "rule"),
            "SOJOURN_CLOCK": str(self.directory / "clock"),
        }

    def inject(self, call: str, end: str, what: int | str, *, after: int = 0) -> None:
        """From now on that call fails for files whose path ends so; the first `after` of them still go through."""
        partial = self.directory / "rule.partial"
        partial.write_text(f"{call} {end} {what} {after}\n")
        partial.rename(self.directory / "rule")

    def heal(self) -> None:
        """All is well again."""
        for name in ("rule", "rule.log"):
            (self.directory / name).unlink(missing_ok=True)

    def met(self) -> list[str]:
        """The calls that met the fault."""
        try:
            return (self.directory / "rule.log").read_text().splitlines()
        except FileNotFoundError:
            return []

    def set_clock(self, seconds: int) -> None:
        """The clock of the day is wrong by so much."""
        partial = self.directory / "clock.partial"
        partial.write_text(str(seconds))
        partial.rename(self.directory / "clock")


def name_of(number: int | str) -> str:
    """EIO, ENOSPC, torn."""
    return number if isinstance(number, str) else errno.errorcode[number]
