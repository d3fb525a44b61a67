"""Why a minute, a day, a week or a file counts as it does, asked at the terminal."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.demo.fit_encoder import Fit, workout
from ingest.errors import Stop
from ingest.household import persons_called
from ingest.journal import ALWAYS_MS
from ingest.rows.account import account_for
from ingest.rows.profile import read_profile
from ingest.rows.table import TABLES
from ingest.verbs.explain import explanation_lines
from ingest.verbs.explain_subject import parse_subject
from ingest.verbs.explanation import explain
from ingest.verbs.week_answer import week_answers
from tests.support.daemons import hartslag
from tests.support.happenings import around, events, faulty, new_folder
from tests.support.households import (
    HOUR,
    MINUTE,
    Claim,
    Event,
    Limits,
    Noted,
    Recording,
    S,
    Workout,
    at,
    filled,
    household,
    steady,
)
from zones.minutes import Zone

HOME = Noted("Jan", (("moderate_bpm", 110), ("vigorous_bpm", 140), ("zone", "Europe/Amsterdam")))
START = at("2026-11-16T10:00+01:00")
FIT_START = 1_100_000_000


def answer(folder: Path, happened: Sequence[Event], text: str) -> tuple[dict[str, Any], str]:
    """What `explain` says of a household in which this happened, as JSON and in words."""
    with household(folder, [HOME, *happened]) as journal:
        found = explain(journal, parse_subject(journal, text, "Jan"))
        return found.json(), "\n".join(explanation_lines(found))


@settings(max_examples=25)
@given(st.lists(events, min_size=1, max_size=6))
def test_every_week_that_is_shown_is_explained_in_full(happened: list[Event]) -> None:
    """Protects the owner from two numbers for one week: limits that changed, pauses, masks and all."""
    with new_folder() as folder, household(folder, [HOME, *happened]) as journal:
        for row in week_answers(journal, persons_called(journal, "Jan"), 10, 4_000_000_000_000):
            found = explain(journal, parse_subject(journal, row.week, "Jan"))
            said = found.json()
            for zone in ("light", "moderate", "vigorous", "elevated", "unclassified", "measured"):
                assert said[f"{zone}_s"] == pytest.approx(getattr(row, f"{zone}_min") * 60, abs=1e-6)
            hours = sum(said["not_measured_s"].values()) / 3600 + said["measured_s"] / 3600
            assert hours == pytest.approx(row.hours)
            assert json.dumps(said)
            assert list(explanation_lines(found))


@settings(max_examples=25)
@given(st.lists(events | faulty(), min_size=1, max_size=6), st.data())
def test_any_minute_adds_up_sample_by_sample(happened: list[Event], data: st.DataObject) -> None:
    """Protects the smallest answer: what the samples of a minute count as is the minute, and the minutes are the span."""
    start = (data.draw(around(happened)) // MINUTE - 3) * MINUTE
    with new_folder() as folder, household(folder, [HOME, *happened]) as journal:
        minutes = [start + i * MINUTE for i in range(8)]
        said = [explain(journal, parse_subject(journal, _at(m), "Jan")).json() for m in minutes]
        jan = next(p for p in journal.persons() if p.name == "Jan")
        whole = account_for(journal, jan.id, read_profile(journal, jan.id), [start, start + 8 * MINUTE])
    for one in said:
        for zone in Zone:
            name = zone.name.lower()
            of_samples = sum(sample["counts_as"].get(name, 0) for sample in one["samples"])
            assert of_samples == pytest.approx(one[f"{name}_s"], abs=1e-6), (name, one["from"])
        assert one["measured_s"] + sum(one["not_measured_s"].values()) == pytest.approx(60)
    for zone, ms in zip(Zone, whole.zones_ms.tolist(), strict=True):
        assert sum(one[f"{zone.name.lower()}_s"] for one in said) == pytest.approx(ms / 1000)


def _at(ms: int) -> str:
    """A moment as a person would write it who knows that the clock is set back at night."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat()


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


