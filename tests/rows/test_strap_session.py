"""Straps in the rows: beats placed in time, masks for a strap that feels no heart, chunks that leave no trace."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.journal import Journal
from ingest.rows.cache import RowCache
from ingest.rows.evidence import Evidence, read_evidence, resolve_sources
from ingest.rows.table import TABLES
from ingest.stores.following import follow
from ingest.stores.sqlite import SqliteStore
from ingest.verbs.explain import explanation_lines
from ingest.verbs.explain_subject import parse_subject
from ingest.verbs.explanation import explain
from tests.rows.test_evidence import held
from tests.support.happenings import MOMENTS, facts, new_folder, noted
from tests.support.households import (
    DAY,
    HOUR,
    MINUTE,
    Copies,
    Event,
    Fact,
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
from tests.support.strap_sessions import (
    ChunkMerge,
    ClockCorrection,
    ConnectionPart,
    StateReport,
    StrapConnection,
    connections,
    happen_all,
    wear_strap,
)
from zones.artefacts import Artefact
from zones.beats import find_chain_starts, find_faults, measure_variability

HOME = Noted("Jan", (("moderate_bpm", 110), ("vigorous_bpm", 140), ("zone", "Europe/Amsterdam")))
START = at("2026-11-16T10:00+01:00")


def seen(folder: Path, *heard: StrapConnection | ChunkMerge) -> Evidence:
    """What the strap of a household tells of the six hours from START."""
    with household(folder) as journal:
        happen_all(journal, heard)
        (found,) = read_evidence(journal, 1, START - HOUR, START + 6 * HOUR)
    return found


def wander(n: int, level: int = 100) -> list[int]:
    return [level + i * 7 % 5 for i in range(n)]


def beats_of(journal: Journal, a: int, b: int) -> dict[str, list[tuple[int, float]]]:
    """The beats in [a, b) by source."""
    found = {}
    for e in read_evidence(journal, 1, a, b):
        ms = e.beat_times.astype(np.int64)
        i, j = np.searchsorted(ms, [a, b])
        if j > i:
            found[e.source.name] = list(zip(ms[i:j].tolist(), e.rr_ms[i:j].tolist(), strict=True))
    return found


@settings(max_examples=60)
@given(
    st.lists(connections(), min_size=1, max_size=4, unique_by=lambda h: h.arrivals),
    st.sampled_from(MOMENTS),
    st.integers(-1_500, 1_500),
    st.integers(1, 900),
)
def test_a_span_alone_is_what_it_is_in_a_longer_one(
    heard: list[StrapConnection], moment: int, offset: int, lasts: int
) -> None:
    """Protects "incremental equals rebuild": masks, caps and beats of a strap are the same whatever is read around."""
    a = moment + offset * S
    b = a + lasts * S
    with new_folder() as folder, household(folder) as journal:
        happen_all(journal, heard)
        assert held(resolve_sources(read_evidence(journal, 1, a, b))) == held(
            resolve_sources(read_evidence(journal, 1, moment - 30 * HOUR, moment + 30 * HOUR)).clip(a, b)
        )
        alone, around = beats_of(journal, a, b), beats_of(journal, moment - 30 * HOUR, moment + 30 * HOUR)
        assert alone == {
            name: [x for x in beats if a <= x[0] < b]
            for name, beats in around.items()
            if any(a <= x[0] < b for x in beats)
        }


def test_beats_are_placed_before_their_notifications(tmp_path: Path) -> None:
    """Protects variability and recovery: a beat is where it was, not where word of it came, and none is lost."""
    found = seen(tmp_path, wear_strap(START, wander(600)))
    ms = found.beat_times.astype(np.int64)
    assert len(ms) > 900
    assert (np.diff(ms) > 0).all()
    # From beat to beat it is as long as the interval says.
    assert np.abs(np.diff(ms) - found.rr_ms[1:]).max() < 60
    assert np.median(np.abs(np.diff(ms) - found.rr_ms[1:])) < 1


def test_a_strap_stands_for_five_seconds_at_most(tmp_path: Path) -> None:
    """Protects "unknown is not zero": what comes after the last notification is not measured, nor is a silence."""
    bpm = wander(100)
    first, second = wear_strap(START, bpm), wear_strap(START + 130 * S, bpm)
    found = seen(tmp_path, first, second)
    assert abs(found.pieces.measure_ms - 2 * (99 + 5) * S) < 100


@pytest.mark.parametrize("merged", [False, True])
def test_cut_into_commits_it_is_what_it_is_in_one(tmp_path: Path, merged: bool) -> None:  # noqa: FBT001
    """Protects minutes from the moments at which they happened to be written to the card."""
    whole = wear_strap(START, wander(1000))
    cut = wear_strap(START, wander(1000), cuts=tuple(range(5, 1000, 5)))
    one = seen(tmp_path / "a", whole)
    many = seen(tmp_path / "b", *([cut, ChunkMerge()] if merged else [cut]))
    assert held(one.pieces) == held(many.pieces)
    assert one.beat_times.tolist() == many.beat_times.tolist()
    assert one.bad.tolist() == many.bad.tolist()


# --- a strap that feels no heart ---


def test_frozen_without_beats_it_is_not_believed(tmp_path: Path) -> None:
    """Protects the week from a strap in the laundry basket that repeats its last 118: a minute of it is enough."""
    on, off = wear_strap(START, wander(300)), wear_strap(START + 300 * S, [118] * 400, rr=False)
    found = seen(tmp_path, StrapConnection(on.arrivals + off.arrivals))
    # Seconds in which word of beats is still near are not without beats.
    assert set(found.bad[310:].tolist()) == {Artefact.STUCK}
    assert not found.bad[:300].any()


def test_lingering_without_beats_it_is_not_believed(tmp_path: Path) -> None:
    """Protects against a strap that takes minutes to let go of its last value; one that tells no beats ever may linger."""
    linger = [118 - i // 200 for i in range(400)]
    on, off = wear_strap(START, wander(300)), wear_strap(START + 300 * S, linger, rr=False)
    found = seen(tmp_path / "a", StrapConnection(on.arrivals + off.arrivals))
    assert (found.bad[310:580] == Artefact.STUCK).all()
    never = wear_strap(START, wander(300), rr=False)
    found = seen(
        tmp_path / "b",
        StrapConnection(never.arrivals + wear_strap(START + 300 * S, wander(400), rr=False).arrivals),
    )
    assert not found.bad.any()


def test_a_heart_that_changes_is_believed_without_beats(tmp_path: Path) -> None:
    """Protects the minutes of a watch that tells beats at rest and none in movement."""
    on, moving = wear_strap(START, wander(300, 70)), wear_strap(START + 300 * S, wander(600, 130), rr=False)
    assert not seen(tmp_path, StrapConnection(on.arrivals + moving.arrivals)).bad.any()


def test_no_contact_counts_only_with_no_beats_either(tmp_path: Path) -> None:
    """Protects both ways: a strap that slipped is not believed, one that errs about its skin and tells beats is."""
    on = wear_strap(START, wander(200), contact=True)
    slipped = wear_strap(START + 200 * S, wander(50), rr=False, contact=False)
    back = wear_strap(START + 250 * S, wander(200), contact=True)
    found = seen(tmp_path / "a", StrapConnection(on.arrivals + slipped.arrivals + back.arrivals))
    assert set(found.bad[206:244].tolist()) == {Artefact.LOOSE}
    assert not found.bad[:200].any()
    assert not found.bad[250:].any()
    assert len(found.series) == 450
    wrong = wear_strap(START + 200 * S, wander(50), contact=False)
    assert not seen(tmp_path / "b", StrapConnection(on.arrivals + wrong.arrivals + back.arrivals)).bad.any()


def test_a_strap_that_never_says_contact_is_not_asked(tmp_path: Path) -> None:
    """Protects armbands that know nothing of skin and say "no contact" all their lives."""
    assert not seen(tmp_path, wear_strap(START, wander(300), rr=False, contact=False)).bad.any()


def test_without_heart_there_is_no_sample(tmp_path: Path) -> None:
    """Protects the lowest heart rate of a day from the zero of a strap that finds none."""
    found = seen(tmp_path, wear_strap(START, [*wander(50), *[0] * 20, *wander(50)]))
    assert len(found.series) == 100
    assert found.series.bpm.min() == 100


def test_explain_names_the_contact_and_the_session(tmp_path: Path) -> None:
    """Protects the owner's question why these seconds do not count: the strap's own word is the answer."""
    on = wear_strap(START, wander(900, 130), contact=True)
    slipped = wear_strap(START + 900 * S, wander(50), rr=False, contact=False)
    back = wear_strap(START + 950 * S, wander(300, 130), contact=True)
    with household(tmp_path, [HOME]) as journal:
        happen_all(journal, [StrapConnection(on.arrivals + slipped.arrivals + back.arrivals)])
        found = explain(journal, parse_subject(journal, "2026-11-16", "Jan"))
    words = "\n".join(explanation_lines(found))
    assert "no contact: the strap said that it touched no skin" in words
    assert "strap A0:9E:1A:00:00:01 worn 2026-11-16 10:00, sport unknown, 21 min:" in words
    said = found.json()
    assert [mask["why"][:10] for mask in said["masked"]] == ["no contact"]
    assert said["not_measured_s"]["masked"] > 30
    assert [row["duration_s"] for row in said["worn"]] == [21 * 60]
    assert said["sources"][0]["masked_samples"] == {"loose": said["masked"][0]["samples"]}


# --- followed along ---


@settings(max_examples=30)
@given(
    st.lists(connections(), min_size=1, max_size=2, unique_by=lambda h: h.arrivals),
    st.lists(facts | noted, max_size=3),
    st.data(),
)
def test_a_store_that_followed_straps_equals_one_made_anew(
    heard: list[StrapConnection], beside: list[Fact | Noted], data: st.DataObject
) -> None:
    """Protects "delete them and they come back identical" live: with merges, late files, a clock put right."""
    parts: list[ConnectionPart | ChunkMerge | ClockCorrection | StateReport | Fact | Noted] = [
        p for each in heard for p in each.parts()
    ]
    words = st.builds(
        lambda each, ms, no: StateReport(each.arrivals[0][0] + ms, no, source=each.source),
        st.sampled_from(heard),
        st.sampled_from([0, 0, 1500, 70_000, 2 * DAY]),
        st.integers(0, 5),
    )
    steps = st.lists(
        st.sampled_from([1500, -70_000, 4 * HOUR, 8 * DAY]).map(ClockCorrection), min_size=1, max_size=2
    )
    others = [*beside, ChunkMerge(), *data.draw(steps), *data.draw(st.lists(words, max_size=4))]
    places = [data.draw(st.integers(0, len(parts))) for _ in others]
    for place, event in sorted(zip(places, others, strict=True), key=lambda p: -p[0]):
        parts.insert(place, event)
    every = data.draw(st.integers(1, 4))
    with new_folder() as folder, household(folder, [HOME]) as journal:
        cache = RowCache()
        with SqliteStore(folder / "along.db") as store:
            for i, part in enumerate(parts):
                if isinstance(part, Noted):
                    happen(journal, part)
                else:
                    with journal.write() as w:
                        part.write(w)
                if i % every == 0:
                    follow(journal, store, cache=cache)
            follow(journal, store, cache=cache)
        assert rows(folder / "along.db") == filled(journal, folder / "anew.db")


@pytest.mark.parametrize("portion", [1, 400])
def test_words_of_a_strap_move_with_the_clock(tmp_path: Path, portion: int) -> None:
    """Protects Grafana from a state at a time at which nobody was there: no store keeps it at the old time."""
    after = 3 * DAY
    first = [
        StateReport(START, 1),
        StateReport(START, 2),
        StateReport(START + 2 * DAY),
        StateReport(START, source="strap Verity 7"),
    ]
    copies = Copies((steady("Jan", START, 60, 90),), (steady("Jan", START, 70, 90),))
    with household(tmp_path, [HOME, copies]) as journal, SqliteStore(tmp_path / "along.db") as store:
        happen_all(journal, first)
        follow(journal, store)
        inbox = [row for row in rows(tmp_path / "along.db")["collector"] if row[2] == "inbox"]
        last = journal.last_position()
        happen_all(journal, [ClockCorrection(after), StateReport(START + 2 * DAY + MINUTE)])
        assert len(journal.entries(last)) == 5, "one of the old time and one of the new for each strap"
        follow(journal, store)
        positions = [e.position for e in journal.entries(0) if e.what == "collector"]
        found = rows(tmp_path / "along.db")["collector"]
        assert found == filled(journal, tmp_path / "anew.db", portion)["collector"]
    straps = [row for row in found if row[2] != "inbox"]
    assert [row for row in found if row[2] == "inbox"] == inbox
    assert len(inbox) == 2
    moments = [START, START, START, START + 2 * DAY, START + 2 * DAY + MINUTE]
    assert [round(row[0] * 1000) for row in straps] == [at + after for at in moments]
    where = 1 + len(TABLES["collector"].tags) + list(TABLES["collector"].fields).index("position")
    assert sorted(row[where] for row in straps) == positions


def test_beats_that_later_word_moves_are_moved_in_the_store(tmp_path: Path) -> None:
    """Protects the beats of the last minute, which are placed before all is known that places them."""
    heard = wear_strap(START, [*wander(60, 70), *wander(90, 95)], cuts=tuple(range(5, 150, 5)))
    with household(tmp_path, [HOME]) as journal:
        cache = RowCache()
        with SqliteStore(tmp_path / "along.db") as store:
            for part in heard.parts():
                happen_all(journal, [part])
                follow(journal, store, cache=cache)
        assert rows(tmp_path / "along.db") == filled(journal, tmp_path / "anew.db")


@settings(max_examples=15)
@given(connections(), st.integers(0, 2), st.lists(facts, max_size=2))
def test_cuts_and_merges_leave_no_trace(heard: StrapConnection, hours: int, beside: list[Fact]) -> None:
    """Protects every row from the moments at which the card was written, and from those at which chunks became one."""
    longer = StrapConnection(
        heard.arrivals + wear_strap(heard.arrivals[-1][0] + 90 * S, wander(hours * 1200)).arrivals
    )
    cut = StrapConnection(longer.arrivals, cuts=tuple(range(7, len(longer.arrivals), 97)))
    found = []
    ways: list[list[StrapConnection | ConnectionPart | ChunkMerge]] = [
        [longer],
        [cut],
        [cut, ChunkMerge()],
        [*cut.parts(), ChunkMerge(), ChunkMerge()],
    ]
    for events in ways:
        with new_folder() as folder, household(folder, [HOME, *beside]) as journal:
            happen_all(journal, events)
            held = filled(journal, folder / "s.db")
            found.append({name: held[name] for name in held if name != "collector"})
    assert found[0] == found[1] == found[2] == found[3]


# --- sessions of straps ---


def told(
    folder: Path, name: str, *heard: StrapConnection | ChunkMerge, beside: Sequence[Event] = ()
) -> list[dict[str, Any]]:
    """The rows of one table of a household with a strap."""
    with household(folder, [HOME, *beside]) as journal:
        happen_all(journal, heard)
        found = filled(journal, folder / "s.db")[name]
    columns = ("time", *TABLES[name].tags, *TABLES[name].fields)
    return [dict(zip(columns, row, strict=True)) for row in found]


def test_a_strap_worn_is_a_session(tmp_path: Path) -> None:
    """Protects the workout that no watch recorded: its minutes, its dose, its beats, told under the strap's name."""
    heard = wear_strap(START, [*wander(600, 100), *wander(1200, 130)])
    (row,) = told(tmp_path / "a", "session", heard)
    assert row["time"] == START / 1000
    assert row["source"] == heard.source
    assert row["sport"] is None
    assert row["duration_s"] == 31 * 60  # the last sample stands into a minute of its own
    assert row["moderate_s"] == pytest.approx(1204, abs=2)
    assert row["dose_min"] == pytest.approx(1204 / 60, abs=0.05)
    assert (row["bpm_max"], row["recovery_60s"], row["trimp"]) == (134, None, None)
    assert 100 < row["bpm_mean"] < 130
    (beats,) = told(tmp_path / "b", "variability", heard)
    assert (beats["time"], beats["source"]) == (row["time"], row["source"])
    assert beats["beats"] > 3000
    assert beats["rmssd_ms"] > 5


