"""The two entries of an action are encoded without an event; every byte is what the codec would have written."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sojourn.domain.events import ActionCompleted, ActionIntended, Outcome
from sojourn.domain.identifiers import SessionId, session_stream
from sojourn.domain.sealed import Sealing, SealingKey
from sojourn.gateway import entries
from sojourn.gateway.entries import Intention, Result
from sojourn.scribe import codec

NUMBERS = st.integers(0, 2**53 - 1)
WORDS = st.text(max_size=40)
KEYS = st.builds(SealingKey, key=WORDS, subject=WORDS, recipient=WORDS, wrapped=st.binary(max_size=8))
SEALINGS = st.builds(Sealing, WORDS, st.binary(max_size=8), KEYS)
INTENTIONS = st.builds(Intention, WORDS, WORDS, st.booleans(), st.lists(WORDS).map(tuple), st.binary(max_size=8))
RESULTS = st.builds(
    Result,
    st.sampled_from(Outcome),
    st.lists(WORDS).map(tuple),
    WORDS,
    NUMBERS,
    NUMBERS,
    NUMBERS,
    NUMBERS,
    st.binary(max_size=8),
)


@given(name=WORDS, number=NUMBERS, intention=INTENTIONS, sealing=SEALINGS)
def test_an_intent_is_what_the_codec_says_of_its_event(
    name: str, number: int, intention: Intention, sealing: Sealing
) -> None:
    session = SessionId(name)
    event = ActionIntended(
        session=session,
        number=number,
        protocol=intention.protocol,
        verb=intention.verb,
        may_write=intention.may_write,
        objects=intention.objects,
        detail=sealing.sealed,
    )
    draft = entries.intended(session_stream(session), session, number, intention, sealing)
    assert draft == entries.drafted(session_stream(session), event)
    assert codec.decode(draft.kind, draft.body) == event
    assert entries.number_of(draft) == number


@given(name=WORDS, number=NUMBERS, result=RESULTS, sealing=st.none() | SEALINGS)
def test_an_outcome_is_what_the_codec_says_of_its_event(
    name: str, number: int, result: Result, sealing: Sealing | None
) -> None:
    session = SessionId(name)
    event = ActionCompleted(
        session=session,
        number=number,
        outcome=result.outcome,
        tags=result.tags,
        sqlstate=result.sqlstate,
        rows=result.rows,
        bytes_in=result.bytes_in,
        bytes_out=result.bytes_out,
        duration_us=result.duration_us,
        message=None if sealing is None else sealing.sealed,
    )
    draft = entries.completed(session_stream(session), session, number, result, sealing)
    assert draft == entries.drafted(session_stream(session), event)
    assert codec.decode(draft.kind, draft.body) == event
    assert entries.number_of(draft) == number
