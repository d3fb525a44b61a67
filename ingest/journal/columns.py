"""Columns of numbers as small blobs: how a chunk lies on disk."""

import zlib

import numpy as np
from numpy.typing import NDArray

from zones.series import TIMES

PACKING = 1
"""How columns and notifications lie in the blobs of a chunk. Each chunk says its own, so that another can come beside it."""

LEVEL = 1
"""Differences of heart rates compress as well at level 1 as at 9, at a tenth of the time."""


def pack_times(times: NDArray[np.datetime64]) -> bytes:
    """Ascending datetime64[ms] as compressed steps; the first time is kept by the chunk itself.

    Steps are stored byte by byte (all lowest bytes, then the next): regular recordings shrink to almost nothing.
    """
    steps = np.diff(times.astype(TIMES).astype(np.int64))
    if len(steps) and (steps.min() < 0 or steps.max() > 0xFFFFFFFF):
        raise ValueError("the times of a chunk must ascend, less than 49 days apart")
    return zlib.compress(
        np.ascontiguousarray(steps.astype("<u4").view(np.uint8).reshape(-1, 4).T).tobytes(), LEVEL
    )


def unpack_times(blob: bytes, first_ms: int, count: int) -> NDArray[np.datetime64]:
    """The times that `pack_times` stored (datetime64[ms], read-only)."""
    if not count:
        return np.empty(0, TIMES)
    raw = np.frombuffer(zlib.decompress(blob), np.uint8).reshape(4, -1)
    steps = np.ascontiguousarray(raw.T).view("<u4").ravel()
    ms = np.empty(count, np.int64)
    ms[0] = first_ms
    ms[1:] = steps
    times = np.cumsum(ms, out=ms).view(TIMES)
    times.flags.writeable = False
    return times


def pack_bpm(bpm: NDArray[np.uint8]) -> bytes:
    """Heart rates as compressed differences, modulo 256."""
    return zlib.compress(np.diff(bpm.astype(np.uint8), prepend=np.uint8(0)).tobytes(), LEVEL)


def unpack_bpm(blob: bytes) -> NDArray[np.uint8]:
    """The heart rates that `pack_bpm` stored (uint8, read-only)."""
    bpm = np.cumsum(np.frombuffer(zlib.decompress(blob), np.uint8), dtype=np.uint8)
    bpm.flags.writeable = False
    return bpm


def pack_rr(rr_ms: NDArray[np.float32]) -> bytes:
    """R-R intervals in ms as compressed 32-bit floats: exact for 1/1000 s (files) and 1/1024 s (straps)."""
    return zlib.compress(rr_ms.astype("<f4").tobytes(), LEVEL)


def unpack_rr(blob: bytes) -> NDArray[np.float32]:
    """The intervals that `pack_rr` stored (float32, read-only)."""
    return np.frombuffer(zlib.decompress(blob), "<f4").astype(np.float32, copy=False)


def pack_spans(start_ms: NDArray[np.int64], end_ms: NDArray[np.int64]) -> bytes:
    """Stretches of time as compressed pairs of milliseconds."""
    return zlib.compress(np.stack([start_ms, end_ms]).astype("<i8").tobytes(), LEVEL)


def unpack_spans(blob: bytes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The (starts, ends) that `pack_spans` stored."""
    both = np.frombuffer(zlib.decompress(blob), "<i8").reshape(2, -1).astype(np.int64)
    return both[0], both[1]