def test_lengths_stand_in_one_column_however_long(tmp_path: Path) -> None:
    """Protects whom a table helps to read: the longest length of a day stands under the others, not out of their column."""
    _, said = answer(tmp_path, [steady("Jan", START, 2105, 112)], "2026-11-16")
    lines = said.split("\n\n")[1].splitlines()
    assert [line.split("  ")[-1].split(":")[0] for line in lines] == [
        "moderate",
        "not measured",
        "adds to the week",
    ]
    assert len({len(line) - len(line.rsplit("  ", 1)[1]) for line in lines}) == 1
    assert "  23 h 24 min 55 s  not measured" in said


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
        Limits("Jan", START, 180),
        Limits("Jan", noon, 190),
    ]
    with household(tmp_path, [*happened, steady("Jan", START, 60, 100)]) as journal:
        said = explain(journal, parse_subject(journal, "2026-11-16", None)).json()
    assert [(e["from"], e["moderate_bpm"], e["method"]) for e in said["edges"]] == [
        (None, 115, "max"),
        ("2026-11-16T11:00:00Z", 122, "max"),
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
        ("9999-12-31", "There is no day 9999-12-31"),
        ("0001-01-01", "There is no day 0001-01-01"),
        ("99991231", "There is no day 99991231"),
        ("9999-W52", "There is no week 9999-W52"),
        ("0001-W01", "There is no week 0001-W01"),
        ("9999-12-31T23:59", "is no time"),
        ("0001-01-01T00:00", "is no time"),
        ("9999-12-31T23:59-12:00", "is no time"),
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


def test_a_name_is_the_same_name_for_a_file_as_for_a_day(tmp_path: Path) -> None:
    """Protects names with accents, which keyboards and file systems write in two ways; and says whose a file is."""
    (tmp_path / "hartslag.toml").write_text(
        '[[person]]\nname = "Zo\u00eb"\nborn = 1980\nzone = "UTC"\n[[person]]\nname = "Jan"\nzone = "UTC"\n'
    )
    file = tmp_path / "run.fit"
    file.write_bytes(workout(1_100_000_000, [120] * 600))
    assert hartslag("--data", tmp_path, "add", file).returncode == 0
    for name in ("Zo\u00eb", "Zoe\u0308", "ZOE\u0308"):
        assert hartslag("--data", tmp_path, "explain", "run.fit", name).stdout.startswith("Zo\u00eb, file ")
    answers = {name: hartslag("--data", tmp_path, "explain", "run.fit", name) for name in ("jan", "Piet")}
    assert {answer.returncode for answer in answers.values()} == {1}
    assert answers["jan"].stderr.endswith("run.fit is not of Jan, but of Zo\u00eb.\n")
    assert answers["Piet"].stderr == "Nobody called Piet is known here; known: Zo\u00eb, Jan.\n"


def test_of_several_persons_one_is_to_be_named(tmp_path: Path) -> None:
    """Nobody is told of somebody else's heart by mistake."""
    with household(tmp_path, [HOME, Noted("Piet", (("zone", "UTC"),))]) as journal:
        with pytest.raises(Exception, match="Whose"):
            parse_subject(journal, "2026-11-16", None)
        assert parse_subject(journal, "2026-11-16", "Piet").person.name == "Piet"
        with pytest.raises(Exception, match="Nobody called Klaas"):
            parse_subject(journal, "2026-11-16", "Klaas")
        assert journal.chunk_spans(1, -ALWAYS_MS, ALWAYS_MS) == []


def test_limits_of_a_sport_are_shown_where_it_was_done(tmp_path: Path) -> None:
    """An owner on a hand bike sees the limits that ruled the ride, with method and day, and not those of other sports."""
    facts = (
        ("moderate_bpm", 110),
        ("vigorous_bpm", 140),
        (
            "sport",
            [
                {"name": "running", "offset_bpm": -10, "from": "2026-11-01"},
                {"name": "cycling", "offset_bpm": 5},
            ],
        ),
        ("zone", "Europe/Amsterdam"),
    )
    run = steady("Jan", START, 1200, 105)
    happened: list[Event] = [
        Noted("Jan", facts),
        run,
        Workout("Jan", "watch", START, START + 20 * MINUTE),
        steady("Jan", START + 2 * HOUR, 60, 105),
    ]
    with household(tmp_path, happened) as journal:
        found = explain(journal, parse_subject(journal, "2026-11-16T10:05", None))
        other = explain(journal, parse_subject(journal, "2026-11-16T12:00", None))
        day = explain(journal, parse_subject(journal, "2026-11-16", None))
    said, words = found.json(), "\n".join(explanation_lines(found))
    assert (said["moderate_s"], said["light_s"]) == (60.0, 0.0)
    ((sport, (edges,)),) = said["sports"].items()
    assert (sport, edges["moderate_bpm"], edges["method"], edges["from"]) == (
        "running",
        100,
        "bpm",
        "2026-10-31T23:00:00Z",
    )
    assert "In running moderate from 100, vigorous from 130 bpm since 2026-11-01 00:00 (method bpm)" in words
    assert (other.json()["sports"], other.json()["light_s"]) == ({}, 60.0)
    assert set(day.sports) == {"running"}


def test_a_claim_is_split_by_cause(tmp_path: Path) -> None:
    """An owner whose watch claims 30 minutes reads which of them we do not count, and why; the parts add up."""
    # An hour of raised heart rate, of which the watch saw ten minutes of movement, and a strap meanwhile.
    moved = ((START, START + 10 * MINUTE),)
    day = steady("Jan", START, 3600, 120, source="all-day", kind="monitoring", step_s=60, movement=moved)
    strap = steady("Jan", START + 30 * MINUTE, 300, 150, source="chest", kind="strap")
    claim = Claim("Jan", "all-day", START, START + HOUR, 30.0)
    said, words = answer(tmp_path, [day, strap, claim], "2026-11-16")
    (claimed,) = said["claims"]
    assert claimed["ours"] == {"moderate_min": 10.0, "vigorous_min": 5.0, "elevated_min": 45.0}
    split = claimed["difference_min"]
    assert split == {
        "limits_and_rules": {"moderate": 30.0, "vigorous": 0.0},
        "no_movement": {"moderate": -50.0, "vigorous": 0.0},
        "not_believed": {"moderate": 0.0, "vigorous": 0.0},
        "other_sources": {"moderate": 0.0, "vigorous": 5.0},
    }
    assert claimed["moderate_min"] + sum(s["moderate"] for s in split.values()) == 10.0
    assert "-50.0 min moderate      +0.0 vigorous: it saw no movement" in words


def test_what_lies_beyond_minutes_is_told_of_a_day(tmp_path: Path) -> None:
    """An owner finds load, recovery, rest and variability where they ask for them, equal to what a store holds."""
    rest = at("2026-11-16T01:00+01:00")
    quiet = [(rest + i * MINUTE, 50 if 60 <= i < 70 else 60 + i % 3) for i in range(240)]
    at_night = tuple((rest + i * 1200, 1200 + (10 if i % 2 else -10)) for i in range(12_000))
    night = Recording("Jan", "all-day", "monitoring", tuple(quiet), rest + 4 * HOUR, (), (), (), at_night)
    values = [(START + i * S, 160 + i % 2 if i <= 600 else 160 - (i - 600) // 2) for i in range(700)]
    beats = tuple((START + i * 400, 400 + (8 if i % 2 else -8)) for i in range(1500))
    strap = Recording("Jan", "chest", "strap", tuple(values), START + 700 * S, beats=beats)
    facts = (
        ("maximum_bpm", 190),
        ("profile", [{"from": "1990-01-01", "resting_bpm": 60}]),
        ("sex", "woman"),
        ("zone", "Europe/Amsterdam"),
    )
    happened: list[Event] = [
        Noted("Jan", facts),
        night,
        strap,
        Workout("Jan", "watch", START, START + 600 * S),
    ]
    with household(tmp_path, happened) as journal:
        found = explain(journal, parse_subject(journal, "2026-11-16", None))
        held = filled(journal, tmp_path / "store.db")
    said, words = found.json(), "\n".join(explanation_lines(found))
    (workout,) = said["sessions"]
    columns = ("time", *TABLES["session"].tags, *TABLES["session"].fields)
    (row,) = [dict(zip(columns, r, strict=True)) for r in held["session"]]
    for name in TABLES["session"].fields:
        assert workout[name] == row[name], name
    assert workout["recovery_60s"] == pytest.approx(30, abs=1.5)
    assert workout["edwards"] == pytest.approx(10 * 4, rel=0.01)  # ten minutes from 80 % of 190 on
    columns = ("time", *TABLES["variability"].tags, *TABLES["variability"].fields)
    rows = [dict(zip(columns, r, strict=True)) for r in held["variability"]]
    fields = TABLES["variability"].fields
    assert [[r[f] for f in fields] for r in said["variability"]] == [[r[f] for f in fields] for r in rows]
    assert [r["ln_rmssd"] for r in rows] == pytest.approx([np.log(r["rmssd_ms"]) for r in rows])
    (today,) = said["days"]
    assert (today["resting_bpm"], today["quiet_from"]) == (50.0, "2026-11-16T01:00:00Z")
    for part in (
        "Resting heart rate 50 bpm (five minutes from 02:00).",
        "recovery: 30 bpm lower",
        "training load: Banister's (TRIMP)",
        "Edwards' 40",
        "At rest, from 02:00: RMSSD 20.0 ms, lnRMSSD 3.00, SDNN 10.0 ms, pNN50 0.0 %, of 250 beats of all-day",
        "variability: RMSSD 16.0 ms",
    ):
        assert part in words, part


def test_days_of_a_week_add_up_to_it(tmp_path: Path) -> None:
    """An owner sees on which days the minutes of a week were made."""
    runs = [steady("Jan", START + i * 24 * HOUR, 600 * (i + 1), 150) for i in range(3)]
    said, words = answer(tmp_path, runs, "2026-W47")
    assert [d["dose_min"] for d in said["days"]] == [20.0, 40.0, 60.0]
    assert said["dose_min"] == 120.0
    assert "Tue 2026-11-17: 40 min, measured 0.3 h" in words
    assert "120.0 min  adds to the week" in words


def test_what_the_watch_alone_knows_is_named(tmp_path: Path) -> None:
    """An owner reads what no count of ours could settle: zones that miss the watch's own timer, seconds not written."""
    fit = Fit().file_id(4, created=FIT_START).timer(FIT_START, start=True)
    for i in range(0, 600, 10):
        fit.record(FIT_START + i, 121 if i < 300 else 105)
    fit.timer(FIT_START + 600, start=False)
    fit.time_in_zone(FIT_START + 600, seconds=[310, 287, 0, 0], edges=[120, 140, 180]).session(FIT_START, 600)
    (tmp_path / "run.fit").write_bytes(fit.activity(FIT_START + 600, seconds=600).done())
    data = tmp_path / "data"
    data.mkdir()
    (data / "hartslag.toml").write_text(
        '[[person]]\nname = "Jan"\nmoderate_bpm = 110\nvigorous_bpm = 140\n'
        '[[person.sport]]\nname = "running"\noffset_bpm = -10\n'
    )
    assert hartslag("--data", data, "add", tmp_path / "run.fit").returncode == 0
    (watch,) = json.loads(hartslag("--data", data, "explain", "run.fit", "--json").stdout)["watch"]
    assert watch["timer_s"] == 600
    assert watch["open_s"] == 30 * 9  # nine of each ten seconds at 121, two beats from the watch's limit
    assert (watch["moderate_bpm"], watch["moderate_s"]) == (100, 600)
    words = hartslag("--data", data, "explain", "run.fit").stdout
    assert "Its zones add up to 3.0 s less than its own timer ran." in words
    assert "between them 270 s lie so near to a limit" in words
    assert "your own limits hold, 100 and 130 bpm: moderate 600 s" in words


def test_what_a_watch_tells_of_a_swim_is_told(tmp_path: Path) -> None:
    """An owner reads what the watch itself counted of a swim, and whether it counts here."""
    told = (("watch_edges", (110, 140)), ("watch_s", (60, 900, 240)))
    swim = Workout("Jan", "watch", START, START + 20 * MINUTE, sport="swimming", more=told)
    said, words = answer(tmp_path / "a", [swim], "2026-11-16")
    assert said["sessions"][0]["watch_s"] == [60, 900, 240]
    assert "they count by the watch's own word" in words
    assert (
        "watch: 20 min 0 s by the watch's own word" in words or "by the watch's own word, no sample" in words
    )
    assert "of these" not in words, "nothing of it is left out"
    half = steady("Jan", START, 600, 100, source="all-day", kind="monitoring")
    _said, words = answer(tmp_path / "half", [swim, half], "2026-11-16")
    assert "10 min of these 20 min count by the watch's own word" in words
    other = Workout("Jan", "watch", START, START + HOUR, more=(("watch_edges", (99, 140)), told[1]))
    said, words = answer(tmp_path / "b", [other], "2026-11-16")
    assert said["moderate_s"] == 0
    assert "no two of its zones begin at your limits: your week was at least what it says" in words


def test_a_medicine_is_named_as_the_reason_for_unknown_limits(tmp_path: Path) -> None:
    """An owner who takes a beta blocker reads why nothing counts since then, and what would mend it."""
    entry = {"from": "2026-11-16", "limiting_medicine": True}
    facts = (("born", 1970), ("profile", [entry]), ("zone", "Europe/Amsterdam"))
    with household(tmp_path, [Noted("Jan", facts), steady("Jan", START, 60, 100)]) as journal:
        words = "\n".join(explanation_lines(explain(journal, parse_subject(journal, "2026-W47", None))))
    assert "No limits are known since 2026-11-16 00:00: a medicine limits this heart rate" in words


@pytest.mark.parametrize(
    ("text", "what", "minutes"),
    [
        ("20261025", "Sunday 25 October 2026", 1500),
        ("2026-W43-7", "Sunday 25 October 2026", 1500),
        ("2026W43", "week 2026-W43", 10140),
        ("20261024T1030", "the minute from 2026-10-24 10:30", 1),
        ("1971-01-01", "Friday 1 January 1971", 1440),
        ("2200-12-31T10:00", "the minute from 2200-12-31 10:00", 1),
    ],
)
def test_times_are_taken_as_what_they_say(text: str, what: str, minutes: int, tmp_path: Path) -> None:
    """Who leaves out the strokes of a date gets that day, and not its first minute."""
    with household(tmp_path, [HOME]) as journal:
        found = parse_subject(journal, text, None)
    assert (found.name, (found.end_ms - found.start_ms) // MINUTE) == (what, minutes)


def test_an_hour_that_comes_twice_is_told_of(tmp_path: Path) -> None:
    """Who asks for half past two of the night in which it comes twice reads which one it is, and how to ask for the other."""
    with household(tmp_path, [HOME]) as journal:
        first, other = (
            parse_subject(journal, text, None) for text in ("2026-10-25T02:30", "2026-10-25T02:30+01:00")
        )
    assert first.start_ms == at("2026-10-25T02:30+02:00") == other.start_ms - HOUR
    assert (
        "the first of two as the clock was set back; 2026-10-25T02:30+01:00 asks for the other" in first.name
    )
    assert other.name == "the minute from 2026-10-25 02:30"


def test_an_hour_that_the_clock_skips_is_said_to_be_none(tmp_path: Path) -> None:
    """Who asks for a time that no clock showed is not answered about another one."""
    words = "There is no 2026-03-29T02:30 in Europe/Amsterdam: the clock was set on over it."
    with household(tmp_path, [HOME]) as journal, pytest.raises(Stop, match=words):
        parse_subject(journal, "2026-03-29T02:30", None)


def test_a_file_that_brought_no_time_or_waits_is_answered(tmp_path: Path) -> None:
    """Protects who asks why a file does not count from being told that there is none of that name, or from a failure."""
    (tmp_path / "bad.fit").write_text("no recording at all")
    data = tmp_path / "data"
    assert hartslag("--data", data, "add", tmp_path / "bad.fit").returncode == 1
    rejected = hartslag("--data", data, "explain", "bad.fit")
    assert rejected.returncode == 0
    assert "it is rejected. This is not a FIT file" in rejected.stdout
    told = json.loads(hartslag("--data", data, "explain", "bad.fit", "--json").stdout)
    assert (told["outcome"], told["reason"].split(" but ")[0]) == ("rejected", "This is not a FIT file")
    (data / "inbox").mkdir(exist_ok=True)
    (data / "inbox" / "run.fit").write_bytes(workout(1_100_000_000, [120] * 600))
    for name in ("run.fit", str(data / "inbox" / "run.fit")):
        waits = hartslag("--data", data, "explain", name)
        assert waits.returncode == 0
        assert (
            "The file run.fit waits in the inbox, and counts once it is taken: the daemon does not run"
            in waits.stdout
        )
    assert json.loads(hartslag("--data", data, "explain", "run.fit", "--json").stdout)["outcome"] == "waiting"
    assert hartslag("--data", data, "explain", "gone.fit").returncode == 1
