"""sojourn completion: make the shell complete commands and options."""

from __future__ import annotations

import sys
from typing import Literal


def completion(shell: Literal["bash", "zsh", "fish"]) -> None:
    """Print a completion script for your shell.

    Example: sojourn completion bash > ~/.local/share/bash-completion/completions/sojourn

    Parameters
    ----------
    shell
        The shell.
    """
    from .program import program

    sys.stdout.write(program().generate_completion(prog_name="sojourn", shell=shell))
