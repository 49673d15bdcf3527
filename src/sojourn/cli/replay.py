"""sojourn replay: see what was shown in a session, as it was shown."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from sojourn.domain import cast
from sojourn.domain.curtain import ENDS, Curtain
from sojourn.errors import Code, SojournError

from .common import Common
from .output import print_json, print_line
from .recording import lines_of, parts

LONGEST_SECONDS = 3600.0


def replay(
    session: str,
    *,
    action: int = 0,
    speed: float = 1.0,
    idle: float = 2.0,
    search: str = "",
    export: Path | None = None,
    common: Common | None = None,
) -> None:
    """Show the recording of a session in the terminal, search it, or write it to a file.

    What was typed is shown only as far as it was echoed; it is an index to look for things, not what the host ran.

    Example: sojourn replay s-7k3m2q9x4h --speed 4

    Example: sojourn replay s-7k3m2q9x4h --search "rm -rf"

    Example: sojourn replay s-7k3m2q9x4h --export session.cast

    Parameters
    ----------
    session
        The session's id (see `sojourn sessions`).
    action
        The action of this number; the first that is recorded by default.
    speed
        How many times as fast as it was.
    idle
        Seconds that a pause lasts at most.
    search
        Print the places where this was shown or typed, and show nothing else.
    export
        Write an asciicast v3 to a file that ends in .cast, the very bytes that were sent and shown to one that ends in
        .raw (the content of a file, where the role keeps that), or what was shown as text to any other.
    """
    if speed <= 0 or idle < 0:
        raise SojournError(Code.INPUT_INVALID, problem="Time does not run that way", expected="a speed above zero")
    common = common or Common()
    lines = [line for answered in parts(common, session, action) for line in lines_of(answered)]
    if export is not None:
        if export.suffix == ".raw":
            export.write_bytes(b"".join(cast.raw(one.text) for one in cast.moments(lines) if one.code in "ioe"))
        else:
            export.write_text(_exported(lines, whole=export.suffix == ".cast"))
        print_line(f"Written to {export}.")
    elif search:
        found = _found(lines, search)
        if common.json:
            print_json(found)
        for one in () if common.json else found:
            print_line(f"{one['seconds']:>10} {one['what']} {one['text']}")
    elif common.json:
        print_json([json.loads(line) for line in lines])
    else:
        _play(lines, speed, idle)


def _exported(lines: list[str], *, whole: bool) -> str:
    if whole:
        return "\n".join(cast.shown(json.dumps(json.loads(line), ensure_ascii=False)) for line in lines) + "\n"
    curtain = Curtain()
    return "".join(curtain.shown(cast.shown(one.text)) for one in cast.moments(lines) if one.code in "oe")


def _found(lines: list[str], wanted: str) -> list[dict[str, str]]:
    """Where the text was shown or typed, also if it came in pieces."""
    found, seconds = [], 0.0
    held = {"o": "", "i": "", "e": ""}
    for one in cast.moments(lines):
        seconds += one.interval
        if one.code not in held:
            continue
        text = held[one.code] + one.text
        while wanted in text:
            before, _, text = text.partition(wanted)
            line = before.rpartition("\n")[2] + wanted + text.partition("\n")[0]
            what = "typed" if one.code == "i" else "shown"
            found.append({"seconds": f"{seconds:.1f}", "what": what, "text": ascii(cast.shown(line))[1:-1]})
        held[one.code] = text[-max(len(wanted), 200) :]
    return found


def _play(lines: list[str], speed: float, idle: float) -> None:
    curtain = Curtain()
    for one in cast.moments(lines):
        time.sleep(min(one.interval, idle, LONGEST_SECONDS) / speed)
        if one.code in "oe":
            sys.stdout.write(curtain.shown(cast.shown(one.text)))
            sys.stdout.flush()
    sys.stdout.write(ENDS if sys.stdout.isatty() else "")
