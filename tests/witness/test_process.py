"""The witness as a process: the HTTP of C2SP tlog-witness, what it remembers, and what it keeps of a liar."""

from __future__ import annotations

import io
import json
import socket
import sqlite3
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from sojourn.cli.program import run
from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger import cosignature as cosignatures
from sojourn.ledger.cosignature import Cosigner, CosigningKey
from sojourn.ledger.note import SigningKey
from sojourn.ledger.submission import submit
from sojourn.testing.log import LOG_KEY, MemoryLog
from sojourn.testing.witness import WitnessProcess
from sojourn.witness.layout import WitnessLayout, read_key
from sojourn.witness.store import Store

LOG = MemoryLog().grow(300)
FORK = MemoryLog(history="b", forked_at=5).grow(40)


def body(log: MemoryLog, old: int, new: int) -> bytes:
    return submit(log.note(new), old=old, proof=log.proof(old, new)).format()


@dataclass(frozen=True)
class Told:
    returncode: int
    stdout: str
    stderr: str


def command(witness: WitnessProcess, *words: str) -> Told:
    """`sojourn witness …`, in this process."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = run(["witness", *words, "--data", str(witness.layout.root)])
    return Told(code, out.getvalue(), err.getvalue())


def latest(witness: WitnessProcess) -> str:
    return httpx2.get(f"{witness.url}/checkpoint/{LOG_KEY.name}").text


def test_a_log_is_followed_and_each_checkpoint_is_cosigned(witness: WitnessProcess) -> None:
    before = int(time.time())
    for old, new in ((0, 1), (1, 7), (7, 7), (7, 300)):
        answer = witness.post(body(LOG, old, new))
        assert answer.status_code == 200, answer.text
        found = cosignatures.read_answer(LOG.note(new), answer.text, witness.cosigner)
        assert before <= found.seconds <= time.time()
        assert latest(witness) == LOG.note(new) + answer.text
    assert checkpoints.open(latest(witness), LOG_KEY.verifier()) == LOG.checkpoint(300)


def test_each_refusal_has_the_status_of_the_specification(witness: WitnessProcess) -> None:
    assert witness.post(body(LOG, 0, 7)).status_code == 200
    stranger = MemoryLog(key=SigningKey.generate("other.example/log", bytes(32)))
    forger = MemoryLog(key=SigningKey.generate(LOG_KEY.name, bytes(32)))
    assert witness.post(b"nonsense").status_code == 400
    assert witness.post(submit(LOG.note(8), old=9, proof=()).format()).status_code == 400
    assert witness.post(body(stranger, 0, 3)).status_code == 404
    assert witness.post(body(forger, 7, 9)).status_code == 403
    assert witness.post(submit(LOG.note(9), old=7, proof=()).format()).status_code == 422
    stale = witness.post(body(LOG, 3, 9))
    assert (stale.status_code, stale.headers["Content-Type"], stale.text) == (409, "text/x.tlog.size", "7\n")
    assert witness.post(b"x" * 70_000).status_code == 413
    assert httpx2.get(f"{witness.url}/checkpoint/other.example/log").status_code == 404
    assert httpx2.get(f"{witness.url}/add-checkpoint").status_code == 405
    assert httpx2.get(witness.url).text == witness.cosigner.vkey() + "\n"
    assert latest(witness).startswith(LOG.checkpoint(7).format())


def test_a_fork_is_refused_and_both_sides_are_kept_for_a_judge(witness: WitnessProcess) -> None:
    for old, new in ((0, 3), (3, 9), (9, 20)):
        assert witness.post(body(LOG, old, new)).status_code == 200
    for _ in range(2):
        answer = witness.post(body(FORK, 3, 9))
        assert (answer.status_code, answer.text) == (409, "20\n")
    listed = command(witness, "evidence", "--json")
    assert listed.returncode == 1
    (one,) = json.loads(listed.stdout)["evidence"]
    assert (one["kind"], one["origin"], one["held_size"], one["offered_size"]) == ("fork", LOG_KEY.name, 20, 9)
    folder = witness.layout.evidence / one["folder"]
    # A stranger needs the log's public key and these two files, and no word of the witness.
    sides = [checkpoints.open((folder / name).read_text(), LOG_KEY.verifier()) for name in ("held", "offered")]
    assert sides[0].size == sides[1].size == 9 and sides[0].root != sides[1].root
    assert cosignatures.verify((folder / "held").read_text(), [witness.cosigner])
    assert (folder / "proof").read_text().startswith("old 3\n")
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in folder.iterdir())


def test_a_rollback_and_a_false_proof_are_kept_and_a_repetition_is_not(witness: WitnessProcess) -> None:
    for old, new in ((0, 3), (3, 20)):
        assert witness.post(body(LOG, old, new)).status_code == 200
    assert witness.post(body(LOG, 0, 3)).status_code == 409
    assert "no contradiction" in command(witness, "evidence").stdout
    assert witness.post(body(LOG, 3, 12)).status_code == 409
    assert witness.post(body(FORK, 20, 30)).status_code == 422
    shown = command(witness, "evidence")
    assert shown.returncode == 1 and "rollback" in shown.stdout and "inconsistent" in shown.stdout
    assert json.loads(command(witness, "show", "--json").stdout)["logs"][0]["contradictions"] == 2


def test_what_was_cosigned_survives_a_power_cut_and_a_rollback_after_it_is_refused(witness: WitnessProcess) -> None:
    assert witness.post(body(LOG, 0, 9)).status_code == 200
    before = latest(witness)
    witness.kill()
    witness.start()
    assert latest(witness) == before
    assert witness.post(body(FORK, 0, 9)).text == "9\n"
    assert witness.post(body(LOG, 9, 12)).status_code == 200


def test_of_many_that_come_at_once_one_is_the_first(witness: WitnessProcess) -> None:
    bodies = [body(LOG, 0, 9), body(FORK, 0, 9)] * 8
    with ThreadPoolExecutor(16) as pool:
        codes = list(pool.map(lambda one: witness.post(one).status_code, bodies))
    assert codes.count(200) == 1 and set(codes) == {200, 409}
    first = (LOG, FORK)[codes.index(200) % 2]
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda size: witness.post(body(first, 9, size)).status_code, range(10, 26)))
    won = int(latest(witness).split("\n")[1])
    assert answers.count(200) == 1 and answers[won - 10] == 200 and set(answers) == {200, 409}


def test_a_log_is_added_while_the_witness_runs(witness: WitnessProcess) -> None:
    other = MemoryLog(key=SigningKey.generate("other.example/log", bytes(32)))
    assert witness.post(body(other, 0, 3)).status_code == 404
    added = command(witness, "add-log", other.key.vkey())
    assert added.returncode == 0 and "from now on" in added.stdout
    assert "was known" in command(witness, "add-log", other.key.vkey()).stdout
    assert witness.post(body(other, 0, 3)).status_code == 200
    shown = json.loads(command(witness, "show", "--json").stdout)
    assert [(one["origin"], one["size"]) for one in shown["logs"]] == [(LOG_KEY.name, None), ("other.example/log", 3)]
    assert "other.example/log" in command(witness, "show").stdout


def test_signatures_of_strangers_are_not_kept_with_the_checkpoint(witness: WitnessProcess) -> None:
    stranger = SigningKey.generate("advert.example/x", bytes(32))
    note = LOG.note(3) + stranger.signature_line(LOG.checkpoint(3).format())
    assert witness.post(submit(note, old=0, proof=()).format()).status_code == 200
    assert "advert" not in latest(witness)


def test_two_processes_do_not_serve_one_witness(witness: WitnessProcess) -> None:
    second = command(witness, "serve", "--port", "0")
    assert second.returncode == 7 and "witness.busy" in second.stderr


def test_a_witness_that_lost_its_memory_does_not_start(witness: WitnessProcess) -> None:
    assert witness.stop() == 0
    witness.layout.database.unlink()
    refused = command(witness, "serve", "--port", "0")
    assert refused.returncode == 1 and "witness.damaged" in refused.stderr and "given up" in refused.stderr


def test_a_witness_whose_memory_is_damaged_does_not_start(witness: WitnessProcess) -> None:
    assert witness.stop() == 0
    witness.layout.database.write_bytes(b"not a database" * 1000)
    assert "witness.damaged" in command(witness, "serve", "--port", "0").stderr


def test_a_key_that_others_can_read_is_not_used(witness: WitnessProcess) -> None:
    assert witness.stop() == 0
    assert stat.S_IMODE(witness.layout.key.stat().st_mode) == 0o600
    witness.layout.key.chmod(0o644)
    assert "data.directory_open" in command(witness, "serve", "--port", "0").stderr


def test_a_witness_is_made_with_a_key_of_its_own(tmp_path: Path) -> None:
    made = WitnessProcess(
        layout=WitnessLayout(root=tmp_path / "w"), cosigner=CosigningKey.generate("x", bytes(32)).cosigner()
    )
    first = command(made, "init", "--name", "witness.example/w1")
    key = made.layout.key.read_bytes()
    assert first.returncode == 0 and Cosigner.parse(first.stdout).name == "witness.example/w1"
    assert read_key(made.layout).cosigner().vkey() + "\n" == first.stdout
    again = command(made, "init", "--name", "other.example/w")
    assert again.returncode == 7 and made.layout.key.read_bytes() == key
    assert command(made, "init", "--name", "a name").returncode == 2


@pytest.mark.parametrize("words", [("show",), ("evidence",), ("serve",), ("add-log", LOG_KEY.vkey())])
def test_a_directory_without_a_witness_is_told_as_such(tmp_path: Path, words: tuple[str, ...]) -> None:
    cosigner = CosigningKey.generate("x", bytes(32)).cosigner()
    asked = command(WitnessProcess(layout=WitnessLayout(root=tmp_path), cosigner=cosigner), *words)
    assert asked.returncode == 5 and "witness.missing" in asked.stderr


def test_a_caller_who_sends_slowly_holds_up_nobody(witness: WitnessProcess) -> None:
    with socket.create_connection(("127.0.0.1", witness.port)) as slow:
        slow.sendall(b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: 1000\r\n\r\nold ")
        assert witness.post(body(LOG, 0, 3)).status_code == 200
        slow.settimeout(30)
        assert b" 408 " in slow.recv(100)


def test_the_database_itself_refuses_to_go_back(tmp_path: Path) -> None:
    store = Store(tmp_path / "witness.db")
    store.keep(LOG.checkpoint(9), note="n", seconds=100)
    for checkpoint, seconds in ((LOG.checkpoint(8), 200), (LOG.checkpoint(10), 99), (FORK.checkpoint(9), 200)):
        with pytest.raises(sqlite3.IntegrityError):
            store.keep(checkpoint, note="n", seconds=seconds)
    store.close()
    connection = sqlite3.connect(tmp_path / "witness.db")
    for statement in (
        "DELETE FROM cosigned",
        "UPDATE cosigned SET root = zeroblob(32)",
        "DELETE FROM latest",
        "UPDATE latest SET size = 1",
        "INSERT OR REPLACE INTO latest VALUES ('sojourn.example/ledger', 1, 100, 'n')",
        "INSERT OR REPLACE INTO cosigned VALUES ('sojourn.example/ledger', 9, zeroblob(32), 'n')",
    ):
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute(statement)
    connection.close()
