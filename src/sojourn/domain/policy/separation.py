"""Separation of duties: who may not do one thing because of another that they did or hold.

- Whoever asked for an access never decides on it, reviews it or certifies it. No policy can change that.
- A separation names duties that are apart: whoever did one of them for an access may do none of the others for it.
- To administer is held and not done: an administrator is barred from whatever is apart from it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Duty(StrEnum):
    """What people do about an access."""

    REQUEST = "request"
    APPROVE = "approve"
    EXECUTE = "execute"
    REVIEW = "review"
    CERTIFY = "certify"
    ADMINISTER = "administer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Separation:
    """Duties that no one person does for the same access."""

    name: str
    apart: tuple[Duty, ...]


ALWAYS_APART = (
    Separation(name="nobody decides on their own request", apart=(Duty.REQUEST, Duty.APPROVE)),
    Separation(name="nobody reviews their own access", apart=(Duty.REQUEST, Duty.REVIEW)),
    Separation(name="nobody certifies their own access", apart=(Duty.REQUEST, Duty.CERTIFY)),
)
"""What holds in every policy."""


def apart_from(separations: Iterable[Separation], duty: Duty) -> frozenset[Duty]:
    """The duties that bar from `duty`, what always holds included."""
    return frozenset(
        other for one in (*ALWAYS_APART, *separations) if duty in one.apart for other in one.apart if other is not duty
    )
