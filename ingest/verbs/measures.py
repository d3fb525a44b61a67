"""Workouts and days beyond their minutes: load, recovery, resting heart rate, variability."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from ingest.journal import Entry, Journal, Person
from ingest.rows.cache import RowCache
from ingest.rows.evidence import read_evidence, resolve_sources
from ingest.rows.pause import end_paused
from ingest.rows.profile import Profile
from ingest.rows.session import strap_sessions_between, workout_fields
from ingest.rows.strap_session import StrapSession
from ingest.rows.told import find_told
from ingest.rows.unmeasured import count_samples
from ingest.rows.variability import variability_blocks
from ingest.rows.week import Week, count_week
from ingest.rows.workout import find_workouts, workout_end_ms
from zones.dose import dose_min
from zones.minutes import Zone


@dataclass(frozen=True, slots=True)
class DayMeasures:
    """A local day: seconds per zone, its resting heart rate and when the five minutes of it began (ms)."""

    start_ms: int
    end_ms: int
    zones_s: dict[str, float]
    resting_bpm: float | None
    quiet_ms: int | None

    @property
    def measured_s(self) -> float:
        return sum(self.zones_s.values())

    @property
    def dose_min(self) -> float:
        return dose_min(self.zones_s["moderate_s"] / 60, self.zones_s["vigorous_s"] / 60)


@dataclass(frozen=True, slots=True)
class Measures:
    """Of a span: its days where whole ones were asked for, its workouts with their rows, and the rows of variability."""

    days: list[DayMeasures]
    workouts: list[tuple[Entry, dict[str, Any]]]
    strap_sessions: list[tuple[str, StrapSession]]
    """Sessions of straps that no file tells of, each with the name of its strap."""
    variability: list[dict[str, Any]]
    """Each with `at_ms` and `source`."""
    without_samples: Mapping[int, int] = field(default_factory=dict)
    """Of the workouts in which no heart rate counts, by their positions: how many came in."""
    told_ms: Mapping[int, int] = field(default_factory=dict)
    """Of the workouts of which something counts by the watch's own word, by their positions: for how long."""
    stood_ms: Mapping[int, int] = field(default_factory=dict)
    """Of the workouts at whose end the timer stood still while nothing was recorded, by their positions: for how long."""


def measure_span(
    journal: Journal, person: Person, profile: Profile, start_ms: int, end_ms: int, *, whole_days: bool
) -> Measures:
    """The same numbers as the rows of a store hold."""
    days = list(_measured_days(journal, person, profile, start_ms, end_ms)) if whole_days else []
    quiet = [d.quiet_ms for d in days if d.quiet_ms is not None]
    strap_sessions = strap_sessions_between(journal, person.id, profile, start_ms, end_ms)
    seen = partial(read_evidence, journal, person.id)
    workouts, without, told_ms, stood_ms = [], {}, {}, {}
    entries = find_workouts(journal, person.id, start_ms, end_ms)
    for e in entries:
        evidence = seen(e.at_ms, workout_end_ms(e))
        workouts.append((e, workout_fields(journal, person, profile, e, evidence)))
        pieces = resolve_sources(evidence)
        if ms := end_paused(journal, person.id, e).measure_ms:
            stood_ms[e.position] = ms
        for told in find_told(journal, person.id, profile, pieces.spans, e.at_ms, workout_end_ms(e)):
            if told.workout.position == e.position:
                told_ms[e.position] = told.pieces.spans.measure_ms
        if not len(pieces):
            without[e.position] = count_samples(evidence, e.at_ms, workout_end_ms(e))
    return Measures(
        days,
        workouts,
        strap_sessions,
        [
            {
                "at_ms": int(block.time_us[i]) // 1000,
                "source": block.labels["source"][i],
                **{f: v[i] for f, v in block.fields.items()},
            }
            for block in variability_blocks(
                journal, person, quiet, strap_sessions, entries, start_ms, end_ms, RowCache(), seen
            )
            for i in range(len(block))
        ],
        without,
        told_ms,
        stood_ms,
    )


def _measured_days(
    journal: Journal, person: Person, profile: Profile, start_ms: int, end_ms: int
) -> Iterator[DayMeasures]:
    """The days of a span with anything measured."""
    first_day, _ = profile.calendar.week_of(profile.calendar.day_of(start_ms))
    yield from (
        day
        for day in measure_days(count_week(journal, person, profile, first_day))
        if day.start_ms >= start_ms and day.end_ms <= end_ms and day.measured_s
    )


def measure_days(counted: Week) -> Iterator[DayMeasures]:
    for i, (a, b) in enumerate(
        zip(counted.borders_ms[:-1].tolist(), counted.borders_ms[1:].tolist(), strict=True)
    ):
        at_rest = float(counted.resting_bpm[i])
        zones = {
            f"{z.name.lower()}_s": int(c[i]) / 1000 for z, c in zip(Zone, counted.days.columns, strict=True)
        }
        some = not np.isnan(at_rest)
        yield DayMeasures(a, b, zones, at_rest if some else None, int(counted.quiet_ms[i]) if some else None)
