"""The made-up household: it is read whole by the real code, tells its story, and touches nothing that is not its own."""

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from ingest.demo.folder import FIRST_LINE, MARK, UNFINISHED, DemoFolder
from ingest.demo.past import happenings
from ingest.demo.settings_text import names, settings_text
from ingest.demo.story import Story
from ingest.demo.straps import ROBINS_ADDRESS, SAMS_ADDRESS, robins_strap, sams_strap
from ingest.errors import Stop
from ingest.language import speak
from ingest.settings.file import load
from ingest.verbs.demo import make
from tests.support.daemons import hartslag, journal, rows, store, until
from tests.support.other_user import NOBODY, open_to_others, run_as
from tests.support.preloaded import PATIENCE_S
from tests.support.small_disk import small_disk

NOW = datetime(2026, 11, 21, 16, 7, tzinfo=UTC)
"""A Saturday, some weeks after the clocks changed."""

STORY = Story(NOW, "Europe/Amsterdam")
ROBIN, SAM = "Robin Example", "Sam Example"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A household that was made once, for all who only look at it."""
    folder = tmp_path_factory.mktemp("demo") / "demo"
    make(DemoFolder(folder), STORY, None, lambda _: None)
    return folder


def files_of(story: Story) -> dict[str, bytes]:
    """All that the watch of a story brought, the newest of each name."""
    straps = robins_strap(ROBIN), sams_strap(SAM)
    return {n: f for day in happenings(story, straps) for h in day for n, f in h.files.items()}


# --- the same by seed ---


def test_a_seed_gives_the_same_files_byte_for_byte() -> None:
    """Protects pictures and reports of errors: two people who make up the same household see the same."""
    story = replace(STORY, weeks=3)
    first = files_of(story)
    assert files_of(replace(story)) == first
    assert files_of(replace(story, seed=2)) != first


def test_what_is_past_stays_as_it_is() -> None:
    """Protects the days that are over from the hour at which a household is made: only today goes on."""
    story = replace(STORY, weeks=2)
    before, after = files_of(story), files_of(replace(story, now=NOW + timedelta(hours=2)))
    today = f"{STORY.today} all day (made up).fit"
    assert {name: after[name] for name in before if name != today} == {
        name: file for name, file in before.items() if name != today
    }
    assert len(after[today]) > len(before[today])


def test_one_strap_is_worn_after_the_other() -> None:
    """Protects the made-up clock, which cannot go back: no two workouts with a strap overlap, wherever home is."""
    for zone in ("Europe/Amsterdam", "America/Los_Angeles", "Asia/Kolkata", "UTC"):
        story = replace(STORY, zone=zone)
        straps = robins_strap(ROBIN), sams_strap(SAM)
        worn = [h.worn[1] for day in happenings(story, straps) for h in day if h.worn]
        assert [b for a, b in pairwise(worn) if b.start_ms < a.end_ms] == []
        assert max(e.end_ms for e in worn) <= story.now_ms


# --- what it holds ---


def test_the_real_code_reads_all_of_it_whole(home: Path) -> None:
    """Protects a first impression: no file of it is rejected, cut off or left lying, and the store has it all."""
    assert rows(journal(home), "SELECT DISTINCT outcome, reason FROM file") == [("stored", "")]
    assert not (home / "rejected").exists()
    assert [p for p in (home / "inbox").rglob("*") if p.is_file()] == []
    assert rows(store(home), "SELECT position FROM replica") == rows(
        journal(home), "SELECT max(position) FROM entry"
    )
    assert all("(made up)" in p.name for p in (home / "archive").rglob("*.fit"))


def test_nothing_of_it_is_later_than_now(home: Path) -> None:
    """Protects from a household of the future: nothing came in after its moment, and no sample lies behind it."""
    last = STORY.now_ms / 1000
    assert rows(store(home), "SELECT max(time) FROM heart_rate")[0][0] <= last
    assert rows(store(home), "SELECT max(time) FROM collector")[0][0] < last + 1
    assert rows(store(home), "SELECT max(time) FROM heart_rate")[0][0] > last - 10 * 60


def test_the_weeks_tell_a_story(home: Path) -> None:
    """Protects what dashboards and the report have to show: weeks that were enough, that were not, and one not judged."""
    said = json.loads(hartslag("--data", home, "week", ROBIN, "--weeks", "12", "--json").stdout)
    assert len(said) == 12
    judged = [week for week in said if week["judged"]]
    enough = [week["dose_min"] >= week["target_min"] for week in judged[1:]]
    assert any(enough)
    assert not all(enough)
    assert [week["not_judged_why"] for week in said if not week["judged"]] == ["relapse"]
    assert {week["target_min"] for week in said} == {60, 90, 120}
    assert len({tuple(edge["moderate_bpm"] for edge in week["edges"]) for week in said}) > 1


@pytest.mark.parametrize("hours", range(-5 * 24, 40, 5))
def test_there_is_always_some_to_go_this_week(hours: int) -> None:
    """Protects the moment of looking: whatever the weekday, this week is on its way and its workouts are not all over it."""
    story = replace(STORY, now=NOW + timedelta(hours=hours))
    week = [story.robins_day(story.monday + timedelta(days=i)) for i in range(7)]
    minutes = sum(e.minutes - 7 for day in week for e in day.efforts)
    assert 0 < minutes < story.target_min(story.monday)


def test_days_were_missed_and_a_journey_made(home: Path) -> None:
    """Protects coverage and calendars on display: two days without a watch, and nights in another zone."""
    days = dict(
        rows(store(home), "SELECT round(time), measured_s FROM day WHERE person = ? ORDER BY time", ROBIN)
    )
    forgotten = STORY.week_before(8) + timedelta(days=1)
    missed = [STORY.robins_day(forgotten + timedelta(days=i)).start_ms / 1000 for i in range(2)]
    assert max(days.get(day, 0) for day in missed) <= 90, (
        "the last sample of the evening before may reach over"
    )
    first, last = STORY.journey
    assert STORY.robins_day(last).start_ms / 1000 in days
    assert (STORY.robins_day(first).start_ms // 3_600_000) % 24 not in {22, 23}


def test_straps_drop_out_and_run_low(home: Path) -> None:
    """Protects the board of collectors from having nothing to tell."""
    robins, sams = f"strap {ROBINS_ADDRESS}", f"strap {SAMS_ADDRESS}"
    sql = "SELECT max(reconnects), min(battery_pct) FROM collector WHERE source = ?"
    assert rows(store(home), sql, robins)[0][0] >= 2
    assert rows(store(home), sql, sams) == [(0, 9)]
    assert rows(store(home), "SELECT count(*) FROM variability WHERE source = ?", sams)[0][0] > 12


def test_workouts_have_sports_and_the_watch_claims(home: Path) -> None:
    """Protects lists of workouts and the comparison with the watch from being empty."""
    sports = {sport for (sport,) in rows(store(home), "SELECT DISTINCT sport FROM session")}
    assert {"cycling", "rowing", "walking", "hiking"} <= sports
    assert rows(store(home), "SELECT count(*) FROM claim WHERE moderate_min > 0")[0][0] > 20
    assert rows(store(home), "SELECT count(*) FROM day WHERE elevated_s > 300")[0][0] > 3


def test_hearts_look_like_hearts(home: Path) -> None:
    """Protects the eye: nights are quiet, resting rates move within a few beats, and nobody races."""
    resting = [r for (r,) in rows(store(home), "SELECT resting_bpm FROM day WHERE resting_bpm IS NOT NULL")]
    assert len(resting) > 70
    assert 50 < min(resting) < max(resting) < 75
    low, high = rows(store(home), "SELECT min(bpm), max(bpm) FROM heart_rate")[0]
    assert low > 45
    assert 125 < high < 165


@pytest.mark.parametrize("language", ["en", "nl"])
def test_nobody_takes_them_for_real_people(language: str) -> None:
    """Protects from a page about nobody: the name itself says that it is made up, in each language."""
    speak(language)
    try:
        said = {"en": ("Robin Example", "Sam Example"), "nl": ("Robin Voorbeeld", "Sam Voorbeeld")}
        assert names() == said[language]
    finally:
        speak("en")


@pytest.mark.parametrize("language", [None, "nl"])
def test_its_settings_are_without_a_mistake(tmp_path: Path, language: str | None) -> None:
    """Protects the example that people copy: read without a word, and silent about a language unless one was asked for."""
    file = tmp_path / "hartslag.toml"
    file.write_text(settings_text(STORY, language), encoding="utf-8")
    settings = load(file, tmp_path, {}, tmp_path)
    assert [p.name for p in settings.persons] == [ROBIN, SAM]
    assert len(settings.straps) == 2
    assert ('language = "nl"' in file.read_text()) == (language is not None)


# --- its folder ---


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("words", [[], ["--anew"], ["--live"]])
def test_a_folder_of_somebody_is_never_touched(tmp_path: Path, words: list[str]) -> None:
    """Protects whoever names the wrong folder: what is no demo stays as it is."""
    (tmp_path / "journal").mkdir()
    (tmp_path / "journal" / "journal.db").write_text("years of somebody")
    before = snapshot(tmp_path)
    said = hartslag("demo", tmp_path, *words)
    assert (said.returncode, said.stdout) == (1, "")
    assert "is not a demo" in said.stderr
    assert snapshot(tmp_path) == before


def test_a_demo_is_made_anew_only_when_told(home: Path) -> None:
    """Protects a demo that somebody is looking at."""
    before = snapshot(home)
    said = hartslag("demo", home)
    assert (said.returncode, said.stdout) == (1, "")
    assert "--anew" in said.stderr
    assert snapshot(home) == before


def test_a_file_of_ones_own_is_never_deleted_with_it(home: Path, tmp_path: Path) -> None:
    """Protects whoever tried their own file in the demo: it is theirs, and nothing is deleted before it is safe."""
    folder = tmp_path / "demo"
    shutil.copytree(home, folder)
    (folder / "archive" / "2026" / "my run.fit").write_bytes(b"mine")
    before = snapshot(folder)
    said = hartslag("demo", folder, "--anew")
    assert said.returncode == 1
    assert "my run.fit" in said.stderr
    assert snapshot(folder) == before


def test_anew_takes_the_place_of_what_was_made_and_of_nothing_else(home: Path, tmp_path: Path) -> None:
    """Protects what lies beside: dashboards that were written into the folder stay, the old household goes."""
    folder = tmp_path / "demo"
    shutil.copytree(home, folder)
    (folder / "grafana").mkdir()
    (folder / "grafana" / "week.json").write_text("{}")
    old = rows(journal(folder), "SELECT journal FROM identity")
    make(DemoFolder(folder), replace(STORY, weeks=1), None, lambda _: None)
    assert rows(journal(folder), "SELECT journal FROM identity") != old
    assert (folder / "grafana" / "week.json").exists()
    assert sorted(p.name for p in folder.iterdir() if p.name.startswith(".")) == []


def test_what_an_end_by_force_left_is_made_anew_without_a_word(tmp_path: Path) -> None:
    """Protects from a folder that can neither be used nor made: half a household counts for nothing."""
    half = tmp_path / "demo" / UNFINISHED
    half.mkdir(parents=True)
    (half / MARK).write_text(FIRST_LINE)
    (half / "hartslag.toml").write_text("half a file")
    folder = DemoFolder(tmp_path / "demo")
    folder.require_ours()
    assert not folder.is_made
    make(folder, replace(STORY, weeks=1), None, lambda _: None)
    assert folder.is_made


def test_a_folder_that_cannot_be_written_is_told_in_words(tmp_path: Path) -> None:
    """Protects from a traceback, and from half a folder, where somebody may not write."""
    open_to_others(tmp_path)
    tmp_path.chmod(0o555)

    def try_it() -> str:
        with pytest.raises(Stop) as caught:
            make(DemoFolder(tmp_path / "demo"), replace(STORY, weeks=1), None, lambda _: None)
        return str(caught.value)

    assert "Name a folder of your own" in run_as(NOBODY, try_it)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_and_nothing_is_left_on_it(tmp_path: Path) -> None:
    """Protects a card that is nearly full: the household that did not fit takes no room either."""
    with small_disk(tmp_path / "small", "500k") as small:
        said = hartslag("demo", small / "demo")
        assert (said.returncode, said.stdout) == (1, "")
        assert "disk" in said.stderr
        assert "full" in said.stderr
        assert "Traceback" not in said.stderr
        assert list(small.iterdir()) == []


# --- as a command ---


@contextmanager
def demo(*words: str | Path) -> Iterator["subprocess.Popen[str]"]:
    """The command, with its output in pipes; ended when the block ends."""
    process = subprocess.Popen(
        [sys.executable, "-m", "ingest", "demo", *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_ctrl_c_leaves_nothing_half_made(tmp_path: Path) -> None:
    """Protects from a household that looks whole and is not."""
    folder = tmp_path / "demo"
    with demo(folder) as process:
        until(lambda: any((folder / UNFINISHED / "archive").rglob("*.fit")), "the first files")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert not folder.exists()


def test_in_a_pipe_it_is_quiet_and_its_commands_work(tmp_path: Path) -> None:
    """Protects scripts, and the last line of a first try: what it says to do next can be done."""
    folder, boards = tmp_path / "demo", tmp_path / "boards"
    said = hartslag("demo", folder, "--seed", "3", "--grafana", boards)
    assert (said.returncode, said.stderr) == (0, "")
    assert ROBIN in said.stdout.splitlines()[0]
    assert f"--data {folder} week" in said.stdout
    assert ROBIN in hartslag("--data", folder, "week").stdout
    assert any(ROBIN in p.read_text() for p in boards.rglob("*.json"))


def test_live_beats_arrive_and_end_cleanly(home: Path, tmp_path: Path) -> None:
    """Protects what a dashboard shows now: both hearts come into the store while it runs, and Ctrl-C is its end."""
    folder = tmp_path / "demo"
    shutil.copytree(home, folder)
    began = time.time()
    with demo(folder, "--live") as process:
        sql = "SELECT count(DISTINCT person) FROM heart_rate WHERE time > ?"
        until(lambda: rows(store(folder), sql, began) == [(2,)], "two hearts in the store")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, err
    assert "Ctrl-C" in out
    assert "Traceback" not in err
    sql = "SELECT json_extract(content, '$.state') FROM entry WHERE what = 'collector' ORDER BY position DESC LIMIT 2"
    assert rows(journal(folder), sql) == [("stopped",), ("stopped",)]
