"""The witnesses of an installation, wired: those that the settings name, and what they have seen before a start."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from sojourn.configuration import WITNESS_POLICY_FILE, parse_policy, policy_bytes
from sojourn.errors import Code, SojournError
from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger.checkpoint import Checkpoint
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.note import Verifier
from sojourn.ledger.policy import Policy, Witness
from sojourn.publisher.asking import Asked, http_client, place_of
from sojourn.publisher.files import Files
from sojourn.publisher.tasks import Task
from sojourn.publisher.witnesses import Witnessing, adopt_policy
from sojourn.settings import Layout, Settings
from sojourn.vault.files import write_private

START_SECONDS = 2.0
"""How long a start waits for witnesses: one that hangs must not keep production closed."""

COSIGNED = "cosigned"
"""The newest cosigned checkpoint in the published folder: an addition of ours, beside what tlog-tiles defines."""


def witness_policy(settings: Settings) -> Policy | None:
    """The policy that settings say; None where there is none. Raises SojournError `witness.policy_invalid`."""
    try:
        return parse_policy(settings.witness.policy)
    except LedgerError as error:
        raise _invalid(str(error)) from error


def witness_tasks(layout: Layout, settings: Settings, verifier: Verifier, files: Files | None) -> tuple[Task, ...]:
    """The tasks of the publisher's process that have to do with witnesses.

    Raises SojournError `witness.policy_invalid`, also when the policy names logs and this ledger is not one of them.
    """
    policy = witness_policy(settings)
    adopt = partial(adopt_policy, data=policy_bytes(settings.witness.policy))
    if policy is None or not policy.witnesses:
        return (adopt,)
    if policy.logs and verifier not in [log.verifier for log in policy.logs]:
        raise _invalid(f"it names other logs than this one, whose key is {verifier.vkey()}")
    witnessing = Witnessing(
        policy=policy, open_http=http_client, keep=partial(_keep, layout, files), kept=_kept(layout)
    )
    return (adopt, witnessing.run)


Reader = Callable[[], Checkpoint | None]


def witness_readers(settings: Settings, verifier: Verifier) -> tuple[tuple[str, Reader], ...]:
    """Each witness by its place, and how it is asked what it has seen of this ledger. A reader blocks for two seconds
    at most, and raises SojournError `publication.unreachable` when there is no answer.
    """
    policy = witness_policy(settings)
    seconds = min(START_SECONDS, settings.witness.answer_seconds)
    witnesses = policy.witnesses if policy else ()
    return tuple((place_of(one), partial(_ask, one, verifier, seconds)) for one in witnesses)


def _ask(witness: Witness, verifier: Verifier, seconds: float) -> Checkpoint | None:
    async def ask() -> Checkpoint | None:
        async with http_client() as http:
            return await Asked(witness=witness, http=http, seconds=seconds).latest(verifier)

    return asyncio.run(ask())


def cosigned_note(layout: Layout) -> str:
    """The newest checkpoint of this ledger that the quorum has cosigned, cosignatures and all; "" if there is none."""
    try:
        note = _kept(layout)
        checkpoints.open(note, Verifier.parse(layout.verifier_key.read_text().strip()))
    except (OSError, LedgerError):
        return ""
    return note


def read_cosigned(layout: Layout, verifier: Verifier) -> Checkpoint | None:
    """The newest checkpoint that witnesses are known to have cosigned; None if there is none of this ledger."""
    try:
        return checkpoints.open(_kept(layout), verifier)
    except LedgerError:
        return None


def _keep(layout: Layout, files: Files | None, note: str) -> None:
    """Keep a cosigned checkpoint for ourselves, and publish it. Raises OSError."""
    write_private(layout.cosigned, note.encode())
    if files is not None:
        published = Files(root=files.root, has_room=files.has_room)
        published.write(COSIGNED, note.encode())
        published.settle()


def _kept(layout: Layout) -> str:
    try:
        return layout.cosigned.read_text()
    except (OSError, UnicodeDecodeError):
        return ""


def _invalid(problem: str) -> SojournError:
    return SojournError(Code.WITNESS_POLICY_INVALID, path=WITNESS_POLICY_FILE, problem=problem.rstrip("."))
