"""Reading chunks back: their columns, those of straps decoded; and which there are, without their data."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.formats.recording import DAY_MS, Columns
from ingest.journal import columns as packed
from ingest.journal.entry import ALWAYS_MS, Chunk, Source
from ingest.journal.forgotten import LeftOut
from ingest.journal.forgotten_reader import ForgottenReader
from ingest.journal.notifications import Notifications
from ingest.journal.seal import SEALED
from ingest.journal.strap_chunks import check_packing, unpack_parts
from zones.series import TIMES, Series
from zones.spans import Spans

_SOURCE, _PAUSES, _CONNECTION, _STEADY, _NOTIFIED, _NOTIFICATIONS = (
    SEALED["chunk"].index(name)
    for name in ("source", "pauses", "connection", "steady_ms", "notified", "notifications")
)
"""Where these stand in the row of a chunk."""


class ChunkReader(ForgottenReader):
    """Questions about chunks. Times are ms since 1970, UTC. What is damaged is left out, and is among `damages`."""

    def sources(self, person: int) -> list[Source]:
        """The sources of a person, those to be believed first in front; ties by name."""
        return sorted(set(self._sources_by_id(person).values()), key=lambda s: (s.rank, s.name))

    def _sources_by_id(self, person: int) -> dict[int, Source]:
        """The source behind each number. One name is one source, though two persons had it before they were one."""
        rows = self._sealed_rows("source", f"WHERE person {self.own(person)} ORDER BY id")
        first: dict[str, Source] = {}
        for id_, _, name, kind, rank, _seal in rows:
            first.setdefault(name, Source(id_, person, name, kind, rank))
        return {row[0]: first[row[2]] for row in rows}

    def chunks(self, person: int, start_ms: int, end_ms: int) -> list[Chunk]:
        """A person's chunks with data in [start, end), in order of position; what was replaced or forgotten is left out.

        Those of one connection to a strap with one date come as one, at the last of their positions: as if they were
        merged already. Raises Stop where a newer version wrote them.
        """
        with self._snapshot():
            left_out = self.left_out(person)
            found = self._chunks_in(person, left_out, start_ms - DAY_MS, start_ms, end_ms)
            rows = self._chunk_rows(person, found)
            sources = self._sources_by_id(person)
            connections = self._connections({row[_CONNECTION] for row in rows} - {None})
        chunks, together = [], dict[tuple[int, int], list[Any]]()
        for row in rows:
            source = sources.get(row[_SOURCE])
            if source is None or row[_CONNECTION] not in {None, *connections}:
                self._damaged(
                    person, source.name if source else "", row[4], row[6], "whose it is cannot be read"
                )
            elif row[_CONNECTION] is None:
                with self._named(person, source.name, row[4], row[6]):
                    chunks += left_out.cut_chunk(Chunk(row[0], source, row[4], row[5], _columns(row)))
            else:
                together.setdefault((row[_CONNECTION], row[4] - row[_STEADY]), []).append(row)
        for (connection, ahead), parts in together.items():
            source = sources[parts[0][_SOURCE]]
            with self._named(person, source.name, parts[0][4], parts[-1][6]):
                chunks += _strap_chunks(source, connections[connection], ahead, parts, left_out)
        return sorted(chunks, key=lambda c: c.position)

    def _chunks_in(
        self, person: int, left_out: LeftOut, earliest_ms: int, start_ms: int, end_ms: int
    ) -> NDArray[np.int64]:
        """The chunks that begin from `earliest_ms` on, before `end_ms`, and reach to `start_ms`: rows as in the index.

        Those of files that were replaced or are forgotten are left out.
        """
        with self._snapshot():
            found = self._own_chunk_index(person, earliest_ms, end_ms)
            found = found[np.maximum(found[:, 2], found[:, 3]) >= start_ms]
            without = {*self._replaced(found[:, 4]), *left_out.files}
        return found[[file not in without for file in found[:, 4].tolist()]] if without else found

    def _chunk_rows(self, person: int, found: NDArray[np.int64]) -> list[Any]:
        """The whole rows of chunks, in order of position, without the damaged ones, which are noted."""
        rows, bad = self._sealed_by_number("chunk", found[:, 1].tolist())
        if bad:
            names = {id_: s.name for id_, s in self._sources_by_id(person).items()}
            spans = {row[1]: row for row in found.tolist()}
            for number, row in bad.items():
                first, _, last, end, _ = spans[number]
                source = names.get(row[_SOURCE], "") if row and isinstance(row[_SOURCE], int) else ""
                self._damaged(
                    person, source, first, max(last, end), "its checksum is wrong" if row else "it is gone"
                )
        return rows

    def _connections(self, numbers: Iterable[int]) -> dict[int, tuple[str, int, str]]:
        """Boot, beginning and characteristic of connections, by their numbers; the damaged ones are left out."""
        rows, _ = self._sealed_by_number("connection", sorted(numbers))
        return {row[0]: (row[2], row[3], row[4]) for row in rows}

    def chunk_spans(self, person: int, start_ms: int, end_ms: int) -> list[tuple[int, int]]:
        """The (first, last) times of a person's chunks that touch [start, end], latest first, without their data."""
        with self._snapshot():
            left_out = self.left_out(person)
            found = self._chunks_in(person, left_out, start_ms - 2 * DAY_MS, start_ms, end_ms + 1)[::-1]
            spans = list(
                zip(found[:, 0].tolist(), np.maximum(found[:, 2], found[:, 3]).tolist(), strict=True)
            )
            if not left_out.has_spans:
                return spans
            sources = self._source_names(person, found[:, 1].tolist())
        told = zip(found[:, 1].tolist(), spans, strict=True)
        left = (part for at, span in told for part in left_out.trim(sources.get(at, ""), *span))
        return [(first, last) for first, last in left if first <= end_ms and last >= start_ms]

    def _source_names(self, person: int, positions: list[int]) -> dict[int, str]:
        """By which source chunks are, by their positions."""
        names = {id_: s.name for id_, s in self._sources_by_id(person).items()}
        sql = "SELECT position, source FROM chunk WHERE position IN (SELECT value FROM json_each(?))"
        return {
            position: names.get(source, "") for position, source in self._rows(sql, json.dumps(positions))
        }

    def pauses(self, person: int, start_ms: int, end_ms: int) -> list[tuple[str, Spans]]:
        """The pauses that a person's chunks of workout files with data in [start, end] tell of: source, and when.

        A chunk speaks of its own time alone.
        """
        with self._snapshot():
            left_out = self.left_out(person)
            found = self._chunks_in(person, left_out, start_ms - DAY_MS, start_ms, end_ms + 1)
            with_pauses = self._rows(
                "SELECT position FROM chunk WHERE position IN (SELECT value FROM json_each(?)) AND pauses IS NOT NULL",
                json.dumps(found[:, 1].tolist()),
            )
            some = {n for (n,) in with_pauses}
            rows = self._chunk_rows(person, found[[n in some for n in found[:, 1].tolist()]])
            sources = {id_: s for id_, s in self._sources_by_id(person).items() if s.kind == "activity"}
        told = []
        for row in rows:
            source, pauses = sources.get(row[_SOURCE]), row[_PAUSES]
            if source is not None and pauses is not None:
                check_packing(row[-2])
                with self._named(person, source.name, row[4], row[6]):
                    spans = Spans.of(*packed.unpack_spans(pauses))
                    spans = spans.clip(row[4], max(row[5], row[6])) - left_out.spans(source.name)
                    told.append((source.name, spans))
        return told

    def chunks_with_pauses(self, first: int, last: int) -> set[int]:
        """The positions from `first` to `last` that are of chunks with pauses."""
        sql = "SELECT position FROM chunk WHERE position BETWEEN ? AND ? AND connection IS NULL AND pauses IS NOT NULL"
        return {position for (position,) in self._rows(sql, first, last)}

    def chunk_sizes(self, person: int, start_ms: int, end_ms: int) -> list[tuple[int, int]]:
        """When a person's chunks that touch [start, end) begin, and how many samples and beats each holds."""
        return self._rows(
            "SELECT c.first_ms, coalesce(c.samples + c.beats, 0) FROM chunk c"
            " LEFT JOIN file f ON f.id = c.file WHERE c.person = ? AND c.first_ms >= ? AND c.first_ms < ?"
            f" AND max(c.last_ms, c.end_ms) >= ? AND f.replaced_by IS NULL{self.left_out(person).except_files('c.file')}",
            person,
            start_ms - DAY_MS,
            end_ms,
            start_ms,
        )

    def strap_samples(self) -> list[tuple[str, str, int, int]]:
        """How many samples each strap told of whom on each day since 1970, also those that do not count."""
        names = dict(self._rows("SELECT id, name FROM person"))
        merged = self.merges()
        rows = self._rows(
            f"SELECT c.person, s.name, c.first_ms / {DAY_MS}, coalesce(sum(c.samples), 0) FROM chunk c JOIN source s ON s.id = c.source"
            " WHERE c.connection IS NOT NULL AND c.first_ms >= ? GROUP BY 1, 2, 3",
            -ALWAYS_MS,
        )
        held = Counter[tuple[str, str, int]]()
        for person, source, day, n in rows:
            held[names.get(merged.get(person, person), ""), source, day] += n
        return [(*key, n) for key, n in held.items()]

    def has_entries_of(self, names: Sequence[str], after: int) -> bool:
        """Whether behind a position lie entries of one of these names, or some that say that samples were dated anew."""
        marks = ", ".join("?" * len(names))
        sql = f"SELECT 1 FROM entry WHERE position > ? AND (what IN ({marks}) OR what = 'chunk' AND content IS NOT NULL) LIMIT 1"
        return bool(self._rows(sql, after, *names))

    def strap_spans(self, after: int) -> list[tuple[str, str, int, int]]:
        """From when to when (ms) each strap told of whom, by what lies behind a position."""
        names = dict(self._rows("SELECT id, name FROM person"))
        merged = self.merges()
        rows = self._rows(
            "SELECT c.person, s.name, min(c.first_ms), max(c.last_ms) FROM chunk c JOIN source s ON s.id = c.source"
            " WHERE c.position > ? AND c.connection IS NOT NULL AND c.first_ms >= ? GROUP BY 1, 2",
            after,
            -ALWAYS_MS,
        )
        return [(names.get(merged.get(person, person), ""), *row) for person, *row in rows]

    def has_beats(self, person: int, start_ms: int, end_ms: int) -> bool:
        """Whether any of a person's chunks with data in [start, end) holds beats."""
        with self._snapshot():
            found = self._chunks_in(person, self.left_out(person), start_ms - DAY_MS, start_ms, end_ms)
            sql = "SELECT EXISTS (SELECT 1 FROM chunk WHERE position IN (SELECT value FROM json_each(?)) AND beats > 0)"
            return bool(self._rows(sql, json.dumps(found[:, 1].tolist()))[0][0])

    def newest_spans(self, person: int, latest: int) -> list[tuple[int, int, int]]:
        """The (source, first time, last time) of a person's newest chunks that are not of an all-day watch."""
        left_out = self.left_out(person)
        rows = self._rows(
            "SELECT c.source, s.name, c.first_ms, max(c.last_ms, c.end_ms) FROM chunk c"
            " JOIN source s ON s.id = c.source LEFT JOIN file f ON f.id = c.file"
            " WHERE c.person = ? AND s.kind <> 'monitoring'"
            f" AND c.first_ms >= ? AND f.replaced_by IS NULL{left_out.except_files('c.file')}"
            " ORDER BY c.first_ms DESC LIMIT ?",
            person,
            -ALWAYS_MS,
            latest,
        )
        return [
            (source, *span) for source, name, *all_of_it in rows for span in left_out.trim(name, *all_of_it)
        ]

    def broken_chunks(
        self, after: int = 0, until: int = 1 << 62, going_on: Callable[[int], bool] = lambda _done: True
    ) -> Iterator[tuple[int, str]]:
        """Chunks in (after, until] whose columns cannot be read back as they were written: (position, what is wrong).

        `going_on` is told before each how many are done.
        """
        sql = "SELECT position FROM chunk WHERE position > ? AND position <= ? ORDER BY position"
        for done, (position,) in enumerate(self._rows(sql, after, until)):
            if not going_on(done):
                return
            rows, bad = self._sealed_by_number("chunk", [position])
            if bad:
                yield position, "is not as it was written: its checksum is wrong"
                continue
            ((*_, samples, beats),) = [(row[7], row[8]) for row in rows]
            try:
                if rows[0][_CONNECTION] is not None:
                    # What they say may be read otherwise one day, and is not what is kept.
                    row = rows[0]
                    Notifications.unpack("", 0, [(row[_NOTIFICATIONS], row[_STEADY], row[_NOTIFIED])])
                    continue
                columns = _columns(rows[0])
            except Exception as e:  # noqa: BLE001 - whatever is wrong with it is the answer
                yield position, f"cannot be read back: {e}"
                continue
            held, counted = (len(columns.series.bpm), len(columns.rr_ms)), (samples, beats)
            if held != counted:
                yield (
                    position,
                    f"holds {held[0]} samples and {held[1]} beats, not {counted[0]} and {counted[1]}",
                )


