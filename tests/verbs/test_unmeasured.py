"""What came in and is not measured is named: swims with a mean alone, a sensor that froze, a week of years ago."""

from datetime import date
from pathlib import Path

import pytest

from ingest.household import persons_called
from ingest.language import speak
from ingest.settings.model import Settings
from ingest.sports import sport_text
from ingest.verbs.report_answer import report_facts
from ingest.verbs.terminal import PIPE, Terminal
from ingest.verbs.today import today_lines
from ingest.verbs.today_answer import TodayFollower
from ingest.verbs.week import week_lines
from ingest.verbs.week_answer import WeekAnswer, week_answers
from ingest.verbs.week_screen import week_screen
from tests.support.households import (
    DAY,
    HOUR,
    MINUTE,
    Copies,
    Event,
    Noted,
    Recording,
    S,
    Workout,
    at,
    hartslag,
    household,
    steady,
)

HOME = Noted("Jan", (("moderate_bpm", 110), ("vigorous_bpm", 140), ("zone", "Europe/Amsterdam")))
MONDAY = at("2026-11-16T00:00+01:00")
NOW = MONDAY + 5 * DAY
EIGHT = MONDAY + DAY + 8 * HOUR


def swim(start_ms: int = EIGHT, **more: object) -> Workout:
    return Workout(
        "Jan", "watch", start_ms, start_ms + 30 * MINUTE, 1800.0, "swimming", more=tuple(more.items())
    )


def frozen(start_ms: int = EIGHT) -> tuple[Event, ...]:
    samples = tuple((start_ms + i * S, 140) for i in range(1800))
    end_ms = start_ms + 30 * MINUTE
    return (
        Recording("Jan", "watch", "activity", samples, end_ms),
        Workout(
            "Jan", "watch", start_ms, end_ms, 1800.0, "running", more=(("bpm_mean", 140), ("bpm_max", 146))
        ),
    )


def answers(folder: Path, *happened: Event, most: int = 4) -> list[WeekAnswer]:
    with household(folder, [HOME, *happened]) as journal:
        return week_answers(journal, persons_called(journal, "Jan"), most, NOW)


SWIM = swim(bpm_mean=128, bpm_max=150)
RUN = steady("Jan", MONDAY + 10 * HOUR, 1800, 120)

SAID = [
    ((SWIM,), "Swimming, Tue 17 Nov, 30 min: only its mean of 128 and its highest of 150 bpm are known."),
    ((swim(bpm_mean=128),), "Swimming, Tue 17 Nov, 30 min: only its mean of 128 bpm is known."),
    ((swim(bpm_max=150),), "Swimming, Tue 17 Nov, 30 min: only its highest of 150 bpm is known."),
    (
        (swim(watch_edges=(90, 111, 141), watch_s=(60, 600, 900, 240)),),
        "Swimming, Tue 17 Nov, 30 min: only seconds in zones of the watch's own are known.",
    ),
    (
        frozen(),
        "Running, Tue 17 Nov, 30 min: none of its 1800 heart rates is believed (it stood still: one value for minutes).",
    ),
    (frozen()[:1], "1800 heart rates of this week do not count: it stood still: one value for minutes."),
]


@pytest.mark.parametrize(("happened", "said"), SAID)
def test_a_week_in_which_nothing_is_measured_says_what_came_in(
    happened: tuple[Event, ...], said: str, tmp_path: Path
) -> None:
    """Protects who swam from "Nothing is measured yet. Drop FIT files": what came in is named, and what says more of it."""
    rows = answers(tmp_path, *happened)
    words = "\n".join(week_lines(rows, "hartslag.toml"))
    assert "Jan, this week:" in words
    assert "Nothing counts in this week so far." in words
    assert said in words
    assert "`hartslag explain 2026-W47 Jan` says more." in words
    assert "0 of 150" not in words, "unknown is not zero"


@pytest.mark.parametrize(("happened", "said"), SAID[:-1])
def test_beside_other_data_they_are_named_too(happened: tuple[Event, ...], said: str, tmp_path: Path) -> None:
    """Protects a week of one run and one swim: who reads it finds both, and sees which one counts."""
    (row,) = answers(tmp_path, RUN, *happened)
    words = "\n".join(week_lines([row], "hartslag.toml"))
    assert "At least 30 of 150 minutes" in words
    assert "1 workout of this week does not count:" in words
    assert said in words
    (told,) = row.json()["not_counted"]
    assert (told["from"], told["duration_min"]) == ("2026-11-17T07:00:00Z", 30.0)


