"""The journal's one door: opening it, appending to it, reading on from a position.

SQLite in WAL mode with ``synchronous=FULL``: with NORMAL a power cut may take every commit since the last
checkpoint (https://sqlite.org/pragma.html#pragma_synchronous). Any process may append; SQLite orders them.
"""

import errno
import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import numpy as np

from ingest.errors import Stop, TryLater
from ingest.formats.recording import DAY_MS, Columns
from ingest.journal import columns as packed
from ingest.journal.dating import Observation
from ingest.journal.entry import ALWAYS_MS, Chunk, Entry, Filed, Person, Source
from ingest.journal.schema import migrate, require_current
from ingest.journal.strap_chunks import decode_columns, observations, unpack_rows
from ingest.journal.writer import Writer
from ingest.system.patience import Patience, always
from ingest.system.sqlite import Fault, fault_of, open_database, open_readonly, retried, transaction
from zones.series import TIMES, Series
from zones.spans import Spans

BUSY_MS = 60_000
"""How long to wait for another process that is appending; transactions last milliseconds."""


def _clock_ms() -> int:
    return time.time_ns() // 1_000_000


class Journal:
    """One connection to the journal; belongs to the thread that opened it."""

    def __init__(
        self,
        path: Path,
        *,
        create: bool = True,
        now_ms: Callable[[], int] = _clock_ms,
        busy_ms: int = BUSY_MS,
        readonly: bool = False,
        going_on: Callable[[], bool] = always,
    ) -> None:
        """Open the journal at `path`, making it when it is not there.

        `busy_ms` is how long others are waited for, no longer than `going_on` says yes. With `readonly` nothing is made
        or changed, and whoever may read the file may open it.

        Raises Stop when it is missing and must not be made, or cannot be opened; TryLater when it is busy or the disk full.
        """
        self.path = path
        self.now_ms = now_ms
        self._patience = Patience(busy_ms / 1000, going_on)
        try:
            there = path.exists()
        except OSError as e:
            raise Stop(
                f"The journal {path} cannot be reached: {e.strerror}. Run hartslag as the user whose it is."
            ) from e
        if not there:
            if readonly or not create:
                raise Stop(
                    f"There is no journal at {path}. Start the daemon once (`hartslag run`), "
                    "or name the right data folder with --data."
                )
            _make_private(path)
        try:
            if readonly:
                self._db = open_readonly(path, patience=self._patience)
            else:
                self._db = open_database(path, patience=self._patience, synchronous="FULL")
        except sqlite3.Error as e:
            raise _explained(e, path) from e
        try:
            if readonly:
                require_current(self._db)
            else:
                self._db.execute("PRAGMA foreign_keys = ON")
                migrate(self._db, self._patience)
            self._id()
        except (sqlite3.Error, TypeError) as e:
            self._db.close()
            raise _explained(e, path) from e
        except BaseException:
            self._db.close()
            raise

    def _id(self) -> str:
        (found,) = self._db.execute("SELECT journal FROM identity").fetchone()
        return str(found)

    @property
    def id(self) -> str:
        """What tells this journal from any other; a store that followed another one starts anew."""
        return str(self._rows("SELECT journal FROM identity")[0][0])

    def close(self) -> None:
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def write(self) -> Iterator["Writer"]:
        """One transaction: all of it is on the card when the block ends, or none of it."""
        try:
            with transaction(self._db, self._patience):
                yield Writer(self._db, self.now_ms())
        except sqlite3.Error as e:
            raise _explained(e, self.path) from e

    def _rows(self, sql: str, *values: Any) -> list[Any]:
        try:
            return retried(lambda: self._db.execute(sql, values).fetchall(), self._patience)
        except sqlite3.Error as e:
            raise _explained(e, self.path) from e

    # --- who and what ---

    def persons(self) -> list[Person]:
        """Everybody the journal knows, oldest first."""
        return [Person(*row) for row in self._rows("SELECT id, name FROM person ORDER BY id")]

    def person(self, name: str) -> Person | None:
        rows = self._rows("SELECT id, name FROM person WHERE name = ?", name)
        return Person(*rows[0]) if rows else None

    def sources(self, person: int) -> list[Source]:
        """The sources of a person, those to be believed first in front; ties by name."""
        rows = self._rows(
            "SELECT id, person, name, kind, rank FROM source WHERE person = ? ORDER BY rank, name", person
        )
        return [Source(*row) for row in rows]

    # --- reading on ---

    def last_position(self) -> int:
        return int(self._rows("SELECT coalesce(max(position), 0) FROM entry")[0][0])

    def entries(self, after: int, limit: int = 500) -> list[Entry]:
        """What came in behind a position, in order."""
        rows = self._rows(f"{_ENTRY} WHERE e.position > ? ORDER BY e.position LIMIT ?", after, limit)
        return [_entry(row) for row in rows]

    def waiting(self, after: int, until_ms: int = ALWAYS_MS) -> tuple[int, int | None]:
        """How many entries of those recorded until a moment lie behind a position, and when the oldest was (ms)."""
        sql = "SELECT count(*), min(recorded_ms) FROM entry WHERE position > ? AND recorded_ms <= ?"
        rows = self._rows(sql, after, until_ms)
        return rows[0][0], rows[0][1]

    def chunks(self, person: int, start_ms: int, end_ms: int) -> list[Chunk]:
        """A person's chunks with data in [start, end), in order of position; what was replaced is left out.

        Those of one connection to a strap with one date come as one, at the last of their positions: as if they were
        merged already.
        """
        sources = {s.id: s for s in self.sources(person)}
        rows = self._rows(
            "SELECT c.position, c.source, c.first_ms, c.last_ms, c.end_ms, c.samples, c.times_first_ms, c.times,"
            " c.bpm, c.beats, c.beats_first_ms, c.beat_times, c.rr, c.pauses, c.movement, c.connection, n.boot, n.began_ms,"
            " c.notifications, c.steady_ms, c.notified FROM chunk c LEFT JOIN file f ON f.id = c.file"
            " LEFT JOIN connection n ON n.id = c.connection"
            " WHERE c.person = ? AND c.first_ms >= ? AND c.first_ms < ? AND max(c.last_ms, c.end_ms) >= ?"
            " AND f.replaced_by IS NULL ORDER BY c.position",
            person,
            start_ms - DAY_MS,
            end_ms,
            start_ms,
        )
        chunks, connections = [], dict[tuple[int, int], list[Any]]()
        for row in rows:
            if row[15] is None:
                chunks.append(Chunk(row[0], sources[row[1]], row[2], row[3], _columns(row[4:15])))
            else:
                connections.setdefault((row[15], row[2] - row[19]), []).append(row)
        for (_, ahead), rows_of_connection in connections.items():
            notifications = unpack_rows([row[16:] for row in rows_of_connection])
            first, last = int(notifications.steady_ms[0]) + ahead, int(notifications.steady_ms[-1]) + ahead
            columns = decode_columns(notifications, ahead)
            chunks.append(
                Chunk(
                    rows_of_connection[-1][0],
                    sources[rows_of_connection[0][1]],
                    first,
                    last,
                    columns,
                    notifications,
                )
            )
        return sorted(chunks, key=lambda c: c.position)

    def observations(self, boot: str) -> list[Observation]:
        """How the clocks of a boot stood to each other, in order."""
        return observations(self._rows, boot)

    def chunk_spans(self, person: int, start_ms: int, end_ms: int) -> list[tuple[int, int]]:
        """The (first, last) times of a person's chunks that touch [start, end], latest first, without their data."""
        return self._rows(
            "SELECT c.first_ms, max(c.last_ms, c.end_ms) FROM chunk c LEFT JOIN file f ON f.id = c.file"
            " WHERE c.person = ? AND c.first_ms >= ? AND c.first_ms <= ? AND max(c.last_ms, c.end_ms) >= ?"
            " AND f.replaced_by IS NULL ORDER BY c.first_ms DESC",
            person,
            start_ms - 2 * DAY_MS,
            end_ms,
            start_ms,
        )

    def chunk_sizes(self, person: int, start_ms: int, end_ms: int) -> list[tuple[int, int]]:
        """When a person's chunks that touch [start, end) begin, and how many samples and beats each holds."""
        return self._rows(
            "SELECT c.first_ms, c.samples + c.beats FROM chunk c"
            " LEFT JOIN file f ON f.id = c.file WHERE c.person = ? AND c.first_ms >= ? AND c.first_ms < ?"
            " AND max(c.last_ms, c.end_ms) >= ? AND f.replaced_by IS NULL",
            person,
            start_ms - DAY_MS,
            end_ms,
            start_ms,
        )

    def newest_spans(self, person: int, latest: int) -> list[tuple[int, int, int]]:
        """The (source, first time, last time) of a person's newest chunks that are not of an all-day watch."""
        return self._rows(
            "SELECT c.source, c.first_ms, max(c.last_ms, c.end_ms) FROM chunk c JOIN source s ON s.id = c.source"
            " LEFT JOIN file f ON f.id = c.file WHERE c.person = ? AND s.kind <> 'monitoring'"
            " AND f.replaced_by IS NULL ORDER BY c.first_ms DESC LIMIT ?",
            person,
            latest,
        )

    def facts(
        self, person: int, what: str, start_ms: int = -ALWAYS_MS, end_ms: int = ALWAYS_MS
    ) -> list[Entry]:
        """A person's facts of one sort about moments in [start, end), in order of the moments, then of position.

        What came from a file that a better copy has replaced is left out.
        """
        rows = self._rows(
            f"{_ENTRY} LEFT JOIN file f ON f.id = e.file WHERE e.person = ? AND e.what = ? AND e.what <> 'chunk'"
            " AND e.at_ms >= ? AND e.at_ms < ? AND f.replaced_by IS NULL ORDER BY e.at_ms, e.position",
            person,
            what,
            start_ms,
            end_ms,
        )
        return [_entry(row) for row in rows]

    def profile(self, person: int) -> dict[str, Any] | None:
        """What the settings said of a person when they were last noted."""
        known = self.facts(person, "profile")
        return max(known, key=lambda e: e.position).content if known else None

    # --- files ---

    def files(self, outcome: str | None = None, latest: int = 1_000_000) -> list[Filed]:
        """What became of the files, newest first."""
        rows = self._rows(
            "SELECT f.id, a.path || CASE f.member WHEN '' THEN '' ELSE '/' || f.member END, p.name, f.outcome,"
            " f.reason, f.samples, f.beats, f.first_ms, f.last_ms, a.received_ms"
            " FROM file f JOIN arrival a ON a.id = f.arrival JOIN person p ON p.id = f.person"
            " WHERE ?1 IS NULL OR f.outcome = ?1 ORDER BY f.id DESC LIMIT ?2",
            outcome,
            latest,
        )
        return [Filed(*row) for row in rows]

    def files_named(self, name: str) -> list[Filed]:
        """The files that came under a name or path, or lie there below the data folder; newest first."""
        last = name.replace("\\", "/").rsplit("/", maxsplit=1)[-1]
        rows = self._rows(
            "SELECT f.id, a.path || CASE f.member WHEN '' THEN '' ELSE '/' || f.member END AS named, p.name, f.outcome,"
            " f.reason, f.samples, f.beats, f.first_ms, f.last_ms, a.received_ms, coalesce(a.destination, '')"
            " FROM file f JOIN arrival a ON a.id = f.arrival JOIN person p ON p.id = f.person"
            " WHERE named LIKE '%' || ?1 OR a.destination LIKE '%' || ?1 ORDER BY f.id DESC",
            last,
        )
        found = [(Filed(*row[:10]), row[10]) for row in rows]

        def ends(path: str) -> bool:
            return path == name or path.endswith("/" + name) or name.endswith("/" + path)

        exact = [f for f, place in found if ends(f.name) or (place and ends(place))]
        return exact or [f for f, place in found if last in {f.name.split("/")[-1], place.split("/")[-1]}]

    def recorded_by_file(self, file: int) -> tuple[tuple[int, int] | None, list[int]]:
        """The time (ms) that a file recorded, and the sources it recorded it as."""
        ((first, last),) = self._rows(
            "SELECT min(first_ms), max(last_ms) FROM entry WHERE file = ? AND what IN ('chunk', 'session')",
            file,
        )
        sources = self._rows("SELECT DISTINCT source FROM chunk WHERE file = ? ORDER BY source", file)
        return (None if first is None else (first, last)), [source for (source,) in sources]

    def known_copy(self, person: str, sha256: bytes) -> bool:
        """Whether this very file is already stored for the person."""
        rows = self._rows(
            "SELECT 1 FROM file f JOIN person p ON p.id = f.person WHERE p.name = ? AND f.sha256 = ?"
            " AND f.outcome IN ('stored', 'partial')",
            person,
            sha256,
        )
        return bool(rows)

    def unfinished_arrival(self, person: str, path: str, sha256: bytes) -> tuple[int | None, set[str]]:
        """The arrival that an earlier life began to read and did not end, and its members that are committed."""
        rows = self._rows(
            "SELECT a.id FROM arrival a JOIN person p ON p.id = a.person"
            " WHERE p.name = ? AND a.path = ? AND a.sha256 = ? AND NOT a.ended AND a.filed = 0",
            person,
            path,
            sha256,
        )
        if not rows:
            return None, set()
        members = self._rows("SELECT member FROM file WHERE arrival = ?", rows[0][0])
        return rows[0][0], {member for (member,) in members}

    def committed_arrivals(self, person: str, path: str, sha256: bytes) -> list[int]:
        """Arrivals of this very file that are committed and not known to be filed."""
        rows = self._rows(
            "SELECT a.id FROM arrival a JOIN person p ON p.id = a.person"
            " WHERE p.name = ? AND a.path = ? AND a.sha256 = ? AND a.ended AND a.filed = 0",
            person,
            path,
            sha256,
        )
        return [arrival for (arrival,) in rows]

    def arrival_members(self, arrival: int) -> list[tuple[str, str, int, int, int | None, int | None, str]]:
        """What became of an arrival's files: (member, outcome, samples, beats, first and last time in ms, reason)."""
        return self._rows(
            "SELECT member, outcome, samples, beats, first_ms, last_ms, reason FROM file WHERE arrival = ?"
            " ORDER BY id",
            arrival,
        )

    def unfiled_arrivals(self) -> list[tuple[int, str, bytes, bool]]:
        """Arrivals whose content is committed and that may still lie where they lay: (id, path, sha256, kept)."""
        rows = self._rows("SELECT id, path, sha256, kept FROM arrival WHERE filed = 0 AND ended")
        return [(i, path, sha256, bool(kept)) for i, path, sha256, kept in rows]

    def arrival_destination(self, arrival: int) -> tuple[str | None, str | None, bool]:
        """Where an arrival goes below the data folder, the reason to lay beside it, whether the original is kept."""
        ((destination, reason, kept),) = self._rows(
            "SELECT destination, reason, kept FROM arrival WHERE id = ?", arrival
        )
        return destination, reason, bool(kept)

    def outcome_counts(self) -> dict[str, int]:
        """How many files ended how."""
        return dict(self._rows("SELECT outcome, count(*) FROM file GROUP BY outcome"))

    def size(self) -> dict[str, int]:
        """Chunks, samples and beats in the journal, and its bytes on disk."""
        rows = self._rows("SELECT count(*), coalesce(sum(samples), 0), coalesce(sum(beats), 0) FROM chunk")
        on_disk = sum(
            p.stat().st_size for p in (self.path, self.path.with_name(self.path.name + "-wal")) if p.exists()
        )
        return dict(zip(("chunks", "samples", "beats", "bytes"), (*rows[0], on_disk), strict=True))

    def readers(self) -> dict[str, tuple[int, str | None, int | None]]:
        """Per store: the position it last told us of, and its last error with the time (ms) it began."""
        rows = self._rows("SELECT name, position, error, error_ms FROM reader")
        return {name: (position, error, error_ms) for name, position, error, error_ms in rows}

    def faults(self) -> list[str]:
        """What SQLite finds wrong with the file itself; empty when it is whole."""
        found = [row[0] for row in self._rows("PRAGMA integrity_check")]
        found += [
            f"row {row[1]} of {row[0]} points at nothing" for row in self._rows("PRAGMA foreign_key_check")
        ]
        return [] if found == ["ok"] else [line for line in found if line != "ok"]

    def broken_chunks(self) -> Iterator[tuple[int, str]]:
        """Chunks whose columns cannot be read back as they were counted: (position, what is wrong)."""
        for (position,) in self._rows("SELECT position FROM chunk ORDER BY position"):
            row = self._rows(
                "SELECT end_ms, samples, times_first_ms, times, bpm, beats, beats_first_ms, beat_times, rr, pauses,"
                " movement, connection, boot, began_ms, notifications, steady_ms, notified FROM chunk"
                " LEFT JOIN connection n ON n.id = connection WHERE position = ?",
                position,
            )[0]
            try:
                if row[11] is not None:
                    unpack_rows(
                        [row[12:]]
                    )  # what they say may be read otherwise one day, and is not what is kept
                    continue
                columns = _columns(row[:11])
            except Exception as e:  # noqa: BLE001 - whatever is wrong with it is the answer
                yield position, f"cannot be read back: {e}"
                continue
            held = (len(columns.series.bpm), len(columns.rr_ms))
            if held != (row[1], row[5]):
                yield position, f"holds {held[0]} samples and {held[1]} beats, not {row[1]} and {row[5]}"


