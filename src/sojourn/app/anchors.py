"""Who else has seen the ledger: asked each time before the scribe serves it.

- A ledger that is behind what one of them has seen, or that contradicts it, does not start.
- One of them that holds something else than a checkpoint of this ledger keeps it from starting too, unless whoever put
  it there could have removed the checkpoint just as well.
- One that does not answer in time does not: the publisher compares when it answers, and its silence is on record as
  soon as it is overdue.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass

from sojourn.errors import Code, SojournError
from sojourn.ledger.checkpoint import Checkpoint
from sojourn.ledger.note import Verifier
from sojourn.publisher.folder import place_of, read_checkpoint
from sojourn.scribe.anchor import Seen
from sojourn.settings import Layout, Settings

from .publisher import published_bucket, published_files
from .witnesses import read_cosigned, witness_readers

ANSWER_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """One who has seen the ledger. `read` blocks, and gives the newest verified checkpoint, or None if there is none.

    It raises OSError or SojournError `publication.unreachable` when nobody answers, and `publication.conflict` when it
    holds something else; that counts as silence when what it holds is `removable`.
    """

    place: str
    read: Callable[[], Checkpoint | None]
    removable: bool = False


def anchors(layout: Layout, settings: Settings, verifier: Verifier) -> tuple[Anchor, ...]:
    """Everybody whom the settings name. Raises SojournError `tool.missing` or `witness.policy_invalid`."""
    found: list[Anchor] = []
    files, bucket = published_files(layout, settings), published_bucket(settings)
    if files is not None:
        found.append(Anchor(place=place_of(files), read=lambda: read_checkpoint(files, verifier), removable=True))
    if bucket is not None:
        found.append(Anchor(place=bucket.place, read=lambda: bucket.newest(verifier)))
    cosigned = Anchor(place=str(layout.cosigned), read=lambda: read_cosigned(layout, verifier), removable=True)
    witnesses = [Anchor(place=place, read=read) for place, read in witness_readers(settings, verifier)]
    return (*found, *([cosigned, *witnesses] if witnesses else []))


def read_anchors(
    asked: Sequence[Anchor], warn: Callable[..., object], seconds: float = ANSWER_SECONDS
) -> tuple[Seen, ...]:
    """What they have seen, all of them asked at once. Who does not answer in time is told to `warn` and left out.

    Raises SojournError `publication.conflict` when one of them holds something else.
    """
    if not asked:
        return ()
    seen: list[Seen] = []
    pool = ThreadPoolExecutor(len(asked))
    asking = {pool.submit(anchor.read): anchor for anchor in asked}
    done, silent = wait(asking, seconds)
    pool.shutdown(wait=False, cancel_futures=True)
    for future in silent:
        warn("an anchor does not answer in time", place=asking[future].place)
    for future in done:
        anchor = asking[future]
        try:
            checkpoint = future.result()
        except OSError as error:
            warn("an anchor does not answer", place=anchor.place, problem=str(error))
        except SojournError as error:
            if not (error.code is Code.PUBLICATION_UNREACHABLE or anchor.removable):
                raise
            warn("an anchor does not answer", place=anchor.place, problem=error.refusal.details["problem"])
        else:
            if checkpoint is not None:
                seen.append(Seen(place=anchor.place, checkpoint=checkpoint))
    return tuple(seen)
