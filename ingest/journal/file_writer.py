"""Appending what files bring: arrivals, files and what stands in them, and which copy of a recording counts."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ingest.formats.recording import DAY_MS, Columns, Recording
from ingest.journal import columns as packed
from ingest.journal.device_maxima import DeviceMaximum, differing_span, maxima_in_force
from ingest.journal.entry_writer import EntryWriter
from ingest.journal.forgotten import Forgotten, LeftOut, in_force

_MAXIMA = (
    "SELECT e.at_ms AS at_ms, json_extract(e.content, '$.maximum_bpm') AS bpm,"
    " coalesce(json_extract(e.content, '$.by_age'), 0) AS by_age,"
    " coalesce(json_extract(e.content, '$.device'), '') AS device"
    " FROM entry e LEFT JOIN file f ON f.id = e.file"
    " WHERE e.person {} AND e.what = 'limits' AND e.what <> 'chunk' AND f.replaced_by IS NULL"
)
"""When a person's devices were set to what."""

_NO_RANK = 9
"""Behind every rank: of a file that told of no source."""


class FileWriter(EntryWriter):
    """What a transaction may append of files."""

    def forgotten(self, person: int) -> list[Forgotten]:
        """What of a person is forgotten."""
        return in_force(lambda sql: self.db.execute(sql).fetchall(), self.own(person))

    def has_forgotten_copy(self, person: int, sha256: bytes, recording: Recording | None) -> bool:
        """Whether a file of the person with these bytes, or with this recording, is forgotten; not where only its date was taken back."""
        found = self.db.execute(
            f"SELECT id FROM file WHERE person {self.own(person)} AND (sha256 = ? OR digest = ?)",
            (sha256, recording and recording.digest),
        ).fetchall()
        copies = {file for (file,) in found}
        if recording is not None:
            better, worse = self.copies(person, recording)
            copies |= {*worse, *([] if better is None else [better])}
        return any(copies.intersection(f.files) for f in self.forgotten(person) if not f.placing)

    def chunk(self, person: int, source: int, columns: Columns, file: int | None = None) -> int:
        """Append one batch of columns; gives its position.

        Raises ValueError when it is empty or longer than a day.
        """
        s, beats = columns.series, columns.beat_times
        ends = [t[[0, -1]].astype(np.int64) for t in (s.times, beats) if len(t)]
        if not ends:
            raise ValueError("a chunk without samples and beats")
        first, last = int(min(e[0] for e in ends)), int(max(e[1] for e in ends))
        if max(last, columns.end_ms) - first > DAY_MS:
            raise ValueError("a chunk is at most a day long")
        position = self.entry(person, "chunk", first, (first, max(last, columns.end_ms)), file=file)
        self._insert(
            "chunk",
            (
                position,
                person,
                source,
                file,
                first,
                last,
                columns.end_ms,
                len(s),
                len(beats),
                *(
                    (int(s.times[0].astype(np.int64)), packed.pack_times(s.times), packed.pack_bpm(s.bpm))
                    if len(s)
                    else (None,) * 3
                ),
                *(
                    (int(beats[0].astype(np.int64)), packed.pack_times(beats), packed.pack_rr(columns.rr_ms))
                    if len(beats)
                    else (None,) * 3
                ),
                packed.pack_spans(columns.pauses.start, columns.pauses.end) if len(columns.pauses) else None,
                None
                if columns.movement is None
                else packed.pack_spans(columns.movement.start, columns.movement.end),
                *((None,) * 4),  # what only straps have
                packed.PACKING,
            ),
        )
        return position

    def arrival(self, person: int, path: str, sha256: bytes, *, kept: bool) -> int:
        """The id of a new arrival."""
        cursor = self.db.execute(
            "INSERT INTO arrival (person, path, sha256, received_ms, kept) VALUES (?, ?, ?, ?, ?)",
            (person, path, sha256, self.now_ms, kept),
        )
        self._seal("arrival", [(cursor.lastrowid or 0,)])
        return int(cursor.lastrowid or 0)

    def arrival_outcomes(self, arrival: int) -> tuple[set[str], list[str], int | None]:
        """The outcomes of an arrival's files, the reasons of the rejected, and the first moment in any of them.

        A file that was there already tells no time of its own: it is that of its copy.
        """
        rows = self.db.execute(
            "SELECT outcome, reason, member, coalesce(first_ms, (SELECT min(t.first_ms) FROM file t"
            " WHERE t.person = f.person AND t.sha256 = f.sha256)) FROM file f WHERE arrival = ? ORDER BY id",
            (arrival,),
        ).fetchall()
        reasons = [
            f"{m}: {reason}" if m else reason for outcome, reason, m, _ in rows if outcome == "rejected"
        ]
        moments = [first for *_, first in rows if first is not None]
        return {row[0] for row in rows}, reasons, min(moments, default=None)

    def end_arrival(self, arrival: int, destination: str | None, reason: str | None) -> None:
        """Note that all of an arrival is committed and where it goes."""
        self.db.execute(
            "UPDATE arrival SET ended = 1, destination = ?, reason = ? WHERE id = ?",
            (destination, reason, arrival),
        )
        self._seal("arrival", [(arrival,)])

    def destination_holder(self, destination: str) -> bytes | None:
        """The sha256 of what goes, or went, to a place below the data folder."""
        sql = "SELECT sha256 FROM arrival WHERE destination = ? ORDER BY id DESC LIMIT 1"
        row = self.db.execute(sql, (destination,)).fetchone()
        return row[0] if row else None

    def move_destinations(self, person: int, moves: Mapping[str, str]) -> None:
        """Note that what came in of a person lies elsewhere."""
        rows = [(new, person, old) for old, new in moves.items()]
        self.db.executemany("UPDATE arrival SET destination = ? WHERE person = ? AND destination = ?", rows)
        moved = "SELECT id FROM arrival WHERE person = ? AND destination IN (SELECT value FROM json_each(?))"
        self._seal("arrival", self.db.execute(moved, (person, json.dumps([*moves.values()]))).fetchall())

    def destination_owners(self, destination: str) -> set[str]:
        """The persons whose files go, or went, to a place below the data folder."""
        sql = "SELECT DISTINCT p.name FROM arrival a JOIN person p ON p.id = a.person WHERE a.destination = ?"
        return {name for (name,) in self.db.execute(sql, (destination,))}

    def arrivals_filed(self, arrivals: Sequence[int]) -> None:
        """Note that arrivals lie where they belong."""
        self.db.executemany("UPDATE arrival SET filed = 1 WHERE id = ?", [(a,) for a in arrivals])
        self._seal("arrival", [(a,) for a in arrivals])

    def copy_of(self, person: int, sha256: bytes) -> str | None:
        """The name of an earlier file of the person with the very same bytes."""
        return self._named("f.sha256 = ? AND f.outcome IN ('stored', 'partial')", person, sha256)

    def same_recording(self, person: int, recording: Recording) -> tuple[str, int, bool] | None:
        """An earlier whole file of the person with the very same heart rates: name, id, and whether this tells better whose they are.

        A program passes on what a watch recorded: then the watch is believed, and of one device who tells more workouts.
        """
        if recording.digest is None or not recording.whole:
            return None
        same = "f.digest = ? AND f.outcome = 'stored' AND f.replaced_by IS NULL"
        name = self._named(same, person, recording.digest)
        if name is None:
            return None
        (file,) = self.db.execute(
            f"SELECT min(f.id) FROM file f WHERE f.person {self.own(person)} AND {same}", (recording.digest,)
        ).fetchone()
        rank = min((part.rank for part in recording.parts), default=_NO_RANK)
        sessions = sum(fact.what == "session" for fact in recording.facts)
        return name, file, (rank, recording.identity is None, -sessions) < self._trust(file)

    def _trust(self, file: int) -> tuple[int, bool, int]:
        """Which of files with the same heart rates is believed first: the least."""
        return tuple[int, bool, int](
            self.db.execute(
                "SELECT (SELECT coalesce(min(s.rank), ?) FROM chunk c JOIN source s ON s.id = c.source WHERE c.file = f.id),"
                " f.identity IS NULL, -(SELECT count(*) FROM entry e WHERE e.file = f.id AND e.what = 'session')"
                " FROM file f WHERE f.id = ?",
                (_NO_RANK, file),
            ).fetchone()
        )

    def _named(self, condition: str, person: int, value: bytes) -> str | None:
        row = self.db.execute(
            "SELECT CASE f.member WHEN '' THEN a.path ELSE f.member END FROM file f JOIN arrival a ON a.id = f.arrival"
            f" WHERE f.person {self.own(person)} AND {condition} ORDER BY f.id LIMIT 1",
            (value,),
        ).fetchone()
        return row[0] if row else None

    def file(
        self,
        arrival: int,
        member: str,
        person: int,
        sha256: bytes,
        outcome: str,
        reason: str,
        recording: Recording | None,
        replaced_by: int | None,
    ) -> int:
        """The id of a new file; `recording` is what it brought, None when nothing."""
        r = recording
        first, last = r.span_ms if r and r.span_ms else (None, None)
        cursor = self.db.execute(
            "INSERT INTO file (arrival, member, person, sha256, identity, digest, outcome, reason, samples, beats,"
            " first_ms, last_ms, replaced_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                arrival,
                member,
                person,
                sha256,
                r and r.identity,
                r and r.digest,
                outcome,
                reason,
                r.samples if r else 0,
                r.beats if r else 0,
                first,
                last,
                replaced_by,
            ),
        )
        self._seal("file", [(cursor.lastrowid or 0,)])
        return int(cursor.lastrowid or 0)

    def copies(self, person: int, recording: Recording) -> tuple[int | None, list[int]]:
        """How a file stands to other copies of its recording: (a better one if there is, those it is better than).

        A whole copy is better than a damaged one, and of two damaged ones that with more samples.
        """
        if recording.identity is None:
            return None, []
        found = self.db.execute(
            f"SELECT id, outcome, samples, first_ms, last_ms FROM file WHERE person {self.own(person)} AND identity = ?"
            " AND outcome IN ('stored', 'partial') AND replaced_by IS NULL ORDER BY id",
            (recording.identity,),
        ).fetchall()
        a, b = recording.span_ms or (None, None)
        worse = []
        for file, outcome, samples, first, last in found:
            # A device that gives every recording one serial number and time of creation must not lose any.
            if a is not None and b is not None and first is not None and (first > b or last < a):
                continue
            if outcome == "stored" and not recording.whole:
                return file, []
            if outcome == "partial" and (recording.whole or recording.samples > samples):
                worse.append(file)
            elif outcome == "partial":
                return file, []
        return None, worse

    def replace(self, files: Sequence[int], better: int) -> tuple[int, int] | None:
        """Leave the data of files out of all counting, as a better copy is there; gives the time (ms) they touched.

        Where the limits in them decided anything, that time is touched, too.
        """
        if not files:
            return None
        (person,) = self.db.execute("SELECT person FROM file WHERE id = ?", (better,)).fetchone()
        self._forget_with(person, set(files), better)
        before = self._maxima_in_force(person)
        spans = []
        for file in files:
            self.db.execute("UPDATE file SET replaced_by = ? WHERE id = ?", (better, file))
            self._seal("file", [(file,)])
            sql = "SELECT min(first_ms), max(last_ms) FROM entry WHERE file = ? AND what NOT IN ('limits', 'file')"
            spans.append(self.db.execute(sql, (file,)).fetchone())
        touched = differing_span(before, self._maxima_in_force(person))
        if touched is not None:
            self.entry(person, "touch", self.now_ms, touched)
        spans = [s for s in spans if s[0] is not None]
        return (min(s[0] for s in spans), max(s[1] for s in spans)) if spans else None

    def _forget_with(self, person: int, files: set[int], better: int) -> None:
        """Forget a file with those whose place it takes."""
        for f in self.forgotten(person):
            if not f.placing and files.intersection(f.files):
                copy = Forgotten(
                    0, person, (better,), f.name, because=f.position if f.because is None else f.because
                )
                self.entry(person, "forget", self.now_ms, None, copy.content)

    def _maxima_in_force(self, person: int) -> list[tuple[int, int]]:
        return maxima_in_force(self._device_maxima(person), self._born(person))

    def _device_maxima(self, person: int) -> list[DeviceMaximum]:
        rows = self.db.execute(
            f"SELECT min(at_ms), bpm, by_age, device FROM ({self._ask_maxima(person)}) GROUP BY bpm, by_age, device"
        )
        return [DeviceMaximum(at_ms, bpm, bool(by_age), device) for at_ms, bpm, by_age, device in rows]

    def _ask_maxima(self, person: int) -> str:
        return _MAXIMA.format(self.own(person)) + LeftOut.of(self.forgotten(person)).except_files("e.file")

    def _born(self, person: int) -> int | None:
        """The year of birth that the settings told last."""
        sql = (
            "SELECT json_extract(content, '$.born') FROM entry WHERE person = ? AND what = 'profile' AND what <> 'chunk'"
            " ORDER BY position DESC LIMIT 1"
        )
        found = self.db.execute(sql, (person,)).fetchone()
        return found[0] if found else None

    def replace_copies(self, persons: Sequence[int]) -> list[int]:
        """Leave out which files of persons who are one now are copies, as if all had come in of one; gives these files."""
        copies, counting = [], list[tuple[Any, ...]]()
        for file in self.db.execute(
            "SELECT id, sha256, digest, identity, outcome, samples, first_ms, last_ms FROM file"
            " WHERE person IN (SELECT value FROM json_each(?)) AND outcome IN ('stored', 'partial')"
            " AND replaced_by IS NULL ORDER BY id",
            (json.dumps(list(persons)),),
        ).fetchall():
            better, worse = _better_and_worse(file, counting, self._trust)
            pairs = [(file[0], better)] if better is not None else [(other, file[0]) for other in worse]
            for left_out, instead in pairs:
                self.db.execute("UPDATE file SET replaced_by = ? WHERE id = ?", (instead, left_out))
                self._seal("file", [(left_out,)])
                copies.append(left_out)
            counting = [c for c in counting if c[0] not in copies] + ([file] if better is None else [])
        return copies

    def restore_copies(self, files: Sequence[int]) -> None:
        """Take back `replace_copies`."""
        self.db.executemany("UPDATE file SET replaced_by = NULL WHERE id = ?", [(file,) for file in files])
        self._seal("file", [(file,) for file in files])

    def limits(self, person: int, at_ms: int, content: dict[str, Any], file: int) -> int:
        """Append what a device was set to at a time; touches the time in which another maximum holds by it, if any."""
        new = DeviceMaximum.of(at_ms, content)
        span = None
        if new.is_possible and not self._said_before(person, new):
            found, born = self._device_maxima(person), self._born(person)
            span = differing_span(maxima_in_force(found, born), maxima_in_force([*found, new], born))
        return self.entry(person, "limits", at_ms, span, content, file)

    def _said_before(self, person: int, new: DeviceMaximum) -> bool:
        """Whether the device was set to the same when it was last heard of: then nothing changes, and one entry is read."""
        last = (
            f"SELECT bpm, by_age FROM ({self._ask_maxima(person)})"
            " WHERE at_ms <= ? AND device = ? ORDER BY at_ms DESC LIMIT 1"
        )
        before = self.db.execute(last, (new.at_ms, new.device)).fetchall()
        return before == [(new.bpm, int(new.by_age))]


def _better_and_worse(
    file: Sequence[Any], counting: Sequence[Sequence[Any]], trust: Callable[[int], tuple[int, bool, int]]
) -> tuple[int | None, list[int]]:
    """Of files that count the one that a later file is only a copy of, or else those that it is better than."""
    _, sha256, digest, identity, outcome, samples, first, last = file
    worse = []
    for other in counting:
        if other[1] == sha256:
            return other[0], []
        if digest and other[2] == digest and outcome == other[4] == "stored":
            if trust(file[0]) >= trust(other[0]):
                return other[0], []
            worse.append(other[0])
            continue
        apart = None not in (first, last, other[6], other[7]) and (other[6] > last or other[7] < first)
        if identity is None or other[3] != identity or apart:
            continue
        if other[4] == "stored" and outcome == "partial":
            return other[0], []
        if other[4] == "partial" and (outcome == "stored" or samples > other[5]):
            worse.append(other[0])
        elif other[4] == "partial":
            return other[0], []
    return None, worse
