"""What keeps the content of a channel: all of a terminal, as much of a command's and of a file's as the role says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from sojourn.domain import cast

from .copies import CopyWatch
from .files import FileWatch
from .permission import Asked, Use
from .scp import scp_of
from .setting import Keeper, Setting, Terminal
from .tape import Shown, Tape


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """Both ends of a channel: what goes on to each, and what stops each from being read."""

    show: Shown
    forward: Callable[[bytes], None]
    hold_client: Callable[[bool], None]
    hold_host: Callable[[bool], None]


def keeper(setting: Setting, use: Use, number: int, terminal: Terminal | None, ends: Ends) -> Keeper:
    """What keeps the content of the channel that is the action of that number."""
    if use.asked is Asked.SUBSYSTEM:
        return FileWatch(
            intents=setting.intents,
            complete=setting.complete,
            show=ends.show,
            forward=ends.forward,
            hold=ends.hold_client,
            fail=setting.fail,
            keep=partial(_kept_file, setting, ends.hold_host),
        )
    name, size, _ = terminal or ("", (0, 0, 0, 0), {})
    header = cast.header(columns=size[0], rows=size[1], terminal=name, began=setting.clock.now(), command=use.text)
    tape = Tape(
        desk=setting.desk,
        number=number,
        show=ends.show,
        forward=ends.forward,
        hold=ends.hold_host,
        fail=setting.fail,
        header=header,
        limit=None if terminal is not None else setting.access.kept_bytes,
    )
    copied = scp_of(use.text) if use.asked is Asked.EXEC and terminal is None else None
    return tape if copied is None else CopyWatch(tape, copied, setting.note)


def _kept_file(setting: Setting, hold: Callable[[bool], None], number: int, what: str) -> Tape | None:
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
