"""Why is this minute, day, week or file counted as it is? The answer in words and as JSON.

Every millisecond asked for appears once: in a zone, under the source that was believed, or among what is not measured,
under the reason. So minutes explained one by one add up to what `week` says.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from ingest.errors import Stop
from ingest.household import find_person
from ingest.journal import Entry, Filed, Journal, Person
from ingest.rows.account import Account, Share, account_for
from ingest.rows.calendar import Calendar
from ingest.rows.evidence import Evidence, read_evidence, resolve_sources
from ingest.rows.profile import Profile, read_profile
from ingest.rows.ruling import classify_by_source, ruling_sport
from ingest.rows.workout import find_workouts as sessions_in
from ingest.verbs.body import Body, body, variability_line, workout_lines
from ingest.verbs.clock_offsets import Disagreement, between
from ingest.verbs.export import moment_ms
from ingest.verbs.watch_comparison import STEPS, Beside, Claimed, beside, claimed
from zones.artefacts import Artefact
from zones.days import midnights
from zones.dose import dose_min
from zones.edges import Edges, Timeline
from zones.minutes import MINUTE, Zone
from zones.pieces import Pieces

YEARS = range(1971, 2201)
"""What can be asked for: no heart rate is from before or after, and every clock can tell its midnights."""

_MANY = 12
"""Lines of one sort that are shown; JSON holds all of them."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose time, from when to when, cut at the borders; `what` names it. A file if one was named."""

    what: str
    person: Person
    known: Profile
    borders_ms: list[int]
    file: Filed | None = None
    whole_days: bool = False

    @property
    def start_ms(self) -> int:
        return self.borders_ms[0]

    @property
    def end_ms(self) -> int:
        return self.borders_ms[-1]

    @property
    def is_minute(self) -> bool:
        return self.file is None and self.end_ms - self.start_ms == MINUTE


def asked(journal: Journal, text: str, name: str | None) -> Asked:
    """What is meant by a time, a day, a week or a file.

    Raises Stop for what is none of these, and when it is not clear whose it is.
    """
    if found := re.fullmatch(r"(\d{4})-?(W\d{1,2})", text):
        person, known = _who(journal, name)
        week = "-".join(found.groups())
        borders = _midnights(known, _first_day(known, week), 7)
        return Asked(f"week {week}", person, known, borders, whole_days=True)
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text) and (files := journal.files_named(text)):
        return _file(journal, files, name)
    person, known = _who(journal, name)
    if (day := _day(text)) is not None:
        borders = _midnights(known, day, 1)
        return Asked(f"{day:%A} {day.day} {day:%B %Y}", person, known, borders, whole_days=True)
    what, minute = _minute(text, known.calendar)
    return Asked(what, person, known, [minute, minute + MINUTE])


def _day(text: str) -> date | None:
    """The day that a text names, however ISO 8601 writes one; None for what is no day.

    Raises Stop for a day that there is not, or far from any that could be meant.
    """
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            return None
    if day is None or day.year not in YEARS:
        raise Stop(f"There is no day {text}; right would be 2026-11-16.")
    return day


def _minute(text: str, calendar: Calendar) -> tuple[str, int]:
    """The minute in which a time lies, in words and in ms; of an hour that the clock shows twice the first one.

    Raises Stop for what is no time, and for one that the clock skips.
    """
    try:
        when = datetime.fromisoformat(text)
        if when.year not in YEARS:
            raise ValueError(text)  # noqa: TRY301 - the same mistake as one that cannot be read
        zone = calendar.zone_on(when.date())
        minute = moment_ms(text, zone) // MINUTE * MINUTE
    except (ValueError, OverflowError) as e:
        raise Stop(
            f"{text!r} is no time (2026-11-16T10:30), no day (2026-11-16), no week (2026-W47), and no file of that"
            " name has come in."
        ) from e
    what = f"the minute from {_clock(minute, calendar, day=True)}"
    if when.tzinfo is None:
        first, second = (when.replace(tzinfo=ZoneInfo(zone), fold=fold) for fold in (0, 1))
        if first.astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) != when:
            raise Stop(
                f"There is no {text} in {zone}: the clock was set on over it. Ask for a time before or after."
            )
        if first.utcoffset() != second.utcoffset():
            other = second.isoformat(timespec="minutes")
            what += f", the first of two as the clock was set back; {other} asks for the other"
    return what, minute


