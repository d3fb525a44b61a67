"""What a strap notified, octet by octet, and how that lies on disk."""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ingest.formats.characteristics import HEART_RATE_MEASUREMENT

LEVEL = 6
"""Half the bytes of level 1, and at a notification a second no work at all."""


@dataclass(frozen=True, slots=True, eq=False)
class Notifications:
    """Notifications of one connection to a strap, in the order in which they came, at least one.

    `boot` and `connection_ms` name the connection: the number of the boot, and the steady clock (CLOCK_BOOTTIME, ms) when it
    began. `steady_ms` (int64, never descending) is when each came, `lengths` (int64) how many octets it has; `octets`
    (uint8) are those of all of them. `characteristic` says which one they are of, in the words of
    `ingest.formats.characteristics`; a connection brings those of one.
    """

    boot: str
    connection_ms: int
    steady_ms: NDArray[np.int64]
    lengths: NDArray[np.int64]
    octets: NDArray[np.uint8]
    characteristic: str = HEART_RATE_MEASUREMENT

    @classmethod
    def from_arrivals(
        cls,
        boot: str,
        connection_ms: int,
        arrivals: Iterable[tuple[int, bytes]],
        characteristic: str = HEART_RATE_MEASUREMENT,
    ) -> Self:
        """Those of pairs of steady clock and payload."""
        pairs = list(arrivals)
        octets = b"".join(payload for _, payload in pairs)
        return cls.from_columns(
            boot,
            connection_ms,
            [at for at, _ in pairs],
            [len(payload) for _, payload in pairs],
            np.frombuffer(octets, np.uint8),
            characteristic,
        )

    @classmethod
    def from_columns(
        cls,
        boot: str,
        connection_ms: int,
        steady_ms: ArrayLike,
        lengths: ArrayLike,
        octets: NDArray[np.uint8],
        characteristic: str = HEART_RATE_MEASUREMENT,
    ) -> Self:
        """Those of columns.

        Raises ValueError when there are none, or the columns do not fit each other, or the clock goes back.
        """
        at, n = np.asarray(steady_ms, np.int64), np.asarray(lengths, np.int64)
        if not len(at) or at.shape != n.shape or n.min() < 0 or n.sum() != len(octets):
            raise ValueError(f"{len(at)} notifications, {len(n)} lengths, {len(octets)} octets do not fit")
        if (np.diff(at) < 0).any():
            raise ValueError("a steady clock never goes back")
        return cls(boot, connection_ms, at, n, octets, characteristic)

    def __len__(self) -> int:
        return len(self.steady_ms)

    @property
    def payloads(self) -> list[bytes]:
        """The payload of each."""
        raw, ends = self.octets.tobytes(), np.cumsum(self.lengths).tolist()
        return [raw[end - n : end] for end, n in zip(ends, self.lengths.tolist(), strict=True)]

    def between(self, first: int, behind: int) -> "Notifications":
        """Those from one up to another, which is not among them."""
        ends = np.cumsum(self.lengths)
        a, b = (int(ends[i - 1]) if i else 0 for i in (first, behind))
        return replace(
            self,
            steady_ms=self.steady_ms[first:behind],
            lengths=self.lengths[first:behind],
            octets=self.octets[a:b],
        )

    def pack(self) -> bytes:
        """All but the connection and the first moment, small: lengths, steps of the clock, octets.

        Numbers are stored byte by byte (all lowest bytes, then the next): those of a strap hardly change.
        """
        steps = np.diff(self.steady_ms, prepend=self.steady_ms[0])
        if steps.max() > 0xFFFFFFFF:
            raise ValueError("two notifications of one chunk lie less than 49 days apart")
        return zlib.compress(
            _planes(self.lengths) + _planes(steps) + np.ascontiguousarray(self.octets).tobytes(), LEVEL
        )

    @classmethod
    def unpack(
        cls,
        boot: str,
        connection_ms: int,
        parts: Iterable[tuple[bytes, int, int]],
        characteristic: str = HEART_RATE_MEASUREMENT,
    ) -> Self:
        """What `pack` stored, of one connection: (blob, steady clock of the first, how many there are) of each part.

        Parts come in the order of the steady clock, as connections are read in parts far more often than they are merged.
        Raises ValueError or zlib.error when that is not what a blob holds.
        """
        blobs, firsts, counts = zip(*parts, strict=True)
        packed = [zlib.decompress(blob) for blob in blobs]
        size, count = (np.array(column, np.int64) for column in ([len(p) for p in packed], counts))
        if (size < 8 * count).any():
            raise ValueError(f"too short for {counts} notifications")
        # All parts at once: there are hundreds of them, of five notifications each.
        raw = np.frombuffer(b"".join(packed), np.uint8)
        part = np.repeat(np.arange(len(count), dtype=np.intp), count.astype(np.intp))
        begins, before = np.cumsum(size) - size, np.cumsum(count) - count
        at = begins[part] + np.arange(len(part), dtype=np.intp) - before[part]
        planes = raw[at[:, None] + count[part][:, None] * np.arange(8, dtype=np.intp)]
        lengths, steps = np.ascontiguousarray(planes).view("<u4").astype(np.int64).T
        held = np.bincount(part, lengths, len(count)).astype(np.int64)
        if (held != size - 8 * count).any():
            raise ValueError("octets and lengths do not fit")
        passed = np.cumsum(steps)
        steady = np.array(firsts, np.int64)[part] + passed - (passed - steps)[before[part]]
        many = size.astype(np.intp)
        inside = np.arange(len(raw), dtype=np.intp) - np.repeat(begins, many) >= np.repeat(8 * count, many)
        octets = raw[inside]
        return cls.from_columns(
            boot, connection_ms, steady, np.ascontiguousarray(lengths), octets, characteristic
        )


def _planes(numbers: NDArray[np.int64]) -> bytes:
    return np.ascontiguousarray(numbers.astype("<u4").view(np.uint8).reshape(-1, 4).T).tobytes()
