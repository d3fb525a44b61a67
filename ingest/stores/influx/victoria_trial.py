"""What a VictoriaMetrics does with rows, found by trying: whether it keeps old ones, each of them, and each of them once.

Its flags are nowhere to be asked for behind a proxy, and each of its parts has its own.
"""

import time
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ingest.errors import TryLater
from ingest.language import N_, Text
from ingest.log import quoted
from ingest.rows.table import REAL
from ingest.stores.influx.client import BodyTooLarge, Refused, ServerClient, with_its_words
from ingest.stores.influx.lines import encode_lines
from ingest.stores.influx.marker import MARKER, MARKER_US
from ingest.stores.influx.server import DEDUPLICATION, RETENTION, Unfit
from ingest.stores.influx.victoria_api import FOREVER_US, VictoriaApi, fresh, selector

RETENTION_FLAG, DEDUP_FLAG = "-retentionPeriod=100y", "-dedup.minScrapeInterval=1ms"

CANARY_S = 25.0
"""How long a server that is busy may take to show what was written to try it out."""

FLUSHED_S = 10.0
"""The same of one that can be told to show it."""

LOOK_S = 0.2
"""Between two looks for it."""

CANARIES = 10
"""Moments at which each way to write two values is tried."""

TRIED_US = MARKER_US - 500_000 + np.arange(6 * CANARIES, dtype=np.int64) * 1000
"""As near to each other as the beats of a heart may be sent: of those a longer deduplication keeps one."""

DAY_US = 86_400_000_000
"""So far back the times of what was sent may have been moved to."""

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
_LONG_DEDUPLICATION = {
    True: N_(
        "VictoriaMetrics at {url} keeps but one of several rows that lie near each other, so that most heart rates would"
        " be gone. Start vminsert without -influxTrimTimestamp, and vmselect and each vmstorage with {flag}"
    ),
    False: N_(
        "VictoriaMetrics at {url} keeps but one of several rows that lie near each other, so that most heart rates would"
        " be gone. Start it without -influxTrimTimestamp, and with {flag}"
    ),
}
_NOT_SHOWN = {
    True: N_(
        "VictoriaMetrics at {url} takes rows and shows none, neither of 1990 nor of today. See that vmauth leads /select/ to"
        " a vmselect that has the same -storageNode as vminsert, and the same tenant"
    ),
    False: N_(
        "VictoriaMetrics at {url} takes rows and shows none, neither of 1990 nor of today. See that what stands in front of"
        " it leads questions to where rows are written"
    ),
}
"""What to tell the owner of a cluster, and of one alone."""


