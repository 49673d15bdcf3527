"""The print of a pack: PDF/A-2b, with the event, the hash of its story and `page x of y` on every page.

- It is set by typst (extra `pdf`) with the fonts that come with it, so that the same story gives the same bytes on
  every machine; without the extra there is no print, and the pack says so.
- Those fonts have no letters of some scripts, and PDF/A allows no letter that its font lacks: such letters are printed
  as escapes. `grant.json` has them as they are.
- Of more actions than fit a print, it says how many more there are and where.
"""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from importlib.resources import files
from importlib.util import find_spec
from itertools import groupby
from operator import itemgetter

import msgspec

from sojourn.evidence.escape import visible
from sojourn.evidence.story import Story, bound_to

ACTIONS_MAX = 1000
TEXT_MAX = 4000
"""Characters of one statement; a longer one says how many more there are."""

_PRINTED = re.compile(
    "[^\n\u0020-\u007e\u00a1-\u00ac\u00ae-\u017f\u0391-\u03a1\u03a3-\u03c9\u0410-\u044f"
    "\u2013\u2014\u2018\u2019\u201c\u201d\u2022\u2026\u20ac]"
)
"""What is not printed as it is."""

_LONG = re.compile(r"(?<!\S)(?!\d{4}-\d\d-\d\dT)\S{24,}")
"""A word that could run out of its column. A moment stays in one piece."""

_BREAK = "\u200b"
"""Zero width space: where such a word may be broken."""


def can_print() -> bool:
    """Whether the extra `pdf` is there."""
    return find_spec("typst") is not None


def printed(story: Story, canonical: bytes, *, as_of: datetime) -> bytes:
    """The PDF of a story; `canonical` are the bytes of `grant.json`."""
    import typst

    template = files("sojourn.evidence").joinpath("templates/pack.typ").read_bytes()
    told = {
        "title": f"Evidence of {story['subject']}",
        "subject": story["subject"],
        "sha256": hashlib.sha256(canonical).hexdigest(),
        "as_of": as_of.strftime("%Y-%m-%d %H:%M:%S UTC"),
        "day": [as_of.year, as_of.month, as_of.day],
        "blocks": [
            {
                "name": _plain(name),
                "lines": [[_plain(line[what]) for what in ("what", "value", "how", "entry")] for line in lines],
            }
            for name, lines in groupby(story["blocks"], itemgetter("block"))
        ],
        "tests": [[_plain(test[name]) for name in ("letter", "title", "answer", "reason")] for test in story["tests"]],
        "walk": [[_plain(hop[name]) for name in ("entry", "at", "who", "what")] for hop in story["walk"]],
        **_done(story),
    }
    made = typst.compile(
        template,
        format="pdf",
        pdf_standards="a-2b",
        ignore_system_fonts=True,
        timestamp=int(as_of.timestamp()),
        sys_inputs={"story": msgspec.json.encode(told).decode()},
    )
    assert isinstance(made, bytes), "one document is one PDF"
    return made


def _done(story: Story) -> dict[str, object]:
    """Each session with its actions, `ACTIONS_MAX` in all, and how many more there are."""
    left, sessions = ACTIONS_MAX, []
    for session in story["sessions"]:
        actions = session["actions"][: max(0, left)]
        left -= len(session["actions"])
        name = f"Session {session['session']}"
        sessions.append({"name": _plain(name), "actions": [list(map(_plain, _row(one))) for one in actions]})
    return {"sessions": sessions, "more": max(0, -left)}


def _row(action: Story) -> tuple[str, str, str]:
    if action["outcome"] is None:
        outcome = "none on record"
    else:
        rows = f"{action['rows']} row{'' if action['rows'] == 1 else 's'}"
        outcome = f"{' '.join(filter(None, (action['outcome'], action['sqlstate'])))}, {rows}"
    return f"{action['number']}, {action['at']}", "\n".join(filter(None, (action["text"], bound_to(action)))), outcome


def _plain(value: object) -> str:
    """A value as the fonts can show it."""
    text = "" if value is None else str(value)
    if len(text) > TEXT_MAX:
        text = f"{text[:TEXT_MAX]} [{len(text) - TEXT_MAX} more characters in grant.json]"
    shown = _PRINTED.sub(_escape, visible(text, keep_lines=True).replace("\t", "    "))
    return _LONG.sub(lambda word: _BREAK.join(re.findall(".{1,4}", word[0])), shown)


def _escape(found: re.Match[str]) -> str:
    letter = ord(found[0])
    return f"\\u{letter:04x}" if letter < 0x10000 else f"\\U{letter:08x}"
