"""What the codes about the configuration and the data directory tell people."""

from __future__ import annotations

from collections.abc import Mapping

from sojourn.codes import Code, Meaning

from .answers import CONFLICT, INPUT, MISSING, REFUSED

MEANINGS: Mapping[Code, Meaning] = {
    Code.CONFIGURATION_INVALID: Meaning(
        "{file}:{line}:{column}: {problem}.", "Expected {expected}. Correct the file and try again.", *INPUT
    ),
    Code.CONFIGURATION_MISSING: Meaning(
        "There is no configuration file {file}.", "Run `sojourn init` to write commented examples.", *INPUT
    ),
    Code.SETTINGS_INVALID: Meaning("The setting {name} is not usable: {problem}.", "Expected {expected}.", *INPUT),
    Code.DATA_DIRECTORY_BUSY: Meaning(
        "Another `sojourn serve` (process {pid}) is using {directory}.",
        "Stop that one first, or choose another directory with --data.",
        *CONFLICT,
    ),
    Code.DATA_DIRECTORY_EXISTS: Meaning(
        "{directory} already holds a Sojourn installation.",
        "Edit its files in place, or choose another directory with --data.",
        *CONFLICT,
    ),
    Code.DATA_DIRECTORY_MISSING: Meaning(
        "{directory} holds no Sojourn installation.",
        "Run `sojourn init --data {directory}` first.",
        *MISSING,
    ),
    Code.DATA_DIRECTORY_OPEN: Meaning(
        "{path} can be read by other users of this machine.",
        "Run `chmod go-rwx {path}`; Sojourn keeps keys and records there.",
        *REFUSED,
    ),
}
