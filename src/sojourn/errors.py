"""Every error and refusal Sojourn can give: a code, a sentence, a next step.

A *refusal* is a value (`Refusal`): the rules said no, and that is a normal answer. An *error* is an
exception (`SojournError`): the work could not be done. Both name a `Code` from the one catalogue
(`codes.py`, `meanings/`), so the CLI, the API and the gateways say the same words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .codes import Code
from .meanings import CATALOGUE

__all__ = ["Code", "Refusal", "SojournError"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """The rules said no. `details` fill the catalogue's templates and are kept on record as text."""

    code: Code
    details: Mapping[str, str] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        """What was refused and why, in one sentence."""
        return CATALOGUE[self.code].sentence.format_map(self.details)

    @property
    def next_step(self) -> str:
        """What the person can do now."""
        return CATALOGUE[self.code].next_step.format_map(self.details)


class SojournError(Exception):
    """The work could not be done. Carries the same `Refusal` value that every front end knows how to show."""

    def __init__(self, code: Code, **details: str) -> None:
        self.refusal = Refusal(code, details)
        super().__init__(f"{code}: {self.refusal.sentence} {self.refusal.next_step}")

    @property
    def code(self) -> Code:
        """The stable name of this error."""
        return self.refusal.code
