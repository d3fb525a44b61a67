"""Line protocol from columns, read back by a parser that knows nothing of columns."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.rows.table import REAL, TEXT, WHOLE
from ingest.stores.influx.lines import PRECISIONS, clean_tag, encode_lines
from tests.support.fake_server import Point, points

texts = st.text(st.characters(codec="utf-8"), max_size=12)
awkward = texts | st.sampled_from(
    ["Jan de Vries", "A=B", 'a "b" c', "komma, punt", "eind\\", "\\,=", "é", "x\u2028y", "", " "]
)
reals = st.floats(allow_nan=False, allow_infinity=False) | st.none() | st.just(float("nan"))
wholes = st.integers(-(2**62), 2**62) | st.none()
columns = {REAL: reals, WHOLE: wholes, TEXT: texts | st.none()}


@st.composite
def tables(draw: st.DrawFn) -> dict[str, Any]:
    """Arguments of `encode_lines`: some rows in ascending order of time, any tags, any fields."""
    precision = draw(st.sampled_from(sorted(PRECISIONS)))
    ticks = sorted(draw(st.sets(st.integers(-(10**9), 4 * 10**9), max_size=7)))
    names = draw(st.lists(st.sampled_from(["person", "source", "kind", "site"]), unique=True, max_size=4))
    labelled = names[: draw(st.integers(0, min(1, len(names))))]
    kinds = draw(
        st.dictionaries(
            st.sampled_from(["bpm", "light_s", "sport", "beats"]),
            st.sampled_from(sorted(columns)),
            min_size=1,
        )
    )
    each = len(ticks)
    return {
        "tags": {name: draw(awkward) for name in names if name not in labelled},
        "labels": {name: draw(st.lists(awkward, min_size=each, max_size=each)) for name in labelled},
        "time_us": np.array(ticks, np.int64) * PRECISIONS[precision],
        "kinds": kinds,
        "fields": {
            f: draw(st.lists(columns[kind], min_size=each, max_size=each)) for f, kind in kinds.items()
        },
        "precision": precision,
    }


def is_known(value: object) -> bool:
    return value is not None and not (isinstance(value, float) and np.isnan(value))


def clean(text: str) -> str:
    """A field's text cannot hold a line's end."""
    return "".join(" " if ord(ch) < 32 or ord(ch) == 127 else ch for ch in text)


@given(table=tables(), as_arrays=st.booleans())
def test_what_is_written_is_what_is_read(table: dict[str, Any], *, as_arrays: bool) -> None:
    """Protects every value on its way: types, escapes, gaps, labels and times, to the last digit."""
    expected = []
    for i, at in enumerate(table["time_us"].tolist()):
        tags = {**table["tags"], **{name: values[i] for name, values in table["labels"].items()}}
        held = {k: clean_tag(v) for k, v in tags.items() if clean_tag(v)}
        fields = {f: v[i] for f, v in table["fields"].items() if is_known(v[i])}
        fields = {f: clean(v) if isinstance(v, str) else v for f, v in fields.items()}
        if fields:
            expected.append((held, fields, at))
    if as_arrays:
        table = {**table, "fields": {f: arrayed(v, table["kinds"][f]) for f, v in table["fields"].items()}}
    found: list[Point] = []
    for body in encode_lines("minute", **table):
        assert body.endswith(b"\n")
        found += points(body, table["precision"])
    assert [(dict(p.key[1]), p.fields, p.time_us) for p in found] == expected
    assert {p.key[0] for p in found} <= {"minute"}
    for p in found:
        assert {f: type(v) for f, v in p.fields.items()} == {
            f: {REAL: float, WHOLE: int, TEXT: str}[table["kinds"][f]] for f in p.fields
        }


def arrayed(values: list[Any], kind: str) -> Any:
    """A numpy column where the values are all there, as rows have it."""
    if kind == REAL:
        return np.array([np.nan if v is None else v for v in values], np.float64)
    if kind == WHOLE and None not in values:
        return np.array(values, np.int64)
    return values


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([True], WHOLE),
        ([1.5], WHOLE),
        (np.array([1.5]), WHOLE),
        (["60"], REAL),
        (np.array([True]), REAL),
        ([False], REAL),
    ],
)
def test_a_value_that_is_not_of_its_type_never_leaves(values: Any, kind: str) -> None:
    """Protects the types on the server, which the first value ever sent fixes for good."""
    with pytest.raises(ValueError, match="bpm"):
        list(encode_lines("minute", {}, np.array([0]), {"bpm": values}, {"bpm": kind}))


def test_a_time_between_two_ticks_never_leaves() -> None:
    """Protects samples of a fraction of a second from being moved to the second before."""
    with pytest.raises(ValueError, match="whole"):
        list(encode_lines("minute", {}, np.array([1_500_000]), {"bpm": [1]}, {"bpm": WHOLE}, precision="s"))


def test_many_rows_are_several_bodies_and_every_row_is_in_one() -> None:
    """Protects memory during a backfill: bodies stay small, and no row falls between two."""
    count = 100_000
    time_us = np.arange(count) * 1_000_000
    bodies = list(
        encode_lines(
            "heart_rate", {"person": "Jan"}, time_us, {"bpm": np.arange(count) % 200}, {"bpm": WHOLE}
        )
    )
    assert len(bodies) > 1
    assert max(map(len, bodies)) < 4 << 20
    seen = [int(line.rpartition(b" ")[2]) for body in bodies for line in body.splitlines()]
    assert seen == list(range(count))
