"""An account and its tokens: how a person shows who they are.

- An account is made by redeeming an invitation once, in time, and only for a person the catalogue knows.
- It is opened by a password, by any of several passkeys, or both. The last way in cannot be removed.
- A passkey that counts its uses never counts backwards: one that does may have been copied, and opens nothing.
- Beside the password a code can be asked for (TOTP). A code is taken once; so is every code before it.
- An account that nothing opens any more is recovered by two people: one says so, and an administrator who is somebody
  else confirms it. Neither is its owner. What opened it until then opens it no more.
- An identity of a provider is one person, and stays it; a person has one identity at each provider.
- A token belongs to one person, opens one kind of door, and ends by itself.
- A token of somebody whom the catalogue no longer knows opens nothing; nor does that of a workload which the catalogue
  no longer lets in.
"""

from .commands import (
    AddPasskey,
    AskRecovery,
    ChangePassword,
    Command,
    ConfirmRecovery,
    Enrol,
    Invite,
    LinkIdentity,
    RemovePasskey,
    RemoveSecondFactor,
    SetSecondFactor,
    UsePasskey,
    UseSecondFactor,
)
from .decisions import PASSKEYS_MAX, decide, invited
from .state import WORKLOAD, Account, Passkey, Token, check_token, evolve, evolve_token

__all__ = [
    "PASSKEYS_MAX",
    "WORKLOAD",
    "Account",
    "AddPasskey",
    "AskRecovery",
    "ChangePassword",
    "Command",
    "ConfirmRecovery",
    "Enrol",
    "Invite",
    "LinkIdentity",
    "Passkey",
    "RemovePasskey",
    "RemoveSecondFactor",
    "SetSecondFactor",
    "Token",
    "UsePasskey",
    "UseSecondFactor",
    "check_token",
    "decide",
    "evolve",
    "evolve_token",
    "invited",
]
