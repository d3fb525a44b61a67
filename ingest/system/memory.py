"""Memory as the C library holds it for this process: one place for all threads, and what is free given back."""

import contextlib
import ctypes
import sys

GIVE_BACK_S = 3600.0
"""Between two times: by then a day of straps has left some hundred kilobytes in pieces that nobody uses."""

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
"""The names in glibc's malloc.h."""

_LARGE_BYTES = 128 << 10
"""From here on a piece of memory is the system's again as soon as it is free. It is where glibc begins; but each time a
larger one is freed it takes that for the bound from then on, so that a day's columns, counted once, leave gaps for good."""


def share_memory() -> None:
    """Let the threads take memory from one place: a place for each keeps a megabyte that no other can use.

    They take turns at the interpreter's lock anyway. Other C libraries than glibc have no such places (`man mallopt`).
    """
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError):
            libc = ctypes.CDLL(None)
            libc.mallopt(_M_ARENA_MAX, 1)
            libc.mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
            libc.mallopt(_M_TRIM_THRESHOLD, _LARGE_BYTES)


def give_back_memory() -> None:
    """Give the system what is free between what is in use; it takes a millisecond, and glibc has it (`man malloc_trim`)."""
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError):
            ctypes.CDLL(None).malloc_trim(0)
