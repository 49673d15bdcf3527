"""What a control is made of: wording and design from what is in force, operation from what is on record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sojourn.domain.catalogue import Catalogue
from sojourn.domain.policy import Policy
from sojourn.evidence.reports.context import Context
from sojourn.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """The configuration that wording and design are read from; `settings` are those of the installation."""

    catalogue: Catalogue
    policy: Policy
    version: int
    settings: Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of the design: where it stands (`rule …`, `setting …`, or `always`), and what it says."""

    source: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One count of the operation: what was counted, how many there were, and how many of these were exceptions.

    `where` names the report, and its test or sheet, that lists them one by one. `exceptions` None is a count that is
    told and has nothing to come out as.
    """

    what: str
    population: int
    exceptions: int | None
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """One control. `wording` gives its sentences, `design` the lines it rests on, `operation` what is on record of it.

    `probes` are the names of the negative tests of `sojourn controls prove` that try it.
    """

    name: str
    title: str
    wording: Callable[[InForce], Sequence[str]]
    design: Callable[[InForce], Sequence[Line]]
    operation: Callable[[Context], Sequence[Measure]]
    probes: tuple[str, ...] = ()
