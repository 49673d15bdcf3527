"""Trust policies (C2SP tlog-policy): which logs are ours, which witnesses we believe, and how many have to agree.

    log example.com/sojourn+5a8a6e4f+AX…  https://log.example.com/
    witness outside witness.example.net/w1+0b1c2d3e+BE…  https://witness.example.net/
    witness auditor audit.example.org/w+f00ba4aa+BH…
    group two all outside auditor
    quorum two

A checkpoint is *accepted* when a listed log signed it and the quorum of witnesses cosigned it. Words are separated
by spaces and tabs; empty lines and lines that begin with `#` are passed over. A group needs `any`, `all` or a number
of its members; each witness and each group is a member once at most, so nobody counts twice. `quorum none` asks for
no cosignature.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger import cosignature as cosignatures
from sojourn.ledger import note as notes
from sojourn.ledger.checkpoint import Checkpoint
from sojourn.ledger.cosignature import Cosignature, Cosigner
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.note import Verifier

MAX_POLICY_BYTES = 65_536
MAX_ITEMS = 100
"""How many logs, witnesses and groups each. A note carries as many signatures."""

NONE = "none"
_UNUSABLE = re.compile(r"[^\t\n\x20-\x7e\x80-\U0010ffff]")
_SPACE = re.compile(r"[ \t]+")
_NUMBER = re.compile(r"[1-9][0-9]{0,2}")

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """A log whose checkpoints are accepted, and its address if the policy says one."""

    verifier: Verifier
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """A witness, under the name that the policy gives it, and its address (submission prefix) if there is one."""

    name: str
    cosigner: Cosigner
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Counts as having witnessed when `needed` of its members (witnesses or groups) have."""

    name: str
    needed: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Logs, witnesses, groups in the order of their definition, and the name of the witness or group that decides."""

    logs: tuple[Log, ...]
    witnesses: tuple[Witness, ...]
    groups: tuple[Group, ...]
    quorum: str

    def is_met(self, witnessed: Collection[str]) -> bool:
        """Whether these witnesses (by their names in the policy) are a quorum."""
        known = {witness.name for witness in self.witnesses}
        counted = known.intersection(witnessed)
        # A group can only name what was defined before it, so one pass in order is enough.
        for group in self.groups:
            if len(counted.intersection(group.members)) >= group.needed:
                counted.add(group.name)
        return self.quorum == NONE or self.quorum in counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A checkpoint that a policy accepts, and the cosignatures on it by the witnesses' names in the policy."""

    checkpoint: Checkpoint
    witnessed: dict[str, Cosignature]


def parse(data: bytes) -> Policy:
    """Read a policy file. Raises LedgerError, with the number of the line, for anything that is not one."""
    if len(data) > MAX_POLICY_BYTES:
        raise LedgerError(f"A policy has at most {MAX_POLICY_BYTES} bytes.")
    # Octets above 0x7F are opaque: each stays itself, and two names are equal only if their octets are.
    text = data.decode("utf-8", "surrogateescape")
    if _UNUSABLE.search(text):
        raise LedgerError("A policy holds no control character but tab and newline.")
    reader = _Reader()
    for number, line in enumerate(text.split("\n"), start=1):
        words = _SPACE.split(line.strip(" \t"))
        if not words[0] or words[0].startswith("#"):
            continue
        try:
            reader.read(words)
        except LedgerError as error:
            raise LedgerError(f"Line {number} of the policy: {error}") from error
    return reader.policy()


def accept(policy: Policy, note: str, logs: Sequence[Verifier] = ()) -> Accepted:
    """Return the checkpoint in `note` with who cosigned it; `logs` are accepted beside those of the policy.

    Raises LedgerError if no such log signed it, a known key's signature is wrong, or the witnesses that cosigned it
    are no quorum.
    """
    verifiers = {log.verifier: None for log in policy.logs} | dict.fromkeys(logs)
    opened = notes.open(note, list(verifiers))
    checkpoint = checkpoints.parse(opened.text)
    if checkpoint.origin not in opened.names:
        raise LedgerError(f"No log of the policy signs for {checkpoint.origin[:60]!a}.")
    found = cosignatures.verify(note, [witness.cosigner for witness in policy.witnesses])
    names = {witness.cosigner: witness.name for witness in policy.witnesses}
    witnessed = {names[one.cosigner]: one for one in found}
    if not policy.is_met(witnessed):
        who = ", ".join(sorted(map(ascii, witnessed))) or "nobody"
        raise LedgerError(f"The checkpoint is cosigned by {who}, which is not the quorum {policy.quorum!a}.")
    return Accepted(checkpoint=checkpoint, witnessed=witnessed)


@dataclass(slots=True)
class _Reader:
    """What was read so far."""

    logs: list[Log] = field(default_factory=list)
    witnesses: list[Witness] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    quorum: str | None = None
    names: set[str] = field(default_factory=lambda: {NONE})
    used: set[str] = field(default_factory=set)

    def read(self, words: list[str]) -> None:
        match words:
            case ["log", vkey, *url] if len(url) <= 1:
                log = Log(verifier=Verifier.parse(vkey), url="".join(url))
                if any(one.verifier.public == log.verifier.public for one in self.logs):
                    raise LedgerError("this key is that of a log above.")
                _add(self.logs, log)
            case ["witness", name, vkey, *url] if len(url) <= 1:
                self._name(name)
                witness = Witness(name=name, cosigner=Cosigner.parse(vkey), url="".join(url))
                if any(one.cosigner.public == witness.cosigner.public for one in self.witnesses):
                    raise LedgerError("this key is that of a witness above.")
                _add(self.witnesses, witness)
            case ["group", name, needed, *members] if members:
                self._group(name, needed, members)
            case ["quorum", name]:
                if self.quorum is not None:
                    raise LedgerError("there is a quorum above.")
                self._known(name)
                self.quorum = name
            case _:
                raise LedgerError(f"{' '.join(words)[:60]!a} defines no log, witness, group or quorum.")

    def policy(self) -> Policy:
        if self.quorum is None:
            raise LedgerError("A policy has one line `quorum <name>` or `quorum none`.")
        return Policy(
            logs=tuple(self.logs), witnesses=tuple(self.witnesses), groups=tuple(self.groups), quorum=self.quorum
        )

    def _group(self, name: str, needed: str, members: list[str]) -> None:
        for member in members:
            self._known(member)
            if member in self.used or member == NONE:
                raise LedgerError(f"{member[:60]!a} is a member already, or cannot be one.")
            self.used.add(member)
        self._name(name)
        match needed:
            case "any":
                count = 1
            case "all":
                count = len(members)
            case _ if _NUMBER.fullmatch(needed) and int(needed) <= len(members):
                count = int(needed)
            case _:
                raise LedgerError(f"a group needs any, all, or a number from 1 to {len(members)} of its members.")
        _add(self.groups, Group(name=name, needed=count, members=tuple(members)))

    def _name(self, name: str) -> None:
        if name in self.names:
            raise LedgerError(f"the name {name[:60]!a} is taken.")
        self.names.add(name)

    def _known(self, name: str) -> None:
        if name not in self.names:
            raise LedgerError(f"{name[:60]!a} is not defined above.")


def _add(items: list[Item], item: Item) -> None:
    if len(items) == MAX_ITEMS:
        raise LedgerError(f"there are more than {MAX_ITEMS} of a kind.")
    items.append(item)
