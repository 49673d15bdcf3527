"""Controls as OSCAL assessment results (NIST, model version 1.2), for GRC tools. Experimental.

- Each control is a finding: satisfied if its operation shows no exception and none of its negative tests failed.
- Each measure of its operation is an observation (method EXAMINE), and so is each negative test (method TEST).
- Identifiers are derived from the record's name, the period and what they name, so the same record gives the same.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from .attributes import moment_text
from .controls.control import Measure
from .controls.report import Shown, Tried
from .reports.context import Context

VERSION = "1.2.3"
NAMESPACE = "https://sojourn.invalid/ns/oscal"
"""Of our own properties: what OSCAL has no word for."""


def assessment_results(context: Context, controls: Sequence[Shown]) -> dict[str, Any]:
    """The document, ready for JSON."""
    parameters, base = context.parameters, context.base
    start, end = moment_text(parameters.period.start), moment_text(parameters.period.end)
    seed = f"{base.origin} {start} {end} {moment_text(parameters.as_of)}"

    def name(*parts: str) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, "\n".join((NAMESPACE, seed, *parts))))

    plan = name("plan")
    findings, observations = [], []
    for one in controls:
        seen = [_measured(one, measure, name, end) for measure in one.operation]
        seen += [_tried(one, tried, name) for tried in one.tried]
        observations += seen
        findings.append(_finding(one, [found["uuid"] for found in seen], name))
    return {
        "assessment-results": {
            "uuid": name("document"),
            "metadata": {
                "title": f"Controls of {base.origin}",
                "last-modified": moment_text(parameters.as_of),
                "version": parameters.build,
                "oscal-version": VERSION,
                "remarks": "Experimental: identifiers and properties may change between releases.",
            },
            "import-ap": {"href": f"#{plan}"},
            "results": [
                {
                    "uuid": name("result"),
                    "title": f"{start} to {end}",
                    "description": base.problem or "Every entry of the record leads to its signed root.",
                    "start": start,
                    "end": end,
                    "props": [
                        _property("ledger-entries", str(base.size)),
                        _property("ledger-root", base.root or "none"),
                    ],
                    "reviewed-controls": {
                        "control-selections": [
                            {"include-controls": [{"control-id": one.control.name} for one in controls]}
                        ]
                    },
                    "observations": observations,
                    "findings": findings,
                }
            ],
            "back-matter": {
                "resources": [{"uuid": plan, "title": "The register of controls (sojourn controls list)"}],
            },
        }
    }


def _finding(one: Shown, observations: Sequence[str], name: Any) -> dict[str, Any]:
    failed = [tried.probe.name for tried in one.tried if not tried.probe.passed]
    satisfied = not one.exceptions and not failed
    return {
        "uuid": name("finding", one.control.name),
        "title": one.control.title,
        "description": "\n".join(one.wording) or "Nothing is in force.",
        "target": {
            "type": "objective-id",
            "target-id": one.control.name,
            "status": {"state": "satisfied" if satisfied else "not-satisfied"},
        },
        "related-observations": [{"observation-uuid": found} for found in observations],
    }


def _measured(one: Shown, measure: Measure, name: Any, end: str) -> dict[str, Any]:
    exceptions = "none can be" if measure.exceptions is None else str(measure.exceptions)
    return {
        "uuid": name("measure", one.control.name, measure.what),
        "title": measure.what,
        "description": f"{measure.population} in the period; exceptions: {exceptions}. Listed in {measure.where}.",
        "methods": ["EXAMINE"],
        "collected": end,
        "props": [_property("population", str(measure.population)), _property("exceptions", exceptions)],
    }


def _tried(one: Shown, tried: Tried, name: Any) -> dict[str, Any]:
    result = "pass" if tried.probe.passed else "fail"
    return {
        "uuid": name("probe", one.control.name, tried.probe.name, str(tried.recorded.seq)),
        "title": f"Negative test: {tried.probe.name}",
        "description": tried.probe.found,
        "methods": ["TEST"],
        "collected": moment_text(tried.recorded.at),
        "props": [_property("result", result), _property("ledger-entry", str(tried.recorded.seq))],
    }


def _property(name: str, value: str) -> dict[str, str]:
    return {"name": name, "ns": NAMESPACE, "value": value}
