"""What each code tells people. Sentences and next steps are `str.format` templates over an error's details.

One module for each area; a code that no module explains fails a gate.
"""

from __future__ import annotations

from collections.abc import Mapping

from sojourn.codes import Code, Meaning

from . import (
    configuration,
    evidence,
    gateway,
    grant,
    identity,
    keeping,
    policy,
    publication,
    record,
    request,
    review,
    service,
    standing,
    target,
    witness,
)

CATALOGUE: Mapping[Code, Meaning] = {
    **configuration.MEANINGS,
    **policy.MEANINGS,
    **request.MEANINGS,
    **grant.MEANINGS,
    **review.MEANINGS,
    **standing.MEANINGS,
    **target.MEANINGS,
    **identity.MEANINGS,
    **gateway.MEANINGS,
    **record.MEANINGS,
    **publication.MEANINGS,
    **witness.MEANINGS,
    **keeping.MEANINGS,
    **evidence.MEANINGS,
    **service.MEANINGS,
}
