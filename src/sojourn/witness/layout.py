"""Where everything lies in a witness's directory, and which logs it knows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sojourn.errors import Code, SojournError
from sojourn.ledger.cosignature import CosigningKey
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.note import Verifier
from sojourn.vault.files import create_private, read_private, write_private

from .store import Store

LOGS_MAX = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessLayout:
    """One witness's directory. It is private to its owner (0700) and shares nothing with an installation."""

    root: Path

    @property
    def key(self) -> Path:
        """The cosigning key (0600)."""
        return self.root / "witness.key"

    @property
    def database(self) -> Path:
        """What was cosigned (SQLite). A witness that has lost it is no witness any more."""
        return self.root / "witness.db"

    @property
    def logs(self) -> Path:
        """The keys of the logs it cosigns, one vkey in each line."""
        return self.root / "logs"

    @property
    def evidence(self) -> Path:
        """One folder for each contradiction it was shown."""
        return self.root / "evidence"

    @property
    def lock(self) -> Path:
        """Held while a process serves."""
        return self.root / "witness.lock"

    @property
    def address(self) -> Path:
        """The address that is listened on, written once it is (JSON)."""
        return self.root / "address.json"


def create(layout: WitnessLayout, key: CosigningKey) -> None:
    """Make the directory of a new witness.

    Raises SojournError `data.directory_exists` if there is a witness in it already.
    """
    layout.root.mkdir(mode=0o700, parents=True, exist_ok=True)
    layout.root.chmod(0o700)
    if not create_private(layout.key, key.format().encode() + b"\n"):
        raise SojournError(Code.DATA_DIRECTORY_EXISTS, directory=str(layout.root))
    layout.evidence.mkdir(mode=0o700, exist_ok=True)
    write_private(layout.logs, b"")
    Store(layout.database).close()


def read_key(layout: WitnessLayout) -> CosigningKey:
    """The witness's key.

    Raises SojournError `witness.missing` when there is none, `data.directory_open` when others could read it.
    """
    try:
        return CosigningKey.parse(read_private(layout.key).decode())
    except FileNotFoundError as error:
        raise SojournError(Code.WITNESS_MISSING, directory=str(layout.root)) from error
    except (LedgerError, UnicodeDecodeError) as error:
        raise SojournError(Code.WITNESS_DAMAGED, path=str(layout.key), problem="it is no cosigning key") from error


def known_logs(layout: WitnessLayout) -> dict[str, tuple[Verifier, ...]]:
    """The keys of each log, by its origin. A log has two while its key is being rotated.

    Raises SojournError `witness.missing` or `witness.damaged`.
    """
    if not layout.key.exists():
        raise SojournError(Code.WITNESS_MISSING, directory=str(layout.root))
    try:
        lines = read_private(layout.logs).decode().splitlines()
        verifiers = [Verifier.parse(line) for line in lines if line.strip()]
    except (LedgerError, UnicodeDecodeError, FileNotFoundError) as error:
        raise SojournError(Code.WITNESS_DAMAGED, path=str(layout.logs), problem=str(error)) from error
    found: dict[str, tuple[Verifier, ...]] = {}
    for verifier in verifiers:
        found[verifier.name] = (*found.get(verifier.name, ()), verifier)
    return found


def add_log(layout: WitnessLayout, verifier: Verifier) -> bool:
    """Cosign for this log from now on; a running witness sees it at the next request. False if it is known already.

    Raises SojournError `input.invalid` for a key that is known under another name: one key of two ledgers could be made
    to vouch for either with what the other has signed.
    """
    known = [one for verifiers in known_logs(layout).values() for one in verifiers]
    if verifier in known:
        return False
    for one in known:
        if one.public == verifier.public:
            raise SojournError(
                Code.INPUT_INVALID,
                problem=f"This key is known already, as that of {one.name}",
                expected="a key of its own for each ledger",
            )
    if len(known) >= LOGS_MAX:
        raise SojournError(
            Code.INPUT_INVALID, problem="This witness knows too many logs", expected=f"at most {LOGS_MAX}"
        )
    write_private(layout.logs, "".join(f"{one.vkey()}\n" for one in (*known, verifier)).encode())
    return True
