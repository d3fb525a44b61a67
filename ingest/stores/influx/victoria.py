"""VictoriaMetrics as a server: every field of a table is a metric of its own, `table_field`, and all values are numbers.

What was seen of it (1.79.5 and 1.122.0, with the flags that are asked for in `claim_ownership`):

* Of several values at one millisecond 1.122 shows the highest, 1.79 any: a number that falls, or changes, cannot be
  written over, and a single row cannot be taken away. Whole series can be deleted, and written again at once: `corrections`
  does so.
* A time of 0 is taken for "now", and one in the future by more than two days or beyond the retention is dropped with a
  yes, as are texts (they become 0). What is of the first day of 1970 does not come back after a deletion. So all of
  that day is sent as of the second, and a text as a label of a metric that is 1:
  `session_sport{sport="running"}`.
* What was said yes to in the last seconds before a kill -9 is lost. It shows to those who ask after some seconds, or
  after `/internal/force_flush`.
"""

import contextlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from ingest.errors import TryLater
from ingest.language import N_, Text
from ingest.rows.table import REAL, TABLES, TEXT, Block
from ingest.settings.model import InfluxSettings
from ingest.stores.influx.cells import Cells, Digest, FieldColumn, FieldKey, Labels, StoredSeries, block_cells
from ingest.stores.influx.client import (
    BodyTooLarge,
    Refused,
    ServerClient,
    Unavailable,
    reading_response,
    with_its_words,
)
from ingest.stores.influx.lines import clean_tag, coarsest_precision, encode_lines
from ingest.stores.influx.marker import MARKER, MARKER_US, marker_line
from ingest.stores.influx.server import DEDUPLICATION, RETENTION, Unfit
from ingest.stores.influx.victoria_api import FIRST_MS, FOREVER_US, FUTURE_MS, VictoriaApi, fresh, selector
from ingest.system.crash_points import reached

RETENTION_FLAG, DEDUP_FLAG = "-retentionPeriod=100y", "-dedup.minScrapeInterval=1ms"

VISIBLE_AFTER_S = 7.0
"""After which what was written shows by itself; 5 s were seen. What does not is sent once more, which changes nothing."""

CANARY_S = 25.0
"""How long a server that is busy may take to show what was written to try it out."""

FLUSHED_S = 10.0
"""The same of one that can be told to show it."""

LOOK_S = 0.2
"""Between two looks for it."""

CANARIES = 10
"""Moments at which each way to write two values is tried."""

_ALL = [f"{table}_{field}" for table in TABLES for field in TABLES[table].fields]
_OURS = [("__name__", "|".join(_ALL)), ("person", ".+")]
"""What selects rows of somebody; others are no rows of a hartslag."""

_SHORT_RETENTION = {
    True: N_(
        "VictoriaMetrics at {url} drops what is older than its retention, a month unless told otherwise. Start"
        " each vmstorage with {flag}"
    ),
    False: N_(
        "VictoriaMetrics at {url} drops what is older than its retention, a month unless told otherwise. Start"
        " it with {flag}"
    ),
}
_NO_DEDUPLICATION = {
    True: N_(
        "VictoriaMetrics at {url} keeps every copy of a row that is sent again. Start vmselect, and each"
        " vmstorage, too, with {flag}"
    ),
    False: N_("VictoriaMetrics at {url} keeps every copy of a row that is sent again. Start it with {flag}"),
}
"""What to tell the owner of a cluster, and of one alone."""


