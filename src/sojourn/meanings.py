"""What each code tells people. Sentences and next steps are `str.format` templates over an error's details."""

from __future__ import annotations

from collections.abc import Mapping

from .codes import Code, Exit, Meaning

_REFUSED = (403, Exit.REFUSED)
_CONFLICT = (409, Exit.CONFLICT)
_MISSING = (404, Exit.NOT_FOUND)
_INPUT = (422, Exit.USAGE)
_DOWN = (503, Exit.UNAVAILABLE)
_SIGN_IN = (401, Exit.UNAUTHENTICATED)

CATALOGUE: Mapping[Code, Meaning] = {
    Code.CONFIGURATION_INVALID: Meaning(
        "{file}:{line}:{column}: {problem}.", "Expected {expected}. Correct the file and try again.", *_INPUT
    ),
    Code.CONFIGURATION_MISSING: Meaning(
        "There is no configuration file {file}.", "Run `sojourn init` to write commented examples.", *_INPUT
    ),
    Code.SETTINGS_INVALID: Meaning("The setting {name} is not usable: {problem}.", "Expected {expected}.", *_INPUT),
    Code.DATA_DIRECTORY_BUSY: Meaning(
        "Another `sojourn serve` (process {pid}) is using {directory}.",
        "Stop that one first, or choose another directory with --data.",
        *_CONFLICT,
    ),
    Code.DATA_DIRECTORY_EXISTS: Meaning(
        "{directory} already holds a Sojourn installation.",
        "Edit its files in place, or choose another directory with --data.",
        *_CONFLICT,
    ),
    Code.DATA_DIRECTORY_MISSING: Meaning(
        "{directory} holds no Sojourn installation.",
        "Run `sojourn init --data {directory}` first.",
        *_MISSING,
    ),
    Code.DATA_DIRECTORY_OPEN: Meaning(
        "{path} can be read by other users of this machine.",
        "Run `chmod go-rwx {path}`; Sojourn keeps keys and records there.",
        *_REFUSED,
    ),
    Code.PERSON_UNKNOWN: Meaning(
        "There is no person {person}.",
        "People are listed in people.yaml; ask an administrator to add you.",
        *_MISSING,
    ),
    Code.TARGET_UNKNOWN: Meaning("There is no target {target}.", "`sojourn targets` lists what there is.", *_MISSING),
    Code.ROLE_UNKNOWN: Meaning(
        "Target {target} has no role {role}.", "`sojourn targets` lists the roles: {known}.", *_MISSING
    ),
    Code.POLICY_NO_RULE: Meaning(
        "No policy rule lets {person} ask for role {role} on {target}.",
        "Ask for another role, or ask an administrator to add a rule to policy.yaml.",
        *_REFUSED,
    ),
    Code.POLICY_NO_APPROVER: Meaning(
        "Rule {rule} needs {needed} approvals, and only {available} people other than you could give them.",
        "Ask an administrator to add approvers to that rule.",
        *_REFUSED,
    ),
    Code.REQUEST_UNKNOWN: Meaning(
        "There is no request {request}.",
        "`sojourn requests` lists yours and those waiting for you.",
        *_MISSING,
    ),
    Code.REQUEST_DURATION_TOO_LONG: Meaning(
        "{asked} is longer than the {allowed} that rule {rule} allows.",
        "Ask for {allowed} or less.",
        *_REFUSED,
    ),
    Code.REQUEST_DURATION_INVALID: Meaning(
        "{asked} is not a usable duration.",
        "Give a whole number of seconds, minutes or hours: 90s, 30m, 2h.",
        *_INPUT,
    ),
    Code.REQUEST_REASON_MISSING: Meaning(
        "Rule {rule} needs a reason.", 'Add --reason "what happened and what you will do".', *_REFUSED
    ),
    Code.REQUEST_REASON_TOO_LONG: Meaning(
        "The reason has {length} characters; {limit} are allowed.",
        "Shorten it, or link to a ticket.",
        *_INPUT,
    ),
    Code.REQUEST_NOT_PENDING: Meaning(
        "Request {request} is already {status}.",
        "`sojourn show {request}` tells who decided and when.",
        *_CONFLICT,
    ),
    Code.REQUEST_NOT_APPROVED: Meaning(
        "Request {request} is {status}, so it cannot be activated.",
        "Wait for an approval, or ask again with `sojourn request`.",
        *_CONFLICT,
    ),
    Code.REQUEST_NOT_YOURS: Meaning(
        "Request {request} belongs to {owner}.", "Only the person who asked may do this.", *_REFUSED
    ),
    Code.REQUEST_EXPIRED: Meaning(
        "Request {request} expired at {at}.", "Ask again with `sojourn request`.", *_CONFLICT
    ),
    Code.REQUEST_ALREADY_ACTIVATED: Meaning(
        "Request {request} was already activated as {grant}.",
        "`sojourn show {grant}` tells its state.",
        *_CONFLICT,
    ),
    Code.REQUEST_CHANGED: Meaning(
        "Request {request} is no longer what you were shown.",
        "Look at it again with `sojourn show {request}`, then decide.",
        *_CONFLICT,
    ),
    Code.APPROVAL_SELF: Meaning(
        "{person} asked for this access and cannot decide on it.",
        "Somebody else has to decide: {approvers}.",
        *_REFUSED,
    ),
    Code.APPROVAL_NOT_ENTITLED: Meaning(
        "{person} is not an approver under rule {rule}.", "These people can decide: {approvers}.", *_REFUSED
    ),
    Code.APPROVAL_REPEATED: Meaning(
        "{person} has already approved request {request}.",
        "{missing} more people have to approve.",
        *_CONFLICT,
    ),
    Code.GRANT_UNKNOWN: Meaning("There is no grant {grant}.", "`sojourn grants` lists them.", *_MISSING),
    Code.GRANT_NONE_ACTIVE: Meaning(
        "{person} has no active grant on {target}.",
        'Ask for one: sojourn request {target} --role ROLE --for 30m --reason "why".',
        *_REFUSED,
    ),
    Code.GRANT_AMBIGUOUS: Meaning(
        "{person} has several active grants on {target}: {roles}.",
        "Say which role you mean by the user name {person}+ROLE.",
        *_REFUSED,
    ),
    Code.GRANT_EXPIRED: Meaning(
        "Grant {grant} ended at {end}.",
        'Ask again: sojourn request {target} --role {role} --for 30m --reason "why".',
        *_REFUSED,
    ),
    Code.GRANT_ENDED: Meaning(
        "Grant {grant} has ended ({cause}).",
        'Ask again: sojourn request {target} --role {role} --for 30m --reason "why".',
        *_CONFLICT,
    ),
    Code.GRANT_NOT_READY: Meaning(
        "Grant {grant} is still being set up on {target}.", "Try again in a few seconds.", *_DOWN
    ),
    Code.GRANT_NOT_YOURS: Meaning(
        "Grant {grant} belongs to {owner}.",
        "Its holder ends it with `sojourn end`; others use `sojourn revoke`.",
        *_REFUSED,
    ),
    Code.GRANT_REVOKE_NOT_ENTITLED: Meaning(
        "{person} may not revoke grant {grant}.",
        "The holder, an approver of its rule or an administrator can.",
        *_REFUSED,
    ),
    Code.GRANT_PROVISIONING_FAILED: Meaning(
        "Target {target} did not take the access: {problem}.",
        "The attempt is on record and was undone. Correct the cause, then ask again.",
        *_DOWN,
    ),
    Code.TARGET_UNREACHABLE: Meaning(
        "Target {target} cannot be reached: {problem}.", "Check its address and that it is running.", *_DOWN
    ),
    Code.TARGET_REFUSED: Meaning("Target {target} refused: {problem}.", "Check Sojourn's account there.", *_DOWN),
    Code.TARGET_PRIVILEGE_MISSING: Meaning(
        "Sojourn's account on {target} lacks a privilege: {problem}.",
        "Run there as its owner: {remedy}",
        *_DOWN,
    ),
    Code.TARGET_OBJECT_MISSING: Meaning(
        "Role {role} names something that {target} does not have: {problem}.",
        "Correct targets.yaml.",
        *_INPUT,
    ),
    Code.ACCOUNT_EXISTS: Meaning("{person} has an account already.", "Sign in with `sojourn login`.", *_CONFLICT),
    Code.CREDENTIALS_INVALID: Meaning(
        "The name or the secret is wrong.", "Sign in with `sojourn login` and try again.", *_SIGN_IN
    ),
    Code.CREDENTIALS_EXPIRED: Meaning(
        "This credential has expired.",
        "Sign in with `sojourn login`, or get a new one with `sojourn connect`.",
        *_SIGN_IN,
    ),
    Code.CREDENTIALS_MISSING: Meaning("Nobody is signed in.", "Sign in with `sojourn login`.", *_SIGN_IN),
    Code.INVITATION_INVALID: Meaning(
        "This invitation is unknown, used or expired.", "Ask an administrator for a new one.", *_SIGN_IN
    ),
    Code.PASSWORD_TOO_SHORT: Meaning(
        "The password has {length} characters; at least {minimum} are needed.",
        "Choose a longer one.",
        *_INPUT,
    ),
    Code.ATTEMPTS_LIMITED: Meaning(
        "Too many failed attempts from {source}.", "Wait {seconds} seconds and try again.", 429, Exit.REFUSED
    ),
    Code.PERMISSION_DENIED: Meaning("{person} may not {action}.", "Ask somebody who may: {who}.", *_REFUSED),
    Code.SESSION_UNKNOWN: Meaning("There is no session {session}.", "`sojourn sessions` lists them.", *_MISSING),
    Code.GATEWAY_NOT_POSTGRES: Meaning(
        "This port speaks the PostgreSQL protocol, and {found} arrived.",
        "Connect with a PostgreSQL client: sojourn connect TARGET.",
        *_INPUT,
    ),
    Code.GATEWAY_TLS_REQUIRED: Meaning(
        "This gateway takes encrypted connections only.",
        "Connect with sslmode=require or stricter.",
        *_REFUSED,
    ),
    Code.GATEWAY_HANDSHAKE_TIMEOUT: Meaning(
        "The client did not finish its handshake within {seconds} seconds.",
        "Connect again.",
        408,
        Exit.FAILED,
    ),
    Code.GATEWAY_PROTOCOL_VIOLATION: Meaning(
        "The client broke the protocol: {problem}.", "Use a supported PostgreSQL client.", *_INPUT
    ),
    Code.GATEWAY_PARAMETER_REFUSED: Meaning(
        "The start-up parameter {parameter} is not accepted.",
        "Remove it from the connection string.",
        *_REFUSED,
    ),
    Code.GATEWAY_BUSY: Meaning(
        "The gateway has reached its limit of {limit} connections.", "Close some and try again.", *_DOWN
    ),
    Code.RECORD_UNAVAILABLE: Meaning(
        "The record cannot be written, so nothing was done.",
        "Try again in a moment; nothing runs unrecorded.",
        *_DOWN,
    ),
    Code.RECORD_STALE: Meaning(
        "{stream} changed while this was being decided.",
        "Look again and repeat if you still want it.",
        *_CONFLICT,
    ),
    Code.RECORD_TOO_LARGE: Meaning(
        "A record of {size} bytes is over the limit of {limit}.", "Send it in smaller parts.", *_INPUT
    ),
    Code.RECORD_FULL: Meaning(
        "The disk that holds the record is full, so nothing was done.", "Free space on {directory}.", *_DOWN
    ),
    Code.RECORD_DAMAGED: Meaning(
        "The ledger is damaged: {problem}.",
        "Do not repair it by hand; run `sojourn-verify {path}`.",
        500,
        Exit.FAILED,
    ),
    Code.RECORD_BEHIND: Meaning(
        "The ledger holds {held} entries, but {anchor} has seen {seen}.",
        "It was rolled back or restored from an old copy. Restore the newest copy.",
        500,
        Exit.FAILED,
    ),
    Code.INPUT_INVALID: Meaning("{problem}.", "Expected {expected}.", *_INPUT),
    Code.SERVICE_UNREACHABLE: Meaning(
        "Sojourn does not answer at {address}.",
        "Start it with `sojourn serve`, or correct the address.",
        *_DOWN,
    ),
    Code.SERVICE_TIMEOUT: Meaning(
        "{what} took longer than {seconds} seconds.",
        "Look at its state before you repeat it.",
        504,
        Exit.UNAVAILABLE,
    ),
    Code.TOOL_MISSING: Meaning("{tool} is not installed.", "{remedy}", *_DOWN),
    Code.INTERNAL: Meaning(
        "Something went wrong inside Sojourn.",
        "The log holds the details under {reference}.",
        500,
        Exit.FAILED,
    ),
}
