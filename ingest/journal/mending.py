"""A new journal of all that can be read of a damaged one, in its place; the damaged one is kept beside it.

Killed at any moment, the journal is the damaged one or the new one, each whole with its log.
"""

import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest.errors import DiskFull, Stop, TryLater
from ingest.formats.recording import DAY_MS
from ingest.journal.damage import Damage, DamagedJournal, no_journal_text, note_file
from ingest.journal.losses import Loss, add_losses
from ingest.journal.mended import Mended, Places, done, note_mending, pending
from ingest.journal.reader import Journal, clock_ms
from ingest.journal.tally import CHUNK
from ingest.language import N_, Text, system_words
from ingest.system.crash_points import reached
from ingest.system.files import DISK, NO_ROOM, make_file, make_folder, sync_path
from ingest.system.lock import exclusive
from ingest.system.patience import Patience
from ingest.system.sqlite import COMPANIONS, PAGE_BYTES

if TYPE_CHECKING:
    from ingest.journal.salvage import Salvaged, Trace

_BUSY_S = 30.0


def trouble(places: Places) -> str | None:
    """Why the journal must be mended before it can be used, None when it need not: for the daemon's start.

    Raises Stop for what mending does not help, TryLater while it is busy or the disk is full.
    """
    path = places.journal
    _require_target(path)
    if not path.exists():
        left = any(path.with_name(path.name + end).exists() for end in COMPANIONS)
        return "it was gone" if left or _has_files(places) else None
    if path.stat().st_size == 0:
        if _has_files(places):
            return "it was an empty file"
        path.unlink()  # of a first start that was cut off: another begins
        return None
    if note_file(path).exists():
        return "some of it cannot be read"
    try:
        with Journal(path, busy_ms=int(_BUSY_S * 1000)) as journal:
            return journal.unusable()
    except DamagedJournal as e:
        return str(e.__cause__ or e)


def _require_target(path: Path) -> None:
    """Raise Stop where something else than a file is in the journal's place, or a link to one that is away."""
    if not path.is_file() and (path.exists() or path.is_symlink()):
        raise Stop(no_journal_text(path))


def _has_files(places: Places) -> bool:
    return places.archive.is_dir() and any(p.is_file() for p in places.archive.rglob("*"))


@dataclass(frozen=True, slots=True)
class Look:
    """What can be read, what cannot and is gone for good, and the arrivals (0: unknown) to be read again from where."""

    found: "Salvaged"
    lost: list[Damage]
    again: list[tuple[int, str]]


def look(places: Places) -> Look:
    """Read all of a journal; nothing is changed. Raises TryLater when the file cannot be read just now, Stop for what is no file."""
    from ingest.journal.salvage import (  # a megabyte that a daemon with a whole journal does without
        missing,
        salvage,
    )

    _require_target(places.journal)
    try:
        found = salvage(places.journal)
    except OSError as e:
        words = N_("The journal {path} cannot be read: {why}. Check who owns it and that the disk is well.")
        raise TryLater(Text(words, path=places.journal, why=system_words(e))) from e
    damages, incomplete = missing(found)
    days = {(trace.day[0], trace.day[2]) for trace in damages.values() if trace.day is not None}
    named = {trace.file for trace in damages.values() if trace.file}
    arrivals, healed = _arrivals_to_read(places, found, days, incomplete | named)
    unnamed = incomplete - named
    lost = [damage for damage, trace in damages.items() if not healed.heals(trace, found, unnamed)]
    known = {a["destination"] for a in found.of("arrival")}
    return Look(found, lost, [*arrivals.items(), *((0, place) for place in _unknown(places, known))])


_OF_FILES = frozenset({"file", "session", "claim", "limits", "check"})
"""The entries that come of a file that is read."""


@dataclass(slots=True)
class _Healed:
    """The files that are read again, and those of them that are of a day (person, day since 1970)."""

    files: set[int] = field(default_factory=set)
    by_day: dict[tuple[int, int], set[int]] = field(default_factory=dict)

    def heals(self, trace: "Trace", found: "Salvaged", unnamed: set[int]) -> bool:
        """Whether what is missing is there again once these are read. Where it may be a strap's, it is not.

        `unnamed` are the files that lack something of which nothing else is known.
        """
        if trace.file is not None:
            return trace.file in self.files
        if trace.day is None:
            return False
        person, what, day = trace.day
        again = self.by_day.get((person, day), set())
        if what != CHUNK:
            return what in _OF_FILES and bool(again)
        if any(s["person"] == person and s["kind"] == "strap" for s in found.of("source")):
            return trace.rows <= len(again & unnamed)
        return bool(again)


