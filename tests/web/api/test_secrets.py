"""Which answers hold something that opens a door: the table has to say so, and an unknown field is one until told."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from msgspec import inspect

from sojourn.testing.installation import Running
from sojourn.web.api.endpoints import ENDPOINTS, Endpoint
from sojourn.web.api.openapi import answered

PUBLIC = frozenset(
    [
        "absence",
        "accounts",
        "accounts_changed",
        "actions",
        "activities",
        "after",
        "answer",
        "answered",
        "answered_by",
        "answers",
        "application",
        "approvals",
        "approvers",
        "as_of",
        "at",
        "authority",
        "automatic",
        "away",
        "base",
        "before",
        "break_glass",
        "campaign",
        "cause",
        "certificate",
        "change",
        "change_days",
        "change_requested_by",
        "checklist",
        "classes",
        "closed_at",
        "comment",
        "comments",
        "concluded_at",
        "confirmed_at",
        "confirmed_by",
        "cut_lag_us",
        "cut_us_max",
        "days",
        "decidable",
        "decided_at",
        "decided_by",
        "decision",
        "decisions",
        "declared",
        "delegate",
        "detail",
        "differences",
        "digest",
        "disposable",
        "disposal",
        "disposals",
        "disposed_at",
        "disposed_by",
        "disposition",
        "doing",
        "done",
        "due",
        "duration_seconds",
        "end",
        "ended",
        "ended_at",
        "ended_by",
        "entry",
        "escalated_at",
        "escalates_at",
        "expires_at",
        "extended",
        "extends",
        "fact",
        "findings",
        "fingerprint",
        "finding",
        "floor_days",
        "grant",
        "grants",
        "grants_open",
        "grants_total",
        "groups",
        "held_keys",
        "hold",
        "holds",
        "host",
        "incident",
        "items",
        "kept",
        "keys",
        "kind",
        "label",
        "lacking",
        "left",
        "leftovers",
        "level",
        "log_matched",
        "log_problem",
        "logins",
        "manifest_sha256",
        "more",
        "name",
        "needed",
        "next",
        "notes",
        "now",
        "number",
        "objects",
        "of",
        "on_behalf_of",
        "opened_at",
        "opened_by",
        "origin",
        "outcome",
        "overdue_since",
        "owner",
        "passkey",
        "people",
        "person",
        "placed_at",
        "placed_by",
        "points",
        "population",
        "port",
        "privileges",
        "problem",
        "prolonged_to",
        "proposed_at",
        "proposed_by",
        "proven",
        "proven_at",
        "question",
        "questions",
        "reason",
        "reason_code",
        "reasons",
        "record_class",
        "release_confirmed_by",
        "release_requested_by",
        "released_at",
        "remark",
        "removal_ms",
        "removed",
        "removed_at",
        "report",
        "request",
        "requested_at",
        "requested_by",
        "requests",
        "requests_decided",
        "reviewer",
        "reviewers",
        "revision",
        "risk",
        "role",
        "rows",
        "rp_id",
        "rules",
        "run",
        "sample",
        "scope",
        "seed",
        "seq",
        "session",
        "sessions",
        "sessions_cut",
        "sessions_matched",
        "shifts",
        "shredding",
        "sign_count",
        "since",
        "sort",
        "source",
        "start",
        "state",
        "status",
        "subject",
        "submitted_at",
        "summary",
        "synced",
        "target",
        "tests",
        "times",
        "title",
        "told_by",
        "undecided",
        "until",
        "values",
        "verb",
        "version",
        "waits_for",
        "what",
        "writes",
    ]
)
"""Names of fields that open nothing, in whatever shape."""

PUBLIC_THERE = frozenset(
    (
        "CommentShown.text",
        "Disposed.ticket",
        "FindingDisposedOf.ticket",
        "NoteShown.text",
        "QuestionShown.text",
        "RequestShown.ticket",
        "SshKeyShown.token",
    )
)
"""Fields whose names are also those of something secret, in the shapes where they are not."""

DEEDS = {one.path: one for one in ENDPOINTS if one.method != "GET"}


def _fields(kind: inspect.Type, seen: set[type] | None = None) -> Iterator[str]:
    """All fields of an answer, and of what is in it, as `Shape.field`."""
    known = set() if seen is None else seen
    match kind:
        case inspect.DataclassType() | inspect.StructType():
            if kind.cls not in known:
                known.add(kind.cls)
                for field in kind.fields:
                    yield f"{kind.cls.__name__}.{field.name}"
                    yield from _fields(field.type, known)
        case inspect.UnionType():
            for one in kind.types:
                yield from _fields(one, known)
        case inspect.VarTupleType() | inspect.ListType():
            yield from _fields(kind.item_type, known)
        case inspect.DictType():
            yield from _fields(kind.value_type, known)


def _unclassified(one: Endpoint) -> list[str]:
    """The fields of its answer that nobody called public."""
    shape = answered(one)
    fields = set() if shape in (None, type(None)) else set(_fields(inspect.type_info(shape)))
    return sorted(each for each in fields if each not in PUBLIC_THERE and each.partition(".")[2] not in PUBLIC)


@pytest.mark.parametrize("path", DEEDS)
def test_an_answer_with_a_field_that_nobody_called_public_is_secret(path: str) -> None:
    assert DEEDS[path].secret is bool(_unclassified(DEEDS[path])), _unclassified(DEEDS[path])


@pytest.mark.parametrize("path", [path for path, one in DEEDS.items() if one.secret])
def test_no_secret_answer_is_kept_for_a_repeated_call(sojourn: Running, path: str) -> None:
    headers = {"idempotency-key": "secret-00000001"}
    answered = sojourn.send("POST", path.replace("{name}", "nobody"), {}, person="carol", headers=headers)
    assert "secret" in answered.json()["error"]["message"]
