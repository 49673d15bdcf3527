"""Who changed the rules, who administers Sojourn and what they did, and how the record itself stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sojourn.configuration import compare_settings
from sojourn.domain.events import ConfigurationAdopted, EvidenceGiven
from sojourn.domain.history import Recorded
from sojourn.domain.policy.difference import Difference, compare
from sojourn.evidence.accesses.books import Configurations
from sojourn.evidence.files.sheet import Sheet

from .columns import Cell, sheet_of
from .completeness import completeness
from .context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A configuration that came into force. `differences` is None if the one before cannot be read."""

    recorded: Recorded
    event: ConfigurationAdopted
    differences: tuple[Difference, ...] | None

    @property
    def two_people(self) -> bool:
        """Whether one person proposed it and another approved it."""
        return (
            bool(self.event.proposed_by and self.event.approved_by) and self.event.proposed_by != self.event.approved_by
        )


def changes(context: Context) -> Iterator[Sheet]:
    """Versions of the period, what each changed for whom, and whether anything changed at all."""
    versions = list(_versions(context))
    yield sheet_of("Versions", "Every configuration that came into force in the period.", _VERSIONS, versions)
    told = ((version, one) for version in versions for one in version.differences or ())
    yield sheet_of("Differences", "What each changed, and for whom.", _DIFFERENCES, told)
    yield sheet_of("Baseline", "What was in force at the start and at the end.", _BASELINE, _baseline(context))


def _versions(context: Context) -> Iterator[Version]:
    configurations = context.books.configurations
    for number, one in sorted(configurations.adopted.items()):
        if context.parameters.period.contains(one.at):
            assert isinstance(one.event, ConfigurationAdopted)
            before = max((version for version in configurations.adopted if version < number), default=None)
            differences = None if before is None else _differences(configurations, before, number)
            yield Version(recorded=one, event=one.event, differences=differences)


def _differences(configurations: Configurations, before: int, after: int) -> tuple[Difference, ...] | None:
    """What is otherwise, settings included; None where one of them cannot be read."""
    old, new = configurations.under(before), configurations.under(after)
    settings = configurations.settings(before), configurations.settings(after)
    if old is None or new is None or settings[0] is None or settings[1] is None:
        return None
    return (*compare_settings(settings[0], settings[1]), *compare(old.catalogue, new.catalogue))


def _baseline(context: Context) -> Iterator[tuple[str, datetime, int | None, str]]:
    configurations, period = context.books.configurations, context.parameters.period
    for name, moment in (("start", period.start), ("end", min(period.end, context.parameters.as_of))):
        version = configurations.in_force(moment)
        one = None if version is None else configurations.adopted[version]
        digest = one.event.catalogue_sha256 if one is not None and isinstance(one.event, ConfigurationAdopted) else ""
        yield name, moment, version, digest


