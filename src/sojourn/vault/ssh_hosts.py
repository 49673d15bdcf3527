"""By what a host is believed to be the one that it says: the keys in the configuration, and nothing that is learnt."""

from __future__ import annotations

import asyncssh

from sojourn.domain.ssh import Host


def trusted(host: Host) -> tuple[list[asyncssh.SSHKey], list[asyncssh.SSHKey], list[asyncssh.SSHKey]]:
    """The host's keys, the authorities of its keys, and none that is revoked: `known_hosts` as asyncssh takes it."""
    keys = [asyncssh.import_public_key(one) for one in host.keys]
    return keys, [asyncssh.import_public_key(one) for one in host.authorities], []
