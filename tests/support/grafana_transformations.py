"""What Grafana does with frames before it draws them: the transformations that our dashboards use, and only those.

Each does what @grafana/data 12.4.3 does, or, for prepareTimeSeries, which is not in it, what Grafana documents
(https://grafana.com/docs/grafana/latest/panels-visualizations/query-transform-data/transform-data/). What it would do with
options that no dashboard of ours has is not here: they fail.
"""

import math
import operator
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from tests.support.grafana_frames import Column, Frame, Json


def transformed(frames: list[Frame], steps: list[Json]) -> list[Frame]:
    """The frames after a panel's transformations."""
    for step in steps:
        frames = _STEPS[step["id"]](frames, step["options"])
    return frames


def _join(frames: list[Frame], options: Json) -> list[Frame]:
    """Side by side, a row for each time that any of them has."""
    assert options == {"byField": "Time", "mode": "outer"}
    if len(frames) < 2:
        return frames
    times = sorted({at for f in frames for at in f["Time"]})
    columns = [Column("Time", times)]
    for f in frames:
        held = {at: i for i, at in enumerate(f["Time"])}
        assert len(held) == len(f["Time"])
        columns += [
            Column(c.name, [c.values[held[at]] if at in held else None for at in times], c.labels)
            for c in f.columns
            if c.name != "Time"
        ]
    return [Frame("joined", columns)]


# --- columns from columns ---

_OPERATORS: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": lambda a, b: a / b if b else math.nan,
}


def _calculate(frames: list[Frame], options: Json) -> list[Frame]:
    """A column more, of the values of each row, or of each value and those before it."""
    assert options["alias"]
    assert not options["replaceFields"]
    make = _MODES[options["mode"]]
    if options["mode"] != "unary" and (
        options["mode"] != "binary" or not _is_number(options["binary"]["right"])
    ):
        # Series are made columns of one frame first; only a fixed number can be reckoned with in each for itself.
        frames = _join(frames, {"byField": "Time", "mode": "outer"})
    for f in frames:
        values = make(f, options)
        if values is not None:
            f.columns.append(Column(options["alias"], values))
    return frames


def _is_number(text: str) -> bool:
    return re.fullmatch(r"-?\d+(\.\d+)?", text) is not None


def _binary(frame: Frame, options: Json) -> list[Any] | None:
    """Column by column, or by a fixed number; what is not known counts as nothing, as it does in JavaScript."""
    work = _OPERATORS[options["binary"]["operator"]]
    sides: list[list[float]] = []
    for side in ("left", "right"):
        what = options["binary"][side]
        if what in frame.names:
            sides.append([0.0 if v is None else v for v in frame[what]])
        elif _is_number(what):
            sides.append([float(what)] * len(frame.columns[0].values))
        else:
            return None
    return [work(a, b) for a, b in zip(*sides, strict=True)]


def _unary(frame: Frame, options: Json) -> list[Any] | None:
    """Each value rounded down; what is not known counts as nothing, as it does in JavaScript."""
    assert options["unary"]["operator"] == "floor"
    name = options["unary"]["fieldName"]
    return [math.floor(v or 0.0) for v in frame[name]] if name in frame.names else None


def _window(frame: Frame, options: Json) -> list[Any] | None:
    """Of each value and those before it, so many rows in all."""
    asked = options["window"]
    assert (asked["windowAlignment"], asked["windowSizeMode"]) == ("trailing", "fixed")
    size = math.ceil(asked["windowSize"])
    if asked["field"] not in frame.names:
        return None
    values = frame[asked["field"]]
    if asked["reducer"] == "mean":
        return list(_trailing_means(values, size))
    assert asked["reducer"] == "stdDev"
    return [_deviation(values[max(0, i - size + 1) : i + 1]) for i in range(len(values))]


def _trailing_means(values: Sequence[float | None], size: int) -> Iterable[float]:
    """As Grafana has them: where a value is missing nothing leaves the window either, and it grows."""
    total, count = 0.0, 0
    for i, value in enumerate(values):
        if value is not None:
            total, count = total + value, count + 1
            left = values[i - size] if i >= size else None
            if left is not None:
                total, count = total - left, count - 1
        yield total / count if count else 0.0


def _deviation(values: Sequence[float | None]) -> float:
    """The standard deviation of the values that are known, of all of them and not of a sample."""
    known = [v for v in values if v is not None]
    if not known:
        return 0.0
    mean = sum(known) / len(known)
    return math.sqrt(sum((v - mean) ** 2 for v in known) / len(known))


def _reduce_row(frame: Frame, options: Json) -> list[Any] | None:
    """The middle one of those of some columns that are there, of each row; what is not known stands behind the others."""
    reduced = options["reduce"]
    assert reduced["reducer"] == "median"
    columns = [frame[name] for name in reduced["include"] if name in frame.names]
    if not columns:
        return None
    return [
        _middle([math.inf if v is None or math.isnan(v) else v for v in row])
        for row in zip(*columns, strict=True)
    ]


def _middle(row: list[float]) -> float | None:
    ordered, mid = sorted(row), len(row) // 2
    found = ordered[mid] if len(row) % 2 else (ordered[mid - 1] + ordered[mid]) / 2
    return None if found == math.inf else found


_MODES: dict[str, Callable[[Frame, Json], list[Any] | None]] = {
    "reduceRow": _reduce_row,
    "binary": _binary,
    "unary": _unary,
    "windowFunctions": _window,
}


# --- rows from rows ---


