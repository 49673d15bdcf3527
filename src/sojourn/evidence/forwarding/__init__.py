"""The record as OCSF events on their way to a SIEM: by HTTPS, and by syslog over TLS."""

from __future__ import annotations

from .forwarder import Forwarder
from .https import Https
from .sink import Sink, SinkError
from .syslog import Syslog

__all__ = ["Forwarder", "Https", "Sink", "SinkError", "Syslog"]
