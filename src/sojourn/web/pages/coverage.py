"""What is seen of a session at a target, and what is not: the gateway's own `COVERAGE.md`, which is its only source."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from markdown_it import MarkdownIt
from markupsafe import Markup

_HEADINGS = ("heading_open", "heading_close")


@cache
def coverage(kind: str) -> Markup:
    """The file of this kind of target (`postgres`, `ssh`) as HTML, each heading one level below its own."""
    text = files("sojourn").joinpath("gateway", kind, "COVERAGE.md").read_text("utf-8")
    parser = MarkdownIt("commonmark", {"html": False})
    tokens = parser.parse(text)
    for token in tokens:
        if token.type in _HEADINGS:
            token.tag = f"h{int(token.tag[1:]) + 1}"
    # The file comes with the release, and tags in it stay text.
    return Markup(parser.renderer.render(tokens, parser.options, {}))  # noqa: S704 - rendered by a parser without HTML
