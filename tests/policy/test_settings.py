"""Settings that the record holds change by two people; whoever edits the file of a machine puts nothing in force."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from sojourn.app.gateway import check_door
from sojourn.app.installation import prepare
from sojourn.app.kept import reading
from sojourn.app.settled import settings_as_read, settings_in_force
from sojourn.app.timestamps import read_timestamp_roots
from sojourn.configuration import (
    compare_settings,
    fingerprint,
    parse_held,
    parse_settings,
    proposed_settings,
    read_settings,
    rendered,
    settings_bytes,
    settings_digest,
)
from sojourn.configuration.held import OWN, with_own_of
from sojourn.demo.installation import PEOPLE_FILE
from sojourn.demo.production import Production
from sojourn.domain.catalogue import Adopted
from sojourn.domain.change import Proposal
from sojourn.domain.events import ConfigurationAdopted, ProcessStarted, WitnessPolicyAdopted
from sojourn.domain.identifiers import CONFIGURATION, PUBLICATION, SYSTEM
from sojourn.errors import Code, Refusal, SojournError
from sojourn.ledger.cosignature import CosigningKey
from sojourn.scribe import codec
from sojourn.settings import (
    BucketSettings,
    ControlSettings,
    GatewaySettings,
    Layout,
    MailSettings,
    NotifySettings,
    PublisherSettings,
    ScribeSettings,
    Settings,
    WebhookSettings,
    WitnessSettings,
)
from sojourn.testing.filled import until
from sojourn.testing.installation import PASSWORD, Running, running
from sojourn.testing.organisation import BOB, CAROL, CATALOGUE, ERIN, Workplace
from sojourn.workflow.adopt import adopt, load_adopted
from sojourn.workflow.change import approve_change, propose
from sojourn.workflow.leave import leave

from .test_change import FILES, TWO, administered

NOW = Settings(control=ControlSettings(password_length_min=20))
SHORT = Settings(gateway=GatewaySettings(require_tls=False), publisher=PublisherSettings(folder=""))
WITNESSES = (
    f"witness outside {CosigningKey.generate('outside.example/w', bytes(32)).cosigner().vkey()} https://127.0.0.1:1/",
    "quorum outside",
)
EVERYTHING = Settings(
    gateway=GatewaySettings(host="0.0.0.0", port=1, idle_seconds=60, client_authority="clients.pem"),
    control=ControlSettings(port=2, api_token_life=timedelta(hours=2), reconcile_seconds=0.125),
    scribe=ScribeSettings(origin="example.com/other", store="postgresql://scribe@db/ledger"),
    publisher=PublisherSettings(s3=BucketSettings(bucket="b", retention_days=3000)),
    witness=WitnessSettings(policy=WITNESSES, seconds=9.5),
    notify=NotifySettings(
        mail=MailSettings(host="mail.example.com"),
        webhooks=(WebhookSettings(name="siem.one", url="https://siem.example.com", secret="siem"),),
    ),
)


async def workplace(settings: Settings | None = NOW) -> Workplace:
    place = await Workplace.open(CATALOGUE)
    place.adopted.append(await adopt(place.ledger, catalogue=TWO, files=FILES, operator="root", settings=settings))
    return place


async def in_force(place: Workplace) -> tuple[Adopted, Settings]:
    now = await load_adopted(place.ledger)
    assert now is not None
    return now, parse_held(place.ledger.attachments[now.settings_sha256])


# By the rules


async def test_a_change_of_settings_alone_takes_a_second_person_and_is_a_new_version() -> None:
    place = await workplace()
    made = await propose(
        place.office, person=ERIN, catalogue=TWO, files=FILES, reason="", source="test", settings=SHORT
    )
    assert isinstance(made, Proposal)
    before, settings = await in_force(place)
    assert settings == NOW
    named = {"attachment": place.ledger.attachment, "change": made.proposed.change, "digest": made.proposed.digest}
    own = await approve_change(place.office, person=ERIN, source="test", **named)  # type: ignore[arg-type]
    assert isinstance(own, Refusal) and own.code is Code.CHANGE_SELF
    assert isinstance(await approve_change(place.office, person=CAROL, source="test", **named), Proposal)  # type: ignore[arg-type]
    after, settings = await in_force(place)
    assert (after.version, after.digest, settings) == (before.version + 1, before.digest, SHORT)


async def test_the_digest_that_is_approved_covers_the_settings() -> None:
    place = await workplace()
    digests = set()
    for settings in (SHORT, replace(SHORT, gateway=GatewaySettings(require_tls=False, idle_seconds=1))):
        made = await propose(
            place.office, person=ERIN, catalogue=TWO, files=FILES, reason="", source="test", settings=settings
        )
        assert isinstance(made, Proposal)
        digests.add(made.proposed.digest)
    assert len(digests) == 2


async def test_a_proposal_without_settings_leaves_them_as_they_are() -> None:
    place = await workplace()
    made = await propose(place.office, person=ERIN, catalogue=CATALOGUE, files=FILES, reason="", source="test")
    assert isinstance(made, Refusal)
    three = administered(CATALOGUE, ERIN, CAROL, BOB)
    made = await propose(place.office, person=ERIN, catalogue=three, files=FILES, reason="", source="test")
    assert isinstance(made, Proposal)
    await approve_change(
        place.office,
        attachment=place.ledger.attachment,
        change=made.proposed.change,
        person=CAROL,
        digest=made.proposed.digest,
        source="test",
    )
    now, settings = await in_force(place)
    assert (now.catalogue, settings) == (three, NOW)


async def test_the_same_settings_are_nothing_to_propose() -> None:
    place = await workplace()
    made = await propose(place.office, person=ERIN, catalogue=TWO, files=FILES, reason="", source="test", settings=NOW)
    assert isinstance(made, Refusal) and made.code is Code.CHANGE_NOTHING


async def test_an_operator_alone_changes_no_setting_once_there_are_two_administrators() -> None:
    place = await workplace()
    with pytest.raises(SojournError) as raised:
        await adopt(place.ledger, catalogue=TWO, files=FILES, operator="root", settings=SHORT)
    assert raised.value.code is Code.CHANGE_NEEDS_APPROVAL
    assert (await in_force(place))[1] == NOW


async def test_an_operator_says_the_settings_alone_while_there_is_no_second_administrator() -> None:
    place = await workplace()
    await leave(place.office, person=CAROL, by=ERIN, reason="", source="test")
    now = await adopt(place.ledger, catalogue=TWO, files=FILES, operator="root", settings=SHORT)
    assert (now.version, (await in_force(place))[1]) == (3, SHORT)
    event = place.entries(CONFIGURATION)[-1].event
    assert isinstance(event, ConfigurationAdopted) and event.operator == "root"


async def test_a_record_that_holds_no_settings_yet_takes_them_once_and_nothing_besides() -> None:
    place = await workplace(settings=None)
    with pytest.raises(SojournError) as raised:
        await adopt(place.ledger, catalogue=CATALOGUE, files={}, operator="root", settings=NOW)
    assert raised.value.code is Code.CHANGE_NEEDS_APPROVAL
    now, settings = await in_force(place)
    assert (now.catalogue, settings) == (TWO, NOW)
    with pytest.raises(SojournError):
        await adopt(place.ledger, catalogue=TWO, files=FILES, operator="root", settings=SHORT)
    assert (await in_force(place))[1] == NOW


async def test_settings_without_a_change_are_not_put_on_record_again() -> None:
    place = await workplace()
    before = len(place.entries(CONFIGURATION))
    listening = replace(NOW, gateway=GatewaySettings(port=7000), scribe=ScribeSettings(origin="example.com/x"))
    await adopt(place.ledger, catalogue=TWO, files=FILES, operator="root", settings=listening)
    assert len(place.entries(CONFIGURATION)) == before


# What the record holds


def test_a_machine_keeps_its_own_settings_and_takes_all_others_from_the_record() -> None:
    found = with_own_of(EVERYTHING, NOW)
    for section, names in OWN.items():
        for name in names:
            assert getattr(getattr(found, section), name) == getattr(getattr(EVERYTHING, section), name)
    assert compare_settings(found, NOW) == ()
    assert with_own_of(Settings(), found) == NOW


def test_what_is_written_is_read_back_and_holds_nothing_of_the_machine() -> None:
    content = settings_bytes(EVERYTHING)
    assert compare_settings(parse_held(content), EVERYTHING) == ()
    assert b"postgresql:" not in content and b"example.com/other" not in content
    assert settings_bytes(parse_held(content)) == content


def test_what_is_rendered_says_the_same_in_a_file() -> None:
    assert compare_settings(parse_settings(rendered(EVERYTHING).encode()), EVERYTHING) == ()
    assert compare_settings(parse_settings(rendered(Settings()).encode()), Settings()) == ()


def test_a_difference_names_the_setting_and_both_values() -> None:
    found = {one.what: (one.before, one.after) for one in compare_settings(Settings(), EVERYTHING)}
    assert found["setting control.api_token_life"] == (("12h",), ("2h",))
    assert found["setting publisher.s3.bucket"] == (('""',), ('"b"',))
    assert found["setting witness.policy"] == ((), (f'["{WITNESSES[0]}", "quorum outside"]',))
    assert found["setting notify.webhooks.siem.one.url"] == ((), ('"https://siem.example.com"',))
    assert not any("scribe" in what or ("host" in what and "mail" not in what) for what in found)


@pytest.mark.parametrize("content", [b"", b"{", b'{"control": 3}', b'{"control": {"port": "x"}}'])
def test_settings_that_cannot_be_read_are_an_error_of_the_record(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_held(content)


@pytest.mark.parametrize("name", ["api_token_life", "session_life", "invitation_life"])
def test_no_life_is_so_short_that_nobody_could_come_in_to_make_it_longer(name: str) -> None:
    with pytest.raises(SojournError) as raised:
        parse_settings(f"control: {{{name}: 59s}}".encode())
    assert raised.value.code is Code.CONFIGURATION_INVALID
    assert parse_settings(f"control: {{{name}: 1m}}".encode()) != Settings()


# On a machine


@pytest.fixture(scope="module")
def sojourn(tmp_path_factory: pytest.TempPathFactory, production: Production) -> Iterator[Running]:
    people = PEOPLE_FILE.replace("name: Bob Brook }", "name: Bob Brook, administrator: true }")
    assert people != PEOPLE_FILE
    with running(tmp_path_factory.mktemp("settings") / "one", production, people=people) as one:
        yield one


def life(one: Running) -> timedelta:
    """How long a sign-in lasts."""
    signed = one.send("POST", "/sign-in", {"person": "alice", "password": PASSWORD}).json()
    return datetime.fromisoformat(signed["expires_at"]) - datetime.now(UTC)


def started_under(one: Running) -> dict[str, str]:
    """The settings that each process last started under, by the record."""
    with reading(one.installation.layout) as kept:
        events = [codec.decode(entry.kind, entry.body) for entry in kept.stream(SYSTEM)]
    return {event.process: event.settings_sha256 for event in events if isinstance(event, ProcessStarted)}


def test_whoever_edits_the_file_gets_nothing_into_force_alone(sojourn: Running, tmp_path: Path) -> None:
    layout, version = sojourn.installation.layout, sojourn.get("/configuration", person="carol")["version"]
    file = layout.configuration / "settings.yaml"
    written = file.read_text()
    file.write_text(written.replace("control: {", "control: { api_token_life: 30d,"))
    assert file.read_text() != written
    told: list[SojournError] = []
    assert settings_in_force(layout, told.append).control.api_token_life == timedelta(hours=12)
    assert [error.code for error in told] == [Code.SETTINGS_NOT_IN_FORCE]
    assert "control.api_token_life" in str(told[0])
    sojourn.installation.stop()
    sojourn.installation.start()
    assert timedelta(hours=11) < life(sojourn) <= timedelta(hours=12)
    shown = sojourn.get("/configuration", person="carol")
    assert (shown["version"], '"api_token_life":"PT43200S"' in shown["settings"]) == (version, True)
    log = (layout.root.parent / "serve.log").read_text()
    assert "settings.yaml on this machine says otherwise" in log and "control.api_token_life" in log

    files = sojourn.get("/configuration/files", person="carol")["files"]
    proposed = {**files, "settings.yaml": file.read_text()}
    made = sojourn.post("/configuration/changes", {"files": proposed, "reason": "longer"}, person="carol")
    assert made["differences"] == [
        {
            "person": "",
            "kind": "changes",
            "what": "setting control.api_token_life",
            "before": ["12h"],
            "after": ["30d"],
        }
    ]
    approval = f"/configuration/changes/{made['change']}/approve", {"digest": made["digest"]}
    assert sojourn.post(*approval, person="carol")["error"]["code"] == "change.self"
    assert life(sojourn) <= timedelta(hours=12)
    assert sojourn.post(*approval, person="bob")["version"] == version + 1
    sojourn.installation.stop()
    sojourn.installation.start()
    assert life(sojourn) > timedelta(days=29)
    shown = sojourn.get("/configuration", person="dora")
    assert (shown["proposed_by"], shown["approved_by"]) == ("carol", "bob")
    under = started_under(sojourn)
    assert set(under) >= {"control", "gateway", "publisher"}
    assert {under[name] for name in ("control", "gateway", "publisher")} == {shown["settings_digest"]}
    assert settings_digest(settings_in_force(layout)) == shown["settings_digest"]


def asked_by_record(one: Running) -> list[str]:
    """The quorum of each policy of witnesses that the publisher has put on record."""
    with reading(one.installation.layout) as kept:
        events = [codec.decode(entry.kind, entry.body) for entry in kept.stream(PUBLICATION)]
    return [event.quorum for event in events if isinstance(event, WitnessPolicyAdopted)]


def test_nobody_alone_names_a_witness_or_takes_one_away(sojourn: Running, tmp_path: Path) -> None:
    layout, version = sojourn.installation.layout, sojourn.get("/configuration", person="carol")["version"]
    layout.witness_policy.write_text("# ours\n" + "\n".join(WITNESSES) + "\n")
    told: list[SojournError] = []
    assert settings_in_force(layout, told.append).witness.policy == ()
    assert [error.code for error in told] == [Code.SETTINGS_NOT_IN_FORCE] and "witness.policy" in str(told[0])
    assert asked_by_record(sojourn) == []

    files, one = tmp_path / "files", sojourn.installation
    assert one.sojourn("login", "carol", "--url", one.address, stdin=PASSWORD + "\n").returncode == 0
    one.ask("policy", "fetch", str(files), person="carol")
    shutil.copy(layout.witness_policy, files)
    proposed = one.ask("policy", "propose", str(files), person="carol")
    assert [each["what"] for each in proposed["differences"]] == ["setting witness.policy"]
    approval = f"/configuration/changes/{proposed['change']}/approve", {"digest": proposed["digest"]}
    assert sojourn.post(*approval, person="carol")["error"]["code"] == "change.self"
    assert sojourn.post(*approval, person="bob")["version"] == version + 1
    layout.witness_policy.write_text("quorum none\n")
    assert settings_in_force(layout).witness.policy == WITNESSES
    layout.witness_policy.unlink()
    assert settings_in_force(layout).witness.policy == WITNESSES
    one.stop()
    one.start()
    until(lambda: asked_by_record(sojourn) == ["outside"])


@pytest.mark.parametrize(
    ("settings", "policy", "problem"),
    [
        (f"witness: {{policy: ['{WITNESSES[0]}', quorum outside]}}", "quorum none", "others than those"),
        ("witness: {policy: [quorum all]}", None, "not defined above"),
        ("witness: {policy: quorum all}", None, "lines of a policy"),
        (f"witness: {{policy: ['{WITNESSES[0].replace('https:', 'ftp:')}', quorum outside]}}", None, "no address"),
        (None, "quorum none", "no settings.yaml"),
    ],
    ids=["two that differ", "a quorum of nobody", "no list", "an address that cannot be asked", "no settings beside"],
)
def test_witnesses_that_cannot_be_meant_are_not_proposed(
    tmp_path: Path, settings: str | None, policy: str | None, problem: str
) -> None:
    for name, text in (("settings.yaml", settings), ("witness.policy", policy)):
        if text is not None:
            (tmp_path / name).write_text(text)
    with pytest.raises(SojournError, match=problem) as raised:
        proposed_settings(tmp_path)
    assert raised.value.code is Code.CONFIGURATION_INVALID


def test_a_record_that_cannot_be_read_starts_nothing_under_the_file(sojourn: Running, tmp_path: Path) -> None:
    layout = replace(sojourn.installation.layout, root=tmp_path / "copy")
    (layout.configuration).mkdir(parents=True)
    layout.root.chmod(0o700)
    (layout.configuration / "settings.yaml").write_text("control: {api_token_life: 9d}\n")
    layout.ledger.write_bytes(b"no database")
    with pytest.raises(SojournError) as raised:
        settings_in_force(layout)
    assert raised.value.code is Code.RECORD_DAMAGED
    # Only what examines or mends the record goes on with the file.
    warned: list[SojournError] = []
    assert settings_as_read(layout, warned.append).control.api_token_life == timedelta(days=9)
    assert [error.code for error in warned] == [Code.RECORD_DAMAGED]


# Certificates that a setting names


def authority(name: str) -> bytes:
    """A certificate that could sign those of clients, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(subject, subject, key.public_key(), 1, now, now + timedelta(days=1))
    return made.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


