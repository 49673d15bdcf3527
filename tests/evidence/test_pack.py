"""An evidence pack from a real ledger: whole, readable, the same every time, and verified by the verifier alone."""

from __future__ import annotations

import asyncio
import dataclasses
import io
import json
import re
import subprocess
import sys
import zipfile
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import sojourn_verify
from sojourn.domain.events import (
    AttemptRefused,
    DisposedClass,
    KeysDestroyed,
    RecordsDisposed,
    RequestApproved,
    RetentionChanged,
)
from sojourn.domain.history import Change
from sojourn.domain.identifiers import (
    ATTEMPTS,
    KEEPING,
    DisposalId,
    HoldId,
    SessionId,
    request_stream,
)
from sojourn.domain.sealed import RecordClass
from sojourn.errors import Code, SojournError
from sojourn.evidence.certificate import certificate_of
from sojourn.ledger import note as notes
from sojourn.ledger.cosignature import CosigningKey
from sojourn.scribe.client import read_entry
from sojourn.testing.scribe import KEY
from sojourn.workflow.adopt import adopt

from .recorded import (
    ALICE,
    BOB,
    CAROL,
    HOSTILE,
    REQUEST,
    SECRET,
    Record,
    catalogue,
    files_of,
    story_of,
    whole_story,
)


def _answers(pack: bytes) -> dict[str, str]:
    return {test["letter"]: test["answer"] for test in story_of(pack)["tests"]}


