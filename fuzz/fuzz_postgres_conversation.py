"""A client and a target that say anything in any order: every action gets one end, whatever they do."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from .guided import guided

TURN_BYTES_MAX = 255


def _load() -> Callable[[bytes], None]:
    from sojourn.gateway.postgres import frontend
    from sojourn.gateway.postgres.action import Action, Finished
    from sojourn.gateway.postgres.conversation import Conversation
    from sojourn.gateway.postgres.walk import BackendWalker
    from sojourn.gateway.postgres.wire import Splitter, WireError

    limits = frontend.session_limits(65_536)

    def talk(data: bytes, conversation: Conversation, begun: list[Action], ended: list[Finished]) -> None:
        splitter, walker = Splitter(limits), BackendWalker()
        position = 0
        while position < len(data):
            turn, length = data[position] & 3, data[position] >> 2
            said, position = data[position + 1 : position + 1 + length], position + 1 + length
            if turn == 0:
                ended += conversation.answered(walker.walk(said), 1.0)
                continue
            batch = conversation.stage(splitter.feed(said))
            for action in batch.actions:
                begun.append(action)
                action.number = len(begun)
            if turn == 1:
                conversation.refuse(batch, b"", 1.0)
            else:
                ended += conversation.forwarded(batch, 1.0)

    def check(data: bytes) -> None:
        conversation, begun, ended = Conversation(), list[Action](), list[Finished]()
        with contextlib.suppress(WireError):
            talk(data, conversation, begun, ended)
        ended += conversation.broken_off(2.0)
        numbers = [action.number for action, _ in ended]
        assert len(set(numbers)) == len(numbers), "an action ended twice"

    return check


if __name__ == "__main__":
    guided(_load)
else:
    check = _load()
