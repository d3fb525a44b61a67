"""Which copies are whole, and what is whole of the others: they share blocks, so one that is damaged spoils many."""

from collections.abc import Callable

from ingest.backup.block import Damaged
from ingest.backup.content import kept_files
from ingest.backup.copies import Backup, Copy
from ingest.backup.stream import listed, passing_over


class Survey:
    """The copies of a folder, all of whose blocks were read once."""

    def __init__(self, backup: Backup, mark: Callable[[int], None]) -> None:
        """`mark` is told how many bytes of packs more are read. Raises OSError where the disk has gone."""
        self._blocks = backup.blocks()
        self._blocks.prove(self._blocks.packs(), mark)
        self._known: dict[str, bool] = {}

    def is_whole(self, copy: Copy) -> bool:
        """Whether all that a copy needs is there as it was written."""
        return all(map(self._has, copy.lists))

    def has_journal(self, copy: Copy) -> bool:
        """Whether its journal is whole."""
        return all(map(self._has, copy.journal_lists))

    def whole_files(self, copy: Copy) -> int:
        """How many of its files are whole."""
        files = kept_files(copy.file_lists, passing_over(self._blocks.read))
        return sum(all(piece in self._blocks for piece in file.pieces) for file in files)

    def _has(self, one: str) -> bool:
        """Whether a list of blocks is there, and all that are on it."""
        if one not in self._known:
            try:
                entries = self._blocks.read(bytes.fromhex(one))
            except Damaged:
                entries = None
            self._known[one] = entries is not None and all(
                each in self._blocks for _, each in listed(entries)
            )
        return self._known[one]
