"""The pages in a real browser: every page of the table, and what each kind of person comes for."""

from __future__ import annotations

import re
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from sojourn.demo.production import Production
from sojourn.testing.browser import signed_in
from sojourn.testing.chromium import Window, chromium, window
from sojourn.testing.filled import HOSTILE, Filled, connected, filled, until
from sojourn.testing.keyboard import walk
from sojourn.web.api.endpoints import ADMINISTRATOR, AUDITOR, OPEN, OVERSIGHT
from sojourn.web.pages.table import PAGES

PAINT_BYTES_MAX = 100_000
VIEWERS = {OPEN: "", OVERSIGHT: "dora", ADMINISTRATOR: "carol", AUDITOR: "dora"}
"""Who looks at a page; alice at all others."""

INJECTED = """document.querySelectorAll(
    "script:not([src]), img:not([src^='/static/']), [onerror], [onload], [style], iframe, object, b"
).length"""
"""Elements that no page of ours has, and that what is typed into this installation tries to be."""

ENDS = "[...document.querySelectorAll('.left')].map((one) => getComputedStyle(one, '::after').content)"
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
LOOKS = [(one.path, VIEWERS.get(one.permission, "alice")) for one in PAGES if one.method == "GET"]


@pytest.fixture(scope="module")
def found(production: Production) -> Iterator[Filled]:
    """An installation in which something has happened everywhere."""
    with tempfile.TemporaryDirectory(prefix="sojourn-filled-") as place:
        Path(place).chmod(0o755)
        with filled(Path(place), production) as one:
            yield one


@pytest.fixture(scope="module")
def windows(found: Filled) -> Iterator[Mapping[tuple[str, str], Window]]:
    """Everybody's windows: at a desk in light, and on a phone in the dark."""
    address = found.running.installation.address
    with chromium() as browser, ExitStack() as stack:
        opened: dict[tuple[str, str], Window] = {}
        for person in ("", "alice", "bob", "carol", "dora"):
            cookie = signed_in(found.running, person).cookie if person else ""
            for size in ("desk", "phone"):
                phone = size == "phone"
                zone = "Asia/Kolkata" if phone else "UTC"
                made = window(browser, address, cookie=cookie, phone=phone, dark=phone, zone=zone)
                opened[person, size] = stack.enter_context(made)
        yield opened


@pytest.fixture(autouse=True)
def nothing_goes_wrong(windows: Mapping[tuple[str, str], Window]) -> Iterator[None]:
    """Whatever a test does: no script fails, nothing is blocked, no dialog opens, nothing is asked elsewhere."""
    for one in windows.values():
        one.wrong.clear()
    yield
    for who, one in windows.items():
        assert not one.wrong, who
        assert not one.elsewhere, who


def _path(path: str, found: Filled) -> str:
    """An address with names in it of things that there are."""
    names = {
        "/requests/": found.request,
        "/grants/": found.grant,
        "/people/": "alice",
        "/targets/": "shop",
        "/reviews/": found.reviewed,
        "/campaigns/": found.campaign,
        "/policy/changes/": found.change,
        "/sessions/": found.shell_session if path.endswith("/screen") else found.closed_session,
    }
    name = next((name for room, name in names.items() if path.startswith(room)), "nothing")
    asked = path.replace("{name}", name).replace("{number}", "3")
    return asked + ("?target=shop&role=read" if path == "/ask" else "")


@pytest.mark.parametrize("size", ["desk", "phone"])
@pytest.mark.parametrize(("path", "person"), LOOKS, ids=[path for path, _ in LOOKS])
def test_a_page_is_for_everybody_and_asks_nothing_elsewhere(
    windows: Mapping[tuple[str, str], Window], found: Filled, path: str, person: str, size: str
) -> None:
    one = windows[person, size]
    one.go(_path(path, found))
    assert one.transferred <= PAINT_BYTES_MAX
    assert one.page.evaluate(INJECTED) == 0, "something that was typed became part of the page"
    assert one.page.evaluate(WIDER) <= 0, "it stands out at the side"
    results = Axe().run(one.page)
    assert results.violations_count == 0, results.generate_report()
    if size == "desk":
        walk(one.page)


def test_the_first_stop_leads_past_the_rooms_to_the_content(windows: Mapping[tuple[str, str], Window]) -> None:
    dora = windows["dora", "desk"]
    dora.go("/targets")
    skip = dora.page.get_by_role("link", name="Skip to the content")
    expect(skip).not_to_be_in_viewport()
    dora.page.keyboard.press("Tab")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    dora.page.keyboard.press("Enter")
    expect(dora.page.locator("main")).to_be_focused()
    dora.page.keyboard.press("Tab")
    expect(dora.page.locator("main a").first).to_be_focused()


