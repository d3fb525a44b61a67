"""What the page of a person tells, counted by what `week` and `explain` ask."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import pairwise
from statistics import fmean, median
from typing import Any

import numpy as np

from ingest.journal import ALWAYS_MS, RANKS, Journal, Person, Source
from ingest.report.facts import (
    ClaimFacts,
    GuessFacts,
    LimitFacts,
    ReportFacts,
    SensorFacts,
    WeekFacts,
    WorkoutFacts,
)
from ingest.rows.account import TOLD, WHY_NOT, Account, account_for
from ingest.rows.calendar import WEEK
from ingest.rows.evidence import read_evidence
from ingest.rows.profile import Profile, read_profile
from ingest.rows.session import workout_fields
from ingest.rows.unmeasured import Unmeasured, find_unmeasured
from ingest.rows.week import Week, count_week, weeks_with_data
from ingest.rows.workout import find_workouts, workout_end_ms
from ingest.verbs.measures import measure_days
from ingest.verbs.unmeasured_words import workout_text
from ingest.verbs.watch_comparison import STEPS, ClaimComparison, compare_claim
from ingest.verbs.week_answer import answer_of, edges_between, newest_measured_week
from ingest.verbs.what_if import hypothetical_profile
from zones.days import midnights
from zones.dose import dose_min
from zones.minutes import MINUTE, Zone

GUESS_OFF_BPM = 11
"""How far a maximum guessed by age is off for one person in three (10.8 bpm; doi 10.1111/j.1600-0838.2012.01445.x)."""

_HOUR_MS = 3_600_000


def report_facts(
    journal: Journal, person: Person, weeks: int, now_ms: int, names: Mapping[str, str]
) -> ReportFacts:
    """The newest so many weeks that are over, and the one that goes on; `names` are what people call sources."""
    profile = read_profile(journal, person.id)
    calendar = profile.calendar
    today = calendar.day_of(now_ms)
    this_week, _ = calendar.week_of(today)
    counted = _counted_weeks(journal, person, profile, this_week, weeks)
    unmeasured = [find_unmeasured(journal, week) for week in counted]
    medicine = profile.medicine_in(counted[0].first_day if counted else today, today)
    facts = ReportFacts(
        person.name,
        today,
        weeks,
        [_week_facts(week, now_ms, beside) for week, beside in zip(counted, unmeasured, strict=True)],
        calendar.target(this_week),
        **_not_counted(journal, person, profile, today, unmeasured),
        medicine_since=medicine.since if medicine else None,
        medicine_until=medicine.until(today) if medicine else None,
        bout_min=profile.bout_min,
        targets=_targets(profile, counted[0].first_day if counted else today, today),
        limits=_limits(profile, counted, now_ms),
    )
    if not facts.is_measured:
        return facts
    shares = _Shares.of(journal, person, profile, counted, now_ms)
    month = [week for week in counted if any(week.first_day == m.first for m in facts.month)]
    span = int(counted[0].borders_ms[0]), min(int(counted[-1].borders_ms[-1]), now_ms)
    told = journal.facts(person.id, "session", *span)
    wrists = frozenset(e.content["source"] for e in told if e.content.get("sensor") == "wrist")
    return replace(
        facts,
        sensors=shares.sensors(counted, names, wrists),
        month_sensors=shares.sensors(month, names, wrists),
        not_measured_h=shares.not_measured_h(month),
        guess=_guess(journal, person, profile, facts, now_ms),
        workouts=list(_workouts(journal, person, profile, counted, *span)),
        **_claims(journal, person, profile, names, *span),
    )


def _counted_weeks(
    journal: Journal, person: Person, profile: Profile, this_week: date, weeks: int
) -> list[Week]:
    """In order of time, from the first of which anything came in on; the week that goes on only if it has."""
    calendar = profile.calendar
    asked = [this_week - i * WEEK for i in range(weeks, -1, -1)]
    start_ms = int(midnights(profile.zone, asked[0], asked[0])[0])
    summed_up = journal.summed_up_workouts(person.id, start_ms, ALWAYS_MS)
    held = set(weeks_with_data(journal, person, profile))
    held |= {calendar.week_of(calendar.day_of(at_ms))[0] for at_ms in summed_up}
    begun = [day for i, day in enumerate(asked) if held & set(asked[: i + 1])]
    if begun and begun[-1] == this_week and this_week not in held:
        begun.pop()
    counted = [count_week(journal, person, profile, day) for day in begun]
    while counted and not int(counted[0].total.measured_ms[0]) and not find_unmeasured(journal, counted[0]):
        counted.pop(0)
    return counted


def _not_counted(
    journal: Journal, person: Person, profile: Profile, today: date, unmeasured: Sequence[Unmeasured]
) -> dict[str, Any]:
    """The fields of the facts that tell what came in of these weeks and does not count, or when something was measured."""
    found = {
        "not_counted": [workout_text(workout) for week in unmeasured for workout in week.workouts],
        "samples_not_counted": sum(week.samples for week in unmeasured),
    }
    newest = newest_measured_week(journal, person, profile, today)
    return found if newest is None else {**found, "newest_measured": newest}


def _week_facts(week: Week, now_ms: int, unmeasured: Unmeasured) -> WeekFacts:
    answer, calendar = answer_of(week, now_ms), week.profile.calendar
    return WeekFacts(
        answer.first,
        answer.last,
        not answer.is_current,
        answer.moderate_min,
        answer.vigorous_min,
        answer.dose_min,
        answer.elevated_min,
        answer.unclassified_min,
        answer.measured_min,
        answer.not_measured_h,
        answer.may_be_more,
        answer.active_days,
        week.limits,
        answer.target_min,
        answer.not_judged,
        answer.to_go_min,
        answer.open_range,
        tuple(
            (calendar.day_of(day.start_ms), day.resting_bpm)
            for day in measure_days(week)
            if day.resting_bpm is not None
        ),
        unmeasured.told_dose_min,
    )


def _targets(profile: Profile, first: date, today: date) -> list[tuple[date, float]]:
    """Changes of the target in these weeks, and the next ones."""
    steps = [(begins, target) for begins, target in profile.calendar.plan.steps if begins > first]
    past, coming = ([s for s in steps if (s[0] <= today) is is_past] for is_past in (True, False))
    return [*past, *coming[:3]]


def _limits(profile: Profile, weeks: Sequence[Week], now_ms: int) -> list[LimitFacts]:
    a, b = (int(weeks[0].borders_ms[0]), int(weeks[-1].borders_ms[-1])) if weeks else (now_ms, now_ms + 1)
    return [
        LimitFacts(since, e.moderate_bpm, e.vigorous_bpm, e.method, e.origin, sport)
        for sport, line in [("", profile.timeline), *profile.sports.items()]
        for since, e in edges_between(line, profile.calendar, a, b)
    ]


def _guess(
    journal: Journal, person: Person, profile: Profile, facts: ReportFacts, now_ms: int
) -> GuessFacts | None:
    """What a maximum guessed by age may make of the last month; None where it is not guessed."""
    edges = profile.timeline.edges_at(now_ms)
    _, maximum, _ = profile.heart_at(now_ms)
    if edges is None or edges.method != "age" or maximum is None or not facts.judged:
        return None
    means = []
    for off_bpm in (-GUESS_OFF_BPM, GUESS_OFF_BPM):
        other = hypothetical_profile(journal, person, f"method=max,maximum_bpm={maximum + off_bpm}", now_ms)
        found = [answer_of(count_week(journal, person, other, w.first), now_ms) for w in facts.judged]
        means.append(fmean(answer.dose_min for answer in found))
    return GuessFacts(GUESS_OFF_BPM, *means)


# --- sensors ---


@dataclass(slots=True)
class _Shares:
    """The account of each day of the weeks, so that any of them can be summed."""

    days: list[tuple[date, date, Account]] = field(default_factory=list)
    """The first day of the week, the day, its account."""

    @classmethod
    def of(
        cls, journal: Journal, person: Person, profile: Profile, weeks: Sequence[Week], now_ms: int
    ) -> "_Shares":
        found = cls()
        for week in weeks:
            for i, (a, b) in enumerate(pairwise(week.borders_ms.tolist())):
                if a < now_ms:
                    day = account_for(journal, person.id, profile, [a, min(b, now_ms)])
                    found.days.append((week.first_day, week.first_day + timedelta(days=i), day))
        return found

    def _of(self, weeks: Sequence[Week]) -> Iterator[tuple[date, Account]]:
        wanted = {week.first_day for week in weeks}
        return ((day, account) for first, day, account in self.days if first in wanted)

    def sensors(
        self, weeks: Sequence[Week], names: Mapping[str, str], wrists: Collection[str]
    ) -> list[SensorFacts]:
        """Those that were believed at any time, what counted most first; `wrists` are those whose files tell that they are."""
        found: dict[tuple[str, str], SensorFacts] = {}
        for day, account in self._of(weeks):
            for share in account.shares.values():
                if not share.zones_ms.any():
                    continue
                source = share.source
                before = found.get((source.name, source.kind)) or SensorFacts(
                    names.get(source.name, source.name), _sort(source, wrists), 0, 0, day, day
                )
                counted = share.zones_ms[Zone.MODERATE] + share.zones_ms[Zone.VIGOROUS]
                found[source.name, source.kind] = replace(
                    before,
                    measured_h=before.measured_h + float(share.zones_ms.sum()) / _HOUR_MS,
                    counted_min=before.counted_min + float(counted) / MINUTE,
                    last=day,
                )
        return sorted(found.values(), key=lambda s: (-s.counted_min, -s.measured_h, s.name))

    def not_measured_h(self, weeks: Sequence[Week]) -> dict[str, float]:
        """By reason."""
        accounts = [account for _, account in self._of(weeks)]
        return {why: sum(a.not_measured_ms[why] for a in accounts) / _HOUR_MS for why in WHY_NOT}


def _sort(source: Source, wrists: Collection[str] = ()) -> str:
    if source.kind == TOLD:
        return "summary"
    if source.kind == "activity":
        if source.rank == RANKS["derived"]:
            return "derived"
        known = "wrist" if source.name in wrists else "workouts"
        return "watch with strap" if source.rank <= RANKS["activity strap"] else known
    return "strap" if source.kind == "strap" else "all day"


# --- workouts, and what the watch says ---


def _workouts(
    journal: Journal, person: Person, profile: Profile, weeks: Sequence[Week], start_ms: int, end_ms: int
) -> Iterator[WorkoutFacts]:
    """Those that began in the span: of files, and of straps where no file tells of them."""
    for entry in find_workouts(journal, person.id, start_ms, end_ms):
        if entry.at_ms >= start_ms:
            seen = read_evidence(journal, person.id, entry.at_ms, workout_end_ms(entry))
            known = profile.timeline.edges_at(entry.at_ms) is not None
            yield _workout(workout_fields(journal, person, profile, entry, seen), known=known)
    for week in weeks:
        for session in week.strap_sessions:
            known = profile.timeline.edges_at(session.start_ms) is not None
            yield _workout(session.fields, known=known)


def _workout(row: Mapping[str, Any], *, known: bool) -> WorkoutFacts:
    return WorkoutFacts(
        row["sport"],
        row["duration_s"] / 60,
        row["bpm_mean"],
        row["bpm_max"],
        row["moderate_s"] / 60 if known and row["moderate_s"] is not None else None,
        row["vigorous_s"] / 60 if known and row["vigorous_s"] is not None else None,
    )


def _claims(
    journal: Journal,
    person: Person,
    profile: Profile,
    names: Mapping[str, str],
    start_ms: int,
    end_ms: int,
) -> dict[str, Any]:
    """The fields of the facts that tell of claims."""
    entries = journal.facts(person.id, "claim", start_ms, end_ms)
    resting = [e.content["resting_bpm"] for e in entries if e.content.get("resting_bpm")]
    by_source: dict[str, list[ClaimComparison]] = {}
    for entry in entries:
        if entry.content["moderate_min"] is not None and entry.content["vigorous_min"] is not None:
            compared = compare_claim(journal, person.id, profile, entry)
            by_source.setdefault(entry.content["source"], []).append(compared)
    sorts = {source.name: _sort(source) for source in journal.sources(person.id)}
    return {
        "claims": [
            _claim_facts(names.get(source, source), sorts.get(source, "workouts"), compared)
            for source, compared in by_source.items()
        ],
        "claimed_resting_bpm": median(resting) if resting else None,
    }


def _claim_facts(name: str, sort: str, compared: Sequence[ClaimComparison]) -> ClaimFacts:
    claimed = np.array(
        [(c.claim.content["moderate_min"], c.claim.content["vigorous_min"]) for c in compared],
        dtype=np.float64,
    )
    ours = np.array([c.ours_min for c in compared], dtype=np.float64)
    (moderate, vigorous), (our_moderate, our_vigorous) = claimed.sum(0).tolist(), ours.sum(0).tolist()
    steps = {step: sum(dose_min(*c.steps[step]) for c in compared if c.steps) for step in STEPS}
    return ClaimFacts(name, sort, len(compared), moderate, vigorous, our_moderate, our_vigorous, steps)
