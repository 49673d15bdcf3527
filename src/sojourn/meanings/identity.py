"""What the codes about accounts, credentials and permissions tell people."""

from __future__ import annotations

from collections.abc import Mapping

from sojourn.codes import Code, Exit, Meaning

from .answers import CONFLICT, DOWN, INPUT, MISSING, REFUSED, SIGN_IN

MEANINGS: Mapping[Code, Meaning] = {
    Code.ACCOUNT_EXISTS: Meaning("{person} has an account already.", "Sign in with `sojourn login`.", *CONFLICT),
    Code.CREDENTIALS_INVALID: Meaning(
        "The name or the secret is wrong.", "Sign in with `sojourn login` and try again.", *SIGN_IN
    ),
    Code.CREDENTIALS_EXPIRED: Meaning(
        "This credential has expired.",
        "Sign in with `sojourn login`, or get a new one with `sojourn connect`.",
        *SIGN_IN,
    ),
    Code.CREDENTIALS_MISSING: Meaning("Nobody is signed in.", "Sign in with `sojourn login`.", *SIGN_IN),
    Code.INVITATION_INVALID: Meaning(
        "This invitation is unknown, used or expired.", "Ask an administrator for a new one.", *SIGN_IN
    ),
    Code.PASSWORD_GUESSABLE: Meaning(
        "That password is guessed too easily: it is made of what everybody knows, or of names that belong here.",
        "Choose another, such as four words that have nothing to do with each other.",
        *INPUT,
    ),
    Code.PASSWORD_TOO_SHORT: Meaning(
        "The password has {length} characters; at least {minimum} are needed.",
        "Choose a longer one.",
        *INPUT,
    ),
    Code.PASSKEY_INVALID: Meaning(
        "That is no answer of a passkey to what was asked: {problem}.", "Try again, from the beginning.", *INPUT
    ),
    Code.PASSKEY_UNKNOWN: Meaning(
        "There is no passkey {passkey} of {person}.", "Look at yours with `GET /passkeys`.", *MISSING
    ),
    Code.PASSKEY_COPIED: Meaning(
        "Passkey {passkey} counted {counted}, and {known} before: there may be a copy of it.",
        "Sign in with another one, remove this one, and tell an administrator.",
        *REFUSED,
    ),
    Code.PASSKEY_LAST: Meaning(
        "Without passkey {passkey} {person} could not sign in any more.", "Add another one first.", *CONFLICT
    ),
    Code.PASSKEYS_FULL: Meaning(
        "{person} has {count} passkeys, and more are not kept.", "Remove one that is not used any more.", *CONFLICT
    ),
    Code.SECOND_FACTOR_MISSING: Meaning(
        "The code of the second factor is missing.", "Send the code that your authenticator shows as well.", *SIGN_IN
    ),
    Code.SECOND_FACTOR_ALONE: Meaning(
        "{person} has no password that a code could go with.", "Set a password first, or sign in by passkey.", *CONFLICT
    ),
    Code.SECOND_FACTOR_NONE: Meaning("{person} has no second factor.", "There is nothing to remove.", *CONFLICT),
    Code.RECOVERY_NOTHING: Meaning(
        "Nothing is to be recovered for {person}.",
        "Ask for it first with `sojourn recover`, or invite them if they have no account.",
        *CONFLICT,
    ),
    Code.RECOVERY_SELF: Meaning(
        "{person} may not do this alone, nor for themselves.", "Ask another administrator.", *REFUSED
    ),
    Code.PROVIDER_NONE: Meaning(
        "No OpenID provider is set up here.", "Sign in with a passkey or a password, or set `oidc.issuer`.", *MISSING
    ),
    Code.PROVIDER_UNAVAILABLE: Meaning(
        "The provider {provider} cannot be used: {problem}.",
        "Try again in a minute; if that does not help, an administrator looks at `oidc` in the settings.",
        *DOWN,
    ),
    Code.PROVIDER_REFUSED: Meaning(
        "The provider {provider} did not sign you in: {problem}.", "Try again, from the beginning.", *SIGN_IN
    ),
    Code.WORKLOAD_REFUSED: Meaning(
        "The ID token does not let anybody in as {person}: {problem}.",
        "Compare what the token says with the workloads of that service in people.yaml; its owner can see them.",
        *SIGN_IN,
    ),
    Code.IDENTITY_UNKNOWN: Meaning(
        "The provider {provider} calls you {name}, and nobody here has that id.",
        "Ask an administrator: the id in people.yaml has to be what the claim {claim} says.",
        *REFUSED,
    ),
    Code.IDENTITY_OTHER: Meaning(
        "{person} is another identity at {provider}, or this identity is another person.",
        "Ask the administrators: if it is the same human being, two of them recover the account first.",
        *REFUSED,
    ),
    Code.DIRECTORY_FILTER: Meaning(
        "The filter {filter} is not known here.", "Compare with `eq`, joined by `and`: {attributes}.", 400, Exit.USAGE
    ),
    Code.DIRECTORY_VALUE: Meaning(
        "The directory sent what cannot be taken: {problem}.",
        "See docs/how-to/provision-people-by-scim.md.",
        400,
        Exit.USAGE,
    ),
    Code.DIRECTORY_UNKNOWN: Meaning(
        "The directory has handed over no {what} {name}.", "Have the directory provision it anew.", *MISSING
    ),
    Code.DIRECTORY_EXISTS: Meaning(
        "The directory has handed over a {what} {name} already.", "Change that one.", *CONFLICT
    ),
    Code.DIRECTORY_NOBODY: Meaning(
        "Nobody here is called {name}.",
        "Assign only people of people.yaml to this application; who is in it is changed by two administrators.",
        400,
        Exit.USAGE,
    ),
    Code.DIRECTORY_LEFT: Meaning(
        "{person} has left by the word of {by}, which the directory does not take back.",
        "An administrator records the return with `sojourn rejoin {person}`.",
        *CONFLICT,
    ),
    Code.DIRECTORY_CHANGED: Meaning(
        "{name} has changed since it was read.", "Read it again and decide anew.", 412, Exit.CONFLICT
    ),
    Code.CONFIRMATION_NEEDED: Meaning("{person} has to confirm {action}.", "Confirm it with {how}.", *REFUSED),
    Code.ATTEMPTS_LIMITED: Meaning(
        "Too many failed attempts from {source}.", "Wait {seconds} seconds and try again.", 429, Exit.REFUSED
    ),
    Code.PERMISSION_DENIED: Meaning("{person} may not {action}.", "Ask somebody who may: {who}.", *REFUSED),
}
