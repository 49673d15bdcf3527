"""Workloads in people.yaml: everything is written out, and what would let a stranger in is refused with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from sojourn.configuration.catalogue import read_catalogue
from sojourn.configuration.settings import parse_settings
from sojourn.domain.people import Scope, Workload
from sojourn.domain.policy.difference import compare
from sojourn.errors import Code, SojournError

TARGETS = "targets: {}\n"
POLICY = "rules: {}\n"
PEOPLE = """\
people:
  alice: { name: Alice }
  ci:
    name: The pipeline
    kind: service
    owner: alice
    tells: [deployment]
    workloads:
      - issuer: https://gitlab.example
        audience: https://sojourn.example
        subject: [one, two]
        claims: { project_id: "74", ref: main }
        scope: [tell, read]
"""


def _read(directory: Path, people: str) -> tuple[Workload, ...]:
    for name, text in (("people", people), ("targets", TARGETS), ("policy", POLICY)):
        (directory / f"{name}.yaml").write_text(text)
    return read_catalogue(directory)[0].people[1].workloads


def test_a_workload_is_what_was_written(tmp_path: Path) -> None:
    assert _read(tmp_path, PEOPLE) == (
        Workload(
            issuer="https://gitlab.example",
            audience="https://sojourn.example",
            subjects=("one", "two"),
            scope=(Scope.READ, Scope.TELL),
            claims=(("project_id", "74"), ("ref", "main")),
        ),
    )


BAD = {
    # what is wrong: (what is written, what is written for it, words of the problem, line)
    "plain_http": ("https://gitlab.example", "http://gitlab.example", "no issuer", 9),
    "no_address": ("https://gitlab.example", "gitlab", "no issuer", 9),
    "a_query": ("https://gitlab.example", "https://gitlab.example/?a=b", "no issuer", 9),
    "pattern": ("[one, two]", "repo:example/*", "pattern", 11),
    "no_subject": ("        subject: [one, two]\n", "", "'subject' is missing", 9),
    "empty_subjects": ("[one, two]", "[]", "empty", 11),
    "subject_twice": ("[one, two]", "[one, one]", "twice", 11),
    "no_audience": ("        audience: https://sojourn.example\n", "", "'audience' is missing", 9),
    "empty_audience": ("https://sojourn.example", '""', "empty", 10),
    "claim_of_its_own_key": ("ref: main", "sub: main", "The claim sub", 12),
    "claim_that_is_a_number": ('"74"', "74", "a number", 12),
    "no_scope": ("        scope: [tell, read]\n", "", "'scope' is missing", 9),
    "empty_scope": ("[tell, read]", "[]", "empty", 13),
    "mighty_scope": ("[tell, read]", "[provision]", "provision", 13),
    "unknown_key": ("scope:", "scopes:", "'scopes'", 13),
    "a_human_being": ("    kind: service\n    owner: alice\n", "", "is no workload", 7),
    "no_list": ("    workloads:\n      -", "    workloads:\n       ", "a mapping", 9),
}


@pytest.mark.parametrize("name", BAD)
def test_what_would_let_a_stranger_in_is_refused_with_its_place(tmp_path: Path, name: str) -> None:
    written, instead, problem, line = BAD[name]
    assert written in PEOPLE
    with pytest.raises(SojournError) as raised:
        _read(tmp_path, PEOPLE.replace(written, instead, 1))
    details = raised.value.refusal.details
    assert raised.value.code is Code.CONFIGURATION_INVALID
    assert (problem in details["problem"], details["line"]) == (True, str(line)), details


def test_the_same_twice_and_too_many_are_refused(tmp_path: Path) -> None:
    one = PEOPLE[PEOPLE.index("      - issuer") :]
    for text, problem in ((PEOPLE + one, "listed twice"), (PEOPLE + one * 20, "21 workloads")):
        with pytest.raises(SojournError, match=problem):
            _read(tmp_path, text)


def test_a_change_names_whom_it_lets_in_and_what_they_may_tell(tmp_path: Path) -> None:
    catalogues = []
    for text in (PEOPLE, PEOPLE.replace("[one, two]", "three").replace("tells: [deployment]", "tells: [ticket]")):
        _read(tmp_path, text)
        catalogues.append(read_catalogue(tmp_path)[0])
    (found,) = compare(*catalogues)
    ways = [
        "comes in as %s of https://gitlab.example for https://sojourn.example, project_id 74, ref main, to read, tell"
    ]
    assert (found.person, found.what) == ("ci", "an account")
    assert set(found.before) - set(found.after) == {"tells of every deployment", ways[0] % "one or two"}
    assert set(found.after) - set(found.before) == {"tells of every ticket", ways[0] % "three"}


@pytest.mark.parametrize("life", ["2h", "30s"])
def test_a_token_for_a_workload_lives_minutes(life: str) -> None:
    with pytest.raises(SojournError) as raised:
        parse_settings(f"control: {{ workload_token_life: {life} }}".encode())
    assert raised.value.code is Code.CONFIGURATION_INVALID
