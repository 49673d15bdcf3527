"""Check Sojourn's record offline, trusting nobody but the holder of a key that you got from somewhere else.

    sojourn-verify PACK --key KEY                 an evidence pack: a directory, or the same as .zip
    sojourn-verify ledger.db --key KEY            a whole ledger store, which is only read
    sojourn-verify TILES --key KEY                a whole published ledger: a directory of tiles (C2SP tlog-tiles)
    sojourn-verify PROOF --entry FILE --key KEY   one entry and its proof (C2SP tlog-proof)

With --policy FILE (C2SP tlog-policy) a quorum of its witnesses has to have cosigned too. Standard library only, and no
code of what wrote the record. Exit: 0 verified, 1 failed, 2 unusable input.
"""

import argparse
import json
import os
import re
import sqlite3
import stat
import sys
import zipfile
import zlib
from base64 import b64decode, b64encode
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext, suppress
from datetime import date
from functools import partial
from hashlib import sha256, sha512
from heapq import merge
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import ed25519 as fast
    from cryptography.hazmat.primitives.asymmetric import mldsa
except ImportError:  # then `ed25519` does it, and nothing checks ML-DSA-44
    fast = mldsa = None  # type: ignore[assignment]

ENTRY_BYTES, NOTE_BYTES, PROOF_BYTES, FILE_BYTES = 65_535, 1_000_000, 1_100_000, 1 << 30
PROBLEMS_KEPT, DEPTH, WIDTH, OPENED = 1000, 16, 256, 18
LOG, COSIGNATURE, ML_DSA = 1, 4, 6  # kinds of keys (C2SP signed-note, tlog-cosignature)
OWN_STREAMS = ("request/", "grant/", "session/")  # a pack holds these from version 1 on; of others, single entries
PATH = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")
TILE = re.compile(r"tile/(entries|[0-7])/((?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")
HEX64, SNAKE, TEXT = re.compile(rb'"([0-9a-f]{64})"'), re.compile(r"[a-z][a-z0-9_]*"), re.compile(r"(?s:.*)")
FRAME = (  # what an entry is behind its day; the gap is for body and kind
    r'T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{6}Z","body":%s,"seq":(0|[1-9]\d{0,15}),'
    r'"stream":"((?=[^"]{1,256}")[a-z][a-z0-9_]*+(?:/[A-Za-z0-9@._:+-]++)*)","v":1,"version":([1-9]\d{0,15})\}'
)
KIND = r'(?P<body>\{.*\}),"kind":"(?P<kind>(?=[^"]{1,100}")[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*)"'
ENTRY = re.compile(rb'\{"at":"(\d{4}-\d\d-\d\d)' + (FRAME % KIND).encode())
QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
PLAIN = bytes({*range(32, 128)} - {ord("\\")})  # of these bytes, what is within quotation marks is canonical
KEY_OR_SCALAR = re.compile(r'("[^"]*":)|"[^"]*"|(?:\\-)?[0-9]+|true|false|null')
TEXTUAL, NUMERIC = '"[^"]*+"', r"(?:[1-9]\d{0,14}+|0)"
SCALARS = {'"': TEXTUAL, **dict.fromkeys("tfn", f"(?:null|true|false|{TEXTUAL}|{NUMERIC})")}  # by their first byte
BASE64 = r"((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=|[A-Za-z0-9+/][AQgw]==)?)"  # one spelling only
HASH, NUMBER = r"[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=", r"(0|[1-9][0-9]{0,18})"
VERIFIER_KEY = re.compile(rf"([^\s+]+)\+([0-9a-f]{{8}})\+{BASE64}")
SIGNATURE = re.compile(rf"— ([^\s+]+) (?=.{{8}}){BASE64}")
CHECKPOINT = re.compile(rf"([^\n]+)\n{NUMBER}\n({HASH})\n")
ROTATION = re.compile(rf"sojourn/key-rotation/v1\nfrom {NUMBER}\nold (\S+)\nnew (\S+)\n")
ROTATED, STATEMENT = b"ledger.key_rotated", re.compile(rb"sojourn/key-rotation/v1\n(?:[^\n]+\n)*\n(?:\xe2[^\n]+\n)+")
PROOF = re.compile(rf"c2sp\.org/tlog-proof@v1\n(?:extra {BASE64}\n)?index {NUMBER}((?:\n{HASH}){{0,63}})\n\n((?s:.+))")
UNPACKING = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, ValueError, OverflowError)
Files = dict[str, Callable[[], Any]]  # what opens each file for reading bytes
Signed = tuple[str, "Note"]  # where it was found, and a checkpoint


class CheckError(Exception):
    """A check failed: a code for machines and a sentence for people. The codes `input.…` end with exit status 2."""


def need(holds: object, code: str, text: str) -> None:
    """Every check passes through here, or raises by itself."""
    if not holds:
        raise CheckError(code, text)