def _first_day(known: Profile, week: str) -> date:
    """The first day of a week by its name, on whichever day the person's weeks begin."""
    year, number = week.split("-W")
    try:
        if not 1 <= int(number) <= 53 or int(year) not in YEARS:
            raise ValueError(week)  # noqa: TRY301 - the same mistake as one that cannot be read
        # Where weeks do not begin on Monday another year may be the one with 53 of them.
        thursday = date.fromisocalendar(int(year), 1, 4) + timedelta(weeks=int(number) - 1)
    except ValueError as e:
        raise Stop(f"There is no week {week}; right would be 2026-W47.") from e
    name = f"{year}-W{int(number):02d}"
    around = (thursday + timedelta(days=i) for i in range(-9, 10))
    found = next((d for d in around if known.calendar.week_of(d) == (d, name)), None)
    if found is None:
        raise Stop(f"There is no week {week} where weeks begin on this day.")
    return found


def _who(journal: Journal, name: str | None) -> tuple[Person, Profile]:
    everybody = journal.persons()
    names = ", ".join(p.name for p in everybody) or "nobody yet"
    if name is not None:
        person = find_person(journal, name)
        if person is None:
            raise Stop(f"Nobody called {name} is known here; known: {names}.")
    elif len(everybody) == 1:
        person = everybody[0]
    else:
        raise Stop(f"Say whose, behind the time; known: {names}.")
    return person, read_profile(journal, person.id)


def _file(journal: Journal, files: list[Filed], name: str | None) -> Asked:
    """The newest file of a name that brought anything."""
    for f in files:
        span, _ = journal.recorded_by_file(f.id)
        person = journal.person(f.person)
        if span is None or person is None or (name is not None and name.casefold() != f.person.casefold()):
            continue
        known = read_profile(journal, person.id)
        a, b = span[0], max(span[1], span[0] + 1)
        first, last = known.calendar.day_of(a), known.calendar.day_of(b - 1)
        inside = [m for m in _midnights(known, first, (last - first).days + 1) if a < m < b]
        return Asked(f"file {f.name}", person, known, [a, *inside, b], f)
    f = files[0]
    raise Stop(f"The file {f.name} brought no time to explain: it is {f.outcome}. {f.reason}".rstrip())


def _midnights(known: Profile, first: date, days: int) -> list[int]:
    return [int(m) for m in midnights(known.zone, first, first + timedelta(days=days))]


