"""Run every target, or those that are named, guided by coverage: `python -m fuzz SECONDS [NAME …]`.

Each runs in a process of its own, from what was captured for the tests; what breaks one is written to a file that the
last lines name, and ends the run.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
CAPTURES = sorted((HERE.parent / "tests").rglob("captures"))
INPUT_BYTES_MAX = 8_192


def main() -> int:
    """Gives the exit code of the first target that broke, or 0."""
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    names = sys.argv[2:] or [path.stem for path in sorted(HERE.glob("fuzz_*.py"))]
    for name in names:
        print(f"{name}: {seconds} s", flush=True)
        with tempfile.TemporaryDirectory() as corpus:
            limits = [
                f"-max_total_time={seconds}",
                f"-max_len={INPUT_BYTES_MAX}",
                "-verbosity=0",
                "-print_final_stats=1",
            ]
            command = [sys.executable, "-m", f"fuzz.{name}", *limits, corpus, *map(str, CAPTURES)]
            done = subprocess.run(command, cwd=HERE.parent, check=False)
        if done.returncode:
            return done.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
