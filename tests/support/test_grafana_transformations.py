"""The stand-ins of Grafana's transformations, each by an example worked out from @grafana/data 12.4.3."""

import math

import pytest

from tests.support.grafana_frames import Column, Frame, Json
from tests.support.grafana_transformations import transformed


def frame(**columns: list[object]) -> Frame:
    return Frame("A", [Column(name, values) for name, values in columns.items()])


def one_step(frames: list[Frame], step: str, **options: object) -> list[dict[str, list[object]]]:
    return [
        {c.name: c.values for c in f.columns} for f in transformed(frames, [{"id": step, "options": options}])
    ]


def test_texts_become_labels() -> None:
    """Protects lines by sensor out of one table: each has its own times, ascending, and its sensor as a label."""
    steps: list[Json] = [{"id": "prepareTimeSeries", "options": {"format": "multi"}}]
    found = transformed([frame(Time=[3, 2, 1], source=["a", "b", "a"], bpm=[61, 70, 60])], steps)
    assert [(f["Time"], f["bpm"], f.columns[1].labels) for f in found] == [
        ([1, 3], [60, 61], {"source": "a"}),
        ([2], [70], {"source": "b"}),
    ]
    assert all(f["Time"] == [] for f in transformed([frame(Time=[], source=[], bpm=[])], steps))


def test_groups_and_a_matrix_of_them() -> None:
    """Protects the map of hours by weekdays: minutes added up, and nothing where there were none."""
    hours = [frame(weekday=[1, 2, 1], hour=[9, 9, 9], active=[10.0, 5.0, None])]
    by = {"operation": "groupby", "aggregations": []}
    fields = {
        "weekday": by,
        "hour": by,
        "active": {"operation": "aggregate", "aggregations": ["sum"]},
    }
    assert one_step(hours, "groupBy", fields=fields) == [
        {"weekday": [1, 2], "hour": [9, 9], "active (sum)": [10.0, 5.0]}
    ]
    options = {"rowField": "hour", "columnField": "weekday", "valueField": "active", "emptyValue": "null"}
    cells = [frame(weekday=[1, 2, 1], hour=[9, 9, 10], active=[10.0, 5.0, 1.0])]
    assert one_step(cells, "groupingToMatrix", **options) == [
        {"hour\\weekday": [9, 10], "1": [10.0, 1.0], "2": [5.0, None]}
    ]


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"mode": "binary", "binary": {"left": "a", "operator": "-", "right": "b"}}, [0.0, 3.0, 5.0]),
        ({"mode": "binary", "binary": {"left": "a", "operator": "/", "right": "2"}}, [0.5, 2.0, 2.5]),
        # A missing value takes nothing out of the window either.
        (
            {"mode": "windowFunctions", "window": {"field": "b", "reducer": "mean", "windowSize": 1}},
            [1.0, 1.0, 1.0],
        ),
        (
            {"mode": "windowFunctions", "window": {"field": "a", "reducer": "stdDev", "windowSize": 2}},
            [0.0, 1.5, 0.5],
        ),
        (
            {"mode": "windowFunctions", "window": {"field": "a", "reducer": "mean", "windowSize": 2}},
            [1.0, 2.5, 4.5],
        ),
    ],
)
def test_a_column_worked_out(options: Json, wanted: list[float]) -> None:
    """Protects means, bands and sums that are drawn though no store holds them."""
    if "window" in options:
        options["window"] |= {"windowAlignment": "trailing", "windowSizeMode": "fixed"}
    frames = [frame(Time=[1, 2, 3], a=[1.0, 4.0, 5.0], b=[1.0, 1.0, None])]
    (found,) = one_step(frames, "calculateField", alias="new", replaceFields=False, **options)
    assert found["new"] == wanted


def test_division_by_nothing_is_not_a_number() -> None:
    """Protects the tests from failing themselves where a dashboard divides by zero: it is drawn, and found there."""
    options = {"mode": "binary", "binary": {"left": "a", "operator": "/", "right": "0"}}
    (found,) = one_step(
        [frame(Time=[1], a=[0.0])], "calculateField", alias="x", replaceFields=False, **options
    )
    (value,) = found["x"]
    assert isinstance(value, float)
    assert math.isnan(value)
