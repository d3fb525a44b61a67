"""Line protocol from columns (https://docs.influxdata.com/influxdb/v1/write_protocols/line_protocol_reference/).

A column becomes texts of one width, out of a table of its distinct values; side by side they are lines, and the zeros
that fill short ones up fall out at the end. No object is made per row.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.rows.table import REAL, TEXT, WHOLE

PRECISIONS = {"s": 1_000_000, "ms": 1_000, "us": 1}
"""What a write API calls a precision, and how many microseconds it has."""

MATRIX_BYTES = 3 << 20
"""Of one body before the zeros fall out; with its copies ten megabytes at most are held."""

_LAST_DIGITS = 4
_LAST = np.array([f"{i:04d}\n".encode() for i in range(10**_LAST_DIGITS)], np.bytes_)
_SEPARATOR, _END = b"\x01", b"\x02"  # stand in for commas while fields may be missing; never part of a value


_Part = tuple[NDArray[np.bytes_], NDArray[Any]]
"""What stands in one place of each line: the distinct texts, and by row which of them."""


def coarsest_precision(time_us: NDArray[np.int64]) -> str:
    """The coarsest precision in which all the times are whole: fewer digits are sent, and kept, per row."""
    if not (time_us % PRECISIONS["s"]).any():
        return "s"
    return "us" if (time_us % PRECISIONS["ms"]).any() else "ms"


def clean_tag(value: str) -> str:
    """A tag's value as a server can hold it: no control characters, no backslash (which escapes what follows it).

    An empty one cannot be held either: the tag is left out, and asking for an empty one finds its rows.
    """
    return re.sub(r"[\x00-\x1f\x7f\u0085\u2028\u2029]", " ", value).replace("\\", "/").strip()


def encode_tag(name: str, value: str) -> bytes:
    """A tag as a line has it, with the comma before it; nothing of an empty one."""
    escaped = re.sub(r"([,= ])", r"\\\1", clean_tag(value))
    return f",{name}={escaped}".encode() if escaped else b""


def _quote_text(value: str) -> str:
    inside = re.sub(r"[\x00-\x1f\x7f]", " ", value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{inside}"'


def encode_lines(
    table: str,
    tags: Mapping[str, str],
    time_us: NDArray[np.int64],
    fields: Mapping[str, Any],
    kinds: Mapping[str, str],
    labels: Mapping[str, list[str]] | None = None,
    *,
    precision: str = "s",
) -> Iterator[bytes]:
    r"""Rows as bodies to be posted, none of them empty; what is not known is left out, and so is a row without fields.

    `tags` hold for all rows, `labels` differ by row; `kinds` are the types of the fields, whatever their columns are.
    Raises ValueError for a value that is not of its type or a time that is not whole in the precision.

    >>> day = dict(tags={"person": "Jan"}, time_us=np.array([60_000_000]), kinds={"bpm": "INTEGER"})
    >>> list(encode_lines("heart_rate", fields={"bpm": np.array([61], np.uint8)}, **day))
    [b'heart_rate,person=Jan bpm=61i 60\n']
    """
    step = PRECISIONS[precision]
    if len(time_us) and (time_us % step).any():
        raise ValueError(f"{table}: a time is not whole in {precision}")
    columns = [_EncodedField(name, fields[name], kinds[name]) for name in fields]
    some = np.zeros(len(time_us), np.bool_)
    whole = bool(columns)
    for column in columns:
        some |= column.known
        whole = whole and bool(column.known.all())
    rows = np.flatnonzero(some)
    if not len(rows):
        return
    row_tags = dict(labels or {})
    prefixes = _prefixes(table, tags, row_tags)
    width = len(prefixes[0]) + 32 + sum(c.width for c in columns) + sum(48 for _ in row_tags)
    limit = max(MATRIX_BYTES // width, 1)
    ticks = time_us // step
    for a in range(0, len(rows), limit):
        these: Any = slice(a, a + limit) if len(rows) == len(time_us) else rows[a : a + limit]
        yield _encode_body(prefixes, row_tags, columns, ticks[these], these, whole=whole)


def _prefixes(table: str, tags: Mapping[str, str], labels: Mapping[str, list[str]]) -> list[bytes]:
    """What stands before each label, and before the fields: tags in order of their names, as servers like them."""
    parts, now = [], table.encode()
    for name in sorted([*tags, *labels]):
        if name in labels:
            parts.append(now)
            now = b""
        else:
            now += encode_tag(name, tags[name])
    return [*parts, now + b" "]


def _encode_body(
    prefixes: list[bytes],
    labels: Mapping[str, list[str]],
    columns: "list[_EncodedField]",
    ticks: NDArray[np.int64],
    rows: Any,
    *,
    whole: bool,
) -> bytes:
    parts: list[_Part] = []
    for before, name in zip(prefixes, sorted(labels), strict=False):
        values = np.asarray(labels[name], dtype=object)[rows]
        found, which = np.unique(values.astype(str), return_inverse=True)
        parts.append((np.array([before + encode_tag(name, v) for v in found.tolist()], np.bytes_), which))
    for i, column in enumerate(columns):
        before = prefixes[-1] if i == 0 else b"," if whole else b""
        parts.append(column.cells(rows, before, b"" if whole else _SEPARATOR))
    parts += _encode_times(ticks, b" " if whole else _END)
    matrix = np.empty(len(ticks), [(str(i), texts.dtype) for i, (texts, _) in enumerate(parts)])
    for i, (texts, which) in enumerate(parts):
        matrix[str(i)] = texts.take(which)
    body = matrix.tobytes().replace(b"\0", b"")
    return body if whole else body.replace(_SEPARATOR + _END, b" ").replace(_SEPARATOR, b",")


def _encode_times(ticks: NDArray[np.int64], before: bytes) -> "list[_Part]":
    """Whole numbers and the ends of lines; the last four digits apart, as what is above them is the same for hours."""
    if ticks.min() < 10**_LAST_DIGITS:
        texts = [before + b"%d\n" % t for t in ticks.tolist()]
        return [(np.array(texts, np.bytes_), np.arange(len(ticks), dtype=np.intp))]
    above = ticks // 10**_LAST_DIGITS
    first = int(above.min())
    which, distinct = above - first, np.arange(first, int(above.max()) + 1, dtype=np.int64)
    if len(distinct) > len(ticks):
        distinct, which = np.unique(above, return_inverse=True)
    return [
        (np.array([before + b"%d" % t for t in distinct.tolist()], np.bytes_), which),
        (_LAST, ticks - above * 10**_LAST_DIGITS),
    ]


class _EncodedField:
    """A field's values, each distinct one turned into text once."""

    def __init__(self, name: str, values: Any, kind: str) -> None:
        self._name, self._kind = name.encode() + b"=", kind
        self.width = len(name) + 26
        column = values if isinstance(values, np.ndarray) else None
        if column is None:
            given = list(values)
            self.known = np.array([_is_known(v) for v in given], np.bool_)
            if kind == TEXT:
                texts = [str(v) if v is not None else "" for v in given]
                self.width += max(map(len, texts), default=0) * 4
                column = np.array(texts, dtype=object).astype(str) if texts else np.empty(0, str)
            else:
                for v in given:
                    _check(name, v, kind)
                column = np.array(
                    [v if _is_known(v) else 0 for v in given], np.int64 if kind == WHOLE else float
                )
        else:
            fits = column.dtype.kind in {WHOLE: "iu", REAL: "iuf", TEXT: "U"}[kind]
            if not fits:
                raise ValueError(f"{name}: {column.dtype} is not {kind}")
            self.known = np.isfinite(column) if column.dtype.kind == "f" else np.ones(len(column), np.bool_)
        if kind == REAL and column.dtype.kind != "f":
            column = column.astype(float)
        self._values = column

    def cells(self, rows: Any, before: bytes, after: bytes) -> _Part:
        """The texts of some rows; of one that is not known only what stands before all fields."""
        values, known = self._values[rows], self.known[rows]
        if values.dtype == np.uint8:
            distinct, which = np.arange(256, dtype=np.intp), values
        else:
            distinct, which = np.unique(values, return_inverse=True)
        texts = [before + self._name + self._encode_value(v) + after for v in distinct.tolist()]
        if not known.all():
            which = np.where(known, which, len(texts))
            texts.append(before)
        return np.array(texts, np.bytes_), which

    def _encode_value(self, value: Any) -> bytes:
        if self._kind == TEXT:
            return _quote_text(value).encode()
        return b"%di" % value if self._kind == WHOLE else repr(value).encode()


