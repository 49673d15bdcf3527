"""`python -m benchmarks [--quick] [--json]`: measure everything, and print one table."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator

from . import cut, decisions, lists, policies, proofs, publishing, scribe, statements, verify
from .figures import Figure, progress, show
from .stage import stage


def _all(*, quick: bool) -> Iterator[Figure]:
    yield from decisions.costs(quick=quick)
    yield from policies.costs(quick=quick)
    yield from scribe.hashing(quick=quick)
    yield from scribe.durable_entries(quick=quick)
    yield from scribe.added_latency(quick=quick)
    yield from verify.published(quick=quick)
    yield from proofs.sizes(quick=quick)
    yield from publishing.lags(quick=quick)
    with stage(quick=quick) as one:
        yield from statements.latency(one)
        yield from statements.rates(one)
        yield from statements.connections(one)
        yield from statements.copies(one)
        yield from cut.lags(one)
    yield from lists.measured(quick=quick)


def main() -> int:
    """Run the command; gives its exit status."""
    parser = argparse.ArgumentParser(prog="make bench", description="Measure Sojourn against a direct connection.")
    parser.add_argument("--quick", action="store_true", help="less of everything: a look, and no figures to keep")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    start = time.perf_counter()
    figures = [progress(figure, time.perf_counter() - start) for figure in _all(quick=options.quick)]
    show(figures, as_json=options.json)
    sys.stderr.write(f"{time.perf_counter() - start:.0f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
