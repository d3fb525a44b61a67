"""What is lent to the reading process, within bounds: what arrived, and what it has unpacked that is too large for memory.

It can open no file of its own, so what it unpacks is kept here for it, in a file without a name that is gone with whoever
has it open.
"""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO

from ingest.collect.reader_child import Broke
from ingest.collect.reader_messages import checked, most_spooled_bytes
from ingest.errors import TryLater
from ingest.language import N_, Text, system_words

SERVED_TIMES, SERVED_BYTES = 4, 16 << 20
"""A file is lent so many times over, and so much: a zip is read here and there, but never all of it again and again."""

LEAST_FREE_BYTES = 256 << 20
"""So much room on the disk is left to everything else; a journal that cannot grow would lose what a strap says."""

_LEAST_SERVED = 4096
"""What asking for a piece costs at the least, however small it is."""

_MOST_KEPT = 8
_PIECE_BYTES = 1 << 20
_OVER_AND_OVER = N_("Reading it asked for its bytes over and over, which no recording needs.")


@dataclass(slots=True)
class _LentFile:
    stream: IO[bytes]
    size: int
    served: int = 0

    def piece(self, offset: int, count: int) -> bytes:
        self.served += max(count, _LEAST_SERVED)
        if self.served > SERVED_TIMES * self.size + SERVED_BYTES or not (
            0 <= offset <= self.size and 0 <= count <= _PIECE_BYTES
        ):
            raise Broke(_OVER_AND_OVER)
        self.stream.seek(offset)
        return self.stream.read(count)


class Lender:
    """Lends an open file, and keeps what is unpacked of it below `folder` (None: where the system keeps such files)."""

    def __init__(self, stream: BinaryIO, folder: Path | None) -> None:
        self.size = stream.seek(0, os.SEEK_END)
        self._folder = folder
        self._lent = [_LentFile(stream, self.size)]
        self._kept_bytes = 0

    def answer(self, message: tuple[Any, ...]) -> bytes | None:
        """What is asked for: a piece of a file, or that something be kept or let go; None for any other message.

        Raises Broke for what no reading needs, TryLater where there is no room, OSError as the disk of the arrival does.
        """
        try:
            match message[:1]:
                case ("want",):
                    number, offset, count = checked(message, "want", int, int, int)
                    return self._lent_as(number).piece(offset, count)
                case ("keep",):
                    number, piece = checked(message, "keep", int, bytes)
                    self._keep(number, piece)
                    return b""
                case ("drop",):
                    (number,) = checked(message, "drop", int)
                    self._drop(max(number, 1))
                    return b""
        except ValueError as e:
            raise Broke(N_("Reading it gave an answer that is none ({why}).").format(why=e)) from None
        return None

    def close(self) -> None:
        """Let go of what was kept."""
        self._drop(1)

    def _lent_as(self, number: int) -> _LentFile:
        if not 0 <= number < len(self._lent):
            raise Broke(_OVER_AND_OVER)
        return self._lent[number]

    def _keep(self, number: int, piece: bytes) -> None:
        """Append to the last of what is kept, or begin another."""
        self._kept_bytes += len(piece)
        if not 1 <= number <= len(self._lent) <= _MOST_KEPT or self._kept_bytes > most_spooled_bytes(
            self.size
        ):
            raise Broke(N_("Unpacking it gave far more than recordings do."))
        try:
            if number == len(self._lent):
                self._require_room()
                self._lent.append(_LentFile(self._new_file(), 0))
            kept = self._lent[number]
            if kept.size // (16 << 20) != (kept.size + len(piece)) // (16 << 20):
                self._require_room()
            kept.stream.seek(kept.size)
            kept.stream.write(piece)
            kept.size += len(piece)
        except OSError as e:
            words = N_(
                "It cannot be unpacked, as the disk of the data folder does not take it: {why}. It is tried again."
            )
            raise TryLater(Text(words, why=system_words(e))) from e

    def _new_file(self) -> IO[bytes]:
        from tempfile import TemporaryFile  # rarely needed

        return TemporaryFile(dir=self._folder)

    def _require_room(self) -> None:
        free = shutil.disk_usage(self._folder or ".").free
        if free < LEAST_FREE_BYTES:
            words = N_(
                "It holds a large zip, and the disk of the data folder has no room to unpack that: {free} MB are free, and"
                " {least} MB are left to everything else. Make room, or unpack it on another computer; it is tried again."
            )
            raise TryLater(Text(words, free=free >> 20, least=LEAST_FREE_BYTES >> 20))

    def _drop(self, number: int) -> None:
        """Let go of what was kept under that number and later ones."""
        for kept in self._lent[number:]:
            kept.stream.close()
            self._kept_bytes -= kept.size
        del self._lent[number:]
