"""A second verifier, written from docs/reference/ledger-format.md alone: it shares no line with the product.

It holds everything in memory and knows one answer to whatever does not fit: `Refused`. Its worth is that two programs
that were written apart agree, and that the page is enough to write one.
"""

from __future__ import annotations

import base64
import binascii
import datetime
import hashlib
import json
import re
import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

Files = Mapping[str, bytes]


class Refused(Exception):  # noqa: N818 - the one answer
    """It is not what it claims to be."""


def want(holds: object, text: str) -> None:
    if not holds:
        raise Refused(text)


def digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def unbase64(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Refused("base64") from None
    want(base64.b64encode(data).decode() == text, "another spelling of base64")
    return data


def tree_hash(leaves: Sequence[bytes]) -> bytes:
    """RFC 6962 section 2.1, as it is defined."""
    if not leaves:
        return digest(b"")
    if len(leaves) == 1:
        return leaves[0]
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return digest(b"\x01" + tree_hash(leaves[:half]) + tree_hash(leaves[half:]))


class Key:
    """name+id+base64(kind || key)."""

    def __init__(self, text: str, kind: int) -> None:
        parts = text.strip().split("+", 2)
        want(len(parts) == 3, "a key has three parts")
        self.name, material = parts[0], unbase64(parts[2])
        want(len(material) == 33 and material[0] == kind, "kind of key")
        self.id, self.kind, self.raw = digest(f"{self.name}\n".encode() + material)[:4], kind, material[1:]
        want(self.id.hex() == parts[1], "id of key")

    def check(self, signature: bytes, text: str) -> None:
        message = text.encode()
        if self.kind == 4:
            want(len(signature) == 72, "length of cosignature")
            message = f"cosignature/v1\ntime {struct.unpack('>Q', signature[:8])[0]}\n".encode() + message
            signature = signature[8:]
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, message)
        except (InvalidSignature, ValueError):
            raise Refused("signature") from None


class Note:
    """A signed note: its text, and who signed it."""

    def __init__(self, data: bytes) -> None:
        try:
            note = data.decode()
        except UnicodeDecodeError:
            raise Refused("UTF-8") from None
        want(not any(ord(one) < 32 and one != "\n" for one in note), "control character")
        text, gap, tail = note.rpartition("\n\n")
        want(gap and tail.endswith("\n"), "form of note")
        self.text, self.signatures = text + "\n", list[tuple[str, bytes, bytes]]()
        for line in tail[:-1].split("\n"):
            parts = line.split(" ")
            want(len(parts) == 3 and parts[0] == "\u2014", "form of signature line")
            blob = unbase64(parts[2])
            want(len(blob) > 4, "short signature")
            self.signatures.append((parts[1], blob[:4], blob[4:]))

    def signed_by(self, key: Key) -> bool:
        found = [signature for name, identity, signature in self.signatures if (name, identity) == (key.name, key.id)]
        for signature in found:
            key.check(signature, self.text)
        return bool(found)


