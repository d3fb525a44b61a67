"""The long values of rows, kept on disk while a new journal is put together."""

import os
import tempfile
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Row = tuple[Any, ...]

_SHORT_BYTES = 64
"""What is longer is kept on disk while it is put together: a journal of ten years is larger than the memory of a small Pi."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the file for it something lies."""

    at: int
    length: int


class Aside:
    """A file without a name for the long values of rows."""

    def __init__(self, folder: Path) -> None:
        """Raises OSError."""
        # Who may only read the journal has no place in its folder.
        with tempfile.TemporaryFile(dir=folder if os.access(folder, os.W_OK) else None) as file:
            self._descriptor = os.dup(file.fileno())
        weakref.finalize(self, os.close, self._descriptor)
        self._length = 0

    def put(self, row: Row) -> Row:
        """The row with its long values left here. Raises OSError."""
        return tuple(self._put(v) if type(v) is bytes and len(v) > _SHORT_BYTES else v for v in row)

    def _put(self, value: bytes) -> _Place:
        left = value
        while left:
            left = left[os.pwrite(self._descriptor, left, self._length + len(value) - len(left)) :]
        self._length += len(value)
        return _Place(self._length - len(value), len(value))

    def whole(self, row: Row) -> Row:
        """The row as it was. Raises OSError."""
        return tuple(os.pread(self._descriptor, v.length, v.at) if type(v) is _Place else v for v in row)
