"""How messages of one kind are laid out, where they are, and their fields as columns.

Source: FIT SDK, "FIT Protocol" (definition messages, base types, developer data).
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Column = NDArray[Any]

Run = tuple[int, int]
"""Offset of the first of so many messages that follow each other without a gap."""


WHOLE = {1: "u1", 2: "u2", 4: "u4", 8: "u8"}
"""numpy's words for whole numbers without a sign, by their bytes."""


class Definition:
    """One layout of messages; remembers the positions (offsets of the header byte) of all that use it.

    `raw` is the definition message without its header byte: reserved, byte order, global number, number of
    fields, then (number, size, base type) per field; developer fields likewise behind a count of their own.
    """

    __slots__ = ("_positions", "number", "pending", "pieces", "raw", "size")

    def __init__(self, raw: bytes) -> None:
        fields = 5 + 3 * raw[4]
        self.raw = raw
        self.number = int.from_bytes(raw[2:4], "big" if raw[1] & 1 else "little")
        self.size = 1 + sum(raw[6:fields:3]) + sum(raw[fields + 2 :: 3])
        self.pieces: list[Run | NDArray[np.intp]] = []
        self.pending: list[int] = []
        self._positions: NDArray[np.intp] | None = None

    @property
    def big_endian(self) -> bool:
        """Whether numbers of several octets begin with the highest one."""
        return bool(self.raw[1] & 1)

    @property
    def has_developer_fields(self) -> bool:
        """Whether fields of a maker's own follow the standard ones."""
        return len(self.raw) > 5 + 3 * self.raw[4]

    def field(self, number: int) -> tuple[int, int, int] | None:
        """Offset from the header byte, size and base type of a field; None where the definition lacks it."""
        raw = self.raw
        i = raw[5 : 5 + 3 * raw[4] : 3].find(number)
        if i < 0:
            return None
        return 1 + sum(raw[6 : 6 + 3 * i : 3]), raw[6 + 3 * i], raw[7 + 3 * i]

    def fields(self) -> Iterator[tuple[int, int, int, int]]:
        """(number, offset, size, base type) of every field."""
        raw, offset = self.raw, 1
        for i in range(5, 5 + 3 * raw[4], 3):
            yield raw[i], offset, raw[i + 1], raw[i + 2]
            offset += raw[i + 1]

    def developer_fields(self) -> Iterator[tuple[int, int, int, int]]:
        """(number, offset, size, index of the developer) of every developer field."""
        raw = self.raw
        at = 5 + 3 * raw[4]
        offset = 1 + sum(raw[6:at:3])
        for i in range(at + 1, len(raw) - 2, 3):
            yield raw[i], offset, raw[i + 1], raw[i + 2]
            offset += raw[i + 1]

    def flush(self) -> None:
        """Move positions from the list (40 bytes each) into an array (8 bytes each)."""
        if self.pending:
            self.pieces.append(np.fromiter(self.pending, np.intp, len(self.pending)))
            self.pending.clear()

    def add_run(self, first: int, count: int) -> None:
        """Note `count` messages, one directly behind the other, the first at the offset `first`."""
        self.flush()
        self.pieces.append((first, count))

    def __len__(self) -> int:
        return len(self.pending) + sum(p[1] if isinstance(p, tuple) else len(p) for p in self.pieces)

    @property
    def last(self) -> int:
        """Position of the last message; -1 when there is none."""
        if self.pending:
            return self.pending[-1]
        if not self.pieces:
            return -1
        piece = self.pieces[-1]
        return piece[0] + (piece[1] - 1) * self.size if isinstance(piece, tuple) else int(piece[-1])

    def drop_last(self) -> None:
        """Forget the message noted last."""
        if not self.pending:
            piece = self.pieces.pop()
            if isinstance(piece, tuple):
                self.pending = list(range(piece[0], piece[0] + piece[1] * self.size, self.size))
            else:
                self.pending = piece.tolist()
        self.pending.pop()

    @property
    def positions(self) -> NDArray[np.intp]:
        """Where the messages are, ascending."""
        if self._positions is None:
            self.flush()
            parts = [
                np.arange(p[0], p[0] + p[1] * self.size, self.size, dtype=np.intp)
                if isinstance(p, tuple)
                else p
                for p in self.pieces
            ]
            self._positions = parts[0] if len(parts) == 1 else np.concatenate([np.empty(0, np.intp), *parts])
        return self._positions

    def each_position(self, most: int | None = None) -> list[int]:
        """The positions, or the first so many of them, as Python's own numbers."""
        return self.pending[:most] if not self.pieces else self.positions[:most].tolist()

    def column(self, data: bytes, offset: int, kind: str) -> Column:
        """The bytes at `offset` of every message as one column of the numpy type `kind` ("u1", "u2", "u4", ...).

        A view into the file where the messages lie evenly, otherwise a copy.
        """
        dtype = _dtype(kind, self.raw[1] & 1)
        if self.pending:
            self.flush()
        pieces = self.pieces
        if len(pieces) == 1:
            return _piece(data, pieces[0], self.size, offset, dtype)
        if not pieces:
            return np.empty(0, dtype)
        return np.concatenate([_piece(data, p, self.size, offset, dtype) for p in pieces])

    def value(self, data: bytes, number: int, size: int | None = None) -> Column | None:
        """A whole-number field of every message as a column; None where the definition has no such field.

        Read as unsigned whatever its base type; with `size` only when it has that many bytes.
        """
        where = self.field(number)
        if where is None or where[1] not in WHOLE or (size is not None and where[1] != size):
            return None
        return self.column(data, where[0], WHOLE[where[1]])

    def table(self, data: bytes, number: int, width: int) -> Column | None:
        """An array field as one row per message of unsigned numbers of `width` bytes; None where it is absent."""
        where = self.field(number)
        if where is None or where[1] < width:
            return None
        size = where[1] // width * width
        rows = self.column(data, where[0], f"V{size}")  # at most V255
        # An explicit copy: a view of bytes as numbers must lie close together.
        return (
            np.ascontiguousarray(rows)
            .view(f"{'>' if self.big_endian else '<'}u{width}")
            .reshape(-1, size // width)
        )


@cache
def _dtype(kind: str, big_endian: int) -> np.dtype[Any]:
    return np.dtype(kind if kind[0] == "V" else (">" if big_endian else "<") + kind)


def _piece(
    data: bytes, piece: Run | NDArray[np.intp], stride: int, offset: int, dtype: np.dtype[Any]
) -> Column:
    if isinstance(piece, tuple):
        return np.ndarray((piece[1],), dtype, data, piece[0] + offset, (stride,))
    everywhere: Column = np.ndarray((len(data) - offset - dtype.itemsize + 1,), dtype, data, offset, (1,))
    return everywhere[piece]
