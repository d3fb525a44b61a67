"""Why a minute, a day, a week or a file counts as it does, asked at the terminal."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.journal import ALWAYS_MS
from ingest.show.explain import asked, explain, told
from ingest.show.week import shown
from tests.daemons import hartslag
from tests.fit_encoder import Fit
from tests.households import (
    HOUR,
    MINUTE,
    Event,
    Limits,
    Noted,
    Recording,
    S,
    Workout,
    at,
    household,
    steady,
)
from tests.rows.happenings import events, new_folder

HOME = Noted("Jan", (("moderate_bpm", 110), ("vigorous_bpm", 140), ("zone", "Europe/Amsterdam")))
START = at("2026-11-16T10:00+01:00")
FIT_START = 1_100_000_000


def answer(folder: Path, happened: Sequence[Event], text: str) -> tuple[dict[str, Any], str]:
    """What `explain` says of a household in which this happened, as JSON and in words."""
    with household(folder, [HOME, *happened]) as journal:
        found = explain(journal, asked(journal, text, "Jan"))
        return found.json(), "\n".join(told(found))


@settings(max_examples=25)
@given(st.lists(events, min_size=1, max_size=6))
def test_every_week_that_is_shown_is_explained_in_full(happened: list[Event]) -> None:
    """Protects the owner from two numbers for one week: limits that changed, pauses, masks and all."""
    with new_folder() as folder, household(folder, [HOME, *happened]) as journal:
        for row in shown(journal, "Jan", 10, 4_000_000_000_000):
            found = explain(journal, asked(journal, row.week, "Jan"))
            said = found.json()
            for zone in ("light", "moderate", "vigorous", "elevated", "unclassified", "measured"):
                assert said[f"{zone}_s"] == pytest.approx(getattr(row, f"{zone}_min") * 60, abs=1e-6)
            hours = sum(said["not_measured_s"].values()) / 3600 + said["measured_s"] / 3600
            assert hours == pytest.approx(row.hours)
            assert json.dumps(said)
            assert list(told(found))


def test_a_minute_says_who_won_and_who_lost(tmp_path: Path) -> None:
    """An owner who asks "why 118?" sees the watch's 150 beside the strap's 118, and that the strap is believed first."""
    strap = steady("Jan", START, 600, 118, source="chest", kind="strap")
    watch = steady("Jan", START, 600, 150)
    said, words = answer(tmp_path, [strap, watch], "2026-11-16T10:02")
    assert (said["moderate_s"], said["vigorous_s"], said["measured_s"]) == (60.0, 0.0, 60.0)
    chest, wrist = said["sources"]
    assert (chest["source"], chest["moderate_s"]) == ("chest", 60.0)
    assert wrist["lost_to_s"] == {"chest": 60.0}
    assert sum(s["not_used_s"] for s in said["samples"] if s["source"] == "watch") == 60.0
    assert sum(s["counts_as"].get("moderate", 0) for s in said["samples"]) == 60.0
    assert "chest saw the same time and is believed first" in words
    assert "Moderate from 110, vigorous from 140 bpm (method bpm)" in words


def test_caps_pauses_and_masks_are_told_apart(tmp_path: Path) -> None:
    """An owner sees for each second without a heart rate why: the pause, the silence, the spike, or nothing worn."""
    samples = [(START + i * S, 120 + i % 3) for i in range(300) if not 100 <= i < 160]
    samples = [(t, 200 if t == START + 50 * S else bpm) for t, bpm in samples]
    pause = (START + 200 * S, START + 220 * S)
    run = Recording("Jan", "watch", "activity", tuple(samples), START + 300 * S, (pause,))
    said, words = answer(tmp_path, [run], "2026-11-16")
    assert said["not_measured_s"]["paused"] == 20.0
    assert said["not_measured_s"]["gap"] == 31.0  # sixty-one seconds, of which a sample may stand for thirty
    assert said["measured_s"] == 300 - 20 - 31
    (mask,) = said["masked"]
    assert (mask["bpm"], mask["samples"]) == ([200, 200], 1)
    assert "a spike" in words
    assert "the timer of the watch was paused" in words


def test_raised_heart_rate_without_movement_says_why(tmp_path: Path) -> None:
    """An owner with fever reads why two hours at 115 are not in the dose."""
    fever = steady("Jan", START, 7200, 115, source="all-day", kind="monitoring", step_s=60, movement=())
    said, words = answer(tmp_path, [fever], "2026-W47")
    assert (said["elevated_s"], said["moderate_s"]) == (7200.0, 0.0)
    assert "2 h 0 min  elevated, does not count" in words


def test_limits_that_change_within_the_span_are_all_shown(tmp_path: Path) -> None:
    """An owner sees which limits were in force when, with method and the day they hold from."""
    noon = START + 2 * HOUR
    happened: list[Event] = [
        Noted("Jan", (("zone", "Europe/Amsterdam"),)),
        Limits("Jan", START, 190),
        Limits("Jan", noon, 180),
    ]
    with household(tmp_path, [*happened, steady("Jan", START, 60, 100)]) as journal:
        said = explain(journal, asked(journal, "2026-11-16", None)).json()
    assert [(e["from"], e["moderate_bpm"], e["method"]) for e in said["edges"]] == [
        (None, 122, "max"),
        ("2026-11-16T11:00:00Z", 115, "max"),
    ]


def test_a_workout_is_listed(tmp_path: Path) -> None:
    """An owner finds the workouts of a day in its explanation."""
    run = steady("Jan", START, 1200, 150)
    said, words = answer(tmp_path, [run, Workout("Jan", "watch", START, START + 20 * MINUTE)], "2026-11-16")
    assert [s["vigorous_s"] for s in said["sessions"]] == [1200.0]
    assert "Workout 2026-11-16 10:00, running, 20 min" in words


def test_a_file_is_explained_with_the_watch_beside_us(tmp_path: Path) -> None:
    """An owner whose watch counted otherwise sees both, and the spike and the pause that lie between them."""
    fit = Fit().file_id(4, created=FIT_START).timer(FIT_START, start=True)
    for i in range(600):
        fit.record(FIT_START + i, 190 if i in {300, 301} else (100, 130, 150)[i // 200] + i % 5)
    fit.timer(FIT_START + 600, start=False)
    fit.time_in_zone(FIT_START + 600, seconds=[200, 198, 200, 2], edges=[120, 140, 180])
    fit.session(FIT_START, 600)
    file = tmp_path / "run.fit"
    file.write_bytes(fit.activity(FIT_START + 600, seconds=600).done())
    data = tmp_path / "data"
    assert hartslag("--data", data, "add", file).returncode == 0
    said = json.loads(hartslag("--data", data, "explain", "run.fit", "--json").stdout)
    (watch,) = said["watch"]
    assert watch["watch_s"] == [200, 198, 200, 2]
    assert watch["ours_s"] == [200, 200, 200, 0]
    assert watch["counting_s"] == [0, 0, 0, 0]
    assert watch["masked_s"] == [0, 2, 0, -2]
    assert watch["other_s"] == [0, 0, 0, 0]
    words = hartslag("--data", data, "explain", "run.fit").stdout
    assert "The watch's own seconds per zone" in words
    (archived,) = data.glob("archive/*/run.fit")
    assert hartslag("--data", data, "explain", archived).stdout == words
    assert hartslag("--data", data, "explain", archived.relative_to(data)).stdout == words


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("2026-W60", "There is no week 2026-W60"),
        ("2026-13-01", "There is no day 2026-13-01"),
        ("yesterday", "is no time"),
        ("gone.fit", "no file of that name"),
    ],
)
def test_what_is_none_of_these_gets_a_sentence(text: str, sentence: str, tmp_path: Path) -> None:
    """Who mistypes reads what would be right, and no traceback."""
    data = tmp_path / "data"
    file = tmp_path / "a.fit"
    file.write_bytes(Fit().file_id(2).done())
    hartslag("--data", data, "add", file)
    done = hartslag("--data", data, "explain", text)
    assert done.returncode == 1
    assert sentence in done.stderr


def test_of_several_persons_one_is_to_be_named(tmp_path: Path) -> None:
    """Nobody is told of somebody else's heart by mistake."""
    with household(tmp_path, [HOME, Noted("Piet", (("zone", "UTC"),))]) as journal:
        with pytest.raises(Exception, match="Say whose"):
            asked(journal, "2026-11-16", None)
        assert asked(journal, "2026-11-16", "Piet").person.name == "Piet"
        with pytest.raises(Exception, match="Nobody called Klaas"):
            asked(journal, "2026-11-16", "Klaas")
        assert journal.held(1, -ALWAYS_MS, ALWAYS_MS) == []
