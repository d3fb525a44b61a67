"""A stream of known length whose bytes come from elsewhere: a part of a file, or a file that another process has open."""

import io


class SizedStream(io.RawIOBase):
    """Remembers the place at which a reader is; who knows the bytes says in `readinto` which are there."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self._size, self._at = size, 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go to a place within it, or behind it."""
        at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if at < 0:
            # As a file does, but for its number: zipfile looks for parts that a small zip has no room for.
            raise OSError("a place before the beginning")
        self._at = at
        return at
