"""A policy as the table that an auditor reads: the same rows as Markdown and as a page of HTML."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from sojourn.domain.catalogue import Catalogue
from sojourn.domain.duration import format_duration
from sojourn.domain.people import PersonKind
from sojourn.domain.policy import ALWAYS_APART, Line, Policy
from sojourn.domain.policy.difference import say_mandate, say_workload
from sojourn.domain.policy.findings import find
from sojourn.domain.policy.requirements import say_requirements
from sojourn.domain.policy.when import say_when

COLUMNS = ("Rule", "Who may ask", "For which role", "On", "At most", "When", "Giving", "Who decides", "Afterwards")
PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>{title}</title>
<style>
body {{ font: 15px/1.45 system-ui, sans-serif; margin: 2rem; color: #1a1a1a; background: #fff }}
table {{ border-collapse: collapse; margin: 1rem 0 }}
th, td {{ border: 1px solid #bbb; padding: .4rem .6rem; text-align: left; vertical-align: top }}
th {{ background: #f0f0f0 }}
</style>
{body}
</html>
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table with its heading; every cell is plain text."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def tables(catalogue: Catalogue) -> tuple[Table, ...]:
    """What the policy says, in full: rules, duties that are apart, people, and what stands out."""
    policy = catalogue.policy()
    return (
        Table(title="Rules", columns=COLUMNS, rows=tuple(_rule(policy, line) for line in policy.lines)),
        Table(title="Duties that are apart", columns=("Name", "Nobody does two of"), rows=tuple(_apart(catalogue))),
        Table(
            title="People",
            columns=("Id", "Name", "Kind", "Teams", "Manager", "Attributes", "Standing"),
            rows=tuple(_people(catalogue)),
        ),
        Table(
            title="What stands out",
            columns=("Rule", "What", "Why"),
            rows=tuple((one.rule, one.finding, one.text) for one in find(catalogue)),
        ),
    )


def _rule(policy: Policy, line: Line) -> tuple[str, ...]:
    rule = line.rule
    places = [place for place, lines in policy.offered.items() if line in lines]
    return (
        rule.name,
        ", ".join(sorted(line.who)),
        ", ".join(rule.roles),
        ", ".join(sorted({target for target, _ in places})),
        format_duration(rule.longest),
        "; ".join((*say_when(rule.when), *(f"instead of {name}" for name in rule.instead_of))) or "always",
        ", ".join(say_requirements(line.requirements)) or "nothing",
        _decides(line),
        _afterwards(line),
    )


def _decides(line: Line) -> str:
    rule = line.rule
    if rule.automatic:
        return f"nobody: {rule.automatic}"
    if rule.break_glass is not None:
        glass = rule.break_glass
        told = ", ".join(line.tell)
        return (
            f"nobody beforehand: break-glass, {glass.uses} times in {format_duration(glass.per)}; told at once: {told}"
        )
    said = [f"{group.needed} of {', '.join(group.people)} ({group.name})" for group in line.groups]
    words = " and ".join(said) + "; different people, never the requester"
    if rule.excluded:
        words += f", nor {', '.join(rule.excluded)}"
    if rule.escalation is not None:
        words += f"; after {format_duration(rule.escalation.after)} also {', '.join(line.escalation)}"
    return words


def _afterwards(line: Line) -> str:
    if line.rule.review is None:
        return ""
    within = format_duration(line.rule.review.within)
    return f"reviewed within {within} by one of {', '.join(line.review)}, never the holder"


def _apart(catalogue: Catalogue) -> Iterator[tuple[str, ...]]:
    for one in (*ALWAYS_APART, *catalogue.separations):
        yield (one.name, ", ".join(one.apart))


def _people(catalogue: Catalogue) -> Iterator[tuple[str, ...]]:
    for person in catalogue.people:
        standing = ["administrator"] if person.administrator else []
        standing += ["auditor"] if person.auditor else []
        standing += [say_mandate(person.mandate)] if person.mandate is not None else []
        standing += [f"answered for by {person.owner}"] if person.kind is not PersonKind.HUMAN else []
        standing += [f"tells {', '.join(person.tells)}"] if person.tells else []
        standing += [say_workload(one) for one in person.workloads]
        yield (
            person.id,
            person.name,
            person.kind,
            ", ".join(team.name for team in catalogue.teams if person.id in team.members),
            person.manager or "",
            ", ".join(f"{name}: {value}" for name, value in person.attributes),
            ", ".join(standing),
        )


def as_markdown(title: str, shown: Sequence[Table]) -> str:
    """The tables as Markdown."""
    lines = [f"# {_cell(title)}", ""]
    for table in shown:
        lines += [f"## {table.title}", ""]
        if not table.rows:
            lines += ["Nothing.", ""]
            continue
        lines += [_row(table.columns), _row(["---"] * len(table.columns))]
        lines += [*map(_row, table.rows), ""]
    return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(map(_cell, cells)) + " |"


def _cell(text: str) -> str:
    """Text that stays in its cell and is taken for nothing but text."""
    return "".join("\\" + one if one in "\\|<>&[]*`" else one for one in text)


def as_html(title: str, shown: Sequence[Table]) -> str:
    """The tables as one page of HTML that needs nothing else."""
    parts = [f"<h1>{escape(title)}</h1>"]
    for table in shown:
        parts.append(f"<h2>{escape(table.title)}</h2>")
        if not table.rows:
            parts.append("<p>Nothing.</p>")
            continue
        parts.append("<table>")
        parts.append("<tr>" + "".join(f"<th>{escape(name)}</th>" for name in table.columns) + "</tr>")
        parts += ("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in table.rows)
        parts.append("</table>")
    return PAGE.format(title=escape(title), body="\n".join(parts))
