"""What a witness decides: it never cosigns two histories, whatever it is shown, in whatever order."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger.checkpoint import Checkpoint
from sojourn.ledger.note import SigningKey
from sojourn.ledger.submission import Submission, submit
from sojourn.testing.log import LOG_KEY, MemoryLog
from sojourn.witness.judging import Contradiction, Cosign, Refuse, judge

LOG = MemoryLog().grow(40)
FORK = MemoryLog(history="b", forked_at=5).grow(40)
KEYS = (LOG_KEY.verifier(),)


def decide(submission: Submission, held: int | None = None, cosigned: tuple[int, ...] = ()) -> Cosign | Refuse:
    """Judge with what LOG showed before: `held` is the newest size, `cosigned` the earlier ones."""
    roots = {size: LOG.checkpoint(size).root for size in cosigned}
    return judge(
        submission,
        verifiers=KEYS,
        held=None if held is None else LOG.checkpoint(held),
        root_at=roots.get,
    )


def refused(decision: Cosign | Refuse) -> tuple[int, int | None, Contradiction | None]:
    assert isinstance(decision, Refuse) and decision.reason
    return decision.status, decision.known_size, decision.contradiction


def show(log: MemoryLog, old: int, new: int) -> Submission:
    return submit(log.note(new), old=old, proof=log.proof(old, new))


def test_a_first_checkpoint_of_any_size_is_cosigned() -> None:
    for size in (0, 1, 7, 40):
        assert decide(submit(LOG.note(size), old=0, proof=())) == Cosign()


@given(st.integers(0, 40), st.integers(0, 40))
def test_what_extends_the_newest_is_cosigned(one: int, other: int) -> None:
    old, new = sorted((one, other))
    assert decide(show(LOG, old, new), held=old) == Cosign()


def test_an_unknown_log_is_not_found() -> None:
    assert refused(judge(show(LOG, 0, 3), verifiers=(), held=None, root_at=lambda _: None))[0] == HTTPStatus.NOT_FOUND


def test_a_checkpoint_that_the_log_did_not_sign_is_forbidden_and_no_evidence() -> None:
    forger = MemoryLog(key=SigningKey.generate(LOG_KEY.name, bytes(32)), history="b").grow(9)
    assert refused(decide(show(forger, 3, 9), held=3)) == (HTTPStatus.FORBIDDEN, None, None)
    broken = replace(show(LOG, 3, 9), note=LOG.note(9)[:-6] + "AAA=\n")
    assert refused(decide(broken, held=3)) == (HTTPStatus.FORBIDDEN, None, None)


def test_either_key_of_a_log_whose_key_is_being_changed_will_do() -> None:
    new_key = SigningKey.generate(LOG_KEY.name, bytes([9]) * 32)
    later = MemoryLog(key=new_key).grow(9)
    both = (LOG_KEY.verifier(), new_key.verifier())
    assert judge(show(later, 3, 9), verifiers=both, held=LOG.checkpoint(3), root_at=lambda _: None) == Cosign()


def test_an_old_size_above_the_checkpoint_is_malformed() -> None:
    assert refused(decide(submit(LOG.note(3), old=5, proof=()), held=3))[0] == HTTPStatus.BAD_REQUEST


@pytest.mark.parametrize("old", [0, 2, 4, 9])
def test_a_stale_view_is_told_the_known_size(old: int) -> None:
    assert refused(decide(show(LOG, old, 9), held=3)) == (HTTPStatus.CONFLICT, 3, None)


def test_a_proof_that_does_not_hold_is_unprocessable_and_evidence() -> None:
    assert refused(decide(submit(LOG.note(9), old=3, proof=()), held=3))[::2] == (422, Contradiction.INCONSISTENT)
    assert refused(decide(show(FORK, 7, 9), held=7))[::2] == (422, Contradiction.INCONSISTENT)


def test_a_proof_from_nothing_has_to_be_empty_and_is_a_mistake_of_form() -> None:
    submission = submit(LOG.note(9), old=0, proof=LOG.proof(3, 9))
    assert refused(decide(submission)) == (HTTPStatus.UNPROCESSABLE_ENTITY, None, None)


def test_another_root_for_the_newest_size_is_a_fork() -> None:
    assert refused(decide(submit(FORK.note(9), old=9, proof=()), held=9)) == (
        HTTPStatus.CONFLICT,
        9,
        Contradiction.FORK,
    )
    assert refused(decide(show(FORK, 5, 9), held=9)) == (HTTPStatus.CONFLICT, 9, Contradiction.FORK)


def test_another_root_for_an_earlier_size_is_a_fork() -> None:
    assert refused(decide(show(FORK, 5, 7), held=9, cosigned=(7,))) == (HTTPStatus.CONFLICT, 9, Contradiction.FORK)
    # A log that was rolled back and says so itself, by naming the size that the witness knows.
    assert refused(decide(submit(FORK.note(7), old=9, proof=()), held=9, cosigned=(7,)))[::2] == (
        400,
        Contradiction.FORK,
    )


def test_a_smaller_checkpoint_that_was_never_cosigned_is_a_rollback_to_be_explained() -> None:
    assert refused(decide(show(LOG, 3, 6), held=9)) == (HTTPStatus.CONFLICT, 9, Contradiction.ROLLBACK)


def test_a_repetition_of_what_was_cosigned_is_evidence_of_nothing() -> None:
    assert refused(decide(show(LOG, 3, 6), held=9, cosigned=(3, 6))) == (HTTPStatus.CONFLICT, 9, None)
    assert decide(submit(LOG.note(9), old=9, proof=()), held=9) == Cosign()
    assert refused(decide(submit(LOG.note(0), old=0, proof=()), held=9)) == (HTTPStatus.CONFLICT, 9, None)


def test_an_empty_tree_with_another_root_is_a_fork_of_nothing() -> None:
    note = checkpoints.sign(Checkpoint(origin=LOG_KEY.name, size=0, root=bytes(32)), LOG_KEY)
    assert refused(decide(submit(note, old=0, proof=())))[2] is Contradiction.FORK


Step = tuple[bool, int, int]


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 20), st.integers(0, 20)), max_size=30))
def test_whatever_is_shown_in_whatever_order_only_one_history_is_cosigned(steps: list[Step]) -> None:
    logs = {False: MemoryLog(history="a"), True: MemoryLog(history="b", forked_at=3)}
    held: Checkpoint | None = None
    roots: dict[int, bytes] = {}
    for other, one, two in steps:
        old, new = sorted((one, two))
        submission = show(logs[other], old, new)
        decision = judge(submission, verifiers=KEYS, held=held, root_at=roots.get)
        if isinstance(decision, Cosign):
            assert held is None or submission.checkpoint.size >= held.size
            held = submission.checkpoint
            roots[held.size] = held.root
    histories = [all(log.checkpoint(size).root == root for size, root in roots.items()) for log in logs.values()]
    assert any(histories)
