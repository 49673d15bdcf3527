"""Writes src/sojourn/client/calls.py from the table that serves the API (`make reference`)."""

from __future__ import annotations

from pathlib import Path

from sojourn.web.api.endpoints import ENDPOINTS, STREAM, Endpoint
from sojourn.web.api.openapi import answered, operation

PLACE = Path(__file__).resolve().parents[1] / "src" / "sojourn" / "client" / "calls.py"
WIDTH = 120
HEAD = '''"""Every call of the API, named as its document names it. Written from the table that serves it."""

from __future__ import annotations

from sojourn.web.api import (
{modules}
)

from . import Deed, File, Look, Stream

'''


def module() -> str:
    """The text of the module."""
    kinds = [kind for one in ENDPOINTS for kind in (one.body, answered(one)) if kind not in (None, type(None))]
    modules = sorted({kind.__module__.rpartition(".")[2] for kind in kinds if kind is not None})
    lines = [_line(one) for one in sorted(ENDPOINTS, key=operation)]
    return HEAD.format(modules="\n".join(f"    {name}," for name in modules)) + "\n".join(lines) + "\n"


def _line(one: Endpoint) -> str:
    """One call, broken as the formatter breaks it."""
    kind, arguments = answered(one), [f'"{one.path}"']
    if one.body is not None:
        made, more = "Deed", [_name(one.body), _name(kind or type(None))]
    elif kind is None:
        made, more = "Stream" if one.media == STREAM else "File", []
    else:
        made, more = "Look", [_name(kind)]
    if one.query:
        listed = ", ".join(f'"{name}"' for name in one.query)
        more.append(f"({listed}{',' if len(one.query) == 1 else ''})")
    begin = f"{operation(one).replace('.', '_').upper()} = {made}("
    arguments += more
    whole = f"{begin}{', '.join(arguments)})"
    if len(whole) <= WIDTH:
        return whole
    inner = ", ".join(arguments)
    if len(inner) + 4 <= WIDTH:
        return f"{begin}\n    {inner}\n)"
    return "\n".join([begin, *(f"    {one}," for one in arguments), ")"])


def _name(kind: type) -> str:
    return "type(None)" if kind is type(None) else f"{kind.__module__.rpartition('.')[2]}.{kind.__name__}"


if __name__ == "__main__":
    PLACE.write_text(module())
