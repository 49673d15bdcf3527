"""Which settings are held by the record, and which are a machine's own.

- A machine's own are those that are needed before the record can be read, and where it listens: all of `scribe`, and
  the addresses and ports. The file of that machine says them, at each start.
- All others are held: what is on record counts, whatever the file says, and a change of them takes two people. None of
  them is ever secret; what is secret lies in files that they name.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import msgspec

from sojourn.domain.duration import format_duration
from sojourn.domain.policy.difference import Difference, Kind
from sojourn.settings import ScribeSettings, Settings

OWN: Mapping[str, tuple[str, ...]] = {
    "gateway": ("host", "port", "ssh_port", "public_host"),
    "control": ("host", "port"),
    "scribe": tuple(field.name for field in dataclasses.fields(ScribeSettings)),
}
"""The settings of each section that are a machine's own."""

HEAD = "# What is in force by the record. A machine's own settings are not in here: the file of each machine says them."
Place = tuple[str, ...]

_encoder = msgspec.json.Encoder(order="sorted")
_decoder = msgspec.json.Decoder(Settings)


def held(settings: Settings) -> Settings:
    """The same settings with the defaults in the place of the machine's own."""
    return with_own_of(Settings(), settings)


def with_own_of(machine: Settings, on_record: Settings) -> Settings:
    """What counts on a machine: its own settings, and of all others those that are on record."""
    sections = {
        section: dataclasses.replace(
            getattr(on_record, section), **{name: getattr(getattr(machine, section), name) for name in names}
        )
        for section, names in OWN.items()
    }
    return dataclasses.replace(on_record, **sections)


def settings_bytes(settings: Settings) -> bytes:
    """The held settings as canonical JSON: what their digest covers, and what is attached to their adoption."""
    return _encoder.encode(held(settings))


def settings_digest(settings: Settings) -> str:
    """SHA-256 (hex) of `settings_bytes`."""
    return hashlib.sha256(settings_bytes(settings)).hexdigest()


def parse_held(content: bytes) -> Settings:
    """The settings that `settings_bytes` wrote, in this release or an earlier one. Raises ValueError."""
    try:
        return held(_decoder.decode(content))
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from error


def holds_witnesses(content: bytes) -> bool:
    """Whether what `settings_bytes` wrote says which witnesses are asked; earlier releases did not."""
    return "policy" in msgspec.json.decode(content, type=dict[str, dict[str, Any]]).get("witness", {})


def compare_settings(before: Settings, after: Settings) -> tuple[Difference, ...]:
    """Every held setting that differs, by name, with both values as the file would say them."""
    return tuple(
        Difference(
            person="",
            kind=Kind.CHANGES if old and new else Kind.GAINS if new else Kind.LOSES,
            what=f"setting {'.'.join(place)}",
            before=(old,) if old else (),
            after=(new,) if new else (),
        )
        for place, old, new in _differing(before, after)
    )


def rendered(settings: Settings) -> str:
    """The held settings as a settings.yaml that says what differs from the defaults."""
    tree: dict[str, Any] = {}
    for (*sections, name), _, value in _differing(Settings(), settings):
        inner = tree
        for section in sections:
            inner = inner.setdefault(section, {})
        inner[name] = value
    return "\n".join((HEAD, *_lines(tree, 0))) + "\n"


def _lines(tree: Mapping[str, Any], depth: int) -> Iterator[str]:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield f"{'  ' * depth}{name}:"
            yield from _lines(value, depth + 1)
        else:
            yield f"{'  ' * depth}{name}: {value}"


def _differing(before: Settings, after: Settings) -> Iterator[tuple[Place, str, str]]:
    """What differs: its sections and its name, and both values as YAML; "" where there is no such thing."""
    sides = [dict(_said((), dataclasses.asdict(held(one)))) for one in (before, after)]
    for place in sorted({*sides[0], *sides[1]}):
        old, new = (side.get(place, "") for side in sides)
        if old != new:
            yield place, old, new


def _said(place: Place, value: object) -> Iterator[tuple[Place, str]]:
    """Each plain setting by its sections and its name, as YAML."""
    match value:
        case dict():
            for name, inner in value.items():
                yield from _said((*place, name), inner)
        case (str(), *_):
            yield place, f"[{', '.join(map(_plain, value))}]"
        case tuple():
            for named in value:
                yield from _said((*place, named.pop("name")), named)
        case _:
            yield place, _plain(value)


def _plain(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case float():
            return f"{value:.3f}".rstrip("0").rstrip(".")
        case timedelta():
            return format_duration(value)
        case int():
            return str(value)
        case _:
            return msgspec.json.encode(str(value)).decode()
