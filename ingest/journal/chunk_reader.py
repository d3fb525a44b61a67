"""Reading chunks back: their columns, those of straps decoded; and which there are, without their data."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ingest.formats.recording import DAY_MS, Columns
from ingest.journal import columns as packed
from ingest.journal.entry import ALWAYS_MS, Chunk, Source
from ingest.journal.forgotten_reader import ForgottenReader
from ingest.journal.strap_chunks import (
    STRAP_COLUMNS,
    check_packing,
    unpack_parts,
    unpack_rows,
)
from zones.series import TIMES, Series
from zones.spans import Spans

_FILE_COLUMNS = (
    "c.end_ms, c.samples, c.times_first_ms, c.times, c.bpm, c.beats, c.beats_first_ms, c.beat_times, c.rr, c.pauses,"
    " c.movement, c.packing"
)
"""What `_columns` needs of a chunk `c`."""


class ChunkReader(ForgottenReader):
    """Questions about chunks. Times are ms since 1970, UTC."""

    def sources(self, person: int) -> list[Source]:
        """The sources of a person, those to be believed first in front; ties by name."""
        rows = self._rows(
            "SELECT id, person, name, kind, rank FROM source WHERE person = ? ORDER BY rank, name", person
        )
        return [Source(*row) for row in rows]

    def chunks(self, person: int, start_ms: int, end_ms: int) -> list[Chunk]:
        """A person's chunks with data in [start, end), in order of position; what was replaced or forgotten is left out.

        Those of one connection to a strap with one date come as one, at the last of their positions: as if they were
        merged already. Raises Stop where a newer version wrote them, ValueError or zlib.error where they are damaged.
        """
        sources = {s.id: s for s in self.sources(person)}
        left_out = self.left_out(person)
        # Without the connection: of a strap that is worn there are hundreds of rows, and all say the same of it.
        rows = self._rows(
            f"SELECT c.position, c.source, c.first_ms, c.last_ms, c.connection, c.steady_ms, c.notifications, c.notified,"
            f" {_FILE_COLUMNS} FROM chunk c LEFT JOIN file f ON f.id = c.file"
            " WHERE c.person = ? AND c.first_ms >= ? AND c.first_ms < ? AND max(c.last_ms, c.end_ms) >= ?"
            f" AND f.replaced_by IS NULL{left_out.except_files('c.file')} ORDER BY c.position",
            person,
            start_ms - DAY_MS,
            end_ms,
            start_ms,
        )
        chunks, connections = [], dict[tuple[int, int], list[Any]]()
        for row in rows:
            if row[4] is None:
                chunk = Chunk(row[0], sources[row[1]], row[2], row[3], _columns(row[8:]))
                chunks += left_out.cut_chunk(chunk)
            else:
                connections.setdefault((row[4], row[2] - row[5]), []).append(row)
        for (connection, ahead), together in connections.items():
            for packing in {row[-1] for row in together}:
                check_packing(packing)
            ((boot, began_ms, characteristic),) = self._rows(
                "SELECT boot, began_ms, characteristic FROM connection WHERE id = ?", connection
            )
            parts = [(row[6], row[5], row[7]) for row in together]
            notifications = unpack_parts(boot, began_ms, characteristic, parts)
            position, source = together[-1][0], sources[together[-1][1]]
            for some, columns in left_out.decode(source.name, notifications, ahead):
                first, last = (int(at) + ahead for at in some.steady_ms[[0, -1]])
                chunks.append(Chunk(position, source, first, last, columns, some))
        return sorted(chunks, key=lambda c: c.position)

    def chunk_spans(self, person: int, start_ms: int, end_ms: int) -> list[tuple[int, int]]:
        """The (first, last) times of a person's chunks that touch [start, end], latest first, without their data."""
        left_out = self.left_out(person)
        rows = self._rows(
            "SELECT s.name, c.first_ms, max(c.last_ms, c.end_ms) FROM chunk c JOIN source s ON s.id = c.source"
            " LEFT JOIN file f ON f.id = c.file"
            " WHERE c.person = ? AND c.first_ms >= ? AND c.first_ms <= ? AND max(c.last_ms, c.end_ms) >= ?"
            f" AND f.replaced_by IS NULL{left_out.except_files('c.file')} ORDER BY c.first_ms DESC",
            person,
            start_ms - 2 * DAY_MS,
            end_ms,
            start_ms,
        )
        left = (span for source, *all_of_it in rows for span in left_out.trim(source, *all_of_it))
        return [(first, last) for first, last in left if first <= end_ms and last >= start_ms]

    def pauses(self, person: int, start_ms: int, end_ms: int) -> list[tuple[str, Spans]]:
        """The pauses that a person's chunks of workout files with data in [start, end] tell of: source, and when.

        A chunk speaks of its own time alone.
        """
        left_out = self.left_out(person)
        rows = self._rows(
            "SELECT s.name, c.first_ms, max(c.last_ms, c.end_ms), c.pauses, c.packing FROM chunk c"
            " JOIN source s ON s.id = c.source LEFT JOIN file f ON f.id = c.file"
            " WHERE c.person = ? AND c.first_ms >= ? AND c.first_ms <= ? AND max(c.last_ms, c.end_ms) >= ?"
            " AND c.pauses IS NOT NULL AND s.kind = 'activity' AND f.replaced_by IS NULL"
            f"{left_out.except_files('c.file')}",
            person,
            start_ms - DAY_MS,
            end_ms,
            start_ms,
        )
        for *_, packing in rows:
            check_packing(packing)
        return [
            (source, Spans.of(*packed.unpack_spans(pauses)).clip(first, last) - left_out.spans(source))
            for source, first, last, pauses, _ in rows
        ]

    def chunks_with_pauses(self, first: int, last: int) -> set[int]:
        """The positions from `first` to `last` that are of chunks with pauses."""
        sql = "SELECT position FROM chunk WHERE position BETWEEN ? AND ? AND connection IS NULL AND pauses IS NOT NULL"
        return {position for (position,) in self._rows(sql, first, last)}

    def chunk_sizes(self, person: int, start_ms: int, end_ms: int) -> list[tuple[int, int]]:
        """When a person's chunks that touch [start, end) begin, and how many samples and beats each holds."""
        return self._rows(
            "SELECT c.first_ms, c.samples + c.beats FROM chunk c"
            " LEFT JOIN file f ON f.id = c.file WHERE c.person = ? AND c.first_ms >= ? AND c.first_ms < ?"
            f" AND max(c.last_ms, c.end_ms) >= ? AND f.replaced_by IS NULL{self.left_out(person).except_files('c.file')}",
            person,
            start_ms - DAY_MS,
            end_ms,
            start_ms,
        )

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

    def broken_chunks(self) -> Iterator[tuple[int, str]]:
        """Chunks whose columns cannot be read back as they were counted: (position, what is wrong)."""
        for (position,) in self._rows("SELECT position FROM chunk ORDER BY position"):
            (row,) = self._rows(
                f"SELECT c.connection, {_FILE_COLUMNS}, {STRAP_COLUMNS} FROM chunk c"
                " LEFT JOIN connection n ON n.id = c.connection WHERE c.position = ?",
                position,
            )
            try:
                if row[0] is not None:
                    # What they say may be read otherwise one day, and is not what is kept.
                    unpack_rows([row[13:]])
                    continue
                columns = _columns(row[1:13])
            except Exception as e:  # noqa: BLE001 - whatever is wrong with it is the answer
                yield position, f"cannot be read back: {e}"
                continue
            held, counted = (len(columns.series.bpm), len(columns.rr_ms)), (row[2], row[6])
            if held != counted:
                yield (
                    position,
                    f"holds {held[0]} samples and {held[1]} beats, not {counted[0]} and {counted[1]}",
                )


def _columns(row: Sequence[Any]) -> Columns:
    (
        end_ms,
        samples,
        times_first,
        times,
        bpm,
        beats,
        beats_first,
        beat_times,
        rr,
        pauses,
        movement,
        packing,
    ) = row
    check_packing(packing)
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
