"""How does today go? Numbers against a household small enough to count by hand, and what a terminal shows of it."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from ingest.journal import Journal
from ingest.settings.file import load
from ingest.settings.model import Settings
from ingest.system.lock import only_daemon
from ingest.verbs.terminal import PIPE, Terminal, cells
from ingest.verbs.today import screen_lines, today_lines
from ingest.verbs.today_answer import TodayAnswer, TodayFollower
from tests.support.households import DAY, MINUTE, Event, Noted, at, happen, hartslag, household, steady
from tests.support.terminals import on_terminal

WEDNESDAY = at("2026-11-18T09:00+01:00")
LIMITS = (("moderate_bpm", 110), ("vigorous_bpm", 140), ("target_min", 90), ("zone", "Europe/Amsterdam"))
STRAP = "strap F0:00:00:00:00:01"


def worn(start_ms: int, seconds: int, bpm: int, source: str = STRAP, name: str = "Jan") -> Event:
    return steady(name, start_ms, seconds, bpm, source=source, kind="strap")


def happened(name: str) -> list[Event]:
    """A walk on Tuesday, 30 minutes of 90: 60 are to go, 12 a day for five days; and a strap worn this morning."""
    return [
        Noted(name, LIMITS),
        steady(name, WEDNESDAY - DAY, 30 * 60, 120),
        worn(WEDNESDAY - 20 * MINUTE, 15 * 60, 100, name=name),
        worn(WEDNESDAY - 5 * MINUTE, 240, 120, name=name),
        worn(WEDNESDAY - MINUTE, 60, 150, name=name),
    ]


HAPPENED = happened("Jan")


def answer(journal: Journal, now_ms: int, settings: Settings | None = None) -> TodayAnswer:
    journal.now_ms = lambda: now_ms
    (found,) = TodayFollower(settings or Settings(journal.path.parent), journal, journal.persons()).answers()
    return found


def words(found: TodayAnswer, t: Terminal = PIPE) -> str:
    return "\n".join(today_lines(t, [found]))


def test_numbers_counted_by_hand(tmp_path: Path) -> None:
    """Protects the question of every morning: what is to go this week, and what of it an even pace asks of today."""
    with household(tmp_path, HAPPENED) as journal:
        x = answer(journal, WEDNESDAY)
    said = x.json()
    assert {k: said[k] for k in ("light_min", "moderate_min", "vigorous_min", "dose_min", "pace_min", "pace_to_go_min")} == {
        "light_min": 15.0, "moderate_min": 4.0, "vigorous_min": 1.0, "dose_min": 6.0, "pace_min": 12.0, "pace_to_go_min": 6,
    }  # fmt: skip
    assert (said["week"]["to_go_min"], said["week"]["days_left"]) == (54, 5)
    assert said["heart_rate"]["bpm"] in {150, 151}
    assert (said["heart_rate"]["zone"], said["heart_rate"]["is_now"]) == ("vigorous", True)
    text = words(x)
    assert "Jan, Wednesday 18 November 2026" in text
    assert " bpm now: vigorous" in text
    assert "This week: 54 minutes to go." in text
    assert "An even pace asks 12 minutes of today: 6 to go." in text


def test_what_comes_in_later_is_told_as_if_it_had_always_been_there(tmp_path: Path) -> None:
    """Protects the live numbers: counting only what is new gives what counting everything gives, next week too."""
    with household(tmp_path, HAPPENED) as journal:
        journal.now_ms = lambda: WEDNESDAY
        follower = TodayFollower(Settings(tmp_path), journal, journal.persons())
        follower.answers()
        moment = [WEDNESDAY]
        journal.now_ms = lambda: moment[0]
        for event, later in (
            (worn(WEDNESDAY, 60, 130), MINUTE),
            (worn(WEDNESDAY + MINUTE, 30, 90), 90_000),
            (Noted("Jan", (*LIMITS[:2], ("target_min", 100), LIMITS[3])), 95_000),
            (steady("Jan", WEDNESDAY - 2 * DAY, 600, 150), 100_000),
            (worn(WEDNESDAY + DAY - 10_000, 10, 120), DAY),
            (worn(WEDNESDAY + 7 * DAY - 10_000, 10, 120), 7 * DAY),
        ):
            happen(journal, event)
            moment[0] = WEDNESDAY + later
            (x,) = follower.answers()
            assert [x] == TodayFollower(Settings(tmp_path), journal, journal.persons()).answers()
    assert x.week.week == "2026-W48"


@pytest.mark.parametrize(
    ("age_s", "said"),
    [(12, "bpm now: vigorous"), (13, "bpm, but that was 13 s ago"), (600, "bpm, but that was 10 min ago"), (601, "No strap is worn")],
)  # fmt: skip
def test_an_old_value_is_never_that_of_now(tmp_path: Path, age_s: int, said: str) -> None:
    """Protects from a heart rate that stands still on the screen while the strap lies on the table."""
    with household(tmp_path, HAPPENED) as journal:
        x = answer(journal, WEDNESDAY - 1000 + age_s * 1000)
    assert said in words(x)
    assert "now" not in "\n".join(today_lines(PIPE, [x], over=True))


def test_the_heart_rate_is_that_of_the_strap_that_is_believed_first(tmp_path: Path) -> None:
    """Protects from a jumping number where two straps are worn; one that fell silent gives way to one that is heard."""
    other = worn(WEDNESDAY - 30_000, 60, 95, "strap F0:00:00:00:00:02")
    with household(tmp_path, [*HAPPENED, other]) as journal:
        first, later = answer(journal, WEDNESDAY), answer(journal, WEDNESDAY + 29_500)
        assert first.heart_rate is not None
        assert later.heart_rate is not None
        assert (first.heart_rate.source, later.heart_rate.source) == (STRAP, "strap F0:00:00:00:00:02")
        assert "bpm now: light" in words(later)


def test_without_a_target_or_limits_nothing_is_to_go(tmp_path: Path) -> None:
    """Protects who is ill, and whose limits nobody knows: neither is asked for minutes."""
    pause = ("pause", [{"from": "2026-11-18", "to": "2026-11-18", "why": "ill"}])
    with household(tmp_path / "ill", [*HAPPENED, Noted("Jan", (*LIMITS, pause))]) as journal:
        ill = words(answer(journal, WEDNESDAY))
    with household(tmp_path / "unknown", [Noted("Jan", LIMITS[3:]), HAPPENED[-1]]) as journal:
        unknown = words(answer(journal, WEDNESDAY))
    with household(tmp_path / "monday", [Noted("Jan", LIMITS)]) as journal:
        monday = words(answer(journal, WEDNESDAY))
    with household(tmp_path / "in bed", [Noted("Jan", (*LIMITS, pause))]) as journal:
        in_bed = words(answer(journal, WEDNESDAY))
    assert "not to be judged (ill)" in ill
    assert "This week: nothing is measured yet; it is not judged (ill)." in in_bed
    assert "target" not in in_bed
    assert "`hartslag week` says which line in the settings is missing" in unknown
    assert "This week: nothing is measured yet; the target is 90 minutes." in monday
    assert "pace" not in ill + unknown + monday


STRAPS = '[[person]]\nname = "Jan"\n[[strap]]\nname = "Polar"\naddress = "F0:00:00:00:00:01"\n'


def status_of(journal: Journal, at_ms: int, **said: Any) -> None:
    """What a recorder wrote of the strap."""
    content = {
        "source": STRAP, "state": "connected", "state_no": 3, "why": "", "battery_pct": 15, "signal_dbm": -60,
        "reconnects": 0, "samples": 0, "gaps": 0, "age_s": None, **said,
    }  # fmt: skip
    with journal.write() as w:
        w.entry(w.person("Jan"), "collector", at_ms, None, content)


def test_sensors_say_whether_they_are_heard_and_how_their_battery_is(tmp_path: Path) -> None:
    """Protects the next workout: a battery that is low, a strap that is silent, a daemon that does not run."""
    (tmp_path / "hartslag.toml").write_text(STRAPS)
    now = time.time_ns() // 1_000_000
    with household(tmp_path, [worn(now - 60_000, 55, 120)]) as journal:
        status_of(journal, now)
    stopped = hartslag("--data", tmp_path, "today").out
    with only_daemon(tmp_path):
        heard = hartslag("--data", tmp_path, "today").out
        (said,) = json.loads(hartslag("--data", tmp_path, "today", "--json").out)
    assert "Polar: not listened to. The daemon does not run: start it with `hartslag run`." in stopped
    assert "Polar: heard. Battery 15 %: change it soon." in heard
    assert (said["daemon_runs"], said["sensors"][0]["battery_low"]) == (True, True)


@pytest.mark.parametrize("width", [32, 40, 80])
def test_nothing_is_wider_than_the_terminal(tmp_path: Path, width: int) -> None:
    """Protects a phone over ssh from wrapped bars."""
    with household(tmp_path, HAPPENED) as journal:
        x = answer(journal, WEDNESDAY)
    assert max(map(cells, today_lines(Terminal(width), [x]))) <= width


def test_it_renews_itself_on_a_terminal_until_ctrl_c(tmp_path: Path) -> None:
    """Protects who cycles in front of the screen: the new heart rate takes the place of the old one, and Ctrl-C is clean."""
    with household(tmp_path, [Noted("Jan", LIMITS)]) as journal:
        until_ms = time.time_ns() // 1_000_000 - 3000

        def goes_on(sent: str) -> bool:
            """The strap tells on, and the heart beats faster once it was seen to beat at all."""
            nonlocal until_ms
            now_ms, begins = time.time_ns() // 1_000_000, until_ms
            if now_ms - begins >= 1000:
                until_ms = now_ms
                happen(
                    journal, worn(begins, -(-(now_ms - begins) // 1000), 150 if "moderate" in sent else 120)
                )
            return "bpm now: vigorous" in sent

        goes_on("")
        seen = on_terminal("--data", tmp_path, "today", columns=60, until=goes_on)
    assert seen.code == 130
    assert "bpm now: moderate" in seen.sent
    hidden, shown = "\x1b[?25l", "\x1b[?25h"
    assert seen.sent.rindex(shown) > seen.sent.rindex(hidden), "the cursor is back"
    assert "bpm, vigorous, at " in seen.sent.rpartition("bpm now")[2], "what stays on the screen has its time"


def test_a_pipe_and_a_simple_terminal_are_told_once(tmp_path: Path) -> None:
    """Protects scripts, and terminals on which nothing can be written over: it ends by itself, in plain words."""
    now = time.time_ns() // 1_000_000
    with household(tmp_path, [Noted("Jan", LIMITS), worn(now - 60_000, 90, 150)]):
        pass
    piped = hartslag("--data", tmp_path, "today")
    assert (piped.code, piped.err, "\x1b" in piped.out) == (0, "", False)
    for simple in (
        on_terminal("--data", tmp_path, "today", env={"TERM": "dumb"}),
        on_terminal("--data", tmp_path, "today", "--once"),
    ):
        assert simple.code == 0
        assert "\x1b[?25l" not in simple.sent
    assert hartslag("--data", tmp_path, "today", "Kim").code == 1


def test_nobody_yet(tmp_path: Path) -> None:
    """Protects the first minute: no traceback, and what to do."""
    with household(tmp_path) as journal:
        assert journal.persons() == []
    answer = hartslag("--data", tmp_path, "today")
    assert (answer.code, answer.err) == (0, "")
    assert "hartslag setup" in answer.out


@pytest.mark.parametrize("width", [40, 80])
@pytest.mark.parametrize("height", [12, 16, 20, 24, 30, 60])
def test_everybody_fits_the_screen(tmp_path: Path, width: int, height: int) -> None:
    """Protects the second person in the house on a small screen: the answer stays, details go, and it is said that they did."""
    (tmp_path / "hartslag.toml").write_text(STRAPS)
    settings = load(None, tmp_path, {}, tmp_path)
    with household(tmp_path, [*HAPPENED, *happened("Piet")]) as journal:
        journal.now_ms = lambda: WEDNESDAY
        answers = TodayFollower(settings, journal, journal.persons()).answers()
    lines = screen_lines(Terminal(width, height), answers)
    text = " ".join(" ".join(lines).split())
    assert len(lines) <= height
    assert [text.count(told) for told in (" bpm now: vigorous", "54 minutes to go.")] == [2, 2]
    assert text.count("Today: 6 minutes") == 2 or height < 16
    assert text.count("Jan, ") == text.count("Piet, ") == 1
    assert text.endswith("Ctrl-C ends it.")
    whole = all(" ".join(line.split()) in text for line in today_lines(Terminal(width), answers))
    assert whole == ("`hartslag today NAME` shows one person" not in text)


def test_a_house_full_of_people_is_cut_off_between_two_of_them(tmp_path: Path) -> None:
    """Protects from half an answer: who does not fit is asked for by name."""
    with household(tmp_path, [e for name in "ABCDEFGH" for e in happened(name)]) as journal:
        journal.now_ms = lambda: WEDNESDAY
        answers = TodayFollower(Settings(tmp_path), journal, journal.persons()).answers()
    lines = screen_lines(Terminal(80, 20), answers)
    assert len(lines) <= 20
    assert sum("bpm now" in line for line in lines) == sum("to go" in line for line in lines) == 6
    assert "`hartslag today NAME`" in lines[-2]
