"""Which attachments an entry names."""

from __future__ import annotations

import re

_NAMED = re.compile(rb'sha256":"([0-9a-f]{64})"')
"""A field whose name ends in `sha256`. A quotation mark inside a text is escaped, so no text can look like one."""

_STAMP = b'"kind":"publication.stamped"'

FOLDER = "attachment"
"""Attachments lie at `attachment/<sha256>`: an addition of ours, beside what tlog-tiles defines."""


def candidates(entry: bytes) -> tuple[str, ...]:
    """The hashes (hex) in an entry that may name attachments; some are hashes of things that are kept nowhere."""
    return tuple(found.decode() for found in _NAMED.findall(entry))


def always_candidates(entry: bytes) -> tuple[str, ...]:
    """The same, of entries whose attachments tell nothing that the published log does not: checkpoints with stamps."""
    return candidates(entry) if _STAMP in entry else ()


def attachment_path(sha256: str) -> str:
    """Where an attachment is published."""
    return f"{FOLDER}/{sha256}"
