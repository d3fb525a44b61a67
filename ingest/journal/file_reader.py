"""Reading what became of files: on their way, and once they are filed."""

import json
import zlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from ingest.formats.recording import LONGEST_SESSION_MS
from ingest.journal.columns import unpack_bpm
from ingest.journal.entry import ALWAYS_MS, Filed
from ingest.journal.forgotten_reader import ForgottenReader


class FileReader(ForgottenReader):
    """Questions about files and arrivals."""

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
        return self._as_shown(Filed(*row) for row in rows)

    def files_alike(self, least: int) -> list[list[Filed]]:
        """The whole files of so many samples, those together that have as many and lasted as long."""
        rows = self._rows(
            "SELECT f.id, a.path || CASE f.member WHEN '' THEN '' ELSE '/' || f.member END, p.name, f.outcome,"
            " f.reason, f.samples, f.beats, f.first_ms, f.last_ms, a.received_ms"
            " FROM file f JOIN arrival a ON a.id = f.arrival JOIN person p ON p.id = f.person"
            " JOIN (SELECT samples AS n, last_ms - first_ms AS lasts_ms FROM file WHERE outcome = 'stored'"
            " AND replaced_by IS NULL AND samples >= ? GROUP BY 1, 2 HAVING count(*) > 1) AS g"
            " ON g.n = f.samples AND g.lasts_ms = f.last_ms - f.first_ms"
            " WHERE f.outcome = 'stored' AND f.replaced_by IS NULL",
            least,
        )
        found: dict[tuple[int, int], list[Filed]] = {}
        for f in self._as_shown(Filed(*row) for row in rows):
            assert f.first_ms is not None
            assert f.last_ms is not None
            found.setdefault((f.samples, f.last_ms - f.first_ms), []).append(f)
        return list(found.values())

    def holds_same_rates(self, file: int, other: int, least_varied: int) -> bool:
        """Whether two files hold the very same heart rates one after the other, of so many different ones, whatever their times are."""
        sql = "SELECT bpm FROM chunk WHERE file = ? AND bpm IS NOT NULL ORDER BY first_ms, source"
        rates = self._rows(sql, file)
        if rates != self._rows(sql, other):
            return False
        try:
            found = {bpm for (blob,) in rates for bpm in unpack_bpm(blob).tolist()}
        except zlib.error:
            return False  # a damaged chunk is told elsewhere
        return len(found) >= least_varied

    def files_of(self, person: int) -> list[tuple[int, str, str]]:
        """The number, the name and the outcome of each file of one person, newest first."""
        return self._rows(
            "SELECT f.id, a.path || CASE f.member WHEN '' THEN '' ELSE '/' || f.member END, f.outcome"
            f" FROM file f JOIN arrival a ON a.id = f.arrival WHERE f.person {self.own(person)} AND f.replaced_by IS NULL"
            " ORDER BY f.id DESC"
        )

    def _as_shown(self, files: Iterable[Filed]) -> list[Filed]:
        """Files under the names of those who have them now."""
        merged = self.merges()
        if not merged:
            return list(files)
        names = dict(self._rows("SELECT id, name FROM person"))
        now = {names[one]: names[other] for one, other in merged.items()}
        return [replace(f, person=now.get(f.person, f.person)) for f in files]

    def file_reasons(self, files: Sequence[int]) -> dict[int, str]:
        """What there is to say of each file, '' for nothing: why it was not stored whole, or what was remarkable."""
        if not files:
            return {}
        sql = "SELECT id, reason FROM file WHERE id IN (SELECT value FROM json_each(?))"
        return dict(self._rows(sql, json.dumps(files)))

    def files_named(self, name: str) -> list[Filed]:
        """The files that came under a name or path, or lie there below the data folder; newest first."""
        name = name.encode("utf-8", "backslashreplace").decode()  # as the journal has it
        last = name.replace("\\", "/").rsplit("/", maxsplit=1)[-1]
        rows = self._rows(
            "SELECT f.id, a.path || CASE f.member WHEN '' THEN '' ELSE '/' || f.member END AS named, p.name, f.outcome,"
            " f.reason, f.samples, f.beats, f.first_ms, f.last_ms, a.received_ms, coalesce(a.destination, '')"
            " FROM file f JOIN arrival a ON a.id = f.arrival JOIN person p ON p.id = f.person"
            " WHERE named LIKE '%' || ?1 OR a.destination LIKE '%' || ?1 ORDER BY f.id DESC",
            last,
        )
        shown = self._as_shown(Filed(*row[:10]) for row in rows)
        found = [(f, row[10]) for f, row in zip(shown, rows, strict=True)]

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

    def arrivals_of(self, files: Sequence[int]) -> dict[int, list[tuple[int, str, str | None]]]:
        """The arrivals that some files came with, each with all that it brought: (file, its outcome, where it lies)."""
        rows = self._rows(
            "SELECT f.arrival, f.id, f.outcome, a.destination FROM file f JOIN arrival a ON a.id = f.arrival"
            " WHERE f.arrival IN (SELECT arrival FROM file WHERE id IN (SELECT value FROM json_each(?))) ORDER BY f.id",
            json.dumps(list(files)),
        )
        found: dict[int, list[tuple[int, str, str | None]]] = {}
        for arrival, *file in rows:
            found.setdefault(arrival, []).append((file[0], file[1], file[2]))
        return found

    def place_of_file(self, file: int) -> tuple[str, str]:
        """Where a file lies below the data folder, and which member of an archive it is ("" for none)."""
        rows = self._rows(
            "SELECT coalesce(a.destination, ''), f.member FROM file f JOIN arrival a ON a.id = f.arrival WHERE f.id = ?",
            file,
        )
        return rows[0] if rows else ("", "")

    def with_better_copies(self, files: Sequence[int]) -> list[int]:
        """Some files, and those that have taken their place."""
        found, todo = list(files), list(files)
        while todo:
            rows = self._rows(
                "SELECT replaced_by FROM file WHERE replaced_by IS NOT NULL AND id IN (SELECT value FROM json_each(?))",
                json.dumps(todo),
            )
            todo = [better for (better,) in rows if better not in found]
            found += todo
        return found

    def touched_by_files(self, files: Sequence[int]) -> list[tuple[int, int]]:
        """The time (ms, both ends included) that each of some files told of, where it did."""
        rows = self._rows(
            "SELECT min(min(first_ms, last_ms)), max(max(first_ms, last_ms)) FROM entry"
            " WHERE file IN (SELECT value FROM json_each(?)) AND what NOT IN ('limits', 'file') AND first_ms IS NOT NULL"
            " GROUP BY file",
            json.dumps(list(files)),
        )
        return [(first, last) for first, last in rows]

    def products(self, person: int) -> dict[str, str]:
        """Which product each device of a person is, as its newest file says; devices are what names of sources begin with."""
        newest = (
            "SELECT json_extract(content, '$.device') AS device, max(position) FROM entry"
            f" WHERE person {self.own(person)} AND what = 'file' AND what <> 'chunk' GROUP BY device HAVING device IS NOT NULL"
        )
        product = "SELECT json_extract(content, '$.product') FROM entry WHERE position = ?"
        return {device: self._rows(product, at)[0][0] for device, at in self._rows(newest)}

    def told_workouts(self, person: int, start_ms: int, end_ms: int) -> list[tuple[int, int]]:
        """When (ms, first and last) workouts may have been in [start, end) of which only the watch's own zones are known."""
        rows = self._rows(
            f"SELECT at_ms, last_ms FROM entry WHERE person {self.own(person)} AND what = 'session' AND what <> 'chunk'"
            " AND at_ms >= ? AND at_ms < ? AND last_ms >= ? AND content LIKE '%\"watch_edges\"%'",
            max(start_ms - LONGEST_SESSION_MS, -ALWAYS_MS),
            end_ms,
            start_ms,
        )
        return [(first, last) for first, last in rows]

    def summed_up_workouts(self, person: int, start_ms: int, end_ms: int) -> list[int]:
        """When (ms) workouts may have begun in [start, end) of whose files nothing but what they sum up is known."""
        rows = self._rows(
            f"SELECT at_ms FROM entry AS e WHERE person {self.own(person)} AND what = 'session' AND what <> 'chunk'"
            " AND at_ms >= ? AND at_ms < ? AND NOT EXISTS (SELECT 1 FROM chunk WHERE chunk.file = e.file)",
            start_ms,
            end_ms,
        )
        return [at_ms for (at_ms,) in rows]

    def sources_of_workouts(self, person: int) -> list[str]:
        """The sources that files name as those of workouts; some of them recorded no heart rate."""
        rows = self._rows(
            "SELECT DISTINCT json_extract(content, '$.source') AS source FROM entry"
            f" WHERE person {self.own(person)} AND what = 'session' AND what <> 'chunk' AND source IS NOT NULL"
            " ORDER BY source",
        )
        return [source for (source,) in rows]

    def known_copy(self, person: str, sha256: bytes) -> bool:
        """Whether this very file is already stored for the person."""
        rows = self._rows(
            "SELECT 1 FROM file f JOIN person p ON p.id = f.person WHERE p.name = ? AND f.sha256 = ?"
            " AND f.outcome IN ('stored', 'partial')",
            person,
            sha256,
        )
        return bool(rows)

    def files_with(self, person: int, sha256: bytes) -> set[int]:
        """The numbers of the files of a person that have exactly these bytes."""
        rows = self._rows(f"SELECT id FROM file WHERE person {self.own(person)} AND sha256 = ?", sha256)
        return {file for (file,) in rows}

    def owner_of_rejected(self, sha256: bytes) -> str | None:
        """Whose a file was that was rejected, by itself or out of a zip."""
        rows = self._rows(
            "SELECT p.name FROM file f JOIN arrival a ON a.id = f.arrival JOIN person p ON p.id = f.person"
            " WHERE f.outcome = 'rejected' AND ? IN (f.sha256, a.sha256) ORDER BY f.id DESC LIMIT 1",
            sha256,
        )
        return rows[0][0] if rows else None

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

    def all_destinations(self) -> set[str]:
        """Where arrivals went, below the data folder."""
        return {
            str(place)
            for (place,) in self._rows("SELECT destination FROM arrival WHERE destination IS NOT NULL")
        }

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

    def samples_of(self, persons: Sequence[int]) -> int:
        """How many heart rates there are of some persons."""
        sql = "SELECT coalesce(sum(samples), 0) FROM chunk WHERE person IN (SELECT value FROM json_each(?))"
        return int(self._rows(sql, json.dumps(list(persons)))[0][0])

    def has_history(self, person: int) -> bool:
        """Whether anything was ever recorded of a person."""
        of = self.own(person)
        return bool(
            self._rows(
                f"SELECT 1 WHERE EXISTS (SELECT 1 FROM chunk WHERE person {of})"
                f" OR EXISTS (SELECT 1 FROM file WHERE person {of})"
            )
        )

    def not_only_files(self, after: int, limit: int) -> bool:
        """Whether anything else than files told the first entries behind a position, which are not read for that."""
        sql = "SELECT file FROM entry WHERE position > ? ORDER BY position LIMIT ?"
        return bool(self._rows(f"SELECT 1 FROM ({sql}) WHERE file IS NULL LIMIT 1", after, limit))

    def touched_until(self, position: int, without: Collection[str]) -> tuple[int, int] | None:
        """The first and the last moment (ms) of what entries up to a position touch, those of some kinds left out."""
        marks = ", ".join("?" * len(without))
        sql = (
            "SELECT min(min(at_ms, first_ms, last_ms)), max(max(at_ms, first_ms, last_ms)) FROM entry"
            f" WHERE position <= ? AND what NOT IN ({marks})"
            " AND typeof(at_ms) = 'integer' AND typeof(first_ms) = 'integer' AND typeof(last_ms) = 'integer'"
        )
        ((first_ms, last_ms),) = self._rows(sql, position, *without)
        return None if first_ms is None else (first_ms, last_ms)

    def rejected_marks(self, person: int) -> list[str]:
        """What the names end in of files that were set aside out of an archive of a person."""
        sql = "SELECT substr(lower(hex(sha256)), 1, 8) FROM file WHERE person = ? AND outcome = 'rejected' AND member <> ''"
        return [mark for (mark,) in self._rows(sql, person)]

    def destination_owners(self, place: str) -> set[int]:
        """The persons of whom anything lies at a place below the data folder."""
        return {p for (p,) in self._rows("SELECT DISTINCT person FROM arrival WHERE destination = ?", place)}

    def destinations(self, person: int) -> list[str]:
        """Where what came in of a person lies, below the data folder; of that person alone, whoever is the same."""
        sql = "SELECT DISTINCT destination FROM arrival WHERE person = ? AND destination IS NOT NULL ORDER BY id"
        return [place for (place,) in self._rows(sql, person)]

    def outcome_counts(self) -> dict[str, int]:
        """How many files ended how."""
        return dict(self._rows("SELECT outcome, count(*) FROM file GROUP BY outcome"))
