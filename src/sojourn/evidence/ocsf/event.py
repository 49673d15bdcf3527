"""An OCSF event of an entry: what it is told as, what every event has, the entry itself, and its fingerprint."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import msgspec

from sojourn.domain.history import Recorded

from .classes import Status
from .mapping import milliseconds, told

VERSION = "1.9.0"
SHA256 = 3
"""`algorithm_id` of a fingerprint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Whose record it is (`origin`), and the build that tells it."""

    origin: str
    build: str


def ocsf_event(one: Recorded, raw: bytes, source: Source) -> dict[str, Any]:
    """The event. `raw` is the entry as it lies in the record: it goes along whole, with its hash.

    `attestation.fingerprint` is SHA-256 over the event in canonical JSON (RFC 8785) without the fingerprint, as the
    profile `record_integrity` has it. That the entry is in the record only a proof can show: `metadata.sequence` says
    for which place to ask.
    """
    found = told(one)
    event_class = found.event_class
    event: dict[str, Any] = {
        "activity_id": found.activity,
        "activity_name": event_class.activities.get(found.activity, "Other"),
        "category_uid": event_class.category_uid,
        "category_name": event_class.category,
        "class_uid": event_class.uid,
        "class_name": event_class.name,
        "type_uid": event_class.uid * 100 + found.activity,
        "time": milliseconds(one),
        "severity_id": int(found.severity),
        "status_id": int(found.status),
        "status": Status(found.status).name.capitalize(),
        "message": found.message,
        "metadata": {
            "version": VERSION,
            "uid": f"{source.origin}/{one.seq}",
            "sequence": one.seq,
            "event_code": one.event.kind,
            "log_name": one.stream,
            "original_time": one.at.isoformat(),
            "profiles": ["record_integrity"],
            "product": {"name": "Sojourn", "vendor_name": "Sojourn", "version": source.build},
        },
        "raw_data": raw.decode(),
        "raw_data_hash": {"algorithm_id": SHA256, "algorithm": "SHA-256", "value": hashlib.sha256(raw).hexdigest()},
        **found.attributes,
    }
    optional = {"status_code": found.status_code, "status_detail": found.status_detail, "duration": found.duration}
    event |= {name: value for name, value in optional.items() if value not in ("", None)}
    event["attestation"] = {"uid": event["metadata"]["uid"], "authority_uid": source.origin, "chain_uid": source.origin}
    digest = hashlib.sha256(msgspec.json.encode(event, order="sorted")).hexdigest()
    event["attestation"]["fingerprint"] = {"algorithm_id": SHA256, "algorithm": "SHA-256", "value": digest}
    return event
