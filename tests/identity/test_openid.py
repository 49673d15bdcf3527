"""Signing in at a real OpenID provider, and what becomes of the answers of bad ones."""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from webauthn.helpers import bytes_to_base64url

from sojourn.domain.catalogue import Catalogue
from sojourn.domain.events import GroupsClaimed
from sojourn.domain.identifiers import STANDING, PersonId, account_stream
from sojourn.domain.people import Team
from sojourn.errors import Code, Refusal
from sojourn.identity import single_sign_on
from sojourn.identity.challenges import LIFE
from sojourn.identity.issuer import ProviderError
from sojourn.identity.openid import Provider
from sojourn.settings import OidcSettings
from sojourn.testing.organisation import ALICE, BOB, CATALOGUE, LEADS
from sojourn.testing.serving import Answered, Asked, serving

from .conftest import Desk
from .openid_provider import SECRET, RunningProvider, provider

REDIRECT = "http://localhost:1/sign-in/provider/callback"


def _client(issuer: str, **changed: Any) -> Provider:
    settings = OidcSettings(
        issuer=issuer, name="the company", client="sojourn", secret="x", scopes="openid profile groups"
    )
    return Provider(settings=replace(settings, **changed), secret=lambda: SECRET, now=lambda: datetime.now(UTC))


@pytest.fixture(scope="module", params=["", "userinfo"], ids=["id_token", "userinfo"])
def running(request: pytest.FixtureRequest) -> Iterator[RunningProvider]:
    """A provider that tells all in its ID tokens, and one that has to be asked for the rest."""
    with provider(*filter(None, [request.param])) as one:
        yield one


async def _code(running: RunningProvider, client: Provider, **changed: str) -> dict[str, str]:
    """What a browser comes back with."""
    way = {"redirect": REDIRECT, "state": "s" * 43, "nonce": "n" * 43, "verifier": "v" * 43, **changed}
    back = running.walk(await client.authorization_address(**way))
    assert back.startswith(REDIRECT)
    return {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}


async def test_the_code_flow_tells_who_has_signed_in_and_their_groups(running: RunningProvider) -> None:
    client = _client(running.issuer)
    running.at_the_browser("u-1", preferred_username="alice", groups=["leads", "others"])
    back = await _code(running, client)
    assert (back["state"], back["iss"]) == ("s" * 43, running.issuer)
    claims = await client.redeem(code=back["code"], redirect=REDIRECT, verifier="v" * 43, nonce="n" * 43)
    assert (claims["sub"], claims["preferred_username"], claims["groups"]) == ("u-1", "alice", ["leads", "others"])


@pytest.mark.parametrize(
    "changed",
    [{"verifier": "w" * 43}, {"redirect": REDIRECT.replace(":1/", ":2/")}, {"nonce": "m" * 43}, {"code": "guessed"}],
    ids=["verifier", "redirect", "nonce", "code"],
)
async def test_a_code_counts_only_for_the_sign_in_that_it_was_given_for(
    running: RunningProvider, changed: dict[str, str]
) -> None:
    client = _client(running.issuer)
    running.at_the_browser("u-1", preferred_username="alice")
    back = await _code(running, client)
    right = {"code": back["code"], "redirect": REDIRECT, "verifier": "v" * 43, "nonce": "n" * 43}
    with pytest.raises(ProviderError) as raised:
        await client.redeem(**{**right, **changed})
    assert raised.value.refused


async def test_a_code_is_redeemed_once(running: RunningProvider) -> None:
    client = _client(running.issuer)
    running.at_the_browser("u-1", preferred_username="alice")
    right = {"redirect": REDIRECT, "verifier": "v" * 43, "nonce": "n" * 43}
    code = (await _code(running, client))["code"]
    await client.redeem(code=code, **right)
    with pytest.raises(ProviderError, match="invalid_grant"):
        await client.redeem(code=code, **right)


async def test_who_lets_nobody_sign_them_in_comes_back_without_a_code(running: RunningProvider) -> None:
    running.at_the_browser("")
    back = await _code(running, _client(running.issuer))
    assert (back["error"], back["error_description"]) == ("access_denied", "not today")


async def test_a_device_is_signed_in_once_its_person_has_entered_the_code(running: RunningProvider) -> None:
    client = _client(running.issuer)
    running.at_the_browser("u-1", preferred_username="alice", groups=["leads"])
    device = await client.begin_device()
    assert await client.poll_device(device.device_code) is None
    running.enter(device.address, device.user_code)
    claims = await client.poll_device(device.device_code)
    assert claims is not None
    assert (claims["preferred_username"], claims["groups"]) == ("alice", ["leads"])
    with pytest.raises(ProviderError, match="invalid_grant"):
        await client.poll_device("guessed")


async def test_a_wrong_secret_is_said_clearly(running: RunningProvider) -> None:
    client = Provider(settings=_client(running.issuer).settings, secret=lambda: "wrong", now=lambda: datetime.now(UTC))
    with pytest.raises(ProviderError, match="invalid_client"):
        await client.begin_device()


# Bad providers: what they say about themselves, and tokens that look right.