def _verify(pack: bytes, directory: Path) -> tuple[int, dict[str, Any]]:
    """What the verifier says, run as an auditor runs it: one file, no packages, nothing of ours on the path."""
    path = directory / "pack.zip"
    path.write_bytes(pack)
    assert sojourn_verify.__file__ is not None
    done = subprocess.run(
        [sys.executable, "-I", "-S", sojourn_verify.__file__, str(path), "--key", KEY.vkey(), "--json"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.returncode, json.loads(done.stdout)


async def test_a_pack_of_a_whole_access_verifies_offline(record: Record, tmp_path: Path) -> None:
    pack = await whole_story(record)
    status, report = _verify(pack, tmp_path)
    assert (status, report["problems"]) == (0, [])
    assert report["checked"]["streams"] == 6
    assert report["checked"]["attachments"] == 2
    assert report["checked"]["disclosed values"] == 6


async def test_whoever_is_confined_to_some_targets_gets_hashes_in_the_place_of_whole_configurations(
    record: Record, tmp_path: Path
) -> None:
    whole = files_of(await whole_story(record))
    pack = await record.pack(confined=True)
    status, report = _verify(pack, tmp_path)
    assert (status, report["problems"]) == (0, [])
    files = files_of(pack)
    left_out = {name.partition("/")[2] for name in whole if name.startswith("attachments/")}
    assert left_out and not any(name.startswith("attachments/") for name in files)
    story, before = story_of(pack), json.loads(whole["grant.json"])
    assert story["tests"] == before["tests"], "every test was made on the whole of it"
    told = "\n".join(story["package"]["redactions"])
    assert all(f"Its SHA-256 is {sha256}." in told for sha256 in left_out)
    assert all(
        any(sha256.encode() in data for name, data in files.items() if name.startswith("entries/"))
        for sha256 in left_out
    )
    assert b"attachments/" not in files["index.html"] and b"attachments/" in whole["index.html"]


async def test_an_altered_statement_is_named_by_the_verifier(record: Record, tmp_path: Path) -> None:
    files = files_of(await whole_story(record))
    name = next(name for name, data in files.items() if name.startswith("entries/") and b"action.completed" in data)
    files[name] = files[name].replace(b'"rows":3', b'"rows":2')
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    status, report = _verify(buffer.getvalue(), tmp_path)
    assert status == 1
    assert name in json.dumps(report["problems"])


async def test_the_story_says_who_asked_who_decided_what_was_done_and_how_it_ended(record: Record) -> None:
    story = story_of(await whole_story(record))
    assert (story["request"]["person"], story["request"]["reason"]) == ("alice", "INC-1")
    assert [(one["person"], one["decision"], one["comment"]) for one in story["decisions"]] == [
        ("bob", "approved", "go ahead")
    ]
    assert story["refused"][0]["code"] == "approval.self"
    assert "alice asked for this access" in story["refused"][0]["sentence"]
    assert story["access"]["privileges"] == ["SELECT on shop.orders", "CONNECT on shop"]
    assert (story["access"]["ended"]["cause"], story["access"]["ended"]["by"]) == ("revoked", "carol")
    assert story["access"]["removal_failed"][0]["problem"] == "the target is restarting"
    assert story["access"]["removed"]["sessions_terminated"] == 1
    first, second = story["sessions"]
    assert [action["text"] for action in first["actions"]] == [
        "select * from orders where id = $1",
        "update orders set total = 0",
    ]
    assert first["actions"][0]["binds"] == ["7", None, "base64:AAE="]
    assert (first["actions"][1]["sqlstate"], first["actions"][1]["outcome"]) == ("42501", "failed")
    assert first["closed"]["cut_lag_us"] == 12_300 and len(first["cancels"]) == 1
    assert second["actions"][0]["text"] == "select 1\n  from orders"


async def test_every_test_of_a_proper_access_passes(record: Record) -> None:
    assert _answers(await whole_story(record)) == dict.fromkeys("BCDEFHK", "pass") | dict.fromkeys(
        "AGIJLM", "not applicable"
    )


async def test_an_access_that_is_still_open_is_said_to_be(record: Record, tmp_path: Path) -> None:
    await record.ask_and_approve()
    await record.work(SessionId("s-0000000001"), ("select 1", None, ""), close=False)
    pack = await record.pack()
    assert _answers(pack)["H"] == "not applicable"
    page = files_of(pack)["index.html"].decode()
    assert "not yet" in page and "its end is not on record" in page
    assert _verify(pack, tmp_path)[0] == 0


async def test_an_access_that_was_never_used_is_said_to_be(record: Record) -> None:
    await record.ask_and_approve()
    await record.end()
    pack = await record.pack()
    assert _answers(pack)["F"] == "not applicable"
    assert "It was never used" in files_of(pack)["index.html"].decode()


async def test_an_approver_whom_the_policy_of_that_moment_does_not_name_fails_the_test(record: Record) -> None:
    await adopt(record.client, catalogue=catalogue(CAROL), files={"people.yaml": b"people: {} #"}, operator="root")
    await record.ask_and_approve(version=2)
    pack = await record.pack()
    assert _answers(pack)["C"] == "fail"
    reason = next(test["reason"] for test in story_of(pack)["tests"] if test["letter"] == "C")
    assert "version 2 does not name bob" in reason
    assert [one["version"] for one in story_of(pack)["configurations"]] == [1, 2]


async def test_a_requester_who_approved_fails_the_test(record: Record) -> None:
    await record.ask_and_approve(approver=ALICE)
    answers = _answers(await record.pack())
    assert (answers["D"], answers["C"]) == ("fail", "fail")


async def test_use_outside_the_window_fails_the_test(record: Record) -> None:
    record.now -= timedelta(hours=2)
    await record.ask_and_approve()
    await record.work(SessionId("s-0000000001"), ("select 1", None, ""))
    await record.end()
    answers = _answers(await record.pack())
    assert (answers["F"], answers["H"]) == ("fail", "fail")


async def test_the_same_ledger_gives_the_same_bytes(record: Record) -> None:
    assert await whole_story(record) == await record.pack()


async def test_what_is_sealed_to_the_gateway_is_in_no_pack(record: Record) -> None:
    pack = await whole_story(record)
    files = files_of(pack)
    for content in files.values():
        assert SECRET not in content
    disclosed = json.loads(files["disclosed.json"])
    sealed = [json.loads(files[name])["body"].get("secret") for name in files if name.startswith("entries/")]
    (secret,) = [one for one in sealed if one is not None]
    assert secret["commitment"] not in [one["commitment"] for one in disclosed]


async def test_no_refused_attempt_and_no_session_is_left_out_however_many_there_are(
    record: Record, tmp_path: Path
) -> None:
    await record.ask_and_approve()
    event = AttemptRefused(
        verb="approve",
        actor=ALICE,
        code=Code.APPROVAL_SELF,
        subject=request_stream(REQUEST),
        source="",
        details=(("approvers", "bob"), ("person", "alice")),
    )
    await record.client.append([Change(stream=ATTEMPTS, event=event, seen=None)] * 600)
    async with asyncio.TaskGroup() as group:
        for number in range(510):
            group.create_task(record.work(SessionId(f"s-{number:010d}")))
    pack = await record.pack()
    story = story_of(pack)
    assert (len(story["refused"]), len(story["sessions"])) == (601, 510)
    assert _verify(pack, tmp_path)[0] == 0


class _Page(HTMLParser):
    """What a browser would make of the page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember tags, attributes and where links lead."""
        self.tags.append(tag)
        self.attributes.update(name for name, _ in attrs)
        self.links.extend(value or "" for name, value in attrs if name in ("href", "src"))


async def test_hostile_text_is_shown_and_never_obeyed(record: Record) -> None:
    await record.refuse(HOSTILE, HOSTILE, Code.APPROVAL_SELF, {"person": HOSTILE, "approvers": HOSTILE})
    await record.ask_and_approve(reason=HOSTILE)
    await record.work(SessionId("s-0000000001"), (HOSTILE, [{"text": HOSTILE}], "42501"))
    await record.end()
    pack = await record.pack()
    text = files_of(pack)["index.html"].decode()
    page = _Page()
    page.feed(text)
    assert not {"script", "img", "iframe", "object", "form", "link"} & set(page.tags)
    assert not any(name.startswith("on") for name in page.attributes)
    assert not re.search("[\u0000-\u0008\u000e-\u001f\u2028-\u202e\u2066-\u2069]", text)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\\u202e\\u0007" in text
    assert "{{ 7*7 }}" in text
    assert story_of(pack)["request"]["reason"] == HOSTILE


async def test_every_link_of_the_page_leads_into_the_pack(record: Record) -> None:
    files = files_of(await whole_story(record))
    page = _Page()
    page.feed(files["index.html"].decode())
    assert page.links and set(page.links) <= set(files)
    entries = {name for name in files if name.startswith("entries/")}
    untold = entries - set(page.links)
    assert untold == set(), "each entry is told somewhere on the page"


async def test_a_value_whose_key_was_destroyed_is_said_to_be_shredded_and_breaks_no_proof(
    record: Record, tmp_path: Path
) -> None:
    lost = record.sealer.seal(ALICE, b"INC-1").sealed
    await record.ask_and_approve()
    comment = dataclasses.replace(
        RequestApproved(
            request=REQUEST,
            person=CAROL,
            digest="d" * 64,
            complete=False,
            activate_by=record.now,
            configuration_version=1,
            source="",
        ),
        comment=lost,
    )
    await record.say(request_stream(REQUEST), comment)
    pack = await record.pack()
    assert story_of(pack)["decisions"][1]["comment"] == "(missing)"
    assert _verify(pack, tmp_path)[0] == 0
    await record.say(
        KEEPING,
        KeysDestroyed(
            cause="sh-1",
            person=ALICE,
            record_class=RecordClass.REASON,
            keys=tuple(key.key for key in await record.client.keys(ALICE)),
            values=4,
        ),
    )
    pack = await record.pack()
    story = story_of(pack)
    assert story["request"]["reason"] == "(shredded)"
    assert [(one["cause"], one["record_class"], one["values"]) for one in story["shredded"]] == [("sh-1", "reason", 4)]
    assert "What was shredded" in files_of(pack)["index.html"].decode()
    assert _verify(pack, tmp_path)[0] == 0


async def test_every_way_to_say_an_action_is_told_and_a_missing_outcome_is_seen(record: Record) -> None:
    """The forms are those that the gateway writes, and one that no version of it ever wrote."""
    session = SessionId("s-0000000001")
    details = {
        b'{"text":"select 1"}': ("select 1", None),
        b'{"text_base64":"/w=="}': ("text_base64: /w==", None),
        b'{"statement":"s1"}': ("statement: s1", None),
        b'{"portal":"c1"}': ("portal: c1", None),
        b'{"binds":[{"text_base64":"/w=="},null],"function_oid":1598}': ("function_oid: 1598", ["base64:/w==", None]),
        b'{"binds":[],"portal":"","statement":"s","text":"select $1"}': ("select $1", []),
        b'{"text":""}': ("", None),
        b"{}": ("", None),
        b"not JSON \xff": ("not JSON \\xff", None),
        b'{"text":7}': ('{"text":7}', None),
    }
    await record.ask_and_approve()
    await record.work(session, close=False)
    for number, detail in enumerate(details, 1):
        await record.intend(session, number, detail)
    pack = await record.pack()
    actions = story_of(pack)["sessions"][0]["actions"]
    assert [(one["text"], one["binds"]) for one in actions] == list(details.values())
    assert {one["outcome"] for one in actions} == {None}
    assert files_of(pack)["index.html"].decode().count("none on record") == len(details)


async def test_a_grant_that_never_was_has_no_evidence(record: Record) -> None:
    with pytest.raises(SojournError) as raised:
        await record.pack("g-9999999999")
    assert raised.value.code is Code.GRANT_UNKNOWN


async def test_the_certificate_of_a_disposal_says_what_went_by_which_rule_and_verifies(
    record: Record, tmp_path: Path
) -> None:
    record.seal("an old reason")
    await record.ask_and_approve()
    keys = tuple(key.key for key in await record.client.keys(ALICE))
    shortened = RetentionChanged(
        record_class=RecordClass.REASON, days=400, days_before=2557, requested_by=BOB, confirmed_by=CAROL, source=""
    )
    disposed = RecordsDisposed(
        disposal=DisposalId("d-1"),
        disposed_by=CAROL,
        classes=(
            DisposedClass(
                record_class=RecordClass.REASON,
                days=400,
                sealed_before=record.now,
                keys=len(keys),
                values=2,
                held_keys=3,
            ),
        ),
        holds=(HoldId("h-1"),),
        register_version=1,
        source="",
    )
    tombstone = KeysDestroyed(cause="d-1", person=ALICE, record_class=RecordClass.REASON, keys=keys, values=2)
    await record.say(KEEPING, shortened, disposed, tombstone)
    content = await certificate_of("d-1", ledger=record.client, read_entry=read_entry, cosigned=lambda: record.cosigned)
    files = files_of(content)
    text = files["certificate.txt"].decode()
    for said in (
        "Certificate of disposal d-1",
        f"Done by       {CAROL}",
        "reason is kept for 400 days",
        "Held          3 keys of class reason stay",
        f"{len(keys)} sealing keys; 2 values no longer open",
    ):
        assert said in text
    assert len([name for name in files if name.startswith("entries/")]) == 3
    assert _verify(content, tmp_path)[0] == 0
    with pytest.raises(SojournError) as error:
        await certificate_of("d-2", ledger=record.client, read_entry=read_entry, cosigned=lambda: record.cosigned)
    assert error.value.code is Code.DISPOSAL_UNKNOWN


async def test_a_pack_carries_the_cosigned_checkpoint_where_witnesses_saw_all_of_it(
    record: Record, tmp_path: Path
) -> None:
    await whole_story(record)
    witness = CosigningKey.generate("witness.example/one", bytes([1] * 32))
    policy = tmp_path / "policy"
    policy.write_text(f"log {KEY.vkey()}\nwitness one {witness.cosigner().vkey()}\nquorum one\n")

    def verified(pack: bytes) -> bool:
        (tmp_path / "pack.zip").write_bytes(pack)
        return sojourn_verify.main([str(tmp_path / "pack.zip"), "--policy", str(policy)]) == 0

    assert not verified(await record.pack()), "no witness has seen anything yet"
    note = await record.client.sign()
    record.cosigned = note + witness.cosign(notes.split(note)[0], 1_790_000_000)
    await record.work(SessionId("s-0000000009"))
    assert not verified(await record.pack()), "the newest session was not cosigned yet"
    note = await record.client.sign()
    record.cosigned = note + witness.cosign(notes.split(note)[0], 1_790_000_009)
    assert verified(await record.pack())
