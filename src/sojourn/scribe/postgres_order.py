"""Whether the rows of a store on PostgreSQL follow one another as they were written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def gap(fetch: Callable[[str], list[Any]]) -> str | None:
    """What is wrong with the order of rows or with the index of streams, if anything is. `fetch` asks the database."""
    places = (
        "SELECT first, due FROM (SELECT first, lag(first + count, 1, 0::bigint) OVER (ORDER BY first) AS due "
        "FROM sojourn.batch) AS row WHERE first <> due ORDER BY first LIMIT 1"
    )
    for first, due in fetch(places):
        return f"entries {due} to {first - 1} are missing"
    parts = (
        "SELECT stream FROM (SELECT stream, version, lag(version + length(places) / 8, 1, 1::bigint) "
        "OVER (PARTITION BY stream ORDER BY version) AS due FROM sojourn.stream_part) AS part "
        "WHERE version <> due LIMIT 1"
    )
    for (stream,) in fetch(parts):
        return f"the versions of stream {stream} have a gap"
    query = (
        "SELECT (SELECT coalesce(sum(length(places)) / 8, 0)::bigint FROM sojourn.stream_part), "
        "(SELECT coalesce(sum(count), 0)::bigint FROM sojourn.batch), (SELECT size FROM sojourn.head)"
    )
    ((indexed, held, size),) = fetch(query)
    if not indexed == held == size:
        return f"the index of streams names {indexed} entries, and the head says {size} where {held} are"
    return None
