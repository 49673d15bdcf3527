"""Every code has a sentence and a next step that can be filled in, and is in the reference."""

from __future__ import annotations

import string
from pathlib import Path

import pytest

from sojourn.codes import Code
from sojourn.meanings import CATALOGUE

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "errors.md"


@pytest.mark.parametrize("code", list(Code))
def test_a_code_has_a_sentence_and_a_next_step(code: Code) -> None:
    meaning = CATALOGUE[code]
    for text in (meaning.sentence, meaning.next_step):
        fields = [name for _, name, _, _ in string.Formatter().parse(text) if name is not None]
        assert all(name.isidentifier() for name in fields), text
    assert meaning.sentence.endswith(".")
    assert 400 <= meaning.http_status < 600


@pytest.mark.parametrize("code", list(Code))
def test_a_code_is_in_the_reference(code: Code) -> None:
    assert f"`{code}`" in REFERENCE.read_text()
