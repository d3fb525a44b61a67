"""What straps told while nobody knew the time: shown, placed by hand after a look at what changes, and taken back."""

import json
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ingest.demo.fit_encoder import Fit, workout
from ingest.journal import Journal, Notifications
from ingest.settings.model import Settings, StrapSettings
from ingest.verbs.status_straps import strap_status
from ingest.verbs.today import sensor_text
from ingest.verbs.today_answer import SensorNow
from tests.support.archives import zipped
from tests.support.households import HOUR, Answer, at, filled, hartslag, household, rows
from tests.support.strap_sessions import payload
from tests.support.straps import append_notifications, observe_clock

EVENING = at("2026-11-16T18:00+01:00")
DAY = 24 * HOUR
ERA_S = 631_065_600
FIT_START = EVENING // 1000 - ERA_S
LOST = "3f2a9c1b-0000-4000-8000-000000000000"
STRAP = "strap F0:00:00:00:00:01"
SETTINGS = """
[[person]]
name = "Anna"
zone = "Europe/Amsterdam"
moderate_bpm = 110
vigorous_bpm = 140

[[strap]]
address = "F0:00:00:00:00:01"
person = "Anna"
"""


def tell(journal: Journal, boot: str, steady: int, seconds: int) -> None:
    """Anna's strap is heard for a while in a boot."""
    arrivals = [(steady + 1000 * i, payload(117 + i * 7 % 9)) for i in range(seconds)]
    with journal.write() as w:
        append_notifications(w, Notifications.from_arrivals(boot, steady - 10, arrivals), "Anna", STRAP)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A Monday that is known, a boot in which the clock stood where it was saved, and a Friday that is known."""
    (tmp_path / "hartslag.toml").write_text(SETTINGS)
    with household(tmp_path) as journal:
        observe_clock(journal, "monday", 1000, EVENING)
        tell(journal, "monday", 2000, 600)
        observe_clock(journal, LOST, 1000, EVENING + HOUR // 2, right=False, kept=False)
        tell(journal, LOST, 61_000, 1200)
        observe_clock(journal, "friday", 1000, EVENING + 4 * DAY)
        tell(journal, "friday", 2000, 300)
    return tmp_path


def clock(data: Path, *words: str) -> Answer:
    return hartslag("--data", data, "clock", *words)


def dose(data: Path) -> float:
    (week,) = json.loads(hartslag("--data", data, "week", "Anna", "--weeks", "1", "--json").out)
    return float(week["dose_min"])


def test_what_waits_for_a_time_is_listed_with_what_is_known_of_it(data: Path) -> None:
    """Protects a workout from being forgotten: whose it was, how long, and between which moments it must have been."""
    for lines in (clock(data).out, hartslag("--data", data, "status").out):
        told = " ".join(lines.split())
        assert "3f2a9c1b: 1200 heart rates of Anna in 20 min" in told
        assert "the clock showed 2026-11-16 18:31, which may be wrong" in told
        assert "it was after 2026-11-16 18:10; it was before 2026-11-20 18:00" in told
        assert 'clock 3f2a9c1b "2026-11-20 18:30"' in told
    for found in (
        json.loads(clock(data, "--json").out)["waiting"],
        json.loads(hartslag("--data", data, "status", "--json").out)["boots"],
    ):
        assert [(b["boot"], b["samples"], b["lasted_s"]) for b in found] == [(LOST, 1200, 1199)]
    assert dose(data) == pytest.approx(15, abs=0.2)


def test_it_is_placed_after_a_look_at_what_changes_and_taken_back(data: Path) -> None:
    """Protects the week: a yes alone places it, every store shows it there, and one line takes it back."""
    store = data / "store" / "hartslag.db"
    shown = clock(data, "3f2a", "2026-11-18 20:00")
    assert shown.code == 3
    assert "Wednesday 18 November 2026: 20 minutes for the week instead of 0" in " ".join(shown.out.split())
    assert dose(data) == pytest.approx(15, abs=0.2)
    done = clock(data, "2026-11-18", "20:00", "--yes")
    assert done.code == 0
    assert dose(data) == pytest.approx(35, abs=0.3)
    with Journal(Settings(data).journal_file) as journal:
        assert filled(journal, data / "anew.db") == rows(store)
        assert journal.unplaced_boots() == []
    assert "Anna, from 2026-11-18 20:00 to 2026-11-18 20:19, as you said" in " ".join(clock(data).out.split())
    # It was an hour later; and then it was not known at all.
    assert clock(data, "3f2a9c1b", "2026-11-18 21:00", "--yes").code == 0
    assert dose(data) == pytest.approx(35, abs=0.3)
    assert "Wednesday 18 November 2026: 0 minutes" in " ".join(clock(data, "3f2a", "--undo").out.split())
    assert clock(data, "--undo", "--yes").code == 0
    assert dose(data) == pytest.approx(15, abs=0.2)
    with Journal(Settings(data).journal_file) as journal:
        assert filled(journal, data / "back.db") == rows(store)
        assert [b.id for b in journal.unplaced_boots()] == [LOST]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["3f2a", "2026-11-16 18:05"], "the machine was on before it, and that was surely 2026-11-16 18:10"),
        (["3f2a", "2026-11-20 17:50"], "the machine was started anew by 2026-11-20 18:00"),
        (["3f2a", "yesterday"], "yesterday is no day with a time"),
        (["3f2a"], "Put the day and the time behind it"),
        (["2026-11-18"], "2026-11-18 is no day with a time"),
        (["beef", "2026-11-18 20:00"], "There is no beef to place or to take back; there are 3f2a9c1b"),
        (["3f2a", "--undo"], "There is nothing to place"),
    ],
)
def test_what_cannot_be_is_said(data: Path, words: list[str], said: str) -> None:
    """Protects against a slip of the pen: a time at which the machine was another boot is refused, with the reason."""
    answer = clock(data, *words, "--yes")
    assert answer.code == 1
    assert said in " ".join(answer.err.split())
    assert dose(data) == pytest.approx(15, abs=0.2)


def test_without_a_time_server_its_owner_may_vouch_for_the_clock(data: Path) -> None:
    """Protects a household without internet: where nobody keeps the clock its owner may, and is refused where one does."""
    answer = clock(data, "--right")
    with Journal(Settings(data).journal_file) as journal:
        now = json.loads(clock(data, "--json").out)["clock"]
        if now["synchronized"]:
            assert answer.code == 1
            assert "is kept right over the internet" in " ".join(answer.err.split())
        else:
            assert answer.code == 0
            assert [o.believed for o in journal.observations(now["boot"])] == ["owner"]
            assert "it goes by what you said" in clock(data).out


def test_a_strap_that_is_heard_without_a_date_says_so(data: Path) -> None:
    """Protects who looks at today and sees no minutes: the strap is heard, and what it tells waits for a time."""
    strap = StrapSettings(address="F0:00:00:00:00:01", person="Anna")
    with Journal(Settings(data).journal_file) as journal:
        for boot, dated in (("friday", True), (LOST, False)):
            content = {"source": STRAP, "boot": boot, "steady_ms": 62_000, "state": "connected", "why": ""}
            more = {
                "battery_pct": None,
                "signal_dbm": None,
                "reconnects": 0,
                "samples": 1,
                "gaps": 0,
                "age_s": 0.5,
            }
            with journal.write() as w:
                w.entry(w.person("Anna"), "collector", EVENING + HOUR, None, content | more)
            now = strap_status(journal, strap, runs=True)
            assert now["dated"] is dated
            assert (
                "counts once the time is known" in sensor_text(SensorNow("H10", now), runs=True)
            ) is not dated


def test_a_workout_of_a_watch_without_a_date_is_kept_listed_and_placed(tmp_path: Path) -> None:
    """Protects a run whose watch had lost its clock: it counts in no week, is not lost, and counts once its owner says when."""
    (tmp_path / "hartslag.toml").write_text(SETTINGS.split("[[strap]]", maxsplit=1)[0])
    file = Fit().file_id(created=5000).timer(5000, start=True)
    for i in range(1200):
        file.record(5000 + i, 118 + i % 5)
    (tmp_path / "run.fit").write_bytes(file.timer(6200, start=False).session(5000, 1200).done())
    added = hartslag("--data", tmp_path, "add", tmp_path / "run.fit")
    assert "hartslag clock" in added.out
    listed = clock(tmp_path)
    assert "1 file, or a part of it, has no date" in " ".join(listed.out.split())
    assert "run.fit: 1200 heart rates of Anna" in listed.out
    assert "run.fit: 1200 heart rates of Anna" in hartslag("--data", tmp_path, "status").out
    ahead = clock(tmp_path, "run.fit", "2090-01-01 18:00", "--yes")
    assert (ahead.code, "still to come" in ahead.err) == (1, True), ahead
    shown = clock(tmp_path, "run.fit", "2026-11-16 18:00")
    assert shown.code == 3
    placed = clock(tmp_path, "run.fit", "2026-11-16 18:00", "--yes")
    assert "hartslag clock run.fit --undo" in placed.out, placed
    (workout,) = json.loads(hartslag("--data", tmp_path, "workout", "2026-11-16", "--json").out)
    assert (workout["from"], workout["moderate_min"]) == ("2026-11-16T17:00:00Z", 20.0)
    explained = " ".join(hartslag("--data", tmp_path, "explain", "run.fit").out.split())
    assert "run.fit (Europe/Amsterdam): 2026-11-16 18:00 to 2026-11-16 18:20" in explained
    assert "Its watch had no date: somebody said when it began. To take that back:" in explained
    assert "clock run.fit --undo" in explained
    assert json.loads(clock(tmp_path, "--json").out)["files"] == []
    assert hartslag("--data", tmp_path, "status").out.count("run.fit") == 0, "it is not told of as damaged"
    assert clock(tmp_path, "run.fit", "--undo", "--yes").code == 0
    assert len(json.loads(clock(tmp_path, "--json").out)["files"]) == 1, "it waits again"
    assert "brought no time to explain" in hartslag("--data", tmp_path, "explain", "run.fit").out
    assert clock(tmp_path, "run.fit", "2026-11-16 18:00", "--yes").code == 0
    assert json.loads(clock(tmp_path, "--json").out)["files"] == [], "it counts again where it was"


def undated_run(folder: Path, name: str = "run.fit", created: int = 5000) -> Path:
    """A run of 20 moderate minutes whose watch had no date."""
    file = Fit().file_id(created=created).timer(created, start=True)
    for i in range(1200):
        file.record(created + i, 118 + i % 5)
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(file.timer(created + 1200, start=False).session(created, 1200).done())
    return folder / name


def minutes(data: Path, person: str = "Anna") -> float:
    weeks = json.loads(hartslag("--data", data, "week", person, "--weeks", "500", "--json").out)
    return sum(float(week["dose_min"]) for week in weeks)


@pytest.mark.parametrize("name", ["run.fit", "its copy"])
def test_a_file_that_is_forgotten_takes_its_given_time_with_it(tmp_path: Path, name: str) -> None:
    """Protects from minutes of somebody else: forgetting a file forgets the time given to it, says so before, and gives both back."""
    people = SETTINGS.split("[[strap]]", maxsplit=1)[0]
    (tmp_path / "hartslag.toml").write_text(people + people.replace("Anna", "Ben"))
    run = undated_run(tmp_path)
    assert hartslag("--data", tmp_path, "add", "--person", "Anna", run).code == 0
    assert clock(tmp_path, "run.fit", "2026-11-16 18:00", "--yes").code == 0
    (copy,) = (tmp_path / "archive").rglob("run-placed-*.fit")
    forgotten = hartslag(
        "--data", tmp_path, "forget", name if name == "run.fit" else copy.name, "Anna", "--yes"
    )
    assert "0 minutes for the week instead of 20" in forgotten.out, forgotten
    assert "This workout goes" in forgotten.out
    assert "placed" not in forgotten.out, "a name that nobody knows"
    assert minutes(tmp_path) == 0
    assert json.loads(clock(tmp_path, "--json").out)["files"] == [], "nobody is asked when it was"
    (archived,) = (tmp_path / "archive").rglob("run.fit")
    assert f"add --person Ben {archived}" in " ".join(forgotten.out.split())
    assert hartslag("--data", tmp_path, "add", "--person", "Ben", archived).code == 0
    assert clock(tmp_path, "run.fit", "2026-11-16 18:00", "--yes").code == 0
    assert (minutes(tmp_path), minutes(tmp_path, "Ben")) == (0, 20)
    assert hartslag("--data", tmp_path, "forget", "--undo", "run.fit", "--yes").code == 0
    assert minutes(tmp_path) == 20


def test_a_time_that_was_taken_back_is_nothing_that_is_forgotten(tmp_path: Path) -> None:
    """Protects one workout from counting twice: a time that was taken back is told nowhere as forgotten, nor taken back from there."""
    (tmp_path / "hartslag.toml").write_text(SETTINGS.split("[[strap]]", maxsplit=1)[0])
    assert hartslag("--data", tmp_path, "add", undated_run(tmp_path)).code == 0
    for wrong in ("2026-11-16 17:00", "2026-11-16 18:00"):
        assert clock(tmp_path, "run.fit", wrong, "--yes").code == 0
        undone = clock(tmp_path, "run.fit", "--undo", "--yes")
        assert (undone.code, "placed" in undone.out) == (0, False), undone
    assert hartslag("--data", tmp_path, "forget", "--list").out == "Nothing is forgotten.\n"
    assert "forgotten" not in hartslag("--data", tmp_path, "status").out
    assert clock(tmp_path, "run.fit", "2026-11-16 17:00", "--yes").code == 0
    (workout,) = json.loads(hartslag("--data", tmp_path, "workout", "2026-11-16", "--json").out)
    assert workout["from"] == "2026-11-16T16:00:00Z", "the one that was meant counts again"
    taken_back = hartslag("--data", tmp_path, "forget", "--undo", "--yes")
    assert (taken_back.code, "Nothing is forgotten" in taken_back.err) == (1, True), taken_back
    assert minutes(tmp_path) == 20
    (placed,) = json.loads(clock(tmp_path, "--json").out)["placed_files"]
    assert placed["file"].endswith("/run.fit")
    assert "\nrun.fit: Anna, from 2026-11-16 17:00" in clock(tmp_path).out


def test_two_files_of_one_name_are_taken_back_one_by_one(tmp_path: Path) -> None:
    """Protects the time of one file where another is called like it: each is named in full, and nothing is guessed."""
    (tmp_path / "hartslag.toml").write_text(SETTINGS.split("[[strap]]", maxsplit=1)[0])
    runs = [undated_run(tmp_path, "a/run.fit"), undated_run(tmp_path, "b/run.fit", created=9000)]
    assert hartslag("--data", tmp_path, "add", *runs).code == 0
    for run, day in zip(runs, ("2026-11-16", "2026-11-17"), strict=True):
        assert clock(tmp_path, str(run), f"{day} 18:00", "--yes").code == 0
    unclear = clock(tmp_path, "run.fit", "--undo", "--yes")
    assert (unclear.code, unclear.err.count("/run.fit")) == (1, 2), unclear
    assert clock(tmp_path, str(runs[0]), "--undo", "--yes").code == 0
    (left,) = json.loads(clock(tmp_path, "--json").out)["placed_files"]
    assert left["file"] == str(runs[1])


def test_files_without_a_date_are_proposed_one_after_the_other(tmp_path: Path) -> None:
    """Protects two runs of one evening from one moment: as far apart as the watch counted, between their neighbours by name, in one zone."""
    (tmp_path / "hartslag.toml").write_text(
        '[[person]]\nname = "Anna"\nborn = 1980\nzone = "Pacific/Auckland"\n'
    )
    inbox = tmp_path / "files"
    inbox.mkdir()
    runs = {4: 5_000, 5: 9_000, 7: 1_000}
    for number, first in runs.items():
        run = Fit().file_id(4, serial=7, created=first).records(first, [120 + i % 5 for i in range(600)])
        (inbox / f"{number}.fit").write_bytes(run.session(first, 600).done())
    before, after = FIT_START, FIT_START + 7 * 86_400
    for number, start in ((3, before), (6, after)):
        (inbox / f"{number}.fit").write_bytes(workout(start, [110 + i % 5 for i in range(600)], serial=7))
    assert hartslag("--data", tmp_path, "add", *sorted(inbox.iterdir())).code == 0
    found = {f["file"].rsplit("/")[-1]: f for f in json.loads(clock(tmp_path, "--json").out)["files"]}
    assert {name: f["proposed"] for name, f in found.items()} == {
        "4.fit": local(before + 659),
        "5.fit": local(before + 659 + 4_000),
        "7.fit": local(after + 659),
    }
    received = local(found["4.fit"]["received_ms"] // 1000 - ERA_S)
    assert f"4.fit: 600 heart rates of Anna in 10 min; the file came in on {received}" in clock(tmp_path).out
    over = clock(tmp_path, "4.fit", local(before + 300))
    assert "There is a workout already from" in over.out
    assert "(3.fit)" in over.out
    assert "There is a workout already" not in clock(tmp_path, "4.fit", found["4.fit"]["proposed"]).out


def test_files_without_a_date_that_have_no_neighbours_lie_beside_each_other(tmp_path: Path) -> None:
    """Protects files that came in at once from being proposed at the same moment, whatever they are called."""
    (tmp_path / "hartslag.toml").write_text(SETTINGS.split("[[strap]]", maxsplit=1)[0])
    names = ("morning.fit", "evening.fit", "noon.fit")
    for i, name in enumerate(names):
        run = Fit().file_id(4, serial=7, created=900).records(900, [120 + (i + j) % 5 for j in range(600)])
        (tmp_path / name).write_bytes(run.session(900, 600).done())
    assert hartslag("--data", tmp_path, "add", *(tmp_path / name for name in names)).code == 0
    proposed = [f["proposed"] for f in json.loads(clock(tmp_path, "--json").out)["files"]]
    begins = sorted(datetime.fromisoformat(text) for text in proposed)
    assert len(begins) == 3
    assert all(later - earlier >= timedelta(minutes=10) for earlier, later in pairwise(begins))


def local(fit_s: int) -> str:
    """A moment of a file as its owner in Auckland reads it."""
    return f"{datetime.fromtimestamp(fit_s + ERA_S, ZoneInfo('Pacific/Auckland')):%Y-%m-%d %H:%M}"


def test_a_summary_without_a_date_is_listed_and_placed_out_of_a_zip_in_a_zip(tmp_path: Path) -> None:
    """Protects a swim of which only a summary is there: it is listed, asked for by name, placed out of inner zips, and taken back."""
    (tmp_path / "hartslag.toml").write_text(SETTINGS.split("[[strap]]", maxsplit=1)[0])
    swim = Fit().file_id(4, serial=7, created=7000).session(7000, 1000, sport=5, mean=130, highest=150).done()
    run = Fit().file_id(4, serial=7, created=9000).records(9000, [120] * 600).done()
    inner = zipped(("x/swim.fit", swim), ("2024-05-07-07-39-33.fit", run))
    (tmp_path / "export.zip").write_bytes(zipped(("in.zip", inner)))
    assert hartslag("--data", tmp_path, "add", tmp_path / "export.zip").code == 0
    listed = clock(tmp_path).out
    assert 'clock 2024-05-07-07-39-33.fit "2024-05-07 07:39"' in listed, "a file's name tells its date"
    assert "swim.fit: a summary of Anna" in listed
    assert all(f["proposed"] < "2100" for f in json.loads(clock(tmp_path, "--json").out)["files"])
    asked = clock(tmp_path, "swim.fit")
    assert (asked.code, "When did swim.fit begin?" in asked.err) == (1, True)
    assert clock(tmp_path, "swim.fit", "2026-11-16 18:00", "--yes").code == 0
    (workout,) = json.loads(hartslag("--data", tmp_path, "workout", "2026-11-16", "--json").out)
    assert workout["from"] == "2026-11-16T17:00:00Z"
    assert clock(tmp_path, "swim.fit", "--undo", "--yes").code == 0
    assert "tmp" not in hartslag("--data", tmp_path, "forget", "--list").out.split("`")[0]


def test_a_part_of_a_workout_without_a_date_is_placed_right_before_the_rest(tmp_path: Path) -> None:
    """Protects a run whose watch found the date on the way: its end counts at once, and its beginning once its owner says yes to it."""
    (tmp_path / "hartslag.toml").write_text(SETTINGS.split("[[strap]]", maxsplit=1)[0])
    file = Fit().file_id(created=5000)
    for second in range(0, 900, 6):
        file.record(5000 + second, 118 + second % 5)
    begin = FIT_START + 25
    for second in range(900, 1500, 6):
        file.record(begin + second, 118 + second % 5)
    (tmp_path / "run.fit").write_bytes(file.done())
    assert hartslag("--data", tmp_path, "add", tmp_path / "run.fit").code == 0
    (waits,) = json.loads(hartslag("--data", tmp_path, "status", "--json").out)["undated"]
    assert (waits["samples"], waits["proposed"]) == (150, "2026-11-16 18:00")
    explained = " ".join(hartslag("--data", tmp_path, "explain", "run.fit").out.split())
    assert "2026-11-16 18:15 to 2026-11-16 18:25" in explained
    assert "what was recorded before its clock was set is kept" in explained
    assert clock(tmp_path, "run.fit", waits["proposed"], "--yes").code == 0
    (workout,) = json.loads(hartslag("--data", tmp_path, "workout", "2026-11-16", "--json").out)
    assert workout["from"] == "2026-11-16T17:00:30Z", "to the second, right before what has a date"
    assert workout["moderate_min"] == pytest.approx(1489 / 60, abs=0.1)
    explained = " ".join(hartslag("--data", tmp_path, "explain", "run.fit").out.split())
    assert "2026-11-16 18:00 to 2026-11-16 18:25" in explained
    assert explained.count("Workout 2026") == 1
    assert clock(tmp_path, "run.fit", "--undo", "--yes").code == 0
    (workout,) = json.loads(hartslag("--data", tmp_path, "workout", "2026-11-16", "--json").out)
    assert workout["from"] == "2026-11-16T17:15:25Z", "the rest stays where it was"


def test_an_all_day_file_and_one_of_intervals_alone_wait_as_well(tmp_path: Path) -> None:
    """Protects what is no workout with heart rates: whatever a watch without a date recorded of a heart is listed and placed."""
    (tmp_path / "hartslag.toml").write_text(SETTINGS.split("[[strap]]", maxsplit=1)[0])
    day = Fit().file_id(32, created=100).monitoring_info(100).monitoring(100, (24, "byte", 8))
    for i in range(1, 500):
        day.monitoring_bpm(100 + 60 * i, 70 + i % 30)
    (tmp_path / "day.fit").write_bytes(day.done())
    beats = Fit().file_id(created=5000)
    for i in range(0, 1200, 4):
        beats.hrv(*[500 + (i + j) * 7 % 23 for j in range(4)])
    (tmp_path / "beats.fit").write_bytes(beats.session(5000, 615).done())
    assert hartslag("--data", tmp_path, "add", tmp_path / "day.fit", tmp_path / "beats.fit").code == 0
    told = " ".join(hartslag("--data", tmp_path, "status").out.split())
    assert "2 files, or a part of them, have no date" in told
    assert "day.fit: 499 heart rates of Anna in 8 h 18 min" in told
    assert "beats.fit: 612 heart rates of Anna in 10 min" in told
    assert clock(tmp_path, "day.fit", "2026-11-16 00:00", "--yes").code == 0
    assert clock(tmp_path, "beats.fit", "2026-11-17 18:00", "--yes").code == 0
    assert "believed for 8 h 19 min" in hartslag("--data", tmp_path, "explain", "day.fit").out
    assert "612 heart rates are derived" in hartslag("--data", tmp_path, "explain", "beats.fit").out
    assert json.loads(clock(tmp_path, "--json").out)["files"] == []
