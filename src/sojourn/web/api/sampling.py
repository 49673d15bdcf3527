"""Samples: what auditors drew, what they want to know about it, and the packs of all its items at once."""

from __future__ import annotations

from starlette.responses import FileResponse, Response

from sojourn.domain.events import EvidenceForm
from sojourn.domain.identifiers import PersonId, RequestId, SampleId
from sojourn.domain.people import Person
from sojourn.domain.sampling import Sample
from sojourn.errors import Code, SojournError
from sojourn.projections.moments import text
from sojourn.web.exchange import PAGE, Exchange
from sojourn.workflow import sampling
from sojourn.workflow.evidence import give_evidence

from . import bodies, sampling_shapes
from .answering import HEADERS
from .viewing import opened_all


async def listing(exchange: Exchange) -> sampling_shapes.Samples:
    """GET /samples: every sample, for auditors and administrators; for others those that they are asked about."""
    caller = await exchange.caller()
    found, _ = await sampling.load_samples(exchange.services.office.ledger)
    before = exchange.before()
    numbered = [
        (number, one)
        for number, one in enumerate(found.values(), 1)
        if _concerns(one, caller) and (before is None or number < before)
    ]
    page, more = numbered[: -PAGE - 1 : -1], len(numbered) > PAGE
    samples = tuple(_listed(one) for _, one in page)
    return sampling_shapes.Samples(samples=samples, more=more, next=page[-1][0] if more else None)


async def one(exchange: Exchange) -> sampling_shapes.SampleShown:
    """GET /samples/{name}: a sample; whoever is only asked about it sees the questions to them, and their items."""
    caller = await exchange.caller()
    return await _shown(exchange, caller, await _sample(exchange, caller))


async def ask(exchange: Exchange) -> sampling_shapes.SampleShown:
    """POST /samples/{name}/questions: ask somebody about an item of a sample; for auditors."""
    caller, sent = await exchange.caller(), await exchange.body(bodies.AskInformation)
    asked = await sampling.ask(
        exchange.services.office,
        sample=exchange.name,
        person=caller.id,
        request=RequestId(sent.request),
        of=PersonId(sent.of),
        text=sent.text,
        source=exchange.source,
    )
    return await _shown(exchange, caller, exchange.settled(asked))


async def answer(exchange: Exchange) -> sampling_shapes.SampleShown:
    """POST /samples/{name}/answers: answer a question; for whoever was asked, and administrators."""
    caller, sent = await exchange.caller(), await exchange.body(bodies.GiveInformation)
    answered = await sampling.answer(
        exchange.services.office,
        sample=exchange.name,
        person=caller.id,
        number=sent.number,
        text=sent.text,
        source=exchange.source,
    )
    return await _shown(exchange, caller, exchange.settled(answered))


async def packs(exchange: Exchange) -> Response:
    """GET /samples/{name}/packs: the packs of all items in one ZIP; for auditors. Who was given them is on record."""
    caller = await exchange.caller()
    if not caller.may_audit(exchange.services.office.clock.now()):
        raise SojournError(Code.PERMISSION_DENIED, person=caller.id, action="take packs of a sample", who="an auditor")
    found = await _sample(exchange, caller)
    if not (caller.auditor or found.drawn.person == caller.id):
        raise SojournError(Code.SAMPLE_UNKNOWN, sample=exchange.name[:100])
    await exchange.caught_up()
    bundle = await exchange.services.packs(found.drawn.sample, found.drawn.requests, caller.confined)
    await give_evidence(
        exchange.services.office,
        form=EvidenceForm.PACKS,
        subject=f"sample/{found.drawn.sample}",
        person=caller.id,
        sha256=bundle.sha256,
        size=bundle.path.stat().st_size,
        source=exchange.source,
    )
    name = {"content-disposition": f'attachment; filename="{found.drawn.sample}.zip"'}
    return FileResponse(bundle.path, 200, {**HEADERS, **name}, media_type="application/zip")


async def given(exchange: Exchange) -> sampling_shapes.GivenProof:
    """GET /evidence-given/{name}: what vouches for evidence of that SHA-256; for whom it was given to, and auditors."""
    caller = await exchange.caller()
    proof = await exchange.services.given(exchange.name, None if caller.auditor else caller.id)
    if proof is None:
        raise SojournError(Code.EVIDENCE_UNKNOWN, sha256=exchange.name[:100])
    return sampling_shapes.GivenProof(
        sha256=exchange.name, seq=proof.seq, entry=proof.entry.decode(), proof=proof.proof
    )


async def _sample(exchange: Exchange, caller: Person) -> Sample:
    found, _ = await sampling.load_samples(exchange.services.office.ledger)
    one = found.get(SampleId(exchange.name))
    if one is None or not _concerns(one, caller):
        raise SojournError(Code.SAMPLE_UNKNOWN, sample=exchange.name[:100])
    return one


def _concerns(one: Sample, caller: Person) -> bool:
    asked = any(question.asked.of == caller.id for question in one.questions.values())
    return _whole(one, caller) or asked


def _whole(one: Sample, caller: Person) -> bool:
    """Whether the caller may see all of a sample: they drew it, or oversee everything."""
    return caller.auditor or caller.administrator or caller.id == one.drawn.person


def _listed(one: Sample) -> sampling_shapes.SampleListed:
    drawn = one.drawn
    return sampling_shapes.SampleListed(
        sample=drawn.sample,
        person=drawn.person,
        start=text(drawn.period.start),
        end=text(drawn.period.end),
        as_of=text(drawn.as_of),
        seed=drawn.seed,
        population=drawn.population,
        size=len(drawn.requests),
        questions=len(one.questions),
        open_questions=sum(question.given is None for question in one.questions.values()),
    )


async def _shown(exchange: Exchange, caller: Person, one: Sample) -> sampling_shapes.SampleShown:
    drawn, all_of_it = one.drawn, _whole(one, caller)
    questions = [asked for asked in one.questions.values() if all_of_it or asked.asked.of == caller.id]
    sealed = [asked.asked.text.commitment for asked in questions]
    sealed += [asked.given.text.commitment for asked in questions if asked.given is not None]
    texts = await opened_all(exchange, sealed)
    items = {asked.asked.request for asked in questions}
    return sampling_shapes.SampleShown(
        sample=drawn.sample,
        person=drawn.person,
        start=text(drawn.period.start),
        end=text(drawn.period.end),
        as_of=text(drawn.as_of),
        seed=drawn.seed,
        population=drawn.population,
        manifest_sha256=drawn.manifest_sha256,
        requests=tuple(name for name in drawn.requests if all_of_it or name in items),
        questions=tuple(
            sampling_shapes.QuestionShown(
                number=asked.asked.number,
                request=asked.asked.request,
                person=asked.asked.person,
                of=asked.asked.of,
                text=texts[asked.asked.text.commitment],
                answered_by=None if asked.given is None else asked.given.person,
                answer=None if asked.given is None else texts[asked.given.text.commitment],
            )
            for asked in questions
        ),
    )