@dataclass(frozen=True, slots=True)
class Explained:
    """The whole answer."""

    asked: Asked
    account: Account
    edges: list[tuple[int, Edges | None]]
    sports: dict[str, list[tuple[int, Edges | None]]]
    """The edges of the sports that were done in the span and have their own."""
    body: Body
    claims: list[Claimed]
    checks: list[Beside]
    clocks: list[Disagreement]
    masks: list[dict[str, Any]]
    samples: list[dict[str, Any]]
    """Of a minute, each sample and what became of it."""

    def json(self) -> dict[str, Any]:
        """What `explain --json` prints."""
        a = self.asked
        zones = {
            f"{z.name.lower()}_s": ms / 1000
            for z, ms in zip(Zone, self.account.zones_ms.tolist(), strict=True)
        }
        return {
            "person": a.person.name,
            "what": a.what,
            "zone": a.known.calendar.zone_on(a.known.calendar.day_of(a.start_ms)),
            "from": _iso(a.start_ms),
            "to": _iso(a.end_ms),
            **zones,
            "measured_s": int(self.account.zones_ms.sum()) / 1000,
            "dose_min": self.dose_min,
            "not_measured_s": {why: ms / 1000 for why, ms in self.account.not_measured_ms.items()},
            "edges": _edges_json(self.edges),
            "sports": {sport: _edges_json(edges) for sport, edges in self.sports.items()},
            "sources": [_share_json(s) for s in self.account.shares.values()],
            "sessions": [
                {"from": _iso(e.at_ms), "source": e.content["source"], **row} for e, row in self.body.workouts
            ],
            "worn": [{"from": _iso(s.start_ms), "source": name, **s.fields} for name, s in self.body.worn],
            "days": [
                {
                    "from": _iso(d.start_ms),
                    **d.zones_s,
                    "dose_min": d.dose_min,
                    "resting_bpm": d.resting_bpm,
                    "quiet_from": None if d.quiet_ms is None else _iso(d.quiet_ms),
                }
                for d in self.body.days
            ],
            "variability": [
                {"from": _iso(row["at_ms"]), **{k: v for k, v in row.items() if k != "at_ms"}}
                for row in self.body.variability
            ],
            "claims": [{"from": _iso(c.claim.at_ms), **c.json()} for c in self.claims],
            "watch": [c.json() for c in self.checks],
            "clocks": [d.json() for d in self.clocks],
            "masked": self.masks,
            "samples": self.samples,
        }

    @property
    def dose_min(self) -> float:
        """What the span adds to the week."""
        zones = self.account.zones_ms
        return float(dose_min(int(zones[Zone.MODERATE]) / MINUTE, int(zones[Zone.VIGOROUS]) / MINUTE))


_FIRST_MS = -(1 << 45)
"""Edges from before this hold from the beginning."""


def explain(journal: Journal, a: Asked) -> Explained:
    """All that can be said of what was asked for."""
    person = a.person.id
    whole = account_for(journal, person, a.known, a.borders_ms)
    claims = [
        c
        for c in journal.facts(person, "claim", a.start_ms - 2 * 86_400_000, a.end_ms)
        if _end(c) > a.start_ms
    ]
    checks = [
        c
        for c in journal.facts(person, "check", a.start_ms - 7 * 86_400_000, a.end_ms)
        if _end(c) > a.start_ms and (a.file is None or c.file in {a.file.id, None})
    ]
    masks, samples = [], []
    clocks: dict[tuple[str, str], Disagreement] = {}
    for start, end in pairwise(a.borders_ms):
        found = read_evidence(journal, person, start, end)
        masks += [m for e in found for m in _masks(e, start, end)]
        clocks |= {(d.ahead, d.behind): d for d in between(journal, a.person, found)}
        if a.is_minute:
            samples = _samples(journal, person, found, a.known, start, end)
    return Explained(
        a,
        whole,
        _edges(a.known.timeline, a.start_ms, a.end_ms),
        _sports(journal, person, a.known, a.start_ms, a.end_ms),
        body(journal, a.person, a.known, a.start_ms, a.end_ms, whole_days=a.whole_days),
        [claimed(journal, person, a.known, c) for c in claims],
        [beside(journal, person, a.known, c) for c in checks],
        list(clocks.values()),
        masks,
        samples,
    )


def _end(e: Entry) -> int:
    return int(e.content.get("end") or e.last_ms or e.at_ms)


def _edges(line: Timeline, start_ms: int, end_ms: int) -> list[tuple[int, Edges | None]]:
    """The edges in force in a span, each with when it took effect."""
    return [
        (int(line.valid_from[i]), line.edges[i])
        for i in range(len(line))
        if line.governed(i)[0] < end_ms and line.governed(i)[1] > start_ms
    ]


def _sports(
    journal: Journal, person: int, known: Profile, start_ms: int, end_ms: int
) -> dict[str, list[tuple[int, Edges | None]]]:
    """The edges in force in the sports that were done in a span, if they have their own."""
    done = (ruling_sport(e, known) for e in sessions_in(journal, person, start_ms, end_ms))
    return {sport: _edges(known.sports[sport], start_ms, end_ms) for sport in sorted({s for s in done if s})}


