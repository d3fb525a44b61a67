"""Memory as the C library holds it for this process: one place for all threads, and what is free given back."""

import contextlib
import ctypes
import sys

GIVE_BACK_S = 3600.0
"""Between two times: by then a day of straps has left some hundred kilobytes in pieces that nobody uses."""

_M_ARENA_MAX = -8
"""The name in glibc's malloc.h."""


def share_memory() -> None:
    """Let the threads take memory from one place: a place for each keeps a megabyte that no other can use.

    They take turns at the interpreter's lock anyway. Other C libraries than glibc have no such places (`man mallopt`).
    """
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError):
            ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


def give_back_memory() -> None:
    """Give the system what is free between what is in use; it takes a millisecond, and glibc has it (`man malloc_trim`)."""
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError):
            ctypes.CDLL(None).malloc_trim(0)
