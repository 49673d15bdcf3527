"""The kinds of answers that a code can be: an HTTP status with the exit code that goes with it."""

from __future__ import annotations

from sojourn.codes import Exit

REFUSED = (403, Exit.REFUSED)
CONFLICT = (409, Exit.CONFLICT)
MISSING = (404, Exit.NOT_FOUND)
INPUT = (422, Exit.USAGE)
DOWN = (503, Exit.UNAVAILABLE)
SIGN_IN = (401, Exit.UNAUTHENTICATED)
