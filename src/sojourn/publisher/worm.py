"""Is it really written once and read many times? Tries every way to get at a locked object, and tells what happened.

A canary is put under a COMPLIANCE lock of one day and then attacked. A refusal is what one wants to see; an answer of
"done" counts as held only if the canary is still there as it was. What a try changed in the bucket is put back.

A refusal proves nothing when the credentials may not delete at all. So an object without a lock is deleted first, as a
control: if even that is refused, the verdict is *unproven*.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sojourn.domain.events import WormTry, WormVerdict

from .bucket import Bucket
from .worm_attacks import ATTACKS, Attack, Canary

LOCK = timedelta(days=1)
CONTENT = b"This object is locked. sojourn doctor worm tries to alter it.\n"
ANSWER_LENGTH_MAX = 200
CONTROL = "delete an object that is not locked (control)"
PUT = "put an object under a lock"
READ_LOCK = "read its lock back"
FOUND = "find it as it was"


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """What came of it. `canary` is the object's name in the bucket."""

    canary: str
    verdict: WormVerdict
    tries: tuple[WormTry, ...]


def examine(bucket: Bucket, name: str) -> Examination:
    """Try to alter a locked object called `name`, which nobody has used before.

    Raises SojournError `publication.unreachable` when nothing can be put into the bucket at all.
    """
    with bucket.answering():
        canary, tries = _place_canary(bucket, name)
        control = _control(bucket, f"{name}-control")
        tries.append(control)
        tries.extend(_attacked(canary, attack) for attack in ATTACKS)
        lost = canary.problem()
        tries.append(WormTry(name=FOUND, held=not lost, answer=lost or "the same bytes under the same lock"))
        _clear_away(canary)
    return Examination(canary=canary.key, verdict=_verdict(tries, control), tries=tuple(tries))


def _verdict(tries: list[WormTry], control: WormTry) -> WormVerdict:
    if not all(one.held for one in tries if one is not control):
        return WormVerdict.NOT_WORM
    return WormVerdict.WORM if control.held else WormVerdict.UNPROVEN


def _place_canary(bucket: Bucket, name: str) -> tuple[Canary, list[WormTry]]:
    """Put the canary; without a lock if the bucket takes none."""
    until = (bucket.clock() + LOCK).replace(microsecond=0)
    where: dict[str, Any] = {"Bucket": bucket.settings.bucket, "Key": f"{bucket.settings.prefix}{name}"}
    versions: list[str] = []

    def put(**lock: Any) -> None:
        versions.append(bucket.client.put_object(**where, Body=CONTENT, **lock).get("VersionId", "null"))

    answer, done = _try(lambda: put(ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=until))
    tries = [WormTry(name=PUT, held=done, answer="done" if done else answer)]
    if not done:
        put()
    canary = Canary(client=bucket.client, where=where, version=versions[-1], content=CONTENT, until=until)
    problem = canary.lock_problem()
    tries.append(WormTry(name=READ_LOCK, held=not problem, answer=problem or "COMPLIANCE, as it was asked for"))
    return canary, tries


def _attacked(canary: Canary, attack: Attack) -> WormTry:
    open_already = attack.open_already(canary)
    if open_already:
        return WormTry(name=attack.name, held=False, answer=f"not needed: {open_already}")
    undo = attack.prepare(canary)
    answer, done = _try(lambda: attack.run(canary))
    if not done:
        return WormTry(name=attack.name, held=True, answer=answer)
    changed = attack.effect(canary)
    if changed:
        undo()
    return WormTry(name=attack.name, held=not changed, answer=changed or "allowed; the locked version is as it was")


def _clear_away(canary: Canary) -> None:
    """Remove what the tries have put over the canary: other versions and delete markers."""
    from botocore.exceptions import ClientError

    answer = canary.client.list_object_versions(Bucket=canary.bucket, Prefix=canary.key)
    for one in (*answer.get("Versions", ()), *answer.get("DeleteMarkers", ())):
        if one["VersionId"] != canary.version:
            with suppress(ClientError):
                canary.client.delete_object(**canary.where, VersionId=one["VersionId"])


def _control(bucket: Bucket, name: str) -> WormTry:
    where: dict[str, Any] = {"Bucket": bucket.settings.bucket, "Key": f"{bucket.settings.prefix}{name}"}

    def put_and_delete() -> None:
        version = bucket.client.put_object(**where, Body=b"not locked").get("VersionId", "null")
        bucket.client.delete_object(**where, VersionId=version)

    answer, done = _try(put_and_delete)
    said = "done: what is refused below is refused by the lock" if done else f"{answer}: so a refusal proves little"
    return WormTry(name=CONTROL, held=done, answer=said)


def _try(attack: Callable[[], object]) -> tuple[str, bool]:
    """What the store answered, and whether it did what it was asked for."""
    from botocore.exceptions import ClientError

    try:
        attack()
    except ClientError as error:
        told = error.response["Error"]
        return f"refused ({told['Code']})"[:ANSWER_LENGTH_MAX], False
    return "DONE", True