def _edges_json(edges: list[tuple[int, Edges | None]]) -> list[dict[str, Any]]:
    return [
        {
            "from": None if begins < _FIRST_MS else _iso(begins),
            "moderate_bpm": e and e.moderate_bpm,
            "vigorous_bpm": e and e.vigorous_bpm,
            "method": e and e.method,
            "origin": e and e.origin,
        }
        for begins, e in edges
    ]


def _masks(e: Evidence, start_ms: int, end_ms: int) -> Iterator[dict[str, Any]]:
    """The runs of samples of a source that are not believed, each with the reason."""
    ms = e.series.times.astype(np.int64)
    there = np.flatnonzero((ms >= start_ms) & (ms < end_ms) & (e.bad != 0))
    for run in np.split(there, np.flatnonzero(np.diff(there) > 1) + 1) if len(there) else ():
        bpm = e.series.bpm[run]
        yield {
            "source": e.source.name,
            "from": _iso(int(ms[run[0]])),
            "to": _iso(int(ms[run[-1]])),
            "samples": len(run),
            "bpm": [int(bpm.min()), int(bpm.max())],
            "why": _why(int(np.bitwise_or.reduce(e.bad[run]))),
        }


def _why(bad: int) -> str:
    return ", ".join(_ARTEFACTS[sort] for sort in Artefact if bad & sort)


_ARTEFACTS = {
    Artefact.DROPOUT: "no heart rate (the sensor's way to say that it has none)",
    Artefact.SPIKE: "a spike: far from what was seconds before and after",
    Artefact.STUCK: "frozen: one value for minutes, or hardly another while no beats came",
    Artefact.LOOSE: "no contact: the strap said that it touched no skin, and no beats came",
}


def _samples(
    journal: Journal, person: int, found: list[Evidence], known: Profile, start_ms: int, end_ms: int
) -> list[dict[str, Any]]:
    """Each sample that has a say in a span: how long it stands, until what, and what it counts as."""
    resolved, zone = classify_by_source(journal, person, known, resolve_sources(found), start_ms, end_ms)
    rows = []
    for i, e in enumerate(found):
        ms = e.series.times.astype(np.int64)
        good = e.good.times.astype(np.int64)
        holder = (
            good[np.maximum(np.searchsorted(good, e.pieces.start, side="right") - 1, 0)] if len(good) else ms
        )
        for k in np.flatnonzero((ms < end_ms) & (ms >= start_ms - 90_000)).tolist():
            t, bpm = int(ms[k]), int(e.series.bpm[k])
            mine = e.pieces.take(holder == t) if len(e.pieces) else Pieces.none()
            if t < start_ms and not len(mine):
                continue
            won = _overlap_ms(mine, resolved, zone, i)
            rows.append(
                {
                    "source": e.source.name,
                    "time": _iso(t),
                    "bpm": bpm,
                    "stands_s": mine.measure_ms / 1000,
                    "counts_as": {Zone(z).name.lower(): n / 1000 for z, n in won.items()},
                    "not_used_s": (mine.measure_ms - sum(won.values())) / 1000,
                    "masked": _why(int(e.bad[k])) or None,
                }
            )
    return sorted(rows, key=lambda row: datetime.fromisoformat(str(row["time"])))


def _overlap_ms(mine: Pieces, resolved: Pieces, zone: Any, source: int) -> dict[int, int]:
    """How much of some pieces of a source was believed, by zone."""
    won: dict[int, int] = {}
    for a, b in zip(mine.start.tolist(), mine.end.tolist(), strict=True):
        i, j = np.searchsorted(resolved.end, a, side="right"), np.searchsorted(resolved.start, b)
        for k in range(int(i), int(j)):
            if resolved.source[k] == source:
                n = int(min(resolved.end[k], b) - max(resolved.start[k], a))
                won[int(zone[k])] = won.get(int(zone[k]), 0) + n
    return won