@pytest.mark.parametrize(
    "happened",
    [
        (RUN, Workout("Jan", "watch", EIGHT, EIGHT + 30 * MINUTE, 1800.0, "swimming")),
        (SWIM, steady("Jan", EIGHT, 1800, 120, source="strap", kind="strap")),
        (SWIM, steady("Jan", EIGHT - HOUR, 7200, 120, source="all-day", kind="monitoring", step_s=30)),
        (swim(watch_edges=(90, 110, 140), watch_s=(60, 600, 900, 240)),),
    ],
    ids=[
        "nothing of a heart in it",
        "a strap saw it",
        "an all-day watch saw it",
        "counted by the watch's word",
    ],
)
def test_what_counts_or_tells_nothing_is_not_named(happened: tuple[Event, ...], tmp_path: Path) -> None:
    """Protects from being told that something does not count which does, and from a list of walks without a sensor."""
    (row,) = answers(tmp_path, *happened)
    assert row.unmeasured.workouts == ()
    assert row.measured_min > 0


def test_a_swim_is_no_reason_to_hide_the_week_before(tmp_path: Path) -> None:
    """Protects the weeks before: one of which nothing counts takes a line of its own, and no other week's place is lost."""
    rows = answers(
        tmp_path, SWIM, swim(EIGHT - 7 * DAY, bpm_mean=131), steady("Jan", EIGHT - 14 * DAY, 600, 120)
    )
    assert [row.week for row in rows] == ["2026-W47", "2026-W46", "2026-W45"]
    lines = list(week_lines(rows, "hartslag.toml"))
    assert "  2026-W46  nothing counts of 1 workout" in lines
    assert any(line.startswith("  2026-W45     10 of 150 min") for line in lines)


@pytest.mark.parametrize("language", ["en", "nl"])
@pytest.mark.parametrize("columns", [40, 80])
def test_a_terminal_shows_them_within_its_width(language: str, columns: int, tmp_path: Path) -> None:
    """Protects who reads in large letters: no line is longer than the screen is wide, in any language."""
    rows = answers(tmp_path, *frozen(), swim(EIGHT + DAY, bpm_mean=128, bpm_max=150))
    speak(language)
    lines = list(week_screen(Terminal(columns, unicode=False), rows, "hartslag.toml"))
    assert max(map(len, lines)) <= columns
    assert sum("2026-W47" in line for line in lines) == 1


def test_minutes_by_the_watchs_word_are_marked(tmp_path: Path) -> None:
    """Protects the trust in a number: what no sensor measured second by second is told apart, for people and programs."""
    told = swim(bpm_mean=128, watch_edges=(90, 110, 140), watch_s=(60, 600, 900, 240))
    rows = answers(tmp_path, told, RUN)
    words = "\n".join(week_lines(rows, "hartslag.toml"))
    assert "23 of these minutes count by the watch's own word" in words
    by_summary = rows[0].json()["by_summary"]
    assert by_summary["moderate_min"] == 15
    assert by_summary["dose_min"] == 23
    with household(tmp_path) as journal:
        facts = report_facts(journal, persons_called(journal, "Jan")[0], 12, NOW, {})
    assert facts.told_dose_min == 23
    assert {(s.name, s.sort) for s in facts.sensors} == {("watch", "workouts"), ("watch", "summary")}


