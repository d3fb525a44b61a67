"""What only the watch's own seconds in zones tell: counted where its limits are known and the same, behind every sample."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ingest.rows.account import account_for, told_key
from ingest.rows.cache import RowCache
from ingest.rows.profile import read_profile
from ingest.rows.table import TABLES
from ingest.stores.following import follow
from ingest.stores.sqlite import SqliteStore
from tests.support.households import (
    HOUR,
    Event,
    Noted,
    S,
    Workout,
    at,
    filled,
    happen,
    household,
    rows,
    steady,
)
from zones.minutes import Zone

START = at("2026-11-16T10:00:17+01:00")
EDGES = (90, 110, 140, 160)
SWIM = Workout(
    "Jan",
    "watch",
    START,
    START + HOUR,
    3000.0,
    "swimming",
    more=(("bpm_mean", 131), ("bpm_max", 158), ("watch_edges", EDGES), ("watch_s", (60, 540, 1800, 600, 0))),
)


def home(moderate_bpm: int = 110, **more: Any) -> Noted:
    facts = {"moderate_bpm": moderate_bpm, "vigorous_bpm": 140, "zone": "Europe/Amsterdam", **more}
    return Noted("Jan", tuple(sorted(facts.items())))


def table(folder: Path, name: str, *happened: Event) -> list[dict[str, Any]]:
    with household(folder, happened) as journal:
        found = filled(journal, folder / "store.db")[name]
    columns = ("time", *TABLES[name].tags, *TABLES[name].fields)
    return [dict(zip(columns, row, strict=True)) for row in found]


@pytest.mark.parametrize(
    ("start_ms", "lasts_ms", "seconds"),
    [
        (START, HOUR, (60, 540, 1800, 600, 0)),
        (START + 1, 30 * 60 * S, (0, 0, 900, 900, 0)),
        (START + 123, 30 * 60 * S - 1, (0, 0.001, 1799.998, 0, 0)),
        (START + 77, 61 * S + 3, (7.3, 13.1, 17.7, 21.9, 1)),
        (START, 999, (0.333, 0, 0.333, 0.333, 0)),
    ],
)
def test_no_second_of_the_watchs_word_is_lost(
    start_ms: int, lasts_ms: int, seconds: tuple[float, ...], tmp_path: Path
) -> None:
    """Protects fifteen minutes of a swim from being 899.99 s: all that the watch tells counts, and no minute has more than it is long."""
    more = (("bpm_mean", 131), ("bpm_max", 158), ("watch_edges", EDGES), ("watch_s", seconds))
    swim = Workout("Jan", "watch", start_ms, start_ms + lasts_ms, 3000.0, "swimming", more=more)
    (day,) = table(tmp_path / "b", "day", home(), swim)
    minutes = table(tmp_path / "d", "minute", home(), swim)
    wanted = {
        "light_s": round((seconds[0] + seconds[1]) * S) / S,
        "moderate_s": round(seconds[2] * S) / S,
        "vigorous_s": round((seconds[3] + seconds[4]) * S) / S,
    }
    assert {name: day[name] for name in wanted} == wanted
    assert max(m["measured_s"] for m in minutes) <= 60


def test_the_watchs_word_counts_where_its_limits_are_ours(tmp_path: Path) -> None:
    """Protects an hour in the water, of which a watch wrote the zones and no heart rate: all tables say the same of it."""
    (session,) = table(tmp_path / "a", "session", home(), SWIM)
    (day,) = table(tmp_path / "b", "day", home(), SWIM)
    (week,) = table(tmp_path / "c", "week", home(), SWIM)
    minutes = table(tmp_path / "d", "minute", home(), SWIM)
    assert (session["bpm_mean"], session["bpm_max"]) == (131, 158)
    for seconds in (session, day):
        assert seconds["moderate_s"] == 1800
        assert seconds["vigorous_s"] == 600
    assert day["light_s"] == 600
    assert week["dose_min"] == 50
    assert sum(m["moderate_s"] for m in minutes) == pytest.approx(day["moderate_s"])
    assert max(m["measured_s"] for m in minutes) <= 60
    assert all(110 <= m["bpm"] <= 140 for m in minutes[1:-1])


@pytest.mark.parametrize(
    "told",
    [
        (("watch_s", (60, 540, 1800, 1600, 0)),),
        (("bpm_max", 135), ("bpm_mean", 120)),
        (("bpm_mean", 101),),
    ],
    ids=["longer than it lasted", "above its maximum", "higher than its mean"],
)
def test_what_contradicts_the_same_file_does_not_count(told: tuple[Any, ...], tmp_path: Path) -> None:
    """Protects a week from minutes that cannot have been: the seconds in zones, or the rest of the summary, is wrong."""
    more = tuple({**dict(SWIM.more), **dict(told)}.items())
    assert table(tmp_path, "week", home(), replace(SWIM, more=more)) == []


@pytest.mark.parametrize(
    ("noted", "swim"),
    [
        (home(111), SWIM),
        (home(bout_min=10), SWIM),
        (home(), Workout("Jan", "watch", START, START + HOUR, more=(("watch_s", (60, 540, 1800, 600, 0)),))),
    ],
    ids=["other limits", "bouts are asked for", "limits that nobody tells"],
)
def test_otherwise_it_stays_a_claim(noted: Noted, swim: Workout, tmp_path: Path) -> None:
    """Protects a week from minutes that were counted by other limits than its own."""
    assert table(tmp_path / "a", "day", noted, swim) == []
    (session,) = table(tmp_path / "b", "session", noted, swim)
    assert session["moderate_s"] is session["vigorous_s"] is session["dose_min"] is None, (
        "not known, which is no 0"
    )


def test_every_sample_goes_before_the_watchs_word(tmp_path: Path) -> None:
    """Protects what a strap saw for half an hour of it: there the sample alone counts, and each second once."""
    half = steady("Jan", START, 1800, 100, source="all-day", kind="monitoring")
    with household(tmp_path, [home(), SWIM, half]) as journal:
        profile = read_profile(journal, 1)
        account = account_for(journal, 1, profile, [START, START + HOUR])
        (day,) = filled(journal, tmp_path / "s.db")["day"]
    assert account.shares["all-day"].zones_ms[Zone.LIGHT] == 1800 * S
    assert account.shares[told_key("watch")].source.kind == "summary"
    assert account.shares[told_key("watch")].zones_ms[Zone.MODERATE] == pytest.approx(900 * S, abs=20 * S)
    assert int(account.zones_ms.sum()) + sum(account.not_measured_ms.values()) == HOUR
    columns = ("time", *TABLES["day"].tags, *TABLES["day"].fields)
    assert dict(zip(columns, day, strict=True))["measured_s"] * S == int(account.zones_ms.sum())


def test_a_change_of_limits_brings_and_takes_it(tmp_path: Path) -> None:
    """Protects a store that follows: its minutes come with limits that are the watch's, and go with others, as a rebuild has it."""
    with household(tmp_path, [home(111), SWIM]) as journal, SqliteStore(tmp_path / "along.db") as store:
        cache = RowCache()
        counts = []
        for i, moderate in enumerate((111, 110, 112)):
            happen(journal, home(moderate))
            follow(journal, store, cache=cache)
            along = rows(tmp_path / "along.db")
            assert along == filled(journal, tmp_path / f"{i}.db")
            counts.append(len(along["minute"]))
    assert counts == [0, 61, 0]
