"""How things stand, and whether they are as they should be."""

import json
import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ingest import cli
from ingest.collect.strap_state import StrapState
from ingest.demo.fit_encoder import workout
from ingest.journal import Journal
from ingest.settings.file import load
from ingest.settings.model import Settings
from ingest.system.lock import only_daemon
from ingest.verbs.check import findings
from ingest.verbs.status import status_lines
from ingest.verbs.status_answer import status
from ingest.verbs.terminal import PIPE
from tests.support.households import Event, Noted, a_file, at, filled, happen, hartslag, household, steady
from tests.support.terminals import on_terminal

START = at("2026-11-16T10:00+01:00")
HAPPENED: list[Event] = [
    Noted("Jan", (("born", 1970), ("zone", "Europe/Amsterdam"))),
    steady("Jan", START, 60, 120),
]


def test_json_has_the_agreed_shape(tmp_path: Path) -> None:
    """Protects what watches over a household from afar: names, counts, and how far the store is behind."""
    with household(tmp_path, HAPPENED) as journal, journal.write() as w:
        for outcome in ("stored", "stored", "duplicate", "partial", "rejected"):
            a_file(w, 1, outcome, f"{outcome}.fit")
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "new.fit").write_bytes(b"x")
    (tmp_path / "inbox" / "half.fit.part").write_bytes(b"x")
    now = json.loads(hartslag("--data", tmp_path, "status", "--json").out)
    assert {"chunks", "samples", "beats", "bytes"} <= set(now["journal"])
    assert (now["journal"]["chunks"], now["journal"]["samples"], now["journal"]["beats"]) == (1, 60, 0)
    assert {k: now["inbox"][k] for k in ("waiting", "stored", "duplicate", "partial", "rejected")} == {
        "waiting": 2, "stored": 2, "duplicate": 1, "partial": 1, "rejected": 1,
    }  # fmt: skip
    (store,) = now["stores"]
    assert {"name", "behind", "oldest_waiting_s", "last_error"} <= set(store)
    assert (store["name"], store["behind"], store["last_error"]) == ("sqlite", 2, None)
    assert store["oldest_waiting_s"] >= 0
    assert now["straps"] == []
    assert now["daemon"] is None


def test_asking_changes_nothing(tmp_path: Path) -> None:
    """Protects the store from being made, or emptied, by somebody who only looks."""
    with household(tmp_path, HAPPENED):
        pass
    hartslag("--data", tmp_path, "status")
    assert not Settings(tmp_path).store_file.exists()


def test_in_words_with_the_edges_of_today(tmp_path: Path) -> None:
    """Protects the owner's first look: who runs, whose limits hold today, and that all is up to date."""
    with household(tmp_path, HAPPENED) as journal:
        filled(journal, Settings(tmp_path).store_file)
        with only_daemon(tmp_path):
            words = hartslag("--data", tmp_path, "status").out
    assert "The daemon runs (process " in words
    assert "Store sqlite: up to date" in words
    assert "Nes 2013), age " in words
    assert "age 110" not in words


@pytest.mark.parametrize(
    ("began", "age_s", "words"),
    [
        ("never", 1, "Store sqlite: nothing is there yet; it is being filled"),
        (
            "half of it",
            1,
            "Store sqlite: up to date, but for what came in a moment ago and follows by itself",
        ),
        ("never", 600, "Store sqlite: 2 entries behind, the oldest for 10 min"),
        # Recorded when the clock of the Pi was wrong, by more than a daemon takes to bring it there.
        ("half of it", -9_999_999, "Store sqlite: 1 entry behind"),
    ],
)
def test_what_is_not_there_yet_is_never_called_up_to_date(
    began: str, age_s: int, words: str, tmp_path: Path
) -> None:
    """Protects from a store that was never reached and passes for up to date, be it for its first two minutes."""
    now_ms = time.time_ns() // 1_000_000
    with Journal(Settings(tmp_path).journal_file, now_ms=lambda: now_ms - age_s * 1000) as journal:
        happen(journal, HAPPENED[0])
        if began == "half of it":
            filled(journal, Settings(tmp_path).store_file)
        happen(journal, HAPPENED[1])
        with only_daemon(tmp_path):
            told = hartslag("--data", tmp_path, "status").out
            (store,) = json.loads(hartslag("--data", tmp_path, "status", "--json").out)["stores"]
    assert words in told
    assert store["behind"] + store["on_the_way"] == (1 if began == "half of it" else 2)
    assert store["is_new"] == (began == "never")


