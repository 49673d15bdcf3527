"""An access on an SSH host: certificates from Sojourn's authority, and an account if one is to be made."""

from .driver import SshDriver

__all__ = ["SshDriver"]
