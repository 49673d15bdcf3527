"""The time-stamping authority of an installation, wired."""

from __future__ import annotations

from functools import partial

from cryptography import x509

from sojourn.configuration import fingerprint
from sojourn.errors import Code, SojournError
from sojourn.publisher.asking import http_client
from sojourn.publisher.files import Files
from sojourn.publisher.tasks import Task
from sojourn.publisher.timestamps import Stamping
from sojourn.publisher.token import TokenError, ask_for, read_roots
from sojourn.settings import Layout, Settings

STAMPED, TOKEN = "stamped", "stamped.tsr"
"""The newest stamped checkpoint and its token in the published folder: an addition of ours."""


def timestamp_tasks(layout: Layout, settings: Settings, files: Files | None) -> tuple[Task, ...]:
    """What the settings ask the publisher's process to do about time stamps.

    Raises SojournError `settings.invalid` when there is no usable root, or `tool.missing`.
    """
    if not settings.timestamp.url:
        return ()
    # Says at the start that the package is missing, and not an hour later.
    ask_for(b"sojourn")
    pem, roots = read_timestamp_roots(layout, settings)
    stamping = Stamping(
        url=settings.timestamp.url,
        root_pem=pem,
        roots=roots,
        open_http=http_client,
        keep=partial(_keep, files),
    )
    return (stamping.run,)


def read_timestamp_roots(layout: Layout, settings: Settings) -> tuple[bytes, tuple[x509.Certificate, ...]]:
    """The file with the certificates that tokens lead to. Raises SojournError `settings.invalid`."""
    path = layout.configuration / settings.timestamp.root
    try:
        pem = path.read_bytes()
        roots = read_roots(pem)
    except (OSError, TokenError) as error:
        problem = f"{path} cannot be used: {getattr(error, 'strerror', None) or error}"
        expected = "a file with the authority's root certificate (PEM) in the configuration folder"
        raise SojournError(Code.SETTINGS_INVALID, name="timestamp.root", problem=problem, expected=expected) from error
    approved = settings.timestamp.root_sha256
    if fingerprint(pem) != approved:
        problem = f"{path} holds other certificates than those that are in force"
        expected = f"those of the fingerprint {approved!r}, or a change that two administrators make"
        raise SojournError(Code.SETTINGS_INVALID, name="timestamp.root", problem=problem, expected=expected)
    return pem, roots


def _keep(files: Files | None, note: bytes, token: bytes) -> None:
    """Put the newest pair beside the published ledger. Raises OSError."""
    if files is not None:
        published = Files(root=files.root, has_room=files.has_room)
        published.write(STAMPED, note)
        published.write(TOKEN, token)
        published.settle()
