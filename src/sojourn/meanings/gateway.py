"""What the codes about sessions and the gateway tell people."""

from __future__ import annotations

from collections.abc import Mapping

from sojourn.codes import Code, Exit, Meaning

from .answers import DOWN, INPUT, MISSING, REFUSED

MEANINGS: Mapping[Code, Meaning] = {
    Code.SESSION_UNKNOWN: Meaning("There is no session {session}.", "`sojourn sessions` lists them.", *MISSING),
    Code.SESSION_STOPPED: Meaning(
        "Session {session} was stopped by {person}.", "The access goes on: ask them why, and connect again.", *REFUSED
    ),
    Code.ACTION_UNKNOWN: Meaning(
        "There is no action {number} in session {session}.", "`sojourn actions {session}` lists them.", *MISSING
    ),
    Code.GATEWAY_NOT_POSTGRES: Meaning(
        "This port speaks the PostgreSQL protocol, and {found} arrived.",
        "Connect with a PostgreSQL client: sojourn connect TARGET.",
        *INPUT,
    ),
    Code.GATEWAY_TLS_REQUIRED: Meaning(
        "This gateway takes encrypted connections only.",
        "Connect with sslmode=require or stricter.",
        *REFUSED,
    ),
    Code.GATEWAY_HANDSHAKE_TIMEOUT: Meaning(
        "The client did not finish its handshake within {seconds} seconds.",
        "Connect again.",
        408,
        Exit.FAILED,
    ),
    Code.GATEWAY_PROTOCOL_VIOLATION: Meaning(
        "The client broke the protocol: {problem}.", "Use a supported PostgreSQL client.", *INPUT
    ),
    Code.GATEWAY_PARAMETER_REFUSED: Meaning(
        "The start-up parameter {parameter} is not accepted.",
        "Remove it from the connection string.",
        *REFUSED,
    ),
    Code.GATEWAY_REPLICATION_REFUSED: Meaning(
        "The start-up parameter replication is not accepted: the role {role} on {target} does not replicate.",
        "Ask for a role whose configuration says `replication: true`, or remove it from the connection string.",
        *REFUSED,
    ),
    Code.GATEWAY_SESSION_IDLE: Meaning(
        "The connection was idle for {seconds} seconds, which is its limit.", "Connect again.", *REFUSED
    ),
    Code.GATEWAY_SESSION_TOO_LONG: Meaning(
        "The connection has lasted {seconds} seconds, which is its limit.", "Connect again.", *REFUSED
    ),
    Code.RECORDING_NONE: Meaning(
        "Nothing of session {session} is recorded.", "`sojourn actions {session}` lists what was done.", *MISSING
    ),
    Code.SSH_OFF: Meaning(
        "This installation does not serve SSH.",
        "An operator sets gateway.ssh: true in settings.yaml and restarts it.",
        *REFUSED,
    ),
    Code.HOST_NOT_ALLOWED: Meaning("This access does not allow {what}.", "It allows: {allowed}.", *REFUSED),
    Code.HOST_CHANGED: Meaning(
        "{target} or its role {role} has been changed since this access was approved, so it is not opened.",
        "End it with `sojourn end`, and ask again: sojourn request {target} {role}.",
        *REFUSED,
    ),
    Code.HOST_KEY_CHANGED: Meaning(
        "The host of {target} shows another key than the one that is pinned, so nothing was sent to it.",
        "If the host was given a new key, an administrator puts it into targets.yaml.",
        *DOWN,
    ),
    Code.GATEWAY_BUSY: Meaning(
        "The gateway has reached its limit of {limit} connections.", "Close some and try again.", *DOWN
    ),
}
