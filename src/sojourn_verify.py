"""Check Sojourn's record offline, trusting nobody but the holder of one public key.

    sojourn-verify PACK --key KEY                an evidence pack: a directory, or the same as .zip
    sojourn-verify ledger.db --key KEY           a whole ledger store, which is only read
    sojourn-verify PROOF --entry FILE --key KEY  one entry and its proof

Standard library only; no code is shared with what wrote the record. Exit: 0 verified, 1 failed, 2 unusable input.
"""

import argparse
import base64
import hashlib
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
from contextlib import closing, contextmanager
from functools import lru_cache, partial, reduce
from itertools import chain
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

ENTRY_BYTES, NOTE_BYTES, PROOF_BYTES, JSON_BYTES = 65_535, 1_000_000, 1_100_000, 256 << 20
PACK_BYTES, PROBLEMS_KEPT, DEPTH = 8 << 30, 1000, 16
OWN_STREAMS = ("request/", "grant/", "session/")  # a pack holds these from version 1 on; of others, single entries
PATH = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")
HEX64, SNAKE = re.compile(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])"), re.compile(r"[a-z][a-z0-9_]*")
ENTRY = re.compile(
    rb'\{"at":"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{6}Z",'
    rb'"body":(?P<body>\{.*\}),"kind":"(?P<kind>(?=[^"]{1,100}")[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*)",'
    rb'"seq":(?P<seq>0|[1-9]\d{0,15}),"stream":"(?P<stream>(?=[^"]{1,256}")[a-z][a-z0-9_]*(?:/[A-Za-z0-9@._:+-]+)*)",'
    rb'"v":1,"version":(?P<version>[1-9]\d{0,15})\}'
)
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


class CheckError(Exception):
    """A check failed: a code for machines and a sentence for people. The codes `input.…` end with exit status 2."""


def _need(holds: object, code: str, text: str) -> None:  # every check passes through here, or raises by itself
    if not holds:
        raise CheckError(code, text)


class Report:
    """What was checked and what was found."""

    def __init__(self) -> None:
        self.origin, self.checked, self.found = "", Counter[str](), 0
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


def shown(text: str) -> str:
    """Make text safe to print: control, bidirectional and all other non-ASCII characters become escapes."""
    return text[:500].encode("unicode_escape").decode()


def _progress(done: int, total: int) -> None:
    if (done % 5000 == 0 or done == total) and sys.stderr.isatty():
        bar, end = "#" * (40 * done // total), "\n" if done == total else ""
        print(f"\r[{bar:40}] {done:,} of {total:,} entries", end=end, file=sys.stderr, flush=True)


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
    point = (x, y, 1, x * y % P)
    eight = reduce(lambda twice, _: _add(twice, twice), range(3), point)
    return None if eight[0] == 0 and eight[1] == eight[2] else point


def ed25519(public: bytes, signature: bytes, message: bytes) -> bool:
    """Verify: the encoding of [S]B - [k]A has to be R byte for byte, with S below the order of the group."""
    point, base = public_point(public), public_point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))
    scalar = int.from_bytes(signature[32:], "little")
    if point is None or base is None or len(signature) != 64 or scalar >= ORDER:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % ORDER
    minus: Point = (P - point[0], point[1], 1, P - point[3])
    total: Point = (0, 1, 1, 0)
    sums = (total, base, minus, _add(base, minus))
    for bit in range(252, -1, -1):
        total = _add(total, total)
        if chosen := (scalar >> bit & 1) | (k >> bit & 1) << 1:
            total = _add(total, sums[chosen])
    x, y = (part * pow(total[2], -1, P) % P for part in total[:2])
    return (y | (x & 1) << 255).to_bytes(32, "little") == signature[:32]


def _hash(*parts: bytes) -> bytes:  # of 0x00 and an entry: a leaf; of 0x01 and two subtrees: a node (RFC 6962, 2.1)
    return hashlib.sha256(b"".join(parts)).digest()


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
            signed = match is not None and ed25519(key[2], blob[4:], text.encode())
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


def read_entry(data: bytes) -> Entry:
    """Read an entry's bytes: a fixed frame with a canonical body in it."""
    match = ENTRY.fullmatch(data) if len(data) <= ENTRY_BYTES else None
    if match is None:
        raise CheckError("entry.form", "it does not have the form of an entry")
    canonical(match["body"], ENTRY_DECODER)
    return int(match["seq"]), match["stream"], int(match["version"]), match["kind"]


def _named(*entry: Any) -> str:  # which entry, as its own bytes say
    seq, stream, version, kind = (part.decode() if isinstance(part, bytes) else part for part in entry)
    return f"entry {seq} ({kind}, {stream} version {version})"