KEY, OTHER = ECKey.generate_key("P-256"), ECKey.generate_key("P-256")


def _described(issuer: str, **changed: Any) -> dict[str, Any]:
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/auth",
        "token_endpoint": f"{issuer}/token",
        "jwks_uri": f"{issuer}/keys",
        **changed,
    }


Make = Callable[[str], object]


def _answers(describe: Make, token: Make) -> Callable[[Asked], Answered]:
    def answer(asked: Asked) -> Answered:
        issuer = f"http://{asked.headers['Host']}"
        told: object = {"keys": [KEY.as_dict(private=False)]}
        if "well-known" in asked.path:
            told = describe(issuer)
        elif asked.path == "/token":
            told = {"id_token": token(issuer), "access_token": "a"}
        body = told if isinstance(told, bytes) else json.dumps(told).encode()
        return Answered(kind="application/json", body=body)

    return answer


def _claims(issuer: str, **changed: Any) -> dict[str, Any]:
    now = int(time.time())
    claims = {
        "iss": issuer,
        "aud": "sojourn",
        "sub": "u-1",
        "iat": now,
        "exp": now + 60,
        "nonce": "n",
        "preferred_username": "alice",
        "groups": [],
    }
    return {name: value for name, value in {**claims, **changed}.items() if value is not None}


def _token(key: Any = KEY, alg: str = "ES256", **changed: Any) -> Make:
    return lambda issuer: jwt.encode({"alg": alg}, _claims(issuer, **changed), key, algorithms=[alg])


def _unsigned(issuer: str) -> str:
    parts = ({"alg": "none"}, _claims(issuer))
    return ".".join(bytes_to_base64url(json.dumps(part).encode()) for part in parts) + "."


async def _redeemed(describe: Make, token: Make) -> Any:
    with serving(_answers(describe, token)) as issuer:
        return await _client(issuer).redeem(code="c", redirect=REDIRECT, verifier="v", nonce="n")


async def test_a_token_that_is_right_counts() -> None:
    assert (await _redeemed(_described, _token()))["sub"] == "u-1"


def _public_key_as_secret(issuer: str) -> str:
    """Signed with what everybody has: the public key, taken for a shared secret."""
    parts = ({"alg": "HS256"}, _claims(issuer))
    signed = ".".join(bytes_to_base64url(json.dumps(part).encode()) for part in parts)
    return f"{signed}.{bytes_to_base64url(hmac.digest(KEY.as_pem(private=False), signed.encode(), 'sha256'))}"


BAD_TOKENS: dict[str, Make] = {
    "other_key": _token(OTHER),
    "public_key_as_secret": _public_key_as_secret,
    "other_kind_of_key": _token(RSAKey.generate_key(2048), "RS256"),
    "unsigned": _unsigned,
    "other_issuer": _token(iss="https://evil.example"),
    "no_issuer": _token(iss=None),
    "other_client": _token(aud="another"),
    "several_clients": _token(aud=["sojourn", "another"]),
    "made_for_another": _token(aud=["sojourn", "another"], azp="another"),
    "no_client": _token(aud=None),
    "over": _token(exp=int(time.time()) - 3600),
    "without_end": _token(exp=None),
    "end_no_number": _token(exp="tomorrow"),
    "from_tomorrow": _token(iat=int(time.time()) + 86400),
    "other_sign_in": _token(nonce="m"),
    "no_nonce": _token(nonce=None),
    "nobody": _token(sub=None),
    "nobody_named": _token(sub=""),
    "odd_name": _token(sub=["u-1"]),
    "no_token": lambda issuer: None,
    "garbage": lambda issuer: "a.b.c",
    "not_text": lambda issuer: 7,
}


@pytest.mark.parametrize("name", BAD_TOKENS)
async def test_a_token_that_is_not_right_signs_nobody_in(name: str) -> None:
    with pytest.raises(ProviderError) as raised:
        await _redeemed(_described, BAD_TOKENS[name])
    assert raised.value.refused


BAD_DESCRIPTIONS: dict[str, Make] = {
    "other_issuer": lambda issuer: _described("https://evil.example"),
    "slash": lambda issuer: _described(issuer) | {"issuer": issuer + "/"},
    "no_keys": lambda issuer: {name: value for name, value in _described(issuer).items() if name != "jwks_uri"},
    "without_tls": lambda issuer: _described(issuer, token_endpoint="http://evil.example/token"),
    "odd_endpoint": lambda issuer: _described(issuer, token_endpoint=["x"]),
    "no_json": lambda issuer: b"<html>",
    "list": lambda issuer: [],
    "too_large": lambda issuer: {"issuer": "x" * 600_000},
    "deep": lambda issuer: b"[" * 100_000,
}


@pytest.mark.parametrize("name", BAD_DESCRIPTIONS)
async def test_a_provider_that_describes_itself_badly_is_not_used(name: str) -> None:
    with pytest.raises(ProviderError) as raised:
        await _redeemed(BAD_DESCRIPTIONS[name], _token())
    assert not raised.value.refused


