"""How the C library gives the gateway its memory.

Around each TLS connection uvloop keeps two buffers of 256 KiB, of which an idle session touches a page. glibc maps such
buffers by themselves, so untouched pages take no memory, but only until the first of them is given back; from then on it
cuts them out of memory that others have used before, and a session takes 10 kB more.
"""

from __future__ import annotations

import ctypes

BUFFER_BYTES = 256 * 1024
_MMAP_THRESHOLD = -3
"""`M_MMAP_THRESHOLD` of glibc's malloc.h. Setting it also ends that glibc moves it by itself (mallopt(3))."""


def keep_buffers_apart() -> bool:
    """Have buffers of that size mapped by themselves for good; False where the C library has no such setting."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    return bool(mallopt(_MMAP_THRESHOLD, BUFFER_BYTES) == 1)
