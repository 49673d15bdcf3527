"""A real browser over the pages: Debian's Chromium, driven by Playwright, with a log of all that it asked and said."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser as Chromium
from playwright.sync_api import BrowserContext, ConsoleMessage, Dialog, Page, expect, sync_playwright

from sojourn.web.exchange import COOKIE

from .packages import install

PROGRAM, FONTS = Path("/usr/bin/chromium"), Path("/usr/share/fonts/truetype/dejavu")
FLAGS = (
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
MILLISECONDS = 30_000
DESK = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}


@contextmanager
def chromium() -> Iterator[Chromium]:
    """The browser while the context lasts; it is installed if it is not there."""
    install({"chromium": PROGRAM, "fonts-dejavu-core": FONTS})
    # A machine with a lot to do is given the same time for what is expected as for what is done.
    expect.set_options(timeout=MILLISECONDS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=PROGRAM, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@dataclass(slots=True)
class Window:
    """One person's window. `wrong` is whatever went wrong in it, `elsewhere` what it asked of other hosts.

    `transferred` counts the bytes that came over the wire since it was last set to 0.
    """

    address: str
    page: Page
    wrong: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)
    transferred: int = 0
    going: str = ""

    def go(self, path: str) -> int:
        """Open a page; gives its status. Its own status is nothing wrong, whatever it is."""
        self.transferred, self.going = 0, self.address + path
        answered = self.page.goto(self.going)
        assert answered is not None
        return answered.status

    def said(self, message: ConsoleMessage) -> None:
        """The console has a message."""
        own = message.text.startswith("Failed to load resource") and message.location.get("url") == self.going
        if message.type in ("error", "warning") and not own:
            self.wrong.append(message.text)

    def authenticator(self, transport: str = "internal") -> None:
        """Give the browser an authenticator that keeps passkeys and says yes (WebAuthn level 3, section 11)."""
        wire = self.page.context.new_cdp_session(self.page)
        wire.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": transport,
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        wire.send("WebAuthn.addVirtualAuthenticator", {"options": options})

    def element(self, selector: str) -> Any:
        """What there is in the page."""
        return self.page.locator(selector)


@contextmanager
def window(
    browser: Chromium, address: str, *, cookie: str = "", phone: bool = False, dark: bool = False, zone: str = "UTC"
) -> Iterator[Window]:
    """A window of somebody who holds that session, with nothing stored before."""
    context = browser.new_context(
        viewport=PHONE if phone else DESK,  # type: ignore[arg-type]
        has_touch=phone,
        color_scheme="dark" if dark else "light",
        timezone_id=zone,
        locale="en-GB",
    )
    try:
        if cookie:
            _sign_in(context, address, cookie)
        yield _watched(context, address)
    finally:
        context.close()


def _sign_in(context: BrowserContext, address: str, cookie: str) -> None:
    # A cookie with this prefix is for a secure origin; the browser takes one's own machine for one.
    secure = address.replace("http:", "https:")
    context.add_cookies([{"name": COOKIE, "value": cookie, "url": secure, "secure": True, "httpOnly": True}])


def _watched(context: BrowserContext, address: str) -> Window:
    page = context.new_page()
    page.set_default_timeout(MILLISECONDS)
    found = Window(address=address, page=page)
    own = urlsplit(address).netloc

    def answered(dialog: Dialog) -> None:
        found.wrong.append(f"a dialog: {dialog.message}")
        dialog.dismiss()

    # A bound method would not do: Playwright writes an attribute of its own into what it belongs to.
    page.on("console", lambda message: found.said(message))
    page.on("pageerror", lambda error: found.wrong.append(str(error)))
    page.on("dialog", answered)
    page.on("request", lambda asked: found.elsewhere.append(asked.url) if urlsplit(asked.url).netloc != own else None)

    def counted(event: dict[str, Any]) -> None:
        found.transferred += int(event["encodedDataLength"])

    wire = context.new_cdp_session(page)
    wire.send("Network.enable")
    wire.on("Network.loadingFinished", counted)
    return found
