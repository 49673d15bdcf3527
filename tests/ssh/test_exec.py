"""Commands through the gateway, with OpenSSH's own client."""

from __future__ import annotations

from sojourn.testing.ssh import SshUnderTest


async def test_a_command_runs_and_its_output_and_error_stay_apart(door: SshUnderTest) -> None:
    await door.access()
    ran = await door.ssh(await door.key(), "echo out; echo err >&2; exit 7")
    assert (ran.status, ran.out, ran.err) == (7, b"out\n", b"err\n")
    ((intended, detail, outcome),) = await door.record.actions()
    assert (intended.verb, detail["text"]) == ("exec", "echo out; echo err >&2; exit 7")
    assert outcome.tags[0] == "exit 7"