def test_a_medicine_that_begins_later_is_not_blamed_today(tmp_path: Path) -> None:
    """Protects who writes down next year's medicine from losing the advice that helps today."""
    entries = [{"from": "2999-01-01", "limiting_medicine": True}]
    with household(tmp_path, [Noted("Jan", (("profile", entries),))]):
        pass
    words = hartslag("--data", tmp_path, "status").out
    assert "limits unknown: `hartslag setup` asks" in words
    assert "a medicine limits" not in words


def test_a_whole_household_is_found_whole(tmp_path: Path) -> None:
    """Protects `check` from crying wolf."""
    with household(tmp_path, HAPPENED) as journal:
        filled(journal, Settings(tmp_path).store_file)
    answer = hartslag("--data", tmp_path, "check")
    assert answer.code == 0, answer.out
    assert answer.out.count(": whole") == 2


def test_before_the_first_run_all_else_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects who sets up a Pi: settings, Bluetooth and room are looked at; that no journal is there yet is no fault."""
    assert hartslag("--data", tmp_path, "check").code == 0
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path / 'nothing'}")
    (tmp_path / "hartslag.toml").write_text(STRAP)
    answer = hartslag("--data", tmp_path, "check")
    told = [line[6:].split(" ")[0] for line in answer.lines if line[:6].strip()]
    assert [word for word in told if word in {"Settings:", "Bluetooth:", "Room:", "Journal"}] == [
        "Settings:",
        "Room:",
        "Bluetooth:",
        "Journal",
    ]
    assert ": not made yet; the daemon makes it" in answer.out
    assert (answer.code, answer.err) == (1, "")  # there is no Bluetooth here
    assert not Settings(tmp_path).journal_file.exists()


def test_a_full_disk_is_told_by_status_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects the next workout: a card that is nearly full is seen by who only looks how things stand."""
    usage, settings = shutil.disk_usage(tmp_path), Settings(tmp_path)
    with household(tmp_path, HAPPENED) as journal:
        for free_mb, tells in ((300, False), (100, True)):
            monkeypatch.setattr(shutil, "disk_usage", lambda _, mb=free_mb: usage._replace(free=mb << 20))
            told = list(status_lines(PIPE, settings, journal, status(settings, journal, []), frozenset()))
            told = [line.strip() for line in told]
            for lines in (told, [f.seen for f in findings(settings, journal)]):
                assert (f"Only 100 MB are free where {tmp_path} lies; make room soon" in lines) == tells


def test_a_chunk_that_cannot_be_read_back_is_found(tmp_path: Path) -> None:
    """Protects the truth: damage inside a blob is no damage to SQLite, and yet found."""
    with household(tmp_path, HAPPENED) as journal:
        path = journal.path
    for spoilt in (b"not zlib", b""):
        with closing(sqlite3.connect(path)) as db, db:
            db.execute("UPDATE chunk SET bpm = ?", (spoilt,))
        answer = hartslag("--data", tmp_path, "check")
        assert answer.code == 1
        assert "chunk 2 cannot be read back" in answer.out


