"""Check Sojourn's record offline, trusting nobody but the holders of keys that you got from somewhere else.

    sojourn-verify PACK --key KEY                 an evidence pack: a directory, or the same as .zip
    sojourn-verify PROOF --entry FILE --key KEY   one entry and its proof (C2SP tlog-proof)
    sojourn-verify LOG --key KEY --since OLD      a whole ledger, published as static files (C2SP tlog-tiles), and
                                                  that it extends an older checkpoint
One file, standard library only, and no code of what wrote the record. Exit: 0 verified, 1 failed, 2 unusable input.
"""

import argparse
import json
import os
import re
import stat
import struct
import sys
import zipfile
import zlib
from base64 import b64decode, b64encode
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import date
from functools import partial
from hashlib import sha256, sha512
from itertools import accumulate, islice
from pathlib import Path
from typing import Any, NamedTuple

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import ed25519 as fast
    from cryptography.hazmat.primitives.asymmetric import mldsa
except ImportError:  # then `ed25519` does it, and nothing checks ML-DSA-44
    fast = mldsa = None  # type: ignore[assignment]

ENTRY_BYTES, NOTE_BYTES, PROOF_BYTES, FILE_BYTES, PIECE, DEPTH = 65_535, 1_000_000, 1_100_000, 1 << 30, 1 << 17, 16
WIDTH, TILE_BYTES, BUNDLE_BYTES, SHAPES, SHAPE_BYTES = 256, 8192, 256 * 65_537, 64, 4096
LOG, COSIGNATURE, ML_DSA, BEGUN_ANEW = 1, 4, 6, b"ledger.begun_anew"  # kinds of keys (C2SP), and of an entry
PATH = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")
TILE = re.compile(r"tile/(entries|[0-7])/((?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")
HEX64, SNAKE, ANY = re.compile(rb'"([0-9a-f]{64})"'), re.compile(r"[a-z][a-z0-9_]*"), re.compile(r"(?s:.*)")
BASE64 = r"((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=|[A-Za-z0-9+/][AQgw]==)?)"  # one spelling only
HASH, NUMBER = r"[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=", r"(0|[1-9][0-9]{0,18})"
CHECKPOINT = rf"([^\n]+)\n{NUMBER}\n({HASH})\n"
ROTATION = rf"sojourn/key-rotation/v1\nfrom {NUMBER}\nold (\S+)\nnew (\S+)\n"
PROOF = rf"c2sp\.org/tlog-proof@v1\n(?:extra {BASE64}\n)?index {NUMBER}((?:\n{HASH}){{0,63}})\n\n((?s:.+))"
TIME = r"\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{6}Z"
STREAM = re.compile(rb"(?=.{1,256}\Z)[a-z][a-z0-9_]*+(?:/[A-Za-z0-9@._:+-]++)*")
KIND = r'(\{.*\}),"kind":"((?=[^"]{1,100}")[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*)'
FRAME = r'\{"at":"(%s)","body":%s","seq":(0|[1-9]\d{0,15}+),"stream":"([^"]++)","v":1,"version":([1-9]\d{0,15}+)\}'
ENTRY = re.compile((FRAME % (TIME, KIND)).encode())
PLAIN, NUMERIC = r'"[ !#-\[\]-~]*+"', r"(?:[1-9]\d{0,14}+|0)"  # whatever is such a text or number is canonical
SCALARS = {'"': PLAIN, **dict.fromkeys("tfn", f"(?:null|true|false|{PLAIN}|{NUMERIC})")}  # by their first byte
KEY_OR_SCALAR = re.compile(r'("[^"]*":)|"[^"]*"|(?:\\-)?\d+|true|false|null')
BAD = (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError, ValueError, OverflowError)
Signed = tuple[str, "Note"]  # where it was found, and a checkpoint


class CheckError(Exception):
    """A check failed: a code for machines and a sentence for people. The codes `input.…` end with exit status 2."""


def need(holds: object, code: str, text: str) -> None:
    """Every check passes through here, or raises by itself."""
    if not holds:
        raise CheckError(code, text)


P, ORDER = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493  # Ed25519: RFC 8032 section 5.1
D, BASE = -121665 * pow(121666, -1, P) % P, b"\x58" + b"\x66" * 31


