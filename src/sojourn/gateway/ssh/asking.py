"""What a client asks of a channel, as it stands on record."""

from __future__ import annotations

import json
from collections.abc import Mapping

from sojourn.errors import Refusal
from sojourn.gateway.entries import Intention

from .permission import Asked, Use, environment
from .setting import Setting

PROTOCOL = "ssh"


def intention_of(
    setting: Setting, use: Use, wanted: Mapping[str, str], *, terminal: tuple[str, tuple[int, ...]] | None, screen: bool
) -> Intention:
    """The intent of what is allowed: with its account, variables and terminal, and what else is lent to it."""
    passed = environment(setting.access, wanted)
    detail: dict[str, object] = {
        "text": use.text,
        "account": setting.upstreams.account,
        "environment": passed,
        "not_passed": sorted(set(wanted) - set(passed)),
    }
    if setting.upstreams.agent():
        detail["agent"] = "lent"
    if screen:
        detail["x11"] = "shown"
    if terminal is not None:
        detail["terminal"] = {"type": terminal[0], "size": list(terminal[1])}
    written = json.dumps(detail, sort_keys=True).encode()
    return Intention(PROTOCOL, use.asked.value, may_write=True, objects=(), detail=written)


def refused(asked: Asked, text: str, refusal: Refusal) -> Intention:
    """What was asked for and is not allowed."""
    detail = json.dumps({"text": text, "refused": str(refusal.code)}, sort_keys=True).encode()
    return Intention(PROTOCOL, asked.value, may_write=True, objects=(), detail=detail)
