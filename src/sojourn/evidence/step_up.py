"""The step-up proof of a decision: its person's own passkey has signed what was decided.

It is checked here again, from the entries of a pack alone, as docs/reference/evidence-pack.md tells everybody to: the
key that answered is the one on record for this person, what it signed is this decision, and the checkpoint that it
signed along with it is of the record as it was before.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence

from sojourn.domain.confirmation import Action, Confirmation, ConfirmedBy, challenge_of
from sojourn.domain.events import (
    BreakGlassUsed,
    GrantCreated,
    PasskeyAdded,
    RequestApproved,
    RequestRevised,
    RequestSubmitted,
)
from sojourn.domain.history import Recorded
from sojourn.domain.identifiers import request_stream
from sojourn.ledger import checkpoint as checkpoints

PRESENT_AND_VERIFIED = 0x05
"""Flags of the authenticator (WebAuthn level 3, section 6.1): the person was there, and was verified."""


class _ProofError(Exception):
    """It does not hold, in words."""


def confirmed_with(confirmation: Confirmation | None) -> str:
    """How a decision was confirmed, in words; "" if it was not."""
    match confirmation:
        case None:
            return ""
        case Confirmation(by=ConfirmedBy.PASSKEY):
            return f"signed with passkey {confirmation.passkey}"
        case _:
            return "confirmed with the password"


def proof_of(seq: int, event: RequestApproved | BreakGlassUsed, entries: Sequence[Recorded]) -> str:
    """What a confirmation at place `seq` is worth, in words. `entries` are those of the pack."""
    confirmation = event.confirmation
    if confirmation is None:
        return "none was asked for"
    if confirmation.by is not ConfirmedBy.PASSKEY:
        return "confirmed with the password, which signs nothing"
    said = confirmed_with(confirmation)
    try:
        added, size = _checked(seq, event, confirmation, entries)
    except _ProofError as error:
        return f"{said}: DOES NOT VERIFY, {error}"
    return f"{said}, over this and the checkpoint of {size} entries: verifies with the key of entry {added}"


def _checked(
    seq: int, event: RequestApproved | BreakGlassUsed, confirmation: Confirmation, entries: Sequence[Recorded]
) -> tuple[int, int]:
    """Places of the key's entry, and size of the signed checkpoint. Raises _ProofError."""
    found = [
        (one.seq, one.event)
        for one in entries
        if isinstance(one.event, PasskeyAdded) and one.seq < seq and one.event.passkey == confirmation.passkey
    ]
    if not found or found[0][1].person != event.person:
        raise _ProofError("no such key of this person is on record before it")
    added, key = found[0]
    try:
        statement, note = confirmation.statement, confirmation.checkpoint
        data, client_data = _bytes(confirmation.authenticator_data), _bytes(confirmation.client_data)
        said, client = json.loads(statement), json.loads(client_data)
        size = checkpoints.parse(note.partition("\n\n")[0] + "\n").size
        _says(said, seq, event, entries)
        signed = (client["type"], _bytes(client["challenge"]))
    except (ValueError, KeyError, TypeError) as error:
        raise _ProofError("what was signed cannot be read") from error
    if signed != ("webauthn.get", challenge_of(statement, note)):
        raise _ProofError("the passkey signed something else")
    if size > seq:
        raise _ProofError("the checkpoint is of a later record")
    if data[:32] != hashlib.sha256(key.rp_id.encode()).digest() or len(data) < 37:
        raise _ProofError("the passkey answered for another address")
    if data[32] & PRESENT_AND_VERIFIED != PRESENT_AND_VERIFIED:
        raise _ProofError("its person was not verified")
    _verify(key.public_key, confirmation.signature, data + hashlib.sha256(client_data).digest())
    return added, size


def _says(said: Mapping[str, str], seq: int, event: RequestApproved | BreakGlassUsed, told: Sequence[Recorded]) -> None:
    """Whether the statement is of this decision. Raises _ProofError, or KeyError for one that says too little."""
    if isinstance(event, BreakGlassUsed):
        given = next(
            one.event for one in told if isinstance(one.event, GrantCreated) and one.event.grant == event.grant
        )
        same = (said["action"], said["role"]) == (Action.BREAK_GLASS, given.role)
    else:
        digest = event.digest if said["action"] == Action.APPROVE else _digest_before(seq, event, told)
        same = (said["subject"], said["digest"]) == (request_stream(event.request), digest)
        same = same and said["action"] in (Action.APPROVE, Action.APPROVE_LESS)
    if not same or said["person"] != event.person:
        raise _ProofError("what it signed is another decision")


def _digest_before(seq: int, event: RequestApproved, told: Sequence[Recorded]) -> str:
    """What was asked for before somebody approved less: the decision itself made it less, just before."""
    asked = [
        one.event.digest if isinstance(one.event, RequestSubmitted) else one.event.content.digest
        for one in told
        if isinstance(one.event, RequestSubmitted | RequestRevised)
        and one.seq < seq
        and one.event.request == event.request
    ]
    return asked[-2] if len(asked) > 1 else ""


def _verify(public_key: str, signature: str, signed: bytes) -> None:
    # Imported here: it takes long, and few packs need it.
    from cryptography.exceptions import InvalidSignature
    from webauthn.helpers import (
        decode_credential_public_key,
        decoded_public_key_to_cryptography,
        verify_signature,
    )
    from webauthn.helpers.cose import COSEAlgorithmIdentifier
    from webauthn.helpers.exceptions import WebAuthnException

    try:
        key = decode_credential_public_key(_bytes(public_key))
        verify_signature(
            public_key=decoded_public_key_to_cryptography(key),
            signature_alg=COSEAlgorithmIdentifier(key.alg),
            signature=_bytes(signature),
            data=signed,
        )
    except (InvalidSignature, WebAuthnException, ValueError) as error:
        raise _ProofError("the signature is not of that key") from error


def _bytes(text: str) -> bytes:
    """Base64url without padding. Raises ValueError."""
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
