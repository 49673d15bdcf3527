"""The setting that says where a signing key is kept, read into its parts.

    file                                                              a private file in the data directory
    pkcs11:token=sojourn;object=ledger?module-path=/usr/lib/p11.so    a PKCS#11 URI (RFC 7512)
    vault:https://bao.example.com:8200/transit/ledger                 mount and key of a transit engine
    awskms:arn:aws:kms:eu-central-1:111122223333:key/1234abcd-…       a key of AWS KMS, by its ARN
    gcpkms:projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1    a version of a key of Google Cloud KMS

The last two may end in `?endpoint=https://…`, for a private endpoint. Their credentials come from where the provider's
library looks for them.

PIN and token never stand in it: they lie in the private file `secrets/signing_key` beside the configuration.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from sojourn.errors import Code, SojournError

EXPECTED = (
    "file, pkcs11:token=NAME;object=NAME?module-path=PATH, vault:https://HOST:PORT/MOUNT/KEY, awskms:ARN, "
    "or gcpkms:projects/…/cryptoKeyVersions/N "
    "(see docs/how-to/keep-the-signing-key-in-an-hsm.md)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileAddress:
    """A private file in the data directory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pkcs11Address:
    """A key pair, by its label, in a token, by its label, behind a module (a shared library)."""

    module: str
    token: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TransitAddress:
    """A key of a transit engine. `base` is the server's address without a slash at its end."""

    base: str
    mount: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsAddress:
    """A key of AWS KMS by its ARN. `endpoint` "" is that of the region."""

    arn: str
    region: str
    endpoint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GcpAddress:
    """A version of a key of Google Cloud KMS by its resource name. `endpoint` "" is Google's own."""

    version: str
    endpoint: str = ""


Address = FileAddress | Pkcs11Address | TransitAddress | AwsAddress | GcpAddress

_ARN = re.compile(r"arn:aws[a-z-]*:kms:([a-z0-9-]+):[0-9]{12}:key/[A-Za-z0-9-]+")
"""Not an alias: whoever administers it could have it name another key."""

_VERSION = re.compile(r"projects/[^/?]+/locations/[^/?]+/keyRings/[^/?]+/cryptoKeys/[^/?]+/cryptoKeyVersions/[0-9]+")


def parse_address(text: str) -> Address:
    """Read the setting. Raises SojournError `settings.invalid`."""
    if text == "file":
        return FileAddress()
    if text.startswith("pkcs11:"):
        return _pkcs11(text)
    if text.startswith("vault:"):
        return _transit(text)
    if text.startswith("awskms:"):
        return _aws(text)
    if text.startswith("gcpkms:"):
        return _gcp(text)
    raise _unusable(f"{text[:60]!a} names no place for a key")


def _pkcs11(text: str) -> Pkcs11Address:
    path, _, query = text.removeprefix("pkcs11:").partition("?")
    parts = _pairs(path, ";")
    asked = _pairs(query, "&")
    if set(parts) != {"token", "object"} or set(asked) != {"module-path"}:
        raise _unusable("a PKCS#11 address needs token, object and module-path, and takes nothing else")
    return Pkcs11Address(module=asked["module-path"], token=parts["token"], label=parts["object"])


def _pairs(text: str, separator: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in filter(None, text.split(separator)):
        name, equals, value = part.partition("=")
        if not equals or not value or name in found:
            raise _unusable(f"{part[:60]!a} is no part of a PKCS#11 address")
        found[name] = unquote(value)
    return found


def _transit(text: str) -> TransitAddress:
    try:
        parts = urlsplit(text.removeprefix("vault:"))
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise _unusable("the address of the transit engine is malformed") from error
    mount, _, key = parts.path.strip("/").rpartition("/")
    if not (host and mount and key) or parts.query or parts.fragment or parts.username is not None:
        raise _unusable("the address of a transit engine is a host, a mount and a key")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(host)):
        raise _unusable("a transit engine on another machine is reached over https only")
    return TransitAddress(base=f"{parts.scheme}://{parts.netloc}", mount=mount, key=key)


def _aws(text: str) -> AwsAddress:
    arn, endpoint = _with_endpoint(text.removeprefix("awskms:"))
    found = _ARN.fullmatch(arn)
    if found is None:
        raise _unusable("a key of AWS KMS is named by its ARN (arn:aws:kms:REGION:ACCOUNT:key/ID), not by an alias")
    return AwsAddress(arn=arn, region=found[1], endpoint=endpoint)


def _gcp(text: str) -> GcpAddress:
    version, endpoint = _with_endpoint(text.removeprefix("gcpkms:"))
    if _VERSION.fullmatch(version) is None:
        raise _unusable("a key of Google Cloud KMS is named by the resource name of one of its versions")
    return GcpAddress(version=version, endpoint=endpoint)


def _with_endpoint(text: str) -> tuple[str, str]:
    """What stands before `?endpoint=`, and the address after it, "" if there is none."""
    name, question, query = text.partition("?")
    if not question:
        return name, ""
    asked = _pairs(query, "&")
    if set(asked) != {"endpoint"}:
        raise _unusable("an address of a cloud's key takes an endpoint and nothing else")
    endpoint = asked["endpoint"].rstrip("/")
    try:
        parts = urlsplit(endpoint)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise _unusable("the endpoint is malformed") from error
    if not host or parts.query or parts.fragment or parts.username is not None:
        raise _unusable("an endpoint is the address of a server")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(host)):
        raise _unusable("an endpoint on another machine is reached over https only")
    return name, endpoint


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _unusable(problem: str) -> SojournError:
    return SojournError(Code.SETTINGS_INVALID, name="scribe.signing_key", problem=problem, expected=EXPECTED)
