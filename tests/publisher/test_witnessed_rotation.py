"""A witness follows a change of the signing key: it never has to be asked twice, and never loses its memory by it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx2

from sojourn.app.rotating import finish, rotate
from sojourn.errors import SojournError
from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger import note as notes
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.note import SigningKey, Verifier
from sojourn.settings import Layout
from sojourn.testing.witness import WitnessHere
from sojourn.vault.files import write_private
from sojourn.witness.layout import add_log

from .test_compromised import OLD_NAME, installation, policy_of, size_of, verify, witness, work

__all__ = ["witness"]


def key_in(path: Path) -> str:
    return path.read_text().strip()


def signed_by(note: str, vkey: str) -> bool:
    try:
        checkpoints.open(note, Verifier.parse(vkey))
    except LedgerError:
        return False
    return True


async def complaint(layout: Layout) -> str:
    try:
        await asyncio.to_thread(finish, layout, print)
    except SojournError as error:
        return str(error)
    return ""


async def test_a_witness_cosigns_before_during_and_after_a_change_of_keys_and_refuses_the_old_key_another_history(
    tmp_path: Path,
    witness: WitnessHere,
) -> None:
    layout = installation(tmp_path / "data", OLD_NAME)
    layout.witness_policy.write_text(policy_of(witness))
    await work(layout, 40, witness)
    old, before = key_in(layout.verifier_key), size_of(layout.cosigned)
    stolen = SigningKey.parse((layout.keys / "signing.key").read_text())

    new = rotate(layout).new.vkey()
    await work(layout, 10, None)
    assert "what the old key has signed" in await complaint(layout), "the witness was not told of the new key yet"
    add_log(witness.layout, Verifier.parse(new))
    await work(layout, 10, witness)
    during = layout.cosigned.read_text()
    assert signed_by(during, old) and signed_by(during, new) and signed_by(witness.latest(), new)
    assert await complaint(layout) == ""

    write_private(witness.layout.logs, f"{new}\n".encode())
    await work(layout, 10, witness)
    after = layout.cosigned.read_text()
    assert size_of(layout.cosigned) > checkpoints.parse(notes.split(during)[0]).size > before
    assert signed_by(after, new) and not signed_by(after, old)
    policy = tmp_path / "policy"
    policy.write_text(policy_of(witness))
    for key in (old, new):
        assert verify(layout.root / "public", "--key", key, "--policy", policy)["ok"], "from either root of trust"

    text = checkpoints.Checkpoint(origin=OLD_NAME, size=before, root=bytes(32)).format()
    posted = f"old {before}\n\n{notes.sign(text, [stolen])}".encode()
    assert post(witness, posted) == 403, "the old key is nobody's any more"
    add_log(witness.layout, Verifier.parse(old))
    assert post(witness, posted) == 409, "and even where it is still known, it signs no second history"
    assert list(witness.layout.evidence.iterdir()), "which is kept as evidence"


def post(witness: WitnessHere, body: bytes) -> int:
    return httpx2.post(f"{witness.url}/add-checkpoint", content=body, timeout=10).status_code
