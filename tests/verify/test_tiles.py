"""The verifier on published ledgers: directories of tiles (C2SP tlog-tiles)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

import sojourn_verify
from sojourn.ledger.tiles import encode_bundle, tile_path


def codes(report: dict[str, Any]) -> set[str]:
    return {problem["code"] for problem in report["problems"]}


def grown(ledger: Any, size: int) -> Any:
    for place in range(size - len(ledger.rows)):
        ledger.append(f"session/s-{place % 3}", "statement.intended", {"place": place, "tags": ["a"] * (place % 7)})
    return ledger


@pytest.mark.parametrize("size", [1, 2, 7, 255, 256, 257, 512, 1000])
def test_a_published_ledger_of_any_size_verifies(
    size: int, ledger: Any, tools: Any, tmp_path: Path, verify: Any, key_file: str
) -> None:
    published = tools.write_directory(grown(ledger, max(7, size)).published(max(5, size)), tmp_path / "log")
    status, report = verify(published, "--key", key_file)
    assert (status, report["problems"]) == (0, [])
    assert report["checked"] == {"attachments": 1, "entries": max(5, size), "files not yet signed": 0}
    assert report["size"] == max(5, size)


def test_a_published_ledger_may_come_as_an_archive_of_its_files_once_unpacked_only(
    ledger: Any, tools: Any, tmp_path: Path, verify: Any, key_file: str
) -> None:
    archive = tools.write_zip(ledger.published(), tmp_path / "log.zip")
    assert verify(archive, "--key", key_file)[0] == 1, "an archive is taken for a pack"


def test_an_altered_entry_is_named(ledger: Any, tools: Any, tmp_path: Path, verify: Any, key_file: str) -> None:
    files = ledger.published()
    path = tile_path(None, 0, 7)
    files[path] = files[path].replace(b"alice", b"carol")
    status, report = verify(tools.write_directory(files, tmp_path / "log"), "--key", key_file)
    assert status == 1 and codes(report) == {"entry.altered"}
    assert report["problems"][0]["where"] == "entry 2 (request.submitted, request/r-1 version 1)"


def test_an_entry_that_was_altered_together_with_its_tile_is_found_by_the_signed_root(
    ledger: Any, tools: Any, tmp_path: Path, verify: Any, key_file: str
) -> None:
    forged = type(ledger)(key=ledger.key)
    for _, stream, _, kind, _, data in ledger.rows:
        forged.append(stream, kind, {"forged": len(data)})
    files = forged.published() | {"checkpoint": ledger.note().encode()}
    status, report = verify(tools.write_directory(files, tmp_path / "log"), "--key", key_file)
    assert status == 1 and codes(report) == {"root.altered"}


@pytest.mark.parametrize("level", [0, 1, None])
def test_a_missing_tile_or_bundle_is_named(
    level: int | None, ledger: Any, tools: Any, tmp_path: Path, verify: Any, key_file: str
) -> None:
    files = grown(ledger, 600).published()
    del files[tile_path(level, 0) if level != 1 else tile_path(1, 0, 2)]
    status, report = verify(tools.write_directory(files, tmp_path / "log"), "--key", key_file)
    assert status == 1 and "tile.missing" in codes(report)


def test_a_full_tile_may_stand_for_a_part_of_it(
    ledger: Any, tools: Any, tmp_path: Path, verify: Any, key_file: str
) -> None:
    """A publisher may have gone on between its checkpoint and the reading of its tiles."""
    later = grown(ledger, 600).published()
    earlier = ledger.published(300)
    files = {path: content for path, content in (earlier | later).items() if ".p/44" not in path}
    files["checkpoint"] = earlier["checkpoint"]
    status, report = verify(tools.write_directory(files, tmp_path / "log"), "--key", key_file)
    assert (status, report["problems"]) == (0, []) and report["size"] == 300
    assert report["checked"]["files not yet signed"] == 2


class Meanwhile(sojourn_verify.Verification):
    """A run beside a publisher that goes on as soon as the checkpoint is read, or the files are listed."""

    def __init__(self, trust: Any, moment: str, go_on: Any) -> None:
        super().__init__(trust)
        self.moment, self.go_on = moment, go_on

    def checkpoints(self, *names: str) -> Any:
        found = super().checkpoints(*names)
        if self.moment == "checkpoint":
            self.go_on()
        return found

    def list_files(self, *arguments: Any) -> None:
        super().list_files(*arguments)
        if self.moment == "listing":
            self.go_on()

    def take(self, *arguments: Any) -> None:
        if self.moment == "first tile":
            self.go_on()
        super().take(*arguments)


@pytest.mark.parametrize("moment", ["checkpoint", "listing", "first tile"])
@pytest.mark.parametrize("ahead", [600, 300], ids=["a newer checkpoint", "the same checkpoint"])
def test_a_publisher_that_goes_on_and_takes_parts_away_meanwhile_is_no_fault(
    moment: str, ahead: int, ledger: Any, tools: Any, tmp_path: Path
) -> None:
    """C2SP tlog-tiles: a part may be deleted once the full tile is there."""
    earlier = grown(ledger, 300).published()
    later = grown(ledger, 600).published()
    log = Path(tools.write_directory(earlier, tmp_path / "log"))

    def go_on() -> None:
        for path, content in later.items():
            if ahead == 600 or path != "checkpoint":
                (log / path).parent.mkdir(parents=True, exist_ok=True)
                (log / f"{path}.new").write_bytes(content)
                (log / f"{path}.new").replace(log / path)
        for path in {*earlier} - {*later} - {"tile/1/000.p/1"}:
            (log / path).unlink(missing_ok=True)

    key = sojourn_verify.Key.parse(ledger.key.vkey(), sojourn_verify.LOG)
    run = Meanwhile(sojourn_verify.Trust([key]), moment, go_on)
    run.look(log)
    assert run.problems == [] and run.checked["entries"] in (300, 600)


def test_a_part_that_is_gone_without_a_full_tile_is_missed(ledger: Any, tools: Any, tmp_path: Path) -> None:
    log = Path(tools.write_directory(grown(ledger, 300).published(), tmp_path / "log"))
    key = sojourn_verify.Key.parse(ledger.key.vkey(), sojourn_verify.LOG)
    run = Meanwhile(
        sojourn_verify.Trust([key]), "first tile", lambda: (log / "tile/0/001.p/44").unlink(missing_ok=True)
    )
    run.look(log)
    assert run.found and "tile.missing" in {one["code"] for one in run.problems}


def test_an_older_part_of_a_tile_has_to_be_its_beginning(
    ledger: Any, tools: Any, tmp_path: Path, verify: Any, key_file: str
) -> None:
    files = grown(ledger, 300).published() | {
        path: content for path, content in ledger.published(290).items() if ".p/34" in path
    }
    assert verify(tools.write_directory(files, tmp_path / "good"), "--key", key_file)[0] == 0
    old = tile_path(0, 1, 34)
    files[old] = bytes(32) + files[old][32:]
    status, report = verify(tools.write_directory(files, tmp_path / "log"), "--key", key_file)
    assert status == 1 and [(one["code"], one["where"]) for one in report["problems"]] == [("tile.altered", old)]


def test_an_older_checkpoint_has_to_be_extended(
    ledger: Any, tools: Any, tmp_path: Path, verify: Any, key_file: str
) -> None:
    published = tools.write_directory(grown(ledger, 300).published(), tmp_path / "log")
    older = tmp_path / "older"
    for size in (0, 1, 255, 256, 257, 300):
        older.write_text(ledger.note(size))
        assert verify(published, "--key", key_file, "--since", older)[0] == 0, size
    longer = grown(ledger, 301).note()
    ledger.leaves[3] = bytes(32)
    for size in (4, 256, 299):
        older.write_text(ledger.note(size))
        assert codes(verify(published, "--key", key_file, "--since", older)[1]) == {"root.altered"}, size
    older.write_text(longer)
    assert codes(verify(published, "--key", key_file, "--since", older)[1]) == {"log.truncated"}


def test_a_gap_in_a_stream_is_found_even_if_it_was_signed(
    ledger: Any, tools: Any, tmp_path: Path, verify: Any, key_file: str
) -> None:
    ledger.versions["grant/g-1"] = 7
    ledger.append("grant/g-1", "grant.removed", {"by": "x"})
    status, report = verify(tools.write_directory(ledger.published(), tmp_path / "log"), "--key", key_file)
    assert status == 1 and codes(report) == {"stream.gap"}


def test_an_attachment_that_was_altered_or_that_nobody_names_is_found(
    ledger: Any, tools: Any, tmp_path: Path, verify: Any, key_file: str
) -> None:
    files = ledger.published()
    name = next(path for path in files if path.startswith("attachment/"))
    altered = tools.write_directory(files | {name: b"other terms"}, tmp_path / "altered")
    assert codes(verify(altered, "--key", key_file)[1]) == {"attachment.altered"}
    other = "attachment/" + "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    unbound = tools.write_directory(files | {other: b""}, tmp_path / "unbound")
    assert codes(verify(unbound, "--key", key_file)[1]) == {"attachment.unbound"}


@pytest.mark.parametrize("path", ["tile/0/1", "tile/8/000", "tile/0/000.p/0", "tile/entries/x000", "tile/x"])
def test_a_file_that_no_tile_is_named_like_is_found(
    path: str, ledger: Any, tools: Any, tmp_path: Path, verify: Any, key_file: str
) -> None:
    files = ledger.published() | {path: b"x"}
    status, report = verify(tools.write_directory(files, tmp_path / "log"), "--key", key_file)
    assert status == 1 and codes(report) == {"tile.unknown"}


def test_links_are_refused_and_a_publishers_staging_is_passed_over(
    ledger: Any, tools: Any, tmp_path: Path, verify: Any, key_file: str
) -> None:
    published = tools.write_directory(ledger.published() | {".staging/half": b"x"}, tmp_path / "log")
    assert verify(published, "--key", key_file)[0] == 0
    (published / "tile" / "link").symlink_to("/etc/hostname")
    os.mkfifo(published / "tile" / "fifo")
    status, report = verify(published, "--key", key_file)
    assert status == 1 and codes(report) == {"pack.unsafe"}


def test_hidden_files_in_a_pack_are_not_passed_over(
    ledger: Any, tools: Any, tmp_path: Path, verify: Any, key_file: str
) -> None:
    pack = tools.write_directory(ledger.pack() | {".staging/half": b"x"}, tmp_path / "pack")
    assert "pack.unsafe" in codes(verify(pack, "--key", key_file)[1])


@pytest.mark.parametrize("way", ["inside", "link", "hard link", "around"])
def test_a_trust_root_out_of_the_published_ledger_is_refused(
    way: str, ledger: Any, tools: Any, tmp_path: Path, verify: Any
) -> None:
    published = tools.write_directory(
        ledger.published() | {"ledger.vkey": ledger.key.vkey().encode()}, tmp_path / "log"
    )
    inside, outside = published / "ledger.vkey", tmp_path / "ledger.vkey"
    match way:
        case "inside":
            outside = inside
        case "link":
            outside.symlink_to(inside)
        case "hard link":
            outside.hardlink_to(inside)
        case "around":
            outside = published / "tile" / ".." / "ledger.vkey"
    status, report = verify(published, "--key", outside)
    assert status == 2 and codes(report) == {"input.trust"}


def mutated(content: bytes, step: int) -> list[bytes]:
    """The content with every `step`th byte changed in turn, in two ways; cut and grown in several ways."""
    changed = []
    for place in range(0, len(content), step):
        for mask in (0x01, 0x80):
            altered = bytearray(content)
            altered[place] ^= mask
            changed.append(bytes(altered))
    return [*changed, b"", content[:-1], content[1:], content + b"\x00", content + content, content[:32], content[32:]]


@pytest.mark.parametrize(("size", "step"), [(5, 1), (7, 1), (300, 97)])
def test_each_changed_byte_and_length_of_each_published_file_is_found(
    size: int, step: int, ledger: Any, tools: Any, tmp_path: Path, verify: Any, key_file: str
) -> None:
    files = grown(ledger, size).published(size)
    published = tools.write_directory(files, tmp_path / "log")
    assert verify(published, "--key", key_file)[0] == 0
    missed = []
    for path, content in files.items():
        for altered in mutated(content, step * 3 if len(content) > 20_000 else step):
            if altered == content:
                continue
            (published / path).write_bytes(altered)
            if verify(published, "--key", key_file)[0] == 0:
                missed.append((path, len(altered)))
        (published / path).write_bytes(content)
    assert missed == []
    assert verify(published, "--key", key_file)[0] == 0


def test_each_removed_each_swapped_and_each_renamed_file_is_found(
    ledger: Any, tools: Any, tmp_path: Path, verify: Any, key_file: str
) -> None:
    files = grown(ledger, 600).published()
    published = tools.write_directory(files, tmp_path / "log")
    kept = [path for path in files if not path.startswith("attachment/")]
    for path in kept:
        (published / path).unlink()
        assert verify(published, "--key", key_file)[0] == 1, path
        for other in kept:
            if other != path and files[other] != files[path]:
                (published / path).write_bytes(files[other])
                assert verify(published, "--key", key_file)[0] == 1, (path, other)
        (published / path).write_bytes(files[path])
    assert verify(published, "--key", key_file)[0] == 0


def test_each_change_of_order_and_of_number_within_a_bundle_is_found(
    ledger: Any, tools: Any, tmp_path: Path, verify: Any, key_file: str
) -> None:
    path, entries = tile_path(None, 0, 7), [row[5] for row in ledger.rows]
    orders = [[*entries[:at], entries[at + 1], entries[at], *entries[at + 2 :]] for at in range(6)]
    orders += [entries[:at] + entries[at + 1 :] for at in range(7)]
    orders += [[*entries[:at], entries[at], *entries[at:]] for at in range(7)]
    for order in [*orders, entries[::-1], [*entries, b"{}"]]:
        published = tools.write_directory(ledger.published() | {path: encode_bundle(order)}, tmp_path / "log")
        assert verify(published, "--key", key_file)[0] == 1


def test_a_bundle_that_claims_more_than_it_has_costs_no_more_memory_than_it_has(
    ledger: Any, tools: Any, tmp_path: Path, verify: Any, key_file: str
) -> None:
    path = tile_path(None, 0, 7)
    for content in (b"\xff\xff", b"\xff\xff{}", b"\x00" * 600, b"\x00\x02{}" * 257, b"\x00"):
        published = tools.write_directory(ledger.published() | {path: content}, tmp_path / "log")
        status, report = verify(published, "--key", key_file)
        assert status == 1 and codes(report) & {"bundle.form", "tile.form"}
