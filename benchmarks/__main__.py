"""`python -m benchmarks [--quick] [--json] [--only NAME ...]`: measure everything, or some of it; print one table."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator

from . import (
    cut,
    decisions,
    hosts,
    lists,
    memory,
    packs,
    policies,
    proofs,
    publishing,
    scribe,
    statements,
    verify,
    watching,
)
from .figures import Figure, progress, show
from .stage import Stage, stage

ALONE: dict[str, Callable[[bool], Iterator[Figure]]] = {
    "decisions": lambda quick: decisions.costs(quick=quick),
    "policies": lambda quick: policies.costs(quick=quick),
    "hashing": lambda quick: scribe.hashing(quick=quick),
    "durable": lambda quick: scribe.durable_entries(quick=quick),
    "waiting": lambda quick: scribe.added_latency(quick=quick),
    "verify": lambda quick: verify.published(quick=quick),
    "proofs": lambda quick: proofs.sizes(quick=quick),
    "publishing": lambda quick: publishing.lags(quick=quick),
    "ssh": lambda quick: hosts.measured(quick=quick),
    "ssh-steady": lambda quick: hosts.steady(quick=quick),
    "lists": lambda quick: lists.measured(quick=quick),
    "packs": lambda quick: packs.measured(quick=quick),
    "watching": lambda quick: watching.measured(quick=quick),
}
STAGED: dict[str, Callable[[Stage], Iterator[Figure]]] = {
    "latency": statements.latency,
    "steady": statements.steady,
    "rates": statements.rates,
    "connections": statements.connections,
    "copies": statements.copies,
    "selects": statements.selects,
    "cut": cut.lags,
}
WITH_TLS: dict[str, Callable[[Stage], Iterator[Figure]]] = {
    "connections-tls": statements.connections,
    "memory": memory.sessions,
}
"""On Debian's PostgreSQL, which speaks TLS."""


LONG = ("ssh-steady",)
"""What takes minutes is measured only when it is asked for."""


def _all(wanted: list[str], *, quick: bool) -> Iterator[Figure]:
    for name, measure in ALONE.items():
        if name in wanted:
            yield from measure(quick)
    for group, tls in ((STAGED, False), (WITH_TLS, True)):
        if any(name in wanted for name in group):
            with stage(quick=quick, tls=tls) as one:
                for name, staged in group.items():
                    if name in wanted:
                        yield from staged(one)


def main() -> int:
    """Run the command; gives its exit status."""
    names = [*ALONE, *STAGED, *WITH_TLS]
    usual = [name for name in names if name not in LONG]
    parser = argparse.ArgumentParser(prog="make bench", description="Measure Sojourn against a direct connection.")
    parser.add_argument("--quick", action="store_true", help="less of everything: a look, and no figures to keep")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--only", nargs="+", choices=names, default=usual, help="measure these alone")
    options = parser.parse_args()
    start = time.perf_counter()
    figures = [progress(figure, time.perf_counter() - start) for figure in _all(options.only, quick=options.quick)]
    show(figures, as_json=options.json)
    sys.stderr.write(f"{time.perf_counter() - start:.0f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
