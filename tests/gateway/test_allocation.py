"""A large buffer is mapped by itself, also after others have been given back."""

from __future__ import annotations

import subprocess
import sys

_SCRIPT = """
import ctypes
from sojourn.app.allocation import BUFFER_BYTES, keep_buffers_apart
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]
assert keep_buffers_apart()
for _ in range(20):
    address = libc.malloc(BUFFER_BYTES)
    # A mapping begins at a page, and glibc's own two words stand before what it gives.
    assert address % 4096 == 16, address
    libc.free(address)
"""


def test_a_buffer_that_was_given_back_does_not_bring_the_next_one_into_used_memory() -> None:
    told = subprocess.run([sys.executable, "-c", _SCRIPT], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
