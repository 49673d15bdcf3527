"""What was typed, without what was typed in secret: only what the host echoes is kept in clear.

A terminal does not say when its echo is off. So input waits until the host has answered: if what it says begins with
what was typed, and does not go on as another word, it is kept; otherwise one mark stands for each letter. Keys that are
no letters (Enter, arrows, control) are always kept. A full-screen program that answers otherwise is masked too; what it
showed is in the output.
"""

from __future__ import annotations

from dataclasses import dataclass

from sojourn.domain.cast import MASK

WAITING_MAX = 4096
"""Input that waits for its echo; what comes on top is masked."""


@dataclass(slots=True)
class Echo:
    """The input of one terminal. Text in, text that may be kept out."""

    _waiting: str = ""

    def typed(self, text: str) -> str:
        """Something was typed; gives what can be kept at once (nothing, mostly)."""
        self._waiting += text
        if len(self._waiting) <= WAITING_MAX:
            return ""
        over, self._waiting = self._waiting[:-WAITING_MAX], self._waiting[-WAITING_MAX:]
        return mask(over)

    def answered(self, text: str) -> str:
        """The host has said something; gives the input that can be kept now."""
        if not self._waiting:
            return ""
        waiting, place, read = self._waiting, 0, 0
        for letter in text:
            if letter != "\n" or waiting[place - 1 : place] != "\r":
                # Enter is answered by both.
                if waiting[place : place + 1] != letter:
                    break
                place += 1
            read += 1
        if place and _is_echo(waiting[:place], waiting[place:], text[read:]):
            self._waiting = waiting[place:]
            return waiting[:place]
        # The answer is about something else, and all is masked.
        self._waiting = ""
        return mask(waiting)

    def settle(self) -> str:
        """Nothing more is waited for; gives what is left, masked."""
        waiting, self._waiting = self._waiting, ""
        return mask(waiting)


def _is_echo(echoed: str, left: str, rest: str) -> bool:
    """Whether what the host says behind, `rest`, lets the letters before it be the echo of what was typed.

    Where it goes on with a letter that nobody typed, they are the beginning of some other word (`success`, and a
    password that begins with an s).
    """
    if not rest or echoed[-1] in "\r\n" or not rest[0].isprintable():
        return True
    if left and not left[0].isprintable() and left[0] not in "\r\n":
        # A key that the host answers with letters of its own: Tab completes a name.
        return True
    # At the edge of the terminal, and in the midst of a line, what stands behind is drawn again.
    return rest == " \r" or ("\b" in rest and len(rest) == 2 * len(rest.rstrip("\b")))


def mask(text: str) -> str:
    """The text with a mark for each letter; keys that are none stay, and so does the rest of their sequences."""
    kept: list[str] = []
    sequence = False
    for letter in text:
        if letter == "\x1b":
            sequence = True
        elif sequence and letter not in "[O;0123456789":
            sequence = False
            kept.append(letter)
            continue
        kept.append(letter if sequence or not letter.isprintable() else MASK)
    return "".join(kept)