def test_a_damaged_journal_is_found_and_the_way_out_named(tmp_path: Path) -> None:
    """Protects against a dying card: the owner hears of it in a sentence, not in a traceback."""
    with household(
        tmp_path, [*HAPPENED, *(steady("Jan", START + i * 60_000, 60, 60 + i % 100) for i in range(200))]
    ) as j:
        path = j.path
    whole = path.read_bytes()
    for first in (0, 4096, len(whole) // 2):
        damaged = bytearray(whole)
        damaged[first : first + 8192] = b"\xaa" * 8192
        path.write_bytes(damaged)
        answer = hartslag("--data", tmp_path, "check")
        assert answer.code == 1, first
        assert "`hartslag repair`" in answer.out + answer.err


def test_a_damaged_store_is_found_and_rebuild_mends_it(tmp_path: Path) -> None:
    """Protects the advice: what `check` recommends must do what it says, at the first try."""
    store = Settings(tmp_path).store_file
    with household(tmp_path, HAPPENED) as journal:
        filled(journal, store)
    store.write_bytes(store.read_bytes()[:4096] + b"\xaa" * 8192)
    answer = hartslag("--data", tmp_path, "check")
    assert answer.code == 1
    assert "`hartslag rebuild` makes it anew" in answer.out
    answer = hartslag("--data", tmp_path, "rebuild")
    assert (answer.code, answer.err) == (0, "")
    assert hartslag("--data", tmp_path, "check").code == 0


def test_a_journal_that_others_can_read_is_found(tmp_path: Path) -> None:
    """Protects what the journal holds: heart rates are for its owner, and the group that they let in."""
    with household(tmp_path, HAPPENED) as journal:
        path = journal.path
    assert path.stat().st_mode & 0o077 == 0
    path.chmod(0o640)
    assert hartslag("--data", tmp_path, "check").code == 0
    path.chmod(0o644)
    answer = hartslag("--data", tmp_path, "check")
    assert answer.code == 1
    assert f"chmod o-rwx {path}" in answer.out


# --- what needs a hand ---


def groups(words: str) -> dict[str, str]:
    """What stands below each heading."""
    found: dict[str, list[str]] = {}
    for line in words.splitlines():
        if line and not line.startswith(" "):
            found[line] = []
        elif line:
            found[list(found)[-1]].append(line)
    return {heading: "\n".join(lines) for heading, lines in found.items()}


def test_what_needs_a_hand_stands_first_with_what_to_do(tmp_path: Path) -> None:
    """Protects who is tired: what must be done, then what is worth knowing, then all the rest; no fact is lost."""
    with household(tmp_path, [*HAPPENED, steady("Piet", START, 60, 120)]) as journal:
        with journal.write() as w:
            a_file(w, 1, "rejected", "picture.jpg", "It begins like a picture.")
        filled(journal, Settings(tmp_path).store_file)
    (tmp_path / "inbox" / "Kim").mkdir(parents=True)
    (tmp_path / "inbox" / "Kim" / "a.fit").write_bytes(b"x")
    (tmp_path / "hartslag.toml").write_text('[[person]]\nname = "Jan"\nborn = 1970\n')
    answer = hartslag("--data", tmp_path, "status")
    assert answer.code == 0, "it only shows, as docs/commands.md has it"
    found = groups(answer.out)
    assert list(found) == ["Needs a hand:", "Worth knowing:", "Fine:"]
    assert [part in found["Needs a hand:"] for part in (
        "The daemon does not run: start it with `hartslag run`.",
        'limits unknown: the settings do not name this person; add the lines  [[person]],  name = "Piet"  and  born',
        "nobody in the settings is called 'Kim'",
    )] == [True, True, True]  # fmt: skip
    assert 'picture.jpg": It begins like a picture.' in found["Worth knowing:"]
    assert [part in found["Fine:"] for part in (
        "Settings: ", "Person Jan: target 150 min a week, moderate from", "Journal: 120 samples", "Files: 0 stored",
        "1 rejected, 1 waiting in", "Store sqlite: up to date",
    )] == [True] * 6  # fmt: skip


def test_all_is_well_is_one_sentence(tmp_path: Path) -> None:
    """Protects who only wants to hear that: it stands first, when nothing needs a hand, and then alone."""
    with household(tmp_path, HAPPENED) as journal:
        filled(journal, Settings(tmp_path).store_file)
    (tmp_path / "hartslag.toml").write_text('[[person]]\nname = "Jan"\nborn = 1970\n')
    with only_daemon(tmp_path):
        words = hartslag("--data", tmp_path, "status").out
    assert list(groups(words)) == ["All is well: nothing needs a hand.", "Fine:"]


def test_settings_that_the_daemon_does_not_know_yet_need_a_hand(tmp_path: Path) -> None:
    """Protects who has just answered `setup` beside a daemon: all is not well before it is started anew."""
    with household(tmp_path, HAPPENED) as journal:
        filled(journal, Settings(tmp_path).store_file)
    file, told = tmp_path / "hartslag.toml", "The settings were changed since the daemon started"
    answers = []
    for before, after, changed in (
        (None, '[[person]]\nname = "Jan"\nborn = 1970\n', True),
        ('[[person]]\nname = "Jan"\nborn = 1971\n', '[[person]]\nname = "Jan"\nborn = 1970\n', True),
        ('[[person]]\nname = "Jan"\n', '# Only a comment.\n[[person]]\nname = "Jan"  # and this\n', False),
    ):
        file.unlink(missing_ok=True)
        if before:
            file.write_text(before)
        with only_daemon(tmp_path, load(None, tmp_path, {}, tmp_path).mark):
            file.write_text(after)
            now = json.loads(hartslag("--data", tmp_path, "status", "--json").out)
            found = groups(hartslag("--data", tmp_path, "status").out)
        answers.append(
            (now["settings_in_force"], told in found.get("Needs a hand:", "")) == (not changed, changed)
        )
    assert answers == [True] * 3
    assert json.loads(hartslag("--data", tmp_path, "status", "--json").out)["settings_in_force"] is None


def test_a_low_battery_needs_a_hand_and_a_strap_that_is_not_worn_does_not(tmp_path: Path) -> None:
    """Protects the next workout without crying wolf: most of the day no strap is worn."""
    with household(tmp_path) as journal:
        says(journal, 5, StrapState("searching", "", 80, -61, 1))
    (tmp_path / "hartslag.toml").write_text(STRAP)
    with only_daemon(tmp_path):
        rested = groups(hartslag("--data", tmp_path, "status").out)
        with Journal(Settings(tmp_path).journal_file) as journal:
            says(journal, 1, StrapState("searching", "", 20, -61, 1))
        low = groups(hartslag("--data", tmp_path, "status").out)
    assert "Strap F0:00:00:00:00:01 of Jan: searching" in rested["Fine:"]
    assert "Put the strap on" in rested["Fine:"]
    assert "its battery is low: change it soon." in low["Needs a hand:"]


@pytest.mark.parametrize("columns", [40, 80])
def test_status_fits_the_terminal(tmp_path: Path, columns: int) -> None:
    """Protects a narrow window: paths, names and addresses are wrapped within it."""
    with household(tmp_path, HAPPENED):
        pass
    (tmp_path / "hartslag.toml").write_text(STRAP)
    seen = on_terminal("--data", tmp_path, "status", columns=columns)
    assert seen.code == 0
    assert seen.widest <= columns
    assert "The daemon does not run: start it with `hartslag run`." in seen.text


# --- straps ---

STRAP = '[[person]]\nname = "Jan"\n[[strap]]\naddress = "F0:00:00:00:00:01"\n'
WATCH = '[[strap]]\nname = "Fore\\"runner"\nserial = "77"\n'


def says(journal: Journal, ago_s: float, state: StrapState, **came: float | None) -> int:
    """Write what a recorder writes of a strap; gives the moment (ms)."""
    at_ms = time.time_ns() // 1_000_000 - round(ago_s * 1000)
    with journal.write() as w:
        content = {
            "source": "strap F0:00:00:00:00:01", "state": state.state, "state_no": state.number, "why": state.why,
            "battery_pct": state.battery_pct, "signal_dbm": state.signal_dbm, "reconnects": state.reconnects,
            "samples": 0, "gaps": 0, "age_s": None, **came,
        }  # fmt: skip
        w.entry(w.person("Jan"), "collector", at_ms, None, content)
    return at_ms


@pytest.fixture
def clock_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test takes on a busy machine is nobody's silence."""
    now = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now)


