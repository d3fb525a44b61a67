"""Edges: every published table to the beat, and which edges were in force when."""

import numpy as np
import pytest

from zones.edges import FORMULAS, Edges, Timeline, percent
from zones.moments import FOREVER

# Age: 64 and 76, 77 and 93 per cent of 220 - age, as printed by CDC and the American Heart Association.
PRINTED = """20:128-152/154-186 25:125-148/150-181 30:122-144/146-177 35:118-141/142-172 40:115-137/139-167
45:112-133/135-163 50:109-129/131-158 55:106-125/127-153 60:102-122/123-149 65:99-118/119-144 70:96-114/116-140
75:93-110/112-135"""


@pytest.mark.parametrize("row", PRINTED.split())
def test_the_printed_table(row: str) -> None:
    """All twelve ages of the public table come out as printed."""
    age, _, values = row.partition(":")
    m, v = values.split("/")
    maximum = 220 - int(age)
    assert [percent(p, maximum) for p in (64, 76, 77, 93)] == [int(x) for x in (*m.split("-"), *v.split("-"))]
    edges = Edges.from_age(int(age), "fox")
    assert (edges.moderate_bpm, edges.vigorous_bpm) == (int(m.split("-")[0]), int(v.split("-")[0]))


@pytest.mark.parametrize(
    ("age", "p", "expected"),
    [
        (50, 64, 109), (50, 76, 129), (50, 50, 85), (50, 70, 119), (35, 77, 142), (35, 93, 172), (35, 70, 130),
        (35, 85, 157), (35, 50, 93), (50, 85, 145), (55, 50, 83), (75, 50, 73), (90, 85, 111),
    ],
)  # fmt: skip
def test_halves_round_up(age: int, p: int, expected: int) -> None:
    """The older tables show it: 144.5 is 145, where Python's own round says 144."""
    assert percent(p, 220 - age) == expected


@pytest.mark.parametrize(
    ("maximum", "expected"), [(205, [103, 123, 144, 164, 185, 205]), (182, [91, 109, 127, 146, 164, 182])]
)
def test_the_edges_watches_store(maximum: int, expected: list[int]) -> None:
    """Five zones from 50 % as found in files of watches with these maxima."""
    assert [percent(p, maximum) for p in (50, 60, 70, 80, 90, 100)] == expected


@pytest.mark.parametrize(
    ("edges", "expected"),
    [
        (Edges.from_maximum(175), (112, 135)),
        (Edges.from_reserve(50, 175), (100, 125)),
        (Edges.from_reserve(60, 175), (106, 129)),
        (Edges.from_reserve(70, 175), (112, 133)),
        (Edges.from_reserve(80, 175), (118, 137)),
        (Edges.from_threshold(160), (136, 144)),
        (Edges.from_threshold(160, "cycling"), (130, 144)),
        (Edges.from_bpm(104, 126), (104, 126)),
        (Edges.from_age(50), (115, 138)),
        (Edges.from_maximum(175).shifted(-10, "seated"), (102, 125)),
    ],
)
def test_each_method(edges: Edges, expected: tuple[int, int]) -> None:
    """The same heart, by each way of setting edges."""
    assert (edges.moderate_bpm, edges.vigorous_bpm) == expected


def test_formulas_at_fifty() -> None:
    """Each named formula gives its published value; they differ by seventeen beats."""
    at_fifty = {"fox": 170, "tanaka": 173, "gellish": 172, "nes": 179, "gulati": 162}
    assert {name: FORMULAS[name].maximum(50) for name in at_fifty} == at_fifty
    assert FORMULAS["tanaka"].maximum(45) == 177  # 176.5
    assert FORMULAS["sydo-women"].maximum(50) == 171  # 170.5
    assert FORMULAS["sydo-men"].maximum(50) == 173  # 172.5


def test_origins_say_where_numbers_come_from() -> None:
    """A number without its origin cannot be explained; a formula carries its error with it."""
    assert Edges.from_maximum(186, "watch maximum 186 bpm").origin == "watch maximum 186 bpm"
    assert Edges.from_age(50).origin == "211 - 0.64 x age (Nes 2013), age 50, +/- 10.8 bpm"
    assert Edges.from_maximum(175).shifted(-10, "seated").origin == "maximum 175 bpm, -10 bpm seated"


@pytest.mark.parametrize(
    "make",
    [
        lambda: Edges.from_reserve(140, 175),
        lambda: Edges.from_bpm(130, 120),
        lambda: Edges.from_bpm(120, 120),
        lambda: Edges.from_bpm(20, 120),
        lambda: Edges.from_bpm(120, 250),
        lambda: Edges.from_maximum(0),
        lambda: Edges.from_threshold(160, "chess"),
        lambda: Edges.from_age(50, "magic"),
        lambda: Edges.from_age(3),
        lambda: Edges.from_age(1976),
    ],
)
def test_what_cannot_be_is_refused(make: object) -> None:
    """Slips of the pen are answered in words, not with minutes nobody can explain."""
    with pytest.raises(ValueError, match=r"bpm|sport|formula|zones"):
        make()  # type: ignore[operator]


A, B = Edges.from_bpm(100, 130), Edges.from_maximum(175)


def test_a_timeline_knows_what_held_when() -> None:
    """Edges hold from their first moment on; before any of them nothing is known."""
    line = Timeline.of([(200, B), (100, A), (300, None)])
    assert line.at(np.array([99, 100, 199, 200, 999])).tolist() == [-1, 0, 0, 1, 2]
    assert [line.edges_at(t) for t in (99, 100, 200, 300)] == [None, A, B, None]
    assert line.governed(0) == (100, 200)
    assert line.governed(2) == (300, FOREVER)
    moderate, vigorous = line.limits(np.array([0, 100, 250, 300]))
    assert moderate.tolist() == [0, 100, 112, 0]
    assert vigorous.tolist() == [0, 130, 135, 0]
    assert Timeline.of([]).limits(np.array([5]))[0].tolist() == [0]
    assert Timeline.of([(0, A), (0, B)]).edges_at(0) == B


@pytest.mark.parametrize(("age", "bpm"), [(69, 155), (50, 171)])
def test_a_formula_is_rounded_half_up(age: int, bpm: int) -> None:
    """Protects edges from the last digit: 155.49 is 155 and 170.5 is 171."""
    assert FORMULAS["sydo-women"].maximum(age) == bpm


def test_limits_themselves_are_allowed() -> None:
    """Protects who stands at an end: the usual formula at sixty, ages 5 and 110, forty apart, and 230."""
    assert [FORMULAS["nes"].maximum(age) for age in (5, 60, 110)] == [208, 173, 141]
    assert Edges.from_reserve(100, 140).moderate_bpm == 116
    assert Edges.from_bpm(31, 230).vigorous_bpm == 230
