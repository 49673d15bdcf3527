"""Which entries of the ledger somebody asks for, by what the entries themselves say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sojourn.ledger.entry import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What an entry has to be; an empty condition holds for all. Times are half-open: `[since, until)`.

    `word` is looked for in every text of the entry, whatever its case. `kind` and `stream` are whole names or the
    beginnings of names: `grant` finds `grant.ended` and `grant/g-1`, but not `granted`. `person` and `target` find the
    entries that name them in any field, or in the name of their stream.
    """

    word: str = ""
    kind: str = ""
    stream: str = ""
    person: str = ""
    target: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def accepts(self, entry: Entry) -> bool:
        """Whether an entry is one of them."""
        if (self.since and entry.at < self.since) or (self.until and entry.at >= self.until):
            return False
        if not (_begins(entry.kind, self.kind, ".") and _begins(entry.stream, self.stream, "/")):
            return False
        if not (self.word or self.person or self.target):
            return True
        texts = [*_texts(json.loads(entry.body)), entry.kind, entry.stream]
        names = {name for name in (self.person, self.target) if name}
        named = {*texts, *entry.stream.split("/")}
        return names <= named and (not self.word or any(self.word.casefold() in text.casefold() for text in texts))


def _begins(name: str, wanted: str, separator: str) -> bool:
    return not wanted or name == wanted or name.startswith(wanted.rstrip(separator) + separator)


def _texts(value: object) -> Iterator[str]:
    """Every text inside a value of an entry's body; the names of its fields are not among them."""
    match value:
        case str():
            yield value
        case dict():
            for one in value.values():
                yield from _texts(one)
        case list():
            for one in value:
                yield from _texts(one)
        case bool() | None:
            return
        case int():
            yield str(value)
