"""What the API answers: the shapes of its JSON. `sojourn … --json` prints the same.

Times are texts, UTC (RFC 3339). A number says its unit in its name. A field that does not apply is null and never
left out.
These shapes are kept: fields may be added, and none is renamed or removed.
"""

from __future__ import annotations

from dataclasses import dataclass

from .assurance_shapes import GlassShown


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A token for this API. It is shown once and ends by itself. `ssh` says that certificates can be had here."""

    person: str
    token: str
    expires_at: str
    ssh: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """The account is set up; the person can sign in."""

    person: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """A one-time code for `sojourn enrol`, to be handed over in person. It is shown once."""

    person: str
    code: str
    expires_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Me:
    """The caller, as the configuration in force knows them. Decisions are confirmed with `confirms`; "" for nothing.

    `passkey` says that they have one for this address, `password` that they have one.
    """

    person: str
    name: str
    mail: str
    administrator: bool
    auditor: bool
    teams: tuple[str, ...]
    confirms: str
    passkey: bool
    password: bool
    second_factor: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleOffered:
    """A role that the caller may ask for, and the terms under which they would get it."""

    role: str
    description: str
    privileges: tuple[str, ...]
    longest_seconds: int
    reason_required: bool
    approvals: int
    approvers: tuple[str, ...]
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetOffered:
    """A target on which the caller may ask for at least one role."""

    target: str
    kind: str
    description: str
    roles: tuple[RoleOffered, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """All targets on which the caller may ask for something."""

    targets: tuple[TargetOffered, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionShown:
    """One person's word on a request; `on_behalf_of` is whose place it fills, when that person is away."""

    person: str
    decision: str
    at: str
    comment: str | None
    on_behalf_of: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupShown:
    """A group that has to approve: `needed` different people of it."""

    name: str
    needed: int
    people: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AwayShown:
    """An approver who is away now, and who decides in their place, if anybody does."""

    person: str
    delegate: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentShown:
    """Something said about a request. `answers` is the number of the question that it answers."""

    number: int
    person: str
    at: str
    text: str | None
    question: bool
    answers: int | None
    answered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestShown:
    """A request. `digest` covers everything that is asked; an approval names it.

    `reason` and comments read `(shredded)` when their keys were destroyed. `decidable` says whether the caller
    can decide about it now. `revision` counts what it has asked for; decisions are about the present one. With `start`
    the access is planned for then; with `extends` it is that grant's end that moves, from `since` on. `automatic` says
    why no decision is needed. From `escalates_at` on more people may decide. `ticket`, `incident`, `reason_code` and
    `activities` are as the requester declared them. `cause` says why it expired. `comments` are left out of lists.
    """

    request: str
    status: str
    person: str
    target: str
    role: str
    duration_seconds: int
    reason: str | None
    digest: str
    rules: tuple[str, ...]
    approvers: tuple[str, ...]
    approvals: int
    decisions: tuple[DecisionShown, ...]
    submitted_at: str
    due: str | None
    grant: str | None
    decidable: bool
    revision: int
    start: str | None
    extends: str | None
    since: str | None
    break_glass: bool
    automatic: str
    escalates_at: str | None
    escalated_at: str | None
    cause: str | None
    groups: tuple[GroupShown, ...]
    reason_code: str
    ticket: str
    incident: str
    activities: tuple[str, ...]
    away: tuple[AwayShown, ...]
    comments: tuple[CommentShown, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """Requests, newest first. `more` says that there are older ones: ask again with `before` set to `next`.

    With `waiting`, `told` are the uses of break-glass that the caller was told of, until their reviews are concluded.
    """

    requests: tuple[RequestShown, ...]
    more: bool
    next: int | None
    told: tuple[GlassShown, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantShown:
    """A grant: an access with one end. It is finished when `removed_at` is set: read back from the target as gone.

    `privileges` were read back from the target when it was made. `extended` counts approved extensions; `prolonged_to`
    is the later end that the target has confirmed. `overdue_since` is set while a removal is late. `leftovers` runs on
    at the target after the removal, because the role says so. With `break_glass` nobody decided beforehand.
    """

    grant: str
    status: str
    request: str
    person: str
    target: str
    role: str
    start: str
    end: str
    privileges: tuple[str, ...]
    ended_at: str | None
    cause: str | None
    ended_by: str | None
    removed_at: str | None
    problem: str | None
    extended: int
    prolonged_to: str | None
    overdue_since: str | None
    leftovers: tuple[str, ...]
    break_glass: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Grants:
    """Grants, newest first. `more` says that there are older ones: ask again with `before` set to `next`."""

    grants: tuple[GrantShown, ...]
    more: bool
    next: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What became of ending a grant. `removed` says whether its removal has been read back from the target by now.

    `sessions_cut` were open at its end, `cut_us_max` is the longest time from its end to a closed socket, and
    `removal_ms` from its end to the read-back.
    """

    grant: GrantShown
    removed: bool
    sessions_cut: int
    cut_us_max: int | None
    removal_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """All that a PostgreSQL client needs. `token` is the password, shown once; `authority` is a PEM certificate.

    New connections are taken until `token_expires_at`, and every one ends at `grant_end`.
    """

    grant: str
    person: str
    target: str
    role: str
    grant_end: str
    host: str
    port: int
    database: str
    user: str
    token: str
    token_expires_at: str
    authority: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionShown:
    """One connection under a grant. `cut_lag_us` is from the grant's end to the closed socket."""

    session: str
    grant: str
    person: str
    target: str
    role: str
    source: str
    application: str
    opened_at: str
    closed_at: str | None
    cause: str | None
    actions: int
    cut_lag_us: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sessions:
    """Sessions, newest first. `more` says that there are older ones: ask again with `before` set to `next`."""

    sessions: tuple[SessionShown, ...]
    more: bool
    next: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionShown:
    """One action of a session: what was intended, and what became of it (null while it runs).

    Its text is sealed and not shown here: who may opens it at `/sessions/{name}/actions/{number}`, on record.
    """

    number: int
    at: str
    verb: str
    may_write: bool
    objects: tuple[str, ...]
    outcome: str | None
    tags: tuple[str, ...]
    sqlstate: str | None
    rows: int | None
    bytes_out: int | None
    duration_us: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Actions:
    """Actions of one session in order. `more` says that it goes on: ask again with `after` set to `next`."""

    session: str
    actions: tuple[ActionShown, ...]
    more: bool
    next: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptShown:
    """Something that was tried and refused. `actor` and `subject` are as they came, so they may name nothing real."""

    seq: int
    at: str
    verb: str
    actor: str
    code: str
    subject: str
    source: str
    details: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempts:
    """Refused attempts, newest first. `more` says that there are older ones: ask again with `before` set to `next`."""

    attempts: tuple[AttemptShown, ...]
    more: bool
    next: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyShown:
    """A published copy of the ledger. `published` entries are there; `behind_since` is null when that is everything.

    `problem` says what stands in the way, and `refused` that the place holds something else than the ledger.
    """

    place: str
    published: int
    behind_since: str | None
    problem: str
    refused: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerShown:
    """The ledger's present head. `checkpoint` is a signed note over it, `verifier_key` what it is checked with.

    `cosigned` is the newest checkpoint with its witnesses' cosignatures; empty if there is none.
    """

    origin: str
    size: int
    root: str
    checkpoint: str
    verifier_key: str
    cosigned: str
    copies: tuple[CopyShown, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Whether this installation can do its work now. `size` is the number of entries in the ledger."""

    ok: bool
    version: str
    size: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why something was refused or failed: a stable code, a sentence, a next step, and what they were made from."""

    code: str
    message: str
    next_step: str
    details: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorShown:
    """The body of every answer that is no success."""

    error: Problem
