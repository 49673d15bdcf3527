"""A client's certificate is another way to show who one is; what one may do is a grant's to say all the same."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from cryptography.hazmat.primitives import hashes

from sojourn.demo.production import Production
from sojourn.domain.events import AttemptRefused, PersonLeft, SessionOpened
from sojourn.domain.identifiers import STANDING, PersonId
from sojourn.domain.sealed import Sealed
from sojourn.settings import ClientName, GatewaySettings
from sojourn.vault.certificates import ensure_certificates

from .certificates import issue, take_back
from .conftest import PERSON, Access, running_gateway, target_of

Connection = psycopg.Connection[tuple[object, ...]]


@dataclass(slots=True)
class Door:
    """A gateway that takes certificates of one authority, whose files are in `directory`."""

    access: Access
    directory: Path

    def enter(self, user: str = PERSON, to: str = "client") -> None:
        """Come in with the certificate of that name, and without any password."""
        key, certificate = self.directory / f"{to}.key", self.directory / f"{to}.crt"
        place = self.access.dsn(user=user, sslcert=str(certificate), sslkey=str(key), password="")
        with psycopg.connect(**place, autocommit=True) as connection:  # type: ignore[arg-type]
            assert connection.execute("SELECT 1").fetchone() == (1,)

    def refused(self, code: str) -> AttemptRefused:
        """The last refused attempt on record, which has to have this code."""
        deadline = time.monotonic() + 5
        while not (found := self.access.events(AttemptRefused)) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert found and found[-1].code == code, found
        return found[-1]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    directory = tmp_path / "clients"
    ensure_certificates(directory, names=["unused"], now=datetime.now(UTC))
    return directory


@pytest.fixture
def open_door(server: Production, tmp_path: Path, files: Path, credential: str) -> Iterator[Callable[..., Door]]:
    """Opens the gateway, once the authority's file is as the test wants it."""
    running = []

    def opened(name: ClientName = ClientName.ID) -> Door:
        settings = GatewaySettings(
            port=0, warn_seconds=0, client_authority=str(files / "authority.crt"), client_name=name
        )
        context = running_gateway(target_of(server), tmp_path, settings)
        access = context.__enter__()
        running.append(context)
        access.adopt(access.target)
        access.secret = access.token()
        access.grant = access.give(credential)
        return Door(access, files)

    yield opened
    for context in running:
        context.__exit__(None, None, None)


def test_who_shows_a_certificate_of_theirs_needs_no_token(files: Path, open_door: Callable[..., Door]) -> None:
    certificate = issue(files, PERSON)
    door = open_door()
    door.enter()
    (opened,) = door.access.events(SessionOpened)
    assert (opened.person, opened.token) == (PERSON, "")
    assert opened.certificate == certificate.fingerprint(hashes.SHA256()).hex()


def test_a_certificate_gives_no_access(files: Path, open_door: Callable[..., Door]) -> None:
    issue(files, "bob")
    door = open_door()
    with pytest.raises(psycopg.OperationalError, match="bob has no active grant"):
        door.enter("bob")
    assert door.refused("grant.none_active").actor == "bob"
    assert not door.access.events(SessionOpened)


def test_a_certificate_opens_for_nobody_else(files: Path, open_door: Callable[..., Door]) -> None:
    issue(files, "bob")
    issue(files, "nobody", to="stranger")
    door = open_door()
    for to in ("client", "stranger"):
        with pytest.raises(psycopg.OperationalError, match="no password supplied"):
            door.enter(PERSON, to)
    with pytest.raises(psycopg.OperationalError, match="no password supplied"):
        door.enter("nobody", "stranger")
    assert not door.access.events(SessionOpened)


def test_a_certificate_of_another_authority_ends_the_handshake(
    tmp_path: Path, files: Path, open_door: Callable[..., Door]
) -> None:
    other = tmp_path / "other"
    ensure_certificates(other, names=["unused"], now=datetime.now(UTC))
    issue(other, PERSON)
    door = open_door()
    door.directory = other
    with pytest.raises(psycopg.OperationalError):
        door.enter()
    assert "certificate verify failed" in dict(door.refused("gateway.protocol_violation").details)["problem"]


def test_a_certificate_that_is_over_or_taken_back_ends_the_handshake(
    files: Path, open_door: Callable[..., Door]
) -> None:
    issue(files, PERSON)
    issue(files, PERSON, life=timedelta(seconds=-5), to="old")
    take_back(files, issue(files, PERSON, to="stolen"))
    door = open_door()
    for to in ("old", "stolen"):
        with pytest.raises(psycopg.OperationalError):
            door.enter(to=to)
    door.enter()
    assert len(door.access.events(SessionOpened)) == 1


def test_a_certificate_may_name_its_person_by_mail(files: Path, open_door: Callable[..., Door]) -> None:
    issue(files, "Alice in Production", mails=("alice@old.example", "Alice@example.org"))
    issue(files, PERSON, mails=("bob@example.org",), to="misleading")
    door = open_door(ClientName.MAIL)
    door.enter()
    with pytest.raises(psycopg.OperationalError, match="no password supplied"):
        door.enter(to="misleading")


def test_the_certificate_of_somebody_who_has_left_opens_nothing(files: Path, open_door: Callable[..., Door]) -> None:
    issue(files, PERSON)
    door = open_door()
    reason = Sealed(commitment="c" * 64, key="k")
    left = PersonLeft(person=PERSON, recorded_by=PersonId("bob"), reason=reason, source="test")
    door.access.append(STANDING, left)
    time.sleep(0.2)
    with pytest.raises(psycopg.OperationalError):
        door.enter()
    assert not door.access.events(SessionOpened)


def test_a_token_opens_as_before_where_certificates_are_taken(open_door: Callable[..., Door]) -> None:
    door = open_door()
    with door.access.psycopg(sslcert="/nowhere", sslkey="/nowhere") as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    (opened,) = door.access.events(SessionOpened)
    assert opened.token and not opened.certificate
