"""A request: somebody asks for a role on a target for some time, and somebody else decides.

- Nobody decides on their own request.
- A decision counts only from a person whom the terms name *and* the configuration in force still names; that is
  asked again of every approval whenever one more is given and when the approval is spent.
- A decision names the digest of what was shown; it does not count for anything else.
- One person approves once, and fills one place. The first denial ends the request.
- Who is away can name somebody to decide in their place. That fills the place of the one who is away, and no other;
  it is not passed on, and opens nothing to the requester or to anybody whom the rules leave out.
- Nobody having decided for long, more people may decide, if the rules name some.
- The requester may change what is asked while it is open, and an approver may give less than was asked. Either way it
  is something else from then on: it has another digest, and no approval of what it was before counts.
- Where the rules in force say `automatic`, the request is approved as it is asked, and its record says so.
- Who said yes may take it back until the approval is spent: the request waits again, and lapses if its time is over.
- A request is decided once: approved, denied, withdrawn or expired. What was decided is not decided again.
- An approval is spent once, by the requester, before its time runs out, and only while a rule still allows it.
- A planned access can be begun from its start until its end, which does not move: late is less.
- More time for an access is asked for and decided like an access of its own. It is given in the moment of its
  approval, from the end that its approvers saw; if the access is over, or its end has moved, it is not given.
- Nothing new is given while a review of the requester's team is overdue.
- A duration is a whole number of seconds, so that the end is exact whatever a wall clock does meanwhile.
"""

from .commands import (
    Activate,
    Approve,
    ApproveLess,
    Command,
    Comment,
    Deny,
    EscalateRequest,
    LapseRequest,
    Revise,
    Submit,
    SubmitExtension,
    Withdraw,
    WithdrawApproval,
)
from .content import REASON_LENGTH_MAX, content_digest, question
from .decisions import COMMENTS_MAX, concerns, decide
from .judging import frozen_groups
from .spending import extend
from .state import Approval, Request, Status, evolve
from .submitting import START_MAX, submit, submit_extension

__all__ = [
    "COMMENTS_MAX",
    "REASON_LENGTH_MAX",
    "START_MAX",
    "Activate",
    "Approval",
    "Approve",
    "ApproveLess",
    "Command",
    "Comment",
    "Deny",
    "EscalateRequest",
    "LapseRequest",
    "Request",
    "Revise",
    "Status",
    "Submit",
    "SubmitExtension",
    "Withdraw",
    "WithdrawApproval",
    "concerns",
    "content_digest",
    "decide",
    "evolve",
    "extend",
    "frozen_groups",
    "question",
    "submit",
    "submit_extension",
]
