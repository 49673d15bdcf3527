"""Who may decide about what is kept: administrators whom the configuration in force knows."""

from __future__ import annotations

from sojourn.errors import Code, Refusal

from .catalogue import Catalogue
from .identifiers import PersonId


def unless_administrator(catalogue: Catalogue, person: PersonId, action: str) -> Refusal | None:
    """The refusal for somebody who is no administrator; `action` says what they wanted to do."""
    known = catalogue.person(person)
    if known is not None and known.administrator:
        return None
    return Refusal(Code.PERMISSION_DENIED, {"person": person, "action": action, "who": "an administrator"})
