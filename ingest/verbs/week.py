"""Was this week enough? The answer in words and as JSON."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import islice
from typing import Any

from ingest.errors import Stop
from ingest.household import find_person
from ingest.journal import ALWAYS_MS, Journal, Person
from ingest.rows.calendar import Calendar
from ingest.rows.profile import Profile, read_profile
from ingest.rows.week import Week, count_active_days, count_week, weeks_with_data
from zones.dose import dose_min
from zones.edges import Edges, Timeline

_MINUTE_MS = 60_000
_BAR = 20
_MANY = 3


@dataclass(frozen=True, slots=True)
class Shown:
    """A week's minutes as people read them; never rounded before they are summed."""

    person: str
    week: str
    first: date
    last: date
    light_min: float
    moderate_min: float
    vigorous_min: float
    elevated_min: float
    unclassified_min: float
    measured_min: float
    dose_min: float
    target_min: float
    active_days: int
    hours: float
    """How long the week was, or has been so far."""
    edges: list[tuple[date | None, Edges]]
    is_current: bool = False
    """Whether it is that week now, where the person is."""
    not_judged: str | None = None
    """Why the week is not judged, "" if nobody said why; None if it is."""
    bout_min: int | None = None
    sports: Mapping[str, list[tuple[date | None, Edges]]] = field(default_factory=dict)
    """The edges in the sports that have their own."""
    medicine_since: date | None = None
    """When the medicine began that limited the heart rate in the week so far."""
    still_to_come: tuple[str, ...] = ()
    """Weeks that begin after now and yet have something recorded, beside the newest week of a person."""
    last_seven_days: "Shown | None" = None
    """Today and the six days before it, beside the newest week of a person."""

    def json(self) -> dict[str, Any]:
        """What `week --json` prints of it."""
        numbers = (
            "light_min",
            "moderate_min",
            "vigorous_min",
            "elevated_min",
            "unclassified_min",
            "measured_min",
            "dose_min",
            "target_min",
            "active_days",
        )
        return {
            "person": self.person,
            "week": self.week,
            "from": self.first.isoformat(),
            "to": self.last.isoformat(),
            **{name: getattr(self, name) for name in numbers},
            "edges": _edges_json(self.edges),
            "sports": {sport: _edges_json(edges) for sport, edges in self.sports.items()},
            "not_measured_h": self.not_measured_h,
            "judged": self.not_judged is None,
            "not_judged_why": self.not_judged or None,
            "bout_min": self.bout_min,
            "still_to_come": list(self.still_to_come),
            "last_seven_days": self.last_seven_days and self.last_seven_days.minutes_json(),
        }

    @property
    def not_measured_h(self) -> float:
        """What no sensor saw of the week so far, in hours."""
        return max(self.hours - self.measured_min / 60, 0.0)

    @property
    def may_be_more(self) -> bool:
        """Whether so much was not measured that the minutes are only the least they can be."""
        return self.not_measured_h >= 0.5

    def minutes_json(self) -> dict[str, Any]:
        """The same of any days, held against nothing."""
        names = ("moderate_min", "vigorous_min", "dose_min", "measured_min", "active_days", "not_measured_h")
        days = {"from": self.first.isoformat(), "to": self.last.isoformat()}
        return {**days, **{name: getattr(self, name) for name in names}}


def shown(journal: Journal, name: str | None, most: int, now_ms: int | None = None) -> list[Shown]:
    """The newest weeks with anything measured, newest first, of one person or of everybody.

    Weeks that are still to come are passed over, unless a person has no others.

    Raises Stop for a person whom the journal does not know.
    """
    now_ms = journal.now_ms() if now_ms is None else now_ms
    found = [row for person in wanted(journal, name) for row in _weeks(journal, person, most, now_ms)]
    return sorted(found, key=lambda row: row.first, reverse=True)


def wanted(journal: Journal, name: str | None) -> list[Person]:
    """The person of a name, or everybody.

    Raises Stop for a person whom the journal does not know.
    """
    everybody = journal.persons()
    if name is None:
        return everybody
    found = find_person(journal, name)
    if found is None:
        names = ", ".join(p.name for p in everybody) or "nobody yet"
        raise Stop(f"Nobody called {name} is known here; known: {names}.")
    return [found]


