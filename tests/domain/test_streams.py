"""Every stream has a name that the ledger takes, and every event a kind."""

from __future__ import annotations

from typing import get_args

import pytest

from sojourn.domain import identifiers
from sojourn.domain.events import Event
from sojourn.ledger.entry import assemble, parse

STREAMS = [name for name in vars(identifiers) if name.endswith("_stream")]
AT = "2026-01-01T00:00:00.000000Z"


@pytest.mark.parametrize("name", STREAMS)
def test_the_ledger_takes_the_name_of_every_stream(name: str) -> None:
    stream = vars(identifiers)[name]("x-7k3m2q9x4h")
    data = assemble(seq=0, at=AT, stream=stream, version=1, kind="a.b", body=b"{}")
    assert parse(data).stream == stream


def test_the_ledger_takes_the_kind_of_every_event() -> None:
    kinds = [event.kind for event in get_args(Event)]
    assert len(kinds) > 40
    for kind in kinds:
        assemble(seq=0, at=AT, stream="a/b", version=1, kind=kind, body=b"{}")
