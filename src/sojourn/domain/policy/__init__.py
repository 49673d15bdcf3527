"""The policy: how rules are written and judged. Who may ask for what, for how long, and who decides."""

from .calendar import CalendarWindow
from .compiled import Line, Policy, compile_policy
from .duties import NOTHING_DONE, Done, apart_refusal, barred, barring
from .explaining import Condition, RuleFound, explain, in_short
from .judging import applying_lines, judge
from .question import NO_FACTS, Facts, Question, Ticket
from .requirements import DURATION_MIN, lacking, say_given_ticket, too_long, undecidable
from .rules import (
    ALWAYS,
    SINGLE_GROUP,
    BreakGlassRule,
    Decision,
    EscalationRule,
    Exclusion,
    People,
    ReviewRule,
    Rule,
    When,
)
from .separation import ALWAYS_APART, Duty, Separation, apart_from
from .terms import (
    ApproverGroup,
    BreakGlass,
    Escalation,
    Requirements,
    Review,
    Terms,
    TicketRequirement,
    approvers,
    counts,
    escalated,
    missing,
    missing_in_all,
)

__all__ = [
    "ALWAYS",
    "ALWAYS_APART",
    "DURATION_MIN",
    "NOTHING_DONE",
    "NO_FACTS",
    "SINGLE_GROUP",
    "ApproverGroup",
    "BreakGlass",
    "BreakGlassRule",
    "CalendarWindow",
    "Condition",
    "Decision",
    "Done",
    "Duty",
    "Escalation",
    "EscalationRule",
    "Exclusion",
    "Facts",
    "Line",
    "People",
    "Policy",
    "Question",
    "Requirements",
    "Review",
    "ReviewRule",
    "Rule",
    "RuleFound",
    "Separation",
    "Terms",
    "Ticket",
    "TicketRequirement",
    "When",
    "apart_from",
    "apart_refusal",
    "applying_lines",
    "approvers",
    "barred",
    "barring",
    "compile_policy",
    "counts",
    "escalated",
    "explain",
    "in_short",
    "judge",
    "lacking",
    "missing",
    "missing_in_all",
    "say_given_ticket",
    "too_long",
    "undecidable",
]
