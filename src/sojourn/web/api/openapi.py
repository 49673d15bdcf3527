"""The OpenAPI 3.1 document of the API, made from the table that serves it: what is not in the table is not there."""

from __future__ import annotations

import inspect
from functools import cache
from typing import Any, get_type_hints

import msgspec
from starlette.responses import Response

from sojourn.meanings import CATALOGUE

from .endpoints import ENDPOINTS, OPEN, STREAM, Endpoint
from .shapes import ErrorShown

REFERENCE = "#/components/schemas/{name}"
NUMBERS = {"before", "after", "first", "old", "action", "recording"}
ROOT = "/api/v1"
BEARER = {"bearer": {"type": "http", "scheme": "bearer", "description": "A token from `POST /sign-in`."}}
BINARY = {"schema": {"type": "string", "format": "binary"}}


def answered(one: Endpoint) -> type | None:
    """The shape that an address answers with; None for a file."""
    kind = get_type_hints(one.handler)["return"]
    return None if isinstance(kind, type) and issubclass(kind, Response) else kind


def operation(one: Endpoint) -> str:
    """What an address is called, here and in the client: `asking.submit`."""
    return f"{one.handler.__module__.rpartition('.')[2]}.{one.handler.__name__}"


@cache
def document(version: str) -> bytes:
    """The document, as JSON. `version` is that of Sojourn."""
    kinds = [kind for one in ENDPOINTS for kind in (one.body, answered(one)) if kind not in (None, type(None))]
    _, components = msgspec.json.schema_components([*dict.fromkeys(kinds), ErrorShown], ref_template=REFERENCE)
    paths: dict[str, dict[str, object]] = {}
    for one in ENDPOINTS:
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one)
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {"title": "Sojourn", "version": version, "license": {"name": "Apache-2.0"}},
            "servers": [{"url": ROOT}],
            "paths": paths,
            "components": {"schemas": components, "securitySchemes": BEARER},
            "x-error-codes": {
                code: {"status": one.http_status, "sentence": one.sentence, "next_step": one.next_step}
                for code, one in CATALOGUE.items()
            },
        }
    )


def _operation(one: Endpoint) -> dict[str, Any]:
    purpose = " ".join((inspect.getdoc(one.handler) or "").split()).partition(": ")[2]
    made: dict[str, Any] = {
        "operationId": operation(one),
        "summary": purpose[:1].upper() + purpose[1:],
        "description": f"For {one.permission}.",
        "x-permission": one.permission.name.lower(),
        "parameters": [*_path(one), *_query(one), *_resumed(one)],
        "responses": {"200": _answer(one), "default": _problem()},
        "security": [] if one.permission is OPEN else [{"bearer": []}],
    }
    if one.body is not None:
        schema = {"$ref": REFERENCE.format(name=one.body.__name__)}
        made["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return made


def _path(one: Endpoint) -> list[dict[str, Any]]:
    names = [part[1:-1] for part in one.path.split("/") if part.startswith("{")]
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]


def _query(one: Endpoint) -> list[dict[str, Any]]:
    number = {"type": "integer", "minimum": 0, "maximum": 10**15 - 1}
    return [
        {"name": name, "in": "query", "schema": number if name in NUMBERS else {"type": "string"}} for name in one.query
    ]


def _resumed(one: Endpoint) -> list[dict[str, Any]]:
    """A stream of numbered messages goes on after the one that was heard last (HTML Living Standard, 9.2.4)."""
    if one.media != STREAM or "first" not in one.query:
        return []
    schema = {"type": "integer", "minimum": 0, "maximum": 10**15 - 1}
    return [{"name": "Last-Event-ID", "in": "header", "required": False, "schema": schema}]


def _answer(one: Endpoint) -> dict[str, Any]:
    kind = answered(one)
    if kind is None:
        return {"description": "A file.", "content": {one.media: BINARY}}
    empty = {"type": "object", "maxProperties": 0}
    schema = empty if kind is type(None) else {"$ref": REFERENCE.format(name=kind.__name__)}
    return {"description": "It is done.", "content": {"application/json": {"schema": schema}}}


def _problem() -> dict[str, Any]:
    schema = {"$ref": REFERENCE.format(name=ErrorShown.__name__)}
    return {"description": "It was refused or failed.", "content": {"application/json": {"schema": schema}}}
