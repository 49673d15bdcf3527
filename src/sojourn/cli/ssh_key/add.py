"""sojourn ssh-key add: register a public key of yours."""

from __future__ import annotations

from pathlib import Path

from sojourn.cli.client import call
from sojourn.cli.common import Common
from sojourn.cli.output import print_json, print_line
from sojourn.errors import Code, SojournError


def add(file: Path, *, common: Common | None = None) -> None:
    """Register a public key, also of a FIDO device (sk-), so that it opens the gateway without a certificate.

    Example: sojourn ssh-key add ~/.ssh/id_ed25519_sk.pub

    Parameters
    ----------
    file
        The file with the public key, which ends in .pub.
    """
    common = common or Common()
    try:
        public = file.expanduser().read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        expected = "the file of a public key, which ends in .pub"
        raise SojournError(Code.INPUT_INVALID, problem=f"{file} cannot be read", expected=expected) from error
    answered = call(common, "POST", "/ssh-keys", {"public_key": public, "register_key": True})
    if common.json:
        print_json(answered)
        return
    print_line(f"{answered['fingerprint']} opens the gateway until {answered['expires_at']} ({answered['token']}).")
