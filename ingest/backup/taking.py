"""Taking a copy: what is new is written, all that is written is read again, and older copies go as they get old."""

import errno
import os
import socket
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from ingest.backup.block import Damaged
from ingest.backup.blocks import Blocks
from ingest.backup.content import FileKeeper, KeptFile, files_to_copy, kept_files
from ingest.backup.copies import Backup, Copy, kept, needed
from ingest.backup.journal_reader import journal_records
from ingest.backup.owed import is_owed, settle
from ingest.backup.place import no_copy_for, require_place
from ingest.backup.state import BackupState, note, read_state, state_of, with_trouble
from ingest.backup.stream import StreamWriter
from ingest.backup.trouble import FAILED, FULL, NoCopy
from ingest.errors import Stop, TryLater
from ingest.journal import clock_ms
from ingest.language import N_, Text, system_words
from ingest.settings.model import Settings
from ingest.system.files import NO_ROOM
from ingest.system.lock import exclusive
from ingest.system.patience import Patience
from ingest.system.sqlite_dump import unpack

PROVED_WITHIN = 168
"""So many copies after each other read all packs once: a week's."""

PRUNED_AT = 12
"""So many copies that are too many go together: it means reading what all others need."""

LOCK_S = 5.0
_TRIES = 3
_SPARE_BYTES = 1 << 20
_MOST_UNREAD = 20
_UNLIKE = N_("what is read there is not what was written")


class Taken(NamedTuple):
    """A copy that was taken, and what that cost."""

    copy: Copy
    written_bytes: int
    state: BackupState


def nothing(_: int) -> None:
    """Nobody watches."""


@dataclass(frozen=True, slots=True)
class Taking:
    """A copy of everything, to be taken into the folder of the settings."""

    settings: Settings
    begin: bool = False
    """Also into a new folder on the disk of the data: a person has said so."""
    only: bool = False
    """No earlier copy stays, nor a byte of it: for who has removed something everywhere."""
    proved_within: int = PROVED_WITHIN
    """In so many copies each pack is read once."""
    mark: Callable[[int], None] = nothing
    """Called again and again while it goes on, with how many bytes more are copied."""
    now_ms: Callable[[], int] = clock_ms

    def take(self) -> Taken:
        """Take it, and note how that went. Raises NoCopy, TryLater where another process takes one just now, Stop."""
        journal, folder = self.settings.journal_file, self.settings.backup_folder
        assert folder is not None
        before = read_state(self.settings) or BackupState(str(folder))
        try:
            with exclusive(
                journal.with_name("backup"), 0o600, Patience(LOCK_S), subject=f"The folder {folder}"
            ):
                try:
                    taken = self._explained(folder)
                except NoCopy as e:
                    note(self.settings, with_trouble(before, e))
                    raise
                note(self.settings, taken.state)
                return taken
        except OSError as e:
            words = N_("No copy is made, as {folder} cannot be written: {why}.")
            raise Stop(Text(words, folder=journal.parent, why=system_words(e))) from e

    def _explained(self, folder: Path) -> Taken:
        mode, same = require_place(self.settings, folder, begin=self.begin)
        try:
            return self._take(folder, mode, same=same)
        except Damaged as e:
            raise no_copy_for(OSError(errno.EILSEQ, _UNLIKE), folder) from e
        except OSError as e:
            raise (_full(folder, _SPARE_BYTES) if e.errno in NO_ROOM else no_copy_for(e, folder)) from e
        except NoCopy:
            raise
        except TryLater as e:
            text = e.text if isinstance(e.text, Text) else Text("{said}", said=str(e))
            raise NoCopy(FAILED, text) from e

    def _take(self, folder: Path, mode: int, *, same: bool) -> Taken:
        for _ in range(_TRIES):
            at_ms = self.now_ms()
            records = journal_records(self.settings.journal_file)
            first = next(records)
            ((_, identity, _facts),) = unpack(first)
            backup = Backup(folder / identity[:12], mode)
            backup.begin()
            blocks = backup.blocks()
            damaged = blocks.prove(self._due_for_proof(blocks, backup.next_number()), lambda _: self.mark(0))
            writing = _Writing(self.settings, backup, blocks, self.mark)
            copy = writing.copy(identity, chain([first], records), at_ms)
            if not blocks.lacking_bytes:
                backup.add(copy)
                self._prune(backup, blocks)
                unread = tuple(writing.unread[:_MOST_UNREAD])
                others = sum((it / "copies").is_dir() for it in folder.iterdir() if it != backup.folder)
                state = state_of(
                    folder, backup.copies(), same_disk=same, others=others, damaged=damaged, unread=unread
                )
                return Taken(copy, blocks.written_bytes, state)
            if not _make_room(backup, backup.blocks(), blocks.lacking_bytes, self.mark):
                break
        raise _full(folder, blocks.lacking_bytes)

    def _due_for_proof(self, blocks: Blocks, turn: int) -> set[int]:
        return {n for n in blocks.packs() if (zlib.crc32(b"%d" % n) + turn) % self.proved_within == 0}

    def _prune(self, backup: Backup, blocks: Blocks) -> None:
        """Let go of copies that are too many."""
        copies, only = backup.copies(), self.only or is_owed(self.settings)
        stay = {copies[-1].number} if only else kept(copies, self.now_ms())
        gone = [c.number for c in copies if c.number not in stay]
        if only or len(gone) >= PRUNED_AT:
            backup.remove(gone)
            use = needed((c for c in copies if c.number in stay), blocks, self.mark)
            blocks.tidy(use, wholly=only, mark=self.mark)
        settle(self.settings)