def _share_json(s: Share) -> dict[str, Any]:
    return {
        "source": s.source.name,
        "kind": s.source.kind,
        "samples": s.samples,
        **{f"{z.name.lower()}_s": ms / 1000 for z, ms in zip(Zone, s.zones_ms.tolist(), strict=True)},
        "lost_to_s": {name: ms / 1000 for name, ms in s.lost_ms.items()},
        "paused_s": s.paused_ms / 1000,
        "masked_s": s.masked_ms / 1000,
        "gap_s": s.gap_ms / 1000,
        "masked_samples": s.artefacts,
    }


# --- in words ---


def told(x: Explained) -> Iterator[str]:
    """The answer in plain lines."""
    a, zone = x.asked, x.asked.known.calendar
    yield (
        f"{a.person.name}, {a.what} ({zone.zone_on(zone.day_of(a.start_ms))}):"
        f" {_clock(a.start_ms, zone, day=True)} to {_clock(a.end_ms, zone, day=True)}"
    )
    yield ""
    yield from _total_lines(x)
    yield ""
    yield from _edge_lines(x.edges, a.known)
    for sport, edges in x.sports.items():
        yield from _edge_lines(edges, a.known, f"In {sport} moderate")
    parts: list[Iterable[str]] = [
        [line for share in x.account.shares.values() for line in _source_lines(share)],
        _few([_mask_line(m, zone) for m in x.masks]),
        [f"  {d.sentence}" for d in x.clocks],
        [_sample_line(s, zone) for s in x.samples],
        _day_lines(x.body, zone, each=len(a.borders_ms) > 2),
        *(
            _session_lines(f"Workout {_clock(e.at_ms, zone, day=True)}", e.at_ms, row, x.body)
            for e, row in x.body.workouts
        ),
        *(
            _session_lines(f"{name} worn {_clock(s.start_ms, zone, day=True)}", s.start_ms, s.fields, x.body)
            for name, s in x.body.worn
        ),
        *(_claim_lines(claim, zone) for claim in x.claims),
        *(_beside_lines(check, zone) for check in x.checks),
    ]
    for part in parts:
        for i, line in enumerate(part):
            if i == 0:
                yield ""
            yield line


def _total_lines(x: Explained) -> Iterator[str]:
    bout_min = x.asked.known.bout_min
    for sort, ms in zip(Zone, x.account.zones_ms.tolist(), strict=True):
        if ms:
            short = f", or effort shorter than {bout_min} min" if bout_min and sort == Zone.ELEVATED else ""
            yield f"  {_span(ms):>14}  {_MEANING[sort]}{short}"
    for why, ms in x.account.not_measured_ms.items():
        if ms:
            yield f"  {_span(ms):>14}  not measured: {_REASON[why]}"
    if not x.asked.is_minute:
        yield f"  {x.dose_min:>10.1f} min  adds to the week: moderate + 2 x vigorous"


def _edge_lines(
    edges: list[tuple[int, Edges | None]], known: Profile, what: str = "Moderate"
) -> Iterator[str]:
    for begins, e in edges:
        since = "" if begins < _FIRST_MS else f" since {_clock(begins, known.calendar, day=True)}"
        if e is not None:
            yield (
                f"  {what} from {e.moderate_bpm}, vigorous from {e.vigorous_bpm} bpm{since} (method {e.method}):"
                f" {e.origin}."
            )
        elif since and known.medicine_in(*[known.calendar.day_of(begins)] * 2) == known.calendar.day_of(
            begins
        ):
            yield f"  No limits are known{since}: a medicine limits this heart rate, so only limits of your own are used."
        else:
            yield f"  No limits are known{since}."
    if not edges:
        yield "  No limits are known: nothing tells where moderate begins."