def _weeks(journal: Journal, person: Person, most: int, now_ms: int) -> Iterator[Shown]:
    known = read_profile(journal, person.id)
    today = known.calendar.day_of(now_ms)
    held = weeks_with_data(journal, person, known)
    coming = tuple(known.calendar.week_of(d)[1] for d in reversed(held) if d > today)
    begun = [d for d in held if d <= today]
    for i, counted in enumerate(islice(_measured_in(journal, person, known, begun or held), most)):
        row = one(counted, now_ms)
        if i == 0:
            since = today - timedelta(days=6)
            rolling = counted if since == counted.first_day else count_week(journal, person, known, since)
            row = replace(row, last_seven_days=one(rolling, now_ms), still_to_come=coming)
        yield row


def _measured_in(journal: Journal, person: Person, known: Profile, first_days: list[date]) -> Iterator[Week]:
    """Those of the weeks in which anything is measured."""
    for first_day in first_days:
        counted = count_week(journal, person, known, first_day)
        if int(counted.total.measured_ms[0]):
            yield counted


def one(counted: Week, now_ms: int) -> Shown:
    """A counted week as people read it."""
    t, calendar = counted.total, counted.profile.calendar
    light, moderate, vigorous, elevated, unclassified = (int(c[0]) / _MINUTE_MS for c in t.columns)
    a, b = int(counted.borders_ms[0]), int(counted.borders_ms[-1])
    return Shown(
        counted.person.name,
        counted.name,
        counted.first_day,
        counted.first_day + timedelta(days=6),
        light,
        moderate,
        vigorous,
        elevated,
        unclassified,
        int(t.measured_ms[0]) / _MINUTE_MS,
        dose_min(moderate, vigorous),
        calendar.target(counted.first_day),
        count_active_days(counted.days),
        (min(b, max(now_ms, a)) - a) / 3_600_000,
        _edges(counted.profile.timeline, calendar, a, b),
        a <= now_ms < b,
        calendar.not_judged(counted.first_day),
        counted.profile.bout_min,
        {sport: _edges(line, calendar, a, b) for sport, line in counted.profile.sports.items()},
        counted.profile.medicine_in(
            counted.first_day, min(counted.first_day + timedelta(days=6), calendar.day_of(now_ms))
        ),
    )


def _edges(line: Timeline, calendar: Calendar, a: int, b: int) -> list[tuple[date | None, Edges]]:
    """The edges in force in the week, with the day they took effect; None if they always held."""
    found: list[tuple[date | None, Edges]] = []
    for i, edges in enumerate(line.edges):
        begins, ends = line.governed(i)
        if edges is not None and begins < b and ends > a:
            found.append((None if begins == -ALWAYS_MS else calendar.day_of(begins), edges))
    return found


def _edges_json(edges: list[tuple[date | None, Edges]]) -> list[dict[str, Any]]:
    return [
        {
            "from": begins.isoformat() if begins else None,
            "moderate_bpm": e.moderate_bpm,
            "vigorous_bpm": e.vigorous_bpm,
            "method": e.method,
            "origin": e.origin,
        }
        for begins, e in edges
    ]


def told(rows: list[Shown], settings_file: str) -> Iterator[str]:
    """The weeks in plain lines: of each person the newest in full, those before in a line each."""
    if not rows:
        yield "Nothing is measured yet. Drop FIT files into the inbox, or give them to `hartslag add`."
        return
    for name in dict.fromkeys(row.person for row in rows):
        mine = [row for row in rows if row.person == name]
        yield from _person(name, mine, settings_file)
        yield ""
    yield "Minutes from a heart-rate sensor against a target of your own. Not a medical device."


