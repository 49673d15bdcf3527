"""What the codes about grants tell people."""

from __future__ import annotations

from collections.abc import Mapping

from sojourn.codes import Code, Meaning

from .answers import CONFLICT, DOWN, MISSING, REFUSED

MEANINGS: Mapping[Code, Meaning] = {
    Code.GRANT_UNKNOWN: Meaning("There is no grant {grant}.", "`sojourn grants` lists them.", *MISSING),
    Code.GRANT_NONE_ACTIVE: Meaning(
        "{person} has no active grant on {target}.",
        'Ask for one: sojourn request {target} --role ROLE --for 30m --reason "why".',
        *REFUSED,
    ),
    Code.GRANT_AMBIGUOUS: Meaning(
        "{person} has several active grants on {target}: {roles}.",
        "Say which role you mean by the user name: {person}+ROLE for a database, {target}+ROLE for an SSH host.",
        *REFUSED,
    ),
    Code.GRANT_EXPIRED: Meaning(
        "Grant {grant} ended at {end}.",
        'Ask again: sojourn request {target} --role {role} --for 30m --reason "why".',
        *REFUSED,
    ),
    Code.GRANT_ENDED: Meaning(
        "Grant {grant} has ended ({cause}).",
        'Ask again: sojourn request {target} --role {role} --for 30m --reason "why".',
        *CONFLICT,
    ),
    Code.GRANT_NOT_READY: Meaning(
        "Grant {grant} is still being set up on {target}.", "Try again in a few seconds.", *DOWN
    ),
    Code.GRANT_LEASED: Meaning(
        "Control node {node} has taken over the work on grant {grant} meanwhile.",
        "Nothing has to be done: that node goes on with it.",
        *CONFLICT,
    ),
    Code.GRANT_END_MOVED: Meaning(
        "Grant {grant} now ends at {end}, which is not the end that this extension was asked from.",
        "Ask again from the present end: sojourn extend {grant} --for 30m.",
        *CONFLICT,
    ),
    Code.GRANT_NOT_EXTENDABLE: Meaning(
        "Grant {grant} was taken without a decision beforehand, and does not last longer.",
        "Ask for an access in the ordinary way: sojourn request.",
        *REFUSED,
    ),
    Code.GRANT_NOT_YOURS: Meaning(
        "Grant {grant} belongs to {owner}.",
        "Its holder ends it with `sojourn end`; others use `sojourn revoke`.",
        *REFUSED,
    ),
    Code.GRANT_REVOKE_NOT_ENTITLED: Meaning(
        "{person} may not revoke grant {grant}.",
        "The holder, an approver of its rule or an administrator can.",
        *REFUSED,
    ),
    Code.GRANT_PROVISIONING_FAILED: Meaning(
        "Target {target} did not take the access: {problem}.",
        "The attempt is on record and was undone. Correct the cause, then ask again.",
        *DOWN,
    ),
}
