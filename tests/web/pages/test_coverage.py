"""What is seen at a target stands on its page, whole and as the gateway's COVERAGE.md says it."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from importlib.resources import files

import pytest

from sojourn.domain.target import TargetKind
from sojourn.testing.browser import Browser
from sojourn.web.pages.coverage import coverage


def _words(text: str) -> str:
    return " ".join(re.sub(r"[`#*-]", " ", text).split())


@pytest.mark.parametrize("kind", list(TargetKind), ids=str)
def test_every_word_of_the_source_is_on_the_page_under_its_heading(kind: TargetKind) -> None:
    source = files("sojourn").joinpath("gateway", kind, "COVERAGE.md").read_text("utf-8")
    shown = coverage(kind)
    assert _words(html.unescape(re.sub(r"<[^>]+>", " ", shown))).replace(" ", "") == _words(source).replace(" ", "")
    assert "Not on record" in shown and "<h1" not in shown and "<script" not in shown
    assert re.findall(r"<h3>(.*?)</h3>", shown) == [html.escape(one) for one in re.findall(r"(?m)^## (.*)$", source)]


def test_the_page_of_a_target_has_it(browsers: Mapping[str, Browser]) -> None:
    for person in ("carol", "dora"):
        assert str(coverage("postgres")) in browsers[person].get("/targets/shop").text
