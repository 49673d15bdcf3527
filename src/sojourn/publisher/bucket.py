"""A bucket with Object Lock in COMPLIANCE mode (S3): what is put there can be read by many and altered by nobody.

- Every object is put under a lock, and only if there is none of its name (`If-None-Match: *`).
- An object that is there already has to be the same, byte for byte; another one is a fork, and an alarm.
- After each put the object is read back by its version: its bytes, the mode of its lock, and its end.
- Nothing is ever deleted or overwritten, so the credentials need no right to do either.

Every call blocks for at most about a minute and raises SojournError: `publication.unreachable` when the bucket does not
answer or does not let us, `publication.conflict` when it holds something else, or does not lock.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sojourn.errors import Code, SojournError
from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger.checkpoint import Checkpoint
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.note import Verifier
from sojourn.settings import BucketSettings

from .folder import conflict

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef

CHECKPOINTS = "checkpoints/"
DIGITS = 16
"""Sizes are below 2**53; with leading zeros their names sort as they do."""

CONNECT_SECONDS = 5
READ_SECONDS = 20
CONNECTIONS = 8
SLACK = timedelta(minutes=1)
"""Servers may round the end of a lock."""

NEVER = datetime.min.replace(tzinfo=UTC)
EXISTS = ("PreconditionFailed", "412")


def connect(settings: BucketSettings) -> S3Client:
    """A client with the credentials that boto3 finds (environment, profile, instance role).

    Raises SojournError `tool.missing` when boto3 is not installed.
    """
    try:
        import boto3
        from botocore.config import Config
    except ImportError as error:
        remedy = "Install it with `pip install 'sojourn[s3]'`: a bucket is in the settings."
        raise SojournError(Code.TOOL_MISSING, tool="boto3", remedy=remedy) from error
    configuration = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"total_max_attempts": 2, "mode": "standard"},
        max_pool_connections=CONNECTIONS,
        s3={"addressing_style": "path"} if settings.endpoint else {},
    )
    return boto3.client(
        "s3",
        endpoint_url=settings.endpoint or None,
        region_name=settings.region or None,
        config=configuration,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """One ledger's objects in a bucket; their names all begin with the prefix of the settings."""

    client: S3Client
    settings: BucketSettings
    clock: Callable[[], datetime]

    @property
    def place(self) -> str:
        """What the bucket is called on record."""
        return f"bucket:{self.settings.bucket}/{self.settings.prefix}"

    def check_lockable(self) -> None:
        """Refuse a bucket that was made without Object Lock."""
        with self.answering():
            found = self._lock_enabled()
        if not found:
            raise conflict(self.place, "it was made without Object Lock, so everything in it can be altered")

    def _lock_enabled(self) -> bool:
        from botocore.exceptions import ClientError

        try:
            answer = self.client.get_object_lock_configuration(Bucket=self.settings.bucket)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ObjectLockConfigurationNotFoundError":
                return False
            raise
        return answer["ObjectLockConfiguration"].get("ObjectLockEnabled") == "Enabled"

    def put(self, path: str, content: bytes, days: int) -> None:
        """Put an object under a lock of so many days; if it is there already, lock it for at least as long."""
        until = self.clock() + timedelta(days=days)
        with self.answering():
            version = self._create(path, content, until)
            held = self._get(path, version)
            if held["Body"].read() != content:
                raise conflict(self.place, f"{path} is there with other content")
            if version is None and _locked_until(held) < until - SLACK:
                self.client.put_object_retention(
                    Bucket=self.settings.bucket,
                    Key=self.settings.prefix + path,
                    VersionId=held["VersionId"],
                    Retention={"Mode": "COMPLIANCE", "RetainUntilDate": until},
                )
                held = self._get(path, held["VersionId"])
                held["Body"].close()
        if _locked_until(held) < until - SLACK:
            raise conflict(self.place, f"{path} was not locked as it was asked for")

    def _create(self, path: str, content: bytes, until: datetime) -> str | None:
        """Put an object if there is none; gives its version, or None if there is one."""
        from botocore.exceptions import ClientError

        try:
            answer = self.client.put_object(
                Bucket=self.settings.bucket,
                Key=self.settings.prefix + path,
                Body=content,
                IfNoneMatch="*",
                ObjectLockMode="COMPLIANCE",
                ObjectLockRetainUntilDate=until,
                ContentType="application/octet-stream",
            )
        except ClientError as error:
            if error.response["Error"]["Code"] in EXISTS:
                return None
            raise
        return answer.get("VersionId", "null")

    def _get(self, path: str, version: str | None) -> GetObjectOutputTypeDef:
        """An object's version, or the current one."""
        name, key = self.settings.bucket, self.settings.prefix + path
        if version is None:
            return self.client.get_object(Bucket=name, Key=key)
        return self.client.get_object(Bucket=name, Key=key, VersionId=version)

    def newest(self, verifier: Verifier, near: int = 0) -> Checkpoint | None:
        """The largest checkpoint that the bucket holds, also if somebody has put a delete marker over it.

        It takes few calls when that is `near` the size that is given. A name that cannot be read, or a checkpoint that
        is not ours, is a conflict.
        """
        with self.answering():
            low, high = self._bounds(near)
            if low is None:
                return None
            while low < high:
                middle = (low + high) // 2
                found = self._next_checkpoint(middle)
                low, high = (low, middle) if found is None else (found, high)
            return self._checkpoint(low, verifier)

    def _bounds(self, near: int) -> tuple[int | None, int]:
        """The size of a checkpoint, and one that none is above; steps away from `near` in growing strides."""
        step, low = 1, self._next_checkpoint(near - 1)
        if low is not None:
            while (found := self._next_checkpoint(low + step - 1)) is not None:
                low, step = found, step * 2
            return low, low + step - 1
        below = near - 1
        while low is None and below >= 0:
            below = max(-1, near - 1 - step)
            low, step = self._next_checkpoint(below), step * 2
        return low, near - 1

    def _next_checkpoint(self, size: int) -> int | None:
        """The size of the first checkpoint above `size`, versions and delete markers alike."""
        folder = self.settings.prefix + CHECKPOINTS
        after = folder if size < 0 else f"{folder}{size:0{DIGITS}}"
        answer = self.client.list_object_versions(
            Bucket=self.settings.bucket, Prefix=folder, KeyMarker=after, MaxKeys=1
        )
        keys = [one["Key"] for one in (*answer.get("Versions", ()), *answer.get("DeleteMarkers", ()))]
        if not keys:
            return None
        name = keys[0].removeprefix(folder)
        if not (len(name) == DIGITS and name.isascii() and name.isdecimal()):
            raise conflict(self.place, f"{CHECKPOINTS}{name[:40]!a} is no checkpoint")
        return int(name)

    def _checkpoint(self, size: int, verifier: Verifier) -> Checkpoint:
        path = checkpoint_path(size)
        key = self.settings.prefix + path
        answer = self.client.list_object_versions(Bucket=self.settings.bucket, Prefix=key)
        problem, found = "it was removed", set[Checkpoint]()
        for version in answer.get("Versions", ()):
            try:
                head = checkpoints.open(self._get(path, version["VersionId"])["Body"].read().decode(), verifier)
            except (LedgerError, UnicodeDecodeError) as error:
                problem = str(error).rstrip(".")
                continue
            problem = f"it is one of {head.size} entries"
            found.update({head} if head.size == size else ())
        if len(found) > 1:
            raise conflict(self.place, f"two different histories of {size} entries are signed")
        if not found:
            raise conflict(self.place, f"{path} is no checkpoint of this ledger ({problem})")
        return found.pop()

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Turn what boto3 raises into `publication.unreachable`."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            yield
        except (BotoCoreError, ClientError, OSError) as error:
            problem = str(error).rstrip(".")
            raise SojournError(Code.PUBLICATION_UNREACHABLE, place=self.place, problem=problem) from error


def _locked_until(held: GetObjectOutputTypeDef) -> datetime:
    """The end of a lock that nobody can take off; the beginning of time if there is none."""
    locked = held.get("ObjectLockMode") == "COMPLIANCE"
    return held.get("ObjectLockRetainUntilDate", NEVER) if locked else NEVER


def checkpoint_path(size: int) -> str:
    """Where the checkpoint of a size lies."""
    return f"{CHECKPOINTS}{size:0{DIGITS}}"


def cosigned_path(size: int, note: bytes) -> str:
    """Where a cosigned checkpoint of a size lies. Its content is in the name: witnesses may sign a size again."""
    return f"cosigned/{size:0{DIGITS}}-{hashlib.sha256(note).hexdigest()[:DIGITS]}"


def rotation_path(size: int) -> str:
    """Where the change of keys after so many entries lies."""
    return f"rotations/{size:0{DIGITS}}"


def tail_path(first: int, last: int) -> str:
    """Where the entries `first` to `last` lie that are in no full bundle yet."""
    return f"tail/{first:0{DIGITS}}-{last:0{DIGITS}}"
