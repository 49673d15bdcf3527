"""The demo's people, what each of them is there for, and the policy and settings that they live under."""

from __future__ import annotations

from . import installation

PEOPLE_FILE = installation.PEOPLE_FILE.replace(
    "teams:\n", "  erin: { name: Erin Eaves, administrator: true }\nteams:\n"
)

POLICY_FILE = """\
rules:
  shop-work:
    who: { teams: [engineering] }
    targets: [shop]
    roles: [read]
    longest: 4h
    approvers: { teams: [engineering] }
    reason: required
  shop-repair:
    who: { teams: [engineering] }
    targets: [shop]
    roles: [fix-status]
    longest: 4h
    approvers: { teams: [engineering] }
    reason: required
    review: { within: 3d, by: { people: [dora] } }
  emergency:
    who: { teams: [engineering] }
    targets: [shop]
    roles: [fix-status]
    longest: 1h
    break_glass: { uses: 2, per: 7d, tell: { people: [carol] } }
    review: { within: 3d, by: { people: [dora] } }
"""

SETTINGS_FILE = (
    installation.SETTINGS_FILE + "reports: { schedules: { monthly: { report: access-events, every: month } } }\n"
)

READERS = {
    "alice": "an engineer: what she may ask for, holds and did",
    "bob": "who decides for her: a request waits",
    "carol": "an administrator: how things went, targets, policy, people",
    "dora": "the auditor: a review waits, and everything can be taken away and verified",
    "erin": "the other administrator: a change waits",
}
"""Who can be looked over the shoulder, and why."""

ROOMS = {"alice": "/", "bob": "/", "carol": "/overview", "dora": "/reviews", "erin": "/policy/changes"}
"""The page that each of them begins with."""
