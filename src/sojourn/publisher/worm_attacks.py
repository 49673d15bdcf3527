"""The ways to get at a locked object that `worm` tries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

SHORTER = timedelta(hours=23)
SLACK = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Canary:
    """A locked version of an object: `where` is its bucket and key, `until` the end of its lock."""

    client: S3Client
    where: dict[str, Any]
    version: str
    content: bytes
    until: datetime

    @property
    def key(self) -> str:
        """Its name in the bucket."""
        return str(self.where["Key"])

    @property
    def bucket(self) -> str:
        """The bucket that it lies in."""
        return str(self.where["Bucket"])

    @property
    def locked(self) -> dict[str, Any]:
        """The locked version, as arguments of a call."""
        return {**self.where, "VersionId": self.version}

    def problem(self) -> str:
        """What is wrong with the locked version; "" if it is there, the same, under the same lock."""
        from botocore.exceptions import ClientError

        try:
            content = self.client.get_object(**self.locked)["Body"].read()
        except ClientError as error:
            return f"IT IS GONE ({error.response['Error']['Code']})"
        return self.lock_problem() if content == self.content else "IT HAS OTHER CONTENT"

    def lock_problem(self) -> str:
        """What is wrong with its lock; "" if nothing is."""
        held: Any = self.client.head_object(**self.locked)
        mode, end = held.get("ObjectLockMode"), held.get("ObjectLockRetainUntilDate")
        if mode != "COMPLIANCE":
            return f"ITS LOCK IS {mode or 'NONE'}"
        return "ITS LOCK IS SHORTER" if end is None or end < self.until - SLACK else ""

    def versioning_problem(self) -> str:
        """What is wrong with the bucket's versioning; "" if it keeps versions."""
        status = self.client.get_bucket_versioning(Bucket=self.bucket).get("Status", "off")
        return "" if status == "Enabled" else f"VERSIONING IS {status.upper()}"

    def lock_configuration(self) -> dict[str, Any]:
        """How the bucket locks; empty if it does not."""
        from botocore.exceptions import ClientError

        try:
            answer = self.client.get_object_lock_configuration(Bucket=self.bucket)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ObjectLockConfigurationNotFoundError":
                return {}
            raise
        return dict(answer["ObjectLockConfiguration"])

    def configuration_problem(self) -> str:
        """What is wrong with the bucket's lock configuration; "" if it locks."""
        return "" if self.lock_configuration().get("ObjectLockEnabled") == "Enabled" else "OBJECT LOCK IS OFF"


def _nothing(canary: Canary) -> Callable[[], object]:
    """For what cannot be put back."""
    return lambda: None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """One way: what it does, and what it changed (in words, "" for nothing).

    `open_already` says, in words, that the door stands open without it. `prepare` gives what puts things back.
    """

    name: str
    run: Callable[[Canary], object]
    effect: Callable[[Canary], str] = Canary.problem
    open_already: Callable[[Canary], str] = lambda _: ""
    prepare: Callable[[Canary], Callable[[], object]] = _nothing


def _delete_many(canary: Canary) -> None:
    """Some stores have a second way to delete, with checks of its own; it answers for each object apart."""
    from botocore.exceptions import ClientError

    named = {"Objects": [{"Key": canary.key, "VersionId": canary.version}]}
    answer = canary.client.delete_objects(Bucket=canary.bucket, Delete=named, BypassGovernanceRetention=True)  # type: ignore[arg-type]
    for error in answer.get("Errors", ()):
        told = {"Error": {"Code": error.get("Code", ""), "Message": error.get("Message", "")}}
        raise ClientError(told, "DeleteObjects")  # type: ignore[arg-type]


def _retention(canary: Canary, mode: str, end: datetime, *, bypass: bool = False) -> None:
    held: Any = {"Mode": mode, "RetainUntilDate": end}
    canary.client.put_object_retention(**canary.locked, Retention=held, BypassGovernanceRetention=bypass)


def _overwrite(canary: Canary) -> None:
    canary.client.put_object(**canary.where, Body=b"something else")


def _suspend(canary: Canary) -> None:
    canary.client.put_bucket_versioning(Bucket=canary.bucket, VersioningConfiguration={"Status": "Suspended"})


def _keep_versions(canary: Canary) -> Callable[[], object]:
    return lambda: canary.client.put_bucket_versioning(
        Bucket=canary.bucket, VersioningConfiguration={"Status": "Enabled"}
    )


def _unlock_bucket(canary: Canary) -> None:
    canary.client.put_object_lock_configuration(Bucket=canary.bucket, ObjectLockConfiguration={})


def _lock_bucket(canary: Canary) -> Callable[[], object]:
    before: Any = canary.lock_configuration()
    return lambda: canary.client.put_object_lock_configuration(Bucket=canary.bucket, ObjectLockConfiguration=before)


ATTACKS = (
    Attack(name="shorten its lock", run=lambda one: _retention(one, "COMPLIANCE", one.until - SHORTER)),
    Attack(
        name="shorten its lock, bypassing governance",
        run=lambda one: _retention(one, "COMPLIANCE", one.until - SHORTER, bypass=True),
    ),
    Attack(name="downgrade its lock to GOVERNANCE", run=lambda one: _retention(one, "GOVERNANCE", one.until)),
    Attack(
        name="downgrade its lock, bypassing governance",
        run=lambda one: _retention(one, "GOVERNANCE", one.until, bypass=True),
    ),
    Attack(
        name="take its lock off",
        run=lambda one: one.client.put_object_retention(**one.locked, Retention={}, BypassGovernanceRetention=True),
    ),
    Attack(name="overwrite it", run=_overwrite),
    Attack(
        name="suspend versioning",
        run=_suspend,
        effect=Canary.versioning_problem,
        open_already=Canary.versioning_problem,
        prepare=_keep_versions,
    ),
    Attack(
        name="remove the bucket's lock configuration",
        run=_unlock_bucket,
        effect=Canary.configuration_problem,
        open_already=Canary.configuration_problem,
        prepare=_lock_bucket,
    ),
    Attack(name="delete it (a delete marker)", run=lambda one: one.client.delete_object(**one.where)),
    Attack(name="delete the version", run=lambda one: one.client.delete_object(**one.locked)),
    Attack(
        name="delete the version, bypassing governance",
        run=lambda one: one.client.delete_object(**one.locked, BypassGovernanceRetention=True),
    ),
    Attack(name="delete the version among several", run=_delete_many),
)
"""In this order: what alters the lock before what removes the object, so that one that works does not hide another."""
