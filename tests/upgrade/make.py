"""Makes what a release leaves behind, once: `python -m tests.upgrade.make 0.1.0`. What is made is never made again.

A configuration, and a ledger in SQLite written by a real scribe, with accesses in every state that has something to
come: one live, one live and extended, one ended and not removed, one being made, one approved and not begun, one asked.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

from sojourn.configuration.catalogue import read_catalogue
from sojourn.configuration.examples import write_examples
from sojourn.domain.grant import Grant
from sojourn.domain.identifiers import PersonId, RoleName, TargetName
from sojourn.domain.request import Request
from sojourn.scribe.client import ScribeClient
from sojourn.testing.scribe import ScribeProcess
from sojourn.testing.sealer import FixedSealer
from sojourn.workflow.activate import activate
from sojourn.workflow.adopt import adopt
from sojourn.workflow.approve import approve
from sojourn.workflow.extend import extend
from sojourn.workflow.ports import Office
from sojourn.workflow.provision import confirm_provisioned
from sojourn.workflow.revoke import revoke
from sojourn.workflow.submit import submit

ALICE, BOB, CAROL = PersonId("alice"), PersonId("bob"), PersonId("carol")
SHOP, READ = TargetName("shop"), RoleName("read")
KEPT = ("ledger.db", "checkpoint", "acknowledged", "ledger.vkey")


class WallClock:
    """The real time."""

    def now(self) -> datetime:
        """The present moment."""
        return datetime.now(UTC)


async def _asked(office: Office) -> Request:
    request = await submit(
        office, person=ALICE, target=SHOP, role=READ, duration=timedelta(minutes=30), reason="x", source="t"
    )
    assert isinstance(request, Request), request
    return request


async def _approved(office: Office) -> Request:
    request = await _asked(office)
    approved = await approve(office, request=request.id, person=BOB, digest=request.submitted.digest, source="t")
    assert isinstance(approved, Request), approved
    return approved


async def _begun(office: Office) -> Grant:
    grant = await activate(office, request=(await _approved(office)).id, person=ALICE, source="t")
    assert isinstance(grant, Grant), grant
    return grant


async def _live(office: Office) -> Grant:
    sealer = FixedSealer(key="k-gateway", recipient="gateway")
    grant = await confirm_provisioned(
        office, grant=(await _begun(office)).id, observed=["SELECT on shop"], secret=b"password", sealer=sealer
    )
    assert isinstance(grant, Grant), grant
    return grant


async def _work(client: ScribeClient, config: Path) -> None:
    catalogue, files = read_catalogue(config)
    adopted = await adopt(client, catalogue=catalogue, files=files, operator="operator")
    ids = count(1)
    office = Office(
        ledger=client,
        sealer=FixedSealer(key="k-evidence", recipient="evidence"),
        clock=WallClock(),
        new_id=lambda prefix: f"{prefix}-{next(ids):010d}",
        in_force=lambda: adopted,
    )
    await _live(office)
    longer = await _live(office)
    more = await extend(office, grant=longer.id, person=ALICE, duration=timedelta(minutes=15), reason="x", source="t")
    assert isinstance(more, Request), more
    await approve(office, request=more.id, person=BOB, digest=more.submitted.digest, source="t")
    await revoke(office, grant=(await _live(office)).id, person=CAROL, source="t")
    await _begun(office)
    await _approved(office)
    await _asked(office)


async def _make(root: Path) -> None:
    write_examples(root / "config")
    scribe = ScribeProcess(root)
    scribe.start()
    async with ScribeClient(scribe.layout.scribe_socket) as client:
        await client.connected(20)
        await _work(client, root / "config")
        size = await client.size()
    code, said = await asyncio.to_thread(scribe.stop)
    assert code == 0, said
    (root / "made.json").write_text(json.dumps({"size": size, "at": datetime.now(UTC).isoformat()}) + "\n")


def main() -> None:
    """Make it beside this file, under the name of the release."""
    (release,) = sys.argv[1:]
    place = Path(__file__).parent / "releases" / release
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        asyncio.run(_make(root))
        print(sorted(one.name for one in root.iterdir()))
        place.mkdir(parents=True)
        for name in (*KEPT, "made.json"):
            if (root / name).exists():
                shutil.copy(root / name, place / name)
        shutil.copytree(root / "config", place / "config")


if __name__ == "__main__":
    main()
