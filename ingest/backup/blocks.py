"""All blocks of a backup: which are there, one more, and room made of those that nobody needs."""

import contextlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path

from ingest.backup.block import Damaged, block_id, packed
from ingest.backup.pack import (
    PACK_BYTES,
    PackWriter,
    Spot,
    pack_numbers,
    pack_path,
    read_block,
    read_spots,
    remember,
)
from ingest.system.crash_points import reached
from ingest.system.files import NO_ROOM

_SMALL_BYTES = 512 << 10
_MOST_SMALL = 96
"""So many small packs are made one; each hour makes one."""


class Blocks:
    """The blocks in the packs of a folder. A second copy of one is never written, but for one that is damaged."""

    def __init__(self, folder: Path, mode: int, *, reading: bool = False) -> None:
        """`reading`: a pack that the disk cannot read holds nothing, if others do. Raises OSError."""
        self._folder, self._mode = folder, mode
        self._spots: dict[bytes, Spot] = {}
        self._new: set[bytes] = set()
        self._writer = PackWriter(folder, mode)
        self.written_bytes = 0
        self.lacking_bytes = 0
        """What found no room on a full disk. From the first block on that found none, blocks are only counted."""
        self._counts: dict[int, int] = {}
        for number in pack_numbers(folder):
            found = read_spots(folder, number, reading=reading)
            self._counts[number] = len(found)
            self._spots |= found  # the newest counts: it took the place of a damaged one
        if self._counts and not self._spots:
            for number in self._counts:  # a stick that was pulled: raises why
                read_spots(folder, number)

    def __contains__(self, known_by: bytes) -> bool:
        return known_by in self._spots or known_by in self._new

    def read(self, known_by: bytes) -> bytes:
        """A block. Raises Damaged, OSError."""
        spot = self._spots.get(known_by)
        if spot is None:
            raise Damaged
        return read_block(self._folder, known_by, spot)

    def keep(self, data: bytes) -> bytes:
        """Put a block away, and give what it is known by. Raises OSError."""
        known_by = block_id(data)
        if known_by not in self:
            self._new.add(known_by)
            if self.lacking_bytes:
                self.lacking_bytes += len(packed(data))
            else:
                with self._noticing_no_room():
                    self._writer.add(known_by, data)
                    if self._writer.length >= PACK_BYTES:
                        self._finish()
        return known_by

    def flush(self) -> None:
        """Have the disk remember all that was kept. Raises OSError."""
        if not self.lacking_bytes:
            with self._noticing_no_room():
                self._finish()

    @contextlib.contextmanager
    def _noticing_no_room(self) -> Iterator[None]:
        try:
            yield
        except OSError as e:
            if e.errno not in NO_ROOM:
                raise
            self.lacking_bytes = max(self._writer.length, 1)
            self._writer.drop()

    def _finish(self) -> None:
        length = self._writer.length
        spots = self._writer.finish()
        if spots:
            self.written_bytes += length
        self._spots |= spots
        self._new -= spots.keys()

    def packs(self) -> list[int]:
        """The numbers of all packs."""
        return pack_numbers(self._folder)

    def prove(self, numbers: Collection[int], mark: Callable[[int], None]) -> int:
        """Read packs, and give how many blocks in them are damaged; these count as not there, and are written again when met.

        `mark` is told how many bytes more are read.
        """
        damaged = 0
        for known_by, spot in list(self._spots.items()):
            if spot.pack in numbers:
                mark(spot.length)
                try:
                    self.read(known_by)
                except Damaged:
                    del self._spots[known_by]
                    damaged += 1
        return damaged

    def freed_by(self, needed: Collection[bytes], free_bytes: int) -> int:
        """How much room it makes to keep the blocks that are needed, as `tidy` does it where so much is free."""
        mine, sizes = self._by_pack(needed), self._sizes()
        freed = sum(size for number, size in sizes.items() if number not in mine)
        free_bytes += freed
        for number in self._mostly_idle(mine, sizes):
            live = self._length(mine[number])
            if live < free_bytes:
                freed, free_bytes = freed + sizes[number] - live, free_bytes - live
        return freed

    def tidy(self, needed: Collection[bytes], *, wholly: bool, mark: Callable[[int], None]) -> None:
        """Delete what is not needed. A pack that is needed in part is written anew without the rest where that is most of it.

        `wholly`: however little it is. Raises OSError.
        """
        mine, sizes = self._by_pack(needed), self._sizes()
        self._delete(number for number in sizes if number not in mine)
        small = [number for number in mine if sizes[number] < _SMALL_BYTES]
        again = set(self._mostly_idle(mine, sizes))
        if wholly:
            again |= {number for number in mine if len(mine[number]) < self._counts.get(number, 0)}
        if len(small) > _MOST_SMALL:
            again |= set(small)
        with contextlib.suppress(_Full):
            self._rewrite({number: mine[number] for number in sorted(again)}, mark)

    def _by_pack(self, needed: Collection[bytes]) -> Mapping[int, list[bytes]]:
        mine: defaultdict[int, list[bytes]] = defaultdict(list)
        for known_by in needed:
            if known_by in self._spots:
                mine[self._spots[known_by].pack].append(known_by)
        return mine

    def _sizes(self) -> dict[int, int]:
        return {number: pack_path(self._folder, number).stat().st_size for number in self.packs()}

    def _length(self, mine: Collection[bytes]) -> int:
        return sum(self._spots[known_by].length for known_by in mine)

    def _mostly_idle(self, mine: Mapping[int, list[bytes]], sizes: Mapping[int, int]) -> list[int]:
        return [number for number in sorted(mine) if self._length(mine[number]) < sizes[number] / 2]

    def _rewrite(self, packs: Mapping[int, Collection[bytes]], mark: Callable[[int], None]) -> None:
        done = []
        for number, mine in packs.items():
            try:
                for known_by in mine:
                    mark(0)
                    self._move(known_by)
            except Damaged:
                continue  # it stays where it is, and so does its pack
            done.append(number)
        self.flush()
        if not self.lacking_bytes:
            self._delete(done)

    def _move(self, known_by: bytes) -> None:
        data, spot = self.read(known_by), self._spots.pop(known_by)
        self.keep(data)
        if self.lacking_bytes:
            self._spots[known_by] = spot
            raise _Full

    def _delete(self, numbers: Iterable[int]) -> None:
        gone = list(numbers)
        for number in gone:
            pack_path(self._folder, number).unlink(missing_ok=True)
            reached("pack deleted")
        if gone:
            remember(self._folder)
            lost = set(gone)
            self._spots = {known_by: spot for known_by, spot in self._spots.items() if spot.pack not in lost}


class _Full(Exception):  # noqa: N818 - a state of the disk
    """The disk has no room for what is moved within it."""
