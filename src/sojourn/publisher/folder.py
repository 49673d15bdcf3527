"""The ledger as a folder of static files (C2SP tlog-tiles): what any web server can serve and anybody can check.

    checkpoint                     the newest signed checkpoint that everything below leads to
    tile/<L>/<N>[.p/<W>]           hashes; a partial tile goes when the full one is there
    tile/entries/<N>[.p/<W>]       entries, each with its length before it
    rotations                      changes of the key that signs, if there are any (ours)
    attachment/<sha256>            what entries name by hash (ours; tlog-tiles knows no such thing)

The order of a publication: the scribe has committed and signed; the files are staged; everything new is read back, and
the root is computed from those bytes in two ways, over the entries and over the tiles; only when both are the signed
root is the checkpoint published. What has been published is never written again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sojourn.errors import Code, SojournError
from sojourn.ledger import checkpoint as checkpoints
from sojourn.ledger.checkpoint import Checkpoint
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.merkle import EMPTY_ROOT, Tree, leaf_hash
from sojourn.ledger.note import Verifier
from sojourn.ledger.tiles import TILE_HEIGHT, TILE_WIDTH, decode_bundle, encode_bundle, tile_path
from sojourn.scribe.edges import Edges

from .attachments import attachment_path
from .files import Files
from .tiles import Tiles

CHECKPOINT = "checkpoint"
ROTATIONS = "rotations"


@dataclass(slots=True)
class Folder:
    """A published log that may grow. `published` is its checkpoint, of size 0 before the first one, `note` its file.

    Entries are staged with `stage` and published with `publish`; after an error of either, open it anew.
    """

    files: Files
    published: Checkpoint
    note: bytes | None
    edges: Edges
    bundle: list[bytes]
    read_back: Tree
    _completed: list[str] = field(default_factory=list)

    @property
    def place(self) -> str:
        """What the folder is called on record."""
        return place_of(self.files)

    @property
    def size(self) -> int:
        """The number of entries that are staged or published."""
        return self.edges.size

    def stage(self, entries: Sequence[bytes]) -> None:
        """Write the tiles and bundles that these entries fill, and read them back. Raises OSError.

        Raises SojournError `publication.conflict` when what is read back is not what was written.
        """
        taken = 0
        while taken < len(entries):
            fitting = entries[taken : taken + TILE_WIDTH - len(self.bundle)]
            taken += len(fitting)
            tile_index = self.edges.size // TILE_WIDTH
            leaves = [leaf_hash(one) for one in fitting]
            whole = b"".join((*self.edges.levels[0], *leaves))
            full = self.edges.extend(leaves)
            self.bundle.extend(fitting)
            if len(self.bundle) == TILE_WIDTH:
                self._write_bundle(tile_index, TILE_WIDTH, self.read_back)
                for level, index, hashes in ((0, tile_index, whole), *full):
                    self._write_tile(level, index, hashes)
                self.bundle.clear()

    def add_attachment(self, sha256: str, content: bytes) -> None:
        """Put an attachment beside the tiles. Raises OSError."""
        path = attachment_path(sha256)
        if self.files.read(path) != content:
            self.files.write(path, content)

    def has_attachment(self, sha256: str) -> bool:
        """Whether an attachment is there already."""
        return (self.files.root / attachment_path(sha256)).is_file()

    def publish(self, note: str, head: Checkpoint, rotations: str = "") -> None:
        """Publish the checkpoint in `note` over everything that was staged, and the changes of keys that lead to its
        key. Raises OSError.

        Raises SojournError `publication.conflict` when the files do not lead to its root; nothing is published then.
        """
        size = self.edges.size
        assert head.size == size, "a checkpoint is published over exactly what was staged"
        entries_tree = self.read_back.copy()
        if self.bundle:
            self._write_bundle(size // TILE_WIDTH, len(self.bundle), entries_tree)
        for level, hashes in enumerate(self.edges.levels):
            shift = TILE_HEIGHT * level
            if hashes and size >> shift != self.published.size >> shift:
                self._write_tile(level, (size >> shift) // TILE_WIDTH, b"".join(hashes))
        if rotations:
            self._write(ROTATIONS, rotations.encode())
        self.files.settle()
        try:
            tiles_root = Tiles(read=self.files.read, size=size).root()
        except LedgerError as error:
            raise conflict(self.place, str(error)) from error
        if not head.root == tiles_root == entries_tree.root():
            raise conflict(self.place, f"what was written for {size} entries does not lead to the root that is signed")
        for path in self._completed:
            self.files.remove_folder(f"{path}.p")
        self._completed.clear()
        self.files.write(CHECKPOINT, note.encode())
        self.files.settle()
        self.published, self.note = head, note.encode()

    def _write_bundle(self, tile_index: int, width: int, tree: Tree) -> None:
        """Write a bundle, and grow `tree` by the entries that are read back."""
        path, content = tile_path(None, tile_index, width), encode_bundle(self.bundle)
        tree.extend(map(leaf_hash, decode_bundle(self._write(path, content))))
        if width == TILE_WIDTH:
            self._completed.append(path)

    def _write_tile(self, level: int, tile_index: int, hashes: bytes) -> None:
        width = len(hashes) // 32
        path = tile_path(level, tile_index, width)
        self._write(path, hashes)
        if width == TILE_WIDTH:
            self._completed.append(path)

    def _write(self, path: str, content: bytes) -> bytes:
        """Write a file if it is not there already; gives the bytes that are read back."""
        if self.files.read(path) != content:
            self.files.write(path, content)
        found = self.files.read(path)
        if found != content:
            raise conflict(self.place, f"{path} was not read back as it was written")
        return found


def open_folder(files: Files, verifier: Verifier) -> Folder:
    """The log that lies in a folder, ready to grow; an empty one if there is none. Raises OSError.

    Raises SojournError `publication.conflict` when its checkpoint is another ledger's, or its tiles do not lead to it.
    """
    files.prepare()
    files.settle()
    place = place_of(files)
    note = files.read(CHECKPOINT)
    if note is None:
        empty = Checkpoint(origin=verifier.name, size=0, root=EMPTY_ROOT)
        return Folder(files=files, published=empty, note=None, edges=Edges(), bundle=[], read_back=Tree())
    published = _opened(place, note, verifier)
    tiles = Tiles(read=files.read, size=published.size)
    whole, width = divmod(published.size, TILE_WIDTH)
    try:
        edges = Edges(published.size, tiles.edges())
        bundle = tiles.bundle(whole, width) if width else []
        read_back = tiles.tree(whole * TILE_WIDTH)
        tiles_root = tiles.root()
    except LedgerError as error:
        raise conflict(place, str(error)) from error
    entries_tree = read_back.copy()
    entries_tree.extend(map(leaf_hash, bundle))
    if not published.root == tiles_root == entries_tree.root():
        raise conflict(place, f"its tiles do not lead to the root that was signed at {published.size} entries")
    return Folder(files=files, published=published, note=note, edges=edges, bundle=bundle, read_back=read_back)


def read_checkpoint(files: Files, verifier: Verifier) -> Checkpoint | None:
    """The checkpoint that a folder publishes; None if it publishes none.

    Raises OSError, or SojournError `publication.conflict` when it is not of this ledger.
    """
    note = files.read(CHECKPOINT)
    return None if note is None else _opened(place_of(files), note, verifier)


def _opened(place: str, note: bytes, verifier: Verifier) -> Checkpoint:
    try:
        return checkpoints.open(note.decode(), verifier)
    except (LedgerError, UnicodeDecodeError) as error:
        raise conflict(place, f"its checkpoint is not of this ledger ({error})") from error


def place_of(files: Files) -> str:
    """What a folder is called on record."""
    return f"folder:{files.root}"


def conflict(place: str, problem: str) -> SojournError:
    """The error that stops publishing at a place until somebody has looked."""
    return SojournError(Code.PUBLICATION_CONFLICT, place=place, problem=problem.rstrip("."))
