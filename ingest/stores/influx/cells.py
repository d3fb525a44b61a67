"""What a store holds of some rows, and what it should hold: a pair of columns, times and values, per field."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.errors import TryLater
from ingest.rows.table import TABLES, TEXT, Block
from ingest.stores.influx.lines import clean_tag

CLOSE = 1e-9
"""Numbers that differ by less than this share of themselves are the same: servers round in the last digits."""

Labels = tuple[tuple[str, str], ...]
FieldKey = tuple[Labels, str]
"""The tags that differ by row, in order of their names, and a field."""

FieldColumn = tuple[NDArray[np.int64], NDArray[Any]]
"""Ascending times in microseconds, and numbers (float64) or texts (object)."""

Cells = dict[FieldKey, FieldColumn]

Digest = dict[str, tuple[int, float]]
"""By field: how many values there are, and their sum; of texts 0."""


@dataclass(frozen=True, slots=True)
class StoredSeries:
    """Rows of a table with the same fixed tags, the site among them ('' for none)."""

    table: str
    tags: tuple[tuple[str, str], ...]

    @classmethod
    def of_block(cls, block: Block, site: str) -> "StoredSeries":
        """The series that the rows of a block belong to on a server where this site is a tag."""
        tags = {**{k: clean_tag(v) for k, v in block.tags.items()}, "site": clean_tag(site)}
        return cls(block.table, tuple(sorted(tags.items())))

    @property
    def person(self) -> str:
        """Whose rows they are."""
        return dict(self.tags).get("person", "")

    def overlaps(self, other: "StoredSeries") -> bool:
        """Whether a row may be of both: each says of some tags what they are."""
        theirs = dict(other.tags)
        return self.table == other.table and all(theirs.get(tag, value) == value for tag, value in self.tags)

    @property
    def free_tags(self) -> list[str]:
        """The tags that are not fixed."""
        fixed = dict(self.tags)
        return sorted(t for t in TABLES[self.table].tags if t not in fixed)


def block_cells(block: Block) -> Cells:
    """The cells of a block's rows; those that are not known are not among them."""
    found: Cells = {}
    kinds = TABLES[block.table].fields
    for labels, rows in _group_by_labels(block):
        order = rows[np.argsort(block.time_us[rows], kind="stable")]
        for name, column in block.fields.items():
            values, known = _known_values(column, kinds[name], order)
            if known.any():
                found[labels, name] = block.time_us[order][known], values[known]
    return found


def _group_by_labels(block: Block) -> Iterator[tuple[Labels, NDArray[np.int64]]]:
    if not block.labels:
        yield (), np.arange(len(block), dtype=np.intp)
        return
    names = sorted(block.labels)
    rows: dict[Labels, list[int]] = {}
    for i, values in enumerate(zip(*(block.labels[n] for n in names), strict=True)):
        rows.setdefault(tuple((n, clean_tag(v)) for n, v in zip(names, values, strict=True)), []).append(i)
    for labels, these in rows.items():
        yield labels, np.array(these, np.int64)


