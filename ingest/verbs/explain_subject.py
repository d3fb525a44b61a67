"""What `explain` is asked about: a time, a day, a week or a file, of one person."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from ingest.errors import Stop
from ingest.household import find_person, known_names, persons_called
from ingest.journal import Filed, Journal, Person
from ingest.language import N_, Text, date_text, said
from ingest.retelling import retold
from ingest.rows.calendar import Calendar
from ingest.rows.profile import Profile, read_profile
from ingest.verbs.clock_files import placed_copy
from ingest.verbs.times import YEARS, day_and_time, local_ms, zone_at
from zones.days import midnights
from zones.minutes import MINUTE


class NoTime(Stop):
    """What is known of a file that brought no time to explain: an answer all the same."""

    def __init__(self, text: str, file: Filed) -> None:
        super().__init__(text)
        self.file = file


@dataclass(frozen=True, slots=True)
class Subject:
    """The time of one person that is asked about, cut at the midnights within; a file if one was named.

    Of a file that had no date it is the copy to which somebody gave one, and `without_date` is its name.
    """

    name: str
    person: Person
    profile: Profile
    borders_ms: list[int]
    file: Filed | None = None
    whole_days: bool = False
    day: date | None = None
    without_date: str = ""

    @property
    def words(self) -> str:
        """What is asked about, in the language that is spoken; `name` is English, as `--json` has it."""
        return date_text(self.day) if self.day else said(self.name)

    @property
    def start_ms(self) -> int:
        return self.borders_ms[0]

    @property
    def end_ms(self) -> int:
        return self.borders_ms[-1]

    @property
    def is_minute(self) -> bool:
        return self.file is None and self.end_ms - self.start_ms == MINUTE


def parse_subject(journal: Journal, text: str, name: str | None) -> Subject:
    """What is meant by a time, a day, a week or a file.

    Raises NoTime for a file that brought none, Stop for what is none of these, and when it is not clear whose it is.
    """
    if found := re.fullmatch(r"(\d{4})-?(W\d{1,2})", text):
        person, profile = _one_person(journal, name)
        week = "-".join(found.groups())
        borders = _midnights(profile, first_day_of(profile, week), 7)
        return Subject(Text(N_("week {week}"), week=week), person, profile, borders, whole_days=True)
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text) and (files := journal.files_named(text)):
        return _file_subject(journal, files, name)
    person, profile = _one_person(journal, name)
    if (day := _parse_day(text)) is not None:
        borders = _midnights(profile, day, 1)
        name_of_day = f"{day:%A} {day.day} {day:%B %Y}"
        return Subject(name_of_day, person, profile, borders, whole_days=True, day=day)
    words, minute = _parse_minute(text, profile.calendar)
    return Subject(words, person, profile, [minute, minute + MINUTE])


def _one_person(journal: Journal, name: str | None) -> tuple[Person, Profile]:
    persons = persons_called(journal, name)
    if len(persons) != 1:
        words = N_("Whose? Put the name behind it, a name of several words in quotes; known: {names}.")
        raise Stop(Text(words, names=known_names(journal)))
    return persons[0], read_profile(journal, persons[0].id)


def _parse_day(text: str) -> date | None:
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
        raise Stop(Text(N_("There is no day {day}; right would be 2026-11-16."), day=text))
    return day


def _parse_minute(text: str, calendar: Calendar) -> tuple[str, int]:
    """The minute in which a time lies, in words and in ms; of an hour that the clock shows twice the first one.

    Raises Stop for what is no time, and for one that the clock skips.
    """
    try:
        when = datetime.fromisoformat(text)
        if when.year not in YEARS:
            raise ValueError(text)  # noqa: TRY301 - the same mistake as one that cannot be read
        minute = local_ms(when, calendar) // MINUTE * MINUTE
    except (ValueError, OverflowError) as e:
        told = N_(
            "{text} is no time (2026-11-16T10:30), no day (2026-11-16), no week (2026-W47), and no file of that name has"
            " come in."
        )
        raise Stop(Text(told, text=repr(text))) from e
    at = day_and_time(minute, zone_at(calendar, minute))
    words = Text(N_("the minute from {time}"), time=at)
    if when.tzinfo is None:
        zone = calendar.zone_on(when.date())
        first, second = (when.replace(tzinfo=ZoneInfo(zone), fold=fold) for fold in (0, 1))
        if first.astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) != when:
            told = N_(
                "There is no {time} in {zone}: the clock was set on over it. Ask for a time before or after."
            )
            raise Stop(Text(told, time=text, zone=zone))
        if first.utcoffset() != second.utcoffset():
            told = N_(
                "the minute from {time}, the first of two as the clock was set back; {other} asks for the other"
            )
            words = Text(told, time=at, other=second.isoformat(timespec="minutes"))
    return words, minute


def first_day_of(profile: Profile, week: str) -> date:
    """The first day of a week by its name, on whichever day the person's weeks begin."""
    year, number = week.split("-W")
    try:
        if not 1 <= int(number) <= 53 or int(year) not in YEARS:
            raise ValueError(week)  # noqa: TRY301 - the same mistake as one that cannot be read
        # Where weeks do not begin on Monday another year may be the one with 53 of them.
        thursday = date.fromisocalendar(int(year), 1, 4) + timedelta(weeks=int(number) - 1)
    except ValueError as e:
        raise Stop(Text(N_("There is no week {week}; right would be 2026-W47."), week=week)) from e
    name = f"{year}-W{int(number):02d}"
    around = (thursday + timedelta(days=i) for i in range(-9, 10))
    found = next((d for d in around if profile.calendar.week_of(d) == (d, name)), None)
    if found is None:
        raise Stop(Text(N_("There is no week {week} where weeks begin on this day."), week=week))
    return found


