"""What the codes about requests and decisions tell people."""

from __future__ import annotations

from collections.abc import Mapping

from sojourn.codes import Code, Meaning

from .answers import CONFLICT, INPUT, MISSING, REFUSED

MEANINGS: Mapping[Code, Meaning] = {
    Code.REQUEST_UNKNOWN: Meaning(
        "There is no request {request}.",
        "`sojourn requests` lists yours and those waiting for you.",
        *MISSING,
    ),
    Code.REQUEST_DURATION_TOO_LONG: Meaning(
        "{asked} is longer than the {allowed} that rule {rule} allows.",
        "Ask for {allowed} or less.",
        *REFUSED,
    ),
    Code.REQUEST_DURATION_INVALID: Meaning(
        "{asked} is not a usable duration.",
        "Give a whole number of seconds, minutes or hours: 90s, 30m, 2h.",
        *INPUT,
    ),
    Code.REQUEST_REASON_MISSING: Meaning(
        "Rule {rule} needs a reason.", 'Add --reason "what happened and what you will do".', *REFUSED
    ),
    Code.REQUEST_REQUIREMENT_MISSING: Meaning(
        "Rule {rule} asks for a {what}; given was {given}.", "Give one that it allows: {expected}.", *REFUSED
    ),
    Code.REQUEST_REASON_TOO_LONG: Meaning(
        "The reason has {length} characters; {limit} are allowed.",
        "Shorten it, or link to a ticket.",
        *INPUT,
    ),
    Code.REQUEST_NOT_PENDING: Meaning(
        "Request {request} is already {status}.",
        "`sojourn show {request}` tells who decided and when.",
        *CONFLICT,
    ),
    Code.REQUEST_NOT_APPROVED: Meaning(
        "Request {request} is {status}, so it cannot be activated.",
        "Wait for an approval, or ask again with `sojourn request`.",
        *CONFLICT,
    ),
    Code.REQUEST_NOT_YOURS: Meaning(
        "Request {request} belongs to {owner}.", "Only the person who asked may do this.", *REFUSED
    ),
    Code.REQUEST_EXPIRED: Meaning("Request {request} expired at {at}.", "Ask again with `sojourn request`.", *CONFLICT),
    Code.REQUEST_ALREADY_ACTIVATED: Meaning(
        "Request {request} was already activated as {grant}.",
        "`sojourn show {grant}` tells its state.",
        *CONFLICT,
    ),
    Code.REQUEST_CHANGED: Meaning(
        "Request {request} is no longer what you were shown.",
        "Look at it again with `sojourn show {request}`, then decide.",
        *CONFLICT,
    ),
    Code.REQUEST_NOT_YET: Meaning(
        "Request {request} is planned to begin at {start}.", "Activate it from then on.", *CONFLICT
    ),
    Code.REQUEST_START_INVALID: Meaning(
        "{asked} is no usable start.", "Give a moment in the next {days} days, or leave --start out.", *INPUT
    ),
    Code.REQUEST_REVISED_OFTEN: Meaning(
        "Request {request} was changed {limit} times already.", "Withdraw it and ask anew.", *CONFLICT
    ),
    Code.REQUEST_EXTENSION_FIXED: Meaning(
        "Request {request} asks for more time of grant {grant}, and for nothing else.",
        "Ask for another access with `sojourn request`; an extension begins by itself when it is approved.",
        *CONFLICT,
    ),
    Code.REQUEST_COMMENTS_FULL: Meaning(
        "Request {request} has {limit} comments, and takes no more.", "Decide on it, or ask anew.", *CONFLICT
    ),
    Code.REQUEST_QUESTION_UNKNOWN: Meaning(
        "Request {request} has no open question {number}.", "`sojourn show {request}` lists them.", *MISSING
    ),
    Code.APPROVAL_NOT_LESS: Meaning(
        "That is not less than what request {request} asks for ({role} for {asked}).",
        "Give a shorter time with --for, or with --role a role whose privileges all lie within that one.",
        *INPUT,
    ),
    Code.APPROVAL_SELF: Meaning(
        "{person} asked for this access and cannot decide on it.",
        "Somebody else has to decide: {approvers}.",
        *REFUSED,
    ),
    Code.APPROVAL_NOT_ENTITLED: Meaning(
        "{person} cannot decide on this under rule {rule}: {why}.", "These people can decide: {approvers}.", *REFUSED
    ),
    Code.APPROVAL_REPEATED: Meaning(
        "{person} has already approved request {request}.",
        "{missing} more people have to approve.",
        *CONFLICT,
    ),
    Code.APPROVAL_NOT_GIVEN: Meaning(
        "{person} has not approved what request {request} asks for.",
        "`sojourn show {request}` tells who has.",
        *CONFLICT,
    ),
}