def _day_lines(x: Body, zone: Calendar, *, each: bool) -> Iterator[str]:
    """The resting heart rate of a day; of a week each of its days."""
    for d in x.days:
        at_rest = ""
        if d.resting_bpm is not None and d.quiet_ms is not None:
            at_rest = (
                f"resting heart rate {d.resting_bpm:.0f} bpm (five minutes from {_clock(d.quiet_ms, zone)})"
            )
        if each:
            there = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=d.start_ms)
            minutes = f"{d.dose_min:.0f} min, measured {d.measured_s / 3600:.1f} h"
            yield f"  {_there(there, zone):%a %Y-%m-%d}: {minutes}{'; ' if at_rest else ''}{at_rest}"
        elif at_rest:
            yield f"  {at_rest[0].upper()}{at_rest[1:]}."
    worked = {e.at_ms for e, _ in x.workouts} | {s.start_ms for _, s in x.worn}
    for row in x.variability:
        if row["at_ms"] not in worked:
            yield f"  At rest, from {_clock(row['at_ms'], zone, day=each)}: {variability_line(row)}."


def _session_lines(what: str, at_ms: int, row: dict[str, Any], x: Body) -> Iterator[str]:
    yield f"  {what}, {row['sport'] or 'sport unknown'}, {_span(round(row['duration_s'] * 1000))}:"
    yield (
        f"    moderate {_span(round(row['moderate_s'] * 1000))}, vigorous {_span(round(row['vigorous_s'] * 1000))}"
    )
    yield from workout_lines(row)
    for varied in x.variability:
        if varied["at_ms"] == at_ms:
            yield f"    variability: {variability_line(varied)}"


def _claim_lines(x: Claimed, zone: Calendar) -> Iterator[str]:
    c = x.claim.content
    resting = f", resting heart rate {c['resting_bpm']} bpm" if c.get("resting_bpm") else ""
    yield (
        f"  The watch claims from {_clock(x.claim.at_ms, zone, day=True)}: moderate {_min(c['moderate_min'])}, vigorous"
        f" {_min(c['vigorous_min'])}{resting}."
    )
    yield (
        f"  We count in the same time: moderate {_min(x.ours_min[0])}, vigorous {_min(x.ours_min[1])},"
        f" and {_min(x.elevated_min)} raised without movement."
    )
    for why in STEPS:
        moderate, vigorous = (x.steps or {}).get(why, (0.0, 0.0))
        if abs(moderate) >= 0.05 or abs(vigorous) >= 0.05:
            yield f"    {moderate:+9.1f} min moderate {vigorous:+9.1f} vigorous: {_STEP[why]}"


_STEP = {
    "limits_and_rules": "its own limits and rules, which its maker does not publish, against your limits",
    "no_movement": "it saw no movement",
    "not_believed": "what its sensor said is not believed",
    "other_sources": "another source is believed first, or recorded while it did not",
}

_MEANING = {
    Zone.LIGHT: "light: below moderate",
    Zone.MODERATE: "moderate: counts once",
    Zone.VIGOROUS: "vigorous: counts twice",
    Zone.ELEVATED: "elevated, does not count: heart rate at or above moderate while an all-day watch saw no movement",
    Zone.UNCLASSIFIED: "measured, does not count: no limits are known for this time",
}

_REASON = {
    "paused": "the timer of the watch was paused",
    "masked": "what the sensor said is not believed",
    "gap": "no sample for longer than one may stand for",
    "nothing": "nothing recorded",
}


def _source_lines(s: Share) -> Iterator[str]:
    yield f"  {s.source.name} ({s.source.kind}, {s.samples} samples): believed for {_span(int(s.zones_ms.sum()))}"
    for name, ms in s.lost_ms.items():
        yield f"    {_span(ms)} not used: {name} saw the same time and is believed first"
    for ms, why in ((s.paused_ms, "paused"), (s.masked_ms, "masked"), (s.gap_ms, "gap")):
        if ms:
            yield f"    {_span(ms)} nothing of it: {_REASON[why]}"


def _mask_line(m: dict[str, Any], zone: Calendar) -> str:
    low, high = m["bpm"]
    bpm = f"{low}" if low == high else f"{low} to {high}"
    return f"  Not believed: {m['source']} from {_local(m['from'], zone)} to {_local(m['to'], zone)}, {bpm} bpm, {m['why']}"


