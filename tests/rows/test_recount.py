"""Rows are a function of what the journal holds: neither order, portions nor cuts leave a trace."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest.household import persons_called
from ingest.journal import RANKS, Journal
from ingest.rows.cache import RowCache
from ingest.stores.following import follow
from ingest.stores.sqlite import SqliteStore
from ingest.verbs.week_answer import week_answers
from tests.support.happenings import (
    MOMENTS,
    SOURCES,
    events,
    facts,
    faulty,
    new_folder,
    nights,
    recordings,
)
from tests.support.households import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    Claim,
    Event,
    Fact,
    Limits,
    Noted,
    Recording,
    S,
    at,
    filled,
    happen,
    household,
    rows,
    steady,
)
from zones.artefacts import STUCK_S, find_artefacts, without_artefacts
from zones.series import TIMES, Series

HOME = Noted("Jan", (("zone", "Europe/Amsterdam"),))


@settings(max_examples=60)
@given(st.lists(events, min_size=1, max_size=8), st.integers(1, 5), st.integers(1, 3))
def test_a_store_that_followed_along_equals_one_made_anew(
    happened: list[Event], portion: int, every: int
) -> None:
    """Protects "delete them and they come back identical": a rebuild may change no row at all."""
    with new_folder() as data, household(data) as journal:
        cache = RowCache()
        with SqliteStore(data / "along.db") as store:
            for i, event in enumerate(happened):
                happen(journal, event)
                if i % every == 0:
                    follow(journal, store, portion=portion, cache=cache)
            follow(journal, store, portion=portion, cache=cache)
        assert rows(data / "along.db") == filled(journal, data / "anew.db")


@settings(max_examples=40)
@given(st.data())
def test_the_order_and_the_cuts_leave_no_trace(data: st.DataObject) -> None:
    """Protects week and dose against files that come late, twice, or in many small chunks."""
    happened = data.draw(st.lists(facts, min_size=1, max_size=6))
    # Two limits of one moment, or two workouts or claims with one key: there the later one is meant to win.
    happened = list({_key(fact): fact for fact in happened}.values())
    again = data.draw(st.permutations([*happened, *(f for f in happened if isinstance(f, Recording))]))
    whole = [replace(f, cuts=()) if isinstance(f, Recording) else f for f in happened]
    assert seen([HOME, *whole]) == seen([HOME, *again])
    assert seen([HOME, *whole]) == seen([*again, HOME])


@settings(max_examples=40)
@given(st.lists(faulty() | recordings() | nights(), min_size=1, max_size=4), st.data(), st.integers(1, 4))
def test_parts_that_come_in_any_order_and_twice_leave_what_the_whole_leaves(
    recorded: list[Recording], data: st.DataObject, every: int
) -> None:
    """Protects a store that follows along: an hour that comes in bits, backwards and again, is the hour in one piece."""
    some = data.draw(st.lists(st.integers(0, 400), max_size=3))
    parts = [part for recording in recorded for part in in_parts(recording, some)]
    again = data.draw(st.permutations([*parts, *parts[:2]]))
    with new_folder() as folder, of_known_sources(folder, [HOME]) as journal:
        cache = RowCache()
        with SqliteStore(folder / "along.db") as store:
            for i, part in enumerate(again):
                happen(journal, part)
                if i % every == 0:
                    follow(journal, store, cache=cache)
            follow(journal, store, cache=cache)
        along, anew = rows(folder / "along.db"), filled(journal, folder / "anew.db")
    assert along == anew
    assert {name: held for name, held in along.items() if name != "collector"} == seen([HOME, *recorded])


@settings(max_examples=15)
@given(faulty() | recordings(), st.integers(-60, 60), st.integers(1, 4))
def test_two_files_of_one_watch_that_contradict_each_other_have_no_order(
    recorded: Recording, more: int, every: int
) -> None:
    """Protects a rebuild: of two bpm that one watch tells of one second it is not the later file that decides."""
    other = replace(
        recorded,
        samples=tuple(
            (t, min(max(bpm + more, 0), 255) if i % every == 0 else bpm)
            for i, (t, bpm) in enumerate(recorded.samples)
        ),
    )
    assert seen([HOME, recorded, other]) == seen([HOME, other, recorded])


def test_bouts_followed_live_are_those_of_a_rebuild(tmp_path: Path) -> None:
    """Protects who asks for bouts of an hour: two minutes in every twelve are none, however they come in."""
    noted = Noted(
        "Jan",
        (("bout_min", 60), ("moderate_bpm", 110), ("vigorous_bpm", 140), ("zone", "Europe/Amsterdam")),
    )
    start, half = at("2026-11-16T08:00+01:00"), 30 * MINUTE
    samples = [(start + i * S, (120 if i // 60 % 12 < 2 else 80) + i // 10 % 2) for i in range(12 * 3600)]
    with household(tmp_path, [noted]) as journal:
        cache = RowCache()
        with SqliteStore(tmp_path / "along.db") as store:
            for a in range(start, start + 12 * HOUR, half):
                part = tuple(s for s in samples if a <= s[0] < a + half)
                happen(journal, Recording("Jan", "watch", "activity", part, a + half))
                follow(journal, store, cache=cache)
        along, anew = rows(tmp_path / "along.db"), filled(journal, tmp_path / "anew.db")
        (week,) = week_answers(journal, persons_called(journal, "Jan"), 1, NOW)
    assert along == anew
    assert (week.dose_min, week.elevated_min, week.measured_min) == (0.0, 120.0, 720.0)


def test_a_claim_that_ends_before_it_starts_is_in_a_store_that_followed(tmp_path: Path) -> None:
    """Protects a rebuild from a watch whose clock was set back meanwhile: what it says stands where it begins."""
    start = at("2026-11-17T10:00+01:00")
    backwards = Claim("Jan", "all-day", start, start - 2 * DAY, 12.0)
    with household(tmp_path, [HOME, steady("Jan", start, 600, 80)]) as journal:
        with SqliteStore(tmp_path / "along.db") as store:
            follow(journal, store)
            happen(journal, backwards)
            follow(journal, store)
        along = rows(tmp_path / "along.db")
        assert along == filled(journal, tmp_path / "anew.db")
    assert [row[0] for row in along["claim"]] == [start / 1000]


def in_parts(whole: Recording, at: list[int]) -> list[Recording]:
    """A recording cut before some of its samples, each part ending where the next begins."""
    times = [t for t, _ in whole.samples]
    cuts = sorted({times[i] for i in at if 0 < i < len(times)})
    parts = []
    for a, b in pairwise([-(1 << 60), *cuts, 1 << 60]):
        end = whole.end_ms if b == 1 << 60 else b
        samples = tuple(s for s in whole.samples if a <= s[0] < b)
        beats = tuple(beat for beat in whole.beats if a <= beat[0] < b)
        parts.append(replace(whole, samples=samples, beats=beats, end_ms=end, cuts=()))
    return parts


def _key(fact: Fact) -> object:
    match fact:
        case Recording():
            return fact
        case Limits():
            return fact.at_ms
        case _:
            return type(fact), fact.start_ms


def seen(happened: Iterable[Event]) -> dict[str, list[tuple[object, ...]]]:
    """The rows of a household in which this happened, without the list of what came in."""
    with new_folder() as folder, of_known_sources(folder, happened) as journal:
        found = filled(journal, folder / "store.db", portion=3)
    return {name: held for name, held in found.items() if name != "collector"}


@contextmanager
def of_known_sources(folder: Path, happened: Iterable[Event]) -> Iterator[Journal]:
    """A household that meets its sources in one order, which decides nothing: of two with one rank the name does."""
    with household(folder) as journal:
        with journal.write() as w:
            for source, (kind, _) in SOURCES.items():
                w.source(w.person("Jan"), source, kind, RANKS[kind])
        for event in happened:
            happen(journal, event)
        yield journal


@settings(max_examples=60)
@given(st.lists(recordings(), min_size=1, max_size=5), st.sampled_from([None, (110, 140), (95, 180)]))
@example(
    # The end of one recording lies at midnight, within a gap of another one that was cut there.
    [
        Recording("Jan", "watch", "activity", ((MOMENTS[0], 71),), MOMENTS[0]),
        Recording(
            "Jan",
            "watch",
            "activity",
            ((MOMENTS[0] - 91 * S, 110), (MOMENTS[0] + 9 * S, 108)),
            MOMENTS[0] + 9 * S,
            cuts=(MOMENTS[0] + 9 * S,),
        ),
    ],
    None,
)
def test_each_second_counts_once_as_counted_by_hand(
    recorded: list[Recording], edges: tuple[int, int] | None
) -> None:
    """Protects "a second counts once": a dictionary with one entry per second is the judge."""
    known = () if edges is None else (("moderate_bpm", edges[0]), ("vigorous_bpm", edges[1]))
    home = Noted("Jan", (*known, ("zone", "Europe/Amsterdam")))
    with new_folder() as folder, of_known_sources(folder, [home, *recorded]) as journal:
        found = filled(journal, folder / "store.db")
    byhand = by_second(recorded, edges)
    counted = {int(row[0]): row[5:10] for row in found["minute"]}
    expected = {
        minute: tuple(float(sum(zone == i for _, zone, _ in held)) for i in range(5))
        for minute, held in grouped(byhand).items()
    }
    assert counted == expected
    for time, _, mean, least, most, *_, measured in found["minute"]:
        held = [bpm for bpm, _, _ in grouped(byhand)[int(time)]]
        assert (least, most, measured) == (min(held), max(held), len(held))
        assert abs(mean - sum(held) / len(held)) < 1e-9


LONGEST_S = {"strap": 5, "activity": 30, "monitoring": 90}


def by_second(recorded: list[Recording], edges: tuple[int, int] | None) -> dict[int, tuple[int, int, str]]:
    """For each second (bpm, zone, source), slowly: source by source, the believed ones last and so on top."""
    judged: dict[int, tuple[int, int, str]] = {}
    ranked = sorted(SOURCES.items(), key=lambda source: (RANKS[source[1][0]], source[0]))
    for source, (kind, _) in reversed(ranked):
        mine = [r for r in recorded if r.source == source]
        samples = believed_of(kind, dict(s for r in mine for s in r.samples))
        paused = {s for r in mine for a, b in r.pauses for s in range(a, b, 1000)}
        moved = {s for r in mine for a, b in r.movement or () for s in range(a, b, 1000)}
        ends = {r.end_ms for r in mine if not any(o.samples[0][0] <= r.end_ms < o.end_ms for o in mine)}
        times = sorted(samples)
        for t, following in zip(times, [*times, 1 << 60][1:], strict=True):
            end = min((e for e in ends if e >= t), default=1 << 60)
            for second in range(t, min(following, end, t + LONGEST_S[kind] * 1000), 1000):
                if second not in paused:
                    bpm = samples[t]
                    counts = kind != "monitoring" or second in moved
                    judged[second // 1000] = bpm, zone_of(bpm, edges, counts=counts), source
    return judged


def believed_of(kind: str, samples: dict[int, int]) -> dict[int, int]:
    """Those without artefacts, which have tests of their own."""
    series = Series.of(
        np.array(sorted(samples), np.int64).astype(TIMES), [samples[t] for t in sorted(samples)]
    )
    good = without_artefacts(series, find_artefacts(series, STUCK_S.get(kind)))
    return dict(zip(good.times.astype(np.int64).tolist(), good.bpm.tolist(), strict=True))


def zone_of(bpm: int, edges: tuple[int, int] | None, *, counts: bool) -> int:
    """0 light, 1 moderate, 2 vigorous, 3 elevated, 4 unclassified."""
    if edges is None:
        return 4
    if bpm < edges[0]:
        return 0
    return 3 if not counts else 1 + (bpm >= edges[1])


def grouped(judged: dict[int, tuple[int, int, str]]) -> dict[int, list[tuple[int, int, str]]]:
    """The seconds by their minute."""
    minutes: dict[int, list[tuple[int, int, str]]] = {}
    for second, held in judged.items():
        minutes.setdefault(second // 60 * 60, []).append(held)
    return minutes


@settings(max_examples=40)
@given(st.lists(events, min_size=1, max_size=8))
def test_minutes_days_and_weeks_tell_the_same_sum(happened: list[Event]) -> None:
    """Protects every panel in Grafana: days are sums of minutes, weeks of days, and measured is the sum of the five."""
    with new_folder() as folder, household(folder, happened) as journal:
        found = filled(journal, folder / "store.db")
    zones = dict(zip(("light", "moderate", "vigorous", "elevated", "unclassified"), range(5), strict=True))
    for person in ("Jan", "Piet"):
        minutes = [row[5:11] for row in found["minute"] if row[1] == person]
        days = [row[2:8] for row in found["day"] if row[1] == person]
        weeks = [row[2:7] for row in found["week"] if row[1] == person]
        for *five, measured in [*minutes, *days]:
            assert abs(sum(five) - measured) < 1e-6
            assert measured > 0
        total = [sum(column) for column in zip(*minutes, strict=True)] or [0.0] * 6
        assert total == [pytest.approx(sum(c)) for c in zip(*days, strict=True)] or not days
        moderate, vigorous, dose, _, measured_h = [
            sum(x or 0.0 for x in c) for c in zip(*weeks, strict=True)
        ] or [0.0] * 5
        assert moderate == pytest.approx(total[zones["moderate"]] / 60)
        assert vigorous == pytest.approx(total[zones["vigorous"]] / 60)
        assert dose == pytest.approx(moderate + 2 * vigorous)
        assert measured_h == pytest.approx(total[5] / 3600)
        assert sum(row[8] or 0.0 for row in found["day"] if row[1] == person) == pytest.approx(dose)
