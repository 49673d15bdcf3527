"""witness.policy: the witnesses that are asked (C2SP tlog-policy), as the lines that the settings hold.

A setting, so that nobody changes alone who vouches for the ledger. Kept are the lines that say something: comments and
the space between words are nobody's decision.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sojourn.errors import Code, SojournError
from sojourn.ledger import policy as policies
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.policy import MAX_POLICY_BYTES, Policy

ADDRESSES = ("https://", "http://")


def policy_bytes(lines: Sequence[str]) -> bytes:
    """The text of a policy with these lines; b"" for none."""
    return "".join(f"{line}\n" for line in lines).encode()


def parse_policy(lines: Sequence[str]) -> Policy | None:
    """The policy that lines say, or None for none. Raises LedgerError where it names a witness that cannot be asked."""
    if not lines:
        return None
    policy = policies.parse(policy_bytes(lines))
    for witness in policy.witnesses:
        if not witness.url.startswith(ADDRESSES):
            raise LedgerError(f"witness {witness.name} has no address that begins with https:// or http://")
    return policy


def policy_lines(data: bytes) -> tuple[str, ...]:
    """The lines of a policy's text that say something. Raises LedgerError for what is no usable policy."""
    if len(data) > MAX_POLICY_BYTES:
        raise LedgerError(f"A policy has at most {MAX_POLICY_BYTES} bytes.")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise LedgerError("A policy is written in UTF-8 here.") from None
    # Read as it lies there first, so that what is wrong is told with the number of its line.
    policies.parse(data)
    words = ([word for word in line.replace("\t", " ").split(" ") if word] for line in text.split("\n"))
    lines = tuple(" ".join(one) for one in words if one and not one[0].startswith("#"))
    parse_policy(lines)
    return lines


def read_policy_lines(path: Path) -> tuple[str, ...]:
    """The same of a file; () if there is none. Raises SojournError `witness.policy_invalid`."""
    try:
        return policy_lines(path.read_bytes())
    except FileNotFoundError:
        return ()
    except (OSError, LedgerError) as error:
        raise SojournError(Code.WITNESS_POLICY_INVALID, path=str(path), problem=str(error).rstrip(".")) from error