def _add(a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:  # by the law of the curve, which doubles as well
    t = D * a[0] * b[0] * a[1] * b[1] % P
    both = pow(1 - t * t, -1, P)
    return (a[0] * b[1] + a[1] * b[0]) * (1 - t) * both % P, (a[1] * b[1] + a[0] * b[0]) * (1 + t) * both % P


def _times(scalar: int, point: tuple[int, int]) -> tuple[int, int]:
    rest = _times(scalar >> 1, _add(point, point)) if scalar > 1 else (0, 1)
    return _add(rest, point) if scalar & 1 else rest


def public_point(data: bytes) -> tuple[int, int] | None:
    """Read a public key; None for another encoding than the canonical one and for the points of small order."""
    y = int.from_bytes(data, "little") & (2**255 - 1)
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    root = pow(square, (P + 3) // 8, P)
    x = root if root * root % P == square else root * pow(2, (P - 1) // 4, P) % P
    if len(data) != 32 or y >= P or x * x % P != square:
        return None
    x = P - x if x & 1 != data[31] >> 7 else x
    return (x, y) if _times(8, (x, y))[0] else None


def ed25519(public: bytes, signature: bytes, message: bytes) -> bool:
    """Verify: the encoding of [S]B - [k]A has to be R byte for byte, with S below the order of the group."""
    point, base, scalar = public_point(public), public_point(BASE), int.from_bytes(signature[32:], "little")
    if point is None or base is None or len(signature) != 64 or scalar >= ORDER:
        return False
    k = int.from_bytes(sha512(signature[:32] + public + message).digest(), "little") % ORDER
    x, y = _add(_times(scalar, base), _times(k, (P - point[0], point[1])))
    return (y | (x & 1) << 255).to_bytes(32, "little") == signature[:32]


def root_of(hashes: bytes | bytearray) -> bytes:
    """The root over hashes (RFC 6962 section 2.1): pair by pair, and what is left over is taken up as it is."""
    while len(hashes) > 32:
        *pairs, left = struct.unpack("64s" * (len(hashes) // 64) + f"{len(hashes) % 64}s", hashes)
        hashes = b"".join([sha256(b"\x01" + pair).digest() for pair in pairs]) + left
    return bytes(hashes) or sha256().digest()


def root_from(leaf: bytes, index: int, size: int, proof: list[bytes]) -> bytes:
    """The root that an inclusion proof leads to, straight from RFC 6962 section 2.1.1; empty if it cannot be one."""
    if size <= 1 or not proof:
        return leaf if (index, size, proof) == (0, 1, []) else b""
    middle = 1 << (size - 1).bit_length() - 1
    left = root_from(leaf, index, middle, proof[:-1]) if index < middle else proof[-1]
    right = proof[-1] if index < middle else root_from(leaf, index - middle, size - middle, proof[:-1])
    return sha256(b"\x01" + left + right).digest()


class Key(NamedTuple):
    """A public key: its holder (of a log's, the origin), its four-byte id, its kind, and its bytes."""

    name: str
    id: bytes
    kind: int
    public: bytes

    @classmethod
    def parse(cls, text: str, *kinds: int) -> "Key":  # name+id+base64(kind || public key)
        match = re.fullmatch(rf"([^\s+]+)\+([0-9a-f]{{8}})\+{BASE64}", text.strip())
        name, told, data = (match[1], match[2], b64decode(match[3])) if match else ("", "", b"\x00")
        good = data[0] in kinds and told == sha256(f"{name}\n".encode() + data).hexdigest()[:8]
        good = good and (len(data) == 1313 if data[0] == ML_DSA else public_point(data[1:]) is not None)
        need(good, "input.key", f"{text[:80]} is no verifier key (name+id+base64) that fits here")
        return cls(name, bytes.fromhex(told), data[0], data[1:])

    def signed(self, blob: bytes, text: str) -> bool:  # all but a log's first key sign a time, of 8 bytes, as well
        time, signature, message = blob[:8], blob[8:] if self.kind != LOG else blob, text.encode()
        if self.kind == COSIGNATURE:
            message = b"cosignature/v1\ntime %d\n%b" % (int.from_bytes(time), message)
        elif self.kind == ML_DSA:
            need(mldsa, "input.library", "not checked: ML-DSA-44 takes the package `cryptography`, 49 or newer")
            name, (origin, size, root) = self.name.encode(), message.split(b"\n")[:3]
            message = b"subtree/v1\n\x00%c%b%b%c%b" % (len(name), name, time, len(origin), origin)
            message += int(size).to_bytes(16) + b64decode(root)
        if not fast:
            return ed25519(self.public, signature, message)
        kind: Any = mldsa.MLDSA44PublicKey if self.kind == ML_DSA else fast.Ed25519PublicKey
        with suppress(InvalidSignature, ValueError):
            return kind.from_public_bytes(self.public).verify(signature, message) is None
        return False


class Note:
    """A signed note, read but not believed yet: by default a checkpoint, which says an origin, a size and a root."""

    def __init__(self, data: bytes, form: str = CHECKPOINT, code: str = "checkpoint.form") -> None:
        note = data.decode(errors="replace")
        text, gap, tail = note.rpartition("\n\n")
        self.data, self.text, lines = data, text + "\n", tail.split("\n")
        found = [re.fullmatch(rf"— ([^\s+]+) (?=.{{8}}){BASE64}", line) for line in lines[:-1]]
        body = re.fullmatch(form, self.text)
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
        # The ledger's keys follow one another in `chain`, each but the first from a size of `turns` on.
        self.keys, self.witnesses, self.witnessed, self.turns = keys, dict[Key, str](), -1, list[int]()
        self.groups, self.quorum, self.chain = list[tuple[str, int, set[str]]](), "", list[Key]()
        names, free = {"none"}, set[str]()  # a witness or a group is a member once at most
        for words in filter(None, map(str.split, policy.split("\n"))):
            match words:
                case ["log", key] | ["log", key, _]:
                    self.keys = [*self.keys, Key.parse(key, LOG, ML_DSA)]
                case ["witness", name, key] | ["witness", name, key, _] if not {name, key} & names:
                    self.witnesses[Key.parse(key, COSIGNATURE, ML_DSA)] = name
                    names, free = names | {name, key}, free | {name}
                case ["group", name, some, *members] if name not in names and free.issuperset(members):
                    number = int(some) if re.fullmatch("[1-9][0-9]?", some) else 0
                    needed = {"any": 1, "all": len(members)}.get(some, number)
                    good = 0 < needed <= len(members) == len(set(members))
                    need(good, "input.policy", f"group {name} cannot be {some} of {' '.join(members)}")
                    self.groups.append((name, needed, set(members)))
                    names, free = names | {name}, free - set(members) | {name}
                case ["quorum", name] if name in names and not self.quorum:
                    self.quorum = name
                case _:
                    need(words[0][0] == "#", "input.policy", f"this line of the policy is none: {' '.join(words)}")
        need(self.quorum and self.keys, "input.policy", "the policy names no quorum, or neither it nor --key a log")

    def turn(self, statements: bytes) -> None:
        """Take up changes of the ledger's key, each signed by both: from some size on, it is the new one's turn."""
        texts = re.findall(rb"sojourn/key-rotation/v1\n(?:[^\n]+\n)*\n(?:\xe2[^\n]+\n)+", statements)
        need(b"".join(texts) == statements, "rotation.form", "there is more than changes of keys")
        for note in (Note(text, ROTATION, "rotation.form") for text in texts):
            size, (old, new) = int(note.says[0]), (Key.parse(text, LOG) for text in note.says[1:])
            chain, good = self.chain or [old], note.signers([old, new]) == {old, new} and old.name == new.name
            good = good and self.turns[-1:] < [size] and chain[-1] == old and new not in chain
            need(good, "rotation.unsigned", "a change of keys is not signed by the key then in use and by a new one")
            self.chain, self.turns = [*chain, new], [*self.turns, size]

    def check(self, note: Note) -> None:
        """Check that the key signed whose turn it is at that size; and see whether enough witnesses did."""
        own = {key for key in self.keys if key.name == note.origin}
        also = {key for key in own if key.kind == ML_DSA}
        one = {self.chain[sum(note.size > size for size in self.turns)]} if own & {*self.chain} else own - also
        found = note.signers(one | also | self.witnesses.keys())
        need(one & found and also <= found, "checkpoint.unsigned", f"the trusted key of {note.origin} did not sign it")
        agreed = {name for key, name in self.witnesses.items() if key in found} | {"none"}
        for name, needed, members in self.groups:
            agreed |= {name} if len(agreed & members) >= needed else set()
        self.witnessed = max(self.witnessed, note.size if self.quorum in agreed else -1)


def check_proof(proof: bytes, entry: bytes) -> tuple[int, Note]:
    """Follow a tlog-proof from an entry's bytes to a root; return the entry's place, and the checkpoint of the root."""
    match = re.fullmatch(PROOF, proof.decode(errors="replace"))
    if match is None:
        raise CheckError("proof.form", "its proof is not a tlog-proof")
    index, note, hashes = int(match[2]), Note(match[4].encode()), list(map(b64decode, match[3].split("\n")[1:]))
    same = index < note.size and root_from(sha256(b"\x00" + entry).digest(), index, note.size, hashes) == note.root
    need(same, "entry.altered", "the signed root does not hold this entry as it is here, at this place")
    return index, note


def canonical(data: bytes, depth: int = DEPTH, keys: re.Pattern[str] = ANY) -> Any:
    """Read canonical JSON (a subset of RFC 8785): the value written again has to give the same bytes."""
    small: Any = lambda text: int(text) if len(text) < 18 and abs(int(text)) < 2**53 else None  # noqa: E731
    plain: Any = lambda value: value if all(map(keys.fullmatch, value)) else None  # noqa: E731
    with suppress(ValueError, RecursionError):  # what is out of bounds is read as null, and so written otherwise
        value = json.loads(data.decode(), parse_float=int, parse_constant=int, parse_int=small, object_hook=plain)
        again = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        nesting = accumulate((one in "[{") - (one in "]}") for one in re.sub(r'"(?:[^"\\]|\\.)*"', "", again))
        if again.encode() == data and max(nesting, default=0) <= depth:
            return value
    raise CheckError("form.json", "it is not canonical JSON")


def is_day(text: bytes) -> bool:
    """Whether there is this day."""
    with suppress(ValueError):
        return bool(date.fromisoformat(text.decode()))
    return False


def read_entry(data: bytes) -> tuple[Any, ...]:
    """Read an entry, a fixed frame with a canonical body in it: its time, seq, stream, version, kind, body twice."""
    match = ENTRY.fullmatch(data) if len(data) <= ENTRY_BYTES else None
    if match is None or not STREAM.fullmatch(match[5]) or not is_day(match[1][:10]):
        raise CheckError("entry.form", "it does not have the form of an entry")
    time, body, kind, seq, stream, version = match.groups()
    return time, int(seq), stream, int(version), kind, body, canonical(body, DEPTH - 1, SNAKE)


def named(data: bytes, place: int) -> str:
    """Say which entry this is, as far as it can be read."""
    match = ENTRY.fullmatch(data)
    told = match and f" ({match[3].decode()}, {match[5].decode(errors='replace')} version {int(match[6])})"
    return f"entry {place}{told or ''}"


def split_bundle(data: bytes) -> list[bytes]:
    """Take a bundle apart: entries, each behind its length, a big-endian uint16."""
    entries, end = list[bytes](), 0
    while end + 2 <= len(data):
        start, end = end + 2, end + 2 + data[end] * 256 + data[end + 1]
        entries.append(data[start:end])
    need(end == len(data), "bundle.form", "it is no bundle of entries")
    return entries


def cut(level: str, data: bytes, width: int) -> bytes:
    """Take the first items of a tile."""
    items = split_bundle(data)[:width] if level == "entries" else ()
    return b"".join(len(one).to_bytes(2) + one for one in items) or data[: 32 * width]


class Verification:
    """One run: whom it believes, what it looks at, what it has checked and what it found."""

    def __init__(self, trust: Any = None, since: Sequence[Signed] = (), files: dict[str, Any] | None = None) -> None:
        self.trust, self.since, self.files, self.follows = trust, since, files or {}, ""  # what opens each file
        self.checked, self.found, self.drawn, self.problems = Counter[str](), 0, -1, list[dict[str, str]]()
        self.tiles, self.beside = defaultdict[tuple[str, int], dict[int, str]](dict), dict[bytes, str]()
        self.shapes, self.known, self.versions = dict[str, None](), re.compile(b"(?!)"), dict[bytes, int]()
        self.time, self.first = b"", b""  # of the last entry, and entry 0
        self.head: Any = None  # the newest checkpoint

    @contextmanager
    def at(self, where: str) -> Iterator[None]:
        """Make a check that fails inside a problem at this place, safe to be printed; the first thousand are kept."""
        try:
            yield
        except (CheckError, TypeError, LookupError, *BAD) as error:
            code, text = error.args if isinstance(error, CheckError) else ("input.unreadable", f"unreadable: {error}")
            where, text = (one[:500].encode("unicode_escape").decode() for one in (where, text))
            self.problems += [{"code": code, "where": where, "text": text}] if self.found < 1000 else []
            self.found += 1

    def need(self, holds: object, code: str, where: str, text: str) -> None:
        """Make it a problem at this place if it does not hold."""
        with self.at(where):
            need(holds, code, text)

    def progress(self, done: int, total: int) -> None:
        """Draw a bar for who waits at a terminal."""
        step = 1000 * done // max(1, total)
        if step != self.drawn and sys.stderr.isatty():
            self.drawn, end = step, "\n" if done == total else ""
            print(f"\r[{'#' * (step // 25):40}] {done:,} of {total:,} entries", end=end, file=sys.stderr, flush=True)

    def list_files(self, target: Path, archive: zipfile.ZipFile | None) -> None:
        """List the regular files of a directory or a zip; whatever else is there is a problem, and never opened."""
        self.files, found, pack = {}, list[tuple[str, int, Any]](), archive or (target / "manifest.json").exists()
        for member in archive.infolist() if archive else ():
            mode = stat.S_IFMT(member.external_attr >> 16) or (stat.S_IFREG, stat.S_IFDIR)[member.is_dir()]
            found.append((member.orig_filename.removesuffix("/"), mode, partial(archive.open, member)))  # type: ignore[union-attr]
        for folder, folders, names in () if archive else os.walk(target):
            for path in [f"{folder}/{name}" for name in folders + names]:
                found.append((path[len(str(target)) + 1 :], os.lstat(path).st_mode, partial(open, path, "rb", 0)))
        # What a publisher makes before it moves it to its place is passed over.
        for name, mode, opener in (one for one in found if pack or one[0].split("/")[0] != ".staging"):
            regular, good = stat.S_ISREG(mode), PATH.fullmatch(name) and name not in self.files
            self.need(good and (regular or stat.S_ISDIR(mode)), "pack.unsafe", name, "no plain file with a plain name")
            self.files |= {name: opener} if good and regular else {}

    def content(self, path: str, limit: int = FILE_BYTES) -> bytes:
        """Read a file that has so many bytes at most."""
        need(path in self.files, "pack.missing", f"{path} is not there")
        with self.files[path]() as stream:
            data = b"".join(islice(iter(partial(stream.read, PIECE), b""), limit // PIECE + 2))
        need(len(data) <= limit, "pack.altered", "it has more bytes than it may have")
        return data

    def checkpoints(self, *names: str) -> list[Signed]:
        """Read checkpoints, and check who signed them and those that have to be extended."""
        notes = [(name, Note(self.content(name, NOTE_BYTES))) for name in names]
        self.head = max((note for _, note in notes), key=lambda note: note.size)
        self.trust.turn(self.content("rotations") if "rotations" in self.files else b"")
        for where, note in [*notes, *self.since]:
            with self.at(where):
                self.trust.check(note)
        return [*notes, *self.since]

    def log(self, target: Path | None = None) -> None:
        """Check a whole ledger: each entry, each file of each tile, each signed root, and what is published beside."""
        witnessed = ["cosigned"] if self.trust.witnesses and "cosigned" in self.files else []
        notes, roots, ends = self.checkpoints("checkpoint", *witnessed), bytearray(), dict[int, bytes]()
        if target and not self.found:  # once more: what a publisher had ready for this checkpoint is there now
            self.list_files(target, None)
        for path in self.files:
            if match := TILE.fullmatch(path):
                self.tiles[match[1], int(re.sub("[x/]", "", match[2]))][int(match[3] or WIDTH)] = path
            self.need(match or path[:5] != "tile/", "tile.unknown", path, "this is not the name of a tile")
            if path.startswith("attachment/"):
                self.beside[path[11:].encode()] = path
                with self.at(path):
                    need(sha256(self.content(path)).hexdigest() == path[11:], "attachment.altered", "it is another")
        self.checked["attachments"], self.checked["entries"] = len(self.beside), (size := self.head.size)
        for first in range(0, size, WIDTH):
            index, width = first // WIDTH, min(WIDTH, size - first)
            with self.at(f"entries {first} to {first + width - 1}"):
                bundle, leaves = self.tile("entries", index, width), self.tile("0", index, width)
                self.take(bundle, leaves, first)
                roots += root_of(leaves) if width == WIDTH else b""
                for note in (note for _, note in notes if note.size // WIDTH == index):
                    ends[note.size] = root_of(leaves[: note.size % WIDTH * 32]) if note.size % WIDTH else b""
            self.progress(first + width, size)
        for where, note in notes:  # its root is that over the roots of the full tiles and of what is left
            root = root_of(roots[: note.size // WIDTH * 32] + ends.get(note.size, b""))
            with self.at(where):
                need(note.size <= size, "log.truncated", f"of its {note.size} entries there are {size}")
                need(root == note.root, "root.altered", f"the root signed for {note.size} entries is not theirs")
        for level in "1234567":
            below, roots = roots, bytearray()
            for at in range(0, len(below), TILE_BYTES):
                index, row = at // TILE_BYTES, below[at : at + TILE_BYTES]
                with self.at(f"tile {index} of level {level}"):
                    need(self.tile(level, index, len(row) // 32) == row, "tile.altered", "it is not what lies below it")
                roots += root_of(row) if len(row) == TILE_BYTES else b""
        for path in self.beside.values():
            self.need(False, "attachment.unbound", path, "no entry of the ledger names it")
        self.checked["files not yet signed"] = sum(map(len, self.tiles.values()))

    def tile(self, level: str, index: int, width: int) -> bytes:
        """Read the first items of a tile, of which all files have to begin alike."""
        best = b""
        for told, path in sorted(self.tiles.pop((level, index), {}).items(), reverse=True):
            with self.at(path):
                try:
                    data = self.content(path, BUNDLE_BYTES)
                except FileNotFoundError:  # a part may go once the full tile is there
                    data = cut(level, Path(self.files[path].args[0].rpartition(".p/")[0]).read_bytes(), told)
                items = len(split_bundle(data)) if level == "entries" and told < WIDTH else len(data) / 32
                need(items == told or (level, told) == ("entries", WIDTH), "tile.form", f"it has not {told} items")
                need((best := best or data).startswith(data), "tile.altered", "it is not the beginning of that tile")
        need(best, "tile.missing", "it is not there, or not sound")
        return best if width == WIDTH else cut(level, best, width)

    def read(self, data: bytes) -> list[bytes]:
        """Read an entry, and remember its shape; gives itself, its time, seq, stream and version."""
        if known := self.known.fullmatch(data):
            return [*known.groups()]
        try:
            time, seq, stream, version, kind, body, _ = read_entry(data)
        except CheckError:
            return [data, b"", b"-1", b"", b"0"]  # which is no place and no version
        if data.isascii() and b"\\" not in data and len(self.shapes) < SHAPES and len(data) < SHAPE_BYTES:
            shape = KEY_OR_SCALAR.sub(lambda one: one[1] or SCALARS.get(one[0][0], NUMERIC), re.escape(body.decode()))
            self.shapes[f'{shape},"kind":"{re.escape(kind.decode())}'] = None
            self.known = re.compile(f"({FRAME % (TIME, '(?:' + '|'.join(self.shapes) + ')')})".encode())
        return [data, time, b"%d" % seq, stream, b"%d" % version]

    def take(self, bundle: bytes, leaves: bytes, first: int) -> None:
        """Check the next entries: their form, places, versions and times, and that these leaves were recorded of them.

        Most are like earlier ones. The first of each shape is parsed and written again; what fits the pattern made of
        it has the same keys in the same places and canonical scalars, so it is canonical too, and is not parsed.
        """
        parts = self.known.split(bundle)  # between those that are known stand their lengths, if there is nothing else
        lengths, entries = parts[:-1:6], parts[1::6]
        told = struct.unpack(f">{len(lengths)}H", b"".join(lengths)) if {*map(len, lengths)} == {2} else ()
        if parts[-1] or told != (*map(len, entries),):
            parts = [b"", *(one for data in split_bundle(bundle) for one in (*self.read(data), b""))]
        entries, times, streams, numbers = parts[1::6], [self.time, *parts[2::6]], parts[4::6], [*map(int, parts[5::6])]
        need(len(entries) == len(leaves) / 32 > 0, "tile.form", "there are more or fewer hashes than entries")
        found, dues = [sha256(b"\x00" + data).digest() for data in entries], list[int]()
        for stream, number in zip(streams, numbers, strict=True):
            dues.append(self.versions.get(stream, 0) + 1)
            self.versions[stream] = number
        fine = b"".join(found) == leaves and [*map(int, parts[3::6])] == [*range(first, first + len(entries))]
        fine = fine and numbers == dues and times == sorted(times) and all(map(is_day, {at[:10] for at in times[1:]}))
        fine = fine and all(STREAM.fullmatch(stream) for stream, due in zip(streams, dues, strict=True) if due == 1)
        for at, data in enumerate(() if fine else entries):
            with self.at(named(data, first + at)):
                need(found[at] == leaves[32 * at : 32 * at + 32], "entry.altered", "its bytes do not hash to its leaf")
                time, seq, _, version, *_ = read_entry(data)
                need(seq == first + at, "entry.misplaced", f"it says that it is entry {seq}")
                need(version == dues[at], "stream.gap", f"its place is version {dues[at]}")
                need(time >= times[at], "entry.backdated", f"the entry before it is of {times[at].decode()}")
        self.first, self.time = self.first or entries[0], times[-1]
        for name in HEX64.findall(bundle) if self.beside else ():
            self.beside.pop(name, None)

    def manifest(self) -> str:
        """Check that a pack holds the files that its manifest lists, and no others; gives the pack's subject."""
        told = canonical(self.content("manifest.json"))
        form = isinstance(told, dict) and sorted(told) == ["files", "format", "origin", "subject"]
        need(form and isinstance(told["files"], dict), "manifest.form", "manifest.json does not have its four fields")
        listed, form, origin, subject = told.values()
        same = form == "sojourn-evidence-pack/1" and origin in {key.name for key in self.trust.keys}
        need(same, "manifest.origin", "manifest.json is of another format, or of another ledger")
        for path in sorted((listed.keys() | self.files.keys()) - {"manifest.json"}):
            with self.at(path):
                need(path in listed, "pack.unlisted", "this file is not in the manifest")
                size = listed[path].get("bytes") if isinstance(listed[path], dict) else None
                data = self.content(path, min(size, FILE_BYTES) if type(size) is int else 0)
                same = listed[path] == {"bytes": len(data), "sha256": sha256(data).hexdigest()}
                need(same, "pack.altered", "its content is not what the manifest says")
                self.checked["files"] += 1
        return str(subject)

    def pack(self) -> None:
        """Check a pack: its files, then each entry to the signed root, its streams, opened values and attachments."""
        subject, mentioned, streams = self.manifest(), set[bytes](), defaultdict[str, list[int]](list)
        self.checkpoints("checkpoint")
        entries = sorted(path for path in self.files if path.startswith("entries/"))
        proofs = {path for path in self.files if path.startswith("proofs/")}
        for done, path in enumerate(entries, 1):
            self.progress(done, len(entries))
            proofs.discard(proof := f"proofs/{path[8:-5]}.tlog-proof")
            with self.at(path):
                data = self.content(path, ENTRY_BYTES)
                _, seq, stream, version, *_ = read_entry(data)
                with self.at(named(data, seq)):
                    index, note = check_proof(self.content(proof, PROOF_BYTES), data)
                    same = path == f"entries/{index:012}.json" and index == seq and note.data == self.head.data
                    need(same, "entry.misplaced", "its number, its proof and the pack's checkpoint do not agree")
                    streams[stream.decode()].append(version)
                    mentioned.update(HEX64.findall(data))
                    self.checked["entries"] += 1
        for path in proofs:
            self.need(False, "proof.unused", path, "no entry comes with this proof")
        for name, versions in streams.items():  # of others than the subject's kinds, a pack may hold single entries
            whole = name.startswith(("request/", "grant/", "session/"))
            good = versions == ([*range(1, len(versions) + 1)] if whole else sorted(set(versions)))
            self.need(good, "stream.gap", name, f"its versions are not whole and in order: {versions[:20]}")
        self.need(subject in streams, "subject.missing", subject, "the pack holds no good entry of its subject")
        self.checked["streams"] = len(streams)
        with self.at("disclosed.json"):
            self.disclosed(mentioned)
        for path in sorted(path for path in self.files if path.startswith("attachments/")):
            with self.at(path):
                good = path[12:].encode() in mentioned and sha256(self.content(path)).hexdigest() == path[12:]
                need(good, "attachment.altered", "its content is not the one an entry of the pack names")
                self.checked["attachments"] += 1
        for where, older in self.since:
            same, why = (older.size, older.root) == (self.head.size, self.head.root), "history was rewritten"
            why = why if older.size >= self.head.size else "a pack cannot prove it: verify the ledger"
            self.need(same, "since.unproven", where, f"the pack does not extend it: {why}")

    def disclosed(self, mentioned: set[bytes]) -> None:
        """Check that each opened value is the one that an entry of the pack has committed to."""
        items = canonical(self.content("disclosed.json")) if "disclosed.json" in self.files else []
        for item in items if isinstance(items, list) else [{}]:
            fields = isinstance(item, dict) and sorted(item) == ["commitment", "salt", "value"]
            told, salt, value = map(str, item.values()) if fields else ("", "", "")
            right = re.fullmatch("[0-9a-f]{64}", salt) and re.fullmatch(BASE64, value)
            need(right, "disclosed.form", "it is not a list of commitments, each with its salt and value")
            need(told.encode() in mentioned, "disclosed.unknown", f"no entry of the pack holds commitment {told}")
            same = sha256(b"sojourn/sealed/v1\x00" + bytes.fromhex(salt) + b64decode(value)).hexdigest() == told
            need(same, "disclosed.altered", f"the value is not the one committed to by {told}")
            self.checked["disclosed values"] += 1

    def look(self, target: Path, entry: str | None = None) -> None:
        """Find out what it is, and verify it."""
        with self.at(str(target)):
            if target.is_dir():
                self.list_files(target, None)
                self.pack() if "manifest.json" in self.files else self.log(target)
            elif zipfile.is_zipfile(target):
                with zipfile.ZipFile(target) as archive:
                    self.list_files(target, archive)
                    self.pack()
            else:
                self.files = {"proof": partial(target.open, "rb"), "entry": partial(Path(str(entry)).open, "rb")}
                known = self.content("proof").startswith(b"c2sp.org/tlog-proof@v1\n")
                need(known, "input.unknown", "this is no pack, no published ledger and no proof")
                need(entry and not self.since, "input.entry", "a proof needs --entry FILE, and takes no --since")
                data = self.content("entry", ENTRY_BYTES)
                index, self.head = check_proof(self.content("proof", PROOF_BYTES), data)
                self.trust.check(self.head)
                need(read_entry(data)[1] == index, "entry.misplaced", f"its own number is not {index}")
                self.checked["entries"] = 1
            if self.trust.witnesses:
                self.checked["witnessed entries"] = max(0, self.trust.witnessed)
                need(self.trust.witnessed >= 0, "checkpoint.unwitnessed", "no quorum has cosigned a checkpoint here")

    def before(self, follows: str | None, trust: Trust) -> None:
        """Check what entry 0 of a ledger that was begun anew says of the one before it, and that one if it is given."""
        *_, kind, _, body = read_entry(self.first) if self.first else (b"", b"", {})
        need(kind == BEGUN_ANEW or not follows, "input.follows", "no first entry here names another ledger")
        if kind == BEGUN_ANEW:
            note, state = Note(str(body.get("checkpoint")).encode()), "not checked, for no key of it was given"
            if follows:
                old, state = Verification(trust, [("the checkpoint in entry 0", note)]), "verified up to there"
                old.look(Path(follows))
                self.found, self.problems = self.found + old.found, self.problems + old.problems
            elif note.origin in {key.name for key in trust.keys}:
                state = "signed by its key"
                trust.check(note)
                need(trust.witnessed >= 0 or not trust.witnesses, "checkpoint.unwitnessed", "no quorum has cosigned it")
            self.follows = f"{ascii(note.origin)[1:-1]} at {note.size:,} entries: {state}"


def verify(options: Any) -> Verification:
    """Find out whom to believe, and verify; whatever cannot be read becomes a problem."""
    run = Verification()

    def outside(argument: str) -> str:  # what is believed never comes out of what is to be verified
        path = Path(argument).resolve()
        for outer in {Path(one).resolve() for one in (options.target, options.follows) if one}:
            linked = filter(Path.is_file, outer.rglob("*")) if path.stat().st_nlink > 1 else ()
            inside = outer in path.parents or any(map(path.samefile, (outer, *linked)))
            need(not inside, "input.trust", f"{argument} lies inside what is to be verified: ask its owner for it")
        return path.read_bytes().decode(errors="replace")

    with run.at(options.target):
        need(options.key or options.policy, "input.key", "--key is missing: ask the ledger's owner, not the pack")
        inline = re.compile(r"[^\s+]+\+[0-9a-f]{8}\+\S+")
        keys = [Key.parse(one if inline.fullmatch(one) else outside(one), LOG, ML_DSA) for one in options.key]
        policy = outside(options.policy) if options.policy else "quorum none"
        run.since = [(options.since, Note(outside(options.since).encode()))] if options.since else []
        run.trust = Trust(keys, policy)
        run.look(Path(options.target), options.entry)
        run.before(options.follows, Trust(keys, policy))
    return run


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="sojourn-verify", description="Check a record of Sojourn's offline.")
    parser.add_argument("target", metavar="PACK|LOG|PROOF", help="what to verify")
    parser.add_argument("--key", action="append", default=[], help="a verifier key of the ledger, or a file with it")
    parser.add_argument("--policy", metavar="FILE", help="logs, and witnesses that have to agree (C2SP tlog-policy)")
    parser.add_argument("--since", metavar="CHECKPOINT", help="an older checkpoint that the ledger has to extend")
    parser.add_argument("--follows", metavar="OLD", help="the ledger before one that was begun anew: verify it too")
    parser.add_argument("--entry", metavar="FILE", help="the entry that a single proof is about")
    parser.add_argument("--json", action="store_true", help="write one JSON object")
    run = verify(options := parser.parse_args(argv))
    head = run.head and (ascii(run.head.origin)[1:-1], run.head.size, b64encode(run.head.root).decode())
    told: dict[str, Any] = dict(zip(("origin", "size", "root"), head or (None, None, None), strict=True))
    lines = [f"{name:8} {value}" for name, value in told.items()]
    told |= {"ok": not run.found, "checked": run.checked, "problems": run.problems, "follows": run.follows}
    lines += ["checked  " + ", ".join(f"{number:,} {name}" for name, number in run.checked.items())]
    lines += [f"follows  {run.follows}"] if run.follows else []
    lines += [f"  {one['code']}: {one['where']}: {one['text']}" for one in run.problems]
    lines += [f"FAILED with {run.found} problem(s)" if run.found else "OK: everything leads to the signed root"]
    print(json.dumps(told) if options.json else "\n".join(lines))
    return 2 if any(problem["code"].startswith("input.") for problem in run.problems) else min(run.found, 1)


if __name__ == "__main__":
    sys.exit(main())
