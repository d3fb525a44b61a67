"""Was this week enough? The answer in words and as JSON."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from ingest.errors import Stop
from ingest.household import known
from ingest.journal import ALWAYS_MS, Journal, Person
from ingest.rows.profile import profile
from ingest.rows.recount import Week, active_days, local_date, week, weeks_with_data
from zones.days import week_of
from zones.dose import dose_min
from zones.edges import Edges

_MINUTE_MS = 60_000
_BAR = 20


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
    edges: list[tuple[date | None, Edges]]

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
            "edges": [
                {
                    "from": begins.isoformat() if begins else None,
                    "moderate_bpm": e.moderate_bpm,
                    "vigorous_bpm": e.vigorous_bpm,
                    "method": e.method,
                    "origin": e.origin,
                }
                for begins, e in self.edges
            ],
        }


def shown(journal: Journal, name: str | None, most: int) -> list[Shown]:
    """The newest weeks with anything measured, newest first, of one person or of everybody.

    Raises Stop for a person whom the journal does not know.
    """
    everybody = journal.persons()
    if name is not None:
        wanted = known(journal, name)
        if wanted is None:
            names = ", ".join(p.name for p in everybody) or "nobody yet"
            raise Stop(f"Nobody called {name} is known here; known: {names}.")
        everybody = [wanted]
    found = [row for person in everybody for row in _weeks(journal, person, most)]
    return sorted(found, key=lambda row: row.first, reverse=True)


def _weeks(journal: Journal, person: Person, most: int) -> Iterator[Shown]:
    known = profile(journal, person.id)
    given = 0
    for first_day in weeks_with_data(journal, person, known.zone, -ALWAYS_MS, ALWAYS_MS):
        counted = week(journal, person, known, first_day)
        if int(counted.total.measured_ms[0]):
            given += 1
            yield _shown(counted)
        if given == most:
            return


def _shown(counted: Week) -> Shown:
    t = counted.total
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
        counted.profile.target_min,
        active_days(counted.days),
        (b - a) / 3_600_000,
        _edges(counted, a, b),
    )


def _edges(counted: Week, a: int, b: int) -> list[tuple[date | None, Edges]]:
    """The edges in force in the week, with the day they took effect; None if they always held."""
    line, zone = counted.profile.timeline, counted.profile.zone
    found: list[tuple[date | None, Edges]] = []
    for i, edges in enumerate(line.edges):
        begins, ends = line.governed(i)
        if edges is not None and begins < b and ends > a:
            found.append((None if begins == -ALWAYS_MS else local_date(begins, zone), edges))
    return found


def told(rows: list[Shown], today: date, settings_file: str) -> Iterator[str]:
    """The weeks in plain lines: of each person the newest in full, those before in a line each."""
    if not rows:
        yield "Nothing is measured yet. Drop FIT files into the inbox, or give them to `hartslag add`."
        return
    for name in dict.fromkeys(row.person for row in rows):
        mine = [row for row in rows if row.person == name]
        yield from _person(name, mine, week_of(today)[0], settings_file)
        yield ""
    yield "Minutes from a heart-rate sensor against a target of your own. Not a medical device."


def _person(name: str, rows: list[Shown], this_week: date, settings_file: str) -> Iterator[str]:
    newest = rows[0]
    if newest.first == this_week:
        yield f"{name}, this week: {_days(newest)}"
    else:
        yield f"{name}: nothing is measured this week yet. The newest week with data:"
        yield f"  {newest.week}, {_days(newest)}"
    yield ""
    yield f"  {_minutes(newest.dose_min)} of {_minutes(newest.target_min)} minutes  {_bar(newest)}"
    yield (
        f"  moderate {_minutes(newest.moderate_min)} min + 2 x vigorous {_minutes(newest.vigorous_min)} min;"
        f" light {_minutes(newest.light_min)} min; {_active(newest.active_days)}"
    )
    if newest.elevated_min >= 0.5:
        yield f"  {_minutes(newest.elevated_min)} min of raised heart rate without movement are not counted."
    away_h = newest.hours - newest.measured_min / 60
    yield f"  Measured {newest.measured_min / 60:.1f} h; {away_h:.0f} h not measured, so this is the least it can be."
    for begins, e in newest.edges:
        since = f" since {begins}" if begins else ""
        yield f"  Moderate from {e.moderate_bpm}, vigorous from {e.vigorous_bpm} bpm{since}: {e.origin}."
    if len(rows) > 1:
        yield ""
        for row in rows[1:]:
            yield (
                f"  {row.week}  {_minutes(row.dose_min):>5} of {_minutes(row.target_min)} min"
                f"  {_bar(row)}  measured {row.measured_min / 60:.0f} h"
            )
    if any(row.unclassified_min > 0 for row in rows):
        yield ""
        yield from unclassified_advice(name, sum(row.unclassified_min for row in rows), settings_file)


def unclassified_advice(name: str, minutes: float, settings_file: str) -> Iterator[str]:
    """How to have minutes counted whose person's limits are not known."""
    yield f"  {_minutes(minutes)} min are measured but not counted: nothing tells where moderate begins for {name}."
    yield f"  One line in {settings_file} mends that, with your own year of birth:"
    yield "      born = 1970"
    yield f'  below the lines  [[person]]  and  name = "{name}". A measured  maximum_bpm  is better than the year.'


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
