"""Signing with a key in a PKCS#11 token: a hardware security module, a smart card, or SoftHSM.

The mechanism is CKM_EDDSA (PKCS#11 3.0, section 2.3.14) with a key of type CKK_EC_EDWARDS on edwards25519. A session is
opened at the first use. After an error the module is made to look again (C_Finalize, C_Initialize) before the next
use, because modules remember what they saw: a token that was away is found again. That ends the sessions of every key
behind this module in the process; another key notices with an error, and is opened anew too.

A PIN that was refused is not tried again, since tokens lock themselves after a few.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sojourn.errors import Code, SojournError
from sojourn.ledger.errors import LedgerError
from sojourn.ledger.note import Verifier, check_point

from .address import Pkcs11Address
from .kept import KeptKey, unavailable

PUBLIC_BYTES = 32
WRAPPED = b"\x04\x20"
"""DER of an octet string of 32 bytes: how CKA_EC_POINT holds the point. Some tokens give the 32 bytes alone."""


def pkcs11_key(address: Pkcs11Address, *, name: str, pin: str, public: bytes | None = None) -> KeptKey:
    """The key at `address`, under the name of the ledger. Reads the public half from the token unless it is given.

    Raises SojournError `tool.missing` without the package, `signing.unavailable` when the token does not answer.
    """
    token = _Token(address=address, pin=pin)
    held = token.public() if public is None else public
    return KeptKey(public=Verifier(name=name, public=held), place=token.place, sign=token.sign)


@dataclass(slots=True)
class _Token:
    """One token, its session opened when it is needed."""

    address: Pkcs11Address
    pin: str = field(repr=False)
    _session: Any = None
    _failed_before: bool = False
    _pin_refused: bool = False

    @property
    def place(self) -> str:
        """The key's name for people."""
        return f"key {self.address.label} in token {self.address.token}"

    def public(self) -> bytes:
        """The 32 bytes of the public key."""
        pkcs11 = _package()
        try:
            key = self._open().get_key(object_class=pkcs11.ObjectClass.PUBLIC_KEY, label=self.address.label)
            point = bytes(key[pkcs11.Attribute.EC_POINT])
        except (pkcs11.exceptions.PKCS11Error, OSError) as error:
            raise self._failed(error) from error
        held = point[len(WRAPPED) :] if len(point) == len(WRAPPED) + PUBLIC_BYTES else point
        try:
            if len(held) != PUBLIC_BYTES:
                raise LedgerError("it is no key on edwards25519")
            check_point(held)
        except LedgerError as error:
            raise unavailable(self.place, str(error)) from error
        return held

    def sign(self, data: bytes) -> bytes:
        """The signature of `data`."""
        pkcs11 = _package()
        try:
            key = self._open().get_key(object_class=pkcs11.ObjectClass.PRIVATE_KEY, label=self.address.label)
            return bytes(key.sign(data, mechanism=pkcs11.Mechanism.EDDSA))
        except (pkcs11.exceptions.PKCS11Error, OSError) as error:
            raise self._failed(error) from error

    def _open(self) -> Any:
        if self._session is None:
            pkcs11 = _package()
            if self._pin_refused:
                raise unavailable(self.place, "the token refused the PIN, which is not tried again in this process")
            module = pkcs11.lib(self.address.module)
            if self._failed_before:
                module.reinitialize()
                self._failed_before = False
            token = module.get_token(token_label=self.address.token)
            try:
                self._session = token.open(user_pin=self.pin)
            except pkcs11.exceptions.UserAlreadyLoggedIn:
                # A process logs in to a token once, for all its sessions; another key of the same token did it.
                self._session = token.open()
            except (pkcs11.exceptions.PinIncorrect, pkcs11.exceptions.PinLocked):
                self._pin_refused = True
                raise
        return self._session

    def _failed(self, error: Exception) -> SojournError:
        self._session, self._failed_before = None, True
        return unavailable(self.place, f"{type(error).__name__} {error}".strip())


def _package() -> Any:
    try:
        import pkcs11
        import pkcs11.exceptions
    except ImportError as error:
        raise SojournError(
            Code.TOOL_MISSING,
            tool="The package python-pkcs11",
            remedy="Install it with `pip install 'sojourn[pkcs11]'`.",
        ) from error
    return pkcs11