PRINTED = {
    "the overview": ("/overview", "details table"),
    "an access": ("/grants/{grant}", "main table"),
    "a session": ("/sessions/{session}", "main table"),
    "a target": ("/targets/shop", ".coverage li"),
}


@pytest.mark.parametrize(("path", "kept"), PRINTED.values(), ids=PRINTED.keys())
def test_paper_has_what_was_found_and_nothing_to_click(
    windows: Mapping[tuple[str, str], Window], found: Filled, path: str, kept: str
) -> None:
    dora = windows["dora", "phone"]
    dora.go(path.format(grant=found.grant, session=found.closed_session))
    dora.page.set_viewport_size({"width": 718, "height": 1000})
    dora.page.emulate_media(media="print")
    try:
        for gone in dora.page.locator("header nav, .me, footer, form, button, .skip").all():
            expect(gone).to_be_hidden()
        assert dora.page.locator(kept).first.evaluate("one => one.getBoundingClientRect().height") > 0
        assert dora.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert dora.page.evaluate("getComputedStyle(document.querySelector('.card, .rows')).color") == "rgb(0, 0, 0)"
        assert dora.page.evaluate(WIDER) <= 0, "it does not fit on the paper"
        for ends in dora.page.evaluate(ENDS):
            assert re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", ends), "how long is left is no use on paper"
    finally:
        dora.page.emulate_media(media="screen", color_scheme="dark")
        dora.page.set_viewport_size({"width": 390, "height": 844})


@pytest.mark.parametrize("size", ["desk", "phone"])
def test_the_rooms_are_beside_a_wide_page_and_above_a_narrow_one(
    windows: Mapping[tuple[str, str], Window], size: str
) -> None:
    one = windows["dora", size]
    one.go("/overview")
    rooms, content = one.element("header nav").bounding_box(), one.element("main").bounding_box()
    beside = rooms["x"] + rooms["width"] <= content["x"]
    assert beside == (size == "desk")
    assert beside or rooms["y"] + rooms["height"] <= content["y"]


def test_a_reviewer_sees_the_riskiest_first_and_why_and_concludes(
    windows: Mapping[tuple[str, str], Window], found: Filled
) -> None:
    dora = windows["dora", "desk"].page
    windows["dora", "desk"].go("/reviews")
    row = dora.locator("tbody tr").first
    expect(row).to_contain_text("2 actions could write")
    row.get_by_role("link").click()
    expect(dora.get_by_role("heading", name="In plain words")).to_be_visible()
    for answer in dora.locator("select[name=answers]").all():
        answer.select_option("yes")
    dora.get_by_label("Outcome").select_option("appropriate")
    dora.get_by_role("textbox", name="Remark").fill(HOSTILE)
    dora.get_by_role("button", name="Conclude the review").click()
    expect(dora.get_by_text("appropriate", exact=True).first).to_be_visible()
    assert dora.evaluate(INJECTED) == 0
    windows["dora", "desk"].go("/reviews")
    expect(dora.get_by_text("Nothing to review.")).to_be_visible()


def test_an_auditor_makes_a_report_sees_how_far_it_is_and_fetches_it(
    windows: Mapping[tuple[str, str], Window], tmp_path: Path
) -> None:
    dora = windows["dora", "desk"].page
    windows["dora", "desk"].go("/reports")
    dora.get_by_label("From").fill("2020-01-01T00:00:00Z")
    dora.get_by_label("Until").fill("2100-01-01T00:00:00Z")
    dora.get_by_role("button", name="Make it").click()
    dora.wait_for_url("**/report-runs/*")
    with dora.expect_download() as download:
        dora.get_by_role("link", name="Fetch it").click(timeout=120_000)
    download.value.save_as(tmp_path / "report.zip")
    with zipfile.ZipFile(tmp_path / "report.zip") as made:
        assert any(name.endswith(".xlsx") for name in made.namelist())


def test_a_change_is_proposed_at_a_desk_and_approved_by_another_on_a_phone_who_sees_who_gains_what(
    windows: Mapping[tuple[str, str], Window],
) -> None:
    carol, bob = windows["carol", "desk"].page, windows["bob", "phone"].page
    windows["carol", "desk"].go("/policy/propose")
    policy = carol.get_by_label("policy.yaml")
    policy.fill(policy.input_value().replace("longest: 4h", "longest: 8h", 1))
    carol.get_by_label("Why").fill("nights are long")
    carol.get_by_role("button", name="Propose").click()
    carol.wait_for_url("**/policy/changes/*")
    assert carol.get_by_role("button", name="Approve").count() == 0, "nobody approves what they proposed"

    windows["bob", "phone"].go(urlsplit(carol.url).path)
    expect(bob.get_by_text("nights are long")).to_be_visible()
    expect(bob.get_by_text("alice").first).to_be_visible()
    bob.get_by_role("button", name="Approve").tap()
    expect(bob.get_by_text("it is version 2")).to_be_visible()


