"""SSH: keys of people, and what a host needs."""

from __future__ import annotations

from sojourn.domain.identifiers import TargetName, TokenId
from sojourn.errors import Code, SojournError
from sojourn.identity import ssh_keys, tokens
from sojourn.projections.moments import text
from sojourn.web.exchange import Exchange
from sojourn.web.services import SshIssuer

from . import bodies, ssh_shapes


def _issuer(exchange: Exchange) -> SshIssuer:
    issuer = exchange.services.ssh
    if issuer is None:
        raise SojournError(Code.SSH_OFF)
    return issuer


async def key(exchange: Exchange) -> ssh_shapes.SshKeyShown:
    """POST /ssh-keys: a certificate for a public key of the caller's, or the key registered for longer."""
    services, caller = exchange.services, await exchange.caller()
    sent = await exchange.body(bodies.SshKey)
    issuer, public = _issuer(exchange), ssh_keys.read_public_key(sent.public_key)
    control = services.settings.control
    life = control.ssh_key_life if sent.register_key else control.ssh_certificate_life
    issued = await ssh_keys.register(services.office, person=caller.id, key=public, life=life, source=exchange.source)
    certificate = "" if sent.register_key else ssh_keys.certify(issuer.people, public, issued, services.office)
    return ssh_shapes.SshKeyShown(
        token=issued.token,
        person=caller.id,
        fingerprint=public.fingerprint,
        expires_at=text(issued.expires_at),
        certificate=certificate,
        authority=issuer.gateways,
        host=services.settings.gateway.public_host,
        port=issuer.address()[1],
    )


async def forget(exchange: Exchange) -> None:
    """POST /ssh-keys/{name}/revoke: a key of the caller's opens nothing from here on."""
    caller = await exchange.caller()
    await exchange.body(bodies.Nothing)
    await tokens.revoke(exchange.services.office, token=TokenId(exchange.name), person=caller.id)


async def setup(exchange: Exchange) -> ssh_shapes.SshSetup:
    """GET /targets/{name}/ssh-setup: what the host needs; for everybody who is signed in, nothing of it is secret."""
    await exchange.caller()
    target = exchange.services.office.in_force().catalogue.target(TargetName(exchange.name))
    if target is None or target.ssh is None:
        raise SojournError(Code.TARGET_UNKNOWN, target=exchange.name[:100])
    issuer = _issuer(exchange)
    accounts = sorted({role.host.login for role in target.roles if role.host is not None and role.host.login})
    return ssh_shapes.SshSetup(
        target=target.name,
        authority=issuer.grants,
        administrator=target.ssh.administrator,
        revoked=target.ssh.revoked,
        accounts=tuple(accounts),
        source_addresses=target.ssh.source_addresses,
        confined=tuple(
            dict.fromkeys(
                ssh_shapes.Confined(
                    match=f"User {role.host.login}" if role.host.login else f"Group {role.host.groups[0]}",
                    folder=role.host.chroot,
                )
                for role in target.roles
                if role.host is not None and role.host.chroot
            )
        ),
    )
