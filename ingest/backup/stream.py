"""Records cut into blocks where what they hold says so: one that comes in between changes the block that it is in, and no other.

What a copy needs is told by lists of blocks, which are blocks themselves and cut in the same way.
"""

import zlib
from collections.abc import Callable, Iterator, Sequence

from ingest.backup.block import ID_BYTES, Damaged

USUAL_BYTES = 64 << 10
"""How long a block becomes as a rule: a record of n bytes is its last with a probability of n to this."""

LONGEST_BYTES = 512 << 10

_RECORDS, _CONTENT = b"R", b"C"
_ENTRY_BYTES = 1 + ID_BYTES
_USUAL_ENTRIES = 256
"""One block in so many is the last of its list."""

_MOST_ENTRIES = 4096


class StreamWriter:
    """Takes records; `keep` puts a block away and gives what it is known by."""

    def __init__(self, keep: Callable[[bytes], bytes]) -> None:
        self._keep = keep
        self._records: list[bytes] = []
        self._size = 0
        self._entries: list[bytes] = []
        self._lists: list[str] = []

    def add(self, record: bytes) -> None:
        """Put a record behind those before it."""
        self._records.append(record)
        self._size += len(record)
        if zlib.crc32(record) % USUAL_BYTES < len(record) or self._size >= LONGEST_BYTES:
            self.cut()

    def cut(self) -> None:
        """Begin a new block, whatever comes."""
        if self._records:
            self._enter(_RECORDS, self._keep(b"".join(self._records)))
            self._records, self._size = [], 0

    def content(self, known_by: bytes) -> None:
        """Note a block to which a record points, so that it is kept as long as the record."""
        self._enter(_CONTENT, known_by)

    def _enter(self, kind: bytes, known_by: bytes) -> None:
        self._entries.append(kind + known_by)
        ends = int.from_bytes(known_by[:4], "big") % _USUAL_ENTRIES == 0
        if ends or len(self._entries) >= _MOST_ENTRIES:
            self._close_list()

    def _close_list(self) -> None:
        if self._entries:
            self._lists.append(self._keep(b"".join(self._entries)).hex())
            self._entries = []

    def end(self) -> tuple[str, ...]:
        """What the lists are known by, in order."""
        self.cut()
        self._close_list()
        return tuple(self._lists)


def listed(entries: bytes) -> Iterator[tuple[bool, bytes]]:
    """(Whether it holds records, what it is known by) for each block of a list."""
    for at in range(0, len(entries), _ENTRY_BYTES):
        yield entries[at : at + 1] == _RECORDS, entries[at + 1 : at + _ENTRY_BYTES]


def passing_over(read: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    """The same, but a block that is damaged holds nothing. Records begin and end with their block: the others stay whole."""

    def read_what_is_whole(known_by: bytes) -> bytes:
        try:
            return read(known_by)
        except Damaged:
            return b""

    return read_what_is_whole


def records(lists: Sequence[str], read: Callable[[bytes], bytes]) -> Iterator[bytes]:
    """The bytes of all records of a copy, in portions; an empty one for what is passed over. Raises what `read` raises."""
    for one in lists:
        entries = read(bytes.fromhex(one))
        if not entries:
            yield b""
        for holds_records, known_by in listed(entries):
            if holds_records:
                yield read(known_by)
