"""A ledger's signing key may be kept in the KMS of a cloud; strangers cannot tell from its signatures."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sojourn.app.installation import next_signing_key, prepare, read_settings, signing_key
from sojourn.app.rotating import finish, rotate
from sojourn.codes import Code
from sojourn.errors import SojournError
from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger.checkpoint import Checkpoint
from sojourn.ledger.note import Signer, Verifier
from sojourn.settings import Layout, ScribeSettings, Settings
from sojourn.testing.cloud import CREDENTIALS, REGION, RING, AwsKms, GoogleKms, aws_kms
from sojourn.testing.timestamp import openssl
from sojourn.vault.signing.address import AwsAddress, GcpAddress, parse_address
from sojourn.vault.signing.aws import aws_key
from sojourn.vault.signing.gcp import gcp_key
from sojourn.vault.signing.kept import KeptKey

NAME = "example.com/ledger"
HEAD = Checkpoint(origin=NAME, size=3, root=b"\x05" * 32)
ARN = f"arn:aws:kms:{REGION}:111122223333:key/12345678-abcd-4abc-8abc-1234567890ab"
Make = Callable[[str], str]


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsKms]:
    """AWS KMS."""
    with aws_kms(tmp_path_factory.mktemp("aws")) as one:
        yield one


@pytest.fixture(scope="module")
def google(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GoogleKms]:
    """Google Cloud KMS."""
    with GoogleKms(tmp_path_factory.mktemp("google")).serving() as one:
        yield one


@pytest.fixture(autouse=True)
def credentials(google: GoogleKms, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What the libraries find in the environment, and deadlines that a busy machine keeps."""
    for module in ("aws", "gcp"):
        monkeypatch.setattr(f"sojourn.vault.signing.{module}.SECONDS", 20.0)
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(google.credentials))


def of(text: str, public: bytes | None = None) -> KeptKey:
    """The key at an address."""
    match parse_address(text):
        case AwsAddress() as address:
            return aws_key(address, name=NAME, public=public)
        case GcpAddress() as address:
            return gcp_key(address, name=NAME, public=public)
        case _:
            raise AssertionError(text)


def refused(work: Callable[[], object], code: Code = Code.SIGNING_UNAVAILABLE) -> str:
    with pytest.raises(SojournError) as error:
        work()
    assert error.value.code is code
    return str(error.value)


@pytest.fixture(params=["aws", "gcp"])
def make(request: pytest.FixtureRequest, aws: AwsKms, google: GoogleKms) -> Make:
    """Makes a key in each of them, and gives its address."""
    if request.param == "aws":
        return lambda name: aws.make()
    return lambda name: google.make(name, name.encode().ljust(32))


