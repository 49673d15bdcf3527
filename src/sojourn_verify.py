"""Check Sojourn's record offline, trusting nobody but the holder of one public key.

    sojourn-verify PACK --key KEY                 an evidence pack: a directory, or the same as .zip
    sojourn-verify ledger.db --key KEY            a whole ledger store, which is only read
    sojourn-verify TILES --key KEY                a whole published ledger: a directory of tiles (C2SP tlog-tiles)
    sojourn-verify PROOF --entry FILE --key KEY   one entry and its proof (C2SP tlog-proof)

Standard library only, and no code of what wrote the record. Exit: 0 verified, 1 failed, 2 unusable input.
"""

import argparse
import base64
import json
import os
import re
import shutil
import sqlite3
import stat
import sys
import tempfile
import zipfile
import zlib
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import date
from functools import lru_cache, partial, reduce
from hashlib import sha256, sha512
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
except ImportError:  # it is only faster than `ed25519`
    Ed25519PublicKey = None  # type: ignore[assignment,misc]

ENTRY_BYTES, NOTE_BYTES, PROOF_BYTES, JSON_BYTES = 65_535, 1_000_000, 1_100_000, 256 << 20
FILE_BYTES, PACK_BYTES, PROBLEMS_KEPT, DEPTH, WIDTH, OPENED = 1 << 30, 8 << 30, 1000, 16, 256, 18
OWN_STREAMS = ("request/", "grant/", "session/")  # a pack holds these from version 1 on; of others, single entries
STAGING = ".staging"  # where a publisher makes what it then moves to its place
PATH = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")
TILE = re.compile(r"tile/(entries|[0-7])/((?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")
HEX64, SNAKE = re.compile(rb'"([0-9a-f]{64})"'), re.compile(r"[a-z][a-z0-9_]*")
FRAME = (  # what an entry is behind the `OPENED` bytes that end with its day
    r'(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{6}Z","body":%s,"kind":"%s","seq":(?P<seq>0|[1-9]\d{0,15}),'
    r'"stream":"(?P<stream>%s)","v":1,"version":(?P<version>[1-9]\d{0,15})\}'
)
KIND = r'(?P<kind>(?=[^"]{1,100}")[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*)'
STREAM = r'(?=[^"]{1,256}")[a-z][a-z0-9_]*(?:/[A-Za-z0-9@._:+-]+)*'
ENTRY = re.compile(rb'\{"at":"\d{4}-\d\d-\d\dT' + (FRAME % (r"(?P<body>\{.*\})", KIND, STREAM)).encode())
PLAIN = bytes({*range(32, 128)} - {ord("\\")})  # of these bytes, what is within quotation marks is canonical
STRING, INTEGER = '"[^"]*+"', r"(?!0\d)\d{1,15}+"
SCALAR = f"(?:{STRING}|{INTEGER}|true|false|null)"
BASE64 = r"((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=|[A-Za-z0-9+/][AQgw]==)?)"  # one spelling only
HASH, NUMBER = r"[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=", r"(0|[1-9][0-9]{0,18})"
VERIFIER_KEY = re.compile(r"([^\s+]+)\+([0-9a-f]{8})\+(A[A-Za-z0-9+/]{43})")
SIGNATURE = re.compile(rf"— ([^\s+]+) (?=.{{8}}){BASE64}")
CHECKPOINT = re.compile(rf"([^\n]+)\n{NUMBER}\n({HASH})\n")
PROOF = re.compile(rf"c2sp\.org/tlog-proof@v1\n(?:extra {BASE64}\n)?index {NUMBER}((?:\n{HASH}){{0,63}})\n\n((?s:.+))")
UNPACKING = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, ValueError, OverflowError)
Opener = Callable[[], Any]  # opens a file for reading bytes
Head = tuple[int, bytes]  # what a checkpoint says: size, root
Key = tuple[str, bytes, bytes]  # the trusted key: name, which is the ledger's origin; four-byte id; public key
Entry = tuple[int, bytes, int, bytes]  # seq, stream, version, kind
Point = tuple[int, int, int, int]
Shape = Callable[[bytes, int], re.Match[bytes] | None]  # matches entries that are like an earlier one


class CheckError(Exception):
    """A check failed: a code for machines and a sentence for people. The codes `input.…` end with exit status 2."""


def _need(holds: object, code: str, text: str) -> None:  # every check passes through here, or raises by itself
    if not holds:
        raise CheckError(code, text)


