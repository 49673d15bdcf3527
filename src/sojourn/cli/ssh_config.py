"""sojourn ssh-config: what OpenSSH needs, so that `ssh HOST` goes through the gateway."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from sojourn.vault.files import write_private

from .client import call
from .common import Common
from .output import print_json, print_line, print_lines
from .ssh_files import SshFiles, add_to_agent, files_of, renew

CIPHERS = "aes256-gcm@openssh.com,aes128-gcm@openssh.com,aes256-ctr,aes128-ctr"
"""What `ssh` is to speak, the fastest first: by itself it begins with one that costs both ends several times as much.

All of them are allowed where only approved ciphers are.
"""


def ssh_config(
    *,
    role: str = "",
    print_only: Annotated[bool, Parameter(name="--print", negative="")] = False,
    agent: Annotated[bool, Parameter(negative="")] = False,
    common: Common | None = None,
) -> None:
    """Get an SSH certificate and write the configuration with which ssh, scp, sftp, rsync, git and ansible work.

    Then `ssh -F FILE HOST` goes through the gateway; with the line `Include FILE` in ~/.ssh/config, so does `ssh HOST`.

    Example: sojourn ssh-config

    Parameters
    ----------
    role
        Which of your accesses is meant on each host, if you hold several.
    print_only
        Print the configuration, and write only key and certificate.
    agent
        Give key and certificate to the SSH agent that is running, until the certificate ends.
    """
    common = common or Common()
    person = common.profile()["person"]
    answered = renew(common, person)
    files = files_of(common, person)
    if agent:
        add_to_agent(files, answered["expires_at"])
    offered = call(common, "GET", "/targets")["targets"]
    hosts = [one["target"] for one in offered if one["kind"] == "ssh"]
    text = "\n".join(_host(name, role, files, answered["host"], answered["port"]) for name in hosts)
    if not print_only:
        write_private(files.configuration, text.encode())
    if common.json:
        print_json({"file": str(files.configuration), "hosts": hosts, "expires_at": answered["expires_at"]})
    elif print_only:
        print_lines(text)
    else:
        print_line(f"Include {files.configuration}")
        print_line(f"# {len(hosts)} hosts; the certificate is good until {answered['expires_at']}.")


def _host(name: str, role: str, files: SshFiles, host: str, port: int) -> str:
    user = f"{name}+{role}" if role else name
    return (
        f"Host {name}\n"
        f"  HostName {host}\n"
        f"  Port {port}\n"
        f"  User {user}\n"
        f"  HostKeyAlias {host}\n"
        f'  IdentityFile "{files.key}"\n'
        f'  CertificateFile "{files.certificate}"\n'
        f"  IdentitiesOnly yes\n"
        f"  Ciphers {CIPHERS}\n"
        f'  UserKnownHostsFile "{files.known_hosts}"\n'
        f"  StrictHostKeyChecking yes\n"
    )