def _is_known(value: Any) -> bool:
    return value is not None and (not isinstance(value, float) or bool(np.isfinite(value)))


def _check(name: str, value: Any, kind: str) -> None:
    """A server that was once told a whole number refuses a fraction for ever; VictoriaMetrics takes nonsense for 0."""
    right = (int, np.integer) if kind == WHOLE else (int, float, np.integer, np.floating)
    if value is None or (_is_known(value) is False and kind == REAL):
        return
    if isinstance(value, bool) or not isinstance(value, right):
        raise ValueError(f"{name}: {value!r} is not {kind}")  # noqa: TRY004 - a value is wrong


# --- reading a line that came back refused ---

_SERIES = re.compile(rb"((?:\\.|[^ \\])*) ")


def series_key(line: bytes) -> bytes:
    """What stands before the fields of a line: table and tags."""
    found = _SERIES.match(line)
    return found[1] if found else line


def table_name(key: bytes) -> str:
    """The table of a series key."""
    return key.partition(b",")[0].decode()


def parse_tags(key: bytes) -> Mapping[str, str]:
    """The tags of a series key as they were before they were escaped; whatever stands behind it is left out."""
    pairs = re.findall(rb",((?:\\.|[^,=\\])*)=((?:\\.|[^,\\])*)", series_key(key))
    return {_unescape(name): _unescape(value) for name, value in pairs}


def _unescape(escaped: bytes) -> str:
    return re.sub(rb"\\(.)", rb"\1", escaped).decode(errors="replace")


def line_time_us(line: bytes, precision: str) -> int:
    """The time at the end of a line, in microseconds."""
    return int(line.rstrip(b"\n").rpartition(b" ")[2]) * PRECISIONS[precision]
