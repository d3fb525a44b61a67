"""The copies of one journal in a folder: what each holds, which are kept, and what they need."""

import contextlib
import json
import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any

from ingest.backup.block import Damaged
from ingest.backup.blocks import Blocks
from ingest.backup.pack import open_private, passing_over_bad_places, remember
from ingest.backup.stream import listed
from ingest.system.crash_points import reached

FORMAT = 1

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS

ALL_MS = DAY_MS
DAILY_MS = 14 * DAY_MS
WEEKLY_MS = 61 * DAY_MS
"""How long every copy is kept, the newest of each day, that of each week; the newest of each month stays."""


@dataclass(frozen=True, slots=True)
class Copy:
    """What one copy holds. Its lists are what lists of blocks are known by."""

    number: int
    at_ms: int
    journal: str
    journal_lists: tuple[str, ...]
    digest: str
    """Of all that the journal holds."""
    journal_bytes: int
    entries: int
    file_lists: tuple[str, ...]
    files: int
    file_bytes: int
    settings: str | None
    """Where the settings file lay."""
    host: str
    program: str

    def written(self) -> bytes:
        """As it stands in a file: a line, and a second one that tells whether the first is whole."""
        line = json.dumps({"format": FORMAT} | asdict(self)).encode()
        return line + b"\n" + _digest(line) + b"\n"

    @property
    def lists(self) -> tuple[str, ...]:
        return (*self.journal_lists, *self.file_lists)

    @classmethod
    def read(cls, data: bytes) -> "Copy":
        """What was written. Raises Damaged."""
        line, _, rest = data.partition(b"\n")
        if rest.strip() != _digest(line):
            raise Damaged
        values: dict[str, Any] = json.loads(line)
        if values.pop("format") != FORMAT:
            raise Damaged
        return cls(**values | {name: tuple(values[name]) for name in ("journal_lists", "file_lists")})


def _digest(line: bytes) -> bytes:
    return blake2b(line, digest_size=16).hexdigest().encode()


def kept(copies: Sequence[Copy], now_ms: int) -> set[int]:
    """The numbers of the copies that stay: all of a day, one a day for two weeks, one a week for two months, one a month."""
    found: dict[tuple[str, int, int], int] = {}
    stay = {max(c.number for c in copies)} if copies else set[int]()
    for copy in copies:  # the newest of each comes last
        age_ms = now_ms - copy.at_ms
        day = datetime.fromtimestamp(copy.at_ms / 1000, UTC).date()
        if age_ms < ALL_MS:
            stay.add(copy.number)
        if age_ms < DAILY_MS:
            found["day", day.toordinal(), 0] = copy.number
        if age_ms < WEEKLY_MS:
            found["week", *day.isocalendar()[:2]] = copy.number
        found["month", day.year, day.month] = copy.number
    return stay | set(found.values())


class Backup:
    """All copies of one journal, in a folder of its own."""

    def __init__(self, folder: Path, mode: int = 0o700, *, reading: bool = False) -> None:
        """`mode` is that of the folders made in it.

        `reading`: something is to be brought back, and what the disk cannot read is passed over like what is damaged. Who
        writes must not, or would delete what only that needs.
        """
        self.folder, self.mode, self._reading = folder, mode, reading
        self.packs = folder / "packs"
        self._copies = folder / "copies"

    @property
    def file_mode(self) -> int:
        return self.mode & 0o640

    def begin(self) -> None:
        """Make what is not there yet, and take away what was left half written. Raises OSError."""
        for folder in (self.folder, self.packs, self._copies):
            if not folder.is_dir():
                folder.mkdir(self.mode)
                with contextlib.suppress(OSError):
                    folder.chmod(self.mode)
                remember(folder.parent)
        for folder in (self.packs, self._copies):
            for half in folder.glob(".*.tmp"):
                half.unlink()

    def blocks(self) -> Blocks:
        """The blocks of all copies. Raises OSError."""
        return Blocks(self.packs, self.file_mode, reading=self._reading)

    def copies(self) -> list[Copy]:
        """The copies that are whole, oldest first. Raises OSError."""
        found = []
        for path in self._copies.iterdir():
            if re.fullmatch(r"\d{8}\.copy", path.name):
                with (
                    contextlib.suppress(Damaged, ValueError, TypeError, KeyError),
                    passing_over_bad_places(wanted=self._reading),
                ):
                    found.append(Copy.read(path.read_bytes()))
        return sorted(found, key=lambda c: c.number)

    def next_number(self) -> int:
        """The number of the next copy; also of one that is damaged none is used again."""
        names = (re.match(r"\d{8}", path.name) for path in self._copies.iterdir())
        return max((int(found[0]) for found in names if found), default=0) + 1

    def add(self, copy: Copy) -> None:
        """Add a copy whose blocks are all there: it is whole, or not there. Raises OSError, Damaged."""
        target = self._path(copy.number)
        beside = target.with_name(f".{target.name}.tmp")
        with open_private(beside, self.file_mode) as out:
            out.write(copy.written())
            out.flush()
            os.fsync(out.fileno())
        beside.rename(target)
        remember(self._copies)
        if Copy.read(target.read_bytes()) != copy:
            raise Damaged
        reached("copy written")

    def remove(self, numbers: Iterable[int]) -> None:
        """Forget copies; what only they needed goes with `tidy`. Raises OSError."""
        gone = list(numbers)
        for number in gone:
            self._path(number).unlink(missing_ok=True)
            reached("copy removed")
        if gone:
            remember(self._copies)

    def _path(self, number: int) -> Path:
        return self._copies / f"{number:08d}.copy"


def needed(copies: Iterable[Copy], blocks: Blocks, mark: Callable[[int], None]) -> set[bytes]:
    """All blocks that some copies need. Raises OSError."""
    found: set[bytes] = set()
    for copy in copies:
        for one in copy.lists:
            known_by = bytes.fromhex(one)
            if known_by in found:
                continue
            found.add(known_by)
            mark(0)
            with contextlib.suppress(Damaged):  # what it lists is lost in any case
                found |= {each for _, each in listed(blocks.read(known_by))}
    return found