def _known_values(column: Any, kind: str, rows: NDArray[np.int64]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    if kind == TEXT:
        texts = np.array(list(column), dtype=object)[rows]
        return texts, np.array([t is not None for t in texts], np.bool_)
    if isinstance(column, np.ndarray):
        numbers = column[rows].astype(np.float64)
    else:
        numbers = np.array([np.nan if v is None else v for v in column], np.float64)[rows]
    return numbers, np.isfinite(numbers)


def slice_cells(cells: Cells, start_us: int, end_us: int) -> Cells:
    """The cells in [start, end)."""
    found: Cells = {}
    for key, (times, values) in cells.items():
        i, j = np.searchsorted(times, [start_us, end_us])
        if j > i:
            found[key] = times[i:j], values[i:j]
    return found


def replace_range(cells: Cells, start_us: int, end_us: int, new: Cells) -> Cells:
    """The cells with those in [start, end) replaced by new ones."""
    found: Cells = {}
    none: FieldColumn = (np.empty(0, np.int64), np.empty(0))
    for key in cells.keys() | new.keys():
        times, values = cells.get(key, none)
        fresh, theirs = new.get(key, none)
        i, j = np.searchsorted(times, [start_us, end_us])
        together = np.concatenate([times[:i], fresh, times[j:]])
        if len(together):
            found[key] = together, np.concatenate([values[:i], theirs, values[j:]]) if len(times) else theirs
    return found


@dataclass(frozen=True, slots=True)
class Difference:
    """How the cells held of one field differ from those that should be: times in microseconds."""

    changed: NDArray[np.int64]
    """Of cells that are missing or have another value."""
    removed: NDArray[np.int64]
    """Of cells that should not be there."""
    modified: NDArray[np.int64]
    """Of cells that have another value: those of `changed` that are not missing."""
    too_high: NDArray[np.int64]
    """Of numbers that are held too high."""


def compare_columns(held: FieldColumn | None, new: FieldColumn | None) -> Difference:
    """How what is held of one field differs from what should be; None is nothing at all."""
    none = np.empty(0, np.int64)
    if held is None or new is None:
        return Difference(none if new is None else new[0], none if held is None else held[0], none, none)
    (there, before), (times, values) = held, new
    at = np.minimum(np.searchsorted(there, times), len(there) - 1)
    known = there[at] == times
    old, now = before[at[known]], values[known]
    same, high = known.copy(), np.zeros(len(times), np.bool_)
    if "O" in {values.dtype.kind, before.dtype.kind}:
        same[known] = old == now
    else:
        same[known] = np.abs(old - now) <= CLOSE * np.maximum(np.abs(old), np.abs(now))
        high[known] = old > now
    removed = np.setdiff1d(there, times, assume_unique=True)
    return Difference(times[~same], removed, times[known & ~same], times[high & ~same])


def digest_cells(cells: Cells) -> Digest:
    """How many values there are of each field, and their sum."""
    found: Digest = {}
    for (_, name), (times, values) in cells.items():
        count, total = found.get(name, (0, 0.0))
        found[name] = count + len(times), total + (0.0 if values.dtype.kind == "O" else float(values.sum()))
    return found


def same_digest(one: Digest, other: Digest) -> bool:
    """Whether two are of the same values, as far as that can be told: sums differ in their last digits."""
    return one.keys() == other.keys() and all(
        count == other[name][0] and math.isclose(total, other[name][1], rel_tol=CLOSE, abs_tol=CLOSE)
        for name, (count, total) in one.items()
    )


def split_rows(block: Block, limit: int) -> Iterator[Block]:
    """The block in parts of at most so many rows, each with its share of the time; equal times stay together."""
    if len(block) <= limit:
        yield block
        return
    order = np.argsort(block.time_us, kind="stable")
    times = block.time_us[order]
    start, i = block.start_us, 0
    while i < len(times):
        j = int(np.searchsorted(times, times[min(i + limit, len(times)) - 1], side="right"))
        end = block.end_us if j == len(times) else int(times[j])
        yield select_rows(block, order[i:j], start, end)
        start, i = end, j


def select_rows(block: Block, rows: NDArray[np.int64], start_us: int, end_us: int) -> Block:
    """Some rows of a block, taking the place of what is in [start, end)."""
    return Block(
        block.table,
        block.tags,
        start_us,
        end_us,
        block.time_us[rows],
        {name: _select(column, rows) for name, column in block.fields.items()},
        {name: _select(column, rows) for name, column in block.labels.items()},
    )


def _select(column: Any, rows: NDArray[np.int64]) -> Any:
    return column[rows] if isinstance(column, np.ndarray) else [column[i] for i in rows.tolist()]


def count_cells(cells: Mapping[FieldKey, FieldColumn]) -> int:
    """How many cells there are."""
    return sum(len(times) for times, _ in cells.values())


def halve(block: Block) -> Iterator[Block]:
    """The block in two parts of half its time each, or of half the time its rows are in.

    Raises TryLater where that is no more than a second: no database holds so much of it.
    """
    if block.end_us - block.start_us <= SECOND_US:
        raise TryLater(
            f"Of one second of {block.table} the server sends more than is read. What it misses is kept; is this"
            " another service? Correct url below [influx]."
        )
    middle = (max(block.start_us, -_FARTHEST_US) + min(block.end_us, _FARTHEST_US)) // 2
    before = block.time_us < middle
    yield select_rows(block, np.flatnonzero(before), block.start_us, middle)
    yield select_rows(block, np.flatnonzero(~before), middle, block.end_us)


SECOND_US = 1_000_000

_FARTHEST_US = 9_223_372_036_854_774
"""No server goes further from 1970."""
