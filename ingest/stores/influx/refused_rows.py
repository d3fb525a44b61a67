"""Rows that a server will never take, set aside in the ledger with its words so that they do not hold up the others."""

import logging

from ingest.language import N_, Text
from ingest.log import quoted
from ingest.rows.table import Block
from ingest.stores.contract import Stretch
from ingest.stores.influx.batch import RejectedLine
from ingest.stores.influx.cells import Labels, StoredSeries
from ingest.stores.influx.ledger import Ledger
from ingest.stores.influx.lines import clean_tag, encode_tag, line_time_us, parse_tags, series_key, table_name

_STRETCH = "all"
"""In place of a table, of rows of many."""

_log = logging.getLogger(__name__)


class RefusedRows:
    """Those of one store."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._any = False

    def load(self) -> None:
        """See whether there are any: while there are none, nobody looks for those that are outdated."""
        self._any = bool(self._ledger.refused_rows(1))

    def set_aside(self, rejected: RejectedLine) -> None:
        """Keep a line that the server has rejected."""
        series = series_key(rejected.line)
        at_us = line_time_us(rejected.line, rejected.precision)
        key = f"{series.decode(errors='replace')} {at_us}"
        _log.warning("The server refuses the row %s: %s", quoted(key), rejected.reason)
        self._ledger.add_refused(
            [(rejected.line, rejected.precision, key, table_name(series), at_us, rejected.reason)]
        )
        self._any = True

    def keep_undeletable(
        self, series: StoredSeries, labels: Labels, times_us: list[int], reason: str
    ) -> None:
        """Note rows that are no longer true and that the server cannot delete."""
        name = series.table + b"".join(encode_tag(k, v) for k, v in (*series.tags, *labels)).decode()
        self._ledger.add_refused((b"", "us", f"{name} {t}", series.table, t, reason) for t in times_us)
        self._any = True

    def keep_unshown(self, stretch: Stretch, server: str) -> None:
        """Note that rows of a stretch are taken with a yes and not shown, however often they are sent.

        Not where some of them are refused, or cannot be deleted: that is noted already, row by row.
        """
        others = [row.key for row in self._ledger.refused_rows() if table_name(row.key.encode()) != _STRETCH]
        if any(_is_in(key, stretch) for key in others):
            return
        template = N_(
            "{server} says yes to rows of this time and does not show them. They are sent again each hour; see that its clock"
            " is right, and that it limits neither series nor texts"
        )
        at_us = max(stretch.start_ms, 0) * 1000
        key = f"{_STRETCH}{encode_tag('person', stretch.person).decode()} {at_us}"
        reason = Text(template, server=server)
        if not any(row.key == key for row in self._ledger.refused_rows()):
            _log.warning("%s (%s)", reason, quoted(key))
        self._ledger.add_refused([(b"", "us", key, _STRETCH, at_us, reason)])
        self._any = True

    def drop_unshown(self, stretch: Stretch) -> None:
        """Forget that, as all rows of a stretch are there."""
        if self._any:
            person = clean_tag(stretch.person)
            self._ledger.delete_outdated(
                _STRETCH,
                stretch.start_ms * 1000,
                stretch.end_ms * 1000,
                lambda key: parse_tags(key.encode()).get("person") == person,
            )

    def drop_outdated(self, block: Block) -> None:
        """Forget rows of the block's span and tags: they are sent anew, or are no more."""
        if not self._any:
            return
        tags = {name: clean_tag(value) for name, value in block.tags.items()}
        self._ledger.delete_outdated(
            block.table,
            block.start_us,
            block.end_us,
            lambda key: tags.items() <= parse_tags(key.encode()).items(),
        )


def _is_in(key: str, stretch: Stretch) -> bool:
    """Whether a row is one of a stretch."""
    at_ms = int(key.rpartition(" ")[2]) // 1000
    person = parse_tags(key.encode()).get("person")
    return person == clean_tag(stretch.person) and stretch.start_ms <= at_ms < stretch.end_ms
