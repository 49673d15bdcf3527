"""Each decision that was written down has a number of its own."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

DECISIONS = sorted((Path(__file__).resolve().parents[2] / "docs" / "adr").glob("*.md"))


def test_no_two_decisions_have_one_number_and_each_says_its_own() -> None:
    assert [number for number, times in Counter(one.name[:4] for one in DECISIONS).items() if times > 1] == []
    for one in DECISIONS:
        assert re.match(rf"# {int(one.name[:4])}\. ", one.read_text()), one.name
