"""What an approver says yes to: every word of it is in the digest, and nothing is decided that is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sojourn.domain.identifiers import GrantId, PersonId, RequestId, RoleName, TargetName
from sojourn.domain.policy import Facts, Ticket
from sojourn.domain.request import content_digest
from sojourn.domain.sealed import Sealed

NOW = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
TICK = timedelta(microseconds=1)

PLAIN: dict[str, Any] = {
    "request": RequestId("r-1"),
    "person": PersonId("alice"),
    "target": TargetName("shop"),
    "role": RoleName("read"),
    "duration": timedelta(minutes=5),
    "reason": Sealed(commitment="c" * 64, key="k"),
    "facts": Facts(
        reason_code="incident",
        incident="INC-1",
        ticket=Ticket(id="T-1", kind="change", state="approved"),
        activities=("look", "repair"),
    ),
    "start": NOW,
    "extends": GrantId("g-1"),
    "since": NOW,
    "break_glass": False,
}
OTHER: dict[str, tuple[Any, ...]] = {
    "request": (RequestId("r-2"),),
    "person": (PersonId("alice "),),
    "target": (TargetName("shops"),),
    "role": (RoleName("Read"),),
    "duration": (timedelta(minutes=5) + TICK, timedelta(minutes=5) - TICK, timedelta(0)),
    "reason": (Sealed(commitment="d" * 64, key="k"),),
    "facts": (
        Facts(),
        *(
            Facts(reason_code=code, incident=incident, ticket=ticket, activities=activities)
            for code, incident, ticket, activities in (
                ("other", "INC-1", Ticket(id="T-1", kind="change", state="approved"), ("look", "repair")),
                ("incident", "INC-2", Ticket(id="T-1", kind="change", state="approved"), ("look", "repair")),
                ("incident", "INC-1", Ticket(id="T-2", kind="change", state="approved"), ("look", "repair")),
                ("incident", "INC-1", Ticket(id="T-1", kind="incident", state="approved"), ("look", "repair")),
                ("incident", "INC-1", Ticket(id="T-1", kind="change", state="open"), ("look", "repair")),
                ("incident", "INC-1", None, ("look", "repair")),
                ("incident", "INC-1", Ticket(id="T-1", kind="change", state="approved"), ("look",)),
                ("incident", "INC-1", Ticket(id="T-1", kind="change", state="approved"), ("repair", "look")),
                ("incident", "INC-1", Ticket(id="T-1", kind="change", state="approved"), ("lookrepair",)),
            )
        ),
    ),
    "start": (None, NOW + TICK),
    "extends": (None, GrantId("g-2")),
    "since": (None, NOW + TICK),
    "break_glass": (True,),
}


def test_whatever_is_different_has_another_digest() -> None:
    found = {content_digest(**PLAIN)}
    for name, values in OTHER.items():
        for value in values:
            digest = content_digest(**{**PLAIN, name: value})
            assert digest not in found, f"{name}={value!r} is in no digest"
            found.add(digest)


@given(st.fixed_dictionaries({name: st.sampled_from((PLAIN[name], *values)) for name, values in OTHER.items()}))
def test_two_contents_share_a_digest_only_if_they_are_the_same(content: dict[str, Any]) -> None:
    assert (content_digest(**content) == content_digest(**PLAIN)) == (content == PLAIN)


def test_a_digest_on_record_is_the_digest_for_ever() -> None:
    assert content_digest(**PLAIN) == "d7bb4e6c49e6bf2312a2423cbfe3ff81866cc3fe1c14a5bb526e573b0bfcf297"
    assert (
        content_digest(**{**PLAIN, "break_glass": True, "facts": Facts(), "start": None})
        == "ce0e6a38de60685266f9a2f48c2e9767b09ded98e474650a142e96973d62f96a"
    )