def test_a_fingerprint_is_of_the_certificates_and_of_nothing_else() -> None:
    one, two = authority("one"), authority("two")
    revoked = b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n"
    same = (one, one + revoked, revoked + one + revoked, one.replace(b"\n", b"\r\n"), one + b"\n\n")
    assert {fingerprint(each) for each in same} == {fingerprint(one)}
    alias = two.replace(b" CERTIFICATE", b" X509 CERTIFICATE")
    hidden = revoked.replace(b"AAAA\n", two)
    others = (
        two,
        one + two,
        two + one,
        one + alias,
        one + hidden,
        one + b"# a comment",
        one.replace(b"M", b"!", 1),
        b"",
    )
    assert len({fingerprint(each) for each in (one, *others)}) == len(others) + 1


def test_the_fingerprints_of_the_files_are_held_with_the_settings(tmp_path: Path) -> None:
    (tmp_path / "clients.pem").write_bytes(authority("clients"))
    (tmp_path / "stamps.pem").write_bytes(authority("stamps"))
    text = "gateway: {client_authority: clients.pem}\ntimestamp: {url: 'https://tsa.example', root: stamps.pem}\n"
    (tmp_path / "settings.yaml").write_text(text)
    first = read_settings(tmp_path)
    assert first.gateway.client_authority_sha256 == fingerprint((tmp_path / "clients.pem").read_bytes())
    assert first.timestamp.root_sha256 == fingerprint((tmp_path / "stamps.pem").read_bytes())
    assert compare_settings(parse_settings(rendered(first).encode()), first) == ()
    (tmp_path / "clients.pem").write_bytes(authority("clients"))
    (tmp_path / "stamps.pem").write_bytes(authority("stamps"))
    found = [one.what for one in compare_settings(first, read_settings(tmp_path))]
    assert found == ["setting gateway.client_authority_sha256", "setting timestamp.root_sha256"]