def test_a_session_outlasts_ten_minutes_without_a_strap_and_no_more(tmp_path: Path) -> None:
    """Protects a workout with a coffee in it from becoming two, and two workouts from becoming one."""
    # The last sample stands into a minute of its own: the minutes of a pause are one less.
    for i, (pause, expected) in enumerate([(9, 1), (11, 1), (12, 2)]):
        later = wear_strap(START + (20 + pause) * MINUTE, wander(1200))
        found = told(tmp_path / str(i), "session", wear_strap(START, wander(1200)), later)
        assert len(found) == expected
    assert told(tmp_path / "short", "session", wear_strap(START, wander(530))) == []
    assert len(told(tmp_path / "ten", "session", wear_strap(START, wander(590)))) == 1


def test_what_a_watch_tells_of_is_not_told_twice(tmp_path: Path) -> None:
    """Protects the list of workouts: strap and watch were worn in one; what the strap saw before and after is its own."""
    heard = wear_strap(START, wander(7200))
    workout = Workout("Jan", "watch", START + 60 * MINUTE, START + 90 * MINUTE)
    found = told(tmp_path / "a", "session", heard, beside=[workout])
    assert [(row["source"], row["time"] - START / 1000) for row in found] == [
        (heard.source, 0),
        ("watch", 3600),
        (heard.source, 5400),
    ]
    inside = Workout("Jan", "watch", START - 5 * S, START + 120 * MINUTE)
    assert [row["source"] for row in told(tmp_path / "b", "session", heard, beside=[inside])] == ["watch"]


