"""Pictures of the pages, from a real installation in a real browser: `python scripts/screenshots.py [DIRECTORY]`.

Needs to be root and Debian, as the browser and an SSH host are installed where they are not there. Pictures that the
documentation shows are few and small: they are written with few colours.
"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image

from sojourn.demo.production import production
from sojourn.testing.browser import signed_in
from sojourn.testing.chromium import chromium, window
from sojourn.testing.filled import Filled, filled

COLOURS = 64
PASSWORD = "correct horse battery staple"  # noqa: S105 - of a database that lasts a minute


def _pages(found: Filled) -> tuple[tuple[str, str, str, bool, bool], ...]:
    """Name of a picture, who looks at which page, whether on a phone, whether in the dark."""
    session, shell = f"/sessions/{found.closed_session}", f"/sessions/{found.shell_session}/screen"
    asked = found.running.requested(role="fix-status", duration="30m", reason="INC-2041: order 17 was paid twice")
    return (
        ("home", "alice", "/", False, False),
        ("decide-on-a-phone", "bob", f"/requests/{asked['request']}", True, True),
        ("session", "dora", session, False, False),
        ("statement", "dora", session + "/actions/2", False, False),
        ("replay", "dora", shell, False, True),
        ("watch", "carol", f"/sessions/{found.open_session}", False, False),
        ("ledger", "dora", "/ledger", False, False),
        ("overview", "carol", "/overview", False, False),
    )


def main() -> int:
    """Write all pictures."""
    out = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/pictures")
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place, tempfile.TemporaryDirectory() as data:
        for one in (place, data):
            Path(one).chmod(0o755)
        with (
            production(Path(data) / "pg", password=PASSWORD) as server,
            filled(Path(place) / "one", server) as found,
            chromium() as browser,
        ):
            address = found.running.installation.address
            cookies = {person: signed_in(found.running, person).cookie for person in ("alice", "bob", "carol", "dora")}
            for name, person, path, phone, dark in _pages(found):
                with window(browser, address, cookie=cookies[person], phone=phone, dark=dark) as one:
                    one.go(path)
                    one.page.wait_for_timeout(2500)
                    _write(out / f"{name}.png", one.page.screenshot())
    return 0


def _write(path: Path, picture: bytes) -> None:
    with Image.open(io.BytesIO(picture)) as image:
        image.convert("RGB").quantize(COLOURS).save(path, optimize=True)
    sys.stdout.write(f"{path}: {path.stat().st_size} bytes\n")


if __name__ == "__main__":
    sys.exit(main())
