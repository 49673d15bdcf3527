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
    Code.CHANGE_UNKNOWN: Meaning(
        "There is no proposed change {change}.", "`sojourn policy changes` lists them.", *MISSING
    ),
    Code.CHANGE_NOTHING: Meaning(
        "These files say what version {version} says, which is in force.", "There is nothing to propose.", *CONFLICT
    ),
    Code.CHANGE_SELF: Meaning(
        "{person} proposed {change} and cannot approve it.", "Another administrator has to look at it.", *REFUSED
    ),
    Code.CHANGE_OTHER: Meaning(
        "{change} is not what you were shown.",
        "Look at it again with `sojourn policy changes {change}`, then decide.",
        *CONFLICT,
    ),
    Code.CHANGE_OUTDATED: Meaning(
        "{change} was made for version {base}, and version {version} is in force by now.",
        "Make it again from the files in force (`sojourn policy fetch`) and propose that.",
        *CONFLICT,
    ),
    Code.CHANGE_NOT_PENDING: Meaning(
        "{change} is already {status}.", "`sojourn policy changes {change}` tells who decided.", *CONFLICT
    ),
    Code.CHANGE_LOCKS_OUT: Meaning(
        "This change would lock people out: {problem}.",
        "Leave two administrators, yourself, and enough approvers who are there for what stays on offer.",
        *REFUSED,
    ),
    Code.CHANGE_NEEDS_APPROVAL: Meaning(
        "The files are not what version {version} says, which is in force and stays so.",
        "A change takes two administrators: one proposes it (`sojourn policy propose`), another approves it.",
        *CONFLICT,
    ),
    Code.CHANGE_LETS_IN: Meaning(
        "The files let {person} audit, which one person alone cannot do.",
        "Make two administrators; then one proposes it (`sojourn policy propose`), and another approves it.",
        *REFUSED,
    ),
    Code.CHANGE_NO_SECOND_PERSON: Meaning(
        "{person} is the only administrator, so nobody could approve a change.",
        "Make a second person administrator in people.yaml; the operator adopts that by restarting control.",
        *REFUSED,
    ),
    Code.SETTINGS_INVALID: Meaning("The setting {name} is not usable: {problem}.", "Expected {expected}.", *INPUT),
    Code.SETTINGS_NOT_IN_FORCE: Meaning(
        "settings.yaml on this machine says otherwise than what is in force, and changes nothing: {names}.",
        "Propose it with `sojourn policy propose`; it is in force once another administrator has approved it.",
        *CONFLICT,
    ),
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
