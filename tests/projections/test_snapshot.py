"""A snapshot of the read models is a copy: looking at it changes nothing."""

from __future__ import annotations

from pathlib import Path

from sojourn.projections.projector import Projections


def test_a_snapshot_has_the_rows_of_the_file_and_leaves_the_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "projections?.db"
    in_use = Projections.open(path)
    before = path.read_bytes()
    copy = Projections.snapshot(path)
    assert (copy.following, copy.digest()) == (in_use.following, in_use.digest())
    copy.close()
    assert path.read_bytes() == before
    in_use.close()
