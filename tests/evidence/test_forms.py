"""What a pack is read in: pages, workbook and print say the same, open in strangers' programs, and hold no traps."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import re
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import openpyxl
import pytest

from sojourn.domain.events import Disposition, ExceptionDisposed, FactTold, RequestRevised, RequestSubmitted
from sojourn.domain.identifiers import SessionId, exception_stream, fact_stream, request_stream
from sojourn.domain.people import FactKind
from sojourn.domain.policy import Facts, Ticket
from sojourn.evidence.forms import printed as prints
from sojourn.evidence.forms.printed import ACTIONS_MAX, printed
from sojourn.evidence.forms.workbook import workbook
from sojourn.testing.packages import install

from .recorded import ALICE, BOB, CAROL, HOSTILE, REQUEST, Record, files_of, story_of, whole_story

AS_OF = datetime(2026, 11, 30, 12, tzinfo=UTC)
BLOCKS = [
    "event",
    "requester",
    "request",
    "ticket",
    "separation of duties",
    "approvals",
    "policy",
    "grant",
    "sessions",
    "revocation",
    "review",
    "integrity",
]


@pytest.fixture(scope="session")
def readers() -> None:
    """qpdf and poppler, which did not write what they read."""
    install({"qpdf": "/usr/bin/qpdf", "poppler-utils": "/usr/bin/pdftotext"})


def _run(*arguments: str | Path) -> str:
    done = subprocess.run(list(arguments), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _value(story: dict[str, Any], block: str, what: str) -> str:
    (line,) = [one for one in story["blocks"] if (one["block"], one["what"]) == (block, what)]
    return str(line["value"])


async def test_every_block_is_told_with_where_it_stands_and_how_it_is_known(record: Record) -> None:
    story = story_of(await whole_story(record))
    assert list(dict.fromkeys(line["block"] for line in story["blocks"])) == BLOCKS
    assert _value(story, "requester", "name") == "Alice"
    assert _value(story, "request", "reason") == "INC-1"
    assert _value(story, "grant", "end with extensions").endswith("(0 extensions)")
    assert "gone" in _value(story, "revocation", "read back")
    kinds = {line["what"]: line["how"] for line in story["blocks"]}
    assert (kinds["reason"], kinds["read back"], kinds["name"], kinds["digest of all this"]) == (
        "typed",
        "target",
        "configuration",
        "system",
    )
    places = {line["entry"] for line in story["blocks"] if line["entry"] is not None}
    assert places and places <= {hop["entry"] for hop in story["walk"]}


async def test_the_walk_through_passes_over_no_entry_of_the_pack(record: Record) -> None:
    files = files_of(await whole_story(record))
    story = msgspec.json.decode(files["grant.json"])
    assert sum(hop["entries"] for hop in story["walk"]) == story["entries"]
    page = files["walk-through.html"].decode()
    links = set(re.findall(r'href="([^"]+)"', page))
    assert links <= set(files)
    assert {f"entries/{hop['entry']:012d}.json" for hop in story["walk"]} <= links
    work = [hop for hop in story["walk"] if hop["entries"] > 1]
    assert [hop["what"] for hop in work] == [
        "did 2 actions in session s-0000000001, 0 of which could write",
        "did 1 action in session s-0000000002, 0 of which could write",
    ]


async def test_a_pack_tells_what_was_asked_in_the_end_and_where_its_ticket_stood_then(record: Record) -> None:
    ticket = fact_stream("ticket/CHG-7")

    def told(state: str) -> FactTold:
        return FactTold(
            fact=FactKind.TICKET,
            subject="CHG-7",
            told_by=CAROL,
            until=record.now,
            origin="tracker",
            source="",
            state=state,
            sort="change",
        )

    await record.say(ticket, told("approved"))
    place = await record.client.size() - 1
    await record.ask_and_approve()
    (asked,) = [one.event for one in await record.client.read(0, 1000) if isinstance(one.event, RequestSubmitted)]
    facts = Facts(ticket=Ticket(id="CHG-7", kind="change", state="approved"), ticket_named="CHG-7", entries=(place,))
    revised = dataclasses.replace(asked, facts=facts, digest="e" * 64)
    await record.say(
        request_stream(REQUEST),
        RequestRevised(request=REQUEST, person=ALICE, revision=1, content=revised, source=""),
    )
    await record.say(ticket, told("closed"))
    await record.end()
    await record.say(ticket, told("opened again, long after"))
    story = story_of(await record.pack())
    assert story["request"]["digest"] == "e" * 64
    assert "approved" in _value(story, "ticket", "as known when asked")
    assert "closed" in _value(story, "ticket", "as last told before the pack")


async def test_what_was_disposed_of_passes_test_j_in_the_pack_as_in_the_report(record: Record) -> None:
    await record.ask_and_approve(approver=ALICE)
    await record.end()
    assert {one["letter"]: one["answer"] for one in story_of(await record.pack())["tests"]}["J"] == "fail"
    await record.say(
        exception_stream(REQUEST),
        ExceptionDisposed(
            request=REQUEST,
            letters=("C", "D"),
            disposition=Disposition.DEFICIENCY,
            owner=BOB,
            ticket="AUD-1",
            remark=record.seal("nobody may approve for themselves"),
            person=CAROL,
            source="",
        ),
    )
    story = story_of(await record.pack())
    (test,) = [one for one in story["tests"] if one["letter"] == "J"]
    assert test["answer"] == "pass" and "C D deficiency by carol, owner bob, ticket AUD-1" in test["reason"]


async def test_the_workbook_holds_every_action_and_no_formula(record: Record) -> None:
    await record.ask_and_approve(reason='=HYPERLINK("http://attacker.example","x")')
    statements = tuple((f"{mark}1+1{HOSTILE}", None, "") for mark in "=+-@")
    await record.work(SessionId("s-0000000001"), *statements)
    await record.end()
    book = openpyxl.load_workbook(io.BytesIO(files_of(await record.pack())["pack.xlsx"]))
    assert book.sheetnames == ["Blocks", "Tests", "Walk-through", "Sessions", "Actions"]
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n"}
    assert not any(cell.hyperlink for cell in cells)
    header, *actions = book["Actions"].iter_rows(values_only=True)
    column = header.index("text")
    assert [str(row[column])[0] for row in actions] == list("=+-@")
    assert all("\\u202e" in str(row[column]) for row in actions)


@pytest.mark.usefixtures("readers")
async def test_the_print_is_pdf_a_with_event_hash_and_page_numbers_on_every_page(
    record: Record, tmp_path: Path
) -> None:
    await record.ask_and_approve(reason=HOSTILE)
    statements = tuple((f"select {number} from orders -- {HOSTILE} 中文 😀", None, "") for number in range(200))
    await record.work(SessionId("s-0000000001"), *statements)
    await record.end()
    files = files_of(await record.pack())
    path = tmp_path / "pack.pdf"
    path.write_bytes(files["pack.pdf"])
    _run("qpdf", "--check", path)
    told = _run("pdfinfo", "-meta", path)
    assert 'pdfaid:part="2"' in told or "<pdfaid:part>2</pdfaid:part>" in told
    assert "<pdfaid:conformance>B</pdfaid:conformance>" in told or 'pdfaid:conformance="B"' in told
    info = _run("pdfinfo", path)
    pages = int(re.search(r"Pages:\s+(\d+)", info).group(1))  # type: ignore[union-attr]
    assert pages > 3 and re.search(r"JavaScript:\s+no", info)
    text = _run("pdftotext", "-layout", path, "-")
    digest = hashlib.sha256(files["grant.json"]).hexdigest()
    for number, page in enumerate(text.rstrip("\f").split("\f"), 1):
        assert f"page {number} of {pages}" in page and digest in page and "g-0000000001" in page
    # Words are broken where a column ends, and long ones carry marks of where they may be.
    told = re.sub(r"[\s\u200b]", "", _run("pdftotext", "-raw", path, "-"))
    assert "select199fromorders" in told and "\\u4e2d\\u6587\\U0001f600" in told


def _story(actions: int) -> dict[str, Any]:
    one = {"number": 1, "at": "2026-01-01T00:00:00.000Z", "text": "select 1", "outcome": "completed", "rows": 1}
    session = {"session": "s-1", "actions": [{**one, "number": number + 1} for number in range(actions)]}
    return {"grant": "g-1", "subject": "g-1", "blocks": [], "tests": [], "walk": [], "sessions": [session]}


@pytest.mark.usefixtures("readers")
def test_a_print_that_cannot_hold_every_action_says_how_many_are_missing_and_where(tmp_path: Path) -> None:
    path = tmp_path / "pack.pdf"
    path.write_bytes(printed(_story(ACTIONS_MAX + 7), b"{}", as_of=AS_OF))
    text = " ".join(_run("pdftotext", path, "-").split())
    assert "7 more actions are in pack.xlsx (sheet Actions) and in grant.json" in text


def test_every_letter_that_is_printed_as_it_is_is_in_the_fonts_of_the_print() -> None:
    """PDF/A refuses what its fonts lack, so a single letter too many would leave a pack without its print."""
    letters = [chr(place) for place in range(0x20, 0x3000) if not prints._PRINTED.match(chr(place))]
    assert len(letters) > 350
    story = _story(0)
    story["tests"] = [
        {"letter": "A", "title": "".join(letters[start : start + 16]), "answer": "pass", "reason": ""}
        for start in range(0, len(letters), 16)
    ]
    assert printed(story, b"{}", as_of=AS_OF).startswith(b"%PDF-1.7")


@pytest.mark.parametrize(
    "text",
    ["#panic()", "*bold* _it_ $x^2$ `raw` <label> @cite", "\\u{41}", "a" * 300, ']#eval("1")[', "\u200f\u202e\x07"],
    ids=["code", "markup", "escape", "long-word", "bracket", "direction"],
)
def test_text_in_a_print_is_text_and_nothing_else(text: str) -> None:
    story = _story(1)
    story["sessions"][0]["actions"][0]["text"] = text
    assert printed(story, b"{}", as_of=AS_OF).startswith(b"%PDF-1.7")


def test_the_same_story_gives_the_same_workbook_and_print() -> None:
    story = _story(50)
    for action in story["sessions"][0]["actions"]:
        action |= {"binds": None, "verb": "select", "may_write": False, "objects": ["shop.orders"]}
    story["sessions"][0] |= dict.fromkeys(("entry", "at", "source", "application", "tls", "database"), "x")
    assert workbook(story, as_of=AS_OF) == workbook(story, as_of=AS_OF)
    assert printed(story, b"{}", as_of=AS_OF) == printed(story, b"{}", as_of=AS_OF)


async def test_a_pack_with_a_thousand_actions_takes_seconds_and_not_minutes(record: Record) -> None:
    await record.ask_and_approve()
    await record.work(SessionId("s-0000000001"), *((f"select {one}", None, "") for one in range(1000)))
    await record.end()
    began = time.perf_counter()
    await record.pack()
    assert time.perf_counter() - began < 30, "a tenth of that on a quiet machine"
