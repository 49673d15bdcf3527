"""What an access makes on a host, and that it is gone afterwards: rules, accounts, processes, certificates."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from sojourn.domain.events import GrantCreated, GrantProvisioned, SessionConnected
from sojourn.domain.identifiers import GrantId, RoleName
from sojourn.domain.ssh import Files, HostAccess
from sojourn.domain.target import Role
from sojourn.errors import SojournError
from sojourn.testing.gateway import SlowLedger
from sojourn.testing.ssh import SshUnderTest, run, shell, ssh_gateway
from sojourn.testing.sshd import CONFINED, Sshd

from .conftest import ROLES, Place


async def is_there(process: str) -> bool:
    """Whether the process runs; one that nobody has asked how it ended does not."""
    state = (await run(["ps", "-o", "stat=", "-p", process])).out.decode().strip()
    return bool(state) and not state.startswith("Z")


async def _credential(door: SshUnderTest, grant: GrantId) -> str:
    return next(one.credential for one in await door.found(GrantCreated, "grant/") if one.grant == grant)


async def test_a_sudo_rule_is_there_with_the_access_and_gone_with_it(door: SshUnderTest) -> None:
    grant = await door.access("sudoer")
    key, credential = await door.key(), await _credential(door, grant)
    assert (await door.ssh(key, "sudo -n /usr/bin/id -u")).out == b"0\n"
    for other in ("sudo -n /usr/bin/id", "sudo -n /bin/cat /etc/shadow", "sudo -n -u daemon /usr/bin/id -u"):
        assert (await door.ssh(key, other)).status != 0
    assert (await door.removed(grant)).complete
    assert not Path(f"/etc/sudoers.d/sojourn-{credential}").exists()


async def test_a_sudo_rule_that_the_host_does_not_take_gives_no_access_and_leaves_nothing(
    place: Path, host: Sshd, ledger: SlowLedger
) -> None:
    before = sorted(Path("/etc/sudoers.d").iterdir())
    broken = (Role(name=RoleName("broken"), host=shell(sudo=("(nobody-here!) /usr/bin/id",))),)
    async with ssh_gateway(place, host, ledger, held=broken) as door:
        with pytest.raises(SojournError, match="sudo does not take the rule"):
            await door.access("broken")
    assert sorted(Path("/etc/sudoers.d").iterdir()) == before


async def test_an_account_is_made_and_its_absence_is_read_back(door: SshUnderTest) -> None:
    grant = await door.access("guest")
    key, credential = await door.key(), await _credential(door, grant)
    ran = await door.ssh(key, "id -un; id -Gn; touch ~/kept; nohup sleep 4321 >/dev/null 2>&1 & echo $!")
    name, groups, process = ran.out.decode().split("\n")[:3]
    assert (name, "games" in groups.split()) == (credential, True)
    assert await is_there(process)
    removal = await door.removed(grant)
    assert removal.complete
    assert removal.sessions_terminated == 1
    assert (await run(["id", credential])).status == 1
    assert not Path(f"/home/{credential}").exists()
    assert not await is_there(process)
    # It can be taken back again, whatever was there.
    assert (await door.removed(grant)).complete


DETACHED = {
    "tmux": "tmux -L sojourn-test new-session -d 'sleep 4321'; tmux -L sojourn-test list-panes -F '#{pane_pid}'",
    "nohup": "nohup sleep 4321 >/dev/null 2>&1 & echo $!",
    "setsid": "setsid sh -c 'echo $$; exec sleep 4321 >/dev/null 2>&1 </dev/null' & sleep 0.5",
}


@pytest.mark.parametrize("command", DETACHED.values(), ids=DETACHED)
async def test_what_was_detached_is_ended_with_the_access(door: SshUnderTest, command: str) -> None:
    grant = await door.access()
    process = (await door.ssh(await door.key(), command)).out.split()[0].decode()
    assert await is_there(process)
    removal = await door.removed(grant)
    assert removal.complete and not removal.left
    assert removal.sessions_terminated >= 1
    assert not await is_there(process)


@pytest.mark.parametrize("command", DETACHED.values(), ids=DETACHED)
async def test_what_was_detached_is_reported_and_runs_on_if_the_role_says_so(door: SshUnderTest, command: str) -> None:
    grant = await door.access("reported")
    process = (await door.ssh(await door.key(), command)).out.split()[0].decode()
    try:
        removal = await door.removed(grant)
        assert removal.complete
        assert f"{process} sleep" in removal.left
        assert await is_there(process)
    finally:
        os.kill(int(process), signal.SIGKILL)


async def test_another_access_in_the_same_account_is_left_alone(door: SshUnderTest) -> None:
    mine, other = await door.access(), await door.access(person="bob")
    left = (await door.ssh(await door.key("bob"), DETACHED["nohup"])).out.split()[0].decode()
    assert (await door.removed(mine)).sessions_terminated == 0
    assert await is_there(left)
    assert (await door.removed(other)).sessions_terminated == 1


async def test_a_transfer_of_a_gigabyte_is_over_on_the_host_when_the_access_is_taken_back(
    door: SshUnderTest, files: Place
) -> None:
    grant = await door.access()
    key = await door.key()
    command = ["ssh", "-F", "none", *door.options(key), "127.0.0.1", "echo $$; exec head -c 1000000000 /dev/zero"]
    download = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert download.stdout is not None
    process = (await download.stdout.readline()).decode().strip()
    large = files.here / "large"
    with large.open("wb") as file:
        file.truncate(1_000_000_000)
    upload = asyncio.create_task(
        run(["scp", "-F", "none", *door.options(key), large, f"127.0.0.1:{files.there}/large"], seconds=60)
    )
    arriving = files.there / "large"
    while not (arriving.exists() and arriving.stat().st_size):
        await asyncio.sleep(0.01)
    assert await is_there(process)
    began = asyncio.get_running_loop().time()
    await door.record.end_grant(grant)
    assert (await door.removed(grant)).complete
    taken = asyncio.get_running_loop().time() - began
    assert not await is_there(process)
    arrived = arriving.stat().st_size
    assert (await upload).status != 0
    assert arriving.stat().st_size == arrived < 1_000_000_000
    # What is still on its way is read, or its pipe would outlive the loop.
    await download.communicate()
    closed = await door.record.closed(2)
    assert all(one.cut_lag_us is not None for one in closed)
    assert taken < 15, "a second on a machine with nothing else to do"


async def test_with_nobody_but_the_gateway_left_what_runs_is_ended_at_the_end_of_the_access(
    door: SshUnderTest,
) -> None:
    """Nobody takes anything back here, by an administrator's log-in or on the host. The gateway alone ends it."""
    await door.access_without_own_end(seconds=6)
    task = asyncio.create_task(door.ssh(await door.key(), "echo $$; exec sleep 4321"))
    while not await door.found(SessionConnected):
        await asyncio.sleep(0.02)
    process = (await task).out.decode().strip()
    async with asyncio.timeout(20):
        while await is_there(process):
            await asyncio.sleep(0.02)