def test_a_day_ends_a_session(tmp_path: Path) -> None:
    """Protects who wears a strap around the clock from one session without an end."""
    midnight = at("2026-11-17T00:00+01:00")
    found = told(tmp_path, "session", wear_strap(midnight - 15 * MINUTE, wander(2400)))
    assert [row["time"] - midnight / 1000 for row in found] == [-900, 0]


def test_load_of_a_strap_is_that_of_a_file(tmp_path: Path) -> None:
    """Protects the load of a workout from the way it was recorded."""
    known = Noted(
        "Jan",
        (
            ("maximum_bpm", 190),
            ("profile", [{"from": "1990-01-01", "resting_bpm": 60}]),
            ("sex", "man"),
            ("zone", "Europe/Amsterdam"),
        ),
    )
    heard = wear_strap(START, wander(3595, 150))
    (strap,) = told(tmp_path / "a", "session", heard, beside=[known])
    workout = Workout("Jan", "watch", START, START + HOUR)
    (file,) = told(tmp_path / "b", "session", heard, beside=[known, workout])
    for field in ("bpm_mean", "bpm_max", "moderate_s", "vigorous_s", "dose_min", "trimp"):
        assert strap[field] == pytest.approx(file[field]), field
    assert strap["trimp"] > 90


def test_variability_of_a_session_is_that_of_all_its_beats(tmp_path: Path) -> None:
    """Protects variability told minute by minute: it is what the beats of the whole would tell."""
    heard = wear_strap(START + 5 * S, [*wander(900, 70), *[0] * 30, *wander(900, 120)])
    (row,) = told(tmp_path / "a", "variability", heard)
    found = seen(tmp_path / "b", heard)
    begins = find_chain_starts(found.beat_times.astype(np.int64), found.rr_ms)
    v = measure_variability(found.rr_ms, find_faults(found.rr_ms, begins), begins)
    assert (row["rmssd_ms"], row["sdnn_ms"], row["pnn50"]) == (v.rmssd_ms, v.sdnn_ms, v.pnn50)
    assert (row["beats"], row["artefact_pct"]) == (v.beats, v.artefact_pct)