_VERSIONS: tuple[Cell[Version], ...] = (
    Cell("version", lambda one: one.recorded.version, "Version of the configuration."),
    Cell("in_force_from", lambda one: one.recorded.at, "From when on (UTC)."),
    Cell("sha256", lambda one: one.event.catalogue_sha256, "Hash of the catalogue as Sojourn understood it."),
    Cell("settings_sha256", lambda one: one.event.settings_sha256, "Hash of its settings; empty before there were."),
    Cell("proposed_by", lambda one: one.event.proposed_by, "Who proposed it."),
    Cell("approved_by", lambda one: one.event.approved_by, "Who approved it."),
    Cell("operator", lambda one: one.event.operator, "Who adopted it at the machine, without a second person."),
    Cell("two_people", lambda one: "pass" if one.two_people else "fail", "pass if two people did it."),
    Cell("files", lambda one: "; ".join(f"{file.name} {file.sha256}" for file in one.event.files), "Its files."),
    Cell("differences", lambda one: None if one.differences is None else len(one.differences), "How many differences."),
    Cell("entry", lambda one: one.recorded.seq, "Place in the record."),
)
_DIFFERENCES: tuple[Cell[tuple[Version, Difference]], ...] = (
    Cell("version", lambda one: one[0].recorded.version, "Version that changed it."),
    Cell("person", lambda one: one[1].person, "For whom; empty for everybody."),
    Cell("kind", lambda one: one[1].kind.value, "Gained, lost or changed."),
    Cell("what", lambda one: one[1].what, "What."),
    Cell("before", lambda one: "; ".join(one[1].before), "As it was."),
    Cell("after", lambda one: "; ".join(one[1].after), "As it is."),
)
_BASELINE: tuple[Cell[tuple[str, datetime, int | None, str]], ...] = (
    Cell("moment", lambda one: one[0], "Start or end of the period."),
    Cell("at", lambda one: one[1], "When (UTC)."),
    Cell("version", lambda one: one[2], "Version in force then; the same in both rows if nothing changed."),
    Cell("sha256", lambda one: one[3], "Its hash."),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """Something that an administrator, or an operator of the machine, did."""

    recorded: Recorded
    actor: str


def administrators(context: Context) -> Iterator[Sheet]:
    """Who administers, by version, and what they did in the period."""
    yield sheet_of("Administrators", "Who was an administrator, by version.", _ADMINISTRATORS, _appointed(context))
    yield sheet_of("Deeds", "What administrators and operators did.", _DEEDS, _deeds(context))


def _appointed(context: Context) -> Iterator[tuple[int, str, bool, bool]]:
    for version in sorted(context.books.configurations.adopted):
        adopted = context.books.configurations.under(version)
        for person in adopted.catalogue.people if adopted is not None else ():
            if person.administrator or person.auditor:
                yield version, person.id, person.administrator, person.auditor


_ACTORS = (
    "operator",
    "person",
    "recorded_by",
    "invited_by",
    "placed_by",
    "requested_by",
    "confirmed_by",
    "opened_by",
    "withdrawn_by",
    "set_by",
)


def _deeds(context: Context) -> Iterator[Deed]:
    appointed = {person for _, person, administers, _ in _appointed(context) if administers}
    for one in context.books.others:
        if one.event.kind.startswith(("attempt.", "target.", "process.")) or not context.parameters.period.contains(
            one.at
        ):
            continue
        named = [(name, getattr(one.event, name, "")) for name in _ACTORS]
        actor = next((str(who) for name, who in named if who and (name == "operator" or who in appointed)), "")
        if actor:
            yield Deed(recorded=one, actor=actor)


_ADMINISTRATORS: tuple[Cell[tuple[int, str, bool, bool]], ...] = (
    Cell("policy_version", lambda one: one[0], "Version of the configuration."),
    Cell("person", lambda one: one[1], "Who."),
    Cell("administrator", lambda one: one[2], "Whether they administer."),
    Cell("auditor", lambda one: one[3], "Whether they audit."),
)
_DEEDS: tuple[Cell[Deed], ...] = (
    Cell("entry", lambda one: one.recorded.seq, "Place in the record."),
    Cell("at", lambda one: one.recorded.at, "When (UTC)."),
    Cell("actor", lambda one: one.actor, "Who."),
    Cell("deed", lambda one: one.recorded.event.kind, "What kind of entry it made."),
    Cell("stream", lambda one: one.recorded.stream, "About what."),
)


def integrity(context: Context) -> Iterator[Sheet]:
    """What the record holds, what was noticed about it, and the checks."""
    kinds = sorted(context.books.kinds.items())
    yield sheet_of("Entries", "How many entries of each kind.", _KINDS, kinds)
    noticed = (one for one in context.books.others if one.event.kind.startswith(_ABOUT_THE_RECORD))
    yield sheet_of("Record", "What happened to the record itself, and to its copies.", _NOTICED, noticed)
    yield completeness(context)


_ABOUT_THE_RECORD = (
    "publication.",
    "witness",
    "worm",
    "process.",
    "keys.",
    "hold.",
    "retention",
    "records.",
    "shredding",
)
_KINDS: tuple[Cell[tuple[str, int]], ...] = (
    Cell("kind", lambda one: one[0], "Kind of entry."),
    Cell("entries", lambda one: one[1], "How many, from the first to the moment of the report.", total=True),
)
_NOTICED: tuple[Cell[Recorded], ...] = (
    Cell("entry", lambda one: one.seq, "Place in the record."),
    Cell("at", lambda one: one.at, "When (UTC)."),
    Cell("kind", lambda one: one.event.kind, "What happened."),
    Cell("stream", lambda one: one.stream, "About what."),
)


def looks(context: Context) -> Iterator[Sheet]:
    """Every time that evidence was given to somebody."""
    found = (
        (one, one.event)
        for one in context.books.others
        if isinstance(one.event, EvidenceGiven) and context.parameters.period.contains(one.at)
    )
    yield sheet_of("Looks", "What evidence was given to whom.", _LOOKS, found)


_LOOKS: tuple[Cell[tuple[Recorded, EvidenceGiven]], ...] = (
    Cell("entry", lambda one: one[0].seq, "Place in the record."),
    Cell("at", lambda one: one[0].at, "When (UTC)."),
    Cell("person", lambda one: one[1].person, "Who looked."),
    Cell("form", lambda one: one[1].form.value, "A pack, a report or a certificate."),
    Cell("subject", lambda one: one[1].subject, "Of what."),
    Cell("sha256", lambda one: one[1].sha256, "Hash of what was given."),
    Cell("source", lambda one: one[1].source, "From where they asked."),
)