def _strap_chunks(
    source: Source, connection: tuple[str, int, str], ahead: int, parts: list[Any], left_out: LeftOut
) -> Iterator[Chunk]:
    """Chunks of one connection with one date as one, or what is left of it in parts."""
    for packing in {row[-2] for row in parts}:
        check_packing(packing)
    packed_parts = [(row[_NOTIFICATIONS], row[_STEADY], row[_NOTIFIED]) for row in parts]
    notifications = unpack_parts(*connection, packed_parts)
    for some, columns in left_out.decode(source.name, notifications, ahead):
        first, last = (int(at) + ahead for at in some.steady_ms[[0, -1]])
        yield Chunk(parts[-1][0], source, first, last, columns, some)


def _columns(row: Sequence[Any]) -> Columns:
    """The columns of a file's chunk, whose row is whole."""
    c = dict(zip(SEALED["chunk"], row, strict=False))
    check_packing(c["packing"])
    samples, beats, pauses, movement = c["samples"], c["beats"], c["pauses"], c["movement"]
    return Columns(
        series=Series(
            packed.unpack_times(c["times"], c["times_first_ms"], samples), packed.unpack_bpm(c["bpm"])
        )
        if samples
        else Series.empty(),
        end_ms=c["end_ms"],
        beat_times=packed.unpack_times(c["beat_times"], c["beats_first_ms"], beats)
        if beats
        else np.empty(0, TIMES),
        rr_ms=packed.unpack_rr(c["rr"]) if beats else np.empty(0, np.float32),
        pauses=Spans.of(*packed.unpack_spans(pauses)) if pauses else Spans.none(),
        movement=None if movement is None else Spans.of(*packed.unpack_spans(movement)),
    )
