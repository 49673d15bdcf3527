"""The task that has the ledger's checkpoints cosigned, and keeps the newest that a quorum has seen.

- In each round every witness is shown the same newest checkpoint, so that their cosignatures come together on one.
- A witness that cannot be asked is asked again in the next round, for ever; the ledger waits for none of them. A
  witness, or the quorum, that stays behind for longer than the settings allow is on record as overdue.
- A witness that has cosigned a larger ledger, or another one of our size, is on record as refused: either our store
  was rolled back, or the witness lies, and people have to look.
- The newest checkpoint that meets the policy is kept in a file, cosignatures and all: an auditor takes it with the
  policy, and needs to believe neither us nor any single witness.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sojourn.codes import RECORD_WAITS
from sojourn.domain.events import WitnessPolicyAdopted
from sojourn.domain.history import Change
from sojourn.domain.identifiers import PUBLICATION
from sojourn.errors import Code, SojournError
from sojourn.ledger import cosignature as cosignatures
from sojourn.ledger import policy as policies
from sojourn.ledger.checkpoint import Checkpoint
from sojourn.ledger.cosignature import Cosignature
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.policy import Policy
from sojourn.ledger.submission import submit

from .asking import Asked, Contradicted, HttpClient, Known, place_of
from .folder import conflict
from .tasks import Context, Signed

QUORUM = "quorum"
"""What the witnesses together are called on record."""

ATTEMPTS_MAX = 3
"""How often one witness is asked in a round. After a start it first tells the size that it knows."""

RETRY_SECONDS = 0.5

# A problem is recorded once for each wording, so nothing that changes from round to round stands in these.
OTHER_HISTORY = "it has cosigned another history of this ledger"
LARGER = "it has cosigned a larger ledger than this one, under this ledger's own signature"


@dataclass(slots=True, kw_only=True)
class Witnessing:
    """What is needed to have checkpoints cosigned.

    `kept` is the newest cosigned note that met the policy, "" before the first; `keep` writes such a note where it
    survives (it may raise OSError). `sizes` is what each witness has cosigned last, as far as known.
    """

    policy: Policy
    open_http: HttpClient
    keep: Callable[[str], None]
    kept: str = ""
    sizes: dict[str, int] = field(default_factory=dict)

    async def run(self, context: Context) -> None:
        """Have checkpoints cosigned, for ever. Implements `tasks.Task`."""
        settings = context.settings.witness
        kept_size = self._kept_size(context)
        async with self.open_http() as http:
            asked = [
                Asked(witness=witness, http=http, seconds=settings.answer_seconds) for witness in self.policy.witnesses
            ]
            while True:
                try:
                    signed = await context.sign()
                except SojournError as error:
                    if error.code not in RECORD_WAITS:
                        raise
                else:
                    kept_size = await self._round(context, asked, signed, kept_size)
                await context.sleep(settings.seconds)

    async def _round(self, context: Context, asked: list[Asked], signed: Signed, kept_size: int) -> int:
        """Show all witnesses one checkpoint; gives the size of the newest that met the policy."""
        answers = await asyncio.gather(*(self._ask(context, one, signed) for one in asked))
        found = {one.witness.name: answer for one, answer in zip(asked, answers, strict=True) if answer is not None}
        problem = ""
        if self.policy.is_met(found):
            try:
                await asyncio.to_thread(self._keep, signed.note, found)
                kept_size = signed.head.size
                context.newest.put_cosigned(Signed(note=self.kept, head=signed.head))
            except OSError as error:
                problem = f"the cosigned checkpoint cannot be kept: {error}"
        else:
            problem = f"{len(found)} of {len(asked)} witnesses cosigned, which is not the quorum"
        await context.observe(QUORUM, published=kept_size, size=signed.head.size, problem=problem)
        return kept_size

    def _keep(self, note: str, found: Mapping[str, Cosignature]) -> None:
        cosigned = cosignatures.attach(note, list(found.values()))
        self.keep(cosigned)
        self.kept = cosigned

    def _kept_size(self, context: Context) -> int:
        """The size of what was kept by an earlier run; 0 if the policy of today does not take it."""
        try:
            return policies.accept(self.policy, self.kept, [context.verifier]).checkpoint.size
        except LedgerError:
            return 0

    async def _ask(self, context: Context, asked: Asked, signed: Signed) -> Cosignature | None:
        """Show one witness a checkpoint, and say how it stands; None if it did not cosign."""
        place, size = place_of(asked.witness), signed.head.size
        name = asked.witness.name
        known = self.sizes.get(name, 0)
        try:
            cosignature = await self._cosign(context, asked, signed)
        except SojournError as error:
            match error.code:
                case Code.PUBLICATION_CONFLICT | Code.PUBLICATION_UNREACHABLE:
                    wrong = error.code is Code.PUBLICATION_CONFLICT
                    problem = error.refusal.details["problem"]
                    await context.observe(place, published=known, size=size, problem=problem, wrong=wrong)
                case Code.RECORD_UNAVAILABLE:
                    pass
                case _:
                    raise
            return None
        self.sizes[name] = size
        await context.observe(place, published=size, size=size)
        return cosignature

    async def _cosign(self, context: Context, asked: Asked, signed: Signed) -> Cosignature:
        """Raises SojournError `publication.conflict`, `publication.unreachable`, or the ledger's."""
        place, size = place_of(asked.witness), signed.head.size
        for _ in range(ATTEMPTS_MAX):
            old = self.sizes.get(asked.witness.name, 0)
            if old > size:
                raise await _larger(context, asked, signed.head)
            proof = await context.ledger.consistency(old, size) if old else ()
            match await asked.cosign(submit(signed.note, old=old, proof=proof)):
                case Cosignature() as cosignature:
                    return cosignature
                case Contradicted():
                    raise conflict(place, OTHER_HISTORY)
                case Known(size=known):
                    self.sizes[asked.witness.name] = known
        raise SojournError(Code.PUBLICATION_UNREACHABLE, place=place, problem="it does not stay at one size")


async def adopt_policy(context: Context, data: bytes) -> None:
    """Put the policy that is in force on record, if it is not the one before; "" stands for none. A task that ends."""
    sha256 = hashlib.sha256(data).hexdigest() if data else ""
    policy = policies.parse(data) if data else None
    event = WitnessPolicyAdopted(
        sha256=sha256,
        quorum=policy.quorum if policy else policies.NONE,
        witnesses=tuple(witness.cosigner.vkey() for witness in policy.witnesses) if policy else (),
    )
    while True:
        try:
            recorded = [one.event for one in await context.ledger.stream(PUBLICATION)]
            last = next((one for one in reversed(recorded) if isinstance(one, WitnessPolicyAdopted)), None)
            if sha256 != (last.sha256 if last else ""):
                change = Change(stream=PUBLICATION, event=event, seen=None)
                await context.ledger.append([change], attachments=[data] if data else [])
        except SojournError as error:
            if error.code not in RECORD_WAITS:
                raise
            await context.sleep(RETRY_SECONDS)
        else:
            return


async def _larger(context: Context, asked: Asked, head: Checkpoint) -> SojournError:
    """The error for a witness that says it knows more entries than the ledger has; a word alone is no contradiction."""
    place = place_of(asked.witness)
    shown = await asked.latest(context.verifier)
    if shown is not None and shown.size > head.size:
        return conflict(place, LARGER)
    problem = "it says that it has cosigned more entries than there are, and shows no signature of ours"
    return SojournError(Code.PUBLICATION_UNREACHABLE, place=place, problem=problem)
