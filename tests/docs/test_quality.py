"""What docs/quality.md says of tests is so."""

from __future__ import annotations

import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def test_every_test_that_is_named_is_there() -> None:
    named = set(re.findall(r"`(test_[a-z0-9_]+)`", (REPOSITORY / "docs" / "quality.md").read_text()))
    defined = {
        name
        for path in (REPOSITORY / "tests").rglob("test_*.py")
        for name in re.findall(r"^\s*(?:async )?def (test_\w+)", path.read_text(), re.MULTILINE)
    }
    assert len(named) > 40
    assert named <= defined, named - defined
