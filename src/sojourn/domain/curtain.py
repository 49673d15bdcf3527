"""What a recording may do to the terminal that it is shown in: write, colour, and move the cursor; nothing else.

A recording holds whatever a host said, and a terminal obeys: it sets clipboards and titles (OSC), runs what devices
define (DCS, APC, PM, SOS), and answers questions into the reader's own shell (CSI c, n, t). None of that is shown.
"""

from __future__ import annotations

from dataclasses import dataclass

ENDS = "\x0f\x1b[0m\x1b[?25h\x1b[?1049l\x1b[?1000l\x1b[?2004l"
"""What brings a terminal back to normal afterwards: character set, colours, cursor, screen, mouse, paste."""

SEQUENCE_MAX = 256
_STRINGS = "]PX^_"
_ASKING = "cntxpqi"
_HARMLESS_CONTROLS = "\x07\x08\t\n\r\x0e\x0f"


@dataclass(slots=True)
class Curtain:
    """One showing, from its beginning to its end."""

    _held: str = ""
    _string: bool = False

    def shown(self, text: str) -> str:
        """What may be written of this; a sequence that is not whole yet waits."""
        kept: list[str] = []
        for letter in text:
            if self._string:
                self._string = not (letter == "\x07" or (self._held == "\x1b" and letter == "\\"))
                self._held = "\x1b" if letter == "\x1b" else ""
            elif self._held and not " " <= letter <= "~":
                # A control within a sequence ends it unseen, and another escape begins anew.
                self._held = "\x1b" if letter == "\x1b" else ""
            elif self._held:
                self._held += letter
                kept.append(self._judged())
            elif letter == "\x1b":
                self._held = letter
            elif (letter >= " " and not "\x7f" <= letter <= "\x9f") or letter in _HARMLESS_CONTROLS:
                kept.append(letter)
        return "".join(kept)

    def _judged(self) -> str:
        """The sequence that is held, if it is whole and may be shown."""
        held = self._held
        kind = held[1]
        if kind in _STRINGS:
            self._held, self._string = "", True
            return ""
        if kind == "[":
            if len(held) == 2 or (" " <= held[-1] <= "?" and len(held) < SEQUENCE_MAX):
                return ""
            self._held = ""
            return held if "@" <= held[-1] <= "~" and held[-1] not in _ASKING else ""
        if " " <= held[-1] <= "/" and len(held) < SEQUENCE_MAX:
            return ""
        self._held = ""
        # A reset would wipe what the reader had on the screen, and Z asks who the terminal is.
        return held if held[-1] not in "cZ" or len(held) > 2 else ""