class Report:
    """What was checked and what was found."""

    def __init__(self) -> None:
        self.origin, self.checked, self.found, self.drawn = "", Counter[str](), 0, -1
        self.head: Head | None = None
        self.problems: list[dict[str, str]] = []

    def problem(self, code: str, where: str, text: str) -> None:  # all are counted, the first thousand are kept
        self.found += 1
        if self.found <= PROBLEMS_KEPT:
            self.problems.append({"code": code, "where": shown(where), "text": shown(text)})

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


def shown(text: str) -> str:
    """Make text safe to print: control, bidirectional and all other non-ASCII characters become escapes."""
    return text[:500].encode("unicode_escape").decode()


P, ORDER = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P  # Ed25519, RFC 8032 section 5.1; points are in extended coordinates


def _add(a: Point, b: Point) -> Point:  # complete, so it doubles as well
    e, f = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    g, h = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    x, t, z, y = f - e, h - g, h + g, f + e
    return x * t % P, z * y % P, t * z % P, x * y % P


def public_point(data: bytes) -> Point | None:
    """Read a public key; None for another encoding than the canonical one and for the points of small order."""
    number = int.from_bytes(data, "little")
    y, sign = number & (2**255 - 1), number >> 255
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if x * x % P == square else x * pow(2, (P - 1) // 4, P) % P
    if len(data) != 32 or y >= P or x * x % P != square:
        return None
    x = P - x if x & 1 != sign else x
    eight = point = (x, y, 1, x * y % P)
    for _ in range(3):
        eight = _add(eight, eight)
    return None if eight[0] == 0 and eight[1] == eight[2] else point


def ed25519(public: bytes, signature: bytes, message: bytes) -> bool:
    """Verify: the encoding of [S]B - [k]A has to be R byte for byte, with S below the order of the group."""
    point, base = public_point(public), public_point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))
    scalar = int.from_bytes(signature[32:], "little")
    if point is None or base is None or len(signature) != 64 or scalar >= ORDER:
        return False
    k = int.from_bytes(sha512(signature[:32] + public + message).digest(), "little") % ORDER
    minus: Point = (P - point[0], point[1], 1, P - point[3])
    total: Point = (0, 1, 1, 0)
    sums = (total, base, minus, _add(base, minus))
    for bit in range(252, -1, -1):
        total = _add(total, total)
        if chosen := (scalar >> bit & 1) | (k >> bit & 1) << 1:
            total = _add(total, sums[chosen])
    x, y = (part * pow(total[2], -1, P) % P for part in total[:2])
    return (y | (x & 1) << 255).to_bytes(32, "little") == signature[:32]


def _signed(public: bytes, signature: bytes, message: bytes) -> bool:
    if Ed25519PublicKey is None:
        return ed25519(public, signature, message)
    with suppress(InvalidSignature, ValueError):
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
        return True
    return False


def _hash(*parts: bytes) -> bytes:  # of 0x00 and an entry: a leaf; of 0x01 and two subtrees: a node (RFC 6962, 2.1)
    return sha256(b"".join(parts)).digest()


def _subtree(hashes: Sequence[bytes]) -> bytes:  # the root over 1, 2, 4, 8, … hashes
    while len(hashes) > 1:
        pairs = iter(hashes)
        hashes = [sha256(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=True)]
    return hashes[0]


def _fold(subtrees: list[bytes]) -> bytes:  # the root over complete subtrees, largest first
    return reduce(lambda right, left: _hash(b"\x01", left, right), reversed(subtrees)) if subtrees else _hash()


def root_from(leaf: bytes, index: int, size: int, proof: list[bytes]) -> bytes:
    """The root that an inclusion proof leads to, straight from RFC 6962 section 2.1.1; empty if it cannot be one."""
    if size <= 1 or not proof:
        return leaf if (index, size, proof) == (0, 1, []) else b""
    middle = 1 << (size - 1).bit_length() - 1
    if index < middle:
        return _hash(b"\x01", root_from(leaf, index, middle, proof[:-1]), proof[-1])
    return _hash(b"\x01", proof[-1], root_from(leaf, index - middle, size - middle, proof[:-1]))


def _parse_key(text: str) -> Key:  # name+id+base64(0x01 || public key)
    match = VERIFIER_KEY.fullmatch(text.strip())
    name, key_id, material = (match[1], match[2], base64.b64decode(match[3])) if match else ("", "", b"-")
    good = key_id == _hash(name.encode(), b"\n", material)[:4].hex() and material[0] == 1
    _need(good and public_point(material[1:]), "input.key", "the key is no verifier key (name+id+base64)")
    return name, bytes.fromhex(key_id), material[1:]


