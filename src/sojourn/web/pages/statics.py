"""The files that pages load, each under an address that names its content, so that a browser keeps it for ever."""

from __future__ import annotations

from importlib.resources import files

from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from . import showing

KINDS = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
NAMES = frozenset(one.name for one in files("sojourn.web.pages").joinpath("static").iterdir())


async def static(http: HttpRequest) -> Response:
    """GET /static/{hash}/{name}: a vendored file. What is no such file, or of other content, is not there."""
    name = str(http.path_params["name"])
    if name not in NAMES or showing.asset(name) != http.url.path:
        return Response(status_code=404)
    content = files("sojourn.web.pages").joinpath("static", name).read_bytes()
    headers = {"cache-control": "public, max-age=31536000, immutable", "x-content-type-options": "nosniff"}
    return Response(content, 200, headers, media_type=KINDS[name.rpartition(".")[2]])
