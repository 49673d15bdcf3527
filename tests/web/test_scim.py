"""SCIM as directories speak it, to a real installation: who is handed over, who leaves, and who is in which team."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import httpx2
import psycopg
import pytest

from sojourn.app.kept import reading
from sojourn.demo.installation import PEOPLE_FILE
from sojourn.demo.production import Production
from sojourn.domain.events import LookedBack
from sojourn.scribe import codec
from sojourn.testing.browser import Browser, signed_in
from sojourn.testing.filled import connected, until
from sojourn.testing.installation import PASSWORD, SECONDS, Running, running
from sojourn.web.scim.table import SCIM

PEOPLE = (
    PEOPLE_FILE.replace(
        "teams:", "  entra: { name: Entra ID, kind: service, owner: carol }\n  finn: { name: Finn Falk }\nteams:"
    ).replace("[alice, bob]", "[alice, finn]")
    + "groups:\n  engineering: [prod-engineers]\n"
)
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
CUT_SECONDS_MAX = 5.0
"""On a machine that may be busy with other tests; how long it takes otherwise is in docs/performance.md."""


@pytest.fixture(scope="module")
def sojourn(tmp_path_factory: pytest.TempPathFactory, production: Production) -> Iterator[Running]:
    """An installation whose engineers come from the directory, but for alice and finn."""
    with running(tmp_path_factory.mktemp("scim") / "one", production, people=PEOPLE) as one:
        yield one


def _token(sojourn: Running, scope: str, **more: str) -> httpx2.Response:
    headers = {"authorization": f"Bearer {_fresh(sojourn, 'carol')}"}
    sent = {"label": "directory", "scope": [scope], "life": "1d", **more}
    return sojourn.send("POST", "/tokens", sent, headers=headers)


def _fresh(sojourn: Running, person: str) -> str:
    signed = sojourn.send("POST", "/sign-in", {"person": person, "password": PASSWORD})
    return str(signed.raise_for_status().json()["token"])


Call = Callable[..., httpx2.Response]


@pytest.fixture(scope="module")
def scim(sojourn: Running) -> Call:
    """One call of the directory's."""
    token = _token(sojourn, "provision", person="entra").raise_for_status().json()["text"]

    def call(method: str, path: str, body: object = None, **headers: str) -> httpx2.Response:
        signed = {"authorization": f"Bearer {token}", "content-type": "application/scim+json"}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        content = None if body is None else json.dumps(body).encode()
        address = f"{sojourn.installation.address}/scim/v2{path}"
        return httpx2.request(method, address, content=content, headers={**signed, **named}, timeout=SECONDS)

    return call


def _patch(*operations: dict[str, Any]) -> dict[str, Any]:
    return {"schemas": [PATCH], "Operations": list(operations)}


def _handed_over(scim: Call, person: str) -> None:
    made = scim("POST", "/Users", {"userName": person, "externalId": f"x-{person}", "active": True})
    assert made.status_code in (201, 409), made.text


def _group(scim: Call, name: str, *people: str) -> str:
    sent = {"displayName": name, "members": [{"value": person} for person in people]}
    return str(scim("POST", "/Groups", sent).raise_for_status().json()["id"])


def _engineers(scim: Call) -> str:
    """The directory's group that fills the team; bob is in it."""
    _handed_over(scim, "bob")
    found = scim("GET", '/Groups?filter=displayName eq "prod-engineers"').json()["Resources"]
    group = found[0]["id"] if found else _group(scim, "prod-engineers")
    added = _patch({"op": "add", "path": "members", "value": [{"value": "bob"}]})
    assert scim("PATCH", f"/Groups/{group}", added).status_code == 200
    return str(group)


