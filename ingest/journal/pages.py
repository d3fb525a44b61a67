"""The pages of an SQLite file and its write-ahead log, read one by one: what is whole is found whatever is not.

SQLite reads from the root down, and gives up where a page is damaged. Here each page speaks for itself; the format is
https://sqlite.org/fileformat2.html.
"""

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_TABLE_LEAF, _TABLE_INTERIOR, _INDEX_LEAF, _INDEX_INTERIOR = 0x0D, 0x05, 0x0A, 0x02
_MOST_COLUMNS = 64
_MOST_BYTES = 64 << 20
"""No row here is longer by far: a larger number is a damaged one."""

_SIZES = frozenset(1 << n for n in range(9, 17))


class Unreadable(Exception):  # noqa: N818 - expected where something is damaged
    """It is not what it should be."""


_held_open: dict[tuple[int, int], int] = {}


def _opened(path: Path) -> int:
    """A descriptor of a file, which stays open for good: closing it would take this process's locks of the database away.

    Others would believe then that nobody has it open, and delete its log (https://sqlite.org/howtocorrupt.html, 2.2).
    """
    status = path.stat()
    key = status.st_dev, status.st_ino
    if key not in _held_open:
        _held_open[key] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    return _held_open[key]


class Pages:
    """All pages of a file as they were last committed, numbered from 1."""

    def __init__(self, path: Path, expected_size: int) -> None:
        """`expected_size` is that of a page where the file does not say so any more. Raises OSError."""
        self._file = _opened(path) if path.exists() else None
        log = path.with_name(path.name + "-wal")
        written = log.read_bytes() if log.exists() else b""
        head = b"" if self._file is None else os.pread(self._file, 100, 0)
        size = struct.unpack(">H", head[16:18])[0] if head[:15] == b"SQLite format 3" else 0
        size = 65536 if size == 1 else size
        self.size = size if size in _SIZES else expected_size
        self._usable = self.size
        held = 0 if self._file is None else os.fstat(self._file).st_size
        self._logged, count = _newest_frames(written, self.size)
        self.count = max(held // self.size, count, max(self._logged, default=0))

    def page(self, number: int) -> bytes:
        """The bytes of a page. Raises Unreadable when it is not there."""
        if number in self._logged:
            return self._logged[number]
        if number < 1 or self._file is None:
            raise Unreadable(f"page {number} is not there")
        try:
            page = os.pread(self._file, self.size, (number - 1) * self.size)
        except (OSError, OverflowError) as e:  # a sector that the card does not give any more
            raise Unreadable(f"page {number}: {e}") from e
        if len(page) < self.size:
            raise Unreadable(f"page {number} is not there")
        return page

    def free(self) -> set[int] | None:
        """The pages that hold nothing any more; None where that cannot be said."""
        found = set[int]()
        try:
            first = self.page(1)
            if first[:15] != b"SQLite format 3":
                return None
            trunk, held = struct.unpack(">II", first[32:40])
            while trunk:
                if trunk in found or trunk > self.count:
                    return None
                page = self.page(trunk)
                following, n = struct.unpack(">II", page[:8])
                if n > self.size // 4 - 2:
                    return None
                found |= {trunk, *struct.unpack(f">{n}I", page[8 : 8 + 4 * n])}
                trunk = following
        except Unreadable:
            return None
        return found if len(found) == held else None

    def leaves(self, root: int) -> tuple[set[int], bool]:
        """The pages below a root that hold rows of its table, and whether all of them were found."""
        found, waiting, seen = set[int](), [root], set[int]()
        is_whole = True
        while waiting:
            number = waiting.pop()
            if number in seen:
                continue
            seen.add(number)
            try:
                page = self.page(number)
            except Unreadable:
                is_whole = False
                continue
            head = 100 if number == 1 else 0
            if page[head] == _TABLE_LEAF:
                found.add(number)
            elif page[head] == _TABLE_INTERIOR:
                waiting += self._children(page, head)
            else:
                is_whole = False
        return found, is_whole

    def _children(self, page: bytes, head: int) -> Iterator[int]:
        (cells,) = struct.unpack(">H", page[head + 3 : head + 5])
        yield struct.unpack(">I", page[head + 8 : head + 12])[0]
        for i in range(min(cells, self.size // 6)):
            at = head + 12 + 2 * i
            (start,) = struct.unpack(">H", page[at : at + 2].ljust(2, b"\0"))
            if start + 4 <= self.size:
                yield struct.unpack(">I", page[start : start + 4])[0]

    def holds_rows(self, number: int) -> bool:
        """Whether a page says that it holds rows of a table."""
        try:
            return self.page(number)[100 if number == 1 else 0] == _TABLE_LEAF
        except Unreadable:
            return False

    def index(self, root: int) -> Iterator[list[Any]]:
        """What an index of few small rows holds, as far as it can be read: a page, and those right below it."""
        waiting, seen = [root], set[int]()
        while waiting:
            number = waiting.pop()
            try:
                page = self.page(number)
                if number in seen or page[0] not in {_INDEX_LEAF, _INDEX_INTERIOR}:
                    continue
                seen.add(number)
                is_leaf = page[0] == _INDEX_LEAF
                head = 8 if is_leaf else 12
                if not is_leaf:
                    waiting += self._children(page, 0)
                for i in range(min(struct.unpack(">H", page[3:5])[0], self.size // 4)):
                    (start,) = struct.unpack(">H", page[head + 2 * i : head + 2 * i + 2])
                    length, at = _varint(page, start + (0 if is_leaf else 4))
                    yield _values(page[at : at + length])
            except (Unreadable, IndexError, struct.error):
                continue

    def rows(self, number: int) -> Iterator[tuple[int, list[Any]] | None]:
        """The rows of a page: (number of the row, its values), None for one that cannot be read."""
        page = self.page(number)
        head = 100 if number == 1 else 0
        (cells,) = struct.unpack(">H", page[head + 3 : head + 5])
        for i in range(min(cells, (self.size - head - 8) // 2)):
            at = head + 8 + 2 * i
            (start,) = struct.unpack(">H", page[at : at + 2])
            try:
                yield self._row(page, start)
            except (Unreadable, IndexError, struct.error):
                yield None

    def _row(self, page: bytes, start: int) -> tuple[int, list[Any]]:
        length, at = _varint(page, start)
        number, at = _varint(page, at)
        if length > _MOST_BYTES:
            raise Unreadable("a row is too long")
        most = self._usable - 35
        local = length
        if length > most:
            least = (self._usable - 12) * 32 // 255 - 23
            local = least + (length - least) % (self._usable - 4)
            local = local if local <= most else least
        payload = page[at : at + local]
        if len(payload) < local:
            raise Unreadable("a row ends with its page")
        if local < length:
            (following,) = struct.unpack(">I", page[at + local : at + local + 4])
            payload = self._overflow(payload, following, length)
        return number - (1 << 64) if number >> 63 else number, _values(payload)

    def _overflow(self, begun: bytes, following: int, length: int) -> bytes:
        parts, held = [begun], len(begun)
        while held < length:
            page = self.page(following)
            (following,) = struct.unpack(">I", page[:4])
            part = page[4 : 4 + min(self._usable - 4, length - held)]
            parts.append(part)
            held += len(part)
        return b"".join(parts)


def _varint(page: bytes, at: int) -> tuple[int, int]:
    number = 0
    for i in range(8):
        byte = page[at + i]
        number = number << 7 | byte & 0x7F
        if byte < 0x80:
            return number, at + i + 1
    return number << 8 | page[at + 8], at + 9


def _values(payload: bytes) -> list[Any]:
    head, at = _varint(payload, 0)
    if head > len(payload):
        raise Unreadable("a row's header is longer than the row")
    kinds = []
    while at < head:
        kind, at = _varint(payload, at)
        kinds.append(kind)
        if len(kinds) > _MOST_COLUMNS:
            raise Unreadable("too many columns")
    values, at = [], head
    for kind in kinds:
        value, at = _value(payload, kind, at)
        values.append(value)
    return values


_INTEGERS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}


def _value(payload: bytes, kind: int, at: int) -> tuple[Any, int]:
    if kind in {0, 8, 9}:
        return (None if kind == 0 else kind - 8), at
    if kind in {10, 11}:
        raise Unreadable("a reserved kind of value")
    length = _INTEGERS.get(kind) or (8 if kind == 7 else (kind - 12) // 2)
    data = payload[at : at + length]
    if len(data) < length:
        raise Unreadable("a value is cut off")
    at += length
    if kind in _INTEGERS:
        return int.from_bytes(data, "big", signed=True), at
    if kind == 7:
        return struct.unpack(">d", data)[0], at
    if kind % 2 == 0:
        return data, at
    try:
        return data.decode(), at
    except UnicodeDecodeError as e:
        raise Unreadable("no text") from e


def _newest_frames(log: bytes, size: int) -> tuple[dict[int, bytes], int]:
    """Each page as the log has it last, up to its last commit; and how many pages there were then.

    A frame of the right round counts although its checksum is wrong, and those behind it: what of it is damaged is found
    by the seals of its rows. SQLite would forget all that came after it.
    """
    if len(log) < 32 or struct.unpack(">I", log[:4])[0] & ~1 != 0x377F0682:
        return {}, 0
    salts = log[16:24]
    newest, since = dict[int, bytes](), dict[int, bytes]()
    count = 0
    for at in range(32, len(log) - 24 - size + 1, 24 + size):
        number, committed = struct.unpack(">II", log[at : at + 8])
        if log[at + 8 : at + 16] != salts:
            continue  # of an earlier round, or damaged: those of this round may go on behind it
        since[number] = log[at + 24 : at + 24 + size]
        if committed:
            newest |= since
            since = {}
            count = committed
    return newest, count
