"""The step-up proof in a pack: a signature counts for the decision that was signed, by the person who signed it."""

from __future__ import annotations

import base64
import dataclasses
import json
from datetime import UTC, datetime, timedelta

import pytest

from sojourn.domain.confirmation import Action, Confirmation, ConfirmedBy, Decision, challenge_of
from sojourn.domain.events import Event, PasskeyAdded, RequestApproved, RequestSubmitted
from sojourn.domain.history import Recorded
from sojourn.domain.identifiers import PasskeyId, PersonId, RequestId, RoleName, TargetName, request_stream
from sojourn.domain.sealed import Sealed
from sojourn.evidence.step_up import proof_of
from sojourn.testing.authenticator import Authenticator

BOB, EVE, REQUEST = PersonId("bob"), PersonId("eve"), RequestId("r-0000000001")
PASSKEY = PasskeyId("pk-0000000001")
NOTE = "sojourn.example/ledger\n2\n" + base64.b64encode(bytes(32)).decode() + "\n\n— sojourn.example/ledger AAAA\n"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
SEALED = Sealed(commitment="c" * 64, key="k-1")
DECISION = Decision(action=Action.APPROVE, person=BOB, subject=request_stream(REQUEST), details=(("digest", "d" * 64),))


def _recorded(seq: int, event: Event) -> Recorded:
    return Recorded(seq=seq, at=NOW, stream=request_stream(REQUEST), version=seq + 1, event=event)


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _told(decision: Decision = DECISION, *, edwards: bool = False, verifies: bool = True) -> list[Recorded]:
    """A passkey, a request, and its approval, signed as `decision`."""
    browser = Authenticator("https://sojourn.example", edwards=edwards, verifies=verifies)
    relying = {"rp": {"id": "sojourn.example"}, "user": {"id": _b64(b"bob")}, "challenge": _b64(b"x" * 32)}
    made = browser.create(relying)
    attested = base64.urlsafe_b64decode(made["response"]["attestationObject"] + "==")
    # The key stands behind 37 bytes of authenticator data, 16 of the model, 2 of a length and 32 of the name.
    key = attested[attested.index(b"authData") + 10 :][37 + 16 + 2 + 32 :]
    challenge = challenge_of(decision.statement, NOTE)
    answer = browser.get({"rpId": "sojourn.example", "challenge": _b64(challenge)})["response"]
    confirmation = Confirmation(
        by=ConfirmedBy.PASSKEY,
        passkey=PASSKEY,
        statement=decision.statement,
        checkpoint=NOTE,
        authenticator_data=answer["authenticatorData"],
        client_data=answer["clientDataJSON"],
        signature=answer["signature"],
    )
    added = PasskeyAdded(
        person=BOB,
        passkey=PASSKEY,
        credential=made["id"],
        public_key=_b64(key),
        rp_id="sojourn.example",
        sign_count=0,
        synced=False,
        label=SEALED,
        source="here",
    )
    asked = RequestSubmitted(
        request=REQUEST,
        person=PersonId("alice"),
        target=TargetName("shop"),
        role=RoleName("read"),
        duration=timedelta(minutes=5),
        reason=SEALED,
        digest="d" * 64,
        rules=(),
        groups=(),
        decide_by=NOW,
        activate_within=timedelta(hours=1),
        configuration_version=1,
        configuration_digest="c" * 64,
        source="here",
    )
    approved = RequestApproved(
        request=REQUEST,
        person=BOB,
        digest="d" * 64,
        complete=True,
        activate_by=NOW,
        configuration_version=1,
        source="here",
        confirmation=confirmation,
    )
    return [_recorded(1, added), _recorded(2, asked), _recorded(3, approved)]


def _proof(told: list[Recorded], **changed: object) -> str:
    """What the proof of the approval says, with parts of its confirmation changed."""
    event = told[2].event
    assert isinstance(event, RequestApproved) and event.confirmation is not None
    confirmation = dataclasses.replace(event.confirmation, **changed)  # type: ignore[arg-type]
    return proof_of(3, dataclasses.replace(event, confirmation=confirmation), told)


@pytest.mark.parametrize("edwards", [False, True], ids=["P-256", "Ed25519"])
def test_a_signature_by_the_persons_own_passkey_over_this_decision_verifies(edwards: bool) -> None:
    said = _proof(_told(edwards=edwards))
    assert said == (
        f"signed with passkey {PASSKEY}, over this and the checkpoint of 2 entries: verifies with the key of entry 1"
    )


@pytest.mark.parametrize(
    "decision",
    [
        dataclasses.replace(DECISION, person=EVE),
        dataclasses.replace(DECISION, subject="request/r-0000000002"),
        dataclasses.replace(DECISION, details=(("digest", "e" * 64),)),
        dataclasses.replace(DECISION, action=Action.RELEASE_HOLD),
        dataclasses.replace(DECISION, action=Action.APPROVE_LESS),
    ],
    ids=["somebody else's", "another request", "another content", "another deed", "less than nothing"],
)
def test_a_signature_over_another_decision_does_not(decision: Decision) -> None:
    assert "DOES NOT VERIFY, what it signed is another decision" in _proof(_told(decision))


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"statement": json.dumps({})}, "cannot be read"),
        ({"statement": DECISION.statement + " "}, "signed something else"),
        ({"checkpoint": NOTE.replace("\n2\n", "\n1\n")}, "signed something else"),
        ({"checkpoint": "no note"}, "cannot be read"),
        ({"client_data": _b64(b"{}")}, "cannot be read"),
        ({"client_data": "not base64!"}, "cannot be read"),
        ({"authenticator_data": _b64(bytes(37))}, "another address"),
        ({"authenticator_data": ""}, "another address"),
        ({"signature": _b64(bytes(70))}, "not of that key"),
        ({"passkey": PasskeyId("pk-0000000002")}, "no such key of this person"),
    ],
    ids=lambda one: "-".join(one) if isinstance(one, dict) else "",
)
def test_whatever_is_altered_in_it_is_said(changed: dict[str, object], problem: str) -> None:
    said = _proof(_told(), **changed)
    assert "DOES NOT VERIFY" in said and problem in said


def test_a_person_who_was_not_verified_has_signed_nothing() -> None:
    assert "its person was not verified" in _proof(_told(verifies=False))


def test_what_was_not_signed_is_said_to_be_so() -> None:
    event = _told()[2].event
    assert isinstance(event, RequestApproved)
    assert proof_of(3, dataclasses.replace(event, confirmation=None), []) == "none was asked for"
    by_password = dataclasses.replace(event, confirmation=Confirmation(by=ConfirmedBy.PASSWORD))
    assert proof_of(3, by_password, []) == "confirmed with the password, which signs nothing"
