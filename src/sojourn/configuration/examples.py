"""Commented examples of every file, for `sojourn init`. They are what a small company would begin with."""

from __future__ import annotations

from pathlib import Path

from sojourn.errors import Code, SojournError

_PEOPLE = """\
# Who there is. The key is a person's immutable id: it goes on record, and it is what `sojourn login` asks for.
people:
  alice:
    name: Alice Arden
    mail: alice@example.com
  bob:
    name: Bob Brook
    mail: bob@example.com
  carol:
    name: Carol Cole
    mail: carol@example.com
    administrator: true # may invite people and revoke any access
  dora:
    name: Dora Dale
    mail: dora@example.com
    auditor: true # may read everything and change nothing

# Named sets of people. A person in two teams still counts once.
teams:
  engineering: [alice, bob]
  leads: [bob, carol]
"""

_TARGETS = """\
# What can be opened, and the roles that can be had there. A role is exactly its privileges and nothing else.
targets:
  shop:
    kind: postgres
    description: The shop's production database
    host: db.example.com
    port: 5432
    database: shop
    # Sojourn's own account there. It needs CREATEROLE and the privileges below WITH GRANT OPTION; no superuser.
    administrator: sojourn_admin
    administrator_secret: shop # its password is in secrets/shop (mode 0600)
    tls: verify-full # or require, or disable; verify-full checks the server's certificate and name
    # tls_authority: /etc/ssl/shop-authority.crt # if the certificate is from an authority of your own
    roles:
      read:
        description: Look at everything in the shop
        connections: 4 # how many at once
        privileges:
          - schema: shop
            tables: all # or a list
            verbs: [select]
      fix-status:
        description: Correct the status of orders
        privileges:
          - schema: shop
            tables: [orders]
            verbs: [select]
          - schema: shop
            tables: [orders]
            columns: [status]
            verbs: [update]
"""

_POLICY = """\
# Who may ask for what, for how long, and who decides. What no rule allows is not allowed.
# If several rules fit a request the strictest counts: the shortest time, the most approvals, and only people whom
# every one of them names as approver. Nobody decides on their own request.
rules:
  shop-read:
    who: { teams: [engineering] }
    targets: [shop]
    roles: [read]
    longest: 4h
    approvers: { teams: [engineering, leads] }
    reason: required
  shop-fix:
    who: { teams: [engineering] }
    targets: [shop]
    roles: [fix-status]
    longest: 1h
    approvers: { teams: [leads] }
    approvals: 1
    decide_within: 12h # then the request lapses
    activate_within: 4h # an approval that is not used in this time lapses
"""

_SETTINGS = """\
# How this installation runs. Everything here is optional; docs/reference/settings.md describes every setting.
gateway:
  host: 127.0.0.1 # 0.0.0.0 to take connections from elsewhere
  port: 6543
  public_host: localhost # the name that clients use; the certificate is made for it
  require_tls: true
control:
  host: 127.0.0.1
  port: 6580
scribe:
  origin: sojourn.localhost/ledger # the ledger's name in every checkpoint; choose it once
publisher:
  folder: public # the ledger as static files for strangers to check; relative to the data directory
"""

FILES = {"people.yaml": _PEOPLE, "targets.yaml": _TARGETS, "policy.yaml": _POLICY, "settings.yaml": _SETTINGS}


def write_examples(directory: Path) -> None:
    """Write the examples and an empty `secrets/` into a new `directory` (0700).

    Raises SojournError `data.directory_exists` if it is there already.
    """
    if directory.exists():
        raise SojournError(Code.DATA_DIRECTORY_EXISTS, directory=str(directory))
    (directory / "secrets").mkdir(parents=True, mode=0o700)
    directory.chmod(0o700)
    for name, text in FILES.items():
        (directory / name).write_text(text)
