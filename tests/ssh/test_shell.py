"""What a client does in a session besides running a command: sizes, signals, variables, a menu in place of a shell."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncssh
import pytest

from sojourn.domain import cast
from sojourn.domain.events import ChunkRecorded, GrantProvisioned, Outcome
from sojourn.domain.ssh import HostAccess
from sojourn.testing.gateway import SlowLedger
from sojourn.testing.ssh import SshUnderTest, roles, run, shell, ssh_gateway
from sojourn.testing.sshd import ACCOUNT, Sshd

from .conftest import Place


@asynccontextmanager
async def connected(door: SshUnderTest, user: str = "web-1") -> AsyncIterator[asyncssh.SSHClientConnection]:
    """A connection of asyncssh's client."""
    async with asyncssh.connect(
        "127.0.0.1",
        door.port,
        username=user,
        client_keys=[str(await door.key())],
        known_hosts=None,
        config=None,
        agent_path=None,
    ) as connection:
        yield connection


async def _moments(door: SshUnderTest, number: int = 1) -> tuple[dict[str, object], list[cast.Moment]]:
    """The header of an action's recording, and its events."""
    chunks = [one for one in await door.found(ChunkRecorded) if one.number == number]
    lines = [line for one in chunks for line in cast.unpack(await door.record.opened(one.content))]
    return json.loads(lines[0]), list(cast.moments(lines))


async def test_a_terminal_has_the_size_of_the_clients_window_and_follows_it(door: SshUnderTest) -> None:
    await door.access()
    async with connected(door) as connection:
        process = await connection.create_process(
            "stty size; read line; stty size", term_type="xterm", term_size=(80, 30)
        )
        async with asyncio.timeout(30):
            assert (await process.stdout.readline()).strip() == "30 80"
            process.change_terminal_size(132, 43)
            process.stdin.write("\n")
            assert "43 132" in await process.stdout.read()
    await door.record.closed()
    header, moments = await _moments(door)
    assert header["term"] == {"cols": 80, "rows": 30, "type": "xterm"}
    assert [one.text for one in moments if one.code == "r"] == ["132x43"]
    resized = next(place for place, one in enumerate(moments) if one.code == "r")
    assert "43 132" in "".join(one.text for one in moments[resized:] if one.code == "o")


@pytest.mark.parametrize("terminal", ["xterm", None], ids=["terminal of no size", "no terminal"])
async def test_a_recording_of_no_size_has_one_that_players_can_show(door: SshUnderTest, terminal: str | None) -> None:
    await door.access()
    async with connected(door) as connection:
        assert (await connection.run("echo said", term_type=terminal, term_size=(0, 0))).exit_status == 0
    await door.record.closed()
    header, _ = await _moments(door)
    assert header["term"] == {"cols": 80, "rows": 24, "type": terminal or ""}


async def test_a_signal_of_the_client_reaches_what_runs(door: SshUnderTest) -> None:
    await door.access()
    async with connected(door) as connection:
        process = await connection.create_process(
            "trap 'echo got; exit 9' USR1; echo ready; while :; do sleep 0.05; done"
        )
        async with asyncio.timeout(30):
            assert await process.stdout.readline() == "ready\n"
            process.send_signal("USR1")
            assert await process.stdout.read() == "got\n"
            assert (await process.wait()).exit_status == 9


async def test_a_second_channel_of_a_connection_is_recorded_like_the_first(door: SshUnderTest) -> None:
    """Also when the first says that it copies files, and when a long silence comes before what is said."""
    await door.access()
    async with connected(door) as connection:
        first = await connection.create_process("scp -t /tmp/x")
        second = await connection.run("echo before; sleep 2; echo after-$((20+3))", term_type="xterm")
        assert "after-23" in str(second.stdout)
        first.close()
    await door.record.closed()
    acted = {intended.verb: detail for intended, detail, _ in await door.record.actions()}
    assert set(acted) == {"exec"}
    _, moments = await _moments(door, 2)
    shown = [one for one in moments if one.code == "o"]
    assert "after-23" in "".join(one.text for one in shown)
    assert sum(one.interval for one in moments) > 1.9


@pytest.mark.parametrize("subsystem", ["bash", "sftp;bash", "../../bin/bash"])
async def test_a_subsystem_that_is_none_is_refused_on_record(door: SshUnderTest, subsystem: str) -> None:
    await door.access()
    async with connected(door) as connection:
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.create_process(subsystem=subsystem, term_type="xterm")
    await door.record.closed()
    ((intended, _, outcome),) = await door.record.actions()
    assert (intended.verb, outcome.outcome, outcome.tags) == ("subsystem", Outcome.SKIPPED, ("refused",))


async def test_variables_that_the_role_names_reach_the_host(place: Path, host: Sshd, ledger: SlowLedger) -> None:
    held = roles(exact=shell(environment=("GW_TEST",)), pattern=shell(environment=("GW_*",)))
    async with ssh_gateway(place, host, ledger, held=held) as door:
        for role in ("exact", "pattern"):
            await door.access(role)
            set_both = ["-l", f"web-1+{role}", "-o", "SetEnv=GW_TEST=seen OTHER=unseen"]
            assert (await door.ssh(await door.key(), *set_both, "echo $GW_TEST-$OTHER")).out == b"seen-\n"


MENU = "printf 'choose: '; read -r choice; case $choice in 1) id -un ;; *) echo no such thing; exit 4 ;; esac"


async def test_a_menu_runs_in_place_of_a_shell_whatever_is_asked_for(
    place: Path, host: Sshd, ledger: SlowLedger, files: Place
) -> None:
    held = roles(chooser=HostAccess(login=ACCOUNT, menu=MENU, commands=("id -un",)))
    async with ssh_gateway(place, host, ledger, held=held) as door:
        await door.access("chooser")
        key = await door.key()
        chosen = await door.shell(key, stdin=b"1\n", terminal=True)
        assert (chosen.status, chosen.out.split()[-1]) == (0, ACCOUNT.encode())
        escaped = await door.shell(key, stdin=f"$(touch {files.there}/escaped); bash\n".encode())
        assert (escaped.status, escaped.out) == (4, b"choose: no such thing\n")
        assert (await door.ssh(key, "id -un")).out == f"{ACCOUNT}\n".encode()
        refused = await door.ssh(key, f"touch {files.there}/escaped")
        assert (refused.status, b"the menu" in refused.err) == (126, True)
        assert not (files.there / "escaped").exists()
        (granted,) = await door.found(GrantProvisioned, "grant/")
        forced = []
        for line in (one for one in granted.observed if one.startswith("certificate ")):
            (door.directory / "menu-cert.pub").write_text(line.removeprefix("certificate "))
            printed = (await run(["ssh-keygen", "-L", "-f", door.directory / "menu-cert.pub"])).out.decode()
            forced += [one.partition("force-command ")[2] for one in printed.splitlines() if "force-command" in one]
        assert sorted(forced) == sorted((MENU, "id -un"))
        await door.record.closed(4)
        shells = [detail["text"] for intended, detail, _ in await door.record.actions() if intended.verb == "shell"]
        assert shells == [MENU, MENU]
