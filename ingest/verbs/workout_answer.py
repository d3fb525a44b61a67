"""One workout: what it was, how its minutes count, by which sensor, how the heart rate went, and what the watch says."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.errors import Stop
from ingest.grafana.sensor_names import sensor_names
from ingest.household import find_person_by_part, persons_called
from ingest.journal import DAY_MS, Entry, Journal, Person
from ingest.language import date_text
from ingest.language import gettext as _
from ingest.rows.account import TOLD, Account, account_for_part, told_key
from ingest.rows.evidence import Evidence, read_evidence, resolve_sources
from ingest.rows.profile import Profile, read_profile
from ingest.rows.ruling import ruling_sport
from ingest.rows.session import strap_sessions_between, workout_fields
from ingest.rows.strap_session import StrapSession
from ingest.rows.told import counted_edges
from ingest.rows.workout import find_workouts, workout_end_ms
from ingest.settings.model import Settings
from ingest.sports import UNTOLD, sport_text
from ingest.verbs.times import YEARS, local_ms, parse_moment, time_of_day, utc_text, zone_at
from ingest.verbs.watch_comparison import ZoneComparison, compare_zones
from zones.days import midnights
from zones.edges import Edges
from zones.minutes import MINUTE, Zone
from zones.pieces import Pieces
from zones.spans import Spans

_NEWEST = 20_000
"""Chunks looked through for the newest time in which a strap was worn: a week of them without a pause."""

_CLAIMS = 3

CLAIMED = ("source", "moderate_min", "vigorous_min")

Fraction = float | None


@dataclass(frozen=True, slots=True)
class FoundWorkout:
    """A workout of a file, or the time in which a strap was worn that no file tells of; `source` is whose it is."""

    source: str
    start_ms: int
    end_ms: int
    entry: Entry | None = None
    session: StrapSession | None = None

    @property
    def sport(self) -> str | None:
        return None if self.entry is None else self.entry.content.get("sport")


@dataclass(frozen=True, slots=True, eq=False)
class WorkoutAnswer:
    """A workout of a person, counted."""

    person: str
    zone: str
    day: date
    found: FoundWorkout
    fields: dict[str, Any]
    """Its row in the table `session`."""
    zones_min: dict[str, float]
    not_measured_min: dict[str, float]
    """By the reasons of `rows.account`."""
    believed_min: dict[str, float]
    """By the names of sensors."""
    not_used_min: dict[str, float]
    """What others saw while a better one was believed."""
    told: bool | None
    """Whether the seconds in zones count that the watch tells and that no sample is beside; None where it tells none."""
    told_verdict: str
    """The same in words, and why; empty where it tells none."""
    copies: list[str]
    """Who else told of this very workout, by the names of sensors."""
    edges: Edges | None
    own_sport: str | None
    """The sport whose own limits ruled."""
    pauses: list[tuple[int, int]]
    watch: ZoneComparison | None
    claims: list[tuple[int, int, dict[str, Any]]]
    """What the watch claims of minutes: from when to when, and its numbers."""
    others: list[FoundWorkout]
    """What else was done on that day."""
    pieces: Pieces

    @property
    def doubts(self) -> list[dict[str, Any]]:
        """What its file tells of its length and is not believed."""
        return self.found.entry.content.get("doubts", []) if self.found.entry else []

    def json(self) -> dict[str, Any]:
        """What `workout --json` prints of it."""
        f, e = self.found, self.edges
        return {
            "person": self.person,
            "from": utc_text(f.start_ms),
            "to": utc_text(f.end_ms),
            "zone": self.zone,
            "source": f.source,
            "of_file": f.entry is not None,
            **self.fields,
            **{f"{zone}_min": minutes for zone, minutes in self.zones_min.items()},
            "not_measured_min": self.not_measured_min,
            "believed_min": self.believed_min,
            "not_used_min": self.not_used_min,
            "copies": self.copies,
            "told_counts": self.told,
            **{name: f.entry.content.get(name) if f.entry else None for name in ("watch_edges", "watch_s")},
            "edges": e
            and {
                "moderate_bpm": e.moderate_bpm,
                "vigorous_bpm": e.vigorous_bpm,
                "method": e.method,
                "origin": e.origin,
                "sport": self.own_sport,
            },
            "pauses": [{"from": utc_text(a), "to": utc_text(b)} for a, b in self.pauses],
            "doubts": self.doubts,
            "watch": self.watch and self.watch.json(),
            "claims": [
                {"from": utc_text(a), "to": utc_text(b), **{k: claim.get(k) for k in CLAIMED}}
                for a, b, claim in self.claims
            ],
            "others": [
                {"from": utc_text(o.start_ms), "to": utc_text(o.end_ms), "sport": o.sport}
                for o in self.others
            ],
            "curve": [
                {"from": utc_text(f.start_ms + i * MINUTE), "bpm": bpm}
                for i, bpm in enumerate(self.curve(-(-(f.end_ms - f.start_ms) // MINUTE), MINUTE))
            ],
        }

    def curve(self, parts: int, each_ms: float | None = None) -> list[Fraction]:
        """The mean heart rate in each of so many parts of its time, None where nothing is known; `each_ms` long if said."""
        start_ms, end_ms = self.found.start_ms, self.found.end_ms
        last_ms = end_ms if each_ms is None else start_ms + parts * each_ms
        return mean_bpm(self.pieces, np.linspace(start_ms, last_ms, parts + 1))


def mean_bpm(pieces: Pieces, borders_ms: NDArray[np.float64]) -> list[Fraction]:
    """The mean heart rate between each two borders, weighted by time; None where nothing is known."""
    if not len(pieces):
        return [None] * (len(borders_ms) - 1)
    at = np.ravel(np.column_stack((pieces.start, pieces.end))).astype(np.float64)
    lasts = (pieces.end - pieces.start).astype(np.float64)
    known, summed = (
        np.interp(borders_ms, at, np.ravel(np.column_stack((np.cumsum(x) - x, np.cumsum(x)))))
        for x in (lasts, lasts * pieces.bpm)
    )
    held, total = np.diff(known), np.diff(summed)
    return [float(t / h) if h > 0 else None for t, h in zip(total, held, strict=True)]


# --- which one is meant ---


def workout_answers(
    settings: Settings, journal: Journal, when: str | None, name: str | None
) -> list[WorkoutAnswer]:
    """The newest workout of each person, or that of a day or a time; those who have none are left out.

    Raises Stop for what is no day and no time.
    """
    if when is not None and name is None and find_person_by_part(journal, when) is not None:
        when, name = None, when
    names = sensor_names(settings, journal)
    answers = []
    for person in persons_called(journal, name):
        profile = read_profile(journal, person.id)
        found = (
            _newest(journal, person, profile)
            if when is None
            else find_workout(journal, person, profile, when)
        )
        if found is not None:
            answers.append(_answer(journal, person, profile, found, names))
    return answers


def _newest(journal: Journal, person: Person, profile: Profile) -> FoundWorkout | None:
    """The workout that began last: that of the newest file, unless a strap was worn since."""
    now_ms = journal.now_ms()
    workouts = [e for e in find_workouts(journal, person.id) if e.at_ms <= now_ms]
    newest = _of_file(workouts[-1]) if workouts else None
    straps = {s.id for s in journal.sources(person.id) if s.kind == "strap"}
    spans = journal.newest_spans(person.id, _NEWEST)
    ends = [min(last, now_ms) for source, first, last in spans if source in straps and first <= now_ms]
    for day in sorted({profile.calendar.day_of(end) for end in ends}, reverse=True):
        if newest is not None and day < profile.calendar.day_of(newest.start_ms):
            break
        of_day = list(_workouts_of_day(journal, person, profile, day))
        if of_day:
            return of_day[-1]
    return newest


def _workouts_of_day(journal: Journal, person: Person, profile: Profile, day: date) -> Iterator[FoundWorkout]:
    """All that began on a day, in order."""
    start_ms, end_ms = midnights(profile.zone, day, day + timedelta(days=1))[:2].tolist()
    found = [_of_file(e) for e in find_workouts(journal, person.id, start_ms, end_ms)]
    for name, s in strap_sessions_between(journal, person.id, profile, start_ms, end_ms):
        found.append(FoundWorkout(name, s.start_ms, s.end_ms, session=s))
    yield from sorted((f for f in found if start_ms <= f.start_ms < end_ms), key=lambda f: f.start_ms)


def _of_file(e: Entry) -> FoundWorkout:
    return FoundWorkout(e.content["source"], e.at_ms, workout_end_ms(e), entry=e)


def _moment(when: str) -> date | datetime:
    """The day or the time that a text names. Raises Stop for what is neither."""
    try:
        moment = parse_moment(when)
    except ValueError:
        moment = date.min
    if moment.year in YEARS:
        return moment
    raise Stop(
        _("{text} is no day (2026-11-16) and no time (2026-11-16T18:30).").format(text=when)
        if re.search(r"\d", when)
        else _("Nobody called {text} is known here, and it is no day (2026-11-16) either.").format(text=when)
    )


def find_workout(journal: Journal, person: Person, profile: Profile, when: str) -> FoundWorkout | None:
    """That of a day (its last), or the one that goes on at a time; None where there is none."""
    moment = _moment(when)
    if not isinstance(moment, datetime):
        return next(iter(reversed(list(_workouts_of_day(journal, person, profile, moment)))), None)
    at_ms = local_ms(moment, profile.calendar)
    day = profile.calendar.day_of(at_ms)
    # One that goes on over midnight began the day before.
    near = [f for d in (day - timedelta(days=1), day) for f in _workouts_of_day(journal, person, profile, d)]
    inside = [f for f in near if f.start_ms <= at_ms < f.end_ms]
    of_day = [f for f in near if profile.calendar.day_of(f.start_ms) == day]
    if not inside and of_day:
        told = ", ".join(time_of_day(f.start_ms, zone_at(profile.calendar, f.start_ms)) for f in of_day)
        raise Stop(
            _("{person} has no workout at {text}; on {day} there were some from {times}.").format(
                person=person.name, text=when, day=date_text(day), times=told
            )
        )
    return inside[-1] if inside else None


# --- what there is to say of it ---


def _answer(
    journal: Journal, person: Person, profile: Profile, f: FoundWorkout, names: dict[str, str]
) -> WorkoutAnswer:
    evidence = read_evidence(journal, person.id, f.start_ms, f.end_ms)
    account = account_for_part(journal, person.id, evidence, profile, f.start_ms, f.end_ms)
    sport = None if f.entry is None else ruling_sport(f.entry, profile)
    day = profile.calendar.day_of(f.start_ms)
    claims = journal.facts(person.id, "claim", f.start_ms - 2 * DAY_MS, f.end_ms)
    shares = account.shares.values()
    return WorkoutAnswer(
        person.name,
        zone_at(profile.calendar, f.start_ms),
        day,
        f,
        _fields(journal, person, profile, f, evidence),
        {z.name.lower(): ms / MINUTE for z, ms in zip(Zone, account.zones_ms.tolist(), strict=True)},
        {why: ms / MINUTE for why, ms in account.not_measured_ms.items()},
        _by_name(names, {s.source.name: int(s.zones_ms.sum()) for s in shares if s.source.kind != TOLD}),
        _by_name(names, {s.source.name: sum(s.lost_ms.values()) for s in shares}),
        _told(profile, f, account),
        _told_verdict(profile, f, account),
        [names.get(source, source) for source in (f.entry.content.get("copies", ()) if f.entry else ())],
        profile.sports.get(sport or "", profile.timeline).edges_at(f.start_ms),
        sport,
        _pauses(journal, person, f),
        _watch(journal, person, profile, f),
        [
            (c.at_ms, _claim_end_ms(c), c.content)
            for c in claims
            if _claim_end_ms(c) > f.start_ms and _claims_minutes(c)
        ][-_CLAIMS:],
        [o for o in _workouts_of_day(journal, person, profile, day) if o.start_ms != f.start_ms],
        resolve_sources(evidence).clip(f.start_ms, f.end_ms),
    )


def _fields(
    journal: Journal, person: Person, profile: Profile, f: FoundWorkout, evidence: list[Evidence]
) -> dict[str, Any]:
    if f.session is not None:
        return f.session.fields
    assert f.entry is not None
    return workout_fields(journal, person, profile, f.entry, evidence)


def _told(profile: Profile, f: FoundWorkout, account: Account) -> bool | None:
    if f.entry is None or not f.entry.content.get("watch_s"):
        return None
    counts = profile.bout_min is None and counted_edges(f.entry, profile) is not None
    return counts and told_key(f.source) in account.shares


def _told_verdict(profile: Profile, f: FoundWorkout, account: Account) -> str:
    from ingest.verbs.explain_workout import told_verdict

    if f.entry is None or not f.entry.content.get("watch_s"):
        return ""
    share = account.shares.get(told_key(f.source))
    return told_verdict(f.entry, profile, int(share.zones_ms.sum()) if share else 0)


def _by_name(names: dict[str, str], ms: dict[str, int]) -> dict[str, float]:
    return {names.get(source, source): n / MINUTE for source, n in ms.items() if n}


def _pauses(journal: Journal, person: Person, f: FoundWorkout) -> list[tuple[int, int]]:
    found = Spans.union(spans for _source, spans in journal.pauses(person.id, f.start_ms, f.end_ms))
    inside = found.clip(f.start_ms, f.end_ms)
    return list(zip(inside.start.tolist(), inside.end.tolist(), strict=True))


def _watch(journal: Journal, person: Person, profile: Profile, f: FoundWorkout) -> ZoneComparison | None:
    """The watch's own seconds per zone."""
    checks = journal.facts(person.id, "check", f.start_ms, f.start_ms + 1)
    return compare_zones(journal, person.id, profile, checks[-1]) if checks else None


def _claim_end_ms(c: Entry) -> int:
    return int(c.content.get("end") or c.last_ms or c.at_ms)


def _claims_minutes(c: Entry) -> bool:
    return c.content.get("moderate_min") is not None and c.content.get("vigorous_min") is not None


def sport_name(f: FoundWorkout) -> str:
    """What people call what was done; "" where nobody has said."""
    return "" if f.sport is None or f.sport in UNTOLD else sport_text(f.sport)
