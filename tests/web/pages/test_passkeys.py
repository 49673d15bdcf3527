"""Passkeys in a real browser with an authenticator in it: set up, sign in, add, remove, and sign what one decides."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import expect

import sojourn_verify
from sojourn.demo.installation import PEOPLE_FILE, POLICY_FILE
from sojourn.demo.production import Production
from sojourn.testing.auditor import check_signature, entries_of
from sojourn.testing.browser import Browser
from sojourn.testing.chromium import Window, chromium, window
from sojourn.testing.installation import PASSWORD, Running, running
from sojourn.web.exchange import COOKIE

PEOPLE = PEOPLE_FILE.replace(
    "teams:", "  eve: { name: Eve Engel, administrator: true }\n  finn: { name: Finn Falk }\nteams:"
).replace("[alice, bob]", "[alice, bob, eve]")
POLICY = (
    POLICY_FILE
    + """\
  emergency:
    who: { teams: [engineering] }
    targets: [shop]
    roles: [read]
    longest: 30m
    break_glass: { uses: 3, per: 30d, tell: { people: [carol] } }
    review: { within: 3d, by: { people: [carol] } }
    reason: required
"""
)


@pytest.fixture(scope="module")
def sojourn(tmp_path_factory: pytest.TempPathFactory, production: Production) -> Iterator[Running]:
    """An installation with two people more, who have no account yet."""
    with running(tmp_path_factory.mktemp("pages") / "one", production, people=PEOPLE, policy=POLICY) as one:
        yield one


@pytest.fixture(scope="module")
def browser(sojourn: Running) -> Iterator[Chromium]:
    """Chromium, started after the installation, whose own tools want a loop to themselves."""
    with chromium() as one:
        yield one


def _opened(browser: Chromium, sojourn: Running, *, phone: bool = False) -> Any:
    """A window at the address that passkeys answer for."""
    port = sojourn.installation.address.rpartition(":")[2]
    return window(browser, f"http://localhost:{port}", phone=phone, dark=phone)


def _set_up(sojourn: Running, one: Window, person: str) -> None:
    """Redeem an invitation for a passkey in this window, and sign in with it."""
    code = sojourn.post(f"/people/{person}/invitation", person="carol")["code"]
    one.go(f"/enrol?person={person}#code={code}")
    one.page.get_by_role("button", name="Set up with a passkey").click()
    one.page.wait_for_url("**/sign-in")
    one.page.get_by_role("button", name="Sign in with a passkey").click()
    one.page.wait_for_url(one.address + "/")


@pytest.fixture(scope="module")
def eve(browser: Chromium, sojourn: Running) -> Iterator[Window]:
    """Eve's phone: she has set up her account with a passkey in it, and has no password."""
    with _opened(browser, sojourn, phone=True) as one:
        one.authenticator()
        _set_up(sojourn, one, "eve")
        yield one
        assert not one.wrong
        assert not one.elsewhere


def _pack(sojourn: Running, grant: str, place: Path) -> list[dict[str, Any]]:
    """The entries of an access, from a pack that the verifier has accepted."""
    pack = sojourn.send("GET", f"/grants/{grant}/evidence", person="dora").content
    place.write_bytes(pack)
    key = sojourn.installation.layout.verifier_key.read_text().strip()
    assert sojourn_verify.main([str(place), "--key", key]) == 0
    return entries_of(pack)


