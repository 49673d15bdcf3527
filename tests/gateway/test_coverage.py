"""COVERAGE.md names the files that hold its lines true."""

from __future__ import annotations

import re
from pathlib import Path

import sojourn.gateway.postgres

HERE = Path(__file__).parent
COVERAGE = Path(sojourn.gateway.postgres.__file__).with_name("COVERAGE.md")


def test_every_file_that_is_named_is_there() -> None:
    named = set(re.findall(r"`(test_\w+\.py)`", COVERAGE.read_text()))
    assert len(named) > 5
    assert {name for name in named if not (HERE / name).exists()} == set()
