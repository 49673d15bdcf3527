"""What happens to the published copies of the ledger. Stream `publication`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar


class WormVerdict(StrEnum):
    """Whether a bucket kept what was locked in it. `unproven` when these credentials could delete nothing anyway."""

    WORM = "worm"
    NOT_WORM = "not_worm"
    UNPROVEN = "unproven"


@dataclass(frozen=True, slots=True, kw_only=True)
class WormTry:
    """One try to get at a locked object: whether the lock `held`, and what the store answered."""

    name: str
    held: bool
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicationRefused:
    """A place holds something other than this ledger; nothing is published there until somebody has looked.

    `place` is `folder:PATH` or `bucket:NAME/PREFIX`; `published` is the size that is published there, as far as known.
    """

    kind: ClassVar[str] = "publication.refused"
    place: str
    published: int
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicationOverdue:
    """Entries have been waiting to be published since `behind_since`, longer than the settings allow."""

    kind: ClassVar[str] = "publication.overdue"
    place: str
    published: int
    size: int
    behind_since: datetime
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicationResumed:
    """A place that was refused or overdue has everything again, up to `published` entries."""

    kind: ClassVar[str] = "publication.resumed"
    place: str
    published: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessSuspended:
    """From here on no access begins: `place` lacks entries recorded since `missing_since`, longer than is allowed.

    `published` entries are there, as far as known. Accesses that have begun go on to their end.
    """

    kind: ClassVar[str] = "publication.access_suspended"
    place: str
    published: int
    missing_since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessReadmitted:
    """Every place that counts holds what it has to; accesses begin again."""

    kind: ClassVar[str] = "publication.access_readmitted"


@dataclass(frozen=True, slots=True, kw_only=True)
class WormExamined:
    """Somebody tried to alter what is locked in a bucket, in every way there is. `canary` names that object."""

    kind: ClassVar[str] = "publication.worm_examined"
    place: str
    endpoint: str
    canary: str
    verdict: WormVerdict
    tries: tuple[WormTry, ...]
    operator: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessPolicyAdopted:
    """From here on these witnesses are asked, and `quorum` of them has to agree.

    `sha256` (hex) names the attachment with the policy (C2SP tlog-policy), whose names `quorum` is one of;
    `witnesses` are their public keys (vkeys). All are empty, and `quorum` is `none`, where there is no policy.
    """

    kind: ClassVar[str] = "witness.policy_adopted"
    sha256: str
    quorum: str
    witnesses: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointStamped:
    """A time-stamping authority (RFC 3161) has put its `time` under the checkpoint of the first `size` entries.

    `place` is `timestamp:HOST`. Three attachments are named by their SHA-256 (hex): the signed checkpoint, the
    authority's answer (TimeStampResp, DER), and the certificates (PEM) to which the answer had to lead.
    """

    kind: ClassVar[str] = "publication.stamped"
    place: str
    size: int
    time: datetime
    checkpoint_sha256: str
    token_sha256: str
    root_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerKeyRotated:
    """From here on another key signs the ledger. `statement` says so, signed by both keys (see `ledger.rotation`).

    Stream `ledger`. Only the scribe writes it.
    """

    kind: ClassVar[str] = "ledger.key_rotated"
    statement: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerBegunAnew:
    """This ledger follows another, whose signing key may be in other hands: its first entry, and no other.

    `checkpoint` is the newest of the other ledger that somebody else vouches for, as a note with all its cosignatures;
    `vkey` the public key that signed it; `witnessed` whether a quorum of that ledger's witnesses did, too. Stream
    `origin`. Only the scribe writes it.
    """

    kind: ClassVar[str] = "ledger.begun_anew"
    checkpoint: str
    vkey: str
    witnessed: bool
    cause: str
    operator: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AttackTried:
    """One attack of a drill: who caught it first, and within how many milliseconds; "" if nobody did."""

    name: str
    caught_by: str
    milliseconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerDrilled:
    """Somebody had clones of the ledger attacked, to see that it is noticed.

    `size` is that of the ledger then. `result_sha256` (hex) names the attachment with all that was found (JSON).
    `untried` are attacks for which the ledger gave no occasion.
    """

    kind: ClassVar[str] = "ledger.drilled"
    size: int
    passed: bool
    attacks: tuple[AttackTried, ...]
    untried: tuple[str, ...]
    result_sha256: str
    operator: str
