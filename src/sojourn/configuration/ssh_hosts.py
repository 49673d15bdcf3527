"""The parts of targets.yaml that only SSH hosts have."""

from __future__ import annotations

import ipaddress
import re

from sojourn.domain.identifiers import RoleName, TargetName
from sojourn.domain.ssh import Files, Host, HostAccess, Leftovers
from sojourn.domain.target import Role, Target, TargetKind, TlsMode

from .names import once, pairs
from .nodes import Node

COMMANDS_MAX = 40
"""Each is a certificate of its own in the grant's entry, which has 64 KiB at most."""

KEPT_BYTES_MAX = 1 << 30
KEPT_FILE_BYTES_MAX = 16 << 20
"""Of each file; a folder of a thousand is a thousand times that in the record."""

CONNECTIONS_MAX = 100
ACCOUNT = re.compile(r"[a-z_][a-z0-9_-]{0,31}", re.ASCII)
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}\*?", re.ASCII)
PUBLIC_KEY = re.compile(r"(ssh-ed25519|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/]{40,}={0,3}", re.ASCII)
DESTINATION = re.compile(r"(/[\x21-\x7e]+|(\[[0-9a-f:.]+\]|[A-Za-z0-9.*-]+):([0-9]{1,5}|\*))", re.ASCII)
ADDRESS = re.compile(r"(/[\x21-\x7e]+|(\[[0-9a-f:.]+\]|[A-Za-z0-9.-]+):[0-9]{1,5})", re.ASCII)
PATH = re.compile(r"/[A-Za-z0-9._/-]+", re.ASCII)
LOG = re.compile(r"journal|/[A-Za-z0-9._/-]+", re.ASCII)
SUDO = re.compile(r"\([a-z_][a-z0-9_-]*\) (NOPASSWD: )?/[\x20-\x7e]+", re.ASCII)


def read_host(name: TargetName, node: Node) -> Target:
    """One target of the kind `ssh`. Raises SojournError `configuration.invalid`."""
    required = ("kind", "host", "port", "administrator", "roles")
    optional = ("host_keys", "host_authorities", "source_addresses", "revoked_keys", "log", "description", "labels")
    fields = node.fields(*required, *optional, required=required)
    host = Host(
        keys=_keys(fields.get("host_keys")),
        authorities=_keys(fields.get("host_authorities")),
        administrator=_shaped(fields["administrator"], ACCOUNT, "an account"),
        source_addresses=once(fields["source_addresses"], "a list of networks", _network)
        if "source_addresses" in fields
        else (),
        revoked=_shaped(fields["revoked_keys"], PATH, "the path of a file")
        if "revoked_keys" in fields
        else "/etc/ssh/sojourn_revoked",
        log=_shaped(fields["log"], LOG, "the path of a file, or journal") if "log" in fields else "",
    )
    if not host.keys and not host.authorities:
        node.fail("Nothing says how this host proves who it is", "host_keys or host_authorities")
    return Target(
        name=name,
        kind=TargetKind.SSH,
        host=fields["host"].text("a host name or address"),
        port=fields["port"].integer(1, 65535),
        database="",
        administrator=host.administrator,
        administrator_secret="",
        roles=tuple(_role(RoleName(one), role) for one, role in fields["roles"].named("roles").items()),
        tls=TlsMode.DISABLE,
        description=fields["description"].text("a sentence") if "description" in fields else "",
        labels=pairs(fields["labels"], "labels") if "labels" in fields else (),
        ssh=host,
    )


