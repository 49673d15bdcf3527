"""`sojourn doctor worm` on a server that enforces Object Lock, on a bucket without, and with credentials too weak."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sojourn.domain.events import WormVerdict
from sojourn.domain.identifiers import PUBLICATION
from sojourn.publisher.bucket import Bucket
from sojourn.publisher.worm import CONTROL, examine
from sojourn.scribe.client import ScribeClient
from sojourn.settings import BucketSettings, Layout
from sojourn.testing.bucket import ACCESS_KEY, SECRET_KEY, ObjectStore

from .test_process import installation, process

ALTERING = (
    "shorten its lock",
    "shorten its lock, bypassing governance",
    "downgrade its lock to GOVERNANCE",
    "downgrade its lock, bypassing governance",
    "take its lock off",
    "overwrite it",
    "suspend versioning",
    "remove the bucket's lock configuration",
    "delete it (a delete marker)",
    "delete the version",
    "delete the version, bypassing governance",
    "delete the version among several",
)


def doctor(root: Path, *more: str) -> tuple[int, str]:
    keys = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY, "AWS_DEFAULT_REGION": "us-east-1"}
    command = [sys.executable, "-m", "sojourn", "doctor", "worm", "--data", str(root), *more]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, env={**os.environ, **keys})
    return ended.returncode, ended.stdout + ended.stderr


def choose(root: Path, store: ObjectStore, bucket: str) -> None:
    s3 = f"{{bucket: {bucket}, prefix: doctor/, endpoint: '{store.endpoint}'}}"
    (root / "config" / "settings.yaml").write_text(f"publisher: {{s3: {s3}}}\n")


async def test_a_bucket_that_locks_withstands_every_try_and_the_result_is_on_record(
    tmp_path: Path, store: ObjectStore
) -> None:
    root = installation(tmp_path / "data")
    choose(root, store, "worm")
    with process(root, "scribe"):
        async with ScribeClient(Layout(root=root).scribe_socket) as ledger:
            await ledger.connected(30)
            code, said = doctor(root, "--json")
            assert code == 0, said
            found = json.loads(said)
            assert found["verdict"] == "worm"
            held = {one["name"]: one["held"] for one in found["tries"]}
            assert set(ALTERING) < set(held)
            assert all(held.values())
            recorded = (await ledger.stream(PUBLICATION))[-1]
            assert recorded.seq == found["seq"]
            assert recorded.event.kind == "publication.worm_examined"
    client = store.client()
    assert client.get_bucket_versioning(Bucket="worm")["Status"] == "Enabled"
    assert (
        client.get_object_lock_configuration(Bucket="worm")["ObjectLockConfiguration"]["ObjectLockEnabled"] == "Enabled"
    )
    left = client.list_object_versions(Bucket="worm", Prefix="doctor/")
    assert [one["Key"] for one in left["Versions"]] == [found["canary"]], "nothing but the locked canary stays"
    assert not left.get("DeleteMarkers")


def test_a_bucket_without_object_lock_is_not_worm_and_is_left_as_it_was(tmp_path: Path, store: ObjectStore) -> None:
    root = installation(tmp_path / "data")
    choose(root, store, "plain")
    code, said = doctor(root)
    assert code == 1
    assert "NOT WORM" in said
    assert "Not on record: nothing is running." in said
    for line in ("put an object under a lock", "suspend versioning", "delete the version", "find it as it was"):
        assert [one for one in said.splitlines() if one.startswith(line) and " FAILED " in one], (line, said)
    assert "Status" not in store.client().get_bucket_versioning(Bucket="plain")


def test_without_a_bucket_in_the_settings_it_says_so(tmp_path: Path) -> None:
    code, said = doctor(installation(tmp_path / "data"))
    assert code == 2
    assert "publisher.s3.bucket" in said


@dataclass(slots=True)
class Lying:
    """Hands every call on to a real client, save those that a test answers itself."""

    client: Any
    answers: dict[str, Any]

    def __getattr__(self, name: str) -> Any:
        return self.answers.get(name) or getattr(self.client, name)


@contextmanager
def weakened(store: ObjectStore, **answers: Any) -> Iterator[Bucket]:
    """The bucket that locks, seen through a store that answers some calls in its own way."""
    settings = BucketSettings(bucket="worm", prefix="weak/", endpoint=store.endpoint)
    lying: Any = Lying(store.client(), answers)
    yield Bucket(client=lying, settings=settings, clock=lambda: datetime.now(UTC))


def test_credentials_that_may_delete_nothing_prove_nothing(store: ObjectStore) -> None:
    from botocore.exceptions import ClientError

    def denied(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "DeleteObject")

    with weakened(store, delete_object=denied) as bucket:
        found = examine(bucket, "canary/denied")
    assert found.verdict is WormVerdict.UNPROVEN
    assert [one.name for one in found.tries if not one.held] == [CONTROL]


def test_a_store_that_takes_a_lock_and_forgets_it_is_not_worm(store: ObjectStore) -> None:
    client = store.client()

    def put_object(**given: Any) -> Any:
        return client.put_object(**{name: value for name, value in given.items() if not name.startswith("ObjectLock")})

    with weakened(store, put_object=put_object) as bucket:
        found = examine(bucket, "canary/forgotten")
    assert found.verdict is WormVerdict.NOT_WORM
    assert "read its lock back" in {one.name for one in found.tries if not one.held}
