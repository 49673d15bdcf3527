"""Check Sojourn's record offline, trusting nobody but the holders of keys that you got from somewhere else.

    sojourn-verify PACK --key KEY                 an evidence pack: a directory, or the same as .zip
    sojourn-verify PROOF --entry FILE --key KEY   one entry and its proof (C2SP tlog-proof)
    sojourn-verify TILES --key KEY                a whole published ledger: a directory of tiles (C2SP tlog-tiles)
    sojourn-verify ledger.db --key KEY            a whole ledger store, which is only read

A whole ledger takes sojourn_verify_log.py beside this file; for packs and proofs this one is enough. Standard library
only, and no code of what wrote the record. Exit: 0 verified, 1 failed, 2 unusable input.
"""

import argparse
import json
import os
import re
import stat
import sys
import zipfile
import zlib
from base64 import b64decode, b64encode
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
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

ENTRY_BYTES, NOTE_BYTES, PROOF_BYTES, FILE_BYTES, PIECE, DEPTH = 65_535, 1_000_000, 1_100_000, 1 << 30, 1 << 16, 16
LOG, COSIGNATURE, ML_DSA = 1, 4, 6  # kinds of keys (C2SP signed-note, tlog-cosignature)
PATH = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")
HEX64, SNAKE, ANY = re.compile(rb'"([0-9a-f]{64})"'), re.compile(r"[a-z][a-z0-9_]*"), re.compile(r"(?s:.*)")
BASE64 = r"((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=|[A-Za-z0-9+/][AQgw]==)?)"  # one spelling only
HASH, NUMBER = r"[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=", r"(0|[1-9][0-9]{0,18})"
CHECKPOINT = rf"([^\n]+)\n{NUMBER}\n({HASH})\n"
ROTATION = rf"sojourn/key-rotation/v1\nfrom {NUMBER}\nold (\S+)\nnew (\S+)\n"
PROOF = rf"c2sp\.org/tlog-proof@v1\n(?:extra {BASE64}\n)?index {NUMBER}((?:\n{HASH}){{0,63}})\n\n((?s:.+))"
STREAM = r'(?=[^"]{1,256}")[a-z][a-z0-9_]*+(?:/[A-Za-z0-9@._:+-]++)*'
FRAME = (  # an entry; the gaps are for its day, its body and kind, and its stream
    r'\{"at":"%sT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{6}Z","body":%s",'
    r'"seq":(0|[1-9]\d{0,15}),"stream":"(%s)","v":1,"version":([1-9]\d{0,15})\}'
)
KIND = r'(\{.*\}),"kind":"((?=[^"]{1,100}")[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*)'
ENTRY = re.compile((FRAME % (r"(\d{4}-\d\d-\d\d)", KIND, STREAM)).encode())
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
        self.before: Note | None = None  # the checkpoint that a ledger which was begun anew has of the one before it
        self.follows: dict[str, Any] = {}  # what was found out about that

    def problem(self, code: str, *told: str) -> None:  # where, and a text; both are made safe to be printed
        self.found += 1
        where, text = (one[:500].encode("unicode_escape").decode() for one in told)
        self.problems += [{"code": code, "where": where, "text": text}] if self.found <= 1000 else []

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
    return f"entry {place}" + (f" ({match[3].decode()}, {match[5].decode()} version {int(match[6])})" if match else "")