def straps(data: Path, settings: str = STRAP) -> tuple[dict[str, Any], str]:
    """What `status` says of the first strap, and its lines about straps, while a daemon runs."""
    (data / "hartslag.toml").write_text(settings)
    with only_daemon(data):
        # In this process: the clock is the test's own.
        asked = [
            CliRunner().invoke(cli.hartslag, ["--data", str(data), "status", *how])
            for how in (["--json"], [])
        ]
    now, lines = json.loads(asked[0].stdout)["straps"], asked[1].stdout
    return now[0], lines[lines.index("Strap ") :]


@pytest.mark.usefixtures("clock_stands_still")
def test_a_strap_that_is_worn(tmp_path: Path) -> None:
    """Protects who wonders whether it is heard at all: since when, how long ago, its battery and its gaps."""
    with household(tmp_path) as journal:
        says(journal, 90_000, StrapState("connected", "", 88, -70), samples=5000, gaps=9)
        says(journal, 7300, StrapState("searching", "not heard", 80), samples=10, gaps=1, age_s=5)
        since_ms = says(journal, 7200, StrapState("connected", "", 80, -61, 2), samples=0)
        says(journal, 30, StrapState("connected", "", 79, -61, 2), samples=60, gaps=2, age_s=0.5)
    now, lines = straps(tmp_path)
    assert {k: now[k] for k in ("state", "state_no", "battery_pct", "signal_dbm", "reconnects")} == {
        "state": "connected", "state_no": 3, "battery_pct": 79, "signal_dbm": -61, "reconnects": 2,
    }  # fmt: skip
    assert (now["samples_24h"], now["gaps_24h"]) == (70, 3)
    assert now["since_ms"] == since_ms
    assert now["age_s"] == 30.5
    assert lines.startswith("Strap F0:00:00:00:00:01 of Jan: connected since 20")
    assert "battery 79 %, signal -61 dBm, 70 samples and 3 gaps in 24 h, connected anew 2 times" in lines


