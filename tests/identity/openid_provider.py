"""A real OpenID provider, written and certified by others (npm: oidc-provider), and a browser to use it with."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

import httpx2

VERSION = "9.13.3"
SECRET = "a secret of at least thirty-two letters"
START_SECONDS = 60
SCRIPT = Path(__file__).with_name("provider.mjs")
BIN = Path(sys.executable).parent


@dataclass(frozen=True, slots=True)
class RunningProvider:
    """The provider at `issuer`."""

    issuer: str

    def at_the_browser(self, sub: str, **claims: Any) -> None:
        """Whoever signs in from here on is this account; with "" nobody lets themselves be signed in."""
        httpx2.post(f"{self.issuer}/as", json={"sub": sub, **claims}, timeout=START_SECONDS).raise_for_status()

    def workload_token(self, audience: str, **claims: Any) -> str:
        """A token about the client `pipeline`, for an audience, as a platform gives one to what runs on it."""
        self.at_the_browser("pipeline", **claims)
        asked = {"grant_type": "client_credentials", "client_id": "pipeline", "client_secret": SECRET}
        sent = {**asked, "resource": audience}
        answered = httpx2.post(f"{self.issuer}/token", data=sent, timeout=START_SECONDS).raise_for_status()
        return str(answered.json()["access_token"])

    def walk(self, address: str) -> str:
        """Go to the provider with a fresh browser, and give where it sends the browser back to."""
        with httpx2.Client(timeout=START_SECONDS) as browser:
            for _ in range(10):
                answered = browser.get(address)
                address = str(answered.next_request.url) if answered.next_request is not None else ""
                assert address, answered.text
                if not address.startswith(self.issuer):
                    return address
        raise AssertionError("the provider sends the browser round and round")

    def enter(self, address: str, user_code: str) -> str:
        """Do what a person does whose device shows this code; gives the last page."""
        with httpx2.Client(timeout=START_SECONDS, follow_redirects=True) as browser:
            page = browser.get(address).text
            page = browser.post(address, data={**_hidden(page), "user_code": user_code}).text
            if "confirm" in page:
                page = browser.post(address, data={**_hidden(page), "user_code": user_code, "confirm": "yes"}).text
            return page


def _hidden(page: str) -> dict[str, str]:
    found = {}
    for field in re.findall(r"<input[^>]*hidden[^>]*>", page):
        name, value = (re.search(rf'{part}="([^"]*)"', field) for part in ("name", "value"))
        if name is not None:
            found[name[1]] = unescape(value[1]) if value is not None else ""
    return found


@contextmanager
def provider(*arguments: str) -> Iterator[RunningProvider]:
    """A provider on a free port while the context lasts; with "userinfo" its ID tokens tell next to nothing."""
    place = _installed()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [str(BIN / "node"), str(place / SCRIPT.name), str(port), SECRET, *arguments]
    # The program that the wheel installs starts the real one: both are ended, as one group.
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "up\n", "the provider does not start"
            yield RunningProvider(f"http://127.0.0.1:{port}")
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def _installed() -> Path:
    """Where the provider lies with our script beside it; fetched once, by one process at a time."""
    place = Path(tempfile.gettempdir()) / f"sojourn-oidc-provider-{VERSION}"
    with place.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / "node_modules" / "oidc-provider" / "package.json").exists():
            place.mkdir(exist_ok=True)
            npm = [str(BIN / "npm")]
            fetch = [*npm, "install", f"oidc-provider@{VERSION}", "--prefix", str(place), "--ignore-scripts"]
            subprocess.run([*fetch, "--no-audit", "--no-fund"], check=True, capture_output=True, timeout=300)
        shutil.copy(SCRIPT, place / SCRIPT.name)
    return place
