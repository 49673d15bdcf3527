"""Entries of the record as OCSF events (Open Cybersecurity Schema Framework 1.9), for a SIEM.

The mapping is written down in docs/reference/ocsf.md.
"""

from __future__ import annotations

from .event import Source, ocsf_event

__all__ = ["Source", "ocsf_event"]
