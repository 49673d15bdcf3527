"""Text that was typed by somebody, made safe to read: what could fool a reader is shown as an escape."""

from __future__ import annotations

import unicodedata

_KEPT = frozenset("\n\t")
_LINES = dict.fromkeys(map(ord, _KEPT))


def visible(text: str, *, keep_lines: bool = False) -> str:
    """`text` with control, format (bidi, zero width) and separator characters written as `\\u…`.

    With `keep_lines`, line feeds and tabs stay, for texts that are shown as blocks.
    """
    # Most texts have nothing to hide; what is printable to Python is harmless here.
    if text.isprintable() or (keep_lines and text.translate(_LINES).isprintable()):
        return text
    return "".join(
        letter if _harmless(letter) or (keep_lines and letter in _KEPT) else _escaped(letter) for letter in text
    )


def _harmless(letter: str) -> bool:
    return letter == " " or unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def _escaped(letter: str) -> str:
    return f"\\u{ord(letter):04x}" if ord(letter) < 0x10000 else f"\\U{ord(letter):08x}"
