"""The certificates that come with a time stamp, in the order that DER asks for (X.690, section 11.6).

Authorities send the certificates between theirs and their root along, as a SET OF. DER sorts such a set, and many
authorities do not: OpenSSL is one. No signature covers that set (RFC 5652, section 5.1), so it may be sorted before a
strict reader sees it; the bytes that are kept stay as they came.
"""

from __future__ import annotations

from collections.abc import Iterator

SEQUENCE, EXPLICIT_0 = 0x30, 0xA0
LONG_FORM = 0x80
LENGTH_BYTES_MAX = 4


def with_sorted_certificates(answer: bytes) -> bytes:
    """The same TimeStampResp with its certificates sorted; anything of another form as it is, for others to refuse."""
    try:
        found = _certificates(answer)
    except (IndexError, ValueError):
        return answer
    if not found:
        return answer
    start, end = found[0][0], found[-1][1]
    return answer[:start] + b"".join(sorted(answer[one:two] for one, two in found)) + answer[end:]


def _certificates(answer: bytes) -> list[tuple[int, int]]:
    """Where each certificate begins and ends: TimeStampResp, its token, SignedData, and there `[0]`.

    Raises ValueError or IndexError for any other form.
    """
    (response,) = _elements(answer, 0, len(answer))
    _, token = _inside(answer, response, SEQUENCE)
    _, wrapped = _inside(answer, token, SEQUENCE)
    (signed,) = _inside(answer, wrapped, EXPLICIT_0)
    fields = _inside(answer, signed, SEQUENCE)
    for field in fields:
        if answer[field[0]] == EXPLICIT_0:
            return [(start, end) for start, _, end in _elements(answer, field[1], field[2])]
    return []


Element = tuple[int, int, int]
"""Where an element begins, where its content does, and where both end."""


def _inside(data: bytes, element: Element, tag: int) -> list[Element]:
    start, content, end = element
    if data[start] != tag:
        raise ValueError("an element is of another kind")
    return list(_elements(data, content, end))


def _elements(data: bytes, start: int, end: int) -> Iterator[Element]:
    """The elements that fill a range, one after another. Raises ValueError or IndexError when they do not."""
    while start < end:
        length, content = data[start + 1], start + 2
        if length >= LONG_FORM:
            count = length - LONG_FORM
            if not 1 <= count <= LENGTH_BYTES_MAX:
                raise ValueError("a length has another form")
            length = int.from_bytes(data[content : content + count], "big")
            content += count
        if content + length > end:
            raise ValueError("an element is cut off")
        yield start, content, content + length
        start = content + length
