"""An evidence pack: everything on record about one access in one ZIP that verifies offline.

The same material gives the same bytes: fixed times, fixed order, canonical JSON. The layout is described in
docs/reference/evidence-pack.md.
"""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import Iterator, Mapping

import msgspec

from sojourn.domain.events import ConfigurationAdopted
from sojourn.ledger.proof import Proof

from .forms.pages import page, walk_through
from .forms.printed import can_print, printed
from .forms.workbook import workbook
from .material import Material
from .story import tell

FORMAT = "sojourn-evidence-pack/1"
TEMPLATE = "2"
"""Of pages, print, workbook and `grant.json`. Raised with every change of what a value means."""

REDACTIONS = (
    "Credentials, tokens and passwords are sealed to the gateway alone and are in no pack.",
    "What was shredded is shown as (shredded); its tombstone says under which rule.",
)
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


def build_pack(material: Material, *, confined: bool = False) -> bytes:
    """The pack as a ZIP. Whoever is `confined` to some targets is given no file that is about others as well.

    Such files are those of whole configurations. What they say of this access stands in the story, and their hashes in
    the entries, so that whoever is shown one of them later can tell that it is the one.
    """
    return bind(
        _files(material, confined=confined),
        subject=f"grant/{material.grant}" if material.grant else f"request/{material.request}",
        checkpoint=material.checkpoint,
        rotations=material.rotations,
    )


def bind(files: Mapping[str, bytes], *, subject: str, checkpoint: str, rotations: str) -> bytes:
    """These files about the stream `subject`, with the checkpoint, the changes of keys that lead to who signed it, and
    the manifest that lists them, as a ZIP.
    """
    whole = {**files, "checkpoint": checkpoint.encode()}
    if rotations:
        whole["rotations"] = rotations.encode()
    manifest = {
        "format": FORMAT,
        "origin": checkpoint.split("\n", 1)[0],
        "subject": subject,
        "files": {
            path: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for path, content in whole.items()
        },
    }
    return _zip({**whole, "manifest.json": _canonical(manifest)})


def entry_files(raw: Mapping[int, bytes], proofs: Mapping[int, tuple[bytes, ...]], checkpoint: str) -> dict[str, bytes]:
    """Each entry and its proof, under the names that a verifier looks for."""
    files = {}
    for seq, data in raw.items():
        proof = Proof(index=seq, hashes=proofs[seq], checkpoint_note=checkpoint)
        files[f"entries/{seq:012d}.json"] = data
        files[f"proofs/{seq:012d}.tlog-proof"] = proof.format().encode()
    return files


def _files(material: Material, *, confined: bool) -> dict[str, bytes]:
    story = tell(material)
    redactions = [*REDACTIONS, *(_left_out(material) if confined else ())]
    story["package"] = {
        "template": TEMPLATE,
        "build": material.build,
        "forms": _forms(),
        "attached": not confined,
        "redactions": redactions,
    }
    canonical = _canonical(story)
    files = {
        "disclosed.json": _canonical(
            [
                {
                    "commitment": one.commitment,
                    "salt": one.salt.hex(),
                    "value": base64.b64encode(one.value).decode(),
                }
                for _, one in sorted(material.disclosed.items())
            ]
        ),
        "grant.json": canonical,
        "index.html": page(story, material.checkpoint).encode(),
        "walk-through.html": walk_through(story).encode(),
        "pack.xlsx": workbook(story, as_of=material.as_of),
    }
    if can_print():
        files["pack.pdf"] = printed(story, canonical, as_of=material.as_of)
    files |= entry_files(material.raw, material.proofs, material.checkpoint)
    for sha256, content in () if confined else material.attachments.items():
        files[f"attachments/{sha256}"] = content
    return files


def _left_out(material: Material) -> Iterator[str]:
    """A line for each file of a configuration that is not in the pack."""
    told: dict[str, str] = {}
    for one in material.entries:
        if isinstance(one.event, ConfigurationAdopted):
            named = [("catalogue", one.event.catalogue_sha256), ("settings", one.event.settings_sha256)]
            for name, sha256 in (*named, *((file.name, file.sha256) for file in one.event.files)):
                told.setdefault(sha256, f"{name} of configuration {one.version}")
    for sha256, name in told.items():
        if sha256 in material.attachments:
            yield f"{name} is left out, for it is about more than this auditor's targets. Its SHA-256 is {sha256}."


def _forms() -> list[str]:
    """What the story is told in; the print takes the extra `pdf`."""
    return ["html", "json", "xlsx", *(["pdf"] if can_print() else [])]


def _canonical(value: object) -> bytes:
    return msgspec.json.encode(value, order="sorted")


def _zip(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for path in sorted(files):
            info = zipfile.ZipInfo(path, _ZIP_TIME)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, files[path])
    return buffer.getvalue()