@lru_cache(maxsize=64)
def open_checkpoint(data: bytes, key: Key) -> Head:
    """Verify a signed checkpoint of this key's ledger. Signatures of other keys are passed over, as C2SP says."""
    note, signed = data.decode(errors="replace"), False
    text, gap, tail = note.rpartition("\n\n")
    text, lines = text + "\n", tail.split("\n")
    form = gap and not lines.pop() and len(lines) <= 100 and not re.search(r"[\x00-\x09\x0b-\x1f]", note)
    _need(form and len(data) <= NOTE_BYTES and note.encode() == data, "checkpoint.form", "it is not a signed note")
    for line in lines:
        match = SIGNATURE.fullmatch(line)
        blob = base64.b64decode(match[2]) if match else b""
        if match is None or (match[1], blob[:4]) == key[:2]:
            signed = match is not None and _signed(key[2], blob[4:], text.encode())
            _need(signed, "checkpoint.signature", "its signature does not fit its text")
    _need(signed, "checkpoint.unsigned", f"it is not signed by the trusted key of {key[0]}")
    body = CHECKPOINT.fullmatch(text)
    if body is None or body[1] != key[0]:
        raise CheckError("checkpoint.form", "it is not the origin, size and root of the trusted key's ledger")
    return int(body[2]), base64.b64decode(body[3])


def check_proof(proof: bytes, entry: bytes, key: Key) -> tuple[int, bytes, Head]:
    """Follow a tlog-proof from an entry's bytes to the signed root; return index, checkpoint and what that says."""
    match = PROOF.fullmatch(proof.decode(errors="replace"))
    if match is None:
        raise CheckError("proof.form", "its proof is not a tlog-proof")
    note, hashes = match[4].encode(), [base64.b64decode(line) for line in match[3].split("\n")[1:]]
    index, head = int(match[2]), open_checkpoint(note, key)
    same = index < head[0] and root_from(_hash(b"\x00", entry), index, head[0], hashes) == head[1]
    _need(same, "entry.altered", "the signed root does not hold this entry as it is here, at this place")
    return index, note, head


def _integer(text: str) -> int:
    _need(len(text) <= 17 and abs(int(text)) < 2**53, "form.json", "it is not canonical JSON: an integer is too large")
    return int(text)


def _snake_case(value: dict[str, Any]) -> dict[str, Any]:
    _need(all(map(SNAKE.fullmatch, value)), "form.json", "it is not canonical JSON: a key is not snake_case")
    return value


_decoder = partial(json.JSONDecoder, parse_float=int, parse_constant=int, parse_int=_integer)
DECODER, ENTRY_DECODER = _decoder(), _decoder(object_hook=_snake_case)
ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), check_circular=False)


def canonical(data: bytes, decoder: json.JSONDecoder = DECODER) -> Any:
    """Read canonical JSON (a subset of RFC 8785): the value written again has to give the same bytes."""
    try:
        value = decoder.decode(data.decode())
        level = [value] if data.count(b"{") + data.count(b"[") > DEPTH else []
        for _ in range(DEPTH - (decoder is ENTRY_DECODER)) if level else ():
            level = [x for v in level for x in (v.values() if isinstance(v, dict) else v) if isinstance(x, dict | list)]
        same = not level and ENCODER.encode(value).encode() == data
    except (ValueError, RecursionError) as error:
        raise CheckError("form.json", f"it is not canonical JSON: {error}") from None
    _need(same, "form.json", "it is not canonical JSON: nested too deeply, or other bytes when written again")
    return value


def read_entry(data: bytes) -> tuple[Entry, Any]:
    """Read an entry's bytes, a fixed frame with a canonical body in it; give what it says of itself, and the body."""
    match = ENTRY.fullmatch(data) if len(data) <= ENTRY_BYTES else None
    with suppress(ValueError):
        if match and date.fromisoformat(data[7:17].decode()):
            entry = int(match["seq"]), match["stream"], int(match["version"]), match["kind"]
            return entry, canonical(match["body"], ENTRY_DECODER)
    raise CheckError("entry.form", "it does not have the form of an entry")


def _named(data: bytes, place: int) -> str:  # which entry it is, as far as it can be read
    match = ENTRY.fullmatch(data)
    told = match and (part.decode() for part in match.group("kind", "stream", "version"))
    return f"entry {place}" + (" ({}, {} version {})".format(*told) if told else "")


def _shape(value: Any) -> str:  # a pattern for all canonical JSON of plain bytes that has these keys in these places
    if isinstance(value, dict):
        return r"\{" + ",".join(f'"{key}":{_shape(inner)}' for key, inner in value.items()) + r"\}"
    if isinstance(value, list):
        flat = len(value) > 4 and not any(isinstance(inner, dict | list) for inner in value)
        return rf"\[{f'(?:{SCALAR}(?:,{SCALAR})*)?' if flat else ','.join(map(_shape, value))}\]"
    return STRING if isinstance(value, str) else INTEGER if type(value) is int else SCALAR