def list_files(target: Path, archive: zipfile.ZipFile | None, report: Report, passed_over: str | None = None) -> Files:
    """List the regular files of a directory or a zip; whatever else is there is a problem, and never opened."""
    files, found = Files(), list[tuple[str, int, Callable[[], Any]]]()
    for member in archive.infolist() if archive else ():
        mode = stat.S_IFMT(member.external_attr >> 16) or (stat.S_IFREG, stat.S_IFDIR)[member.filename[-1:] == "/"]
        found.append((member.orig_filename.removesuffix("/"), mode, partial(archive.open, member)))  # type: ignore[union-attr]
    for folder, folders, names in () if archive else os.walk(target):
        paths = [f"{folder}/{name}" for name in folders + names]
        found += [
            (path[len(str(target)) + 1 :], os.lstat(path).st_mode, partial(open, path, "rb", 0)) for path in paths
        ]
    for name, mode, opener in found:
        if stat.S_ISREG(mode) and PATH.fullmatch(name) and name not in files:
            files[name] = opener
        elif (not stat.S_ISDIR(mode) or not PATH.fullmatch(name)) and name.split("/")[0] != passed_over:
            report.problem("pack.unsafe", name, "a link, a special file, an outward or repeated name is refused")
    return files


def content(files: Files, path: str, limit: int) -> bytes:
    """Read a file that has so many bytes at most."""
    need(path in files, "pack.missing", f"{path} is not there")
    try:
        with files[path]() as stream:
            data = b"".join(islice(iter(partial(stream.read, PIECE), b""), limit // PIECE + 2))
    except UNPACKING as error:
        raise CheckError("pack.unreadable", f"it cannot be unpacked: {error}") from None
    need(len(data) <= limit, "pack.altered", "it has more bytes than it may have")
    return data


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


def check_manifest(files: Files, trust: Trust, report: Report) -> tuple[str, dict[str, str]]:
    """Check that a pack holds the files that its manifest lists; gives its subject, and the hash of each good file."""
    manifest, good = canonical(content(files, "manifest.json", FILE_BYTES)), dict[str, str]()
    form = isinstance(manifest, dict) and sorted(manifest) == ["files", "format", "origin", "subject"]
    need(form and isinstance(manifest["files"], dict), "manifest.form", "manifest.json does not have its four fields")
    listed, form, origin, subject = manifest.values()
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
    return subject, good


def verify_pack(files: Files, trust: Trust, since: list[Signed], report: Report) -> None:
    """Check a pack: its files, then each entry to the signed root, its streams, opened values and attachments."""
    subject, good = check_manifest(files, trust, report)
    report.head = note = Note(content(files, "checkpoint", NOTE_BYTES))
    trust.turn(content(files, "rotations", FILE_BYTES) if "rotations" in files else b"")
    for where, one in [("checkpoint", note), *since]:
        with report.at(where):
            trust.check(one)
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
    for name, versions in streams.items():  # of others than the subject's kinds, a pack may hold single entries
        whole = name.startswith(("request/", "grant/", "session/"))
        if versions != ([*range(1, len(versions) + 1)] if whole else sorted(set(versions))):
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


def verify_target(target: Path, options: Any, trust: Trust, since: list[Signed], report: Report) -> None:
    """Find out what it is, and verify it."""
    magic = b""
    if not target.is_dir():
        with target.open("rb") as stream:
            magic = stream.read(22)
    ledger = (target.is_dir() and not (target / "manifest.json").exists()) or magic.startswith(b"SQLite format 3")
    need(ledger or not options.follows, "input.follows", "only a whole ledger follows another one")
    if magic == b"c2sp.org/tlog-proof@v1":
        need(options.entry and not since, "input.entry", "a proof needs --entry FILE, and takes no --since")
        files = Files(proof=partial(target.open, "rb"), entry=partial(Path(options.entry).open, "rb"))
        data = content(files, "entry", ENTRY_BYTES)
        index, report.head = check_proof(content(files, "proof", PROOF_BYTES), data)
        trust.check(report.head)
        need(read_entry(data)[0] == index, "entry.misplaced", f"its own number is not {index}")
        report.checked["entries"] = 1
    elif magic.startswith(b"PK") or (target.is_dir() and not ledger):
        with zipfile.ZipFile(target) if magic else nullcontext() as archive:
            verify_pack(list_files(target, archive, report), trust, since, report)
    else:
        need(ledger, "input.unknown", "this is no pack, no ledger and no proof")
        sys.modules.setdefault("sojourn_verify", sys.modules[__name__])  # as which the other file knows this one
        try:
            import sojourn_verify_log
        except ImportError:
            raise CheckError("input.library", "a whole ledger takes sojourn_verify_log.py beside this file") from None
        sojourn_verify_log.verify_ledger(target, options.follows, trust, since, report)
    if trust.witnesses:
        report.checked["witnessed entries"] = max(0, trust.witnessed)
        need(trust.witnessed >= 0, "checkpoint.unwitnessed", "the policy's quorum has cosigned no checkpoint here")


def verify(options: argparse.Namespace) -> Report:
    """Find out whom to believe, and verify; whatever cannot be read becomes a problem."""
    report, target = Report(), Path(options.target)

    def outside(argument: str) -> bytes:  # what is believed never comes out of what is to be verified
        path, why = Path(argument).resolve(), "lies inside what is to be verified: get it from its owner instead"
        for outer in {target.resolve(), Path(options.follows or target).resolve()}:
            links = filter(Path.is_file, outer.rglob("*")) if path.stat().st_nlink > 1 else ()
            inside = outer in path.parents or any(map(path.samefile, (outer, *links)))
            need(not inside, "input.trust", f"{argument} {why}")
        return path.read_bytes()

    try:
        with report.at(options.target):
            need(options.key or options.policy, "input.key", "--key is missing: ask the ledger's owner, not the pack")
            inline = re.compile(r"[^\s+]+\+[0-9a-f]{8}\+\S+")
            texts = [one if inline.fullmatch(one) else outside(one).decode(errors="replace") for one in options.key]
            keys = [Key.parse(text, LOG, ML_DSA) for text in texts]
            policy = outside(options.policy).decode(errors="replace") if options.policy else "quorum none"
            since = [(options.since, Note(outside(options.since)))] if options.since else []
            verify_target(target, options, Trust(keys, policy), since, report)
    except (OSError, *UNPACKING) as error:
        report.problem("input.unreadable", options.target, f"it cannot be read: {error}")
    return report


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="sojourn-verify", description="Check a Sojourn record offline, with keys that you trust."
    )
    parser.add_argument("target", metavar="PACK|LEDGER.DB|TILES|PROOF", help="what to verify")
    parser.add_argument("--key", action="append", default=[], help="a verifier key of the ledger, or a file with it")
    parser.add_argument("--policy", metavar="FILE", help="logs, and witnesses that have to agree (C2SP tlog-policy)")
    parser.add_argument("--since", metavar="CHECKPOINT", help="an older checkpoint that the ledger has to extend")
    parser.add_argument(
        "--follows", metavar="OLD", help="of a ledger that was begun anew, the one before: verify it too"
    )
    parser.add_argument("--entry", metavar="FILE", help="the entry that a single proof is about")
    parser.add_argument("--json", action="store_true", help="write one JSON object")
    report = verify(options := parser.parse_args(argv))
    head = report.head and (ascii(report.head.origin)[1:-1], report.head.size, b64encode(report.head.root).decode())
    told: dict[str, Any] = dict(zip(("origin", "size", "root"), head or (None, None, None), strict=True))
    lines = [f"{name:8} {value}" for name, value in told.items()]
    told |= {"ok": not report.found, "checked": report.checked, "problems": report.problems, "follows": report.follows}
    lines += ["checked  " + ", ".join(f"{number:,} {name}" for name, number in report.checked.items())]
    lines += ["follows  {origin} at {size:,} entries: {state}".format(**report.follows)] if report.follows else []
    lines += [f"  {one['code']}: {one['where']}: {one['text']}" for one in report.problems]
    lines += [f"FAILED with {report.found} problem(s)" if report.found else "OK: everything leads to the signed root"]
    print(json.dumps(told) if options.json else "\n".join(lines))
    return 2 if any(problem["code"].startswith("input.") for problem in report.problems) else min(report.found, 1)


if __name__ == "__main__":
    sys.exit(main())