def _full(folder: Path, lacking: int) -> NoCopy:
    words = N_(
        "The disk with the copies is full: {folder} needs {megabytes} MB more for the next one. The newest copy stays. Make"
        " room there, or take a larger disk."
    )
    return NoCopy(FULL, Text(words, folder=folder, megabytes=max(-(-lacking // 1_000_000), 1)))


class _Writing:
    """One copy while it is written."""

    def __init__(
        self, settings: Settings, backup: Backup, blocks: Blocks, mark: Callable[[int], None]
    ) -> None:
        self._settings, self._backup, self._blocks, self._mark = settings, backup, blocks, mark
        self.unread: list[str] = []

    def copy(self, identity: str, records: Iterable[bytes], at_ms: int) -> Copy:
        """The copy, whose blocks are on the disk, unless that was full. Raises OSError, TryLater."""
        from importlib.metadata import version

        blocks, mark = self._blocks, self._mark
        stream, digest = StreamWriter(blocks.keep), blake2b(digest_size=20)
        size, entries, table = 0, 0, ""
        for record in records:
            mark(len(record))
            size += len(record)
            digest.update(record)
            if record[8:16] == b'["table"':
                stream.cut()
                ((_, table, *_rest),) = unpack(record)
            elif table == "entry":
                entries += 1
            stream.add(record)
        lists = stream.end()
        keeper = FileKeeper(blocks, iter(self._files_before()), mark)
        for name, path in files_to_copy(self._settings):
            keeper.keep(name, path)
        file_lists = keeper.end()
        blocks.flush()
        self.unread = keeper.unread
        return Copy(
            number=self._backup.next_number(),
            at_ms=at_ms,
            journal=identity,
            journal_lists=lists,
            digest=digest.hexdigest(),
            journal_bytes=size,
            entries=entries,
            file_lists=file_lists,
            files=keeper.count,
            file_bytes=keeper.size,
            settings=str(self._settings.file) if self._settings.file else None,
            host=socket.gethostname(),
            program=version("hartslag"),
        )

    def _files_before(self) -> list[KeptFile]:
        """The files of the newest copy; none where they cannot be read, and then all are read anew."""
        copies = self._backup.copies()
        try:
            return list(kept_files(copies[-1].file_lists, self._blocks.read)) if copies else []
        except (Damaged, ValueError):
            return []


def _make_room(backup: Backup, blocks: Blocks, lacking: int, mark: Callable[[int], None]) -> bool:
    """Let go of the oldest copies, as few as make room for what is lacking, and never of the newest. False: they do not."""
    copies = backup.copies()
    disk = os.statvfs(backup.folder)
    free = disk.f_bavail * disk.f_frsize
    wanted = lacking + _SPARE_BYTES - free
    for oldest in range(len(copies)):
        use = needed(copies[oldest:], blocks, mark)
        if blocks.freed_by(use, free) >= wanted:
            backup.remove(c.number for c in copies[:oldest])
            blocks.tidy(use, wholly=False, mark=mark)
            return True
    return False
