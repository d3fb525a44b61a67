"""What came in of a week and is not measured, and what counts in it by a watch's own word alone.

A swim of which a watch wrote a mean and a maximum is no minute of any zone; a sensor that froze tells nothing either. Who did
them must find them: they are named beside the minutes.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import numpy as np

from ingest.journal import Entry, Journal
from ingest.rows.evidence import Evidence, read_evidence, resolve_sources
from ingest.rows.profile import Profile
from ingest.rows.told import count_told, find_told, ruling_edges
from ingest.rows.week import Week
from ingest.rows.workout import find_workouts, workout_end_ms
from zones.artefacts import Artefact
from zones.dose import dose_min
from zones.minutes import MINUTE
from zones.spans import Spans

PAUSED = "paused"
"""Why samples do not count that are believed: the timer of their watch stood still."""


@dataclass(frozen=True, slots=True)
class UnmeasuredWorkout:
    """A workout in which no heart rate of any source counts; `samples` came in, and do not count because of `why`.

    That is the name of an artefact in lower case or `PAUSED`; "" where only a summary came in.
    """

    day: date
    start_ms: int
    end_ms: int
    source: str
    sport: str | None
    bpm_mean: int | None
    bpm_max: int | None
    samples: int = 0
    why: str = ""
    lacks_limits: bool = False
    """Its watch tells seconds in zones, and nothing tells where moderate begins for this person."""


@dataclass(frozen=True, slots=True)
class Unmeasured:
    """What of a week is not measured: workouts, and where nothing else is measured other samples, of which none counts.

    `told_min` are the minutes light, moderate and vigorous of each of its days that count by a watch's own word.
    """

    workouts: tuple[UnmeasuredWorkout, ...] = ()
    samples: int = 0
    why: str = ""
    told_min: tuple[tuple[float, float, float], ...] = ()

    def __bool__(self) -> bool:
        """Whether there is anything to say where nothing is measured."""
        return bool(self.workouts or self.samples)

    @property
    def told_zones_min(self) -> tuple[float, float, float]:
        """The minutes of all its days that count by a watch's own word."""
        light, moderate, vigorous = (sum(day[zone] for day in self.told_min) for zone in range(3))
        return light, moderate, vigorous

    @property
    def told_dose_min(self) -> float:
        """What these add to the week."""
        return float(dose_min(*self.told_zones_min[1:]))


NOTHING_UNMEASURED = Unmeasured()


def find_unmeasured(journal: Journal, week: Week) -> Unmeasured:
    """What of a week that was counted is not measured."""
    person, profile = week.person.id, week.profile
    borders = week.borders_ms.tolist()
    workouts: list[UnmeasuredWorkout] = []
    if week.unmeasured_ms:
        begun = [
            e
            for e in find_workouts(journal, person, borders[0], borders[-1])
            if e.at_ms in week.unmeasured_ms
        ]
        workouts = [found for e in begun if (found := _without_heart_rate(journal, person, profile, e))]
    samples, why = 0, ""
    if not int(week.total.measured_ms[0]):
        told_of = Spans.pairs((w.start_ms, w.end_ms) for w in workouts)
        samples, why = _count_apart(journal, person, borders, told_of)
    told_ms = count_told(journal, person, profile, borders)
    told = () if told_ms is None else tuple((a, b, c) for a, b, c in (told_ms / MINUTE).tolist())
    return Unmeasured(tuple(workouts), samples, why, told)


def _without_heart_rate(
    journal: Journal, person: int, profile: Profile, workout: Entry
) -> UnmeasuredWorkout | None:
    """A workout of which something is known, and no second counts; None for any other."""
    start_ms, end_ms, told = workout.at_ms, workout_end_ms(workout), workout.content
    evidence = read_evidence(journal, person, start_ms, end_ms) if end_ms > start_ms else []
    pieces = resolve_sources(evidence)
    if len(pieces) or any(
        t.workout.position == workout.position
        for t in find_told(journal, person, profile, pieces.spans, start_ms, end_ms)
    ):
        return None
    samples, why = _why_not(evidence, Spans.of([start_ms], [end_ms]))
    mean, highest = told.get("bpm_mean"), told.get("bpm_max")
    if not (samples or mean or highest or told.get("watch_s")):
        return None
    day = profile.calendar.day_of(start_ms)
    lacks_limits = bool(told.get("watch_edges")) and ruling_edges(workout, profile) is None
    return UnmeasuredWorkout(
        day, start_ms, end_ms, told["source"], told.get("sport"), mean, highest, samples, why, lacks_limits
    )


def count_samples(evidence: Iterable[Evidence], start_ms: int, end_ms: int) -> int:
    """How many heart rates came in of [start, end), of whatever source."""
    return _why_not(evidence, Spans.of([start_ms], [end_ms]))[0]


def _count_apart(journal: Journal, person: int, borders: list[int], told_of: Spans) -> tuple[int, str]:
    """How many samples lie between the borders and in no workout that is told of, and why most do not count."""
    found, reasons = 0, Counter[str]()
    for a, b in pairwise(borders):
        if journal.chunk_spans(person, a, b):
            samples, why = _why_not(read_evidence(journal, person, a, b), Spans.of([a], [b]) - told_of)
            found += samples
            reasons[why] += samples
    return found, reasons.most_common(1)[0][0] if found else ""


def _why_not(evidence: Iterable[Evidence], spans: Spans) -> tuple[int, str]:
    """How many samples lie in some spans, and why most of them do not count."""
    reasons = Counter[str]()
    for e in evidence:
        inside = spans.covers(e.series.times.astype(np.int64))
        bad = e.bad[inside]
        reasons[PAUSED] += int(np.count_nonzero(bad == 0))
        for sort in Artefact:
            reasons[(sort.name or "").lower()] += int(np.count_nonzero(bad & sort))
    most = reasons.most_common(1)
    samples = sum(int(np.count_nonzero(spans.covers(e.series.times.astype(np.int64)))) for e in evidence)
    return (samples, most[0][0]) if samples else (0, "")