class Walk:
    """Goes once through a whole ledger: reads each entry, grows the tree, and compares its root with each signed one.

    Most entries are like earlier ones. The first of each shape is parsed and written again. What fits the pattern made
    of it has the same keys in the same places, and canonical scalars: so it is canonical too, and is not parsed.
    """

    def __init__(self, heads: list[Head], total: int, beside: dict[Any, str], report: Report) -> None:
        self.due, self.total, self.beside, self.report, self.size = deque(sorted(heads)), total, beside, report, 0
        self.versions, self.shapes, self.day = dict[bytes, int](), defaultdict[bytes, list[Shape]](list), b"-"
        self.tree, self.grown, self.good, self.whole = list[bytes](), 0, 0, True  # complete subtrees, largest first
        self.tiles = list[bytes]()  # the roots of full tiles of leaves

    def take(self, entries: Sequence[bytes], leaves: Sequence[bytes]) -> None:
        """Check the next entries, and that they are those of which these leaves were recorded."""
        joined, versions, first, shapes, day = b"".join(entries), self.versions, self.size, self.shapes, self.day
        plain, found = not joined.translate(None, PLAIN), [sha256(b"\x00" + data).digest() for data in entries]
        same = found == leaves[: len(found)]
        for place, data in enumerate(entries, first):
            try:
                for shape in shapes[data[45:49]] if plain and data.startswith(day) else ():
                    if match := shape(data, OPENED):
                        seq, stream, version = match.groups()
                        break
                else:
                    seq, stream, version = self.learn(data)
                    day = self.day
                due = versions.get(stream, 0) + 1
                versions[stream] = now = int(version)
                if now != due or int(seq) != place:
                    _need(int(seq) == place, "entry.misplaced", f"it says that it is entry {int(seq)}")
                    _need(now == due, "stream.gap", f"its place is version {due}")
            except CheckError as error:
                if same or found[place - first] == leaves[place - first]:
                    self.report.problem(error.args[0], _named(data, place), error.args[1])
        for place, data in enumerate(() if same else entries, first):
            if found[place - first] != leaves[place - first]:
                self.report.problem("entry.altered", _named(data, place), "its bytes do not hash to its recorded leaf")
        for mention in HEX64.findall(joined) if self.beside else ():
            self.beside.pop(mention, None)
        self.size += len(leaves)
        self.grow(leaves)
        self.report.progress(self.size, self.total)

    def learn(self, data: bytes) -> tuple[int, bytes, int]:  # parses an entry, and remembers its shape
        (seq, stream, version, kind), body = read_entry(data)
        known, self.day = self.shapes[data[45:49]], data[:OPENED]  # 45: the first key of the body
        if len(known) < 32 and len(data) < 4096:
            head, slash, _ = re.escape(stream.decode()).rpartition("/")
            alike = rf"{head}/[A-Za-z0-9@._:+-]{{1,{255 - len(head)}}}+" if slash else stream.decode()
            frame = FRAME % (_shape(body), re.escape(kind.decode()), alike)
            known.append(re.compile(frame.encode()).fullmatch)
        return seq, stream, version

    def grow(self, leaves: Sequence[bytes]) -> None:  # compares the root at each size that was signed
        while self.whole and self.due and self.due[0][0] <= self.grown + len(leaves):
            size, root = self.due.popleft()
            room = size - self.grown
            self.add(leaves[:room])
            leaves = leaves[room:]
            if _fold(self.tree) != root:
                where, self.whole = f"entries {self.good} to {size - 1}", False
                self.report.problem("root.altered", where, f"the root signed for {size} differs")
            self.good = size
        self.add(leaves)

    def add(self, leaves: Sequence[bytes]) -> None:  # as many at a time as make a complete subtree of a tile
        while leaves:
            height = min((self.grown | WIDTH) & -(self.grown | WIDTH), len(leaves)).bit_length() - 1
            node, leaves, size = _subtree(leaves[: 1 << height]), leaves[1 << height :], self.grown + (1 << height)
            while True:
                self.tiles += [node] if height == 8 else []
                if not self.grown >> height & 1:
                    break
                node, height = _hash(b"\x01", self.tree.pop(), node), height + 1
            self.tree.append(node)
            self.grown = size

    def end(self, read: Callable[[int, int, int], bytes | None]) -> None:  # `read`: a tile's hashes, or None
        self.grow([])
        if self.due and self.due[-1][0] > self.size:
            where = f"entries {self.size} to {self.due[-1][0] - 1}"
            self.report.problem("store.truncated", where, "they were signed, but are missing")
        for name, what in self.beside.items():
            self.report.problem("store.unbound", f"{what} {name!a}", "no entry of the ledger names it")
        level, hashes = 1, self.tiles if self.whole else []
        while hashes:
            rows = [hashes[at : at + WIDTH] for at in range(0, len(hashes), WIDTH)]
            for index, row in enumerate(rows):
                with self.report.at(f"tile {index} of level {level}"):
                    same = read(level, index, len(row)) in (b"".join(row), None)
                    _need(same, "tile.altered", "its hashes are not those of what lies below it")
            level, hashes = level + 1, [_subtree(row) for row in rows if len(row) == WIDTH]
        self.report.checked["entries"] = self.size


