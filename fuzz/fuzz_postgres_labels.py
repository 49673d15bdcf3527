"""A statement of any text: it gets a label or is called unparsed, and nobody's process ends."""

from __future__ import annotations

from collections.abc import Callable

from .guided import guided


def _load() -> Callable[[bytes], None]:
    from sojourn.gateway.postgres.classify import classify

    def check(data: bytes) -> None:
        label = classify(data.decode(errors="replace"))
        assert label.parsed or label.may_write, "what could not be read may write"
        assert len(label.tables) <= 64

    return check


if __name__ == "__main__":
    guided(_load)
else:
    check = _load()
