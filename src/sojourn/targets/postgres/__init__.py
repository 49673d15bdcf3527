"""Temporary login roles in PostgreSQL: made, read back, taken away, and looked at beforehand."""

from .driver import PostgresDriver

__all__ = ["PostgresDriver"]