_ENTRY = "SELECT e.position, e.person, e.what, e.at_ms, e.first_ms, e.last_ms, e.recorded_ms, e.file, e.content FROM entry e"


def _entry(row: Sequence[Any]) -> Entry:
    return Entry(*(*row[:8], json.loads(row[8]) if row[8] else {}))


def _columns(row: Sequence[Any]) -> Columns:
    end_ms, samples, times_first, times, bpm, beats, beats_first, beat_times, rr, pauses, movement = row
    return Columns(
        series=Series(packed.unpack_times(times, times_first, samples), packed.unpack_bpm(bpm))
        if samples
        else Series.empty(),
        end_ms=end_ms,
        beat_times=packed.unpack_times(beat_times, beats_first, beats) if beats else np.empty(0, TIMES),
        rr_ms=packed.unpack_rr(rr) if beats else np.empty(0, np.float32),
        pauses=Spans.of(*packed.unpack_spans(pauses)) if pauses else Spans.none(),
        movement=None if movement is None else Spans.of(*packed.unpack_spans(movement)),
    )


def _make_private(path: Path) -> None:
    """An empty file that only its owner can read, in a folder that only its owner can enter."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    except OSError as e:
        if e.errno == errno.ENOSPC:
            raise _full(path) from e
        raise Stop(
            f"The journal cannot be made at {path}: {e.strerror}. Choose a folder you may write to with --data."
        ) from e


def _full(path: Path) -> TryLater:
    return TryLater(
        f"The journal {path} cannot grow: the disk is full. Make room; nothing is lost meanwhile."
    )


def _explained(e: Exception, path: Path) -> Exception:
    """SQLite's complaint as a sentence with what to do; a journal without its own row (TypeError) is damaged, too."""
    fault = fault_of(e, path) if isinstance(e, sqlite3.Error) else Fault.DAMAGED
    if fault is Fault.BUSY:
        return TryLater(f"The journal {path} is busy: another process has been writing to it for too long.")
    if fault is Fault.FULL:
        return _full(path)
    if fault is Fault.UNWRITABLE:
        return Stop(
            f"The journal {path} cannot be written ({e}). Check who owns it and that the disk is well."
        )
    if fault is Fault.DAMAGED:
        return Stop(
            f"The journal {path} is damaged ({e}). Keep a copy of it and of the archive folder; "
            "with an empty journal the files in the archive can be added again: hartslag add archive"
        )
    return e