def list_files(target: Path, archive: zipfile.ZipFile | None, report: Report) -> dict[str, Opener]:
    """List the regular files of a directory or a zip; whatever else is there is a problem, never opened."""
    found: list[tuple[str, int, Opener]] = []
    for folder, folders, names in os.walk(target) if archive is None else ():
        for path in (f"{folder}/{name}" for name in folders + names):
            found.append((path[len(str(target)) + 1 :], os.lstat(path).st_mode, partial(open, path, "rb", 0)))
    for member in [] if archive is None else archive.infolist():
        mode = stat.S_IFMT(member.external_attr >> 16) or (stat.S_IFREG, stat.S_IFDIR)[member.filename.endswith("/")]
        odd = member.flag_bits & 1 or member.compress_type not in (0, 8) or member.orig_filename != member.filename
        found.append((member.filename.removesuffix("/"), 0 if odd else mode, partial(cast(Any, archive).open, member)))
    files: dict[str, Opener] = {}
    for path, mode, opener in found:
        if path.partition("/")[0] == STAGING and not any(other == "manifest.json" for other, _, _ in found):
            continue
        if not PATH.fullmatch(path) or path in files or not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            report.problem("pack.unsafe", path, "a link, a special file, an outward or repeated name is refused")
        elif stat.S_ISREG(mode):
            files[path] = opener
    return files


def _content(files: dict[str, Opener], path: str, limit: int) -> bytes:  # reads `limit` bytes and one at most
    _need(path in files, "pack.missing", f"{path} is not there")
    pieces, left = list[bytes](), limit
    try:
        with files[path]() as stream:
            while left >= 0 and (piece := stream.read(min(1 << 17, left + 1))):
                pieces.append(piece)
                left -= len(piece)
    except UNPACKING as error:
        raise CheckError("pack.unreadable", f"it cannot be unpacked: {error}") from None
    _need(left >= 0, "pack.altered", "it has more bytes than it may have")
    return b"".join(pieces)


def _hashes(joined: bytes) -> list[bytes]:
    _need(len(joined) % 32 == 0, "tile.form", "it does not hold whole hashes")
    return [joined[at : at + 32] for at in range(0, len(joined), 32)]


def split_bundle(data: bytes) -> list[bytes]:
    """Take a bundle apart: up to 256 entries, each behind its length, a big-endian uint16."""
    entries, end, size = list[bytes](), 0, len(data)
    while end + 2 <= size and len(entries) < WIDTH:
        start = end + 2
        end = start + data[end] * 256 + data[end + 1]
        entries.append(data[start:end])
    _need(end == size, "bundle.form", "it is no bundle of entries")
    return entries


