"""A signing key that may be away for a while: asked again after a growing pause, and not for every caller in between.

Asking costs the loop up to the deadline of the key's keeper (a second, for a transit engine). Within a pause the last
error is told again at once, so that appends and reads wait for the key no more often than the pauses say.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sojourn.errors import Code, SojournError
from sojourn.ledger.note import Signer, Verifier

FIRST_PAUSE = 0.5
PAUSE_MAX = 30.0


@dataclass(slots=True, kw_only=True)
class PatientKey:
    """Implements `ledger.note.Signer` over another. `monotonic` counts seconds; `say` takes a line for the operator,
    one when the key goes away and one when it is back.
    """

    key: Signer
    monotonic: Callable[[], float]
    say: Callable[[str], None]
    _error: SojournError | None = None
    _pause: float = FIRST_PAUSE
    _again_at: float = 0.0

    @property
    def name(self) -> str:
        """The key's name."""
        return self.key.name

    def verifier(self) -> Verifier:
        """The public half."""
        return self.key.verifier()

    def vkey(self) -> str:
        """The text form of the public half."""
        return self.key.vkey()

    def signature_line(self, text: str) -> str:
        """This key's signature line. Raises SojournError `signing.unavailable`."""
        if self._error is not None and self.monotonic() < self._again_at:
            raise _afresh(self._error)
        try:
            line = self.key.signature_line(text)
        except SojournError as error:
            if error.code is not Code.SIGNING_UNAVAILABLE:
                raise
            self._wait(error)
            raise
        if self._error is not None:
            self._error, self._pause = None, FIRST_PAUSE
            self.say("the signing key is back, and what was recorded is signed")
        return line

    def _wait(self, error: SojournError) -> None:
        if self._error is None:
            self.say(f"{error} It is asked again until it signs.")
        else:
            self._pause = min(PAUSE_MAX, self._pause * 2)
        self._error, self._again_at = error, self.monotonic() + self._pause


def _afresh(error: SojournError) -> SojournError:
    """The same error, without the traceback of the times before."""
    return SojournError(error.code, **error.refusal.details)