def list_files(target: Path, archive: zipfile.ZipFile | None, report: Report) -> dict[str, Opener]:
    """List the regular files of a pack, a directory or a zip; whatever else is there is a problem, never opened."""
    found, files = list[tuple[str, int, Opener]](), dict[str, Opener]()
    if archive is None:
        inside = [Path(folder, name) for folder, folders, names in os.walk(target) for name in folders + names]
        found = [(p.relative_to(target).as_posix(), p.lstat().st_mode, partial(p.open, "rb")) for p in inside]
    for member in [] if archive is None else archive.infolist():
        mode = stat.S_IFMT(member.external_attr >> 16) or (stat.S_IFDIR if member.is_dir() else stat.S_IFREG)
        odd = member.flag_bits & 1 or member.compress_type not in (0, 8) or member.orig_filename != member.filename
        found.append((member.filename.removesuffix("/"), 0 if odd else mode, partial(cast(Any, archive).open, member)))
    for path, mode, opener in found:
        if not PATH.fullmatch(path) or path in files or not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            report.problem("pack.unsafe", path, "a link, a special file, an outward or repeated name is refused")
        elif stat.S_ISREG(mode):
            files[path] = opener
    return files


def _pieces(files: dict[str, Opener], path: str, limit: int) -> Iterator[bytes]:  # reads `limit` bytes and one at most
    _need(path in files, "pack.missing", f"{path} is not in the pack")
    try:
        with files[path]() as stream:
            while limit >= 0 and (piece := stream.read(min(1 << 20, limit + 1))):
                limit -= len(piece)
                yield piece
    except UNPACKING as error:
        raise CheckError("pack.unreadable", f"it cannot be unpacked: {error}") from None
    _need(limit >= 0, "pack.altered", "it has more bytes than it may have")


def check_manifest(files: dict[str, Opener], key: Key, report: Report) -> tuple[str, dict[str, str]]:
    """Compare each file with the manifest, both ways; return the subject's stream and the SHA-256 of good files."""
    manifest = canonical(b"".join(_pieces(files, "manifest.json", JSON_BYTES)))
    form = isinstance(manifest, dict) and sorted(manifest) == ["files", "format", "origin", "subject"]
    _need(form and isinstance(manifest["files"], dict), "manifest.form", "manifest.json does not have its four fields")
    same = (manifest["format"], manifest["origin"]) == ("sojourn-evidence-pack/1", key[0])
    _need(same, "manifest.origin", "manifest.json is of another format, or of another ledger")
    listed, good, left = manifest["files"], dict[str, str](), PACK_BYTES
    for path in sorted((listed.keys() | files.keys()) - {"manifest.json"}):
        with report.at(path):
            _need(path in listed, "pack.unlisted", "this file is not in the manifest")
            told: Any = listed[path].get("bytes") if isinstance(listed[path], dict) else None
            _need(type(told) is int and 0 <= told <= left, "manifest.form", "its size is malformed, or too big")
            left, size, digest = left - told, 0, hashlib.sha256()
            for piece in _pieces(files, path, told):
                size += len(piece)
                digest.update(piece)
            same = listed[path] == {"bytes": size, "sha256": digest.hexdigest()}
            _need(same, "pack.altered", "its content is not what the manifest says")
            good[path] = digest.hexdigest()
    report.checked["files"] = len(good)
    return str(manifest["subject"]), good


def verify_pack(files: dict[str, Opener], key: Key, since: Head | None, report: Report) -> None:
    """Check a pack: its files, then each entry to the signed root, its streams, opened values and attachments."""
    subject, good = check_manifest(files, key, report)
    report.head = open_checkpoint(note := b"".join(_pieces(files, "checkpoint", NOTE_BYTES)), key)
    streams, mentioned = defaultdict[str, list[int]](list), set[bytes]()
    paths = sorted(path for path in files if path.startswith("entries/"))
    proofs = {path for path in files if path.startswith("proofs/")}
    for done, path in enumerate(paths, 1):
        _progress(done, len(paths))
        proof = path.replace("entries/", "proofs/", 1).removesuffix(".json") + ".tlog-proof"
        proofs.discard(proof)
        with report.at(path):
            data = b"".join(_pieces(files, path, ENTRY_BYTES))
            entry = read_entry(data)
            with report.at(_named(*entry)):
                index, led_to, _ = check_proof(b"".join(_pieces(files, proof, PROOF_BYTES)), data, key)
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
            items = canonical(b"".join(_pieces(files, "disclosed.json", JSON_BYTES)))
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
    views = "SELECT name FROM sqlite_master WHERE type = 'view'"
    _need(not connection.execute(views).fetchall(), "input.store", "a ledger store has no views")
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
        if type(content) is not bytes or hashlib.sha256(content).hexdigest().encode() != name:
            report.problem("attachment.altered", f"attachment {name!a}", "its content is not the one named")
    size = check_entries(connection, deque(sorted(heads + ([since] if since else []))), beside, report)
    report.checked.update({"entries": size, "entries not yet signed": max(0, size - heads[-1][0])})
    for name, what in beside.items():
        report.problem("store.unbound", f"{what} {name!a}", "no entry of the ledger names it")