def test_today_says_it_of_today(tmp_path: Path) -> None:
    """Protects the morning after an early swim: `today` names it, of this week too, and tells programs the same."""
    with household(tmp_path, [HOME, SWIM, steady("Jan", at("2024-03-06T08:00+01:00"), 600, 120)]) as journal:
        journal.now_ms = lambda: EIGHT + 2 * HOUR
        (found,) = TodayFollower(Settings(tmp_path), journal, journal.persons()).answers()
        journal.now_ms = lambda: EIGHT + 14 * DAY
        (later,) = TodayFollower(Settings(tmp_path), journal, journal.persons()).answers()
    words, afterwards = ("\n".join(today_lines(PIPE, [x])) for x in (found, later))
    assert "Nothing of today counts so far." in words
    assert SAID[0][1] in words
    assert "This week: nothing counts of 1 workout: `hartslag week` says more." in words
    assert "The newest week that is measured is Monday 4 March to Sunday 10 March 2024" in words
    assert len(found.json()["week"]["not_counted"]) == 1
    assert "Nothing is measured today yet." in afterwards
    assert "This week: nothing is measured yet" in afterwards


def test_the_minutes_of_a_week_are_the_same_number_wherever_it_is_told(tmp_path: Path) -> None:
    """Protects from "at least 42" here and "at least 41" there: of 41.7 minutes 41 are full, in a pipe, on a terminal, today and on paper."""
    from ingest.report import words

    told = swim(bpm_mean=128, watch_edges=(90, 110, 140), watch_s=(0, 198, 702, 900))
    with household(tmp_path, [HOME, told]) as journal:
        (row,) = week_answers(journal, journal.persons(), 4, NOW)
        journal.now_ms = lambda: EIGHT + 2 * HOUR
        (now,) = TodayFollower(Settings(tmp_path), journal, journal.persons()).answers()
        facts = report_facts(journal, journal.persons()[0], 12, NOW, {})
    assert row.dose_min == pytest.approx(41.7)
    screen = "\n".join(week_screen(Terminal(80, unicode=False), [row], "hartslag.toml"))
    pipe, today = "\n".join(week_lines([row], "hartslag.toml")), "\n".join(today_lines(PIPE, [now]))
    page = "\n".join([*words.summary(facts), words.dose_of(facts.weeks[-1]), *words.certainty(facts)])
    for text in (screen, pipe, today, page):
        assert "41" in text
        assert "42" not in text
    for text in (screen, pipe, today):
        assert "At least 41 of 150 minutes" in text
        assert "41 of these minutes count by the watch's own word" in text


def test_today_marks_minutes_by_the_watchs_word(tmp_path: Path) -> None:
    """Protects the trust in the minutes of today: what the watch alone says is told apart."""
    told = swim(bpm_mean=128, watch_edges=(90, 110, 140), watch_s=(60, 600, 900, 240))
    with household(tmp_path, [HOME, told]) as journal:
        journal.now_ms = lambda: EIGHT + 2 * HOUR
        (found,) = TodayFollower(Settings(tmp_path), journal, journal.persons()).answers()
    assert "23 of these minutes count by the watch's own word" in "\n".join(today_lines(PIPE, [found]))
    assert found.json()["by_summary_min"] == 23


def test_a_report_names_what_does_not_count_and_the_newest_week(tmp_path: Path) -> None:
    """Protects the page for the physiotherapist from "Nothing is measured yet" over swims, and over a year without a watch."""
    from ingest.report import words

    with household(tmp_path / "swims", [HOME, SWIM]) as journal:
        facts = report_facts(journal, persons_called(journal, "Jan")[0], 12, NOW, {})
    assert words.headline(facts) == "That cannot be said: what came in cannot be counted in minutes."
    assert SAID[0][1] in list(words.summary(facts))
    with household(
        tmp_path / "old", [HOME, steady("Jan", at("2024-03-06T08:00+01:00"), 600, 120)]
    ) as journal:
        facts = report_facts(journal, persons_called(journal, "Jan")[0], 12, NOW, {})
    assert words.headline(facts) == "That cannot be said: nothing was measured in the last 12 weeks."
    assert facts.newest_measured == (date(2024, 3, 4), date(2024, 3, 10))
    assert list(words.summary(facts)) == ["The newest week that was measured is 4 to 10 March 2024."]


def test_explain_says_that_it_was_not_measured(tmp_path: Path) -> None:
    """Protects who asks why from "moderate 0 s, vigorous 0 s": nobody knows them, and what the watch sums up is told."""
    with household(tmp_path, [HOME, SWIM, swim(EIGHT + DAY, bpm_max=150)]):
        pass
    said = hartslag("--data", tmp_path, "explain", "2026-W47", "Jan").out
    assert (
        "not measured second by second, so nobody knows which of its minutes were moderate or vigorous"
        in said
    )
    assert "the watch sums it up: heart rate 128 bpm on average, 150 at most" in said
    assert "the watch sums it up: heart rate 150 bpm at most" in said
    assert "moderate 0 s" not in said
    assert "None" not in said


