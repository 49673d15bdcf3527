"""COVERAGE.md names the files that hold its lines true."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
BESIDE = {"postgres": "gateway", "ssh": "ssh"}
"""The folder of tests for each kind of target."""


@pytest.mark.parametrize("kind", BESIDE)
def test_every_file_that_is_named_is_there(kind: str) -> None:
    text = files("sojourn").joinpath("gateway", kind, "COVERAGE.md").read_text("utf-8")
    named = set(re.findall(r"`(test_\w+\.py)`", text))
    assert len(named) > 5
    assert {name for name in named if not (TESTS / BESIDE[kind] / name).exists()} == set()
