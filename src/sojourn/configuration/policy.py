"""policy.yaml: rules and separations of duties, in a closed vocabulary (docs/reference/policy.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from sojourn.domain.identifiers import RuleName, TargetName
from sojourn.domain.policy import (
    ALWAYS,
    BreakGlassRule,
    Decision,
    Duty,
    EscalationRule,
    Exclusion,
    People,
    ReviewRule,
    Rule,
    Separation,
    TicketRequirement,
    compile_policy,
)
from sojourn.domain.target import Target

from .conflicts import find_unapprovable
from .names import SET_KEYS, Directory, choices, known, known_one, once, some
from .nodes import Node
from .when import read_when

LONGEST_GRANT = timedelta(days=30)
APPROVALS_MAX = 10
GROUPS_MAX = 10
USES_MAX = 100

RULE_KEYS = (
    *("who", "targets", "roles", "longest", "when", "reason", "reason_codes", "ticket", "activities"),
    *("approvers", "approvals", "decisions", "automatic", "break_glass", "excluded", "decide_within"),
    *("activate_within", "escalation", "review", "instead_of"),
)
WAYS = ("approvers", "decisions", "automatic", "break_glass")
"""Each rule says in one of these ways who decides."""


def read_policy(
    root: Node, directory: Directory, targets: tuple[Target, ...]
) -> tuple[tuple[Rule, ...], tuple[Separation, ...]]:
    """Every rule and every separation of the file. Raises SojournError `configuration.invalid`."""
    fields = root.fields("rules", "separations", required=("rules",))
    nodes = fields["rules"].named("rules")
    names = [RuleName(name) for name in nodes]
    reader = _Reader(directory=directory, targets=targets, names=names)
    rules = tuple(reader.rule(RuleName(name), node) for name, node in nodes.items())
    _check_no_circle(rules, nodes)
    separations = _separations(fields["separations"]) if "separations" in fields else ()
    policy = compile_policy(people=directory.people, teams=directory.teams, targets=targets, rules=rules)
    for conflict in find_unapprovable(policy):
        if len(conflict.rules) == 1:
            said = nodes[conflict.rules[0]].mapping("a rule")
            said["approvers" if "approvers" in said else "decisions"].fail(conflict.sentence, "more approvers")
        nodes[conflict.rules[-1]].fail(
            conflict.sentence, "approvers whom all these rules name, or rules that do not overlap"
        )
    return rules, separations


def _separations(node: Node) -> tuple[Separation, ...]:
    duties = {str(duty): duty for duty in Duty}
    found = []
    for name, apart in node.named("separations").items():
        named = once(apart, "a list of duties", lambda one: one.choice(duties))
        if len(named) < 2:
            apart.fail("One duty is not apart from anything", "two duties at least, of " + ", ".join(duties))
        if {Duty.REQUEST, Duty.EXECUTE} <= set(named):
            problem = "Whoever asks for an access executes under it, so that nobody could get any"
            apart.fail(problem, "one of request and execute, but not both")
        found.append(Separation(name=name, apart=named))
    return tuple(found)


def _check_no_circle(rules: tuple[Rule, ...], nodes: Mapping[str, Node]) -> None:
    """Rules that are instead of each other would all step back, and leave nothing that decides."""
    over = {rule.name: rule.instead_of for rule in rules}
    for rule in rules:
        seen, coming = set[RuleName](), list(rule.instead_of)
        while coming:
            name = coming.pop()
            if name == rule.name:
                problem = f"{rule.name} is instead of a rule that is instead of it"
                nodes[rule.name].mapping("a rule")["instead_of"].fail(problem, "no circle")
            if name not in seen:
                seen.add(name)
                coming += over[name]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    """Reads rules, knowing everything that they may name."""

    directory: Directory
    targets: tuple[Target, ...]
    names: list[RuleName]

    def rule(self, name: RuleName, node: Node) -> Rule:
        fields = node.fields(*RULE_KEYS, required=("who", "targets", "roles", "longest"))
        self._check_one_way(node, fields)
        named, labels = self._targets(fields["targets"])
        shape = Rule(name=name, who=People(), targets=named, roles=(), longest=timedelta(0), labels=labels)
        offered = [role.name for target in self.targets if shape.covers(target) for role in target.roles]
        longest = fields["longest"].duration()
        if longest > LONGEST_GRANT:
            fields["longest"].fail("No access may be that long", f"at most {LONGEST_GRANT.days}d")
        return Rule(
            name=name,
            who=self.directory.set(fields["who"]),
            targets=named,
            labels=labels,
            roles=known(fields["roles"], list(dict.fromkeys(offered)), "a list of roles", "role on these targets"),
            longest=longest,
            approvers=self.directory.set(fields["approvers"]) if "approvers" in fields else People(),
            approvals=fields["approvals"].integer(1, APPROVALS_MAX) if "approvals" in fields else 1,
            decisions=self._decisions(fields["decisions"]) if "decisions" in fields else (),
            automatic=fields["automatic"].text("the reason why nobody decides") if "automatic" in fields else "",
            break_glass=self._break_glass(fields["break_glass"]) if "break_glass" in fields else None,
            when=read_when(fields["when"]) if "when" in fields else ALWAYS,
            reason_required="reason" not in fields or fields["reason"].choice({"required": True, "optional": False}),
            reason_codes=_words(fields, "reason_codes"),
            ticket=_ticket(fields["ticket"]) if "ticket" in fields else None,
            activities=_words(fields, "activities"),
            excluded=_excluded(fields["excluded"]) if "excluded" in fields else (),
            decide_within=fields["decide_within"].duration() if "decide_within" in fields else timedelta(hours=24),
            activate_within=fields["activate_within"].duration() if "activate_within" in fields else timedelta(hours=8),
            escalation=self._escalation(fields["escalation"]) if "escalation" in fields else None,
            review=self._review(fields["review"]) if "review" in fields else None,
            instead_of=self._instead_of(name, fields["instead_of"]) if "instead_of" in fields else (),
        )

    def _check_one_way(self, node: Node, fields: dict[str, Node]) -> None:
        ways = [way for way in WAYS if way in fields]
        if not ways:
            node.fail("Nothing says who decides", "one of the keys " + ", ".join(WAYS))
        if len(ways) > 1:
            fields[ways[1]].fail(f"{ways[0]} says already who decides", "one of the keys " + ", ".join(WAYS))
        if "approvals" in fields and "approvers" not in fields:
            fields["approvals"].fail("approvals goes with approvers", "the key needed in each group of decisions")
        if "escalation" in fields and ways[0] in ("automatic", "break_glass"):
            fields["escalation"].fail("There is no decision that could escalate", "no such key here")
        if "break_glass" in fields and "review" not in fields:
            node.fail("What is done without a decision has to be reviewed", "the key review")

    def _targets(self, node: Node) -> tuple[tuple[TargetName, ...], tuple[tuple[str, tuple[str, ...]], ...]]:
        names = [target.name for target in self.targets]
        if node.is_list:
            return known(node, names, "a list of targets", "target"), ()
        fields = node.fields("names", "labels", required=("labels",))
        named = known(fields["names"], names, "a list of targets", "target") if "names" in fields else ()
        held = {pair for target in self.targets for pair in target.labels}
        return named, choices(fields["labels"], "labels", held)

    def _decisions(self, node: Node) -> tuple[Decision, ...]:
        groups = node.named("groups")
        if not 0 < len(groups) <= GROUPS_MAX:
            node.fail(f"Found {len(groups)} groups", f"1 to {GROUPS_MAX} groups by name")
        found = []
        for name, group in groups.items():
            people = self.directory.set(group, "needed")
            fields = group.fields(*SET_KEYS, "needed")
            needed = fields["needed"].integer(1, APPROVALS_MAX) if "needed" in fields else 1
            found.append(Decision(name=name, people=people, needed=needed))
        return tuple(found)

    def _break_glass(self, node: Node) -> BreakGlassRule:
        fields = node.fields("uses", "per", "tell", required=("uses", "per", "tell"))
        return BreakGlassRule(
            uses=fields["uses"].integer(1, USES_MAX),
            per=fields["per"].duration(),
            tell=self.directory.set(fields["tell"]),
        )

    def _escalation(self, node: Node) -> EscalationRule:
        fields = node.fields("after", "to", required=("after", "to"))
        return EscalationRule(after=fields["after"].duration(), to=self.directory.set(fields["to"]))

    def _review(self, node: Node) -> ReviewRule:
        fields = node.fields("within", "by", required=("within", "by"))
        return ReviewRule(within=fields["within"].duration(), by=self.directory.set(fields["by"]))

    def _instead_of(self, name: RuleName, node: Node) -> tuple[RuleName, ...]:
        return some(
            node,
            "a list of rules",
            lambda one: known_one(one, [rule for rule in self.names if rule != name], "other rule"),
        )


def _words(fields: dict[str, Node], key: str) -> tuple[str, ...] | None:
    if key not in fields:
        return None
    return some(fields[key], "a list of names", lambda one: one.name("a name"))


def _ticket(node: Node) -> TicketRequirement:
    fields = node.fields("kinds", "states")
    read = {key: some(value, f"a list of {key}", lambda one: one.name("a name")) for key, value in fields.items()}
    return TicketRequirement(kinds=read.get("kinds", ()), states=read.get("states", ()))


def _excluded(node: Node) -> tuple[Exclusion, ...]:
    options = {str(exclusion): exclusion for exclusion in Exclusion}
    return once(node, "a list of who may not decide", lambda one: one.choice(options))
