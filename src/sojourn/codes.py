"""The stable names of all errors and refusals, and the exit codes of the command line."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Exit:
    """Exit codes of the command line (documented in docs/reference/cli.md)."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    REFUSED = 3
    UNAUTHENTICATED = 4
    NOT_FOUND = 5
    UNAVAILABLE = 6
    CONFLICT = 7


class Code(StrEnum):
    """Stable names of all errors and refusals; never renamed once released."""

    CONFIGURATION_INVALID = "configuration.invalid"
    CONFIGURATION_MISSING = "configuration.missing"
    CHANGE_UNKNOWN = "change.unknown"
    CHANGE_NOTHING = "change.nothing"
    CHANGE_SELF = "change.self"
    CHANGE_OTHER = "change.other"
    CHANGE_OUTDATED = "change.outdated"
    CHANGE_NOT_PENDING = "change.not_pending"
    CHANGE_LOCKS_OUT = "change.locks_out"
    CHANGE_NEEDS_APPROVAL = "change.needs_approval"
    CHANGE_LETS_IN = "change.lets_in"
    CHANGE_NO_SECOND_PERSON = "change.no_second_person"
    SETTINGS_INVALID = "settings.invalid"
    SETTINGS_NOT_IN_FORCE = "settings.not_in_force"
    DATA_DIRECTORY_BUSY = "data.directory_busy"
    DATA_DIRECTORY_EXISTS = "data.directory_exists"
    DATA_DIRECTORY_MISSING = "data.directory_missing"
    DATA_DIRECTORY_OPEN = "data.directory_open"

    PERSON_UNKNOWN = "person.unknown"
    PERSON_LEFT = "person.left"
    PERSON_PRESENT = "person.present"
    OWNER_LEFT = "owner.left"
    ELIGIBILITY_REMOVED = "eligibility.removed"
    ADMINISTRATOR_LAST = "administrator.last"
    ABSENCE_UNKNOWN = "absence.unknown"
    ABSENCE_INVALID = "absence.invalid"
    TARGET_UNKNOWN = "target.unknown"
    TARGET_DATABASE_UNKNOWN = "target.database_unknown"
    ROLE_UNKNOWN = "role.unknown"
    POLICY_NO_RULE = "policy.no_rule"
    POLICY_NO_APPROVER = "policy.no_approver"
    POLICY_DUTIES_APART = "policy.duties_apart"
    POLICY_FACT_MISSING = "policy.fact_missing"
    FACT_NOT_ENTITLED = "fact.not_entitled"
    FACT_INVALID = "fact.invalid"

    REQUEST_UNKNOWN = "request.unknown"
    REQUEST_DURATION_TOO_LONG = "request.duration_too_long"
    REQUEST_DURATION_INVALID = "request.duration_invalid"
    REQUEST_REASON_MISSING = "request.reason_missing"
    REQUEST_REASON_TOO_LONG = "request.reason_too_long"
    REQUEST_REQUIREMENT_MISSING = "request.requirement_missing"
    REQUEST_NOT_PENDING = "request.not_pending"
    REQUEST_NOT_APPROVED = "request.not_approved"
    REQUEST_NOT_YOURS = "request.not_yours"
    REQUEST_EXPIRED = "request.expired"
    REQUEST_ALREADY_ACTIVATED = "request.already_activated"
    REQUEST_CHANGED = "request.changed"
    REQUEST_NOT_YET = "request.not_yet"
    REQUEST_START_INVALID = "request.start_invalid"
    REQUEST_REVISED_OFTEN = "request.revised_often"
    REQUEST_EXTENSION_FIXED = "request.extension_fixed"
    REQUEST_COMMENTS_FULL = "request.comments_full"
    REQUEST_QUESTION_UNKNOWN = "request.question_unknown"
    APPROVAL_SELF = "approval.self"
    APPROVAL_NOT_ENTITLED = "approval.not_entitled"
    APPROVAL_REPEATED = "approval.repeated"
    APPROVAL_NOT_GIVEN = "approval.not_given"
    APPROVAL_NOT_LESS = "approval.not_less"
    REVIEW_OVERDUE = "review.overdue"
    REVIEW_UNKNOWN = "review.unknown"
    REVIEW_NOT_ENTITLED = "review.not_entitled"
    REVIEW_CONCLUDED = "review.concluded"
    REVIEW_INCOMPLETE = "review.incomplete"
    REVIEW_NOTES_FULL = "review.notes_full"
    REVIEW_QUESTION_UNKNOWN = "review.question_unknown"
    CAMPAIGN_UNKNOWN = "campaign.unknown"
    CAMPAIGN_INVALID = "campaign.invalid"
    CAMPAIGN_ITEM_UNKNOWN = "campaign.item_unknown"
    CAMPAIGN_NOT_ENTITLED = "campaign.not_entitled"
    CAMPAIGN_CLOSED = "campaign.closed"
    CAMPAIGN_DECIDED = "campaign.decided"
    BREAK_GLASS_SPENT = "break_glass.spent"
    SIGN_IN_STALE = "sign_in.stale"

    GRANT_UNKNOWN = "grant.unknown"
    GRANT_NONE_ACTIVE = "grant.none_active"
    GRANT_AMBIGUOUS = "grant.ambiguous"
    GRANT_EXPIRED = "grant.expired"
    GRANT_ENDED = "grant.ended"
    GRANT_NOT_READY = "grant.not_ready"
    GRANT_LEASED = "grant.leased"
    GRANT_END_MOVED = "grant.end_moved"
    GRANT_NOT_EXTENDABLE = "grant.not_extendable"
    GRANT_NOT_YOURS = "grant.not_yours"
    GRANT_REVOKE_NOT_ENTITLED = "grant.revoke_not_entitled"
    GRANT_PROVISIONING_FAILED = "grant.provisioning_failed"

    TARGET_UNREACHABLE = "target.unreachable"
    TARGET_REFUSED = "target.refused"
    TARGET_PRIVILEGE_MISSING = "target.privilege_missing"
    TARGET_OBJECT_MISSING = "target.object_missing"

    ACCOUNT_EXISTS = "account.exists"
    CREDENTIALS_INVALID = "credentials.invalid"
    CREDENTIALS_EXPIRED = "credentials.expired"
    CREDENTIALS_MISSING = "credentials.missing"
    INVITATION_INVALID = "invitation.invalid"
    PASSWORD_TOO_SHORT = "password.too_short"  # noqa: S105 - an error code, not a password
    PASSWORD_GUESSABLE = "password.guessable"  # noqa: S105 - an error code, not a password
    PASSKEY_INVALID = "passkey.invalid"
    PASSKEY_UNKNOWN = "passkey.unknown"
    PASSKEY_COPIED = "passkey.copied"
    PASSKEY_LAST = "passkey.last"
    PASSKEYS_FULL = "passkey.too_many"
    SECOND_FACTOR_MISSING = "second_factor.missing"
    SECOND_FACTOR_ALONE = "second_factor.alone"
    SECOND_FACTOR_NONE = "second_factor.none"
    RECOVERY_NOTHING = "recovery.nothing"
    RECOVERY_SELF = "recovery.self"
    PROVIDER_NONE = "provider.none"
    PROVIDER_UNAVAILABLE = "provider.unavailable"
    PROVIDER_REFUSED = "provider.refused"
    WORKLOAD_REFUSED = "workload.refused"
    IDENTITY_UNKNOWN = "identity.unknown"
    IDENTITY_OTHER = "identity.other"
    DIRECTORY_FILTER = "directory.filter_invalid"
    DIRECTORY_VALUE = "directory.value_invalid"
    DIRECTORY_UNKNOWN = "directory.unknown"
    DIRECTORY_EXISTS = "directory.exists"
    DIRECTORY_NOBODY = "directory.nobody"
    DIRECTORY_LEFT = "directory.left"
    DIRECTORY_CHANGED = "directory.changed"
    CONFIRMATION_NEEDED = "confirmation.needed"
    ATTEMPTS_LIMITED = "attempts.limited"
    PERMISSION_DENIED = "permission.denied"

    RECORDING_NONE = "recording.none"
    SSH_OFF = "ssh.off"
    HOST_NOT_ALLOWED = "host.not_allowed"
    HOST_CHANGED = "host.changed"
    HOST_KEY_CHANGED = "host.key_changed"

    SESSION_UNKNOWN = "session.unknown"
    SESSION_STOPPED = "session.stopped"
    ACTION_UNKNOWN = "action.unknown"
    GATEWAY_NOT_POSTGRES = "gateway.not_postgres"
    GATEWAY_TLS_REQUIRED = "gateway.tls_required"
    GATEWAY_HANDSHAKE_TIMEOUT = "gateway.handshake_timeout"
    GATEWAY_PROTOCOL_VIOLATION = "gateway.protocol_violation"
    GATEWAY_PARAMETER_REFUSED = "gateway.parameter_refused"
    GATEWAY_REPLICATION_REFUSED = "gateway.replication_refused"
    GATEWAY_BUSY = "gateway.busy"
    GATEWAY_SESSION_IDLE = "gateway.session_idle"
    GATEWAY_SESSION_TOO_LONG = "gateway.session_too_long"

    CALL_UNSETTLED = "call.unsettled"
    CALL_KEY_REUSED = "call.key_reused"
    ENTRY_UNKNOWN = "entry.unknown"
    RECORD_UNAVAILABLE = "record.unavailable"
    RECORD_STALE = "record.stale"
    RECORD_TOO_LARGE = "record.too_large"
    RECORD_FULL = "record.full"
    RECORD_DAMAGED = "record.damaged"
    RECORD_BEHIND = "record.behind"
    RECORD_STORE_UNREADY = "record.store_unready"
    SIGNING_UNAVAILABLE = "signing.unavailable"
    SIGNING_CHANGED = "signing.changed"
    SIGNING_COMPROMISED = "signing.compromised"
    WITNESS_MISSING = "witness.missing"
    WITNESS_DAMAGED = "witness.damaged"
    WITNESS_BUSY = "witness.busy"
    WITNESS_POLICY_INVALID = "witness.policy_invalid"

    PUBLICATION_CONFLICT = "publication.conflict"
    PUBLICATION_UNREACHABLE = "publication.unreachable"
    PUBLICATION_LATE = "publication.late"

    HOLD_UNKNOWN = "hold.unknown"
    HOLD_RELEASED = "hold.released"
    HOLD_SELF = "hold.self"
    HOLD_IN_FORCE = "hold.in_force"
    SHREDDING_UNKNOWN = "shredding.unknown"
    SHREDDING_NOT_PENDING = "shredding.not_pending"
    SHREDDING_SELF = "shredding.self"
    SHREDDING_NOTHING = "shredding.nothing"
    RETENTION_BELOW_FLOOR = "retention.below_floor"
    RETENTION_NOT_PENDING = "retention.not_pending"
    RETENTION_SELF = "retention.self"
    RETENTION_NOTHING_DUE = "retention.nothing_due"
    DISPOSAL_UNKNOWN = "disposal.unknown"

    REPORT_UNKNOWN = "report.unknown"
    REPORT_NOT_READY = "report.not_ready"
    REPORT_QUEUE_FULL = "report.queue_full"
    SAMPLE_UNKNOWN = "sample.unknown"
    SAMPLE_ITEM_UNKNOWN = "sample.item_unknown"
    SAMPLE_QUESTION_UNKNOWN = "sample.question_unknown"
    SAMPLE_ANSWERED = "sample.answered"
    SAMPLE_FULL = "sample.full"
    EVIDENCE_UNKNOWN = "evidence.unknown"
    FINDING_UNKNOWN = "finding.unknown"

    INPUT_INVALID = "input.invalid"
    SERVICE_UNREACHABLE = "service.unreachable"
    SERVICE_TIMEOUT = "service.timeout"
    SERVICE_BUSY = "service.busy"
    TOOL_MISSING = "tool.missing"
    INTERNAL = "internal"


RECORD_WAITS = frozenset({Code.RECORD_UNAVAILABLE, Code.RECORD_FULL, Code.SIGNING_UNAVAILABLE})
"""The record, or its signature, cannot be had now and will be again: whoever runs on tries later."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a code tells people: `sentence` and `next_step` are `str.format` templates over the details."""

    sentence: str
    next_step: str
    http_status: int
    exit_code: int