async def test_a_provider_that_does_not_answer_is_said_clearly() -> None:
    with pytest.raises(ProviderError, match=r"127\.0\.0\.1:9 does not answer"):
        await _client("http://127.0.0.1:9").issuer.description()


# Who that is here, and what is on record about it.

SETTINGS = OidcSettings(issuer="https://id.example", name="the company")
TEAMS = tuple(replace(team, groups=("idp-leads",)) if team.name == LEADS else team for team in CATALOGUE.teams)
MAPPED: Catalogue = replace(CATALOGUE, teams=TEAMS)


async def _sign_in(desk: Desk, sub: str, name: object, settings: OidcSettings = SETTINGS, **claims: Any) -> Any:
    said = {"sub": sub, settings.person_claim: name, **claims}
    return await single_sign_on.sign_in(desk.place.office, settings, said, source="here:1")


def _team(desk: Desk) -> Team:
    return next(team for team in desk.place.in_force().catalogue.teams if team.name == LEADS)


def _refused(answer: object) -> Code:
    assert isinstance(answer, Refusal), answer
    return answer.code


async def test_a_group_puts_its_people_into_the_team_that_the_configuration_says(desk: Desk) -> None:
    await desk.place.reconfigure(MAPPED)
    assert _team(desk).members == (BOB, PersonId("carol"))
    assert await _sign_in(desk, "u-1", "alice", groups=["idp-leads", "idp-other", 7]) == ALICE
    assert ALICE in _team(desk).members
    (claimed,) = [one.event for one in desk.place.entries(STANDING)]
    assert isinstance(claimed, GroupsClaimed)
    assert (claimed.person, claimed.groups) == (ALICE, ("idp-leads",))
    assert await _sign_in(desk, "u-1", "alice", groups=["idp-leads"]) == ALICE
    assert len(desk.place.entries(STANDING)) == 1
    assert await _sign_in(desk, "u-1", "alice", groups=[]) == ALICE
    assert ALICE not in _team(desk).members


async def test_without_a_word_in_the_configuration_no_group_means_anything(desk: Desk) -> None:
    assert await _sign_in(desk, "u-1", "alice", groups=["leads", "administrators"]) == ALICE
    assert ALICE not in _team(desk).members
    assert desk.place.entries(STANDING) == ()
    person = desk.place.in_force().catalogue.person(ALICE)
    assert person is not None and not person.administrator


async def test_a_group_that_the_configuration_stops_to_name_fills_no_team_any_more(desk: Desk) -> None:
    await desk.place.reconfigure(MAPPED)
    await _sign_in(desk, "u-1", "alice", groups=["idp-leads"])
    await desk.place.reconfigure(CATALOGUE)
    assert ALICE not in _team(desk).members


async def test_the_identity_that_comes_first_keeps_the_name(desk: Desk) -> None:
    assert await _sign_in(desk, "u-1", "alice") == ALICE
    assert _refused(await _sign_in(desk, "u-2", "alice")) is Code.IDENTITY_OTHER
    assert _refused(await _sign_in(desk, "u-1", "bob")) is Code.IDENTITY_OTHER
    assert await _sign_in(desk, "u-1", "alice") == ALICE
    assert desk.place.kinds(account_stream(ALICE)) == ("account.identity_linked",)
    assert "u-1" not in repr(desk.place.ledger.entries)


NAMES = ["unknown", "case", "empty", "absent", "list", "space", "system"]


@pytest.mark.parametrize("name", ["zoe", "Alice", "", None, ["alice"], "alice ", "system"], ids=NAMES)
async def test_somebody_whom_the_configuration_does_not_know_gets_a_clear_no(desk: Desk, name: object) -> None:
    refusal = await _sign_in(desk, "u-9", name)
    assert _refused(refusal) is Code.IDENTITY_UNKNOWN
    assert "the company" in refusal.sentence
    assert desk.refused()[-1][2] == "identity.unknown"


@pytest.mark.parametrize("verified", [None, False, "true"], ids=["absent", "no", "text"])
async def test_a_mail_address_that_nobody_verified_is_nobody(desk: Desk, verified: object) -> None:
    settings = replace(SETTINGS, person_claim="email")
    claims = {} if verified is None else {"email_verified": verified}
    assert _refused(await _sign_in(desk, "u-1", "alice", settings, **claims)) is Code.IDENTITY_UNKNOWN
    assert await _sign_in(desk, "u-1", "alice", settings, email_verified=True) == ALICE


def test_a_way_is_gone_once_in_time_and_with_its_own_state(desk: Desk) -> None:
    challenges = desk.keys.challenges
    way = single_sign_on.begin(challenges, "/requests")
    assert len({way.state, way.nonce, way.verifier}) == 3
    assert single_sign_on.resume(challenges, way.ticket, "/requests", "other") is None
    assert single_sign_on.resume(challenges, way.ticket, "/", way.state) is None
    assert single_sign_on.resume(challenges, way.ticket, "/requests", way.state) == way
    late = single_sign_on.begin(challenges, "/")
    desk.place.clock.advance(LIFE)
    assert single_sign_on.resume(challenges, late.ticket, "/", late.state) is None