@pytest.mark.usefixtures("clock_stands_still")
def test_a_strap_that_is_connected_and_not_worn(tmp_path: Path) -> None:
    """Protects who wonders why nothing counts: the link stands, and no heart rate comes; one gap is one gap."""
    with household(tmp_path) as journal:
        says(journal, 3000, StrapState("connected", "", 79, -61, 1), samples=1, gaps=1, age_s=0.5)
        says(journal, 5, StrapState("connected", "", 79, -61, 1), age_s=20)
    assert "not worn" not in straps(tmp_path)[1]
    with Journal(Settings(tmp_path).journal_file) as journal:
        says(journal, 1, StrapState("connected", "", 79, -61, 1), age_s=40)
    _, lines = straps(tmp_path)
    assert "1 sample and 1 gap in 24 h, connected anew once" in lines
    assert lines.splitlines()[1] == "      it is connected and tells no heart rate: not worn?"


def test_a_strap_in_trouble_says_what_to_do(tmp_path: Path) -> None:
    """Protects the owner's next step: the reason and the command, also long after it was last said."""
    with household(tmp_path) as journal:
        says(journal, 40 * 86_400, StrapState("adapter blocked", "The Bluetooth adapter is blocked"))
    now, lines = straps(tmp_path, STRAP + WATCH)
    assert now["state"] == "adapter blocked"
    assert "The Bluetooth adapter is blocked. Allow it: sudo rfkill unblock bluetooth" in lines
    assert r'Strap "Fore\"runner" 77 of Jan: searching' in lines
    named = STRAP.replace("[[strap]]", '[[strap]]\nname = "Jan\'s Polar"')
    assert 'Strap "Jan\'s Polar" F0:00:00:00:00:01 of Jan: adapter' in straps(tmp_path, named)[1]


