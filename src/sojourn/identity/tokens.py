"""Tokens: short-lived credentials, each for one person and one kind of door.

A token reads `sj_<purpose>_<id>_<secret>`; its secret has 160 random bits. The record holds the hash of the whole
text. For a gateway it also holds the SCRAM verifier of the text, sealed to the gateway.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from datetime import datetime, timedelta

from sojourn.domain.account import Token, check_token, evolve_token
from sojourn.domain.credential import ITERATIONS, derive_verifier, encode_verifier, gateway_salt
from sojourn.domain.events import TokenIssued, TokenPurpose, TokenRevoked
from sojourn.domain.history import Change
from sojourn.domain.identifiers import PersonId, TokenId, token_stream
from sojourn.domain.people import Scope
from sojourn.domain.sealed import RecordClass
from sojourn.errors import Code, Refusal
from sojourn.workflow.loading import fold
from sojourn.workflow.ports import Office, Sealer

SECRET_BYTES = 20
_SHAPE = re.compile(r"sj_(api|browser|gateway)_(t-[0-9a-z]{6,32})_([a-z2-7]{32})")


async def issue(
    office: Office,
    *,
    person: PersonId,
    purpose: TokenPurpose,
    life: timedelta,
    source: str,
    secret: bytes,
    gateway_sealer: Sealer | None = None,
    scope: tuple[Scope, ...] = (),
    label: str = "",
    issued_by: str = "",
) -> tuple[str, TokenIssued]:
    """A new token for `person`, on record; gives its text, which nobody can read again.

    `secret` are 20 fresh random bytes.`gateway_sealer` seals the verifier that a gateway needs; a token for a
    gateway has one, and no other has. `scope`, `label` (sealed) and `issued_by` are of one for a program.
    Raises SojournError from the ledger.
    """
    assert len(secret) == SECRET_BYTES, "the secret of a token is 160 bits, always"
    assert (gateway_sealer is not None) == (purpose is TokenPurpose.GATEWAY), "a gateway needs the verifier"
    token = TokenId(office.new_id("t"))
    text = f"sj_{purpose}_{token}_{base64.b32encode(secret).decode().lower()}"
    sealing = None
    if gateway_sealer is not None:
        verifier = derive_verifier(text, gateway_salt(person), ITERATIONS)
        sealing = gateway_sealer.seal(person, encode_verifier(verifier), RecordClass.CREDENTIAL)
    named = None
    if label:
        named = office.sealer.seal(person, label.encode("utf-8", "backslashreplace"), RecordClass.CREDENTIAL)
    event = TokenIssued(
        token=token,
        person=person,
        purpose=purpose,
        secret_sha256=hashlib.sha256(text.encode()).hexdigest(),
        expires_at=office.clock.now() + life,
        source=source,
        scram=None if sealing is None else sealing.sealed,
        scope=scope,
        label=None if named is None else named.sealed,
        issued_by=issued_by,
    )
    change = Change(stream=token_stream(token), event=event, seen=0)
    await office.ledger.append([change], sealings=[one for one in (sealing, named) if one is not None])
    return text, event


async def recognise(office: Office, text: str, *, purpose: TokenPurpose) -> TokenIssued | Refusal:
    """Whose token this is, or why it opens nothing. Raises SojournError from the ledger."""
    shape = _SHAPE.fullmatch(text)
    if shape is None:
        return Refusal(Code.CREDENTIALS_INVALID)
    token = await _load(office, TokenId(shape[2]))
    digest = hashlib.sha256(text.encode()).hexdigest()
    if token is None or not hmac.compare_digest(token.issued.secret_sha256, digest):
        return Refusal(Code.CREDENTIALS_INVALID)
    person = check_token(token, purpose=purpose, catalogue=office.in_force().catalogue, now=office.clock.now())
    return person if isinstance(person, Refusal) else token.issued


async def issued_at(office: Office, token: TokenId) -> datetime:
    """When a token that exists was issued, which is when its person has shown who they are."""
    return (await office.ledger.stream(token_stream(token)))[0].at


async def revoke(office: Office, *, token: TokenId, person: PersonId) -> None:
    """End a token of one's own; one that is unknown, over or somebody else's stays as it is."""
    held = await _load(office, token)
    if held is None or held.revoked or held.issued.person != person:
        return
    event = TokenRevoked(token=token, revoked_by=person)
    await office.ledger.append([Change(stream=token_stream(token), event=event, seen=None)])


async def _load(office: Office, token: TokenId) -> Token | None:
    return fold(evolve_token, await office.ledger.stream(token_stream(token)))
