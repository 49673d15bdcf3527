"""Which ID tokens let a workload in: those of just that issuer, audience, subject and claims, of now, and no other."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from sojourn.domain.catalogue import Catalogue
from sojourn.domain.identifiers import PersonId
from sojourn.domain.people import Person, PersonKind, Scope, Workload
from sojourn.errors import Code, Refusal
from sojourn.identity.issuer import KEPT, PAUSE, Issuer, ProviderError
from sojourn.identity.limits import AttemptLimit
from sojourn.identity.workload import Admitted, Issuers, admit
from sojourn.testing.organisation import ALICE, CATALOGUE, ERIN
from sojourn.testing.serving import Answered, Asked, serving
from sojourn.workflow import leave

from .conftest import Desk

AUDIENCE = "https://sojourn.example"
DEPLOYER = PersonId("deployer")
FIRST, SECOND, OTHER = (ECKey.generate_key("P-256", {"kid": kid}) for kid in ("first", "second", "first"))


class Platform:
    """An issuer whose keys change, and that counts how often it is asked for them."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        """It signs with its first key."""
        self.keys = [FIRST]
        self.asked = 0
        self.address = ""
        self.clock = clock

    def answer(self, asked: Asked) -> Answered:
        """What it says about itself, and its keys."""
        told: object = {"issuer": self.address, "jwks_uri": f"{self.address}/keys"}
        if asked.path == "/keys":
            self.asked += 1
            told = {"keys": [one.as_dict(private=False) for one in self.keys]}
        return Answered(kind="application/json", body=json.dumps(told).encode())

    def claims(self, **changed: object) -> dict[str, Any]:
        """What a right token says, and what is changed about it; None is left out."""
        now = int(self.clock().timestamp())
        claims = {"iss": self.address, "aud": AUDIENCE, "sub": "repo:shop", "iat": now, "exp": now + 300}
        claims |= {"ref": "main", "protected": True, "project": 74, **changed}
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, key: Any = FIRST, alg: str = "ES256", **changed: object) -> str:
        """A token that is right but for what is changed."""
        return str(jwt.encode({"alg": alg, "kid": key.kid}, self.claims(**changed), key, algorithms=[alg]))


@contextmanager
def _platform(desk: Desk) -> Iterator[Platform]:
    made = Platform(desk.place.clock.now)
    with serving(made.answer) as address:
        made.address = address
        yield made


def _catalogue(issuer: str, **changed: Any) -> Catalogue:
    workload = Workload(
        issuer=issuer,
        audience=AUDIENCE,
        subjects=("repo:shop", "repo:shop-2"),
        scope=(Scope.READ, Scope.TELL),
        claims=(("project", "74"), ("protected", "true"), ("ref", "main")),
    )
    deployer = Person(
        id=DEPLOYER,
        name="The pipeline",
        kind=PersonKind.SERVICE,
        owner=ALICE,
        workloads=(replace(workload, **changed),),
    )
    return replace(CATALOGUE, people=(*CATALOGUE.people, deployer))


async def _admit(
    desk: Desk, token: str, *, person: PersonId = DEPLOYER, issuers: Issuers | None = None, source: str = "here:1"
) -> Admitted | Refusal:
    now = desk.place.clock.now
    return await admit(
        desk.place.office,
        issuers or Issuers(now=now),
        person=person,
        token=token,
        scope=(),
        source=source,
        limit=AttemptLimit(now),
    )


async def test_the_right_token_lets_the_workload_in_as_its_service(desk: Desk) -> None:
    with _platform(desk) as platform:
        await desk.place.reconfigure(_catalogue(platform.address))
        for subject in ("repo:shop", "repo:shop-2"):
            admitted = await _admit(desk, platform.token(sub=subject))
            assert admitted == Admitted(
                person=DEPLOYER, scope=(Scope.READ, Scope.TELL), issuer=platform.address, subject=subject
            )
    assert desk.refused() == []


def _unsigned(platform: Platform) -> str:
    parts = ({"alg": "none", "kid": "first"}, platform.claims())
    return ".".join(base64.urlsafe_b64encode(json.dumps(one).encode()).decode().rstrip("=") for one in parts) + "."


def _public_key_as_secret(platform: Platform) -> str:
    parts = ({"alg": "HS256", "kid": "first"}, platform.claims())
    signed = ".".join(base64.urlsafe_b64encode(json.dumps(one).encode()).decode().rstrip("=") for one in parts)
    code = hmac.digest(FIRST.as_pem(private=False), signed.encode(), "sha256")
    return f"{signed}.{base64.urlsafe_b64encode(code).decode().rstrip('=')}"


def _other_kind_of_key(platform: Platform) -> str:
    return platform.token(RSAKey.generate_key(2048, {"kid": "first"}), "RS256")


def _times(**moved: int) -> Callable[[Platform], str]:
    def made(platform: Platform) -> str:
        now = int(platform.clock().timestamp())
        changed: dict[str, Any] = {name: now + seconds for name, seconds in moved.items()}
        return platform.token(**changed)

    return made


BAD: dict[str, Callable[[Platform], str]] = {
    "other_key_of_the_same_name": lambda platform: platform.token(OTHER),
    "unknown_key": lambda platform: platform.token(SECOND),
    "unsigned": _unsigned,
    "public_key_as_secret": _public_key_as_secret,
    "other_kind_of_key": _other_kind_of_key,
    "other_issuer": lambda platform: platform.token(iss="https://evil.example"),
    "other_audience": lambda platform: platform.token(aud="https://other.example"),
    "longer_audience": lambda platform: platform.token(aud=AUDIENCE + "/"),
    "several_audiences": lambda platform: platform.token(aud=[AUDIENCE, "https://other.example"]),
    "no_audience": lambda platform: platform.token(aud=None),
    "other_subject": lambda platform: platform.token(sub="repo:shop-3"),
    "subject_with_more": lambda platform: platform.token(sub="repo:shop:pull_request"),
    "subject_in_capitals": lambda platform: platform.token(sub="repo:Shop"),
    "no_subject": lambda platform: platform.token(sub=None),
    "listed_subject": lambda platform: platform.token(sub=["repo:shop"]),
    "other_claim": lambda platform: platform.token(ref="branch"),
    "listed_claim": lambda platform: platform.token(ref=["main"]),
    "no_claim": lambda platform: platform.token(ref=None),
    "untrue_claim": lambda platform: platform.token(protected=False),
    "over": _times(iat=-600, exp=-120),
    "from_tomorrow": _times(iat=86_400, exp=90_000),
    "not_yet": _times(nbf=600),
    "without_end": lambda platform: platform.token(exp=None),
    "good_for_days": _times(exp=3 * 86_400),
    "without_begin": lambda platform: platform.token(iat=None),
    "end_beyond_all": lambda platform: platform.token(exp=10**400),
    "garbage": lambda platform: "a.b.c",
    "nothing": lambda platform: "",
    "odd_letters": lambda platform: "\udcff.\udcff.é",
    "long": lambda platform: platform.token(more="x" * 20_000),
    "deep": lambda platform: "a." + base64.urlsafe_b64encode(b"[" * 12_000).decode() + ".c",
}


@pytest.mark.parametrize("name", BAD)
async def test_any_other_token_lets_nobody_in_and_is_on_record(desk: Desk, name: str) -> None:
    with _platform(desk) as platform:
        await desk.place.reconfigure(_catalogue(platform.address))
        refusal = await _admit(desk, BAD[name](platform))
    assert isinstance(refusal, Refusal)
    assert refusal.code is Code.WORKLOAD_REFUSED
    assert desk.refused() == [("exchange", "deployer", "workload.refused")]


async def test_a_new_key_counts_and_a_strangers_tokens_do_not_make_us_ask_on_and_on(desk: Desk) -> None:
    issuers, clock = Issuers(now=desk.place.clock.now), desk.place.clock
    with _platform(desk) as platform:
        await desk.place.reconfigure(_catalogue(platform.address))
        assert isinstance(await _admit(desk, platform.token(), issuers=issuers), Admitted)
        platform.keys = [SECOND]
        for number in range(20):
            refused = await _admit(desk, platform.token(OTHER), issuers=issuers, source=f"{number}:1")
            assert isinstance(refused, Refusal)
        assert platform.asked == 1
        clock.advance(PAUSE)
        assert isinstance(await _admit(desk, platform.token(SECOND), issuers=issuers), Admitted)
        assert platform.asked == 2
        # The old key is gone with the set that it was in.
        assert isinstance(await _admit(desk, platform.token(FIRST), issuers=issuers), Refusal)
        clock.advance(KEPT)
        both = await asyncio.gather(*(_admit(desk, platform.token(SECOND), issuers=issuers) for _ in range(5)))
        assert all(isinstance(one, Admitted) for one in both)
        assert platform.asked == 3


async def test_an_issuer_that_is_down_lets_nobody_in_and_is_said_clearly(desk: Desk) -> None:
    with _platform(desk) as platform:
        token = platform.token()
    await desk.place.reconfigure(_catalogue(platform.address))
    with pytest.raises(ProviderError, match="does not answer"):
        await _admit(desk, token)


async def test_a_service_whose_owner_has_left_gets_no_token(desk: Desk) -> None:
    with _platform(desk) as platform:
        await desk.place.reconfigure(_catalogue(platform.address))
        await leave.leave(desk.place.office, person=ALICE, by=ERIN, reason="gone", source="here:1")
        refusal = await _admit(desk, platform.token())
    assert isinstance(refusal, Refusal)
    assert refusal.code is Code.OWNER_LEFT


async def test_guessing_gets_slow_for_whoever_guesses(desk: Desk) -> None:
    now = desk.place.clock.now
    limit, codes = AttemptLimit(now), []
    with _platform(desk) as platform:
        await desk.place.reconfigure(_catalogue(platform.address))
        for source, token in (*[("bad:1", "a.b.c")] * 7, ("good:1", platform.token())):
            given = await admit(
                desk.place.office,
                Issuers(now=now),
                person=DEPLOYER,
                token=token,
                scope=(),
                source=source,
                limit=limit,
            )
            codes.append(given.code if isinstance(given, Refusal) else "in")
    assert codes[:5] == [Code.WORKLOAD_REFUSED] * 5
    assert codes[5:] == [Code.ATTEMPTS_LIMITED, Code.ATTEMPTS_LIMITED, "in"]


def test_only_an_issuer_on_this_machine_names_addresses_on_this_machine() -> None:
    def fits(issuer: str, address: object) -> bool:
        return Issuer(address=issuer, now=partial(datetime.now, UTC)).fit(address)

    here, there = "http://127.0.0.1:1/x", "https://id.example/keys"
    assert fits("http://localhost:2", here) and fits("http://localhost:2", there)
    assert fits("https://id.example", there)
    for address in (here, "https://localhost/keys", "http://id.example/keys", "file:///etc/passwd", "//x", 7, None):
        assert not fits("https://id.example", address)
    assert not fits("https://id.example", "https://id.example:port/")
    assert timedelta(0) < PAUSE < KEPT