class VictoriaTrial:
    """Of one server, for one site."""

    def __init__(self, client: ServerClient, api: VictoriaApi) -> None:
        self._client, self._api = client, api
        self._raised: tuple[float, str] | None = None
        self.overwrites_lower = False
        """Whether of two values at one moment the higher one is shown, as far as is known."""

    def run(self, label: str, *, is_marked: bool) -> None:
        """Write the canary, and see what becomes of it, and of the marker of the journal `label` that was written, too.

        Raises Unfit.
        """
        marks = [("__name__", f"{MARKER}_version"), ("site", self._api.site), ("journal", label)]
        self._write(label)
        until = self._client.clock() + (FLUSHED_S if self._api.flush() else CANARY_S)
        while True:
            self._api.flush()
            marked = [len(times) for _, (times, _) in self._api.export(fresh(marks), 0, FOREVER_US)]
            shown = self._shown(label)
            # Seen before all of it is there, of two copies one alone would pass for both.
            is_shown = len(shown) >= len(TRIED_US) and (not is_marked or bool(marked))
            if is_shown or self._client.clock() > until:
                break
            self._client.wait(LOOK_S)
        if not shown or (is_marked and not marked):
            raise self._explain_unshown(label)
        if sum(marked) > 1 or len(shown) > len(TRIED_US):
            raise self._unfit(DEDUPLICATION, _NO_DEDUPLICATION, DEDUP_FLAG)
        if len(shown) < len(TRIED_US):
            raise self._unfit(DEDUPLICATION, _LONG_DEDUPLICATION, DEDUP_FLAG)

    def write(self, bodies: Iterable[bytes], precision: str) -> None:
        """Write marker or canary, in which nothing can be wrong. Raises TryLater where even those are not taken."""
        try:
            for body in bodies:
                self._client.write_lines(body, precision)
        except (Refused, BodyTooLarge) as e:
            told = Text(
                N_(
                    "VictoriaMetrics at {url} does not even take the line that says whose rows these are. Nothing is lost."
                ),
                url=self._client.url,
            )
            raise self._api.explain(str(e), TryLater(with_its_words(told, str(e)))) from e

    def remove(self, label: str) -> None:
        """Take the canary away."""
        self._api.delete(selector([], [*self._canary, ("journal", label)]))

    def raise_values(self, label: str) -> None:
        """Write the last of the ways: over values that are shown already. What comes of it is seen later."""
        self._write(label, raised=True)
        self.overwrites_lower = False
        self._raised = (self._client.wrote_at, label)
        if self._api.flush():
            self.see_raised(0.0)

    def see_raised(self, after_s: float) -> None:
        """Whether the higher value is shown, whichever came first; once it is so many seconds ago that it was written."""
        if self._raised is not None and self._client.clock() - self._raised[0] >= after_s:
            self.overwrites_lower = self._shown(self._raised[1]) == [2.0] * len(TRIED_US)
            self._raised = None

    @property
    def _canary(self) -> list[tuple[str, str]]:
        return [("__name__", f"{MARKER}_canary"), ("site", self._api.site)]

    def _write(self, label: str, *, raised: bool = False) -> None:
        """Two values at each of some moments, in all orders there are, each way at several moments.

        1.79 chooses anew at each, and on a busy computer it once chose the higher one in all six ways (1 of 160 tries),
        after which numbers that rose were never corrected.
        """
        ways = [
            ((0, 1.0), (1, 2.0)),
            ((2, 1.0), (2, 2.0)),
            ((3, 2.0), (3, 1.0)),
            *(((i, value),) for i, value in ((4, 1.0), (5, 2.0), (4, 2.0), (5, 1.0))),
        ]
        for rows in [((0, 2.0), (1, 1.0))] if raised else ways:
            at_us = np.concatenate([TRIED_US[i::6] for i, _ in rows])
            self._write_canaries(label, at_us, np.repeat([value for _, value in rows], CANARIES))

    def _write_canaries(self, label: str, at_us: NDArray[np.int64], values: object) -> None:
        tags = {"journal": label, "site": self._api.site}
        self.write(
            encode_lines(MARKER, tags, at_us, {"canary": values}, {"canary": REAL}, precision="ms"), "ms"
        )

    def _shown(self, label: str, last_us: int = int(TRIED_US[-1])) -> list[float]:
        found = self._api.export(fresh([*self._canary, ("journal", label)]), last_us - DAY_US, last_us + 1000)
        return [float(v) for _, (_, values) in found for v in values]

    def _explain_unshown(self, label: str) -> Unfit:
        """Why it shows no row of 1990: under another name it does, or it shows one of today, or none."""
        names = {
            metric["__name__"] for metric, _ in self._api.export(fresh([("journal", label)]), 0, FOREVER_US)
        }
        if wrong := sorted(names - {f"{MARKER}_version", f"{MARKER}_canary"}):
            told = N_(
                "VictoriaMetrics at {url} keeps what is sent as {right} by the name {wrong}, where nobody finds it. Start it"
                " without -influxSkipSingleField and -influxMeasurementFieldSeparator"
            )
            right = quoted(f"{MARKER}_canary")
            return Unfit(RETENTION, Text(told, url=self._client.url, right=right, wrong=quoted(wrong[0])))
        now_us = time.time_ns() // 1_000_000 * 1000
        self._write_canaries(label, np.array([now_us], np.int64), [1.0])
        until = self._client.clock() + FLUSHED_S
        while not self._shown(label, now_us):
            if self._client.clock() > until:
                return self._unfit(RETENTION, _NOT_SHOWN, "")
            self._client.wait(LOOK_S)
            self._api.flush()
        return self._unfit(RETENTION, _SHORT_RETENTION, RETENTION_FLAG)

    def _unfit(self, aspect: str, templates: dict[bool, str], flag: str) -> Unfit:
        return Unfit(aspect, Text(templates[self._api.is_cluster], url=self._client.url, flag=flag))