def _role(name: RoleName, node: Node) -> Role:
    fields = node.fields(
        "description",
        "connections",
        "login",
        "temporary",
        "shell",
        "commands",
        "menu",
        "files",
        "forward_to",
        "listen_on",
        "agent",
        "x11",
        "environment",
        "kept_bytes",
        "kept_file_bytes",
        "groups",
        "sudo",
        "chroot",
        "leftovers",
    )
    access = HostAccess(
        login=_shaped(fields["login"], ACCOUNT, "an account of the host") if "login" in fields else "",
        temporary=_yes(fields.get("temporary")),
        shell=_yes(fields.get("shell")),
        commands=once(fields["commands"], "a list of commands", lambda one: one.text("a command"))
        if "commands" in fields
        else (),
        menu=fields["menu"].text("a command") if "menu" in fields else "",
        files=fields["files"].choice({str(one): one for one in Files}) if "files" in fields else Files.NONE,
        forward_to=_list(fields.get("forward_to"), DESTINATION, "host:port, or the path of a socket"),
        listen_on=_list(fields.get("listen_on"), ADDRESS, "host:port, or the path of a socket"),
        agent=_yes(fields.get("agent")),
        x11=_yes(fields.get("x11")),
        environment=_list(fields.get("environment"), VARIABLE, "the name of a variable, or how names begin: GIT_*"),
        kept_bytes=fields["kept_bytes"].integer(0, KEPT_BYTES_MAX) if "kept_bytes" in fields else 1 << 20,
        kept_file_bytes=fields["kept_file_bytes"].integer(0, KEPT_FILE_BYTES_MAX) if "kept_file_bytes" in fields else 0,
        groups=_list(fields.get("groups"), ACCOUNT, "a group of the host"),
        sudo=_list(fields.get("sudo"), SUDO, "a rule such as (root) NOPASSWD: /usr/bin/systemctl restart nginx"),
        chroot=_shaped(fields["chroot"], PATH, "the path of a folder on the host") if "chroot" in fields else "",
        leftovers=fields["leftovers"].choice({str(one): one for one in Leftovers})
        if "leftovers" in fields
        else Leftovers.ENDED,
    )
    _check(node, fields, access)
    return Role(
        name=name,
        description=fields["description"].text("a sentence") if "description" in fields else "",
        connections_max=fields["connections"].integer(1, CONNECTIONS_MAX) if "connections" in fields else 20,
        host=access,
    )


def _check(node: Node, fields: dict[str, Node], access: HostAccess) -> None:
    """Refuse what would open nothing, or could not be kept."""
    if not access.opens:
        node.fail("A role that allows nothing opens nothing", "shell, menu, commands, files, forward_to or listen_on")
    if bool(access.login) == access.temporary:
        node.fail("A role works in one account", "login, or temporary: true, and not both")
    if access.shell and access.commands:
        fields["commands"].fail("A shell runs any command", "no commands beside shell: true")
    if access.shell and access.menu:
        fields["menu"].fail("With a shell nobody is kept to a menu", "no menu beside shell: true")
    if len(access.commands) > COMMANDS_MAX:
        fields["commands"].fail(f"Found {len(access.commands)} commands", f"at most {COMMANDS_MAX}")
    if access.groups and not access.temporary:
        fields["groups"].fail("Groups are for accounts that are made for the access", "temporary: true")
    if access.leftovers is Leftovers.REPORTED and access.temporary:
        fields["leftovers"].fail("With a temporary account all that it runs is ended", "login, or leftovers: ended")
    if access.chroot:
        _check_chroot(fields["chroot"], access)


def _check_chroot(node: Node, access: HostAccess) -> None:
    """The host can keep files within a folder, and hardly a shell, which needs all its programs there."""
    beside = (access.shell, access.menu, access.commands, access.forward_to, access.listen_on)
    if access.files is Files.NONE or any(beside):
        node.fail("A folder is kept to by SFTP alone", "files, and no shell, menu, commands or forwarding beside it")
    if access.temporary and not access.groups:
        node.fail("The host knows by its group which temporary account it keeps there", "groups, with one at least")


def _yes(node: Node | None) -> bool:
    return node is not None and node.boolean()


def _list(node: Node | None, shape: re.Pattern[str], expected: str) -> tuple[str, ...]:
    if node is None:
        return ()
    return once(node, f"a list, each {expected}", lambda one: _shaped(one, shape, expected))


def _shaped(node: Node, shape: re.Pattern[str], expected: str) -> str:
    value = node.text(expected)
    if shape.fullmatch(value) is None:
        node.fail(f"{value!a} will not do", expected)
    return value


def _keys(node: Node | None) -> tuple[str, ...]:
    if node is None:
        return ()
    expected = "public keys as in ssh_host_ed25519_key.pub, without the comment"
    return once(node, f"a list of {expected}", lambda one: _shaped(one, PUBLIC_KEY, expected))


def _network(node: Node) -> str:
    value = node.text("an address or a network")
    try:
        return str(ipaddress.ip_network(value))
    except ValueError:
        node.fail(f"{value!a} is neither an address nor a network", "such as 192.0.2.7 or 192.0.2.0/28")