def _arrivals_to_read(
    places: Places, found: "Salvaged", days: set[tuple[int, int]], files: set[int]
) -> tuple[dict[int, str], _Healed]:
    """Arrivals of which something is missing, with the place of their files in the archive; and what that heals."""
    there = {
        a["id"]: a["destination"]
        for a in found.of("arrival")
        if a["destination"] and (places.data / a["destination"]).is_file()
    }
    arrivals, healed = dict[int, str](), _Healed()
    forgotten = _forgotten(found)
    for f in found.of("file"):
        if f["arrival"] not in there or f["id"] in forgotten:
            continue
        touched = {
            (person, day)
            for person, day in days
            if person == f["person"]
            and f["first_ms"] is not None
            and f["first_ms"] // DAY_MS - 1 <= day <= f["last_ms"] // DAY_MS + 1
        }
        if f["id"] in files or touched:
            arrivals[f["arrival"]] = there[f["arrival"]]
            healed.files.add(f["id"])
            if f["first_ms"] is not None:
                for day in range(f["first_ms"] // DAY_MS, f["last_ms"] // DAY_MS + 1):
                    healed.by_day.setdefault((f["person"], day), set()).add(f["id"])
    return arrivals, healed


def _forgotten(found: "Salvaged") -> set[int]:
    """The files that an entry ever named as forgotten: read again they would have other numbers, and count."""
    numbers = set[int]()
    for e in found.of("entry"):
        if e["what"] == "forget" and e["content"]:
            numbers.update(json.loads(e["content"]).get("files", ()))
    return numbers


def _unknown(places: Places, known: set[Any]) -> list[str]:
    """The files in the archive that no arrival went to."""
    if not places.archive.is_dir():
        return []
    paths = (
        Path(folder, name)
        for folder, _, names in os.walk(places.archive)
        for name in names
        if not name.startswith(".")
    )
    told = (str(p.relative_to(places.data)) if p.is_relative_to(places.data) else str(p) for p in paths)
    return sorted(place for place in told if place not in known)


def note_unknown_files(places: Places, known: set[str]) -> list[str]:
    """Have files of the archive be read that a journal does not know: it is a copy of some days before, or lost its log.

    `known` are the places in the archive to which arrivals went. Raises OSError.
    """
    before = pending(places)
    unknown = [place for place in _unknown(places, known) if place not in before]
    if unknown:
        done(places, sorted({*before, *unknown}))
    return unknown


def mend(
    places: Places,
    why: str,
    *,
    now_ms: Callable[[], int] = clock_ms,
    mark: Callable[[], None] = lambda: None,
) -> Mended:
    """Put a new journal in the place of the damaged one. Raises TryLater when that is not possible now: nothing is changed then.

    Who writes meanwhile waits, and finds the new one.
    """
    from ingest.journal.salvage import make_up, without_files

    path = places.journal
    _require_target(path)
    new = path.with_name(f".{path.name}.mended")
    try:
        make_folder(path.parent)
        with (
            exclusive(path.with_name("mending"), 0o600, Patience(_BUSY_S), subject=f"The journal {path}"),
            _held(path),
        ):
            mark()
            seen = look(places)
            mark()
            kept = _kept_name(path, now_ms())
            mended = Mended(
                now_ms(),
                why,
                kept.name if _is_there(path) else "",
                len(seen.found.rows["entry"]),
                len(seen.found.rows["chunk"]),
                seen.lost,
                [place for _, place in seen.again],
            )
            without_files(seen.found, [number for number, _ in seen.again if number])
            make_up(seen.found)
            _write(new, seen.found)
            mark()
            _note(places, mended)
            reached("journal mended")
            _swap(path, new, kept)
            note_file(path).unlink(missing_ok=True)
            return mended
    except OSError as e:
        raise _not_now(e, path) from e
    finally:
        with suppress(OSError):
            new.unlink()


@contextmanager
def rehearsed(seen: Look) -> Iterator[Journal]:
    """The journal that a repair would make of what was seen, to read from, apart from all data; afterwards it is gone.

    What the files that are to be read again held is in it as far as it can be read. Raises OSError where there is no room for it.
    """
    from tempfile import TemporaryDirectory

    from ingest.journal.salvage import make_up

    with TemporaryDirectory(prefix="hartslag-") as folder:
        new = Path(folder) / "journal.db"
        make_up(seen.found)
        _write(new, seen.found)
        with Journal(new, readonly=True) as journal:
            yield journal


def _note(places: Places, mended: Mended) -> None:
    """Write down what is to be done afterwards, first of all: done without need it changes nothing."""
    done(places, sorted({*pending(places), *mended.files}))
    note_mending(places, mended)
    add_losses(places.journal, [Loss(mended.at_ms, damage) for damage in mended.lost])


def _not_now(e: OSError, path: Path) -> TryLater:
    if e.errno in NO_ROOM:
        words = N_("There is no room to repair the journal {path}: make {megabytes} MB of room on that disk.")
        size = path.stat().st_size if path.exists() else 0
        return TryLater(Text(words, path=path, megabytes=max(size >> 20, 1)))
    words = N_("The journal {path} cannot be repaired: {why}. Check who owns its folder; nothing is changed.")
    return TryLater(Text(words, path=path, why=system_words(e)))


def _held(path: Path) -> Any:
    """Nobody writes to the journal meanwhile, where it is still one."""
    if not _is_there(path):
        return nullcontext()
    try:
        db = sqlite3.connect(path, isolation_level=None, timeout=_BUSY_S)
    except sqlite3.Error:
        return nullcontext()
    try:
        db.execute("BEGIN IMMEDIATE")
    except sqlite3.Error as e:
        db.close()
        if getattr(e, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY:
            words = N_("The journal {path} is busy: another process has been writing to it for too long.")
            raise TryLater(Text(words, path=path)) from e
        return nullcontext()
    return _Held(db)


class _Held:
    """A connection that keeps the lock for writing, and is never closed by us: it would delete the log of the new journal."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        import ctypes

        with suppress(sqlite3.Error):
            self._db.execute("ROLLBACK")
        # As in `let_go`: not even the end of the interpreter may close it.
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._db))


def _is_there(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0


def _kept_name(path: Path, now_ms: int) -> Path:
    day = f"{datetime.fromtimestamp(now_ms / 1000, UTC):%Y-%m-%d}"
    names = [f"{path.name}.damaged-{day}", *(f"{path.name}.damaged-{day}-{n}" for n in range(2, 1000))]
    return next(path.with_name(name) for name in names if not path.with_name(name).exists())


def _write(new: Path, found: "Salvaged") -> None:
    from ingest.journal.salvage import fill

    for end in ("", *COMPANIONS, "-journal"):
        new.with_name(new.name + end).unlink(missing_ok=True)
    os.close(make_file(new, 0o600))
    with closing(sqlite3.connect(new, isolation_level=None)) as db:
        db.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        db.execute("PRAGMA synchronous = OFF")
        fill(db, found, identity=None)
    sync_path(new)


def _swap(path: Path, new: Path, kept: Path) -> None:
    """The new one in the place of the old one, whose log goes with it."""
    import shutil

    if _is_there(path):
        log = path.with_name(path.name + "-wal")
        if log.exists() and log.stat().st_size:
            copy = kept.with_name(kept.name + "-wal")
            shutil.copyfile(log, copy)
            copy.chmod(0o600)
            sync_path(copy)
        try:
            kept.hardlink_to(path)
        except OSError:  # a file system without second names
            shutil.copyfile(path, kept)
            kept.chmod(0o600)
            sync_path(kept)
        sync_path(path.parent)
    reached("journal kept")
    # A log that is of another database would be taken over into the new one.
    for end in COMPANIONS:
        path.with_name(path.name + end).unlink(missing_ok=True)
    reached("journal without log")
    DISK.rename(new, path)
    sync_path(path.parent)


def mended_today(places: Places, now_ms: int) -> int:
    """How often the journal was mended on this day."""
    day = f"{datetime.fromtimestamp(now_ms / 1000, UTC):%Y-%m-%d}"
    return len(
        [
            p
            for p in places.journal.parent.glob(f"{places.journal.name}.damaged-{day}*")
            if p.suffix[-4:] != "-wal"
        ]
    )


def whole(path: Path) -> list[str]:
    """What is wrong with a journal, asked of every row and of SQLite; empty when it is whole.

    For copies, too. What keeps it from being read is the answer. Raises DiskFull alone: on a full disk nobody can say.
    """
    try:
        with Journal(path, readonly=True, fall_back=False) as journal:
            return [*journal.faults(), *journal.wrong_rows()]
    except DiskFull:
        raise
    except Exception as e:  # noqa: BLE001 - whatever is wrong with it is the answer
        return [str(e)]
