"""Whose heart beat how fast when: the same answer whatever span around a moment is asked for."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.journal import Journal
from ingest.rows.evidence import read_evidence, resolve_sources
from tests.support.happenings import around, faulty, new_folder, recordings
from tests.support.households import HOUR, Noted, Recording, S, at, household, steady
from zones.artefacts import Artefact
from zones.pieces import Pieces

START = at("2026-11-16T10:00+01:00")


def held(pieces: Pieces) -> list[tuple[int, int, int, bool]]:
    """What each millisecond holds, in stretches: pieces may be cut anywhere."""
    found: list[tuple[int, int, int, bool]] = []
    for a, b, bpm, counts in zip(pieces.start, pieces.end, pieces.bpm, pieces.counts, strict=True):
        if found and found[-1][1:] == (a, bpm, counts):
            found[-1] = (found[-1][0], int(b), int(bpm), bool(counts))
        else:
            found.append((int(a), int(b), int(bpm), bool(counts)))
    return found


def all_of(journal: Journal, a: int, b: int) -> Pieces:
    return resolve_sources(read_evidence(journal, 1, a, b))


@settings(max_examples=60)
@given(
    st.lists(faulty() | recordings(), min_size=1, max_size=5),
    st.data(),
    st.integers(1, 900),
)
def test_a_span_alone_is_what_it_is_in_a_longer_one(
    recorded: list[Recording], data: st.DataObject, lasts: int
) -> None:
    """Protects "explain adds up to week": a minute, a session, a day and a week see the same masks and the same caps."""
    a = data.draw(around(recorded))
    b = a + lasts * S
    with new_folder() as folder, household(folder, recorded) as journal:
        alone = all_of(journal, a, b)
        longer = all_of(journal, a - 30 * HOUR, b + 30 * HOUR).clip(a, b)
    assert held(alone) == held(longer)


def test_a_spike_is_masked_and_the_sample_before_it_stands_on(tmp_path: Path) -> None:
    """Protects minutes and maxima from an optical sensor's two seconds of 200; the raw samples stay as they came."""
    quiet = steady("Jan", START, 600, 100)
    values = [(t, 200 if 300 <= i < 302 else bpm) for i, (t, bpm) in enumerate(quiet.samples)]
    with household(tmp_path, [Recording("Jan", "watch", "activity", tuple(values), quiet.end_ms)]) as journal:
        (found,) = read_evidence(journal, 1, START, START + HOUR)
    assert found.series.bpm.max() == 200
    assert found.pieces.bpm.max() == 101
    assert found.pieces.measure_ms == 600 * S
    assert [i for i, bad in enumerate(found.bad) if bad] == [300, 301]


def test_a_frozen_sensor_is_not_measured(tmp_path: Path) -> None:
    """Protects the week from a watch that shows 130 for ten minutes on the table: two of them are enough to see it."""
    values = tuple((START + i * S, 130) for i in range(600))
    frozen = Recording("Jan", "watch", "activity", values, START + 600 * S)
    with household(tmp_path, [frozen, Noted("Jan", (("zone", "UTC"),))]) as journal:
        (found,) = read_evidence(journal, 1, START, START + HOUR)
    assert set(found.bad.tolist()) == {Artefact.STUCK}
    assert not len(found.pieces)


def test_a_calm_heart_whose_beats_vary_is_not_frozen(tmp_path: Path) -> None:
    """Protects rest with a strap: sixty a minute for ten minutes is true when no two beats are of one length."""
    values = tuple((START + i * S, 60) for i in range(600))
    beats = tuple((START + i * S, 990 + i % 3 * 10) for i in range(600))
    calm = Recording("Jan", "strap", "strap", values, START + 600 * S, beats=beats)
    with household(tmp_path, [calm]) as journal:
        (found,) = read_evidence(journal, 1, START, START + HOUR)
    assert not found.bad.any()
