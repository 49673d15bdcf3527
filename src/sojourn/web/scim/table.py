"""Every address below /scim/v2."""

from __future__ import annotations

from . import about, groups, users
from .answering import Way

SCIM: tuple[Way, ...] = (
    Way("GET", "/ServiceProviderConfig", about.configuration),
    Way("GET", "/ResourceTypes", about.resource_types),
    Way("GET", "/ResourceTypes/{name}", about.resource_type),
    Way("GET", "/Schemas", about.schemas),
    Way("GET", "/Schemas/{name}", about.schema),
    Way("GET", "/Users", users.listing),
    Way("POST", "/Users", users.create),
    Way("GET", "/Users/{name}", users.one),
    Way("PUT", "/Users/{name}", users.put),
    Way("PATCH", "/Users/{name}", users.patch),
    Way("DELETE", "/Users/{name}", users.delete),
    Way("GET", "/Groups", groups.listing),
    Way("POST", "/Groups", groups.create),
    Way("GET", "/Groups/{name}", groups.one),
    Way("PUT", "/Groups/{name}", groups.put),
    Way("PATCH", "/Groups/{name}", groups.patch),
    Way("DELETE", "/Groups/{name}", groups.delete),
)
"""The table."""
