"""What the codes about people, targets and rules tell people."""

from __future__ import annotations

from collections.abc import Mapping

from sojourn.codes import Code, Meaning

from .answers import INPUT, MISSING, REFUSED

MEANINGS: Mapping[Code, Meaning] = {
    Code.PERSON_UNKNOWN: Meaning(
        "There is no person {person}.",
        "People are listed in people.yaml; ask an administrator to add you.",
        *MISSING,
    ),
    Code.TARGET_UNKNOWN: Meaning("There is no target {target}.", "`sojourn targets` lists what there is.", *MISSING),
    Code.TARGET_DATABASE_UNKNOWN: Meaning(
        "Target {target} does not open the database {database}.",
        "Connect to {target}, or have the database added to `databases` of the target.",
        *MISSING,
    ),
    Code.ROLE_UNKNOWN: Meaning(
        "Target {target} has no role {role}.", "`sojourn targets` lists the roles: {known}.", *MISSING
    ),
    Code.POLICY_NO_RULE: Meaning(
        "No policy rule lets {person} ask for role {role} on {target}: {why}.",
        "Ask for another role, or ask an administrator to add a rule to policy.yaml.",
        *REFUSED,
    ),
    Code.POLICY_NO_APPROVER: Meaning(
        "Rule {rule} needs {needed} approvals, and only {available} people other than you could give them.",
        "Ask an administrator to add approvers to that rule.",
        *REFUSED,
    ),
    Code.POLICY_DUTIES_APART: Meaning(
        "{person} may not {duty} here: the policy keeps apart to {duty} and to {other}.",
        "Somebody else has to do it.",
        *REFUSED,
    ),
    Code.POLICY_FACT_MISSING: Meaning(
        "Rule {rule} can only be judged when it is on record {what}, and nobody has told that lately.",
        "Whoever may tell it puts it on record (`sojourn facts --help`); nobody's own word counts for themselves.",
        *REFUSED,
    ),
    Code.FACT_NOT_ENTITLED: Meaning(
        "{person} may not tell facts of the kind {fact}.",
        "Who may stands in people.yaml, under `tells`.",
        *REFUSED,
    ),
    Code.FACT_INVALID: Meaning("{problem}.", "See `sojourn facts --help`.", *INPUT),
}
