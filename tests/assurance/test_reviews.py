"""Reviews in a running installation: opened by time, asked and answered, and blocking new accesses when overdue."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from sojourn.testing.installation import PASSWORD, Running

# One after the other, in one installation: each goes on from what the ones before have left.

SECONDS = 30.0
GLASS = {"target": "shop", "role": "fix-status", "duration": "5m", "reason": "orders are stuck", "password": PASSWORD}
ALL_YES = "yes,yes,yes,yes,not_applicable"


def _until(found: Callable[[], Any]) -> Any:
    """What `found` gives, once it gives something."""
    deadline = time.monotonic() + SECONDS
    while not (value := found()):
        assert time.monotonic() < deadline, "time has not brought it about"
        time.sleep(0.1)
    return value


def _over(sojourn: Running) -> str:
    """An access that alice took by break-glass and ended."""
    taken = sojourn.post("/break-glass", GLASS, person="alice")
    assert taken.get("status") == "active", taken
    ended = sojourn.post(f"/grants/{taken['grant']}/end", person="alice")
    assert ended["removed"], ended
    return str(taken["grant"])


def _review(sojourn: Running, grant: str, status: str, person: str = "bob") -> Any:
    def found() -> Any:
        answered = sojourn.get(f"/reviews/{grant}", person=person)
        return answered if answered.get("status") == status else None

    return _until(found)


def test_an_overdue_review_blocks_new_grants_of_the_team_until_somebody_concludes_it(sojourn: Running) -> None:
    grant = _over(sojourn)
    _review(sojourn, grant, "overdue")
    asked = {"target": "shop", "role": "read", "duration": "10m", "reason": "x"}
    for person in ("alice", "bob"):
        refused = sojourn.post("/requests", asked, person=person)
        assert refused["error"]["code"] == "review.overdue" and grant in refused["error"]["message"]
    explained = sojourn.installation.ask("policy", "explain", "bob", "shop", "read", person="carol")
    assert (explained["allowed"], explained["code"]) == (False, "review.overdue")
    reach = sojourn.installation.ask("policy", "who-can", "shop", "read", "--person", "bob", person="carol")
    assert f"once the overdue review of {grant} is concluded" in reach["accesses"][0]["ways"][0]["conditions"]
    assert sojourn.post("/break-glass", GLASS, person="alice")["status"] == "active"
    listed = sojourn.get("/reviews", person="carol")["reviews"]
    assert [one["status"] for one in listed if one["grant"] == grant] == ["overdue"]
    arguments = ("review", "conclude", grant, "--outcome", "appropriate", "--answers", ALL_YES)
    done = sojourn.installation.sojourn(*arguments, person="carol")
    assert done.returncode == 0, done.stderr
    asked_again = sojourn.requested()
    assert asked_again["status"] == "pending", asked_again


def test_reviewer_and_holder_talk_on_record_and_an_open_question_is_in_the_way(sojourn: Running) -> None:
    grant = _over(sojourn)
    command = sojourn.installation.sojourn
    _until(lambda: grant in command("review", "list", person="bob").stdout)
    asked = command("review", "question", grant, "Why all of them?", person="bob")
    assert asked.returncode == 0 and "1 bob asks: Why all of them?" in asked.stdout
    (listed,) = [one for one in sojourn.get("/reviews?by=risk", person="bob")["reviews"] if one["grant"] == grant]
    assert (listed["waits_for"], listed["risk"]["level"]) == ("holder", "medium")
    assert "it was taken without a decision beforehand" in listed["risk"]["reasons"]
    body = {"outcome": "appropriate", "answers": ALL_YES.split(",")}
    open_question = sojourn.post(f"/reviews/{grant}/conclude", body, person="bob")
    assert open_question["error"]["code"] == "review.incomplete"
    assert grant in command("review", "list", "--mine", person="alice").stdout
    assert command("review", "answer", grant, "1", "One fault.", person="alice").returncode == 0
    shown = command("review", "show", grant, person="bob").stdout
    assert "alice answers 1: One fault." in shown and "orders are stuck" in shown
    assert "Nothing was done." in shown and "without a decision beforehand" in shown
    assert sojourn.get(f"/reviews/{grant}", person="bob")["waits_for"] == "reviewer"
    concluded = sojourn.post(f"/reviews/{grant}/conclude", body, person="bob")
    assert (concluded["status"], concluded["reviewer"]) == ("concluded", "bob")
    again = sojourn.post(f"/reviews/{grant}/conclude", body, person="bob")
    assert again["error"]["code"] == "review.concluded"
    told = sojourn.get("/requests?waiting=1", person="bob")["told"]
    assert grant not in [one["grant"] for one in told]


def test_nobody_reviews_what_they_did_themselves_and_others_see_no_review(sojourn: Running) -> None:
    grant = _over(sojourn)
    _until(lambda: "status" in sojourn.get(f"/reviews/{grant}", person="alice"))
    body = {"outcome": "appropriate", "answers": ALL_YES.split(",")}
    own = sojourn.post(f"/reviews/{grant}/conclude", body, person="alice")
    assert own["error"]["code"] == "review.not_entitled"
    assert sojourn.get("/reviews?all=1", person="alice")["error"]["code"] == "permission.denied"
    assert grant in [one["grant"] for one in sojourn.get("/reviews?all=1", person="dora")["reviews"]]
    unknown = sojourn.get("/reviews/g-0000000000", person="bob")
    assert unknown["error"]["code"] == "review.unknown"
    inappropriate = {"outcome": "inappropriate", "answers": ["no", *ALL_YES.split(",")[1:]]}
    assert sojourn.post(f"/reviews/{grant}/conclude", inappropriate, person="bob")["error"]["code"] == (
        "review.incomplete"
    )
    found = sojourn.post(f"/reviews/{grant}/conclude", {**inappropriate, "remark": "too much"}, person="bob")
    assert (found["outcome"], found["remark"]) == ("inappropriate", "too much")