def test_certificates_that_are_not_those_in_force_are_not_used(tmp_path: Path) -> None:
    layout = Layout(root=tmp_path)
    layout.configuration.mkdir()
    for name in ("clients.pem", "stamps.pem"):
        (layout.configuration / name).write_bytes(authority(name))
    text = "gateway: {client_authority: clients.pem}\ntimestamp: {url: 'https://tsa.example', root: stamps.pem}\n"
    (layout.configuration / "settings.yaml").write_text(text)
    in_force = read_settings(layout.configuration)
    prepare(layout, in_force)
    check_door(layout, in_force)
    read_timestamp_roots(layout, in_force)
    for name in ("clients.pem", "stamps.pem"):
        (layout.configuration / name).write_bytes(authority(name))
    for name, use in (("gateway.client_authority", check_door), ("timestamp.root", read_timestamp_roots)):
        with pytest.raises(SojournError) as raised:
            use(layout, in_force)
        assert raised.value.code is Code.SETTINGS_INVALID
        assert name in str(raised.value) and "other certificates than those that are in force" in str(raised.value)


@pytest.mark.parametrize("given", ["abc", "A" * 64, "0" * 63])
def test_what_is_no_fingerprint_is_refused(given: str) -> None:
    with pytest.raises(SojournError) as raised:
        parse_settings(f"gateway: {{client_authority_sha256: '{given}'}}".encode())
    assert raised.value.code is Code.CONFIGURATION_INVALID
