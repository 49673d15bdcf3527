"""The negative-test kit: tries what the controls must prevent, on the running system, and shows what came of it.

- It asks, decides and works as two accounts that are signed in, over the API and through the gateway, as people do.
- It works at a target that is labelled for it (`sandbox: yes`) and at no other.
- What counts is the record: a refusal that is not on record is a failure, whatever was answered.
- What gives no occasion (no rule that asks for a ticket, say) is untried, and said to be.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import msgspec

from sojourn.app.ambient import operator
from sojourn.app.installation import require_installation
from sojourn.app.results import Signed, sign_result
from sojourn.app.settled import settings_in_force
from sojourn.domain.catalogue import Adopted
from sojourn.domain.events import ControlsProved, ProbeTried
from sojourn.domain.history import Change
from sojourn.domain.identifiers import EVIDENCE, PersonId, RoleName, TargetName
from sojourn.domain.target import Target
from sojourn.errors import Code, SojournError
from sojourn.scribe.client import ScribeClient
from sojourn.settings import Layout
from sojourn.workflow.adopt import load_adopted

from .around import bypassed, drilled, edited
from .asking import expired, missing_ticket, not_eligible, self_approval, unapproved
from .bench import Api, Bench, Untried

__all__ = ["PROBES", "Api", "Proved", "Untried", "prove"]

LABEL = ("sandbox", "yes")
CONNECT_SECONDS = 5.0

PROBES: dict[str, Callable[[Bench], Awaitable[ProbeTried | Untried]]] = {
    "self-approval": self_approval,
    "unapproved-access": unapproved,
    "missing-ticket": missing_ticket,
    "not-eligible": not_eligible,
    "expired-grant": expired,
    "unrecorded-action": bypassed,
    "edited-record": edited,
    "tamper-drill": drilled,
}
"""Every negative test, in the order in which they are tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proved:
    """What came of it; `untried` says of each test that had no occasion why."""

    target: str
    role: str
    requester: str
    approver: str
    probes: tuple[ProbeTried, ...]
    untried: tuple[Untried, ...]

    @property
    def passed(self) -> bool:
        """Whether something was tried, and nothing came through."""
        return bool(self.probes) and all(one.passed for one in self.probes)


async def prove(
    layout: Layout, api: Api, *, target: str, role: str, requester: str, approver: str, told: Callable[[str], None]
) -> tuple[Proved, Signed | None]:
    """Try everything; the result, and what the scribe signed of it. `told` hears the name of each test as it begins.

    Raises SojournError `target.unknown`, `input.invalid` for a target that is not labelled or accounts that are one, or
    what the record raises.
    """
    require_installation(layout)
    if requester == approver:
        raise SojournError(Code.INPUT_INVALID, problem="One account cannot be both", expected="two accounts")
    results: list[ProbeTried | Untried] = []
    async with ScribeClient(layout.scribe_socket) as ledger:
        await ledger.connected(CONNECT_SECONDS)
        adopted = await load_adopted(ledger)
        if adopted is None:
            raise SojournError(Code.RECORD_UNAVAILABLE)
        bench = Bench(
            layout=layout,
            settings=settings_in_force(layout),
            ledger=ledger,
            api=api,
            adopted=adopted,
            target=_sandbox(adopted, target),
            role=RoleName(role),
            requester=PersonId(requester),
            approver=PersonId(approver),
        )
        for name, probe in PROBES.items():
            told(name)
            results.append(await probe(bench))
    proved = Proved(
        target=target,
        role=role,
        requester=requester,
        approver=approver,
        probes=tuple(one for one in results if isinstance(one, ProbeTried)),
        untried=tuple(one for one in results if isinstance(one, Untried)),
    )
    return proved, await _record(layout, proved)


def _sandbox(adopted: Adopted, name: str) -> Target:
    target = adopted.catalogue.target(TargetName(name))
    if target is None:
        raise SojournError(Code.TARGET_UNKNOWN, target=name[:100])
    if LABEL not in target.labels:
        raise SojournError(
            Code.INPUT_INVALID,
            problem=f"{name} is not there to be tried on",
            expected=f"a target with the label {LABEL[0]}: {LABEL[1]} in targets.yaml",
        )
    return target


async def _record(layout: Layout, proved: Proved) -> Signed | None:
    result = msgspec.json.encode({"passed": proved.passed, **msgspec.to_builtins(proved)}, order="sorted")
    event = ControlsProved(
        target=TargetName(proved.target),
        requester=PersonId(proved.requester),
        approver=PersonId(proved.approver),
        passed=proved.passed,
        probes=proved.probes,
        untried=tuple(one.name for one in proved.untried),
        result_sha256=hashlib.sha256(result).hexdigest(),
        operator=operator(),
    )
    return await sign_result(layout, Change(stream=EVIDENCE, event=event, seen=None), result)
