"""Files through the gateway by sftp, scp and rsync: every operation with its path, bytes and hash."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.domain import cast
from sojourn.domain.events import ActionCompleted, ActionIntended, ChunkRecorded, Outcome
from sojourn.domain.identifiers import RoleName
from sojourn.domain.ssh import Files
from sojourn.domain.target import Role
from sojourn.gateway.ssh.scp import Copies, Scp, scp_of
from sojourn.gateway.ssh.sftp import Reader, SftpError, Splitter, request_of
from sojourn.testing.gateway import SlowLedger
from sojourn.testing.ssh import SshUnderTest, run, shell, ssh_gateway
from sojourn.testing.sshd import Sshd

from .conftest import Place


async def _done(door: SshUnderTest) -> list[tuple[ActionIntended, dict[str, object], ActionCompleted]]:
    return [one for one in await door.record.actions() if one[0].protocol == "sftp"]


async def _moved(door: SshUnderTest) -> list[tuple[ActionIntended, dict[str, object], ActionCompleted]]:
    """What was done with files themselves, by either protocol."""
    done = [one for one in await door.record.actions() if one[0].protocol in ("sftp", "scp")]
    return [one for one in done if one[0].verb in ("read", "write")]


async def test_each_operation_of_sftp_is_on_record_with_path_and_hash(door: SshUnderTest, files: Place) -> None:
    await door.access()
    content = os.urandom(300_000)
    (files.here / "big").write_bytes(content)
    batch = f"put {files.here}/big {files.there}/s\nget {files.there}/s {files.here}/back\nrename {files.there}/s"
    batch += f" {files.there}/t\nmkdir {files.there}/d\nrmdir {files.there}/d\nrm {files.there}/t\n"
    ran = await run(
        ["sftp", "-F", "none", *door.options(await door.key()), "-b", "-", "127.0.0.1"], stdin=batch.encode()
    )
    assert ran.status == 0, ran.err
    assert (files.here / "back").read_bytes() == content
    await door.record.closed()
    done = await _done(door)
    said = [(one.verb, one.objects[0].rpartition("/")[2]) for one, _, _ in done]
    did = [("write", "s"), ("read", "s"), ("rename", "s"), ("mkdir", "d"), ("rmdir", "d"), ("remove", "t")]
    assert [one for one in said if one[0] not in ("list", "setstat")] == did
    digest = hashlib.sha256(content).hexdigest()
    by_verb = {one.verb: outcome for one, _, outcome in done}
    assert by_verb["write"].tags == (f"written 300000 bytes sha256 {digest}",)
    assert by_verb["read"].tags == (f"read 300000 bytes sha256 {digest}",)
    assert all(outcome.outcome is Outcome.COMPLETED for _, _, outcome in done)


async def test_scp_in_both_of_its_protocols_brings_what_was_sent(door: SshUnderTest, files: Place) -> None:
    await door.access()
    content = os.urandom(200_000)
    (files.here / "big").write_bytes(content)
    options = ["scp", "-F", "none", *door.options(await door.key())]
    for way, name in ((), "new"), (("-O",), "old"):
        assert (await run([*options, *way, files.here / "big", f"127.0.0.1:{files.there}/{name}"])).status == 0
        assert (files.there / name).read_bytes() == content
        assert (await run([*options, *way, f"127.0.0.1:{files.there}/{name}", files.here / name])).status == 0
        assert (files.here / name).read_bytes() == content
    await door.record.closed(4)
    digest = hashlib.sha256(content).hexdigest()
    said = [
        (one.protocol, one.verb, one.objects[0].rpartition("/")[2], outcome.tags)
        for one, _, outcome in await _moved(door)
    ]
    assert sorted(said) == [
        ("scp", "read", "old", (f"read 200000 bytes sha256 {digest}",)),
        # What it was called here; the command names the place there.
        ("scp", "write", "big", (f"written 200000 bytes sha256 {digest}",)),
        ("sftp", "read", "new", (f"read 200000 bytes sha256 {digest}",)),
        ("sftp", "write", "new", (f"written 200000 bytes sha256 {digest}",)),
    ]


async def test_each_file_of_a_tree_by_the_old_scp_is_on_record_and_so_is_one_that_did_not_end(
    door: SshUnderTest, files: Place
) -> None:
    await door.access()
    tree = {"a": b"", "b/c": b"one\n", "b/d/e": os.urandom(100_000)}
    for name, content in tree.items():
        (files.here / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
        (files.here / "tree" / name).write_bytes(content)
    key = await door.key()
    options = ["-F", "none", *door.options(key)]
    copied = await run(["scp", "-O", "-p", "-r", *options, files.here / "tree", f"127.0.0.1:{files.there}/"])
    assert copied.status == 0, copied.err
    broken = b"C0644 1000000 half\n" + b"x" * 400_000
    await door.ssh(key, f"scp -t {files.there}/", stdin=broken)
    await door.record.closed(2)
    moved = await _moved(door)
    found = {one.objects[0]: (outcome.outcome, outcome.tags[0]) for one, _, outcome in moved}
    whole = {
        f"tree/{name}": (
            Outcome.COMPLETED,
            f"written {len(content)} bytes sha256 {hashlib.sha256(content).hexdigest()}",
        )
        for name, content in tree.items()
    }
    half = hashlib.sha256(b"x" * 400_000).hexdigest()
    assert found == {**whole, "half": (Outcome.INTERRUPTED, f"written 400000 bytes sha256 {half}")}
    assert all(one.objects[1] == f"{files.there}/" for one, _, _ in moved)


@given(
    st.lists(
        st.tuples(st.text(st.characters(codec="ascii", exclude_characters="\n/"), min_size=1), st.binary(max_size=50))
    ),
    st.integers(1, 9),
)
def test_files_by_the_old_scp_are_the_same_however_they_arrive(sent: list[tuple[str, bytes]], step: int) -> None:
    stream = b"".join(b"C0644 %d %s\n%s\0" % (len(body), name.encode(), body) for name, body in sent)
    copies, found = Copies(), []
    for place in range(0, len(stream), step):
        found += copies.feed(stream[place : place + step])
    assert [(one.name, str(one.flow)) for one in found] == [
        (name, f"{len(body)} bytes sha256 {hashlib.sha256(body).hexdigest()}") for name, body in sent
    ]
    assert copies.left() is None


@given(st.lists(st.binary(max_size=60)))
def test_whatever_calls_itself_a_copy_is_read_or_left_unread(stream: list[bytes]) -> None:
    copies = Copies()
    taken = sum(one.flow.size for data in stream for one in copies.feed(data))
    assert taken <= sum(map(len, stream))


@pytest.mark.parametrize(
    ("command", "found"),
    [
        ("scp -t /srv/site", Scp(writes=True, place="/srv/site")),
        ("/usr/bin/scp -v -r -p -d -t -- '/a b/'", Scp(writes=True, place="/a b/")),
        ("scp -qrf x y", Scp(writes=False, place="x y")),
        ("scp a b", None),
        ("scp -t", None),
        ("scp -t -f x", None),
        ("tar -tf x", None),
        ("scp -t 'x", None),
        ("", None),
    ],
    ids=[
        "to",
        "to, all flags",
        "from two",
        "a copy there",
        "nowhere",
        "both",
        "another program",
        "half a quote",
        "none",
    ],
)
def test_a_command_is_known_as_a_copy_by_what_every_scp_asks(command: str, found: Scp | None) -> None:
    assert scp_of(command) == found


async def test_an_error_of_the_host_is_an_error_of_the_action(door: SshUnderTest) -> None:
    await door.access()
    batch = b"get /nonexistent x\n"
    ran = await run(["sftp", "-F", "none", *door.options(await door.key()), "-b", "-", "127.0.0.1"], stdin=batch)
    assert ran.status == 1
    await door.record.closed()
    assert not [one for one in await _done(door) if one[2].outcome is Outcome.COMPLETED and one[0].verb == "read"]


async def test_a_role_that_reads_files_cannot_write_them_and_the_host_says_so(door: SshUnderTest, files: Place) -> None:
    await door.access("reader")
    (files.here / "big").write_bytes(b"x")
    (files.there / "read").write_bytes(b"there")
    options = ["-F", "none", *door.options(await door.key())]
    got = await run(["scp", *options, f"127.0.0.1:{files.there}/read", files.here / "read"])
    assert got.status == 0, got.err
    put = await run(["scp", *options, files.here / "big", f"127.0.0.1:{files.there}/new"])
    assert put.status != 0
    assert not (files.there / "new").exists()
    await door.record.closed(2)
    failed = [(one.verb, outcome.outcome) for one, _, outcome in await _done(door) if outcome.outcome is Outcome.FAILED]
    assert failed == [("write", Outcome.FAILED)]


@pytest.mark.parametrize("program", ["sftp", "scp", "rsync", "cat > file"])
async def test_who_may_not_transfer_files_is_refused_on_record(door: SshUnderTest, files: Place, program: str) -> None:
    await door.access("restarter")
    (files.here / "big").write_bytes(b"x")
    options = ["-F", "none", *door.options(await door.key())]
    there = f"127.0.0.1:{files.there}/refused"
    match program:
        case "sftp":
            ran = await run(["sftp", *options, "-b", "-", "127.0.0.1"], stdin=b"ls\n")
        case "scp":
            ran = await run(["scp", *options, files.here / "big", there])
        case "rsync":
            ssh = " ".join(("ssh", *(f"'{one}'" for one in options)))
            ran = await run(["rsync", "-e", ssh, files.here / "big", there])
        case _:
            ran = await run(["ssh", *options, "127.0.0.1", f"cat > {files.there}/refused"], stdin=b"x")
    assert ran.status != 0
    assert not (files.there / "refused").exists()
    await door.record.closed()
    refused = [outcome for _, _, outcome in await door.record.actions() if outcome.tags == ("refused",)]
    assert len(refused) == 1


async def test_rsync_and_a_pipe_of_tar_bring_a_tree(door: SshUnderTest, files: Place) -> None:
    await door.access()
    tree = files.here / "tree" / "a"
    tree.mkdir(parents=True)
    for number in range(20):
        (tree / str(number)).write_text(str(number))
    options = ["-F", "none", *door.options(await door.key())]
    ssh = " ".join(("ssh", *(f"'{one}'" for one in options)))
    ran = await run(["rsync", "-a", "-e", ssh, f"{files.here}/tree/", f"127.0.0.1:{files.there}/rs/"])
    assert ran.status == 0, ran.err
    assert sorted(path.name for path in (files.there / "rs" / "a").iterdir()) == sorted(map(str, range(20)))
    packed = await run(["tar", "c", "-C", files.here, "tree"])
    piped = await run(["ssh", *options, "127.0.0.1", f"tar x -C {files.there}"], stdin=packed.out)
    assert piped.status == 0
    assert (files.there / "tree" / "a" / "7").read_text() == "7"


def _packet(kind: int, body: bytes) -> bytes:
    return (len(body) + 1).to_bytes(4, "big") + bytes([kind]) + body


@given(st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=60)), max_size=8), st.integers(1, 9))
def test_packets_are_the_same_however_they_arrive(packets: list[tuple[int, bytes]], step: int) -> None:
    stream = b"".join(_packet(kind, body) for kind, body in packets)
    splitter, found = Splitter(), []
    for place in range(0, len(stream), step):
        found += splitter.feed(stream[place : place + step])
    assert [(one.kind, one.body) for one in found] == packets
    assert b"".join(one.raw for one in found) == stream


@given(st.integers(0, 255), st.binary(max_size=200))
def test_no_packet_raises_anything_but_what_it_may(kind: int, body: bytes) -> None:
    for packet in Splitter().feed(_packet(kind, body)):
        try:
            request_of(packet)
            Reader(packet.body).string()
        except SftpError:
            continue


def test_a_packet_that_is_larger_than_any_is_refused() -> None:
    with pytest.raises(SftpError):
        Splitter().feed(b"\xff\xff\xff\xff\x01")


@pytest.mark.parametrize("size", [0, 1, 100_003, 900_000])
async def test_the_content_of_files_is_kept_exactly_if_the_role_says_so(
    place: Path, host: Sshd, ledger: SlowLedger, files: Place, size: int
) -> None:
    held = (Role(name=RoleName("kept"), host=shell(files=Files.WRITE, kept_file_bytes=1 << 20), connections_max=5),)
    content = hashlib.shake_256(b"content").digest(size)
    sent, back = files.here / "sent", files.here / "back"
    sent.write_bytes(content)
    async with ssh_gateway(place, host, ledger, held=held) as door:
        await door.access("kept")
        key = await door.key()
        scp = ["scp", "-s", "-F", "none", *door.options(key)]
        assert (await run([*scp, sent, f"127.0.0.1:{files.there}/sent"])).status == 0
        assert (await run([*scp, f"127.0.0.1:{files.there}/sent", back])).status == 0
        assert back.read_bytes() == content
        await door.record.closed(2)
        chunks = await door.found(ChunkRecorded)
        lines = [cast.unpack(await door.record.opened(one.content)) for one in chunks]
    kept = {"i": b"", "o": b""}
    for one in cast.moments(line for part in lines for line in part):
        if one.code in kept:
            kept[one.code] += cast.raw(one.text)
    assert kept == {"i": content, "o": content}


async def test_of_a_large_file_as_much_is_kept_as_the_role_says(
    place: Path, host: Sshd, ledger: SlowLedger, files: Place
) -> None:
    held = (Role(name=RoleName("kept"), host=shell(files=Files.WRITE, kept_file_bytes=1000), connections_max=5),)
    sent = files.here / "sent"
    sent.write_bytes(b"x" * 5_000_000)
    async with ssh_gateway(place, host, ledger, held=held) as door:
        await door.access("kept")
        scp = ["scp", "-s", "-F", "none", *door.options(await door.key())]
        assert (await run([*scp, sent, f"127.0.0.1:{files.there}/sent"])).status == 0
        await door.record.closed()
        chunks = await door.found(ChunkRecorded)
        lines = [cast.unpack(await door.record.opened(one.content)) for one in chunks]
        moments = list(cast.moments(line for part in lines for line in part))
        assert sum(len(one.text) for one in moments if one.code == "i") == 1000
        outcomes = [outcome.bytes_in for one, _, outcome in await door.record.actions() if one.verb == "write"]
    assert outcomes == [5_000_000]


async def test_without_a_word_of_the_role_no_content_of_files_is_kept(door: SshUnderTest, files: Place) -> None:
    await door.access()
    sent = files.here / "sent"
    sent.write_text("not kept")
    scp = ["scp", "-s", "-F", "none", *door.options(await door.key())]
    assert (await run([*scp, sent, f"127.0.0.1:{files.there}/sent"])).status == 0
    await door.record.closed()
    assert await door.found(ChunkRecorded) == []
