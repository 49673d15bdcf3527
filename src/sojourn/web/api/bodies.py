"""What callers send: the JSON bodies of the API, each refused as a whole if a field is unknown, missing or mistyped.

These are structs and not dataclasses because only structs can refuse a field that nobody knows.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from sojourn.domain.events import Disposition, ReviewOutcome
from sojourn.domain.people import FactKind, Scope


class SignIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person shows who they are; `code` is that of their second factor, if they have one."""

    person: str
    password: str
    code: str = ""


class Enrol(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An invited person redeems the code and chooses a password."""

    person: str
    code: str
    password: str


class Confirmable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whoever decides confirms it anew: with their password, or with a passkey.

    For a passkey: `confirmation` is the `ticket` of `/confirmations/options`, with the `checkpoint` from there, and
    `credential` what it answered (JSON, as text).
    """

    password: str = ""
    code: str = ""
    confirmation: str = ""
    checkpoint: str = ""
    credential: str = ""


class ConfirmationAsk(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody is about to decide: which `action` on which `subject`, and the `details` that belong to it.

    In the place of `seconds` they may say a `duration`, such as `30m`.
    """

    action: str
    subject: str
    details: dict[str, str] = {}


class NewPassword(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whoever has just signed in sets another password."""

    password: str


class SecondFactor(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The code that an authenticator app shows for the secret that `ticket` was for."""

    ticket: str
    code: str


class DeviceWaiting(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A program asks whether its person has signed in meanwhile; `device` is what it was given."""

    device: str


class TokenExchange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A workload has an ID token and wants a token of the service `client_id` for it; JSON, or a form (RFC 8693, 2.1).

    `grant_type` is that of a token exchange, `subject_token_type` that of an ID token or of a JWT. `scope` are words
    with spaces between; "" is for all that the service lets it in for.
    """

    grant_type: str
    client_id: str
    subject_token: str
    subject_token_type: str
    scope: str = ""


class ProgramToken(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A token for a program: what it is called, what it may be used for, and how long it is good, such as `30d`.

    It acts as the caller, or as `person`, a service or an agent that the caller answers for.
    """

    label: str
    scope: tuple[Scope, ...]
    life: str
    person: str = ""


class PasskeyOffer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A browser is to make a passkey: for `person` with the code of their invitation, or for whoever is signed in."""

    person: str = ""
    code: str = ""


class PasskeyMade(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The passkey that a browser has made (`toJSON()`, or the text of it), and what its person calls it."""

    ticket: str
    credential: dict[str, Any] | str
    label: str
    person: str = ""
    code: str = ""


class PasskeyAnswer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a passkey has answered (`toJSON()`, or the text of it) to what was asked with `ticket`."""

    ticket: str
    credential: dict[str, Any] | str


class Ask(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person asks for access. `duration` is a text such as `30m`; `start` a moment (RFC 3339), or empty for now.

    `ticket` and `incident` are ids; of what kind and in which state they are, the record says.
    """

    target: str
    role: str
    duration: str
    reason: str = ""
    start: str = ""
    reason_code: str = ""
    incident: str = ""
    ticket: str = ""
    activities: tuple[str, ...] = ()


class MoreTime(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The holder of an access asks that it lasts `duration` longer."""

    duration: str
    reason: str = ""
    reason_code: str = ""
    incident: str = ""
    ticket: str = ""
    activities: tuple[str, ...] = ()


class Glass(Confirmable, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody takes an access without a decision beforehand, and confirms it: with their password, or a passkey."""

    target: str
    role: str
    duration: str
    reason: str
    reason_code: str = ""
    incident: str = ""
    ticket: str = ""
    activities: tuple[str, ...] = ()


class Conclusion(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A reviewer's outcome, with one answer (yes, no, not_applicable) for each point of the checklist, in order."""

    outcome: ReviewOutcome
    answers: tuple[str, ...]
    remark: str = ""


class Campaign(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An administrator has all eligibility certified by `reviewers` until `due` (RFC 3339 with its offset)."""

    title: str
    reviewers: tuple[str, ...]
    due: str


class ItemDecision(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A reviewer keeps the item of that number, or takes it away."""

    number: int
    keep: bool
    comment: str = ""


class LessDecision(Confirmable, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An approver gives less than was asked: `role` for `duration`, of what `digest` names."""

    digest: str
    role: str
    duration: str
    comment: str = ""


class Said(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something said about a request: a remark, a question, or the answer to the question of that number."""

    text: str
    question: bool = False
    answers: int | None = None


class Decision(Confirmable, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An approver decides about what was shown to them, which `digest` names."""

    digest: str
    comment: str = ""


class ConnectionAsk(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person wants to connect now. `role` is needed only when several of their grants could be meant."""

    role: str = ""


class SshKey(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A public key of the caller's, as one line of its `.pub` file. Registered, it is good for longer than a day."""

    public_key: str
    register_key: bool = False


class Hold(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An administrator has something kept. `start` and `end` are moments in UTC, for a person or a period."""

    scope: str
    name: str = ""
    start: str = ""
    end: str = ""
    reason: str = ""


class Shredding(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An administrator wants what was sealed about `person` made unreadable; without classes, all but credentials."""

    person: str
    classes: tuple[str, ...] = ()
    reason: str = ""


class KeepFor(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For how many days a class of record is to be kept."""

    record_class: str
    days: int


class Days(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The number of days that somebody else asked for."""

    days: int


class Reason(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why something is done; it is sealed."""

    reason: str = ""


class Absence(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person is away until `end`, from `start` (now if empty) on. Moments are RFC 3339 with their offset."""

    end: str
    start: str = ""
    delegate: str = ""


class ConfigurationChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An administrator proposes other files; `files` maps people.yaml, targets.yaml and policy.yaml to their texts.

    With settings.yaml among them, other settings are proposed as well; without it they stay.
    """

    files: dict[str, str]
    reason: str = ""


class Nothing(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An empty object: the address says it all. An empty body is taken as one."""


class ShiftGiven(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person is on call from `start` to `end` (RFC 3339 with their offsets)."""

    person: str
    start: str
    end: str


class FactGiven(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fact that holds until `until` (RFC 3339); `origin` says where it comes from.

    A schedule (`on_call`) has `shifts`, a `deployment` the `people` who deployed, an `incident` a `state`, and a
    `ticket` a `state`, its kind (`sort`) and maybe the `people` who are to carry it out.
    """

    fact: FactKind
    subject: str
    until: str
    origin: str
    state: str = ""
    sort: str = ""
    people: tuple[str, ...] = ()
    shifts: tuple[ShiftGiven, ...] = ()


class FactTaken(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fact is no longer so."""

    fact: FactKind
    subject: str


class Dispose(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What becomes of tests that failed: their letters, who owns what has to follow, and why."""

    tests: tuple[str, ...]
    disposition: Disposition
    owner: str
    remark: str
    ticket: str = ""


class DisposeOfFinding(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What becomes of a finding: who owns what has to follow, and why."""

    disposition: Disposition
    owner: str
    remark: str
    ticket: str = ""


class AskReport(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A report of `[start, end)`, as of a moment (empty for now), with `sample` rows drawn by `seed`."""

    report: str
    start: str
    end: str
    as_of: str = ""
    sample: int = 0
    seed: str = ""


class AskInformation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An auditor wants to know something about one `request` of a sample, of somebody."""

    request: str
    of: str
    text: str


class GiveInformation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The answer to the question of that number."""

    number: int
    text: str
