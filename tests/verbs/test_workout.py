"""How was a workout? Its words and numbers beside those of `explain`, and its curve."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ingest.errors import Stop
from ingest.journal import Journal
from ingest.settings.model import Settings
from ingest.verbs.curve import ROWS, Scale, curve_lines
from ingest.verbs.terminal import PIPE, Terminal, cells
from ingest.verbs.workout import workout_lines
from ingest.verbs.workout_answer import WorkoutAnswer, mean_bpm, workout_answers
from tests.support.households import (
    DAY,
    HOUR,
    MINUTE,
    Claim,
    Event,
    Noted,
    Recording,
    Workout,
    at,
    hartslag,
    household,
    steady,
)  # fmt: skip
from tests.support.terminals import on_terminal
from zones.pieces import Pieces

EVENING = at("2026-11-16T18:00+01:00")
LIMITS = (("moderate_bpm", 110), ("vigorous_bpm", 140), ("zone", "Europe/Amsterdam"))
WATCH, STRAP = "garmin-1-activity", "strap F0:00:00:00:00:01"


def ramp(source: str, kind: str, start_ms: int, minutes: int, **also: Any) -> Recording:
    """Ten bpm faster each ten minutes, from 95 on."""
    samples = [(start_ms + i * 1000, 95 + i // 600 * 10 + i % 3) for i in range(minutes * 60)]
    return Recording("Jan", source, kind, tuple(samples), start_ms + minutes * MINUTE, **also)


HAPPENED: list[Event] = [
    Noted("Jan", LIMITS),
    steady("Jan", EVENING - DAY, 20 * 60, 120, source=STRAP, kind="strap"),
    ramp(WATCH, "activity", EVENING, 60, pauses=((EVENING + 50 * MINUTE, EVENING + 53 * MINUTE),)),
    Workout("Jan", WATCH, EVENING, EVENING + HOUR, 57 * 60.0, "rowing"),
    ramp(STRAP, "strap", EVENING + 20 * MINUTE, 10),
    Claim("Jan", WATCH, EVENING - HOUR, EVENING + 2 * HOUR, 33.0),
    steady("Jan", EVENING - 8 * HOUR, 15 * 60, 150, source="garmin-1-activity-b"),
    Workout("Jan", "garmin-1-activity-b", EVENING - 8 * HOUR, EVENING - 8 * HOUR + 15 * MINUTE, None, "walking"),
]  # fmt: skip


def answers(journal: Journal, when: str | None = None, name: str | None = None) -> list[WorkoutAnswer]:
    return workout_answers(Settings(journal.path.parent), journal, when, name)


def words(found: list[WorkoutAnswer], t: Terminal = PIPE) -> str:
    return "\n".join(workout_lines(t, found))


def test_the_numbers_are_those_of_explain(tmp_path: Path) -> None:
    """Protects from two truths: minutes, mean, sources and load stand here as `explain` has them."""
    with household(tmp_path, HAPPENED):
        pass
    (x,) = json.loads(hartslag("--data", tmp_path, "workout", "--json").out)
    explained = json.loads(hartslag("--data", tmp_path, "explain", "2026-11-16", "--json").out)
    session = next(s for s in explained["sessions"] if s["sport"] == "rowing")
    own = {"from", "pauses"}  # `explain` says of pauses how they were read, and `workout` when they were
    assert {k: x[k] for k in session if k not in own} == {k: v for k, v in session.items() if k not in own}
    assert x["moderate_min"] == pytest.approx(session["moderate_s"] / 60)
    assert x["vigorous_min"] == pytest.approx(session["vigorous_s"] / 60)
    parts = ("light_min", "moderate_min", "vigorous_min", "elevated_min", "unclassified_min")
    measured = sum(x[k] for k in parts)
    assert measured == pytest.approx(sum(x["believed_min"].values()))
    assert measured + sum(x["not_measured_min"].values()) == pytest.approx(60)
    assert len(x["curve"]) == 60
    known = [part["bpm"] for part in x["curve"] if part["bpm"] is not None]
    assert sum(known) / len(known) == pytest.approx(x["bpm_mean"], abs=0.5)
    assert [part["bpm"] for part in x["curve"]][50:53] == [None] * 3


def test_words_of_a_workout(tmp_path: Path) -> None:
    """Protects the evening look: what it was, its minutes, its pause, which sensor, what the watch claims, what else."""
    with household(tmp_path, HAPPENED) as journal:
        (x,) = answers(journal)
    text = words([x])
    for said in (
        "Jan: rowing, Monday 16 November 2026, 18:00 to 19:00 (60 min)",
        "for the week",
        "moderate 20 min + 2 x vigorous",
        "Not measured: 3 min, while the timer of the watch was paused.",
        "Moderate from 110, vigorous from 140 bpm:",
        "Paused: 18:50 to 18:53.",
        "Strap: its heart rate was taken for 10 min.",
        "not used for 10 min, a better sensor saw the same time.",
        "The watch claims from 17:00 to 20:00: moderate 33 min, vigorous 0 min.",
        "Also on that day: 10:00 walking.",
        "hartslag workout 2026-11-16T10:00",
    ):
        assert said in text, said
    assert f"{x.fields['bpm_mean']:.0f} bpm on average, {x.fields['bpm_max']} at most" in text
    assert text.isascii()


@pytest.mark.parametrize(
    ("pauses_s", "said"),
    [
        ([(5, 12)], "Paused: 1 pause, 0 min in all."),
        ([(50, 65)], "Paused: 18:00 to 18:01."),
        ([(5, 12), (50, 170)], "Paused: 2 pauses, 2 min in all; the longest 18:00 to 18:02."),
        (
            [(60 * i, 60 * i + 20) for i in range(40)]
            + [(2990 + 60 * i * 3, 3005 + 60 * i * (3 + i)) for i in range(2)],
            "Paused: 42 pauses, ",
        ),
    ],
)
def test_many_short_pauses_are_summed(tmp_path: Path, pauses_s: list[tuple[int, int]], said: str) -> None:
    """Protects who stops at every traffic light from a wall of times that begin and end in the same minute."""
    pauses = tuple((EVENING + a * 1000, EVENING + b * 1000) for a, b in pauses_s)
    happened: list[Event] = [
        Noted("Jan", LIMITS),
        ramp(WATCH, "activity", EVENING, 60, pauses=pauses),
        Workout("Jan", WATCH, EVENING, EVENING + HOUR, None, "rowing"),
    ]
    with household(tmp_path, happened) as journal:
        text = words(answers(journal))
    line = next(line for line in text.splitlines() if "Paused" in line)
    assert said in line
    assert line.count(" to ") <= 4
    assert all(a != b for a, b in re.findall(r"(\d\d:\d\d) to (\d\d:\d\d)", line))


@pytest.mark.parametrize(
    ("when", "starts"),
    [
        (None, EVENING),
        ("2026-11-16", EVENING),
        ("2026-11-16T10:05", EVENING - 8 * HOUR),
        ("2026-11-16T18:59", EVENING),
        ("2026-11-15", EVENING - DAY),
        ("2026-11-15T18:10", EVENING - DAY),
        ("jan", EVENING),
        ("2026-11-13", None),
        ("2026-11-13T10:00", None),
    ],
)
def test_which_workout_is_meant(tmp_path: Path, when: str | None, starts: int | None) -> None:
    """Protects who asks for a day, a time or a person: the one that went on then, also of a strap alone."""
    with household(tmp_path, HAPPENED) as journal:
        assert [x.found.start_ms for x in answers(journal, when)] == ([] if starts is None else [starts])


@pytest.mark.parametrize(
    ("later_ms", "said"),
    [
        (2 * HOUR, "Monday 16 November 2026, 20:00 to 20:20"),
        (DAY, "Tuesday 17 November 2026, 18:00 to 18:20"),
    ],
)
def test_a_strap_worn_since_the_last_file_is_the_newest(tmp_path: Path, later_ms: int, said: str) -> None:
    """Protects who trains with a strap alone from being shown last month's ride, or this morning's."""
    worn = steady("Jan", EVENING + later_ms, 20 * 60, 120, source=STRAP, kind="strap")
    with household(tmp_path, [*HAPPENED, worn]) as journal:
        (x,) = answers(journal)
    assert x.found.start_ms == EVENING + later_ms
    assert f"Jan: a strap was worn, {said} (20 min)" in words([x])


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ("2026-13-01", "is no day"),
        ("1850-01-01", "is no day"),
        ("Kim", "Nobody called Kim"),
        ("2026-11-16T12:00", "on Monday 16 November 2026 there were some from 10:00, 18:00"),
    ],
)
def test_what_cannot_be_asked(tmp_path: Path, when: str, said: str) -> None:
    """Protects from a traceback, and from guessing how a day is written."""
    with household(tmp_path, HAPPENED) as journal, pytest.raises(Stop, match=said):
        answers(journal, when)


def test_none_yet(tmp_path: Path) -> None:
    """Protects the first day: how a workout comes to be."""
    with household(tmp_path, [Noted("Jan", LIMITS)]):
        pass
    answer = hartslag("--data", tmp_path, "workout")
    assert (answer.code, answer.err) == (0, "")
    assert "There is no workout yet." in answer.out
    assert json.loads(hartslag("--data", tmp_path, "workout", "--json").out) == []
    assert "There is no workout then." in hartslag("--data", tmp_path, "workout", "2026-11-13").out


def test_without_limits_nothing_is_judged(tmp_path: Path) -> None:
    """Protects from a 0 that would look like a judgement."""
    with household(tmp_path, [Noted("Jan", LIMITS[2:]), *HAPPENED[1:]]) as journal:
        text = words(answers(journal))
    assert "Not counted: the limits of the heart rate are not known." in text
    assert "for the week" not in text


@pytest.mark.parametrize("width", [32, 40, 80])
@pytest.mark.parametrize("unicode", [True, False])
def test_nothing_is_wider_than_the_terminal(tmp_path: Path, width: int, unicode: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """Protects a narrow window from a curve that is broken into two."""
    with household(tmp_path, HAPPENED) as journal:
        lines = list(workout_lines(Terminal(width, unicode=unicode), answers(journal)))
    assert max(map(cells, lines)) <= width
    assert unicode or "\n".join(lines).isascii()


def test_on_a_real_terminal(tmp_path: Path) -> None:
    """Protects the curve: braille where it can be shown, stars where not, none in a pipe."""
    with household(tmp_path, HAPPENED):
        pass
    seen = on_terminal("--data", tmp_path, "workout", columns=50)
    simple = on_terminal("--data", tmp_path, "workout", env={"TERM": "dumb"})
    assert (seen.code, simple.code) == (0, 0)
    assert any("\u2800" < c <= "\u28ff" for c in seen.sent)
    assert seen.widest <= 50
    assert simple.sent.isascii()
    assert "***" in simple.sent
    assert "**" not in hartslag("--data", tmp_path, "workout").out


# --- the curve ---


def test_a_curve_drawn_by_hand() -> None:
    """Protects what the eye believes: high is high, a gap is a gap, limits lie at their heights."""
    values = [60.0, 70.0, None, 140.0, 100.0, 139.0]
    limits = [("moderate", 100, "100"), ("vigorous", 130, "130")]
    lines = list(curve_lines(Terminal(80, unicode=False), values, Scale(60, 140), limits, ("140", "60")))
    assert len(lines) == ROWS
    assert lines == [
        "  140    * *",
        "  130 ----**",
        "          **",
        "          **",
        "  100 ----*-",
        "",
        "",
        "   60 **",
    ]


def test_braille_has_two_values_in_a_character() -> None:
    """Protects the finer curve: columns of dots left and right, rows from above."""
    lines = list(curve_lines(Terminal(80), [0.0, 31.0, 31.0, None], Scale(0, 31), [], ("", "")))
    assert [line.strip() for line in lines] == ["⢸⠁", *["⢸"] * 6, "⡸"]


def test_means_are_weighted_by_time() -> None:
    """Protects the curve from a watch that writes seldom: each heart rate counts for as long as it held."""
    pieces = Pieces(
        np.array([0, 1000, 9000]),
        np.array([1000, 4000, 10_000]),
        np.array([100, 60, 80], np.uint8),
        np.zeros(3, np.int16),
        np.ones(3, np.bool_),
    )
    assert mean_bpm(pieces, np.array([0.0, 4000.0, 8000.0, 9500.0, 20_000.0])) == [70.0, None, 80.0, 80.0]
    assert mean_bpm(Pieces.none(), np.array([0.0, 1.0])) == [None]


SWUM = (
    ("bpm_mean", 131),
    ("bpm_max", 158),
    ("watch_edges", (90, 110, 140, 160)),
    ("watch_s", (60, 540, 1800, 600, 0)),
)


@pytest.mark.parametrize(
    ("more", "seen_s", "said"),
    [
        ({}, 0, "they count by the watch's own word"),
        ({"bpm_max": 135}, 0, "they lie above the highest heart rate of the workout"),
        ({"watch_edges": (90, 100, 130, 160)}, 0, "no two of its zones begin at your limits"),
        ({}, 3600, "none of them counts, as samples tell of that time or it is forgotten"),
        ({}, 1800, "25 min of these 50 min count by the watch's own word"),
    ],
    ids=["they count", "contradicted", "other limits", "seen by samples", "half seen by samples"],
)
def test_why_the_watchs_word_counts_or_not_is_what_explain_says(
    tmp_path: Path, more: dict[str, Any], seen_s: int, said: str
) -> None:
    """Protects from a reason that is none: limits that are one's own, or minutes by the watch's word of which none counts."""
    told = tuple({**dict(SWUM), **more}.items())
    happened: list[Event] = [
        Noted("Jan", LIMITS),
        Workout("Jan", "watch", EVENING, EVENING + HOUR, 3600.0, "swimming", more=told),
    ]
    if seen_s:
        happened.append(steady("Jan", EVENING, seen_s, 100, source="all-day", kind="monitoring"))
    with household(tmp_path, happened) as journal:
        text = " ".join(words(answers(journal)).split())
    assert said in text


def test_heart_rates_that_are_not_believed_are_named(tmp_path: Path) -> None:
    """Protects from the summary of a watch taking the blame for a sensor that stood still all the time."""
    frozen = Recording(
        "Jan",
        "watch",
        "activity",
        tuple((EVENING + i * 1000, 120) for i in range(1800)),
        EVENING + 1800 * 1000,
    )
    workout = Workout(
        "Jan", "watch", EVENING, EVENING + 1800 * 1000, more=(("bpm_mean", 120), ("bpm_max", 120))
    )
    with household(tmp_path, [Noted("Jan", LIMITS), frozen, workout]) as journal:
        text = " ".join(words(answers(journal)).split())
    assert "none of its heart rates can be believed" in text
    assert "of which the sensor told what cannot be believed" in text


@pytest.mark.parametrize(
    ("hours", "said"),
    [(9, "18:00 to 03:00 (9 h 0 min)"), (25, "18:00 to Tuesday 17 November 2026 19:00 (25 h 0 min)")],
)
def test_a_workout_that_nobody_stopped_says_on_which_day_it_ended(
    tmp_path: Path, hours: int, said: str
) -> None:
    """Protects who forgot to press stop from "18:00 to 19:00" of a workout that went on for a day."""
    happened: list[Event] = [
        Noted("Jan", LIMITS),
        steady("Jan", EVENING, 1800, 120, source=WATCH),
        Workout("Jan", WATCH, EVENING, EVENING + hours * HOUR),
    ]
    with household(tmp_path, happened) as journal:
        told = words(answers(journal))
    assert said in told