def _sample_line(s: dict[str, Any], zone: Calendar) -> str:
    line = f"  {_local(s['time'], zone)}  {s['bpm']:>3} bpm  {s['source']}"
    if s["masked"]:
        return f"{line}: not believed, {s['masked']}"
    parts = [f"{seconds:g} s {name}" for name, seconds in s["counts_as"].items()]
    if s["not_used_s"]:
        parts.append(f"{s['not_used_s']:g} s not used, a better source saw them")
    return f"{line}: {', '.join(parts) or 'stands for no time'}"


def _beside_lines(b: Beside, zone: Calendar) -> Iterator[str]:
    yield f"  The watch's own seconds per zone, workout of {_clock(b.at_ms, zone, day=True)}, and ours within its limits:"
    yield f"    {'from bpm':<22}{_row([0, *b.edges])}"
    yield f"    {'the watch':<22}{_row(b.watch_s)}"
    yield f"    {'ours':<22}{_row(b.ours_s)}"
    for name, column in (
        ("its way of counting", b.counting_s),
        ("not believed", b.masked_s),
        ("another source", b.other_s),
    ):
        if np.abs(column).max(initial=0) >= 0.05:
            yield f"    {name:<22}{_row(column, sign=True)}"
    own = None if b.timer_s is None else float(b.watch_s.sum()) - b.timer_s
    if own is not None and abs(own) >= 0.5:
        yield f"    Its zones add up to {abs(own):.1f} s {'more' if own > 0 else 'less'} than its own timer ran."
    if b.open_s >= 0.5:
        yield (
            f"    It wrote only some of the seconds it saw: between them {b.open_s:.0f} s lie so near to a limit that it may"
            " have counted them on either side."
        )
    if b.paused_s or b.gap_s:
        yield f"    Left out here: {b.paused_s:.0f} s of pauses, {b.gap_s:.0f} s without samples."
    if b.moderate_bpm is not None:
        yield (
            f"    For your week your own limits hold, {b.moderate_bpm} and {b.vigorous_bpm} bpm: moderate {b.moderate_s:.0f} s,"
            f" vigorous {b.vigorous_s:.0f} s."
        )


def _row(numbers: Any, *, sign: bool = False) -> str:
    return "".join(f"{float(n):>+9.1f}" if sign else f"{float(n):>9g}" for n in numbers)


def _few(lines: list[str]) -> Iterator[str]:
    yield from lines[:_MANY]
    if len(lines) > _MANY:
        yield f"  and {len(lines) - _MANY} more such stretches"


def _min(minutes: float | None) -> str:
    return "unknown" if minutes is None else f"{minutes:.0f} min"


def _span(ms: int) -> str:
    """A length of time as people say it, to the millisecond below a minute."""
    if ms < MINUTE:
        return f"{ms / 1000:g} s"
    minutes, rest = divmod(ms, MINUTE)
    seconds = f" {rest / 1000:g} s" if rest else ""
    if minutes < 60:
        return f"{minutes} min{seconds}"
    return f"{minutes // 60} h {minutes % 60} min{seconds}"


def _iso(ms: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)).isoformat().replace("+00:00", "Z")


def _local(iso: str, zone: Calendar) -> str:
    moment = _there(datetime.fromisoformat(iso), zone)
    return f"{moment:%H:%M:%S}" + (f".{moment.microsecond // 1000:03d}" if moment.microsecond else "")


def _clock(ms: int, zone: Calendar, *, day: bool = False) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
    return f"{_there(moment, zone):{'%Y-%m-%d ' if day else ''}%H:%M}"


def _there(moment: datetime, zone: Calendar) -> datetime:
    """The moment on the clock of where the person was."""
    return moment.astimezone(ZoneInfo(zone.zone_on(zone.day_of(round(moment.timestamp() * 1000)))))