def _unpacked(connection: sqlite3.Connection, report: Report) -> Iterator[tuple[int, bytes, bytes]]:
    for at, count, leaves, data in connection.execute("SELECT first, count, leaves, entries FROM batch ORDER BY 1"):
        _need([*map(type, (at, count, leaves, data))] == [int, int, bytes, bytes], "input.store", "no row of a ledger")
        number = position = 0
        while position < len(data):  # each entry has its length before it, and its leaf hash in the other column
            start, number = position + 2, number + 1
            position = start + int.from_bytes(data[position:start], "big")
            yield at + number - 1, leaves[32 * number - 32 : 32 * number], data[start:position]
        if not position - len(data) == number - count == len(leaves) - 32 * count == 0:
            report.problem("row.damaged", f"entries {at} to {at + count - 1}", "their row holds something else")


def check_entries(connection: sqlite3.Connection, due: deque[Head], beside: dict[Any, str], report: Report) -> int:
    """Walk the entries once, growing the tree, and compare its root with each head that is due. Returns the size."""
    total: int = connection.execute("SELECT coalesce(sum(count), 0) FROM batch").fetchone()[0]
    versions, frontier, size, good, whole = Counter[bytes](), list[bytes](), 0, 0, True
    for seq, leaf, data in chain(_unpacked(connection, report), [(None, b"", b"")]):
        while whole and due and due[0][0] <= size:
            if not (whole := due.popleft() == (size, _fold(frontier))):
                report.problem("root.altered", f"entries {good} to {size - 1}", f"the root signed for {size} differs")
            good = size
        if seq is None:
            break
        if seq != size:
            report.problem("store.gap", f"entries {size} to {seq - 1}", "they are missing from the store")
            size, whole = seq, False
        match = ENTRY.fullmatch(data)
        told = match.group("seq", "stream", "version", "kind") if match else (seq, b"?", 0, b"?")
        versions[told[1]] += 1
        with report.at(_named(*told)):
            _need(_hash(b"\x00", data) == leaf, "entry.altered", "its bytes do not hash to the leaf recorded with it")
            _need(read_entry(data)[0] == seq, "entry.misplaced", f"it lies at the place of entry {seq}")
            _need(int(told[2]) == versions[told[1]], "stream.gap", f"its place is version {versions[told[1]]}")
        for mention in HEX64.findall(data) if beside else ():
            beside.pop(mention, None)
        bits, node = size, leaf
        while bits & 1 and whole:
            node, bits = _hash(b"\x01", frontier.pop(), node), bits >> 1
        frontier.append(node)
        size += 1
        _progress(size, total)
    if due and due[-1][0] > size:
        report.problem("store.truncated", f"entries {size} to {due[-1][0] - 1}", "they were signed, but are missing")
    return size


def _trusted(argument: str, target: Path) -> bytes:  # a key or checkpoint, never out of what is to be verified
    path, outer = Path(argument).resolve(), target.resolve()
    inside = path == outer or outer in path.parents
    _need(not inside, "input.trust", f"{argument} lies inside what is to be verified: get it from its owner instead")
    return path.read_bytes()


def run(options: argparse.Namespace, report: Report) -> None:
    """Find out what the target is, and verify it."""
    target, magic = Path(options.target), b""
    _need(options.key, "input.key", "--key is missing: ask the ledger's owner, not the pack, for its verifier key")
    inline = re.fullmatch(r"[^\s+]+\+[0-9a-f]{8}\+\S+", options.key)
    key = _parse_key(options.key if inline else _trusted(options.key, target).decode(errors="replace"))
    report.origin, since = key[0], open_checkpoint(_trusted(options.since, target), key) if options.since else None
    if not target.is_dir():
        with target.open("rb") as stream:
            magic = stream.read(22)
    if target.is_dir():
        verify_pack(list_files(target, None, report), key, since, report)
    elif magic.startswith(b"PK"):
        with zipfile.ZipFile(target) as archive:
            verify_pack(list_files(target, archive, report), key, since, report)
    elif magic.startswith(b"SQLite format 3"):
        with open_store(target) as connection:
            verify_store(connection, key, since, report)
    else:
        _need(magic == b"c2sp.org/tlog-proof@v1", "input.unknown", "this is no pack, no ledger store and no proof")
        _need(options.entry and not since, "input.entry", "a proof needs --entry FILE, and takes no --since")
        files = dict[str, Opener](proof=partial(target.open, "rb"), entry=partial(Path(options.entry).open, "rb"))
        entry = b"".join(_pieces(files, "entry", ENTRY_BYTES))
        index, _, report.head = check_proof(b"".join(_pieces(files, "proof", PROOF_BYTES)), entry, key)
        _need(read_entry(entry)[0] == index, "entry.misplaced", f"its own number is not {index}")
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
    parser.add_argument("target", metavar="PACK|LEDGER.DB|PROOF", help="a pack (folder or .zip), a store, or a proof")
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