class Report:
    """What was checked and what was found."""

    def __init__(self) -> None:
        self.checked, self.found, self.drawn, self.problems = Counter[str](), 0, -1, list[dict[str, str]]()
        self.head: Note | None = None

    def problem(self, code: str, *told: str) -> None:  # where, and a text; both are made safe to be printed
        self.found += 1
        where, text = (one[:500].encode("unicode_escape").decode() for one in told)
        self.problems += [{"code": code, "where": where, "text": text}] if self.found <= PROBLEMS_KEPT else []

    @contextmanager
    def at(self, where: str) -> Iterator[None]:  # a check that fails inside becomes a problem at this place
        try:
            yield
        except CheckError as error:
            self.problem(error.args[0], where, error.args[1])

    def progress(self, done: int, total: int) -> None:  # a bar for who waits at a terminal
        step = 1000 * done // max(1, total)
        if step != self.drawn and sys.stderr.isatty():
            self.drawn, end = step, "\n" if done == total else ""
            print(f"\r[{'#' * (step // 25):40}] {done:,} of {total:,} entries", end=end, file=sys.stderr, flush=True)


P, ORDER = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P  # Ed25519: RFC 8032 section 5.1; points are in extended coordinates
Point = tuple[int, int, int, int]


def _add(a: Point, b: Point) -> Point:  # complete, so it doubles as well
    e, f = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    g, h = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    x, t, z, y = f - e, h - g, h + g, f + e
    return x * t % P, z * y % P, t * z % P, x * y % P


def _times(scalar: int, point: Point) -> Point:
    total: Point = (0, 1, 1, 0)
    for bit in f"{scalar:b}":
        total = _add(total, total)
        total = _add(total, point) if bit == "1" else total
    return total