def _merge(frames: list[Frame], options: Json) -> list[Frame]:
    """One below the other; rows that agree in all columns that two have in common become one."""
    assert options == {}
    if not frames:
        return []
    shared = [n for n in frames[0].names if all(n in f.names for f in frames)]
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for f in frames:
        for row in f.rows():
            named = dict(zip(f.names, row, strict=True))
            found.setdefault(tuple(named[n] for n in shared), {}).update(named)
    names = list(dict.fromkeys(n for f in frames for n in f.names))
    return [Frame("merged", [Column(n, [row.get(n) for row in found.values()]) for n in names])]


def _concatenate(frames: list[Frame], options: Json) -> list[Frame]:
    """All columns in one frame, row by row; shorter ones end early. Of several times the first is kept."""
    assert options["frameNameMode"] == "drop"
    if len(frames) < 2:
        return frames
    longest = max(len(f.columns[0].values) for f in frames)
    columns: list[Column] = []
    for c in (c for f in frames for c in f.columns):
        if c.name != "Time" or all(had.name != "Time" for had in columns):
            columns.append(Column(c.name, c.values + [_undefined(c)] * (longest - len(c.values)), c.labels))
    return [Frame("concatenated", columns)]


def _undefined(column: Column) -> float | None:
    """What is no value in JavaScript, and not null either: with a number it makes no number."""
    is_text = column.type == "string" or any(isinstance(v, str) for v in column.values)
    return None if column.name == "Time" or is_text else math.nan


def _multi(frames: list[Frame], options: Json) -> list[Frame]:
    """A frame of times and values for each column of numbers and each combination of texts, which become labels."""
    assert options == {"format": "multi"}
    found: list[Frame] = []
    for f in frames:
        texts = [c for c in f.columns if c.type == "string" or any(isinstance(v, str) for v in c.values)]
        for number in (c for c in f.columns if c.name != "Time" and c not in texts):
            series: dict[tuple[str, ...], Frame] = {}
            for i, at in sorted(enumerate(f["Time"]), key=lambda row: row[1]):
                key = tuple(t.values[i] for t in texts)
                labels = dict(zip((t.name for t in texts), key, strict=True)) or number.labels
                fresh = Frame(f.ref, [Column("Time", []), Column(number.name, [], labels)])
                one = series.setdefault(key, fresh)
                one.columns[0].values.append(at)
                one.columns[1].values.append(number.values[i])
            found += series.values()
    return found


def _group_by(frames: list[Frame], options: Json) -> list[Frame]:
    """A row for each of the values of some columns; of the others what is asked of them, under "name (sum)"."""
    asked = options["fields"]
    by = [name for name, how in asked.items() if how["operation"] == "groupby"]
    done = []
    for f in frames:
        columns = [c for c in f.columns if c.name in by]
        if not columns:
            continue
        groups: dict[tuple[Any, ...], list[int]] = {}
        for i, key in enumerate(zip(*(c.values for c in columns), strict=True)):
            groups.setdefault(key, []).append(i)
        made = [Column(c.name, [c.values[rows[0]] for rows in groups.values()]) for c in columns]
        for c in f.columns:
            how = asked.get(c.name, {})
            for name in how.get("aggregations", []) if how.get("operation") == "aggregate" else []:
                assert name == "sum"
                values = [sum(c.values[i] or 0 for i in rows) for rows in groups.values()]
                made.append(Column(f"{c.name} ({name})", values))
        done.append(Frame(f.ref, made))
    return done


def _matrix(frames: list[Frame], options: Json) -> list[Frame]:
    """A row for each value of one column, a column for each value of another, and in them the values of a third."""
    row, column, value = options["rowField"], options["columnField"], options["valueField"]
    if len(frames) != 1 or any(name not in frames[0].names for name in (row, column, value)):
        return frames
    (f,) = frames
    assert options["emptyValue"] == "null"
    cells = {(r, c): v for r, c, v in zip(f[row], f[column], f[value], strict=True)}
    down, across = list(dict.fromkeys(f[row])), list(dict.fromkeys(f[column]))
    columns = [Column(f"{row}\\{column}", down)]
    columns += [Column(_text(c), [cells.get((r, c)) for r in down]) for c in across]
    return [Frame(f.ref, columns)]


def _text(value: Any) -> str:
    """As JavaScript writes a value: a whole number without a point."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _only(frame: Frame, rows: Sequence[int]) -> Frame:
    return Frame(frame.ref, [Column(c.name, [c.values[i] for i in rows], c.labels) for c in frame.columns])


def _sort(frames: list[Frame], options: Json) -> list[Frame]:
    (by,) = options["sort"]
    done = []
    for f in frames:
        if by["field"] not in f.names:
            done.append(f)
            continue
        key = f[by["field"]]
        # Equal ones stay in their order, whichever way is sorted.
        done.append(_only(f, sorted(range(len(key)), key=key.__getitem__, reverse=by.get("desc", False))))
    return done


# --- which columns, and under what names ---


def _without(frames: list[Frame], options: Json) -> list[Frame]:
    left_out = options["exclude"]["names"]
    return [Frame(f.ref, [c for c in f.columns if c.name not in left_out]) for f in frames]


def _organize(frames: list[Frame], options: Json) -> list[Frame]:
    order, names = options["indexByName"], options["renameByName"]
    done = []
    for f in frames:
        kept = [c for c in f.columns if not options["excludeByName"].get(c.name)]
        kept.sort(key=lambda c: order.get(c.name, len(order)))
        done.append(Frame(f.ref, [Column(names.get(c.name, c.name), c.values, c.labels) for c in kept]))
    return done


_STEPS: dict[str, Callable[[list[Frame], Json], list[Frame]]] = {
    "concatenate": _concatenate,
    "prepareTimeSeries": _multi,
    "joinByField": _join,
    "calculateField": _calculate,
    "filterFieldsByName": _without,
    "merge": _merge,
    "organize": _organize,
    "sortBy": _sort,
    "groupBy": _group_by,
    "groupingToMatrix": _matrix,
}
