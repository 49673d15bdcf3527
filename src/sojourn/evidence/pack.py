"""An evidence pack: everything on record about one access in one ZIP that verifies offline.

The same material gives the same bytes: fixed times, fixed order, canonical JSON. The layout is described in
docs/reference/evidence-pack.md.
"""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import Mapping

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined

from sojourn.ledger.proof import Proof

from .escape import visible
from .material import Material
from .story import Story, tell

FORMAT = "sojourn-evidence-pack/1"
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


def build_pack(material: Material) -> bytes:
    """The pack as a ZIP."""
    files = _files(material)
    manifest = {
        "format": FORMAT,
        "origin": material.checkpoint.split("\n", 1)[0],
        "subject": f"grant/{material.grant}",
        "files": {
            path: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for path, content in files.items()
        },
    }
    return _zip({**files, "manifest.json": _canonical(manifest)})


def _files(material: Material) -> dict[str, bytes]:
    story = tell(material)
    files = {
        "checkpoint": material.checkpoint.encode(),
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
        "grant.json": _canonical(story),
        "index.html": page(story, material.checkpoint).encode(),
    }
    for seq, data in material.raw.items():
        proof = Proof(index=seq, hashes=material.proofs[seq], checkpoint_note=material.checkpoint)
        files[f"entries/{seq:012d}.json"] = data
        files[f"proofs/{seq:012d}.tlog-proof"] = proof.format().encode()
    for sha256, content in material.attachments.items():
        files[f"attachments/{sha256}"] = content
    return files


def page(story: Story, checkpoint: str) -> str:
    """The story as one page of HTML that needs nothing else."""
    environment = Environment(
        loader=PackageLoader("sojourn.evidence"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    environment.filters["visible"] = visible
    environment.filters["visible_block"] = lambda text: visible(text, keep_lines=True)
    return environment.get_template("pack.html").render(story=story, checkpoint=checkpoint)


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