def _confined(host: Sshd, **more: object) -> HostAccess:
    base = HostAccess(temporary=True, files=Files.WRITE, groups=(CONFINED,), chroot=str(host.folder))
    return replace(base, **more)  # type: ignore[arg-type]


async def test_files_are_kept_within_a_folder_by_the_host_itself(place: Path, host: Sshd, ledger: SlowLedger) -> None:
    roles = (
        Role(name=RoleName("writer"), host=_confined(host), connections_max=5),
        Role(name=RoleName("reader"), host=_confined(host, files=Files.READ), connections_max=5),
    )
    async with ssh_gateway(place, host, ledger, held=roles) as door:
        await door.access("writer")
        await door.access("reader")
        key, sent = await door.key(), host.directory / "sent"
        sent.write_text("sent")
        sftp = ["sftp", "-q", "-b", "-", "-F", "none", *door.options(key)]

        async def batch(role: str, *lines: str) -> int:
            user = ["-o", f"User=web-1+{role}"]
            command = [*sftp[:6], *user, *sftp[6:], "127.0.0.1"]
            return (await run(command, stdin="\n".join((*lines, "")).encode())).status

        assert await batch("writer", f"put {sent} /inside/came") == 0
        assert (host.folder / "inside" / "came").read_text() == "sent"
        assert await batch("writer", "ls /etc") != 0
        assert await batch("writer", "get ../../../etc/passwd /dev/null") != 0
        assert await batch("reader", "get /inside/came /dev/null") == 0
        assert await batch("reader", f"put {sent} /inside/other") != 0
        observed = [one.observed for one in await door.found(GrantProvisioned, "grant/")]
        assert all(any(line.endswith(f"within {host.folder}") for line in lines) for lines in observed)
    assert not [one for one in host.folder.iterdir() if one.name.startswith(".sojourn")]


async def test_a_folder_that_the_host_does_not_keep_to_gives_no_access(
    place: Path, host: Sshd, ledger: SlowLedger
) -> None:
    loose = (Role(name=RoleName("loose"), host=_confined(host, groups=("games",))),)
    async with ssh_gateway(place, host, ledger, held=loose) as door:
        with pytest.raises(SojournError, match="does not keep"):
            await door.access("loose")


async def test_roles_know_each_other_apart(door: SshUnderTest) -> None:
    """Each of these roles has an access of its own at once, and each opens just its own."""
    for role in ("sudoer", "guest", "reader"):
        await door.access(role)
    key = await door.key()
    assert (await door.ssh(key, "-l", "web-1+guest", "id -un")).out.startswith(b"sojourn")
    assert (await door.ssh(key, "-l", "web-1+reader", "id -un")).status == 126
    assert {role.name for role in ROLES} >= {"sudoer", "guest", "reader"}
