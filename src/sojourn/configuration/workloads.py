"""Workloads of a service in people.yaml: whose ID tokens are exchanged for a token of it.

An issuer may sign for half the world, as GitHub does: without a subject that is written out, any stranger's pipeline
would come in. So issuer, audience and subject are said in full, and there are no patterns.
"""

from __future__ import annotations

import re

from sojourn.domain.people import Scope, Workload

from .names import some
from .nodes import Node

ISSUER = re.compile(r"https://[^\s?#]+|http://(?:localhost|127\.0\.0\.1)(?::\d{1,5})?(?:/[^\s?#]*)?", re.ASCII)
"""What an issuer looks like (OpenID Connect Core 1.0, section 2); without TLS on this machine alone."""

WORKLOADS_MAX = 20
OWN_PLACE = ("iss", "aud", "sub", "exp", "nbf", "iat", "jti")
"""Claims that have a key of their own, or that are checked in any case."""

_SCOPES = {str(one): one for one in (Scope.READ, Scope.ASK, Scope.TELL)}


def read_workloads(node: Node) -> tuple[Workload, ...]:
    """The workloads of one service. Raises SojournError `configuration.invalid`."""
    items = node.items("a list of workloads")
    if len(items) > WORKLOADS_MAX:
        node.fail(f"Found {len(items)} workloads", f"at most {WORKLOADS_MAX}")
    found: dict[Workload, None] = {}
    for one in items:
        workload = _workload(one)
        if workload in found:
            one.fail("This workload is listed twice", "each once")
        found[workload] = None
    return tuple(found)


def _workload(node: Node) -> Workload:
    required = ("issuer", "audience", "subject", "scope")
    fields = node.fields(*required, "claims", required=required)
    subject = fields["subject"]
    return Workload(
        issuer=_issuer(fields["issuer"]),
        audience=fields["audience"].text("the audience that its ID tokens are made for"),
        subjects=some(subject, "a list of subjects", _subject) if subject.is_list else (_subject(subject),),
        scope=tuple(sorted(some(fields["scope"], "a list of scopes", lambda one: one.choice(_SCOPES)))),
        claims=_claims(fields["claims"]) if "claims" in fields else (),
    )


def _issuer(node: Node) -> str:
    value = node.text("an issuer")
    if ISSUER.fullmatch(value) is None:
        node.fail(f"{value!a} is no issuer", "https://HOST and maybe a path, as the claim `iss` says it")
    return value


def _subject(node: Node) -> str:
    value = node.text("the subject of its ID tokens")
    if "*" in value:
        node.fail(f"{value!a} looks like a pattern", "the claim `sub` written out, or a list of such")
    return value


def _claims(node: Node) -> tuple[tuple[str, str], ...]:
    found = []
    for name, value in node.mapping("a mapping of claims to texts").items():
        if name in OWN_PLACE:
            value.fail(f"The claim {name} is not said here", "issuer, audience and subject in keys of their own")
        found.append((name, value.text(f"the text of the claim {name}")))
    return tuple(sorted(found))