@pytest.mark.parametrize("state", ["connected", "wedged"])
def test_without_the_daemon_a_strap_is_not_listened_to(tmp_path: Path, state: str) -> None:
    """Protects against the last words of a daemon that was killed: what it said then does not hold now."""
    with household(tmp_path) as journal:
        says(journal, 30, StrapState(state, "", 79), age_s=0.5)
    (tmp_path / "hartslag.toml").write_text(STRAP)
    (now,) = json.loads(hartslag("--data", tmp_path, "status", "--json").out)["straps"]
    assert (now["state"], now["since_ms"], now["battery_pct"]) == ("stopped", None, 79)
    assert "Strap F0:00:00:00:00:01 of Jan: stopped, last heard" in hartslag("--data", tmp_path, "status").out


def test_a_servers_words_do_not_act_on_the_terminal(tmp_path: Path) -> None:
    """Protects who looks after a store from a server that sends a title, a cleared screen, or text that runs backwards."""
    with household(tmp_path, HAPPENED) as journal, journal.write() as w:
        w.store_error("sqlite", "away: \x1b]0;gone\x07\x1b[2J \x9b \u202eback")
    for words in ([], ["--json"]):
        told = hartslag("--data", tmp_path, "status", *words).out
        assert "away: " in told
        assert all(c.isprintable() or c == "\n" for c in told)
    seen = on_terminal("--data", tmp_path, "status", columns=80)
    assert "\x1b]" not in seen.sent
    assert "\x1b[2J" not in seen.sent


def test_what_is_passed_over_and_what_is_still_to_come_is_told(tmp_path: Path) -> None:
    """Protects from a workout in 2037 that nobody sees, and from photos that seem to wait: both are told, in a line each."""
    (tmp_path / "hartslag.toml").write_text('[[person]]\nname = "Anna"\nzone = "UTC"\n')
    (tmp_path / "far.fit").write_bytes(workout(1_500_000_000, [130 + i % 7 for i in range(900)]))
    assert hartslag("--data", tmp_path, "add", tmp_path / "far.fit").code == 0
    (tmp_path / "inbox" / "Photos").mkdir(parents=True)
    for i in range(3):
        (tmp_path / "inbox" / "Photos" / f"{i}.jpg").write_bytes(b"\xff\xd8\xff\xe0" + bytes(9))
    (tmp_path / "inbox" / "#recycle").mkdir()
    (tmp_path / "inbox" / "#recycle" / "run.fit").write_bytes(workout(1_000_000_000, [130] * 9))
    told = hartslag("--data", tmp_path, "status").out
    assert "of Anna begins on 2037-07-13" in told
    assert "hartslag forget far.fit" in told
    assert '"Photos/": 3 files (3 .jpg)' in told
    assert 'name = "Photos"' not in told
    assert "In folders of the inbox that a system made for itself" in told
    assert '"#recycle/": 1 file' in told
    found = json.loads(hartslag("--data", tmp_path, "status", "--json").out)
    assert (found["inbox"]["waiting"], found["inbox"]["passed_over"]) == (
        0,
        [{"folder": "Photos/", "files": 3, "kinds": {".jpg": 3}}],
    )
    assert hartslag("--data", tmp_path, "forget", "far.fit", "--yes").code == 0
    assert "2037" not in hartslag("--data", tmp_path, "status").out
