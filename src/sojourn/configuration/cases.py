"""policy.tests.yaml: the tests that lie beside a policy (docs/how-to/write-a-policy.md)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from sojourn.codes import Code
from sojourn.domain.catalogue import Catalogue
from sojourn.domain.identifiers import PersonId, RoleName, TargetName
from sojourn.domain.policy import Facts, Question, Ticket
from sojourn.domain.policy.cases import Case, Expected

from .names import known, known_one, once
from .nodes import Node, read_file

CASES_FILE = "policy.tests.yaml"
ANY_MOMENT = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
"""The moment of a question that names none: a Monday, at noon UTC."""

ASK = (
    *("person", "target", "role", "for", "at", "reason", "reason_code", "ticket", "activities", "incident"),
    *("on_call", "deployed", "executing", "approved_by_requester", "certified", "break_glass"),
)
EXPECT = (
    *("refused", "rules", "longest", "needed", "automatic", "approved", "reviewed", "may_decide", "may_not_decide"),
)


def read_cases(directory: Path, catalogue: Catalogue) -> tuple[Case, ...]:
    """The tests of the policy in `directory`, in order; none if it has no such file.

    Raises SojournError `configuration.invalid`.
    """
    path = directory / CASES_FILE
    if not path.exists():
        return ()
    root, _ = read_file(path)
    nodes = root.fields("tests", required=("tests",))["tests"].mapping("a mapping of tests by name")
    return tuple(_case(name, node, catalogue) for name, node in nodes.items())


def _case(name: str, node: Node, catalogue: Catalogue) -> Case:
    fields = node.fields("ask", "approved_by", "expect", required=("ask", "expect"))
    ids = [person.id for person in catalogue.people]
    asked = fields["ask"].fields(*ASK, required=("person", "target", "role", "for"))
    given = known(fields["approved_by"], ids, "a list of people", "person") if "approved_by" in fields else ()
    return Case(
        name=name,
        line=node.line,
        question=_question(asked, ids, catalogue),
        reason_given="reason" not in asked or asked["reason"].choice({"given": True, "missing": False}),
        given=given,
        expected=_expected(fields["expect"], ids, catalogue),
    )


def _question(asked: dict[str, Node], ids: list[PersonId], catalogue: Catalogue) -> Question:
    roles = [role.name for target in catalogue.targets for role in target.roles]
    return Question(
        person=known_one(asked["person"], ids, "person"),
        target=TargetName(known_one(asked["target"], [one.name for one in catalogue.targets], "target")),
        role=RoleName(known_one(asked["role"], list(dict.fromkeys(roles)), "role")),
        duration=asked["for"].duration(),
        moment=asked["at"].moment() if "at" in asked else ANY_MOMENT,
        facts=_facts(asked, ids),
        break_glass="break_glass" in asked and asked["break_glass"].boolean(),
    )


def _facts(asked: dict[str, Node], ids: list[PersonId]) -> Facts:
    def people(key: str) -> tuple[PersonId, ...]:
        return known(asked[key], ids, "a list of people", "person") if key in asked else ()

    def name(key: str) -> str:
        return asked[key].text("a name") if key in asked else ""

    return Facts(
        reason_code=name("reason_code"),
        ticket=_ticket(asked["ticket"]) if "ticket" in asked else None,
        activities=once(asked["activities"], "a list of activities", lambda one: one.name("an activity"))
        if "activities" in asked
        else (),
        incident=name("incident"),
        on_call=people("on_call"),
        deployed=people("deployed"),
        executing=people("executing"),
        approved_by_requester=people("approved_by_requester"),
        certified=people("certified"),
    )


def _ticket(node: Node) -> Ticket:
    fields = node.fields("id", "kind", "state", required=("id", "kind", "state"))
    return Ticket(
        id=fields["id"].text("the ticket's id"),
        kind=fields["kind"].text("the ticket's kind"),
        state=fields["state"].text("the ticket's state"),
    )


def _expected(node: Node, ids: list[PersonId], catalogue: Catalogue) -> Expected:
    fields = node.fields(*EXPECT)
    if not fields:
        node.fail("Nothing is expected", "one of " + ", ".join(EXPECT))
    if "refused" in fields and len(fields) > 1:
        node.fail("A refusal has nothing else to expect", "refused alone")
    codes = {str(code): str(code) for code in Code}
    rules = [rule.name for rule in catalogue.rules]

    def people(key: str) -> tuple[PersonId, ...]:
        return known(fields[key], ids, "a list of people", "person") if key in fields else ()

    def boolean(key: str) -> bool | None:
        return fields[key].boolean() if key in fields else None

    return Expected(
        refused=fields["refused"].choice(codes) if "refused" in fields else "",
        rules=known(fields["rules"], rules, "a list of rules", "rule") if "rules" in fields else None,
        longest=fields["longest"].duration() if "longest" in fields else None,
        needed=_needed(fields["needed"]) if "needed" in fields else None,
        automatic=boolean("automatic"),
        approved=boolean("approved"),
        reviewed=boolean("reviewed"),
        may_decide=people("may_decide"),
        may_not_decide=people("may_not_decide"),
    )


def _needed(node: Node) -> tuple[tuple[str, int], ...]:
    return tuple((name, value.integer(1, 100)) for name, value in node.named("groups").items())