class Checkpoint(Note):
    """Origin, size, root."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        lines = self.text.split("\n")
        want(len(lines) == 4 and re.fullmatch("0|[1-9][0-9]{0,18}", lines[1]), "form of checkpoint")
        self.origin, self.size, self.root = lines[0], int(lines[1]), unbase64(lines[2])
        want(len(self.root) == 32, "length of root")


class Trust:
    """One key of the ledger, and the witnesses that all have to have cosigned."""

    def __init__(self, vkey: str, witnesses: Iterable[str] = ()) -> None:
        self.root, self.witnesses = Key(vkey, 1), [Key(one, 4) for one in witnesses]

    def check(self, note: Checkpoint, rotations: bytes = b"", *, cosigned: bool = False) -> None:
        want(note.origin == self.root.name, "origin")
        chain: list[tuple[int, Key]] = []
        rest = rotations
        while rest:
            match = re.match(rb"sojourn/key-rotation/v1\n(?:[^\n]+\n){3}\n(?:[^\n]+\n){2}", rest)
            want(match, "form of rotation")
            assert match is not None
            statement, rest = Note(match[0]), rest[match.end() :]
            _, *lines, last = statement.text.split("\n")
            words = [line.split(" ") for line in lines]
            want(not last and [one[0] for one in words] == ["from", "old", "new"], "lines of rotation")
            want(all(len(one) == 2 for one in words) and re.fullmatch("0|[1-9][0-9]*", words[0][1]), "form of rotation")
            size, old, new = int(words[0][1]), Key(words[1][1], 1), Key(words[2][1], 1)
            want(statement.signed_by(old) and statement.signed_by(new) and old.name == new.name, "rotation unsigned")
            if not chain:
                chain.append((-1, old))
            want(chain[-1][1].raw == old.raw and size > chain[-1][0], "rotation out of order")
            want(new.raw not in [key.raw for _, key in chain], "a key that comes back")
            chain.append((size, new))
        signer = self.root
        if self.root.raw in [key.raw for _, key in chain]:
            signer = [key for size, key in chain if size < note.size or size == -1][-1]
        want(note.signed_by(signer), "not signed by the key whose turn it is")
        for witness in self.witnesses if cosigned else ():
            want(note.signed_by(witness), "not cosigned")


def read_json(data: bytes) -> Any:
    """Canonical JSON."""

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        want(len({name for name, _ in found}) == len(found), "repeated key")
        return dict(found)

    def refuse(_: str) -> Any:
        raise Refused("number")

    try:
        value = json.loads(data, object_pairs_hook=pairs, parse_float=refuse, parse_constant=refuse)
    except (ValueError, RecursionError):
        raise Refused("JSON") from None
    again = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    try:
        want(again.encode() == data, "not canonical")
    except UnicodeEncodeError:
        raise Refused("surrogate") from None
    return value


def read_entry(data: bytes) -> dict[str, Any]:
    want(len(data) <= 65_535, "length of entry")
    entry: dict[str, Any] = read_json(data)
    want(isinstance(entry, dict), "an entry is an object")
    want(list(entry) == ["at", "body", "kind", "seq", "stream", "v", "version"], "fields of entry")
    at, stream, kind = entry["at"], entry["stream"], entry["kind"]
    want(isinstance(at, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", at), "time")
    try:
        datetime.datetime.strptime(at, "%Y-%m-%dT%H:%M:%S.%fZ")  # noqa: DTZ007 - only whether there is such a time
    except ValueError:
        raise Refused("time") from None
    name = r"[a-z][a-z0-9_]*"
    want(isinstance(kind, str) and len(kind) <= 100 and re.fullmatch(rf"{name}(\.{name})*", kind), "kind")
    want(isinstance(stream, str) and re.fullmatch(rf"{name}(/[A-Za-z0-9@._:+-]+)*", stream), "stream")
    want(len(stream) <= 256 and isinstance(entry["body"], dict) and entry["v"] == 1, "stream, body or v")
    want(all(type(entry[one]) is int for one in ("seq", "v", "version")), "numbers")
    look(entry["body"], 15)
    return entry


def look(value: Any, left: int) -> None:
    """Keys, integers and depth."""
    if isinstance(value, dict | list):
        want(left > 0, "depth")
        for inner in value.values() if isinstance(value, dict) else value:
            look(inner, left - 1)
        for key in value if isinstance(value, dict) else ():
            want(re.fullmatch(r"[a-z][a-z0-9_]*", key), "key")
    elif isinstance(value, int):
        want(abs(value) < 2**53, "integer")


def tile_name(level: str, index: int, width: int) -> str:
    digits = f"{index:d}".zfill(-(-len(str(index)) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    path = "/".join([*(f"x{one}" for one in groups[:-1]), groups[-1]])
    return f"tile/{level}/{path}" + (f".p/{width}" if width < 256 else "")


def read_tile(files: Files, level: str, index: int, width: int) -> list[bytes]:
    whole = files.get(tile_name(level, index, 256))
    data = whole if whole is not None else files.get(tile_name(level, index, width))
    want(data is not None, f"tile {level}/{index} is missing")
    assert data is not None
    items: list[bytes] = []
    while data:
        size = 32 if level != "entries" else 2 + int.from_bytes(data[:2], "big")
        want(len(data) >= size, "cut short")
        items.append(data[:size] if level != "entries" else data[2:size])
        data = data[size:]
    want(len(items) == (256 if whole is not None else width), "number of items")
    return items[:width]


def verify_log(files: Files, trust: Trust) -> int:
    """A directory of static files; gives its size."""
    note = Checkpoint(files.get("checkpoint", b""))
    trust.check(note, files.get("rotations", b""))
    level, count, entries = 0, note.size, list[bytes]()
    for index in range(-(-note.size // 256)):
        entries += read_tile(files, "entries", index, min(256, note.size - 256 * index))
    leaves = hashes = [digest(b"\x00" + one) for one in entries]
    while count:
        for index in range(-(-count // 256)):
            row = read_tile(files, str(level), index, min(256, count - 256 * index))
            want(row == hashes[256 * index : 256 * index + len(row)], f"tile {level}/{index}")
        hashes = [tree_hash(hashes[at : at + 256]) for at in range(0, count - count % 256, 256)]
        level, count = level + 1, len(hashes)
    want(tree_hash(leaves) == note.root, "root")
    if trust.witnesses:
        cosigned = Checkpoint(files.get("cosigned", b""))
        trust.check(cosigned, files.get("rotations", b""), cosigned=True)
        want(cosigned.size <= note.size, "size of cosigned")
        want(tree_hash(leaves[: cosigned.size]) == cosigned.root, "root of cosigned")
    versions: dict[str, int] = {}
    last = ""
    for place, data in enumerate(entries):
        entry = read_entry(data)
        versions[entry["stream"]] = versions.get(entry["stream"], 0) + 1
        want((entry["seq"], entry["version"]) == (place, versions[entry["stream"]]), "place or version")
        want(entry["at"] >= last, "time goes back")
        last = entry["at"]
    for path, content in files.items():
        if path.startswith("attachment/"):
            name = hashlib.sha256(content).hexdigest()
            want(path == f"attachment/{name}", "attachment")
            want(any(f'"{name}"'.encode() in data for data in entries), "nobody names it")
    return note.size


def verify_proof(proof: bytes, entry: bytes, trust: Trust, rotations: bytes = b"") -> tuple[int, bytes]:
    """One entry and its proof; gives its place, and the checkpoint as it came."""
    head, gap, note = proof.partition(b"\n\n")
    lines = head.decode("ascii", "replace").split("\n")
    want(gap and lines[0] == "c2sp.org/tlog-proof@v1", "form of proof")
    lines = lines[2:] if len(lines) > 1 and lines[1].startswith("extra ") else lines[1:]
    match = re.fullmatch("index (0|[1-9][0-9]{0,18})", lines[0] if lines else "")
    want(match, "index")
    assert match is not None
    index, path = int(match[1]), [unbase64(line) for line in lines[1:]]
    want(all(len(one) == 32 for one in path), "length of hash")
    checkpoint = Checkpoint(note)
    trust.check(checkpoint, rotations, cosigned=bool(trust.witnesses))
    want(index < checkpoint.size, "index beyond size")
    # From the leaf up: what is the last of an odd row goes up without a neighbour.
    node, place, last = digest(b"\x00" + entry), index, checkpoint.size - 1
    for other in path:
        want(last > 0, "proof too long")
        while place % 2 == 0 and place == last:
            place, last = place // 2, last // 2
        node = digest(b"\x01" + (other + node if place % 2 else node + other))
        place, last = place // 2, last // 2
    want(node == checkpoint.root and last == 0, "root")
    want(read_entry(entry)["seq"] == index, "its number is another")
    return index, note


def verify_pack(files: Files, trust: Trust) -> int:
    """An evidence pack, unpacked; gives the number of its entries."""
    manifest = read_json(files.get("manifest.json", b""))
    want(isinstance(manifest, dict) and sorted(manifest) == ["files", "format", "origin", "subject"], "manifest")
    want((manifest["format"], manifest["origin"]) == ("sojourn-evidence-pack/1", trust.root.name), "format or origin")
    told = {
        path: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for path, content in files.items()
        if path != "manifest.json"
    }
    want(told == manifest["files"], "the files are not those of the manifest")
    rotations, streams, all_bytes = files.get("rotations", b""), dict[str, list[int]](), b""
    numbers = {path[8:20] for path in files if path.startswith("entries/")}
    want({path[7:19] for path in files if path.startswith("proofs/")} == numbers, "entries and proofs do not pair")
    for number in sorted(numbers):
        data = files[f"entries/{number}.json"]
        index, note = verify_proof(files[f"proofs/{number}.tlog-proof"], data, trust, rotations)
        want(f"{index:012}" == number and note == files.get("checkpoint"), "place or checkpoint")
        entry = read_entry(data)
        streams.setdefault(entry["stream"], []).append(entry["version"])
        all_bytes += data
    for stream, versions in streams.items():
        want(versions == sorted(set(versions)), "order of versions")
        if stream.split("/")[0] in ("request", "grant", "session"):
            want(versions == list(range(1, len(versions) + 1)), "a gap")
    want(manifest["subject"] in streams, "subject")
    for item in read_json(files["disclosed.json"]) if "disclosed.json" in files else ():
        want(isinstance(item, dict) and sorted(item) == ["commitment", "salt", "value"], "disclosed")
        want(all(isinstance(one, str) for one in item.values()), "disclosed")
        want(re.fullmatch("[0-9a-f]{64}", item["salt"]), "salt")
        found = hashlib.sha256(b"sojourn/sealed/v1\x00" + bytes.fromhex(item["salt"]) + unbase64(item["value"]))
        want(found.hexdigest() == item["commitment"] and item["commitment"].encode() in all_bytes, "commitment")
    for path, content in files.items():
        if path.startswith("attachments/"):
            name = hashlib.sha256(content).hexdigest()
            want(path == f"attachments/{name}" and name.encode() in all_bytes, "attachment")
    return len(numbers)