def test_a_key_in_a_cloud_signs_checkpoints_that_anybody_can_check(make: Make, tmp_path: Path) -> None:
    key = of(make("ledger"))
    note = checkpoints.sign(HEAD, key)
    assert checkpoints.open(note, Verifier.parse(key.vkey())) == HEAD
    # OpenSSL, which knows nothing of notes, takes the signature too.
    der = bytes.fromhex("302a300506032b6570032100") + key.public.public
    (tmp_path / "key.der").write_bytes(der)
    (tmp_path / "text").write_text(HEAD.format())
    (tmp_path / "signature").write_bytes(key.sign(HEAD.format().encode()))
    command = ["pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", "key.der", "-rawin", "-in", "text"]
    done = subprocess.run(
        [openssl(), *command, "-sigfile", "signature"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert "Verified Successfully" in done.stdout, done.stderr


def test_a_ledger_begins_with_it_and_every_later_start_compares(make: Make, tmp_path: Path) -> None:
    layout = Layout(root=tmp_path / "d")
    layout.configuration.mkdir(parents=True)
    settings = Settings(scribe=ScribeSettings(origin=NAME, signing_key=make("begin")))
    prepare(layout, settings)
    key: Signer = signing_key(layout, settings)
    assert layout.verifier_key.read_text().strip() == key.vkey()
    assert not (layout.keys / "signing.key").exists()
    other = Settings(scribe=ScribeSettings(origin=NAME, signing_key=make("other")))
    refused(lambda: signing_key(layout, other), Code.SIGNING_CHANGED)


def test_a_key_is_changed_into_a_cloud_by_the_two_commands_and_the_old_one_is_not_used_any_more(
    make: Make, tmp_path: Path
) -> None:
    layout = Layout(root=tmp_path / "d")
    for directory in (layout.root, layout.configuration):
        directory.mkdir(mode=0o700)
    file, following = layout.configuration / "settings.yaml", make("following")
    scribe = f'origin: {NAME}, next_signing_key: "{following}"'
    file.write_text(f'scribe: {{{scribe}}}\npublisher: {{folder: ""}}\n')
    prepare(layout, read_settings(layout))
    old, begun = signing_key(layout, read_settings(layout)), rotate(layout)
    new = next_signing_key(layout, read_settings(layout))
    assert new is not None and (begun.old, begun.new) == (old.verifier(), new.verifier())
    refused(lambda: finish(layout, print), Code.INPUT_INVALID)
    # What the scribe leaves when it has run with both.
    layout.anchor.write_text(checkpoints.sign(HEAD, old, new))
    finished = finish(layout, print)
    assert (finished.new, finished.address) == (new.verifier(), following)
    assert not (layout.keys / "signing.key").exists(), "the old key in a file is deleted"
    refused(lambda: signing_key(layout, read_settings(layout)))
    file.write_text(f'scribe: {{origin: {NAME}, signing_key: "{following}"}}\n')
    key = signing_key(layout, read_settings(layout))
    assert checkpoints.open(checkpoints.sign(HEAD, key), new.verifier()) == HEAD


def test_a_key_that_was_swapped_puts_no_signature_on_anything(make: Make) -> None:
    one = of(make("one")).verifier()
    swapped = of(make("two"), public=one.public)
    assert "no signature of the ledger's key" in refused(lambda: checkpoints.sign(HEAD, swapped))


def test_a_key_of_another_kind_or_none_is_told_as_such(aws: AwsKms, google: GoogleKms) -> None:
    assert "no key on edwards25519" in refused(lambda: of(aws.make("ECC_NIST_P256")))
    assert "EC_SIGN_P256_SHA256" in refused(lambda: of(google.make("elliptic", bytes(32))))
    assert "NotFoundException" in refused(lambda: of(f"awskms:{ARN}?endpoint={aws.endpoint}"))
    missing = f"gcpkms:{RING}/missing/cryptoKeyVersions/1?endpoint={google.endpoint}"
    assert "404" in refused(lambda: of(missing))


def test_a_disabled_key_is_waited_for(aws: AwsKms, google: GoogleKms) -> None:
    address = aws.make()
    key, arn = of(address), address.removeprefix("awskms:").partition("?")[0]
    aws.client().disable_key(KeyId=arn)
    assert "DisabledException" in refused(lambda: checkpoints.sign(HEAD, key))
    aws.client().enable_key(KeyId=arn)
    assert checkpoints.sign(HEAD, key)
    other = of(google.make("away", b"a" * 32))
    google.status = 503
    try:
        assert "503" in refused(lambda: checkpoints.sign(HEAD, other))
    finally:
        google.status = 200
    assert checkpoints.sign(HEAD, other)


def test_credentials_that_are_missing_or_not_taken_are_told_as_such(
    aws: AwsKms, google: GoogleKms, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    address = google.make("guarded", b"g" * 32)
    stranger = GoogleKms(tmp_path, endpoint=google.endpoint)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(stranger.credentials))
    assert "no access token" in refused(lambda: of(address))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "nothing"))
    assert "no credentials" in refused(lambda: of(address))
    held = aws.make()
    for name in CREDENTIALS:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    assert "credentials" in refused(lambda: of(held))


def test_a_service_that_hangs_is_waited_for_a_second_or_two(aws: AwsKms, monkeypatch: pytest.MonkeyPatch) -> None:
    address = aws.make()
    public = of(address).public.public
    monkeypatch.setattr("sojourn.vault.signing.aws.SECONDS", 1.0)
    key = of(address, public)
    aws.process.send_signal(signal.SIGSTOP)
    try:
        before = time.monotonic()
        refused(lambda: checkpoints.sign(HEAD, key))
        assert time.monotonic() - before < 10
    finally:
        aws.process.send_signal(signal.SIGCONT)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"awskms:{ARN}", AwsAddress(arn=ARN, region=REGION)),
        (
            f"awskms:{ARN}?endpoint=https://vpce-1.kms.example.com/",
            AwsAddress(arn=ARN, region=REGION, endpoint="https://vpce-1.kms.example.com"),
        ),
        (f"gcpkms:{RING}/k/cryptoKeyVersions/12", GcpAddress(version=f"{RING}/k/cryptoKeyVersions/12")),
    ],
)
def test_addresses_are_read_into_their_parts(text: str, expected: object) -> None:
    assert parse_address(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "awskms:",
        "awskms:alias/ledger",
        f"awskms:arn:aws:kms:{REGION}:111122223333:alias/ledger",
        "awskms:arn:aws:s3:eu-central-1:111122223333:key/1",
        f"awskms:{ARN}?endpoint=http://kms.example.com",
        f"awskms:{ARN}?endpoint=",
        f"awskms:{ARN}?region=x",
        f"awskms:{ARN}?endpoint=https://me:secret@kms.example.com",
        f"awskms:{ARN}?endpoint=https://kms.example.com:port",
        "gcpkms:",
        f"gcpkms:{RING}/k",
        f"gcpkms:{RING}/k/cryptoKeyVersions/latest",
        f"gcpkms:{RING}/k/cryptoKeyVersions/1?x=1",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    refused(lambda: parse_address(text), Code.SETTINGS_INVALID)
