"""`python -m fuzz [NAME...] [--seconds N] [--runs N] [--seed N]`: fuzz some targets or all, one after another.

Each runs in a process of its own, since libFuzzer ends the process that it runs in. What a run learns is kept in
`.fuzz/NAME`, for the next one; an input that fails is kept in `fuzz/found/NAME`, and tried first from then on.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(
    include=["sojourn.ledger", "sojourn.publisher", "sojourn.scribe", "sojourn.gateway", "sojourn_verify"],
    enable_loader_override=False,
):
    from .targets import TARGETS, Target, together

TOGETHER = "together"
HERE = Path(__file__).parent
MEMORY_MB_MAX = 400
"""Of the whole process: Python, the product and the corpus take about 70 to 120 of it."""

INPUT_SECONDS_MAX = 10


def _corpus(name: str, target: Target, learned: Path) -> list[str]:
    """The directories that a target starts from; the first is written to."""
    seeds = learned / name
    seeds.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds()):
        (seeds / f"seed-{number}").write_bytes(seed)
    found = HERE / "found" / name
    found.mkdir(parents=True, exist_ok=True)
    return [str(seeds), str(found)]


def _fuzz(name: str, options: argparse.Namespace) -> None:
    """Fuzz one target in this process, and end it."""
    target = together() if name == TOGETHER else TARGETS[name]
    arguments = [
        f"-rss_limit_mb={MEMORY_MB_MAX}",
        f"-timeout={INPUT_SECONDS_MAX}",
        f"-max_len={target.bytes_max}",
        f"-max_total_time={options.seconds}",
        f"-runs={options.runs}",
        f"-seed={options.seed}",
        f"-artifact_prefix={HERE}/found/{name}/",
        "-print_final_stats=1",
        "-verbosity=0",
    ]
    atheris.Setup([sys.argv[0], *arguments, *_corpus(name, target, options.learned)], target.judge)
    atheris.Fuzz()


def _figures(said: str) -> str:
    """How many inputs there were, and how much memory they took."""
    found = dict(line.removeprefix("stat::").split(":", 1) for line in said.splitlines() if line.startswith("stat::"))
    inputs, memory = (found.get(name, "?").strip() for name in ("number_of_executed_units", "peak_rss_mb"))
    return f"{inputs} inputs, {memory} MB at most"


def main() -> int:
    """Run the command; gives its exit status."""
    parser = argparse.ArgumentParser(prog="make fuzz", description="Fuzz the parsers of the ledger and of the scribe.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(TARGETS)}; {TOGETHER}: all as one")
    parser.add_argument("--seconds", type=int, default=60, help="how long each is fuzzed at most (0: without end)")
    parser.add_argument("--runs", type=int, default=-1, help="how many inputs each is given at most (-1: any number)")
    parser.add_argument("--seed", type=int, default=0, help="where the dice begin (0: elsewhere each time)")
    parser.add_argument("--learned", type=Path, default=Path(".fuzz"), help="where the corpora are kept")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if unknown := set(options.names) - {*TARGETS, TOGETHER}:
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    if options.here:
        _fuzz(options.names[0], options)
    failed = []
    for name in options.names or TARGETS:
        more = [f"--seconds={options.seconds}", f"--runs={options.runs}", f"--seed={options.seed}"]
        command = [sys.executable, "-m", "fuzz", name, "--here", f"--learned={options.learned}", *more]
        done = subprocess.run(command, stderr=subprocess.PIPE, text=True, errors="replace", check=False)
        print(f"{name}: {'FAILED' if done.returncode else 'ok'}, {_figures(done.stderr)}", flush=True)
        if done.returncode:
            failed.append(name)
            sys.stderr.write(done.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
