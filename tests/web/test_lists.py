"""Every list has a page, and says how it goes on."""

from __future__ import annotations

import pytest

from sojourn.testing.installation import Running
from sojourn.web.api.endpoints import ENDPOINTS, STREAM

BOUNDED = {
    "/targets": "what is configured",
    "/inventory": "what is configured",
    "/people": "what is configured",
    "/policy": "what is configured",
    "/policy/who-can": "what follows from it",
    "/break-glass": "what follows from it",
    "/passkeys": "one's own, and there is an end to them",
    "/sign-ins": "where one is signed in now",
    "/absences": "who is away",
    "/retention": "the classes there are",
    "/reports": "the kinds of reports there are",
}
"""Lists that have an end of their own."""

SINGLE = {"/me", "/configuration", "/configuration/files", "/ledger", "/ledger/consistency", "/overview", "/health"}
"""What is one thing and no list."""

LISTS = sorted(
    one.path
    for one in ENDPOINTS
    if one.method == "GET" and "{" not in one.path and one.media != STREAM and one.path not in {*BOUNDED, *SINGLE}
)


@pytest.mark.parametrize("path", LISTS)
def test_a_list_says_whether_and_where_it_goes_on(sojourn: Running, path: str) -> None:
    # Other tests of this installation may have filled a list beyond its page.
    answered = sojourn.get(path, person="dora")
    assert answered["more"] is (answered["next"] is not None), answered


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("query", ["before=-1", "before=x", "before=9999999999999999", "after=-1", "after=1.5"])
def test_a_place_that_is_none_is_refused_or_not_asked_for(sojourn: Running, path: str, query: str) -> None:
    answered = sojourn.send("GET", f"{path}?{query}", person="dora")
    if answered.status_code == 200:
        named = query.partition("=")[0]
        assert sojourn.get(f"{path}?{named}=1", person="dora") is not None
    else:
        assert answered.status_code == 422 and answered.json()["error"]["code"] == "input.invalid"
