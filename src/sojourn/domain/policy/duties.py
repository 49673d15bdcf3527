"""Who is barred from a duty, by another one that the policy keeps apart from it and that they did, do or hold.

One place for all six duties. Whoever is asked says who did what for the access: what is not said was done by nobody.
A human being is barred by whatever account they did it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sojourn.domain.identifiers import PersonId
from sojourn.errors import Code, Refusal

from .compiled import Policy
from .separation import Duty

Done = Mapping[Duty, Iterable[PersonId]]
"""Who did which duty for an access, as it is known at a moment. To administer is never in it: the policy knows that."""

NOTHING_DONE: Done = {}


def barring(policy: Policy, duty: Duty, person: PersonId, done: Done) -> Duty | None:
    """The first duty that bars `person` from `duty`, or None."""
    own = policy.accounts.get(person, frozenset((person,)))
    for other in Duty:
        if other in policy.apart[duty] and not own.isdisjoint(_doers(policy, other, done)):
            return other
    return None


def barred(policy: Policy, duty: Duty, done: Done) -> frozenset[PersonId]:
    """Everybody who is barred from `duty`, by all of their accounts."""
    doers = {one for other in policy.apart[duty] for one in _doers(policy, other, done)}
    return frozenset(account for one in doers for account in policy.accounts.get(one, (one,)))


def apart_refusal(policy: Policy, duty: Duty, person: PersonId, done: Done) -> Refusal | None:
    """The refusal of a duty to `person`, naming what bars them from it; None where nothing does."""
    other = barring(policy, duty, person, done)
    if other is None:
        return None
    return Refusal(Code.POLICY_DUTIES_APART, {"person": person, "duty": duty, "other": other})


def _doers(policy: Policy, duty: Duty, done: Done) -> Iterable[PersonId]:
    return policy.administrators if duty is Duty.ADMINISTER else done.get(duty, ())
