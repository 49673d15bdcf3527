"""The content of files, where a role says that it is kept: a recording of its own, under the action's number."""

from __future__ import annotations

from collections.abc import Callable

from sojourn.domain import cast

from .setting import Setting
from .tape import Tape


def kept_file(setting: Setting, hold: Callable[[bool], None], number: int, what: str) -> Tape | None:
    """What keeps the content of the file of that action; None if the role keeps none.

    What is written counts as input, what is read as output. It goes on at once, as the operation itself is on record;
    `hold` stops the host where the record cannot keep pace.
    """
    limit = setting.access.kept_file_bytes
    if not limit:
        return None
    return Tape(
        desk=setting.desk,
        number=number,
        show=lambda _data, _kind: None,
        forward=lambda _data: None,
        hold=hold,
        fail=setting.fail,
        header=cast.header(columns=0, rows=0, terminal="", began=setting.clock.now(), command=what),
        limit=limit,
    )