def test_an_access_is_asked_for_at_a_desk_and_decided_on_a_phone_with_two_taps(
    windows: Mapping[tuple[str, str], Window], found: Filled
) -> None:
    alice, bob = windows["alice", "desk"], windows["bob", "phone"]
    alice.go("/")
    alice.page.get_by_role("link", name="Ask", exact=True).click()
    alice.page.get_by_role("link", name="Ask for operator").click()
    alice.page.get_by_label("Why").fill("the disk is full")
    alice.page.get_by_role("button", name="Ask").click()
    alice.page.wait_for_url("**/requests/r-*")
    request = alice.page.url.rpartition("/")[2]

    bob.go("/")
    bob.page.locator(f'a[href="/requests/{request}"]').tap()
    expect(bob.page.get_by_text("the disk is full")).to_be_visible()
    bob.page.get_by_role("button", name="Approve", exact=True).tap()
    expect(bob.page.get_by_text("approved").first).to_be_visible()

    alice.page.reload()
    alice.page.get_by_role("button", name="Begin now").click()
    alice.page.wait_for_url("**/grants/g-*")
    expect(alice.page.locator("[data-until]").first).to_contain_text("in ")
    alice.page.get_by_role("button", name="end it now").click()
    expect(alice.page.get_by_text("Read back as gone")).to_be_visible()


def test_a_session_is_watched_while_it_lasts_and_cut(windows: Mapping[tuple[str, str], Window], found: Filled) -> None:
    running = found.running
    grant = running.granted(role="fix-status")["grant"]
    with connected(running, role="fix-status") as client:
        client.execute("select 1")
        (session, *_) = until(lambda: running.get(f"/sessions?grant={grant}", person="alice")["sessions"])
        carol = windows["carol", "desk"]
        carol.go(f"/sessions/{session['session']}")
        expect(carol.page.get_by_role("status")).to_have_text("New actions appear here as they happen.")
        client.execute("update shop.orders set status = 'packed' where id = -1")
        row = carol.page.locator('tr[data-number="2"]')
        expect(row).to_contain_text("shop.orders")
        expect(row).to_contain_text("completed")
        expect(row).to_contain_text("may write")
        carol.page.get_by_role("button", name="Revoke now").click()
        carol.page.wait_for_url("**/grants/g-*")
        expect(carol.page.get_by_text("revoked by carol")).to_be_visible()


def test_a_recording_is_played_searched_and_stays_behind_the_curtain(
    windows: Mapping[tuple[str, str], Window], found: Filled
) -> None:
    dora = windows["dora", "desk"]
    dora.go(f"/sessions/{found.shell_session}/screen")
    title = dora.page.title()
    screen = dora.page.locator("#screen")
    expect(screen).to_contain_text("deploying 7 changes")
    expect(screen.locator(".fg-2", has_text="ok")).to_be_visible()
    expect(screen).to_contain_text("<b>bold</b>")
    expect(dora.page.locator("#state")).to_have_text("It ended with exit 3.")
    assert dora.page.title() == title
    names = "screen => [...new Set([...screen.querySelectorAll('*')].map(e => e.localName))].sort()"
    assert screen.evaluate(names) == ["div", "span"]
    dora.page.get_by_label("Find what was shown or typed").fill("DEPLOYING 7")
    dora.page.get_by_role("button", name="Find").click()
    dora.page.locator("#found button").first.click()
    expect(screen).to_contain_text("deploying 7 changes")
    screen.press("Home")
    expect(screen).not_to_contain_text("deploying 7 changes")


def test_a_shell_is_seen_while_it_lasts(windows: Mapping[tuple[str, str], Window], found: Filled) -> None:
    dora = windows["dora", "phone"]
    with found.shell() as (session, shell):
        dora.go(f"/sessions/{session}/screen")
        print("echo seen-$((20+3))", file=shell, flush=True)
        expect(dora.page.locator("#screen")).to_contain_text("seen-23")
        print("exit", file=shell, flush=True)
        expect(dora.page.locator("#state")).to_contain_text("It is over")


def test_the_browser_proves_the_ledger_and_remembers_it(
    windows: Mapping[tuple[str, str], Window], found: Filled
) -> None:
    dora = windows["dora", "desk"]
    dora.go("/ledger")
    checks = dora.page.locator("#checks")
    expect(checks).to_have_attribute("data-done", "good")
    found.running.send("GET", "/grants/g-none", person="alice")
    dora.go("/ledger")
    expect(checks).to_contain_text("It only grew since this browser saw it last")
    expect(checks).to_have_attribute("data-done", "good")
    dora.go("/ledger/entries/3")
    expect(checks).to_contain_text("These bytes are in the ledger, at this place.")
    with dora.page.expect_download() as download:
        dora.page.get_by_role("link", name="Download the proof").click()
    assert download.value.suggested_filename == "entry-3.tlog-proof"