def verify_tiles(files: dict[str, Opener], key: Key, since: Head | None, report: Report) -> None:
    """Check a published ledger: each entry, each file of each tile, the signed root, and what is published beside."""
    size, _ = report.head = open_checkpoint(_content(files, "checkpoint", NOTE_BYTES), key)
    places = defaultdict[tuple[str, int], dict[int, str]](dict)
    for path in (path for path in files if path.startswith("tile/")):
        if match := TILE.fullmatch(path):
            places[match[1], int(match[2].replace("x", "").replace("/", ""))][int(match[3] or WIDTH)] = path
        else:
            report.problem("tile.unknown", path, "this is not the name of a tile")

    def items(level: str, index: int, width: int) -> list[bytes]:  # as all files have it that hold the tile or less
        best = list[bytes]()
        for named, path in sorted(places.pop((level, index), {}).items(), reverse=True):
            with report.at(path):
                data = _content(files, path, WIDTH * (ENTRY_BYTES + 2))
                held = split_bundle(data) if level == "entries" else _hashes(data)
                _need(len(held) == named, "tile.form", f"it does not hold {named} items")
                best = best or held
                _need(held == best[:named], "tile.altered", "it is not the beginning of the same tile")
        _need(len(best) >= width, "tile.missing", f"there is no file of tile {index} of level {level} to read")
        return best[:width]

    beside = dict[Any, str]()
    for path in (path for path in files if path.startswith("attachment/")):
        with report.at(path):
            good = sha256(_content(files, path, FILE_BYTES)).hexdigest() == path[11:]
            _need(good, "attachment.altered", "its content is not the one it is named for")
            beside[path[11:].encode()] = path
    report.checked["attachments"] = len(beside)
    walk = Walk([report.head, since] if since else [report.head], size, beside, report)
    for index in range(-(-size // WIDTH)):
        width, entries, leaves = min(WIDTH, size - index * WIDTH), list[bytes](), list[bytes]()
        with report.at(f"entries {walk.size} to {walk.size + width - 1}"):
            entries = items("entries", index, width)
        with report.at(f"entries {walk.size} to {walk.size + width - 1}"):
            leaves = items("0", index, width)
        walk.take(entries, leaves or [_hash(b"\x00", data) for data in entries] or [b""] * width)
    walk.end(lambda level, index, width: b"".join(items(str(level), index, width)))
    report.checked["files not yet signed"] = sum(map(len, places.values()))


def check_manifest(files: dict[str, Opener], key: Key, report: Report) -> tuple[str, dict[str, str]]:
    """Compare each file with the manifest, both ways; return the subject's stream and the SHA-256 of good files."""
    manifest = canonical(_content(files, "manifest.json", JSON_BYTES))
    form = isinstance(manifest, dict) and sorted(manifest) == ["files", "format", "origin", "subject"]
    _need(form and isinstance(manifest["files"], dict), "manifest.form", "manifest.json does not have its four fields")
    same = (manifest["format"], manifest["origin"]) == ("sojourn-evidence-pack/1", key[0])
    _need(same, "manifest.origin", "manifest.json is of another format, or of another ledger")
    listed, good, left = manifest["files"], dict[str, str](), PACK_BYTES
    for path in sorted((listed.keys() | files.keys()) - {"manifest.json"}):
        with report.at(path):
            _need(path in listed, "pack.unlisted", "this file is not in the manifest")
            told: Any = listed[path].get("bytes") if isinstance(listed[path], dict) else None
            _need(type(told) is int and 0 <= told <= min(left, FILE_BYTES), "manifest.form", "its size is no size")
            left, content = left - told, _content(files, path, told)
            good[path] = sha256(content).hexdigest()
            same = listed[path] == {"bytes": len(content), "sha256": good[path]}
            _need(same, "pack.altered", "its content is not what the manifest says")
    report.checked["files"] = len(good)
    return str(manifest["subject"]), good


def verify_pack(files: dict[str, Opener], key: Key, since: Head | None, report: Report) -> None:
    """Check a pack: its files, then each entry to the signed root, its streams, opened values and attachments."""
    subject, good = check_manifest(files, key, report)
    note = _content(files, "checkpoint", NOTE_BYTES)
    report.head = open_checkpoint(note, key)
    streams, mentioned = defaultdict[str, list[int]](list), set[bytes]()
    paths = sorted(path for path in files if path.startswith("entries/"))
    proofs = {path for path in files if path.startswith("proofs/")}
    for done, path in enumerate(paths, 1):
        report.progress(done, len(paths))
        proof = path.replace("entries/", "proofs/", 1).removesuffix(".json") + ".tlog-proof"
        proofs.discard(proof)
        with report.at(path):
            data = _content(files, path, ENTRY_BYTES)
            entry, _ = read_entry(data)
            with report.at(_named(data, entry[0])):
                index, led_to, _ = check_proof(_content(files, proof, PROOF_BYTES), data, key)
                same = path == f"entries/{index:012}.json" and index == entry[0] and led_to == note
                _need(same, "entry.misplaced", "its number, its proof and the pack's checkpoint do not agree")
                streams[entry[1].decode()].append(entry[2])
                mentioned.update(HEX64.findall(data))
                report.checked["entries"] += 1
    for path in proofs:
        report.problem("proof.unused", path, "no entry comes with this proof")
    for stream, versions in streams.items():
        if versions != (sorted(set(versions)), [*range(1, len(versions) + 1)])[stream.startswith(OWN_STREAMS)]:
            report.problem("stream.gap", stream, f"its versions are not whole and in order: {versions[:20]}")
    if subject not in streams:
        report.problem("subject.missing", subject, "the pack holds no good entry of its subject")
    report.checked["streams"] = len(streams)
    if "disclosed.json" in files:
        with report.at("disclosed.json"):
            items = canonical(_content(files, "disclosed.json", JSON_BYTES))
            for item in items if isinstance(items, list) else [{}]:
                fields = isinstance(item, dict) and sorted(item) == ["commitment", "salt", "value"]
                told, salt, value = map(str, item.values()) if fields else ("", "", "")
                right = re.fullmatch("[0-9a-f]{64}", salt) and re.fullmatch(BASE64, value)
                _need(right, "disclosed.form", "it is not a list of commitments, each with its salt and value")
                _need(told.encode() in mentioned, "disclosed.unknown", f"no entry of the pack holds commitment {told}")
                found = _hash(b"sojourn/sealed/v1\x00", bytes.fromhex(salt), base64.b64decode(value)).hex()
                _need(found == told, "disclosed.altered", f"the value is not the one committed to by {told}")
                report.checked["disclosed values"] += 1
    for path in sorted(path for path in files if path.startswith("attachments/")):
        report.checked["attachments"] += 1
        if good.get(path) != path[12:] or path[12:].encode() not in mentioned:
            report.problem("attachment.altered", path, "its content is not the one an entry of the pack names")
    if since and since != report.head:
        why = "a pack cannot prove it: verify the ledger" if since[0] < report.head[0] else "history was rewritten"
        report.problem("since.unproven", "checkpoint", f"it does not extend the older checkpoint: {why}")


@contextmanager
def open_store(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a store without changing it or its folder. A write-ahead log beside it is part of it."""
    log, mode = path.with_name(path.name + "-wal"), "ro"
    with tempfile.TemporaryDirectory() as folder:
        if not log.exists() or not log.stat().st_size:
            mode = "ro&immutable=1"
        elif not path.with_name(path.name + "-shm").exists():  # SQLite would make one here, so a copy is read
            path = Path(shutil.copy(path, Path(folder, "ledger.db")))
            shutil.copy(log, Path(folder, "ledger.db-wal"))
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode={mode}", uri=True)) as connection:
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.text_factory = bytes
            yield connection


def verify_store(connection: sqlite3.Connection, key: Key, since: Head | None, report: Report) -> None:
    """Check a whole store: each entry, the order, every signed root, the tiles, and what lies beside the entries."""
    views = connection.execute("SELECT count(*) FROM sqlite_master WHERE type = 'view'").fetchone()
    _need(views == (0,), "input.store", "a ledger store has no views")
    with report.at("store"):
        sound = connection.execute("PRAGMA integrity_check(1)").fetchone()
        _need(sound == (b"ok",), "store.damaged", f"its pages or its index contradict each other: {sound!a}")
    heads: list[Head] = []
    for size, note in connection.execute("SELECT size, note FROM checkpoint ORDER BY size"):
        with report.at(f"checkpoint of size {size}"):
            head = open_checkpoint(note if isinstance(note, bytes) else b"", key)
            _need(head[0] == size, "checkpoint.misplaced", f"what was signed is of size {head[0]}")
            heads.append(head)
    _need(heads, "checkpoint.missing", "the store holds no checkpoint signed by the trusted key")
    report.checked["checkpoints"], report.head = len(heads), heads[-1]
    beside = {name: "sealed value" for (name,) in connection.execute("SELECT commitment FROM sealed NOT INDEXED")}
    for name, content in connection.execute("SELECT sha256, bytes FROM attachment"):
        beside[name] = "attachment"
        if type(content) is not bytes or sha256(content).hexdigest().encode() != name:
            report.problem("attachment.altered", f"attachment {name!a}", "its content is not the one named")
    (total,) = connection.execute("SELECT coalesce(sum(count), 0) FROM batch").fetchone()
    walk = Walk([*heads, since] if since else heads, total, beside, report)
    for first, entries, leaves in read_store(connection, report):
        if first != walk.size:
            report.problem("store.gap", f"entries {walk.size} to {first - 1}", "they are missing from the store")
            walk.size, walk.whole = first, False
        walk.take(entries, leaves)
    tiles = {(level, index): hashes for level, index, hashes in connection.execute("SELECT * FROM tile")}
    walk.end(lambda level, index, width: None if width < WIDTH else tiles.pop((level, index), b""))
    for place in tiles:
        report.problem("tile.unknown", f"tile {place}", "it is none of this ledger")
    report.checked["entries not yet signed"] = max(0, walk.size - heads[-1][0])


def read_store(connection: sqlite3.Connection, report: Report) -> Iterator[tuple[int, list[bytes], list[bytes]]]:
    """Give the rows of entries in order: the place of the first, the entries, and the leaves recorded for them."""
    for row in connection.execute("SELECT first, count, leaves, entries FROM batch ORDER BY first"):
        _need(list(map(type, row)) == [int, int, bytes, bytes], "input.store", "its rows are not those of a ledger")
        first, count, joined, bundle = row
        entries, leaves = list[bytes](), list[bytes]()
        with report.at(f"entries {first} to {first + count - 1}"):
            entries, leaves = split_bundle(bundle), _hashes(joined)
            _need(len(entries) == count == len(leaves), "row.damaged", "their row holds more or less than it says")
        yield first, entries[: len(leaves)], leaves


def _trusted(argument: str, target: Path) -> bytes:  # a key or checkpoint, never out of what is to be verified
    path, outer = Path(argument).resolve(), target.resolve()
    links = (one.samefile(path) for one in outer.rglob("*") if one.is_file()) if path.stat().st_nlink > 1 else ()
    inside = path == outer or outer in path.parents or path.samefile(outer) or any(links)
    _need(not inside, "input.trust", f"{argument} lies inside what is to be verified: get it from its owner instead")
    return path.read_bytes()


def run(options: argparse.Namespace, report: Report) -> None:
    """Find out what the target is, and verify it."""
    target, magic = Path(options.target), b""
    _need(options.key, "input.key", "--key is missing: ask the ledger's owner, not the pack, for its verifier key")
    inline = re.fullmatch(r"[^\s+]+\+[0-9a-f]{8}\+\S+", options.key)
    key = _parse_key(options.key if inline else _trusted(options.key, target).decode(errors="replace"))
    since = open_checkpoint(_trusted(options.since, target), key) if options.since else None
    report.origin = key[0]
    if not target.is_dir():
        with target.open("rb") as stream:
            magic = stream.read(22)
    if target.is_dir():
        files = list_files(target, None, report)
        verify = verify_pack if "manifest.json" in files else verify_tiles
        verify(files, key, since, report)
    elif magic.startswith(b"PK"):
        with zipfile.ZipFile(target) as archive:
            verify_pack(list_files(target, archive, report), key, since, report)
    elif magic.startswith(b"SQLite format 3"):
        with open_store(target) as connection:
            verify_store(connection, key, since, report)
    else:
        _need(magic == b"c2sp.org/tlog-proof@v1", "input.unknown", "this is no pack, no ledger and no proof")
        _need(options.entry and not since, "input.entry", "a proof needs --entry FILE, and takes no --since")
        files = dict[str, Opener](proof=partial(target.open, "rb"), entry=partial(Path(options.entry).open, "rb"))
        entry = _content(files, "entry", ENTRY_BYTES)
        index, _, report.head = check_proof(_content(files, "proof", PROOF_BYTES), entry, key)
        _need(read_entry(entry)[0][0] == index, "entry.misplaced", f"its own number is not {index}")
        report.checked["entries"] = 1


def _print(report: Report, as_json: bool) -> None:  # for machines or for people
    size, root = (None, None) if report.head is None else (report.head[0], base64.b64encode(report.head[1]).decode())
    told = {"ok": not report.found, "checked": report.checked, "problems": report.problems, "size": size, "root": root}
    lines = [f"ledger   {shown(report.origin)}", f"size     {size}", f"root     {root}"]
    lines += ["checked  " + ", ".join(f"{number:,} {name}" for name, number in report.checked.items())]
    lines += [f"  {one['code']}: {one['where']}: {one['text']}" for one in report.problems]
    lines += [f"FAILED with {report.found} problem(s)" if report.found else "OK: everything leads to the signed root"]
    print(json.dumps(told | {"origin": shown(report.origin)}) if as_json else "\n".join(lines))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="sojourn-verify", description="Check a Sojourn record offline.")
    parser.add_argument("target", metavar="PACK|LEDGER.DB|TILES|PROOF", help="what to verify")
    parser.add_argument("--key", help="the ledger's verifier key, or a file with it, from a source you trust")
    parser.add_argument("--since", metavar="CHECKPOINT", help="an older checkpoint that the ledger has to extend")
    parser.add_argument("--entry", metavar="FILE", help="the entry that a single proof is about")
    parser.add_argument("--json", action="store_true", help="write one JSON object")
    options, report = parser.parse_args(argv), Report()
    try:
        with report.at(options.target):
            run(options, report)
    except (OSError, sqlite3.Error, *UNPACKING) as error:
        report.problem("input.unreadable", options.target, f"it cannot be read: {error}")
    _print(report, options.json)
    return 2 if any(problem["code"].startswith("input.") for problem in report.problems) else min(report.found, 1)


if __name__ == "__main__":
    sys.exit(main())
