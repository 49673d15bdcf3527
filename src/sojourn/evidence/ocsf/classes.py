"""The classes and activities of OCSF that entries are told as (https://schema.ocsf.io/1.9.0)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

OTHER = 99


class Status(IntEnum):
    """`status_id` of every event."""

    UNKNOWN = 0
    SUCCESS = 1
    FAILURE = 2


class Severity(IntEnum):
    """`severity_id` of every event."""

    INFORMATIONAL = 1
    LOW = 2
    MEDIUM = 3
    HIGH = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class EventClass:
    """A class: its `class_uid` and the names of its activities, by `activity_id`."""

    uid: int
    name: str
    category: str
    activities: dict[int, str]

    @property
    def category_uid(self) -> int:
        """The thousands of the class."""
        return self.uid // 1000


AUTHORIZE_SESSION = EventClass(
    uid=3003, name="Authorize Session", category="Identity & Access Management", activities={1: "Assign Privileges"}
)
ENTITY_MANAGEMENT = EventClass(
    uid=3004,
    name="Entity Management",
    category="Identity & Access Management",
    activities={1: "Create", 2: "Read", 3: "Update", 4: "Delete"},
)
USER_MANAGEMENT = EventClass(
    uid=3007,
    name="User Management",
    category="Identity & Access Management",
    activities={1: "Create", 2: "Update", 5: "Disable", 14: "Assign Privileges", 15: "Remove Privileges"},
)
DATASTORE_ACTIVITY = EventClass(
    uid=6005,
    name="Datastore Activity",
    category="Application Activity",
    activities={1: "Read", 2: "Update", 3: "Connect", 4: "Query", 5: "Write", 6: "Create", 7: "Delete"},
)
COMPLIANCE_FINDING = EventClass(
    uid=2003, name="Compliance Finding", category="Findings", activities={1: "Create", 2: "Update", 3: "Close"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What an entry is told as: a class, an activity of it, what that says, and the attributes of the class."""

    event_class: EventClass
    activity: int
    attributes: dict[str, object]
    message: str
    status: Status = Status.SUCCESS
    severity: Severity = Severity.INFORMATIONAL
    status_code: str = ""
    status_detail: str = ""
    start: int | None = None
    duration: int | None = None