FORGED = {
    "another root": "kept.root = btoa('x'.repeat(32))",
    "another size": "kept.size -= 1",
    "a ledger that was longer": "kept.size += 1000000",
    "another key": "kept.key = kept.key.replace(/.$/, '')",
}


@pytest.mark.parametrize("change", FORGED.values(), ids=FORGED.keys())
def test_a_ledger_that_is_not_the_one_that_was_seen_is_not_believed(
    windows: Mapping[tuple[str, str], Window], change: str
) -> None:
    carol = windows["carol", "desk"]
    checks = carol.page.locator("#checks")
    carol.go("/ledger")
    carol.page.evaluate("localStorage.clear()")
    carol.go("/ledger")
    expect(checks).to_have_attribute("data-done", "good")
    carol.page.evaluate(
        f"""() => {{ const name = Object.keys(localStorage)[0]; const kept = JSON.parse(localStorage[name]);
                     {change}; localStorage[name] = JSON.stringify(kept); }}"""
    )
    carol.go("/ledger")
    expect(checks).to_have_attribute("data-done", "bad")
    carol.page.evaluate("localStorage.clear()")
    carol.wrong = [one for one in carol.wrong if "422" not in one]


ALTERED = {
    "a byte of the entry": "hashed[0] ^= 1",
    "another place": "index = 4",
    "a shorter proof": "path.pop()",
    "a longer proof": "path.push(path[0])",
    "no such place": "index = head.size",
}


@pytest.mark.parametrize("change", ALTERED.values(), ids=ALTERED.keys())
def test_an_entry_that_is_not_there_is_not_proven(windows: Mapping[tuple[str, str], Window], change: str) -> None:
    dora = windows["dora", "desk"]
    dora.go("/ledger/entries/3")
    expect(dora.page.locator("#checks")).to_have_attribute("data-done", "good")
    said = dora.page.evaluate(
        f"""async () => {{
            const text = (name) => document.getElementById(name).textContent;
            const head = await proof.open(text("checkpoint"), text("key"));
            const hashed = await proof.leaf(proof.bytes(text("entry")));
            const path = [...document.querySelectorAll("#hashes code")].map((one) => proof.decoded(one.textContent));
            let index = 3;
            {change};
            try {{ await proof.inclusion(hashed, index, head.size, path, head.root); return "proven"; }}
            catch (error) {{ return error.message; }} }}"""
    )
    assert said != "proven"


SHOWN = {
    "a line that is too long": ("abcdefghijklm", "abcdefghij\nklm"),
    "a return": ("hello\rJ", "Jello"),
    "a place": ("\x1b[2;3Hx", "\n  x"),
    "an erased end": ("hello\x1b[3D\x1b[K", "he"),
    "lines that scroll": ("a\r\nb\r\nc\r\nd", "b\nc\nd"),
    "an inserted line": ("a\r\nb\x1b[1;1H\x1b[Lx", "x\na\nb"),
    "deleted letters": ("abcdef\x1b[1;2H\x1b[2P", "adef"),
    "another screen": ("one\x1b[?1049htwo\x1b[?1049l", "one"),
    "a part that scrolls": ("\x1b[1;2ra\r\nb\r\nc", "b\nc"),
    "drawn lines": ("\x1b(0lqk\x1b(B", "┌─┐"),
    "wide letters": ("漢字a", "漢字a"),
    "a sequence without an end": ("ab\x1b[", "ab"),
    "numbers without measure": ("\x1b[999999999Lx\x1b[99999999999b", "x" * 10 + "\n" + "x" * 10 + "\nx"),
    "a tab": ("a\tb", "a       b"),
    "an unknown sequence": ("a\x1b[>4;2mb\x1b[?2026hc", "abc"),
}


@pytest.mark.parametrize("case", SHOWN.values(), ids=SHOWN.keys())
def test_the_terminal_shows_what_a_terminal_shows(
    windows: Mapping[tuple[str, str], Window], found: Filled, case: tuple[str, str]
) -> None:
    said, shown = case
    dora = windows["dora", "desk"]
    if not dora.page.url.endswith("/screen"):
        dora.go(f"/sessions/{found.shell_session}/screen")
    feed = "said => { const one = new Terminal(10, 3); one.feed(said); return one.text(); }"
    pieces = "said => { const one = new Terminal(10, 3); for (const each of said) one.feed(each); return one.text(); }"
    assert dora.page.evaluate(feed, said) == shown
    assert dora.page.evaluate(pieces, said) == shown
