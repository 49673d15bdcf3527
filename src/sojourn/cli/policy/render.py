"""sojourn policy render: the table that an auditor reads."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated

from cyclopts import Parameter

from sojourn.cli.common import Common
from sojourn.cli.output import print_json
from sojourn.configuration.rendering import as_html, as_markdown, tables

from .source import Source


class Format(StrEnum):
    """What the tables are written as."""

    MARKDOWN = "markdown"
    HTML = "html"


def render(
    *,
    written: Annotated[Format, Parameter(name="--format")] = Format.MARKDOWN,
    source: Source | None = None,
    common: Common | None = None,
) -> None:
    """Write the whole policy as tables for people who do not read YAML: every rule, duty, person, and what stands out.

    Example: sojourn policy render --files ./config --format html > policy.html

    Parameters
    ----------
    written
        markdown or html.
    """
    source, common = source or Source(), common or Common()
    read = source.read(common)
    shown, said = tables(read.catalogue), read.said
    if common.json:
        plain = [{"title": one.title, "columns": one.columns, "rows": one.rows} for one in shown]
        print_json({"configuration": said, "tables": plain})
        return
    title = f"Policy: {said}"
    text = as_html(title, shown) if written is Format.HTML else as_markdown(title, shown)
    sys.stdout.write(text + "\n")