def _only(entries: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    (found,) = [one for one in entries if one["kind"] == kind]
    return found


def _stream(sojourn: Running, name: str) -> list[dict[str, Any]]:
    """All of a stream, as it lies in the ledger."""
    root = str(sojourn.installation.layout.root)
    done = sojourn.installation.sojourn("audit", "show", name, "--json", "--data", root)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_an_approver_with_a_passkey_alone_approves_on_a_phone_and_the_pack_proves_what_they_signed(
    sojourn: Running, eve: Window, tmp_path: Path
) -> None:
    asked = sojourn.requested(reason="orders of today")
    eve.go("/")
    eve.page.locator(f'a[href="/requests/{asked["request"]}"]').tap()
    eve.page.wait_for_url("**/requests/r-*")
    assert Axe().run(eve.page).violations_count == 0
    eve.page.get_by_role("button", name="Approve", exact=True).tap()
    expect(eve.page.get_by_text("approved").first).to_be_visible()
    grant = sojourn.post(f"/requests/{asked['request']}/activate", person="alice")["grant"]
    entries = _pack(sojourn, grant, tmp_path / "pack.zip")
    assert check_signature(_only(entries, "request.approved"), _only(entries, "account.passkey_added")) == {
        "action": "request.approve",
        "person": "eve",
        "subject": f"request/{asked['request']}",
        "digest": asked["digest"],
    }


def test_less_than_was_asked_is_signed_as_it_stands_in_the_form(sojourn: Running, eve: Window, tmp_path: Path) -> None:
    asked = sojourn.requested(duration="20m")
    eve.go(f"/requests/{asked['request']}")
    eve.page.get_by_text("Approve less").tap()
    eve.page.get_by_label("For how long").fill("5m")
    eve.page.get_by_role("button", name="Approve this much").tap()
    expect(eve.page.get_by_text("approved").first).to_be_visible()
    grant = sojourn.post(f"/requests/{asked['request']}/activate", person="alice")["grant"]
    entries = _pack(sojourn, grant, tmp_path / "pack.zip")
    (less,) = [one for one in entries if one["body"].get("confirmation")]
    signed = check_signature(less, _only(entries, "account.passkey_added"))
    assert (signed["action"], signed["role"], signed["seconds"]) == ("request.approve_less", "read", "300")


def test_a_denial_is_signed_by_nobody(sojourn: Running, eve: Window) -> None:
    asked = sojourn.requested()
    eve.go(f"/requests/{asked['request']}")
    eve.page.get_by_role("button", name="Deny").tap()
    expect(eve.page.get_by_text("denied").first).to_be_visible()


def test_glass_is_broken_with_a_passkey(sojourn: Running, eve: Window, tmp_path: Path) -> None:
    eve.go("/break-glass?target=shop&role=read")
    assert Axe().run(eve.page).violations_count == 0
    eve.page.get_by_label("Why").fill("the shop is down")
    eve.page.get_by_label("Ticket").fill("CHG-7")
    eve.page.get_by_role("button", name="Take the access now").tap()
    eve.page.wait_for_url("**/grants/g-*")
    entries = _pack(sojourn, eve.page.url.rpartition("/")[2], tmp_path / "pack.zip")
    signed = check_signature(_only(entries, "break_glass.used"), _only(entries, "account.passkey_added"))
    assert signed == {
        "action": "break_glass",
        "person": "eve",
        "subject": "target/shop",
        "role": "read",
        "seconds": "900",
    }


def test_a_change_of_the_policy_and_the_release_of_a_hold_are_signed(sojourn: Running, eve: Window) -> None:
    files = {**sojourn.get("/configuration/files", person="carol")["files"]}
    files["policy.yaml"] = files["policy.yaml"].replace("longest: 4h", "longest: 3h")
    made = sojourn.post("/configuration/changes", {"files": files, "reason": "shorter"}, person="carol")
    eve.go(f"/policy/changes/{made['change']}")
    eve.page.get_by_role("button", name="Approve the change").tap()
    expect(eve.page.get_by_text("it is version 2")).to_be_visible()
    hold = sojourn.post("/holds", {"scope": "person", "name": "alice", "reason": "an inquiry"}, person="carol")["hold"]
    sojourn.post(f"/holds/{hold}/release", person="carol")
    eve.go("/keeping")
    eve.page.get_by_role("button", name="Confirm the release").tap()
    expect(eve.page.get_by_text("Nothing is held.")).to_be_visible()
    added = _only(_stream(sojourn, "account/eve"), "account.passkey_added")
    approved = _only(_stream(sojourn, "changes"), "configuration.approved")
    said = check_signature(approved, added)
    assert said == {
        "action": "change.approve",
        "person": "eve",
        "subject": f"changes/{made['change']}",
        "digest": made["digest"],
    }
    released = _only(_stream(sojourn, "keeping"), "hold.released")
    released["body"]["person"] = released["body"]["confirmed_by"]
    said = check_signature(released, added)
    assert said == {"action": "hold.release", "person": "eve", "subject": f"hold/{hold}"}


def test_somebody_with_both_may_use_the_password_in_its_place(browser: Chromium, sojourn: Running) -> None:
    with _opened(browser, sojourn) as bob:
        bob.authenticator()
        bob.go("/sign-in?next=/me")
        bob.page.get_by_label("Name").fill("bob")
        bob.page.get_by_label("Password").fill(PASSWORD)
        bob.page.get_by_role("button", name="Sign in", exact=True).click()
        bob.page.wait_for_url(lambda url: urlsplit(url).path == "/me")
        assert Axe().run(bob.page).violations_count == 0
        bob.page.get_by_label("What you call it").fill("bob's laptop")
        bob.page.get_by_role("button", name="Add a passkey").click()
        expect(bob.page.get_by_text("bob's laptop", exact=True)).to_be_visible()

        asked = sojourn.requested()
        bob.go(f"/requests/{asked['request']}")
        form = bob.page.locator("form", has=bob.page.get_by_role("button", name="Approve", exact=True))
        form.get_by_text("Confirm with your password").click()
        form.get_by_label("Your password").fill(PASSWORD)
        form.get_by_role("button", name="Approve", exact=True).click()
        expect(bob.page.get_by_text("approved").first).to_be_visible()

        bob.go("/me")
        bob.page.get_by_role("button", name="Remove").click()
        expect(bob.page.get_by_text("bob's laptop", exact=True)).not_to_be_visible()
        assert not bob.wrong


def test_passkeys_are_added_and_removed_but_for_the_last_and_a_new_sign_in_ends_the_old_one(
    browser: Chromium, sojourn: Running
) -> None:
    with _opened(browser, sojourn) as finn:
        finn.authenticator()
        _set_up(sojourn, finn, "finn")
        finn.go("/me")
        finn.page.get_by_label("What you call it").fill("a second one")
        finn.page.get_by_role("button", name="Add a passkey").click()
        expect(finn.page.get_by_text("on this device already")).to_be_visible()
        finn.authenticator("usb")
        finn.page.get_by_role("button", name="Add a passkey").click()
        expect(finn.page.get_by_text("a second one", exact=True)).to_be_visible()
        finn.page.get_by_role("button", name="Remove the passkey the first one").click()
        expect(finn.page.get_by_text("the first one", exact=True)).not_to_be_visible()
        finn.page.get_by_role("button", name="Remove").click()
        expect(finn.page.get_by_text("could not sign in any more")).to_be_visible()
        (old,) = [one["value"] for one in finn.page.context.cookies() if one["name"] == COOKIE]
        finn.go("/sign-in?anew=yes&next=/me")
        finn.page.get_by_role("button", name="Sign in with a passkey").click()
        finn.page.wait_for_url(lambda url: urlsplit(url).path == "/me")
        (new,) = [one["value"] for one in finn.page.context.cookies() if one["name"] == COOKIE]
    kept = [Browser(address=sojourn.installation.address, cookie=one).get("/").status_code for one in (old, new)]
    assert kept == [303, 200]


def test_what_no_passkey_answers_is_said_and_changes_nothing(browser: Chromium, sojourn: Running) -> None:
    with _opened(browser, sojourn) as nobody:
        nobody.authenticator()
        nobody.go("/sign-in")
        nobody.page.get_by_role("button", name="Sign in with a passkey").click()
        expect(nobody.page.get_by_role("alert")).to_contain_text("No passkey has answered")
        nobody.go("/enrol?person=finn#code=wrong")
        nobody.page.get_by_role("button", name="Set up with a passkey").click()
        expect(nobody.page.get_by_role("alert")).to_contain_text("invitation")