def test_who_has_nothing_to_count_hears_why(tmp_path: Path) -> None:
    """Protects from "drop FIT files" right after having done so: a file without a heart rate is named."""
    nothing = Workout("Jan", "watch", EIGHT, EIGHT + HOUR)
    with household(tmp_path, [HOME, Copies((), (nothing,))]):
        pass
    said = hartslag("--data", tmp_path, "week").out
    assert "Jan: 1 file is kept, and holds no heart rate that can count." in said
    assert "hartslag explain a.fit Jan" in said


def test_what_is_not_measured_is_not_said_to_be_measured_for_0_hours(tmp_path: Path) -> None:
    """Protects from minutes beside "measured 0 h": it is said where they come from, or how little it was."""
    told = swim(EIGHT - 7 * DAY, bpm_mean=128, watch_edges=(90, 110, 140), watch_s=(0, 98, 702, 500))
    walk = steady("Jan", EIGHT - 14 * DAY, 1200, 120)
    rows = answers(tmp_path, RUN, told, walk)
    for width in (40, 80):
        lines = [
            *week_lines(rows, "hartslag.toml"),
            *week_screen(Terminal(width, unicode=False), rows, "hartslag.toml"),
        ]
        assert not [line for line in lines if " 0 h" in line]
    assert [line for line in lines if "W46" in line and "by the watch's own word" in line]
    assert [line for line in lines if "W45" in line and "measured 0.3 h" in line]


@pytest.mark.parametrize(("language", "word"), [("en", "workout"), ("nl", "training")])
def test_a_sport_that_nobody_told_is_a_workout(language: str, word: str, tmp_path: Path) -> None:
    """Protects from "generic", the word of a watch that was told nothing: it is a workout, or no word at all."""
    run = Workout("Jan", "watch", EIGHT, EIGHT + 30 * MINUTE, 1800.0, "generic")
    with household(tmp_path, [HOME, run, steady("Jan", EIGHT, 1800, 120, source="watch", kind="activity")]):
        pass
    speak(language)
    assert sport_text("generic") == word
    for words in (["workout", "2026-11-17", "Jan"], ["explain", "2026-11-17", "Jan"]):
        assert "generic" not in hartslag("--data", tmp_path, *words).out


@pytest.mark.parametrize(
    ("facts", "verdict", "hint"),
    [
        ((), "nothing tells where moderate begins for you; the line born = YEAR below your name", True),
        (
            (("born", 1970), ("profile", [{"from": "2026-01-01", "limiting_medicine": True}])),
            "a medicine limits this heart rate, and no limits are known that hold with it",
            False,
        ),
        ((("born", 1970),), "no two of its zones begin at your limits", False),
    ],
    ids=["nothing known", "a medicine", "others"],
)
def test_zones_of_a_watch_do_not_count_for_want_of_limits(
    facts: tuple[tuple[str, object], ...],
    verdict: str,
    hint: bool,  # noqa: FBT001 - a parameter of the test
    tmp_path: Path,
) -> None:
    """Protects who has no limits from reading that a watch's zones differ from them, and gives the line that mends it."""
    jan = Noted("Jan", (*facts, ("zone", "Europe/Amsterdam")))
    told = swim(bpm_mean=128, watch_edges=(90, 111, 141), watch_s=(60, 600, 900, 240))
    with household(tmp_path, [jan, told]) as journal:
        rows = week_answers(journal, persons_called(journal, "Jan"), 4, NOW)
    for verb in ("explain", "workout"):
        assert verdict in " ".join(hartslag("--data", tmp_path, verb, "2026-11-17", "Jan").out.split())
    for lines in (week_lines(rows, "my.toml"), week_screen(Terminal(80, unicode=False), rows, "my.toml")):
        words = "\n".join(lines)
        assert ("nothing tells where moderate begins for Jan" in " ".join(words.split())) == hint
        assert ("      born = 1970" in words) == hint
