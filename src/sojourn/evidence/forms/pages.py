"""The pages of a pack: HTML that needs nothing else, for screen and print."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from sojourn.evidence.escape import visible
from sojourn.evidence.story import Story, bound_to

OUT_OF_ORDER = frozenset(
    ("attempt.refused", "request.denied", "grant.removal_failed", "grant.removal_overdue", "review.overdue")
)
"""Kinds of entries that a walk-through marks."""


def page(story: Story, checkpoint: str) -> str:
    """The story as one page."""
    return _environment().get_template("pack.html").render(story=story, checkpoint=checkpoint)


def walk_through(story: Story) -> str:
    """The access on one page, hop by hop, each with a link to its raw entry and its proof."""
    return _environment().get_template("walk-through.html").render(story=story, bad=OUT_OF_ORDER)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("sojourn.evidence"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    environment.filters["bound_to"] = bound_to
    environment.filters["visible"] = visible
    environment.filters["visible_block"] = lambda text: visible(text, keep_lines=True)
    return environment