def _person(name: str, rows: list[Shown], settings_file: str) -> Iterator[str]:
    newest = rows[0]
    if newest.is_current:
        yield f"{name}, this week: {_days(newest)}"
    else:
        yield f"{name}: nothing is measured this week yet. The newest week with data:"
        yield f"  {newest.week}, {_days(newest)}"
    yield ""
    if newest.not_judged is None:
        yield f"  {least(newest)} of {_minutes(newest.target_min)} minutes  {_bar(newest)}"
    else:
        yield f"  {least(newest)} minutes{aside(newest)}"
    yield (
        f"  moderate {_minutes(newest.moderate_min)} min + 2 x vigorous {_minutes(newest.vigorous_min)} min;"
        f" light {_minutes(newest.light_min)} min; {_active(newest.active_days)}"
    )
    if newest.elevated_min >= 0.5:
        short = f" or in bouts shorter than {newest.bout_min} min" if newest.bout_min else ""
        yield f"  {_minutes(newest.elevated_min)} min of raised heart rate without movement{short} are not counted."
    so_far = " so far" if newest.is_current else ""
    so_least = ", so this is the least it can be" if newest.may_be_more else ""
    yield f"  {_measured(newest)}{so_far}{so_least}."
    rolling = newest.last_seven_days
    if rolling is not None and rolling.first != newest.first:
        yield f"  The last seven days: {least(rolling).lower()} minutes. {_measured(rolling)}."
    if newest.still_to_come:
        weeks = ", ".join(newest.still_to_come[:_MANY]) + (", ..." if newest.still_to_come[_MANY:] else "")
        yield f"  Files hold days that are still to come ({weeks}): the clock of a watch was wrong."
    yield from _limits(newest.edges, "Moderate")
    for sport, edges in newest.sports.items():
        yield from _limits(edges, f"In {sport} moderate")
    if len(rows) > 1:
        yield ""
        for row in rows[1:]:
            target = aside(row) or f" of {_minutes(row.target_min)} min  {_bar(row)}"
            yield f"  {row.week}  {_minutes(row.dose_min):>5}{target}  measured {row.measured_min / 60:.0f} h"
    yield from _unclassified(name, rows, settings_file)


def _unclassified(name: str, rows: list[Shown], settings_file: str) -> Iterator[str]:
    unclassified = [row for row in rows if row.unclassified_min > 0]
    limited = [row for row in unclassified if row.medicine_since is not None]
    unknown = [row for row in unclassified if row.medicine_since is None]
    if limited and limited[0].medicine_since:
        yield ""
        minutes = sum(row.unclassified_min for row in limited)
        yield from _medicine_advice(minutes, limited[0].medicine_since, settings_file)
    if unknown:
        yield ""
        yield from unclassified_advice(name, sum(row.unclassified_min for row in unknown), settings_file)


def _limits(edges: list[tuple[date | None, Edges]], what: str) -> Iterator[str]:
    for begins, e in edges:
        since = f" since {begins}" if begins and "since" not in e.origin else ""
        yield f"  {what} from {e.moderate_bpm}, vigorous from {e.vigorous_bpm} bpm{since}: {e.origin}."


def _medicine_advice(minutes: float, since: date, settings_file: str) -> Iterator[str]:
    yield f"  {_minutes(minutes)} min are measured but not counted: since {since} a medicine limits this heart rate,"
    yield "  so neither a formula by age nor the maximum in the watch is used. Limits from an exercise test or from a"
    yield f"  physiotherapist mend that, in an entry [[person.profile]] of {settings_file}:"
    yield "      moderate_bpm = 95"
    yield "      vigorous_bpm = 115"
    yield "  with the numbers that you were given. By effort: you can talk but not sing is moderate."


def unclassified_advice(name: str, minutes: float, settings_file: str) -> Iterator[str]:
    """How to have minutes counted whose person's limits are not known."""
    yield f"  {_minutes(minutes)} min are measured but not counted: nothing tells where moderate begins for {name}."
    yield f"  One line in {settings_file} mends that, with your own year of birth:"
    yield "      born = 1970"
    yield f'  below the lines  [[person]]  and  name = "{name}". A measured  maximum_bpm  is better than the year.'


def least(row: Shown) -> str:
    """The minutes of a week; where a part of it was not measured, they are the least that it can be."""
    return f"{'At least ' if row.may_be_more else ''}{_minutes(row.dose_min)}"


def aside(row: Shown) -> str:
    """That a week is held against nothing, and why; "" for any other week."""
    if row.not_judged is None:
        return ""
    return f", not to be judged{f' ({row.not_judged})' if row.not_judged else ''}"


def _measured(row: Shown) -> str:
    rest = f"; {int(row.not_measured_h + 0.5)} h not measured" if row.may_be_more else ""
    return f"Measured {row.measured_min / 60:.1f} h{rest}"


def _days(row: Shown) -> str:
    same_year = row.first.year == row.last.year
    first = f"{row.first.day} {row.first:%B}" + ("" if same_year else f" {row.first.year}")
    return f"{row.first:%A} {first} to {row.last:%A} {row.last.day} {row.last:%B} {row.last.year}"


def _minutes(value: float) -> str:
    return f"{value:.0f}"


def _active(days: int) -> str:
    return f"{days} active {'day' if days == 1 else 'days'}"


def _bar(row: Shown) -> str:
    full = min(int(row.dose_min / row.target_min * _BAR), _BAR)
    return "[" + "#" * full + "." * (_BAR - full) + "]"
