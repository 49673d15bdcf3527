"""The verifier with a policy: witnesses that have to have cosigned, their quorum, and a second signature."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

import sojourn_verify
from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger import note as notes
from sojourn.ledger.cosignature import CosigningKey

ONE = CosigningKey.generate("witness.example/one", bytes([1] * 32))
TWO = CosigningKey.generate("witness.example/two", bytes([2] * 32))
TIME = 1_790_000_000


def codes(report: dict[str, Any]) -> set[str]:
    return {problem["code"] for problem in report["problems"]}


def cosigned(note: str, *keys: CosigningKey) -> str:
    text, _ = notes.split(note)
    return note + "".join(key.cosign(text, TIME) for key in keys)


def write_policy(path: Path, log: str, *rest: str) -> Path:
    lines = [f"log {log}" if log else "# the log comes with --key", f"witness one {ONE.cosigner().vkey()}"]
    lines += [f"witness two {TWO.cosigner().vkey()} https://two.example/"]
    path.write_text("\n".join([*lines, *(rest or ("group both all one two", "quorum both")), ""]))
    return path


@pytest.fixture
def policy(tmp_path: Path, ledger: Any) -> Path:
    return write_policy(tmp_path / "policy", ledger.key.vkey())


def pack_of(ledger: Any, tools: Any, root: Path, *keys: CosigningKey) -> Path:
    """A pack whose checkpoint carries the cosignatures, and each proof with it."""
    plain, signed = ledger.note(), cosigned(ledger.note(), *keys)
    files = {path: content.replace(plain.encode(), signed.encode()) for path, content in ledger.pack().items()}
    return Path(tools.write_directory(tools.with_manifest(files, ledger.key.name), root))


def test_a_published_ledger_is_verified_to_what_the_quorum_has_cosigned(
    ledger: Any, tools: Any, tmp_path: Path, verify: Any, policy: Path
) -> None:
    files = ledger.published() | {"cosigned": cosigned(ledger.note(5), ONE, TWO).encode()}
    published = tools.write_directory(files, tmp_path / "log")
    status, report = verify(published, "--policy", policy)
    assert (status, report["problems"]) == (0, []) and report["checked"]["witnessed entries"] == 5
    assert verify(published, "--policy", policy, "--key", ledger.key.vkey())[0] == 0
    (published / "cosigned").write_text(cosigned(ledger.note(5), ONE))
    assert codes(verify(published, "--policy", policy)[1]) == {"checkpoint.unwitnessed"}
    (published / "cosigned").unlink()
    assert codes(verify(published, "--policy", policy)[1]) == {"checkpoint.unwitnessed"}


def test_a_cosigned_checkpoint_of_another_history_is_found(
    ledger: Any, tools: Any, tmp_path: Path, verify: Any, policy: Path
) -> None:
    files = ledger.published()
    ledger.leaves[2] = bytes(32)
    files["cosigned"] = cosigned(ledger.note(5), ONE, TWO).encode()
    published = tools.write_directory(files, tmp_path / "log")
    assert "root.altered" in codes(verify(published, "--policy", policy)[1])


def test_a_pack_and_a_proof_have_to_be_cosigned_when_a_policy_says_so(
    ledger: Any, tools: Any, tmp_path: Path, verify: Any, policy: Path
) -> None:
    assert verify(pack_of(ledger, tools, tmp_path / "both", ONE, TWO), "--policy", policy)[0] == 0
    one = pack_of(ledger, tools, tmp_path / "one", ONE)
    assert codes(verify(one, "--policy", policy)[1]) == {"checkpoint.unwitnessed"}
    assert verify(one, "--key", ledger.key.vkey())[0] == 0, "without a policy they are passed over"
    for signed, status in ((cosigned(ledger.note(), ONE, TWO), 0), (ledger.note(), 1)):
        (tmp_path / "proof").write_text(ledger.proof(4).replace(ledger.note(), signed))
        (tmp_path / "entry").write_bytes(ledger.rows[4][5])
        assert verify(tmp_path / "proof", "--entry", tmp_path / "entry", "--policy", policy)[0] == status


def test_a_ledger_is_witnessed_by_a_cosigned_checkpoint_from_elsewhere(
    ledger: Any, tools: Any, tmp_path: Path, verify: Any, policy: Path
) -> None:
    published, elsewhere = tools.write_directory(ledger.published(), tmp_path / "log"), tmp_path / "cosigned"
    elsewhere.write_text(cosigned(ledger.note(5), ONE, TWO))
    status, report = verify(published, "--policy", policy, "--since", elsewhere)
    assert status == 0 and report["checked"]["witnessed entries"] == 5
    assert codes(verify(published, "--policy", policy)[1]) == {"checkpoint.unwitnessed"}


@pytest.mark.parametrize(
    ("rest", "met_by_one", "met_by_both"),
    [
        (("quorum one",), True, True),
        (("quorum two",), False, True),
        (("group g any one two", "quorum g"), True, True),
        (("group g 2 one two", "quorum g"), False, True),
        (("group inner any two", "group outer all one inner", "quorum outer"), False, True),
    ],
)
def test_a_quorum_is_what_the_policy_says(
    rest: tuple[str, ...], met_by_one: bool, met_by_both: bool, ledger: Any, tools: Any, tmp_path: Path, verify: Any
) -> None:
    path = write_policy(tmp_path / "policy", "", *rest)
    for keys, met in (((), False), ((ONE,), met_by_one), ((ONE, TWO), met_by_both)):
        pack = pack_of(ledger, tools, tmp_path / f"pack{len(keys)}", *keys)
        assert verify(pack, "--policy", path, "--key", ledger.key.vkey())[0] == (0 if met else 1)


def test_each_changed_byte_of_a_cosigned_checkpoint_is_found(
    ledger: Any, tools: Any, tmp_path: Path, verify: Any, policy: Path
) -> None:
    content = cosigned(ledger.note(), ONE, TWO).encode()
    published = tools.write_directory(ledger.published() | {"cosigned": content}, tmp_path / "log")
    for place in range(len(content)):
        altered = bytearray(content)
        altered[place] ^= 1
        (published / "cosigned").write_bytes(altered)
        assert verify(published, "--policy", policy)[0] == 1, place
    for altered_note in (content[:-1], content + b"\n", b"", content.replace(b"\n7\n", b"\n8\n")):
        (published / "cosigned").write_bytes(altered_note)
        assert verify(published, "--policy", policy)[0] == 1


@pytest.mark.parametrize(
    "rest",
    [
        ("quorum nobody",), ("quorum one", "quorum two"), ("witness one x", "quorum one"), ("group g all", "quorum g"),
        ("group g 3 one two", "quorum g"), ("group g 0 one", "quorum g"), ("group g any one one", "quorum g"),
        ("group g any one", "group h any one", "quorum h"), ("group one any two", "quorum one"),
        (f"witness again {ONE.cosigner().vkey()}", "quorum again"), ("hello", "quorum one"),
        ("group g any none", "quorum g"), ("# no quorum",),
    ],
)  # fmt: skip
def test_a_policy_that_says_nothing_clear_is_unusable(
    rest: tuple[str, ...], ledger: Any, tools: Any, tmp_path: Path, verify: Any
) -> None:
    pack = pack_of(ledger, tools, tmp_path / "pack", ONE, TWO)
    assert verify(pack, "--policy", write_policy(tmp_path / "policy", ledger.key.vkey(), *rest))[0] == 2


def test_a_policy_out_of_the_material_is_refused(
    ledger: Any, tools: Any, tmp_path: Path, verify: Any, policy: Path
) -> None:
    published = tools.write_directory(ledger.published(), tmp_path / "log")
    (published / "policy").write_bytes(policy.read_bytes())
    status, report = verify(published, "--policy", published / "policy", "--key", ledger.key.vkey())
    assert status == 2 and codes(report) == {"input.trust"}


def ml_dsa(name: str) -> tuple[MLDSA44PrivateKey, str]:
    """A second key of a log (C2SP tlog-cosignature: kind 0x06), and its text form."""
    key = MLDSA44PrivateKey.from_seed_bytes(bytes([9] * 32))
    public = key.public_key().public_bytes_raw()
    return key, notes.format_key_text(name, notes.key_id(name, public, b"\x06"), public, b"\x06")


def ml_dsa_line(note: str, key: MLDSA44PrivateKey, vkey: str, root: bytes | None = None) -> str:
    text, _ = notes.split(note)
    head = checkpoints.parse(text)
    origin = head.origin.encode()
    name = bytes([len(origin)]) + origin
    message = b"subtree/v1\n\x00" + name + bytes(8) + name + bytes(8) + head.size.to_bytes(8) + (root or head.root)
    return notes.format_line(head.origin, bytes.fromhex(vkey.split("+")[1]), bytes(8) + key.sign(message))


def test_an_ml_dsa_signature_is_checked_when_its_key_is_given_and_passed_over_otherwise(
    ledger: Any, tools: Any, tmp_path: Path, verify: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, vkey = ml_dsa(ledger.key.name)
    both = ("--key", ledger.key.vkey(), "--key", vkey)
    published = tools.write_directory(ledger.published(), tmp_path / "log")
    assert codes(verify(published, *both)[1]) == {"checkpoint.unsigned"}
    (published / "checkpoint").write_text(ledger.note() + ml_dsa_line(ledger.note(), key, vkey))
    assert verify(published, *both)[0] == 0
    assert verify(published, "--key", ledger.key.vkey())[0] == 0
    (published / "checkpoint").write_text(ledger.note() + ml_dsa_line(ledger.note(), key, vkey, bytes(32)))
    assert codes(verify(published, *both)[1]) == {"checkpoint.signature"}
    assert verify(published, "--key", ledger.key.vkey())[0] == 0, "unknown signatures are passed over (C2SP)"
    monkeypatch.setattr(sojourn_verify, "mldsa", None)
    assert codes(verify(published, *both)[1]) == {"input.library"}