def _file_subject(journal: Journal, files: list[Filed], name: str | None) -> Subject:
    """The newest file of a name that brought anything, of a person if one is named."""
    owners = {f.person: find_person(journal, f.person) for f in files}
    if name is not None:
        (person,) = persons_called(journal, name)
        others, files = files, [f for f in files if owners[f.person] == person]
        if not files:
            words = N_("The file {name} is not of {person}, but of {other}.")
            raise Stop(Text(words, name=others[0].name, person=person.name, other=others[0].person))
    copies = {f.id: placed_copy(journal, f.id) for f in files}
    for named in files:
        f = copies.get(named.id) or named
        span, _ = journal.recorded_by_file(f.id)
        owner = owners[f.person]
        if span is None or owner is None or f.id in journal.left_out(owner.id).files:
            continue
        profile = read_profile(journal, owner.id)
        a, b = span[0], max(span[1], span[0] + 1)
        first, last = profile.calendar.day_of(a), profile.calendar.day_of(b - 1)
        inside = [m for m in _midnights(profile, first, (last - first).days + 1) if a < m < b]
        words = Text(N_("file {name}"), name=named.name)
        without_date = "" if f is named else named.name
        return Subject(words, owner, profile, [a, *inside, b], f, without_date=without_date)
    f = files[0]
    owner = owners[f.person]
    held = [x for x in journal.forgotten(owner.id) if f.id in x.files] if owner is not None else []
    if held and all(x.placing for x in held):
        words = N_(
            "The time given to {name} is taken back, so nothing of it counts. `hartslag clock` shows what waits for a time."
        )
        raise NoTime(Text(words, name=f.name.rsplit("/", maxsplit=1)[-1]), f)
    if held:
        words = N_(
            "The file {name} is forgotten, so nothing of it counts. `hartslag forget --undo {name}` takes that back."
        )
        raise NoTime(Text(words, name=f.name), f)
    words = N_("The file {name} brought no time to explain: it is {outcome}. {why}")
    raise NoTime(Text(words, name=f.name, outcome=Text(f.outcome), why=retold(f.reason)), f)


def _midnights(profile: Profile, first: date, days: int) -> list[int]:
    return [int(m) for m in midnights(profile.zone, first, first + timedelta(days=days))]