class VictoriaServer:
    """VictoriaMetrics, alone or as a cluster."""

    title = "VictoriaMetrics"
    may_lose = True
    """Killed, it has lost all of its last eight seconds."""
    minute_delay_s = 180.0
    """A strap's samples of a minute are committed, masked and counted by then."""
    overwrites = False
    deletes = True
    future_limit_s = FUTURE_MS / 1000 - 3600

    def __init__(self, client: ServerClient, influx: InfluxSettings) -> None:
        self.overwrites_lower = False
        self._can_force_flush = True
        self._raised: tuple[float, str] | None = None
        self._client = client
        self.site = clean_tag(influx.site or "")
        self._api = VictoriaApi(client, self.site)

    def align_times(self, block: Block) -> Block:
        """Times in whole milliseconds, none of them 0; rows told apart by microseconds are told apart by milliseconds."""
        start, end = block.start_us, block.end_us
        ms, us = np.divmod(block.time_us, 1000)
        if start % 1000:
            start = (start // 1000 + start % 1000) * 1000
            end = start + 1000
        return replace(
            block, start_us=start, end_us=-(-end // 1000) * 1000, time_us=np.maximum(ms + us, FIRST_MS) * 1000
        )

    def encode(self, block: Block) -> Iterator[tuple[bytes, str]]:
        """The lines of a block, as bodies with their precision; of a text field each text is a label with the value 1."""
        kinds = TABLES[block.table].fields
        numbers = {name: column for name, column in block.fields.items() if kinds[name] != TEXT}
        tags = {**block.tags, "site": self.site}
        precision = coarsest_precision(block.time_us)
        for body in encode_lines(
            block.table, tags, block.time_us, numbers, kinds, block.labels, precision=precision
        ):
            yield body, precision
        for name in block.fields:
            if kinds[name] == TEXT:
                texts = [t if t is None else clean_tag(str(t)) for t in block.fields[name]]
                one = {name: [1.0 if t else None for t in texts]}
                labels = {**block.labels, name: [t or "" for t in texts]}
                for body in encode_lines(
                    block.table, tags, block.time_us, one, {name: REAL}, labels, precision=precision
                ):
                    yield body, precision

    def block_cells(self, block: Block) -> Cells:
        """The cells of a block as the server will show them: texts as labels."""
        found: Cells = {}
        for (labels, name), (times, values) in block_cells(block).items():
            if TABLES[block.table].fields[name] != TEXT:
                found[labels, name] = times, values
                continue
            texts = np.array([clean_tag(str(v)) for v in values], dtype=np.str_)
            for text in np.unique(texts).tolist():
                here = texts == text
                if text:
                    found[_add_label(labels, name, text), name] = times[here], np.ones(int(here.sum()))
        return found

    def read_range(self, series: StoredSeries, start_us: int, end_us: int) -> Cells:
        """All fields of a series in [start, end), in microseconds. Raises ResponseTooLarge."""
        names = "|".join(TABLES[series.table].fields)
        match = selector([("__name__", f"{series.table}_(?:{names})")], series.tags)
        found: dict[FieldKey, list[FieldColumn]] = {}
        with reading_response(self._client.url):
            for metric, column in self._api.export(match, start_us, end_us):
                name = metric["__name__"].removeprefix(f"{series.table}_")
                labels: Labels = tuple((tag, metric.get(tag, "")) for tag in series.free_tags)
                if TABLES[series.table].fields[name] == TEXT:
                    labels = _add_label(labels, name, metric.get(name, ""))
                found.setdefault((labels, name), []).append(column)
        return {key: _concatenate(columns) for key, columns in found.items()}

    def read_field(self, series: StoredSeries, key: FieldKey, start_us: int, end_us: int) -> FieldColumn:
        """One metric of a series in [start, end). Raises ResponseTooLarge."""
        match = selector([], [("__name__", f"{series.table}_{key[1]}"), *series.tags, *key[0]])
        return _concatenate([column for _, column in self._api.export(match, start_us, end_us)])

    def digest(self, series: StoredSeries, start_us: int, end_us: int) -> Digest | None:
        """Of each field that is held of a series in [start, end) how many, and their sum; None where it cannot say."""
        names = "|".join(TABLES[series.table].fields)
        match = selector([("__name__", f"{series.table}_(?:{names})")], series.tags)
        match = match.replace("{", "{{").replace("}", "}}")
        counts, sums = (
            self._api.sum_up(
                f"sum({what}_over_time({match}{{span}}) keep_metric_names) by (__name__)", start_us, end_us
            )
            for what in ("count", "sum")
        )
        if counts is None or sums is None:
            return None
        return {
            name.removeprefix(f"{series.table}_"): (int(n), sums.get(name, 0.0)) for name, n in counts.items()
        }

    def count_rows(self, person: str, start_us: int, end_us: int) -> int | None:
        """How many values are held of a person in [start, end), in all tables; None where it cannot say."""
        match = selector([("__name__", "|".join(_ALL))], [("person", clean_tag(person)), ("site", self.site)])
        match = match.replace("{", "{{").replace("}", "}}")
        counts = self._api.sum_up(f"sum(count_over_time({match}{{span}}))", start_us, end_us)
        return None if counts is None else int(sum(counts.values()))

    def delete_field(self, series: StoredSeries, key: FieldKey) -> None:
        """Delete one metric of a series, all of it."""
        self._api.delete(selector([], [("__name__", f"{series.table}_{key[1]}"), *series.tags, *key[0]]))

    def delete_ranges(self, series: StoredSeries, labels: Labels, spans: Sequence[tuple[int, int]]) -> bool:
        """Rows are taken away with their series only."""
        del series, labels, spans
        return False

    def clear(self) -> None:
        """Take away all rows of this site, and its marker; rows of nobody are those of another program in the same place."""
        marker = [("__name__", f"{MARKER}_version|{MARKER}_canary"), ("journal", ".+")]
        for match in (_OURS, marker):
            self._api.delete(selector(match, [("site", self.site)]))
            reached("store clearing")

    def persons(self) -> set[str]:
        """The persons with series of this site."""
        of_site = selector([("__name__", "|".join(_ALL))], [("site", self.site)])
        with reading_response(self._client.url):
            found = self._api.whole_answer("/api/v1/label/person/values", of_site)
            return {str(name) for name in found} - {""}

    def keep_persons(self, names: Collection[str]) -> None:
        """Take away the series of this site that are of nobody of these names."""
        for person in sorted(self.persons() - {clean_tag(name) for name in names}):
            of_person = [("site", self.site), ("person", person)]
            self._api.delete(selector([("__name__", "|".join(_ALL))], of_person))

    def is_empty(self) -> bool:
        """Whether it holds no row of this site."""
        return not self._api.find_series(selector(_OURS, [("site", self.site)]))

    # --- the marker ---

    def owners(self) -> set[str]:
        """The ids of the journals whose marker it holds for this site.

        Its value is asked for: the index knows for weeks of what a shorter retention has taken away.
        """
        marker = fresh([("__name__", f"{MARKER}_version"), ("site", self.site)])
        found = self._api.export(marker, 0, FOREVER_US)
        return {metric["journal"] for metric, (times, _) in found if len(times) and metric.get("journal")}

    def claim_ownership(self, journal: str) -> None:
        """Write the marker of a journal and find out how this server keeps rows. Raises TryLater where it drops or doubles them."""
        self._write_own([marker_line(journal, self.site)] * 2)
        self._write_canary(journal)
        marker = [("__name__", f"{MARKER}_version"), ("site", self.site), ("journal", journal)]
        until = self._client.clock() + (FLUSHED_S if self._flush() else CANARY_S)
        while True:
            self._flush()
            there = [len(times) for _, (times, _) in self._api.export(fresh(marker), 0, FOREVER_US)]
            shown = self._shown_canary(journal)
            # Seen before all of it is there, of two copies one alone would pass for both.
            is_shown = bool(there) and len(shown) >= 6 * CANARIES
            if is_shown or self._client.clock() > until:
                break
            self._client.wait(LOOK_S)
        if not there:
            raise Unfit(
                RETENTION,
                Text(_SHORT_RETENTION[self._api.is_cluster], url=self._client.url, flag=RETENTION_FLAG),
            )
        if sum(there) > 1 or len(shown) > 6 * CANARIES:
            raise Unfit(
                DEDUPLICATION,
                Text(_NO_DEDUPLICATION[self._api.is_cluster], url=self._client.url, flag=DEDUP_FLAG),
            )
        self.try_deletion()
        self._raise_canary(journal)

    def _write_own(self, bodies: Iterable[bytes]) -> None:
        """Write marker or canary, in which nothing can be wrong. Raises TryLater where even those are not taken."""
        try:
            for body in bodies:
                self._client.write_lines(body, "s")
        except (Refused, BodyTooLarge) as e:
            told = Text(
                N_(
                    "VictoriaMetrics at {url} does not even take the line that says whose rows these are. Nothing is lost."
                ),
                url=self._client.url,
            )
            raise self._api.explain(str(e), TryLater(with_its_words(told, str(e)))) from e

    def try_deletion(self) -> None:
        """Take away the row that is written to see what becomes of it. Raises Unfit where nothing can be taken away."""
        canary = [("__name__", f"{MARKER}_canary"), ("site", self.site), ("journal", "")]
        with contextlib.suppress(Unavailable):  # of two copies of everything one may be away
            self._api.delete(selector([], canary))

    def explain_refusal(self, said: str, otherwise: TryLater) -> TryLater:
        """What to tell the owner when not even one row is taken."""
        return self._api.explain(said, otherwise)

    def _write_canary(self, journal: str, *, raised: bool = False) -> None:
        """Two values at each of some moments, in all orders there are, each way at several moments.

        1.79 chooses anew at each, and on a busy computer it once chose the higher one in all six ways (1 of 160 tries),
        after which numbers that rose were never corrected.
        """
        times = MARKER_US + np.arange(6 * CANARIES, dtype=np.int64) * 1_000_000
        tags = {"journal": journal, "site": self.site}
        ways = [
            ((0, 1.0), (1, 2.0)),
            ((2, 1.0), (2, 2.0)),
            ((3, 2.0), (3, 1.0)),
            *(((i, value),) for i, value in ((4, 1.0), (5, 2.0), (4, 2.0), (5, 1.0))),
        ]
        for rows in [((0, 2.0), (1, 1.0))] if raised else ways:
            at = np.concatenate([times[i::6] for i, _ in rows])
            values = np.repeat([value for _, value in rows], CANARIES)
            self._write_own(encode_lines(MARKER, tags, at, {"canary": values}, {"canary": REAL}))

    def _shown_canary(self, journal: str) -> list[float]:
        match = fresh([("__name__", f"{MARKER}_canary"), ("journal", journal), ("site", self.site)])
        return [float(v) for _, (_, values) in self._api.export(match, 0, FOREVER_US) for v in values]

    def _raise_canary(self, journal: str) -> None:
        """Write the last of the ways: over values that are shown already. What comes of it is seen later."""
        self._write_canary(journal, raised=True)
        self.overwrites_lower = False
        self._raised = (self._client.wrote_at, journal)
        if self._flush():
            self._see_raised()

    def _see_raised(self) -> None:
        """Whether of two values at one moment the higher one is shown, whichever came first: found by trying all ways."""
        if self._raised is not None:
            self.overwrites_lower = self._shown_canary(self._raised[1]) == [2.0] * 6 * CANARIES
            self._raised = None

    def _flush(self) -> bool:
        """Have the server show what was written, and say whether it does."""
        is_shown = False
        if self._can_force_flush:
            is_shown, self._can_force_flush = self._api.flush()
        return is_shown

    def sync_visibility(self) -> None:
        """Return when questions see all that was written."""
        if not self._flush():
            self._client.wait(self._client.wrote_at + VISIBLE_AFTER_S - self._client.clock())
        if self._raised is not None and self._client.clock() - self._raised[0] >= VISIBLE_AFTER_S:
            self._see_raised()

    def sync_others(self) -> None:
        """The same, of what others may have written, too."""
        if not self._flush():
            self._client.wait(VISIBLE_AFTER_S)

    def hasten_visibility(self) -> None:
        """It shows after some seconds by itself; a server that many Pis write to is left to that."""
        if not self.site:
            self._flush()


def _add_label(labels: Labels, name: str, text: str) -> Labels:
    return tuple(sorted([*labels, (name, text)]))


def _concatenate(columns: Iterable[FieldColumn]) -> FieldColumn:
    """Parts of one metric in order of time."""
    some = list(columns)
    if not some:
        return np.empty(0, np.int64), np.empty(0)
    times, values = (np.concatenate(parts) for parts in zip(*some, strict=True))
    order = np.argsort(times, kind="stable")
    return times[order], values[order]
