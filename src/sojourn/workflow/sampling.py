"""Samples: put on record what an auditor drew, what they asked about it, and what they were told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sojourn.domain import sampling
from sojourn.domain.events import SampleDrawn
from sojourn.domain.history import Change
from sojourn.domain.identifiers import SAMPLES, PersonId, RequestId, SampleId
from sojourn.domain.sampling import Answer, Ask, Command, Sample, Samples
from sojourn.domain.sealed import Sealed, Sealing
from sojourn.domain.window import Window
from sojourn.errors import Code, Refusal, SojournError

from .deciding import TRIES_MAX, Attempt, append_unless_stale, refuse, shown
from .ports import Ledger, Office
from .submit import too_long


async def record_sample(
    office: Office,
    *,
    person: PersonId,
    period: Window,
    as_of: datetime,
    seed: str,
    population: int,
    requests: tuple[RequestId, ...],
    manifest_sha256: str,
) -> SampleId:
    """Put a sample on record, and give its id. Raises SojournError from the ledger."""
    name = SampleId(office.new_id("sample"))
    event = SampleDrawn(
        sample=name,
        person=person,
        period=period,
        as_of=as_of,
        seed=shown(seed),
        population=population,
        requests=requests[: sampling.ITEMS_MAX],
        manifest_sha256=manifest_sha256,
    )
    await office.ledger.append((Change(stream=SAMPLES, event=event, seen=None),))
    return name


async def load_samples(ledger: Ledger) -> tuple[Samples, int]:
    """Every sample, and the version of their stream. Raises SojournError from the ledger."""
    entries = await ledger.stream(SAMPLES)
    return sampling.fold(one.event for one in entries), len(entries)


async def ask(
    office: Office, *, sample: str, person: PersonId, request: RequestId, of: PersonId, text: str, source: str
) -> Sample | Refusal:
    """Ask somebody about an item of a sample. `text` is sealed.

    Gives the sample afterwards, or why not (on record as an attempt). Raises SojournError from the ledger.
    """

    def command(sealed: Sealed) -> Command:
        return Ask(person=person, request=request, of=of, text=sealed, source=shown(source))

    return await _settle(office, Attempt(verb="ask", actor=person, source=source), sample, person, text, command)


async def answer(
    office: Office, *, sample: str, person: PersonId, number: int, text: str, source: str
) -> Sample | Refusal:
    """Answer a question about a sample. As `ask`."""

    def command(sealed: Sealed) -> Command:
        return Answer(person=person, number=number, text=sealed, source=shown(source))

    return await _settle(office, Attempt(verb="answer", actor=person, source=source), sample, person, text, command)


async def _settle(
    office: Office, attempt: Attempt, sample: str, person: PersonId, text: str, command: Callable[[Sealed], Command]
) -> Sample | Refusal:
    for tried in range(TRIES_MAX):
        adopted, (samples, version) = office.in_force(), await load_samples(office.ledger)
        state = samples.get(SampleId(sample))
        refusal = too_long(text)
        if state is None:
            refusal = Refusal(Code.SAMPLE_UNKNOWN, {"sample": shown(sample)})
        elif refusal is None and not text.strip():
            refusal = Refusal(Code.INPUT_INVALID, {"problem": "Nothing was said", "expected": "a text"})
        if state is None or refusal is not None:
            assert refusal is not None
            return await refuse(office, attempt, SAMPLES, refusal)
        sealing: Sealing = office.sealer.seal(person, text.encode("utf-8", "backslashreplace"))
        event = sampling.decide(state, command(sealing.sealed), adopted, office.clock.now())
        if isinstance(event, Refusal):
            return await refuse(office, attempt, SAMPLES, event)
        change = Change(stream=SAMPLES, event=event, seen=version)
        if await append_unless_stale(office, tried, (change,), (sealing,), adopted):
            return sampling.evolve(samples, event)[state.drawn.sample]
    raise SojournError(Code.RECORD_STALE, stream=SAMPLES)