def public_point(data: bytes) -> Point | None:
    """Read a public key; None for another encoding than the canonical one and for the points of small order."""
    y = int.from_bytes(data, "little") & (2**255 - 1)
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    root = pow(square, (P + 3) // 8, P)
    x = root if root * root % P == square else root * pow(2, (P - 1) // 4, P) % P
    if len(data) != 32 or y >= P or x * x % P != square:
        return None
    x = P - x if x & 1 != data[31] >> 7 else x
    return (x, y, 1, x * y % P) if _times(8, (x, y, 1, x * y % P))[0] else None


def ed25519(public: bytes, signature: bytes, message: bytes) -> bool:
    """Verify: the encoding of [S]B - [k]A has to be R byte for byte, with S below the order of the group."""
    point, base = public_point(public), public_point(b"\x58" + b"\x66" * 31)
    scalar = int.from_bytes(signature[32:], "little")
    if point is None or base is None or len(signature) != 64 or scalar >= ORDER:
        return False
    k = int.from_bytes(sha512(signature[:32] + public + message).digest(), "little") % ORDER
    total = _add(_times(scalar, base), _times(k, (P - point[0], *point[1:3], P - point[3])))
    x, y = (part * pow(total[2], -1, P) % P for part in total[:2])
    return (y | (x & 1) << 255).to_bytes(32, "little") == signature[:32]


def root_of(hashes: Sequence[bytes]) -> bytes:
    """The root over hashes (RFC 6962 section 2.1): pair by pair, and what is left over is taken up as it is."""
    while len(hashes) > 1:
        paired = [sha256(b"\x01" + a + b).digest() for a, b in zip(hashes[::2], hashes[1::2], strict=False)]
        hashes = [*paired, *hashes[2 * len(paired) :]]
    return hashes[0] if hashes else sha256().digest()


def root_from(leaf: bytes, index: int, size: int, proof: list[bytes]) -> bytes:
    """The root that an inclusion proof leads to, straight from RFC 6962 section 2.1.1; empty if it cannot be one."""
    if size <= 1 or not proof:
        return leaf if (index, size, proof) == (0, 1, []) else b""
    middle = 1 << (size - 1).bit_length() - 1
    if index < middle:
        return root_of([root_from(leaf, index, middle, proof[:-1]), proof[-1]])
    return root_of([proof[-1], root_from(leaf, index - middle, size - middle, proof[:-1])])


class Key(NamedTuple):
    """A public key: its holder (of a log's, the origin), its four-byte id, its kind, and its bytes."""

    name: str
    id: bytes
    kind: int
    public: bytes

    @classmethod
    def parse(cls, text: str, *kinds: int) -> "Key":  # name+id+base64(kind || public key)
        match = VERIFIER_KEY.fullmatch(text.strip())
        name, told, data = (match[1], match[2], b64decode(match[3])) if match else ("", "", b"\x00")
        good = data[0] in kinds and told == sha256(f"{name}\n".encode() + data).hexdigest()[:8]
        good = good and (len(data) == 1313 if data[0] == ML_DSA else public_point(data[1:]) is not None)
        need(good, "input.key", f"{text[:80]} is no verifier key (name+id+base64) that fits here")
        return cls(name, bytes.fromhex(told), data[0], data[1:])

    def signed(self, blob: bytes, text: str) -> bool:  # of witnesses' keys and ML-DSA-44, a checkpoint's text
        time, signature, message = blob[:8], blob[8:], text.encode()
        if self.kind == LOG:
            signature = blob
        elif self.kind == COSIGNATURE:
            message = f"cosignature/v1\ntime {int.from_bytes(time)}\n".encode() + message
        else:
            need(mldsa, "input.library", "ML-DSA-44 takes the package `cryptography`, version 49 or newer")
            name, (origin, size, root) = self.name.encode(), message.split(b"\n")[:3]
            message = b"subtree/v1\n\x00%c%b%b%c%b" % (len(name), name, time, len(origin), origin)
            message += int(size).to_bytes(16) + b64decode(root)
        if not fast:
            return ed25519(self.public, signature, message)
        kind: Any = mldsa.MLDSA44PublicKey if self.kind == ML_DSA else fast.Ed25519PublicKey
        with suppress(InvalidSignature, ValueError):
            kind.from_public_bytes(self.public).verify(signature, message)
            return True
        return False


class Note:
    """A signed note, read but not believed yet: by default a checkpoint, which says an origin, a size and a root."""

    def __init__(self, data: bytes, form: re.Pattern[str] = CHECKPOINT, code: str = "checkpoint.form") -> None:
        note = data.decode(errors="replace")
        text, gap, tail = note.rpartition("\n\n")
        self.data, self.text, lines = data, text + "\n", tail.split("\n")
        found, body = [SIGNATURE.fullmatch(line) for line in lines[:-1]], form.fullmatch(self.text)
        good = gap and not lines[-1] and all(found) and len(found) <= 100 and len(data) <= NOTE_BYTES
        good = good and note.encode() == data and not re.search(r"[\x00-\x09\x0b-\x1f]", note)
        need(good and body, code, "it is not a signed note of this form")
        self.lines, self.says = [(one[1], b64decode(one[2])) for one in found if one], body.groups() if body else ()
        if form is CHECKPOINT:
            self.origin, self.size, self.root = self.says[0], int(self.says[1]), b64decode(self.says[2])

    def signers(self, keys: Iterable[Key]) -> set[Key]:  # other keys' signatures are passed over, as C2SP says
        known, good = {key[:2]: key for key in keys}, set[Key]()
        for name, blob in self.lines:
            if key := known.get((name, blob[:4])):
                need(key.signed(blob[4:], self.text), "checkpoint.signature", f"the signature of {name} does not fit")
                good.add(key)
        return good


class Trust:
    """Who is believed: the holders of the ledger's keys, and of a policy's witnesses as many as have to agree."""

    def __init__(self, keys: list[Key], policy: str = "quorum none") -> None:
        self.keys, self.turns, self.witnesses, self.witnessed = keys, list[tuple[int, Key, Key]](), dict[Key, str](), -1
        self.groups, self.quorum = list[tuple[str, int, set[str]]](), ""
        names, free = {"none"}, set[str]()  # a witness or a group is a member once at most
        for words in filter(None, map(str.split, policy.split("\n"))):
            match words:
                case ["log", key] | ["log", key, _]:
                    self.keys = [*self.keys, Key.parse(key, LOG, ML_DSA)]
                case ["witness", name, key] | ["witness", name, key, _] if not {name, key} & names:
                    self.witnesses[Key.parse(key, COSIGNATURE, ML_DSA)] = name
                    names, free = names | {name, key}, free | {name}
                case ["group", name, some, *members] if name not in names and free.issuperset(members):
                    needed = {"any": 1, "all": len(members)}.get(some) or int(
                        some if re.fullmatch("[1-9][0-9]?", some) else 0
                    )
                    good = 0 < needed <= len(members) == len(set(members))
                    need(good, "input.policy", f"group {name} cannot be {some} of {' '.join(members)}")
                    self.groups.append((name, needed, set(members)))
                    names, free = names | {name}, free - set(members) | {name}
                case ["quorum", name] if name in names and not self.quorum:
                    self.quorum = name
                case _:
                    need(words[0][0] == "#", "input.policy", f"this line of the policy is none: {' '.join(words)}")
        need(self.quorum and self.keys, "input.policy", "the policy names no quorum, or neither it nor --key a log")

    def follow(self, files: Files, notes: Iterable[Signed], report: Report) -> None:
        """Check who signed, once the changes of keys that come along are known."""
        self.turn(content(files, "rotations", FILE_BYTES) if "rotations" in files else b"")
        for where, note in notes:
            with report.at(where):
                self.check(note)

    def turn(self, statements: bytes) -> None:
        """Take up changes of the ledger's key, each signed by both: from some size on, it is the new one's turn."""
        texts = STATEMENT.findall(statements)
        need(b"".join(texts) == statements, "rotation.form", "there is more than changes of keys")
        for note in (Note(text, ROTATION, "rotation.form") for text in texts):
            size, (old, new) = int(note.says[0]), (Key.parse(text, LOG) for text in note.says[1:])
            last, _, key = self.turns[-1] if self.turns else (-1, old, old)
            good = note.signers([old, new]) == {old, new} and old.name == new.name and last < size and key == old
            need(good, "rotation.unsigned", "a change of keys is not signed by the key then in use and by the new one")
            self.turns.append((size, old, new))

    def check(self, note: Note) -> None:
        """Check that the key signed whose turn it is at that size; and see whether enough witnesses did."""
        own = {key for key in self.keys if key.name == note.origin}
        also = {key for key in own if key.kind == ML_DSA}
        chain = [old for _, old, _ in self.turns[:1]] + [new for _, _, new in self.turns]
        one = {chain[sum(note.size > size for size, _, _ in self.turns)]} if own & set(chain) else own - also
        found = note.signers(one | also | self.witnesses.keys())
        need(one & found and also <= found, "checkpoint.unsigned", f"the trusted key of {note.origin} did not sign it")
        agreed = {name for key, name in self.witnesses.items() if key in found} | {"none"}
        for name, needed, members in self.groups:
            agreed |= {name} if len(agreed & members) >= needed else set()
        self.witnessed = max(self.witnessed, note.size if self.quorum in agreed else -1)


def check_proof(proof: bytes, entry: bytes) -> tuple[int, Note]:
    """Follow a tlog-proof from an entry's bytes to a root; return the entry's place, and the checkpoint of the root."""
    match = PROOF.fullmatch(proof.decode(errors="replace"))
    if match is None:
        raise CheckError("proof.form", "its proof is not a tlog-proof")
    index, note, hashes = int(match[2]), Note(match[4].encode()), map(b64decode, match[3].split("\n")[1:])
    leaf = sha256(b"\x00" + entry).digest()
    same = index < note.size and root_from(leaf, index, note.size, list(hashes)) == note.root
    need(same, "entry.altered", "the signed root does not hold this entry as it is here, at this place")
    return index, note


def canonical(data: bytes, depth: int = DEPTH, keys: re.Pattern[str] = TEXT) -> Any:
    """Read canonical JSON (a subset of RFC 8785): the value written again has to give the same bytes."""
    small: Any = lambda text: int(text) if len(text) < 18 and abs(int(text)) < 2**53 else None  # noqa: E731
    plain: Any = lambda value: value if all(map(keys.fullmatch, value)) else None  # noqa: E731
    with suppress(ValueError, RecursionError):  # what is out of bounds is read as null, and so written otherwise
        value = json.loads(data.decode(), parse_float=int, parse_constant=int, parse_int=small, object_hook=plain)
        again = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        nesting = accumulate((one in "[{") - (one in "]}") for one in QUOTED.sub("", again))
        if again.encode() == data and max(nesting, default=0) <= depth:
            return value
    raise CheckError("form.json", "it is not canonical JSON")


def read_entry(data: bytes) -> tuple[Any, ...]:
    """Read an entry, a fixed frame with a canonical body in it: its seq, stream, version, kind, and body twice."""
    match = ENTRY.fullmatch(data) if len(data) <= ENTRY_BYTES else None
    with suppress(ValueError):
        if match and date.fromisoformat(match[1].decode()):
            _, body, kind, seq, stream, version = match.groups()
            return int(seq), stream, int(version), kind, body, canonical(body, DEPTH - 1, SNAKE)
    raise CheckError("entry.form", "it does not have the form of an entry")


def named(data: bytes, place: int) -> str:
    """Say which entry this is, as far as it can be read."""
    match = ENTRY.fullmatch(data)
    told = match and (match[part].decode() for part in ("kind", 5, 6))
    return f"entry {place}" + (" ({}, {} version {})".format(*told) if told else "")


class Walk:
    """Goes once through a whole ledger: reads each entry, grows the tree, and compares its root with each signed one.

    Most entries are like earlier ones. The first of each shape is parsed and written again. What fits the pattern made
    of it has the same keys in the same places, and canonical scalars: so it is canonical too, and is not parsed.
    """

    def __init__(self, notes: Iterable[Signed], read: Any, beside: dict[bytes, str], report: Report) -> None:
        self.notes, self.read, self.beside, self.report = iter(notes), read, beside, report
        self.size, self.good, self.whole, self.due = 0, 0, True, next(self.notes, None)
        self.edge = [list[bytes]()]  # of each level of tiles, the hashes that fill no tile yet
        self.versions, self.day, self.shapes, self.known = dict[bytes, int](), "", dict[str, None](), re.compile(b"$^")

    def take(self, entries: list[bytes], leaves: bytes) -> None:
        """Check the next entries, and that they are those of which these leaves were recorded."""
        joined, first, versions = b"\n".join(entries), self.size, self.versions
        found = hashes = [sha256(b"\x00" + data).digest() for data in entries]
        if b"".join(found) != leaves:
            hashes = [leaves[at : at + 32] for at in range(0, len(leaves), 32)]
        altered = {place for place, leaf in enumerate(found) if leaf != hashes[place]} if hashes is not found else set()
        for place in altered:
            told = named(entries[place], first + place)
            self.report.problem("entry.altered", told, "its bytes do not hash to its recorded leaf")
        plain = not b"".join(entries).translate(None, PLAIN)  # so there is no newline within an entry either
        rows: list[Any] = self.known.findall(joined) if plain else []
        if len(rows) != len(entries):
            rows = [self.parse(data) for data in entries]
        for place, (seq, stream, version) in enumerate(rows, first):
            now, due = int(version), versions.get(stream, 0) + 1
            versions[stream] = now
            if (now != due or int(seq) != place) and place - first not in altered:
                gap = ("stream.gap", f"its place is version {due}")
                what = gap if int(seq) == place else ("entry.misplaced", f"it says that it is entry {seq}")
                code, text = stream.args if isinstance(stream, CheckError) else what
                self.report.problem(code, named(entries[place - first], place), text)
        for mention in HEX64.findall(joined) if self.beside else ():
            self.beside.pop(mention, None)
        self.grow(hashes)

    def parse(self, data: bytes) -> Any:
        """Read an entry and remember its shape; gives its seq, stream and version, or why it is none."""
        plain = not data.translate(None, PLAIN)
        if match := plain and self.known.fullmatch(data):
            return match.groups()
        try:
            seq, stream, version, kind, body, _ = read_entry(data)
        except CheckError as error:
            return -1, error, 0
        if plain and len(self.shapes) < 64 and len(data) < 4096:
            inside = KEY_OR_SCALAR.sub(lambda one: one[1] or SCALARS.get(one[0][0], NUMERIC), re.escape(body.decode()))
            self.shapes[f'{inside},"kind":"{re.escape(kind.decode())}'] = None
            self.day = data[7:17].decode()
            frame = rf'^\{{"at":"{self.day}' + FRAME % f'(?:{"|".join(self.shapes)})"' + "$"
            self.known = re.compile(frame.encode(), re.MULTILINE)
        return seq, stream, version

    def grow(self, leaves: list[bytes]) -> None:
        """Add leaves to the tree, compare each full tile with what was recorded, and the root at each signed size."""
        while True:
            while self.due and self.due[1].size <= self.size:
                if self.whole and self.root() != self.due[1].root:
                    where, self.whole = f"entries {self.good} to {self.size - 1}", False
                    self.report.problem("root.altered", where, f"the root signed for {self.size} differs")
                self.good, self.due = self.size, next(self.notes, None)
            room = min(WIDTH - len(self.edge[0]), self.due[1].size - self.size if self.due else WIDTH)
            if not leaves:
                return
            self.edge[0] += leaves[:room]
            self.size, leaves, level = self.size + len(leaves[:room]), leaves[room:], 0
            while len(row := self.edge[level]) == WIDTH:
                self.compare(level)
                self.edge += [[]] if level + 1 == len(self.edge) else []
                self.edge[level], level = [], level + 1
                self.edge[level].append(root_of(row))

    def root(self) -> bytes:  # over what the tree holds, from the right edge of each level of tiles
        found = list[bytes]()
        for row in self.edge:
            found = [root_of(row + found)] if row or found else []
        return root_of(found)

    def compare(self, level: int) -> None:  # the newest tile of a level with what was recorded of it
        row, index = self.edge[level], (self.size - 1 >> 8 * level) // WIDTH
        if level and row and self.whole:
            told = self.read(level, index, len(row))
            with self.report.at(f"tile {index} of level {level}"):
                need(told != b"", "tile.missing", "it is not there")
                need(told in (b"".join(row), None), "tile.altered", "its hashes are not those of what lies below it")

    def end(self) -> None:  # checks what can be known only when all has been seen
        self.grow([])
        for level in range(len(self.edge)):
            self.compare(level)
        for _, note in [self.due, *self.notes][-1:] if self.due else ():
            self.report.problem("store.truncated", f"entries {self.size} to {note.size - 1}", "signed, but missing")
        for name, what in self.beside.items():
            self.report.problem("store.unbound", f"{what} {name!a}", "no entry of the ledger names it")
        self.report.checked["entries"] = self.size


def _open(path: str) -> Any:
    with suppress(FileNotFoundError):
        return Path(path).open("rb", 0)
    return Path(path.partition(".p/")[0]).open("rb", 0)  # the publisher has filled this tile meanwhile


def list_files(target: Path, archive: zipfile.ZipFile | None, pack: bool, report: Report) -> Files:
    """List the regular files of a directory or a zip; whatever else is there is a problem, and never opened."""
    files, found = Files(), list[tuple[str, int, Callable[[], Any]]]()
    for member in archive.infolist() if archive else ():
        mode = (
            stat.S_IFMT(member.external_attr >> 16) or (stat.S_IFREG, stat.S_IFDIR)[member.orig_filename.endswith("/")]
        )
        found.append((member.orig_filename.removesuffix("/"), mode, partial(archive.open, member)))  # type: ignore[union-attr]
    for folder, folders, names in () if archive else os.walk(target):
        for path in (f"{folder}/{name}" for name in folders + names):
            if pack or path != f"{target}/.staging":  # where a publisher makes what it then moves to its place
                found.append((path[len(str(target)) + 1 :], os.lstat(path).st_mode, partial(_open, path)))
        folders[:] = [name for name in folders if pack or name != ".staging"]
    for path, mode, opener in found:
        if stat.S_ISREG(mode) and PATH.fullmatch(path) and path not in files:
            files[path] = opener
        elif not stat.S_ISDIR(mode) or not PATH.fullmatch(path):
            report.problem("pack.unsafe", path, "a link, a special file, an outward or repeated name is refused")
    return files


def content(files: Files, path: str, limit: int) -> bytes:
    """Read a file that has so many bytes at most."""
    need(path in files, "pack.missing", f"{path} is not there")
    pieces, left = list[bytes](), limit
    try:
        with files[path]() as stream:
            while left >= 0 and (piece := stream.read(1 << 17)):
                pieces.append(piece)
                left -= len(piece)
    except UNPACKING as error:
        raise CheckError("pack.unreadable", f"it cannot be unpacked: {error}") from None
    need(left >= 0, "pack.altered", "it has more bytes than it may have")
    return b"".join(pieces)


def split_bundle(data: bytes) -> list[bytes]:
    """Take a bundle apart: up to 256 entries, each behind its length, a big-endian uint16."""
    entries, end, size = list[bytes](), 0, len(data)
    while end + 2 <= size and len(entries) < WIDTH:
        start = end + 2
        end = start + data[end] * 256 + data[end + 1]
        entries.append(data[start:end])
    need(end == size, "bundle.form", "it is no bundle of entries")
    return entries


def verify_tiles(files: Files, trust: Trust, since: list[Signed], report: Report) -> None:
    """Check a published ledger: each entry, each file of each tile, the signed roots, and what is published beside."""
    names = ["checkpoint", *(["cosigned"] if trust.witnesses and "cosigned" in files else [])]
    notes = [(name, Note(content(files, name, NOTE_BYTES))) for name in names]
    report.head = note = max((note for _, note in notes), key=lambda note: note.size)
    trust.follow(files, [*notes, *since], report)
    places, beside = defaultdict[tuple[str, int], dict[int, str]](dict), dict[bytes, str]()
    for path in files:
        with report.at(path):
            match = TILE.fullmatch(path)
            need(match or not path.startswith("tile/"), "tile.unknown", "this is not the name of a tile")
            if match:
                places[match[1], int(re.sub("[x/]", "", match[2]))][int(match[3] or WIDTH)] = path
            elif path.startswith("attachment/"):
                good = sha256(content(files, path, FILE_BYTES)).hexdigest() == path[11:]
                need(good, "attachment.altered", "its content is not the one it is named for")
                beside[path[11:].encode()] = path
    report.checked["attachments"] = len(beside)

    def tile(level: int | str, index: int, width: int) -> Any:  # as all files have it that begin it
        unit, best = (1, list[Any]()) if level == "entries" else (32, b"")
        for told, path in sorted(places.pop((str(level), index), {}).items(), reverse=True):
            with report.at(path):
                data = content(files, path, WIDTH * (ENTRY_BYTES + 2))
                held: Any = split_bundle(data) if unit == 1 else data
                need(len(held) in (told * unit, WIDTH * unit), "tile.form", f"it does not hold {told} items")
                best = best or held
                need(held == best[: len(held)], "tile.altered", "it is not the beginning of the same tile")
        return best[: width * unit]

    walk = Walk(sorted([*notes, *since], key=lambda one: one[1].size), tile, beside, report)
    for index in range(-(-note.size // WIDTH)):
        width = min(WIDTH, note.size - walk.size)
        entries, leaves = tile("entries", index, width), tile(0, index, width)
        with report.at(f"entries {walk.size} to {walk.size + width - 1}"):
            need(len(entries) == width and len(leaves) == 32 * width, "tile.missing", "a tile or bundle of them is not")
        entries = entries if len(entries) == width else []
        leaves = leaves if len(leaves) == 32 * width else b"".join(sha256(b"\x00" + one).digest() for one in entries)
        if not leaves:
            break
        walk.take(entries, leaves)
        report.progress(walk.size, note.size)
    walk.end()
    report.checked["files not yet signed"] = sum(map(len, places.values()))


def check_disclosed(files: Files, mentioned: set[bytes], report: Report) -> None:
    """Check that each opened value is the one that an entry of the pack has committed to."""
    items = canonical(content(files, "disclosed.json", FILE_BYTES)) if "disclosed.json" in files else []
    for item in items if isinstance(items, list) else [{}]:
        fields = isinstance(item, dict) and sorted(item) == ["commitment", "salt", "value"]
        told, salt, value = map(str, item.values()) if fields else ("", "", "")
        right = re.fullmatch("[0-9a-f]{64}", salt) and re.fullmatch(BASE64, value)
        need(right, "disclosed.form", "it is not a list of commitments, each with its salt and value")
        need(told.encode() in mentioned, "disclosed.unknown", f"no entry of the pack holds commitment {told}")
        same = sha256(b"sojourn/sealed/v1\x00" + bytes.fromhex(salt) + b64decode(value)).hexdigest() == told
        need(same, "disclosed.altered", f"the value is not the one committed to by {told}")
        report.checked["disclosed values"] += 1


def verify_pack(files: Files, trust: Trust, since: list[Signed], report: Report) -> None:
    """Check a pack: its files, then each entry to the signed root, its streams, opened values and attachments."""
    manifest, good = canonical(content(files, "manifest.json", FILE_BYTES)), dict[str, str]()
    form = isinstance(manifest, dict) and sorted(manifest) == ["files", "format", "origin", "subject"]
    need(form and isinstance(manifest["files"], dict), "manifest.form", "manifest.json does not have its four fields")
    listed, form, origin, subject = (manifest[name] for name in sorted(manifest))
    same = form == "sojourn-evidence-pack/1" and origin in {key.name for key in trust.keys}
    need(same, "manifest.origin", "manifest.json is of another format, or of another ledger")
    for path in sorted((listed.keys() | files.keys()) - {"manifest.json"}):
        with report.at(path):
            need(path in listed, "pack.unlisted", "this file is not in the manifest")
            size = listed[path].get("bytes") if isinstance(listed[path], dict) else None
            data = content(files, path, min(size, FILE_BYTES) if type(size) is int else 0)
            good[path] = sha256(data).hexdigest()
            same = listed[path] == {"bytes": len(data), "sha256": good[path]}
            need(same, "pack.altered", "its content is not what the manifest says")
    report.checked["files"] = len(good)
    report.head = note = Note(content(files, "checkpoint", NOTE_BYTES))
    trust.follow(files, [("checkpoint", note), *since], report)
    streams, mentioned = defaultdict[str, list[int]](list), set[bytes]()
    paths = sorted(path for path in files if path.startswith("entries/"))
    proofs = {path for path in files if path.startswith("proofs/")}
    for done, path in enumerate(paths, 1):
        report.progress(done, len(paths))
        proof = path.replace("entries/", "proofs/", 1).removesuffix(".json") + ".tlog-proof"
        proofs.discard(proof)
        with report.at(path):
            data = content(files, path, ENTRY_BYTES)
            seq, stream, version, *_ = read_entry(data)
            with report.at(named(data, seq)):
                index, led_to = check_proof(content(files, proof, PROOF_BYTES), data)
                same = path == f"entries/{index:012}.json" and index == seq and led_to.data == note.data
                need(same, "entry.misplaced", "its number, its proof and the pack's checkpoint do not agree")
                streams[stream.decode()].append(version)
                mentioned.update(HEX64.findall(data))
                report.checked["entries"] += 1
    for path in proofs:
        report.problem("proof.unused", path, "no entry comes with this proof")
    for name, versions in streams.items():
        if versions != (sorted(set(versions)), [*range(1, len(versions) + 1)])[name.startswith(OWN_STREAMS)]:
            report.problem("stream.gap", name, f"its versions are not whole and in order: {versions[:20]}")
    if subject not in streams:
        report.problem("subject.missing", subject, "the pack holds no good entry of its subject")
    report.checked["streams"] = len(streams)
    with report.at("disclosed.json"):
        check_disclosed(files, mentioned, report)
    for path in sorted(path for path in files if path.startswith("attachments/")):
        report.checked["attachments"] += 1
        if good.get(path) != path[12:] or path[12:].encode() not in mentioned:
            report.problem("attachment.altered", path, "its content is not the one an entry of the pack names")
    for where, older in since:
        if (older.size, older.root) != (note.size, note.root):
            why = "a pack cannot prove it: verify the ledger" if older.size < note.size else "history was rewritten"
            report.problem("since.unproven", where, f"the pack does not extend it: {why}")


@contextmanager
def open_store(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a store without changing it or its folder. A write-ahead log beside it is part of it."""
    log, index = (path.with_name(path.name + end) for end in ("-wal", "-shm"))
    logged = log.exists() and log.stat().st_size
    # Where nobody has it open, it is read without locks, and the index of the log is made in memory alone.
    alone = f"&vfs={'win32' if os.name == 'nt' else 'unix'}-none" if not index.exists() else ""
    mode = alone if logged else "&immutable=1"
    with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro{mode}", uri=True)) as connection:
        if alone:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.text_factory = bytes
        yield connection


def verify_store(connection: sqlite3.Connection, trust: Trust, since: list[Signed], report: Report) -> None:
    """Check a whole store: each entry, the order, every signed root, the tiles, and what lies beside the entries."""
    views = connection.execute("SELECT count(*) FROM sqlite_master WHERE type = 'view'").fetchone()
    need(views == (0,), "input.store", "a ledger store has no views")
    with report.at("store"):
        sound = connection.execute("PRAGMA integrity_check(1)").fetchone()
        need(sound == (b"ok",), "store.damaged", f"its pages or its index contradict each other: {sound!a}")
    turned = "SELECT entries FROM batch WHERE instr(entries, ?) ORDER BY first"
    for data in (data for (bundle,) in connection.execute(turned, (ROTATED,)) for data in split_bundle(bundle)):
        *_, kind, _, body = read_entry(data) if ROTATED in data else (b"", b"", None)
        trust.turn(str(body.get("statement")).encode() if kind == ROTATED else b"")

    def signed() -> Iterator[Signed]:
        for size, note in connection.execute("SELECT size, note FROM checkpoint ORDER BY size"):
            with report.at(f"checkpoint of size {size}"):
                report.head = head = Note(note if isinstance(note, bytes) else b"")
                need(head.size == size, "checkpoint.misplaced", f"what was signed is of size {head.size}")
                trust.check(head)
                report.checked["checkpoints"] += 1
                yield f"checkpoint of size {size}", head

    beside = {name: "sealed value" for (name,) in connection.execute("SELECT commitment FROM sealed NOT INDEXED")}
    for name, data in connection.execute("SELECT sha256, bytes FROM attachment"):
        beside[name] = "attachment"
        if type(data) is not bytes or sha256(data).hexdigest().encode() != name:
            report.problem("attachment.altered", f"attachment {name!a}", "its content is not the one named")
    tiles: dict[Any, bytes] = {row[:2]: row[2] for row in connection.execute("SELECT * FROM tile")}
    (total,) = connection.execute("SELECT coalesce(sum(count), 0) FROM batch").fetchone()
    trust.follow({}, since, report)
    notes = merge(signed(), since, key=lambda one: one[1].size)
    walk = Walk(notes, lambda *place: tiles.pop(place[:2], b"") if place[2] == WIDTH else None, beside, report)
    for row in connection.execute("SELECT first, count, leaves, entries FROM batch ORDER BY first"):
        need(list(map(type, row)) == [int, int, bytes, bytes], "input.store", "its rows are not those of a ledger")
        (first, count, leaves, bundle), entries = row, list[bytes]()
        with report.at(f"entries {first} to {first + count - 1}"):
            entries = split_bundle(bundle)
            need(len(entries) == count == len(leaves) / 32, "row.damaged", "their row holds more or less than it says")
        if first != walk.size:
            report.problem("store.gap", f"entries {walk.size} to {first - 1}", "they are missing from the store")
            walk.size, walk.whole = first, False
        walk.take(entries[: len(leaves) // 32], leaves[: 32 * len(entries)])
        report.progress(walk.size, total)
    walk.end()
    need(report.checked["checkpoints"], "checkpoint.missing", "the store holds no checkpoint signed by the trusted key")
    for place in tiles:
        report.problem("tile.unknown", f"tile {place}", "it is none of this ledger")
    report.checked["entries not yet signed"] = walk.size - report.head.size if report.head else 0


def run(options: argparse.Namespace, report: Report) -> None:
    """Find out what the target is, and verify it."""
    target, magic, since = Path(options.target), b"", list[Signed]()

    def outside(argument: str) -> bytes:  # what is believed never comes out of what is to be verified
        path, outer = Path(argument).resolve(), target.resolve()
        links = (one.samefile(path) for one in outer.rglob("*") if one.is_file()) if path.stat().st_nlink > 1 else ()
        inside = path == outer or outer in path.parents or path.samefile(outer) or any(links)
        need(not inside, "input.trust", f"{argument} lies inside what is to be verified: get it from its owner instead")
        return path.read_bytes()

    why = "--key is missing: ask the ledger's owner, not the pack, for its verifier key"
    need(options.key or options.policy, "input.key", why)
    inline = re.compile(r"[^\s+]+\+[0-9a-f]{8}\+\S+")
    keys = [key if inline.fullmatch(key) else outside(key).decode(errors="replace") for key in options.key]
    policy = outside(options.policy).decode(errors="replace") if options.policy else "quorum none"
    trust = Trust([Key.parse(key, LOG, ML_DSA) for key in keys], policy)
    if options.since:
        since = [(options.since, Note(outside(options.since)))]
    if not target.is_dir():
        with target.open("rb") as stream:
            magic = stream.read(22)
    if target.is_dir() and not (target / "manifest.json").exists():
        verify_tiles(list_files(target, None, False, report), trust, since, report)
    elif target.is_dir() or magic.startswith(b"PK"):
        with nullcontext() if target.is_dir() else zipfile.ZipFile(target) as archive:
            verify_pack(list_files(target, archive, True, report), trust, since, report)
    elif magic.startswith(b"SQLite format 3"):
        with open_store(target) as connection:
            verify_store(connection, trust, since, report)
    else:
        need(magic == b"c2sp.org/tlog-proof@v1", "input.unknown", "this is no pack, no ledger and no proof")
        need(options.entry and not since, "input.entry", "a proof needs --entry FILE, and takes no --since")
        files = Files(proof=partial(target.open, "rb"), entry=partial(Path(options.entry).open, "rb"))
        entry = content(files, "entry", ENTRY_BYTES)
        index, report.head = check_proof(content(files, "proof", PROOF_BYTES), entry)
        trust.check(report.head)
        need(read_entry(entry)[0] == index, "entry.misplaced", f"its own number is not {index}")
        report.checked["entries"] = 1
    if trust.witnesses:
        report.checked["witnessed entries"] = max(0, trust.witnessed)
        need(trust.witnessed >= 0, "checkpoint.unwitnessed", "the policy's quorum has cosigned no checkpoint here")


def verify(options: argparse.Namespace) -> Report:
    """Verify, and turn whatever cannot be read into a problem."""
    report = Report()
    try:
        with report.at(options.target):
            run(options, report)
    except (OSError, sqlite3.Error, *UNPACKING) as error:
        report.problem("input.unreadable", options.target, f"it cannot be read: {error}")
    return report


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="sojourn-verify", description="Check a Sojourn record offline.")
    parser.add_argument("target", metavar="PACK|LEDGER.DB|TILES|PROOF", help="what to verify")
    usage = "a verifier key of the ledger, or a file with it, from a source you trust (of several, each has to sign)"
    parser.add_argument("--key", action="append", default=[], help=usage)
    parser.add_argument("--policy", metavar="FILE", help="logs, and witnesses that have to agree (C2SP tlog-policy)")
    parser.add_argument("--since", metavar="CHECKPOINT", help="an older checkpoint that the ledger has to extend")
    parser.add_argument("--entry", metavar="FILE", help="the entry that a single proof is about")
    parser.add_argument("--json", action="store_true", help="write one JSON object")
    options = parser.parse_args(argv)
    report = verify(options)
    head = report.head and (ascii(report.head.origin)[1:-1], report.head.size, b64encode(report.head.root).decode())
    told: dict[str, Any] = dict(zip(("origin", "size", "root"), head or (None, None, None), strict=True))
    lines = [f"{name:8} {value}" for name, value in told.items()]
    told |= {"ok": not report.found, "checked": report.checked, "problems": report.problems}
    lines += ["checked  " + ", ".join(f"{number:,} {name}" for name, number in report.checked.items())]
    lines += [f"  {one['code']}: {one['where']}: {one['text']}" for one in report.problems]
    lines += [f"FAILED with {report.found} problem(s)" if report.found else "OK: everything leads to the signed root"]
    print(json.dumps(told) if options.json else "\n".join(lines))
    return 2 if any(problem["code"].startswith("input.") for problem in report.problems) else min(report.found, 1)


if __name__ == "__main__":
    sys.exit(main())
