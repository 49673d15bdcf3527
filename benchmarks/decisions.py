"""What single steps cost inside a process: deciding, folding, sealing, labelling, deriving."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from sojourn.domain import request as requests
from sojourn.domain.catalogue import Adopted
from sojourn.domain.credential import derive_verifier
from sojourn.domain.events import Event, RequestSubmitted, SessionOpened
from sojourn.domain.history import Recorded
from sojourn.domain.identifiers import GrantId, RequestId, SessionId, TokenId, session_stream
from sojourn.domain.policy import Question
from sojourn.domain.request import Approve, Submit
from sojourn.gateway.postgres.classify import classify
from sojourn.projections.projector import Projections
from sojourn.testing.clock import SimulatedClock
from sojourn.testing.organisation import ALICE, BOB, CATALOGUE, READ, SHOP
from sojourn.testing.sealer import FixedSealer
from sojourn.testing.session import action
from sojourn.vault.sealer import Sealer

from .figures import Figure

PAGE = 500
STATEMENT = b"select status from shop.orders where id = 12345"


@dataclass(slots=True)
class _Clocked:
    """Runs something often enough to say what one time costs."""

    seconds: float

    def cost(self, name: str, work: Callable[[], object]) -> Figure:
        """Microseconds of `work`."""
        count, start = 0, time.process_time()
        while (passed := time.process_time() - start) < self.seconds:
            for _ in range(20):
                work()
            count += 20
        return Figure(name=name, unit="µs", value=passed / count * 1e6)


def costs(*, quick: bool) -> Iterator[Figure]:
    """Each step over and over for a moment."""
    clocked = _Clocked(seconds=0.1 if quick else 0.5)
    now = SimulatedClock().now()
    adopted = Adopted(catalogue=CATALOGUE, version=1, digest="0" * 64)
    sealed = FixedSealer().seal(ALICE, b"measuring").sealed
    submit = Submit(
        request=RequestId("r-0000000001"),
        person=ALICE,
        target=SHOP,
        role=READ,
        duration=timedelta(minutes=30),
        reason="measuring",
        sealed_reason=sealed,
        source="127.0.0.1",
    )
    submitted = requests.submit(adopted, submit, now)
    assert isinstance(submitted, RequestSubmitted)
    state = requests.evolve(None, submitted)
    assert state is not None
    approve = Approve(person=BOB, digest=submitted.digest, source="127.0.0.1")
    assert isinstance(requests.decide(state, approve, adopted, now), tuple)
    question = Question(person=ALICE, target=SHOP, role=READ, duration=submit.duration, moment=now)
    yield clocked.cost("policy: terms of a request", lambda: adopted.judge(question))
    yield clocked.cost("decide: submit", lambda: requests.submit(adopted, submit, now))
    yield clocked.cost("decide: approve", lambda: requests.decide(state, approve, adopted, now))
    yield clocked.cost("SCRAM verifier of a token", lambda: derive_verifier("x" * 43, b"0123456789abcdef"))
    sealer = Sealer("offline", X25519PrivateKey.generate().public_key(), secrets.token_bytes)
    yield clocked.cost("sealing a statement", lambda: sealer.seal("alice", STATEMENT))
    texts = iter(range(1 << 40))
    yield clocked.cost("labelling a statement never seen", lambda: classify(f"{STATEMENT.decode()}{next(texts)}"))
    yield clocked.cost("labelling a statement seen before", lambda: classify(STATEMENT.decode()))
    yield _projection(pages=4 if quick else 20)


def _projection(*, pages: int) -> Figure:
    """Sessions and their actions, folded into the read models a page at a time, as control does it."""
    projections = Projections.open(None)
    batches = [_page(page) for page in range(pages)]
    start = time.process_time()
    for batch in batches:
        projections.apply(batch)
    passed = time.process_time() - start
    projections.close()
    return Figure(name="events into the read models", unit="events/s", value=PAGE * pages / passed)


def _page(page: int) -> list[Recorded]:
    """One session: it opens, and intents and outcomes follow one another."""
    session = SessionId(f"s-{page:010d}")
    opened = SessionOpened(
        session=session,
        grant=GrantId("g-0000000001"),
        person=ALICE,
        target=SHOP,
        role=READ,
        database="shop",
        token=TokenId("t-0000000001"),
        node="measuring/gateway",
        source="127.0.0.1",
        application="pgbench",
        tls="TLSv1.3",
    )
    events: list[Event] = [opened]
    for number in range(1, PAGE):
        events += action(session, number)
    at = SimulatedClock().now()
    return [
        Recorded(seq=page * PAGE + place, at=at, stream=session_stream(session), version=place + 1, event=event)
        for place, event in enumerate(events[:PAGE])
    ]
