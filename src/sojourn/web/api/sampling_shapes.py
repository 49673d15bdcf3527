"""What the API answers about samples, and about evidence that was given."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleListed:
    """A sample: `size` of the `population` access events of `[start, end)`, drawn by `seed`."""

    sample: str
    person: str
    start: str
    end: str
    as_of: str
    seed: str
    population: int
    size: int
    questions: int
    open_questions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """Samples that the caller may see, newest first. `more` says that there are older ones: ask with `before`."""

    samples: tuple[SampleListed, ...]
    more: bool
    next: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionShown:
    """What was asked about an item of a sample, of whom, and what was answered (null while it is open)."""

    number: int
    request: str
    person: str
    of: str
    text: str
    answered_by: str | None
    answer: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleShown:
    """A sample with its items and the questions about them; `manifest_sha256` is of the report it was drawn in."""

    sample: str
    person: str
    start: str
    end: str
    as_of: str
    seed: str
    population: int
    manifest_sha256: str
    requests: tuple[str, ...]
    questions: tuple[QuestionShown, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenProof:
    """What vouches for evidence that was given: the entry that names its hash, and the signed proof of that entry.

    `entry` is canonical JSON and `proof` a C2SP tlog-proof, both as text, for `sojourn-verify PROOF --entry ENTRY`.
    """

    sha256: str
    seq: int
    entry: str
    proof: str
