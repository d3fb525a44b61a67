"""An account of any span is complete and adds up: to the clock, and to what `week` says."""

from datetime import date, timedelta
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.rows.account import accounted
from ingest.rows.profile import profile
from ingest.rows.recount import local_date, week
from tests.households import HOUR, MINUTE, Event, Noted, household
from tests.rows.happenings import MOMENTS, events, faulty, new_folder, recordings
from zones.days import midnights, week_of

LIMITS = Noted("Jan", (("moderate_bpm", 100), ("vigorous_bpm", 140), ("zone", "Europe/Amsterdam")))


@settings(max_examples=40)
@given(
    st.lists(events | faulty() | recordings(), min_size=1, max_size=6), st.sampled_from(MOMENTS), st.data()
)
def test_minutes_explained_one_by_one_are_the_week(
    happened: list[Event], moment: int, data: st.DataObject
) -> None:
    """Protects "explain adds up to week": to the millisecond, per source and reason, on days of 23 and 25 hours too."""
    with new_folder() as folder, household(folder, [LIMITS, *happened]) as journal:
        jan = next(p for p in journal.persons() if p.name == "Jan")
        known = profile(journal, jan.id)
        first, _ = week_of(local_date(moment, known.zone))
        borders = midnights(known.zone, first, first + timedelta(days=7)).tolist()
        counted = week(journal, jan, known, first)
        whole = accounted(journal, jan.id, known, borders)
        assert whole.zones_ms.tolist() == [int(c[0]) for c in counted.total.columns]
        assert whole.zones_ms.sum() + sum(whole.not_measured_ms.values()) == borders[-1] - borders[0]
        # Minute by minute through an hour in which things happen, against that hour in one go.
        start = moment + data.draw(st.integers(-90, 60)) * MINUTE
        hour = accounted(journal, jan.id, known, [start, start + HOUR])
        minutes = [
            accounted(journal, jan.id, known, [a, b])
            for a, b in pairwise(range(start, start + HOUR + 1, MINUTE))
        ]
        assert np.sum([m.zones_ms for m in minutes], axis=0).tolist() == hour.zones_ms.tolist()
        for why, ms in hour.not_measured_ms.items():
            assert ms == sum(m.not_measured_ms[why] for m in minutes), why
        for name, share in hour.shares.items():
            mine = [m.shares[name] for m in minutes if name in m.shares]
            assert share.zones_ms.tolist() == np.sum([s.zones_ms for s in mine], axis=0).tolist()
            assert sum(share.lost_ms.values()) == sum(sum(s.lost_ms.values()) for s in mine)


def test_a_week_of_nothing_is_not_measured() -> None:
    """Protects "unknown is not zero": nothing recorded is said to be nothing recorded."""
    with new_folder() as folder, household(folder, [LIMITS]) as journal:
        (jan,) = journal.persons()
        known = profile(journal, jan.id)
        borders = midnights(known.zone, date(2026, 11, 16), date(2026, 11, 23)).tolist()
        whole = accounted(journal, jan.id, known, borders)
    assert not whole.zones_ms.any()
    assert whole.not_measured_ms["nothing"] == 7 * 24 * HOUR