def test_it_is_for_a_program_with_its_own_scope_and_for_nobody_else(sojourn: Running) -> None:
    reader = _token(sojourn, "read", person="entra").json()["text"]
    shown = {"nobody": {}, "a person": {"authorization": f"Bearer {sojourn.tokens['carol']}"}}
    shown["another program"] = {"authorization": f"Bearer {reader}"}
    for way in SCIM:
        for who, headers in shown.items():
            address = f"{sojourn.installation.address}/scim/v2{way.path.replace('{name}', 'alice')}"
            answered = httpx2.request(way.method, address, headers=headers, timeout=SECONDS)
            assert answered.status_code == (401 if who == "nobody" else 403), (way, who)
            assert answered.json()["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
    assert _token(sojourn, "provision").json()["error"]["code"] == "permission.denied"


def test_entra_hands_over_a_person_and_a_group_and_the_team_follows(sojourn: Running, scim: Call) -> None:
    assert sojourn.get("/me", person="bob")["teams"] == []
    found = scim("GET", '/Users?filter=userName eq "bob"').json()
    assert (found["totalResults"], found["Resources"]) == (0, [])
    whole = {"userName": "bob", "externalId": "x-bob", "active": True, "name": {"givenName": "Bob"}}
    made = scim("POST", "/Users", whole)
    assert (made.status_code, made.json()["id"], made.json()["active"]) == (201, "bob", True)
    assert made.headers["location"].endswith("/scim/v2/Users/bob")
    assert scim("POST", "/Users", {"userName": "bob"}).json()["scimType"] == "uniqueness"
    assert scim("GET", '/Users?filter=externalId eq "x-bob"').json()["Resources"][0]["userName"] == "bob"

    group = _group(scim, "prod-engineers")
    added = _patch({"op": "Add", "path": "members", "value": [{"value": "bob"}, {"value": "zoe"}]})
    assert [one["value"] for one in scim("PATCH", f"/Groups/{group}", added).json()["members"]] == ["bob"]
    assert sojourn.get("/me", person="bob")["teams"] == ["engineering"]
    assert scim("GET", "/Users/bob").json()["groups"] == [{"value": group, "display": "prod-engineers"}]
    short = scim("GET", '/Groups?filter=displayName eq "prod-engineers"&excludedAttributes=members').json()
    assert "members" not in short["Resources"][0]


def test_who_can_knows_who_is_in_a_team_by_the_directory_now_and_at_any_moment(sojourn: Running, scim: Call) -> None:
    group, ask, address = _engineers(scim), sojourn.installation.ask, sojourn.installation.address
    done = sojourn.installation.sojourn("login", "carol", "--url", address, stdin=PASSWORD + "\n")
    assert done.returncode == 0, done.stderr

    def who(*more: str) -> set[str]:
        return {one["person"] for one in ask("policy", "who-can", "shop", "read", *more, person="carol")["accesses"]}

    assert who() == {"alice", "bob", "finn"}
    moment = datetime.now(UTC).isoformat()
    removed = _patch({"op": "remove", "path": "members", "value": [{"value": "bob"}]})
    assert scim("PATCH", f"/Groups/{group}", removed).status_code == 200
    assert (who(), who("--as-of", moment)) == ({"alice", "finn"}, {"alice", "bob", "finn"})
    refused = ask("policy", "explain", "bob", "shop", "read", person="carol")
    assert (refused["allowed"], refused["rules"][0]["conditions"][0]["holds"]) == (False, False)
    then = ask("policy", "explain", "bob", "shop", "read", "--as-of", moment, person="carol")
    assert then["allowed"] is True


def test_an_approver_who_was_taken_out_between_the_look_and_the_click_is_refused(sojourn: Running, scim: Call) -> None:
    group = _engineers(scim)
    asked = sojourn.requested()
    bob = signed_in(sojourn, "bob")
    assert "Your decision" in bob.get(f"/requests/{asked['request']}").text
    removed = _patch({"op": "Remove", "path": "members", "value": [{"value": "bob"}]})
    assert scim("PATCH", f"/Groups/{group}", removed).status_code == 200
    clicked = bob.post(f"/requests/{asked['request']}/approve", {"digest": asked["digest"], "comment": ""})
    assert clicked.status_code == 403, clicked.text
    assert sojourn.get(f"/requests/{asked['request']}", person="alice")["status"] == "pending"
    back = _patch({"op": "add", "value": {"members": [{"value": "bob"}]}})
    assert scim("PATCH", f"/Groups/{group}", back).status_code == 200
    done = bob.post(f"/requests/{asked['request']}/approve", {"digest": asked["digest"], "comment": ""})
    assert done.status_code == 303


def test_okta_renames_and_empties_a_group_and_deletes_it(sojourn: Running, scim: Call) -> None:
    _handed_over(scim, "dora")
    group = _group(scim, "others", "dora")
    named = _patch({"op": "replace", "value": {"id": group, "displayName": "the others"}})
    assert scim("PATCH", f"/Groups/{group}", named).json()["members"][0]["value"] == "dora"
    assert scim("POST", "/Groups", {"displayName": "the others"}).status_code == 409
    one = _patch({"op": "remove", "path": 'members[value eq "dora"]'})
    assert scim("PATCH", f"/Groups/{group}", one).json()["members"] == []
    whole = scim("PUT", f"/Groups/{group}", {"displayName": "the others", "members": [{"value": "dora"}]})
    assert [each["value"] for each in whole.json()["members"]] == ["dora"]
    assert scim("DELETE", f"/Groups/{group}").status_code == 204
    assert scim("GET", f"/Groups/{group}").status_code == 404
    assert scim("GET", "/Users/dora").json()["groups"] == []


@pytest.mark.parametrize(
    ("method", "path", "body", "kind"),
    [
        ("POST", "/Users", {"userName": "zoe"}, "invalidValue"),
        ("POST", "/Users", {"userName": 7}, "invalidValue"),
        ("PUT", "/Users/dora", {"userName": "alice"}, "invalidValue"),
        ("PATCH", "/Users/dora", {"Operations": []}, "invalidValue"),
        ("PATCH", "/Users/dora", {"Operations": [{"op": "move"}]}, "invalidValue"),
        ("PATCH", "/Users/dora", {"Operations": [{"op": "replace", "path": "active", "value": "so"}]}, "invalidValue"),
        ("POST", "/Groups", {"members": []}, "invalidValue"),
        ("GET", '/Users?filter=userName co "b"', None, "invalidFilter"),
        ("GET", '/Users?filter=userName eq "b" or active eq true', None, "invalidFilter"),
        ("GET", "/Users?filter=userName pr", None, "invalidFilter"),
        ("GET", '/Users?filter=emails eq "b"', None, "invalidFilter"),
    ],
    ids=[
        "nobody",
        "number",
        "other_name",
        "no_operation",
        "unknown_operation",
        "no_boolean",
        "no_name",
        "contains",
        "or",
        "present",
        "unknown_attribute",
    ],
)
def test_what_cannot_be_taken_is_an_error_that_a_directory_shows(
    scim: Call, method: str, path: str, body: object, kind: str
) -> None:
    _handed_over(scim, "dora")
    answered = scim(method, path, body)
    assert (answered.status_code, answered.json()["scimType"]) == (400, kind), answered.text


def test_lists_have_pages_and_resources_have_versions(scim: Call) -> None:
    for person in ("bob", "dora"):
        _handed_over(scim, person)
    first = scim("GET", "/Users?startIndex=1&count=1").json()
    second = scim("GET", "/Users?startIndex=2&count=1").json()
    assert (first["totalResults"], first["itemsPerPage"]) == (second["totalResults"], 1)
    assert first["Resources"] != second["Resources"]
    assert scim("GET", "/Users?count=0").json()["Resources"] == []
    version = scim("GET", "/Users/dora").headers["etag"]
    assert scim("GET", "/Users/dora", if_none_match=version).status_code == 304
    renamed = _patch({"op": "replace", "path": "externalId", "value": "x-2"})
    assert scim("PATCH", "/Users/dora", renamed, if_match='W/"old"').status_code == 412
    assert scim("PATCH", "/Users/dora", renamed, if_match=version).json()["externalId"] == "x-2"
    assert scim("PATCH", "/Users/dora", renamed, if_match=version).status_code == 412
    for path in ("/ServiceProviderConfig", "/ResourceTypes", "/ResourceTypes/User", "/Schemas"):
        assert scim("GET", path).status_code == 200
    (schema, *_) = scim("GET", "/Schemas").json()["Resources"]
    assert scim("GET", f"/Schemas/{schema['id']}").json()["id"] == schema["id"]


def test_the_last_administrator_and_whom_somebody_else_sent_away_are_out_of_reach(sojourn: Running, scim: Call) -> None:
    _handed_over(scim, "carol")
    gone = scim("PATCH", "/Users/carol", _patch({"op": "Replace", "path": "active", "value": "False"}))
    assert (gone.status_code, "carol" in gone.json()["detail"]) == (403, True)
    _handed_over(scim, "dora")
    sojourn.post("/people/dora/leave", {"reason": "her last day"}, person="carol")
    back = scim("PATCH", "/Users/dora", _patch({"op": "replace", "value": {"active": True}}))
    assert (back.status_code, "carol" in back.json()["detail"]) == (409, True)
    assert sojourn.post("/people/dora/rejoin", {"reason": "she stays"}, person="carol")["left"] is False


def test_a_leaver_loses_everything_at_once(sojourn: Running, scim: Call) -> None:
    _engineers(scim)
    _handed_over(scim, "alice")
    asked = sojourn.requested()
    waiting = sojourn.requested()
    sojourn.post(f"/requests/{asked['request']}/approve", {"digest": asked["digest"]}, person="bob")
    grant = sojourn.post(f"/requests/{asked['request']}/activate", person="alice")["grant"]
    browser = signed_in(sojourn, "alice")
    with ExitStack() as stack:
        client = stack.enter_context(connected(sojourn))
        client.execute("select 1")
        left = scim("PATCH", "/Users/alice", _patch({"op": "Replace", "path": "active", "value": "False"}))
        assert (left.status_code, left.json()["active"]) == (200, False)
        assert browser.get("/").status_code == 303
        assert sojourn.send("GET", "/me", person="alice").status_code == 401
        with pytest.raises(psycopg.errors.AdminShutdown, match="holder_left"):
            until(lambda: client.execute("select 1") is None)
    until(lambda: sojourn.get(f"/grants/{grant}", person="carol")["status"] == "removed")
    gone = _when(sojourn, "standing", "person.left")
    assert (_when(sojourn, f"grant/{grant}", "grant.ended") - gone).total_seconds() < CUT_SECONDS_MAX
    (session,) = sojourn.get(f"/sessions?grant={grant}", person="carol")["sessions"]
    assert (datetime.fromisoformat(session["closed_at"]) - gone).total_seconds() < CUT_SECONDS_MAX
    until(lambda: sojourn.get(f"/requests/{waiting['request']}", person="carol")["status"] != "pending")
    (back,) = until(lambda: [one for one in _looked_back(sojourn, "alice") if grant in one.grants])
    assert back.grants[0] == grant and back.sessions and back.actions
    assert scim("DELETE", "/Users/alice").status_code == 204
    assert scim("GET", "/Users/alice").status_code == 404
    again = scim("POST", "/Users", {"userName": "alice", "active": True})
    assert (again.status_code, again.json()["active"]) == (201, True)
    assert sojourn.send("GET", "/me", person="alice").status_code == 401, "what was over stays over"
    assert Browser(address=browser.address, cookie=browser.cookie).get("/").status_code == 303


def _when(sojourn: Running, stream: str, kind: str) -> datetime:
    """When the last entry of that kind in a stream was recorded."""
    root = str(sojourn.installation.layout.root)
    done = sojourn.installation.sojourn("audit", "show", stream, "--json", "--data", root)
    times = [one["at"] for one in map(json.loads, done.stdout.splitlines()) if one["kind"] == kind]
    return datetime.fromisoformat(times[-1])


def _looked_back(sojourn: Running, person: str) -> list[LookedBack]:
    """The look-backs on record of somebody."""
    with reading(sojourn.installation.layout) as kept:
        events = [codec.decode(entry.kind, entry.body) for entry in kept.stream("standing")]
    return [one for one in events if isinstance(one, LookedBack) and one.person == person]
