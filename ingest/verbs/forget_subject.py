"""What is meant to be forgotten: a file, a workout by a time in it, or a stretch of time, of one person."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from ingest.errors import Stop
from ingest.grafana.sensor_names import sensor_names
from ingest.household import find_person, known_names, persons_called
from ingest.journal import Filed, Journal, Person
from ingest.journal.forgotten import Forgotten
from ingest.language import N_, Text, date_text
from ingest.language import gettext as _
from ingest.retelling import retold
from ingest.rows.profile import Profile, read_profile
from ingest.rows.workout import find_workouts
from ingest.settings.model import Settings
from ingest.verbs.clock_files import placed_files, with_placed
from ingest.verbs.times import YEARS, local_ms, time_of_day, zone_at
from ingest.verbs.workout_answer import find_workout
from zones.days import midnights

_DAY = r"\d{4}-\d{2}-\d{2}"
_TIME = r"\d{1,2}:\d{2}(?::\d{2})?"
_UNTIL = r"\s*(?:-|\u2013|to|until|tot)\s*"
_SPAN = re.compile(rf"({_DAY})[ T]({_TIME}){_UNTIL}(?:({_DAY})[ T])?({_TIME})(?:\s+(.*))?")
_DAYS = re.compile(rf"({_DAY})(?:{_UNTIL}({_DAY}))?(?:\s+(?!{_TIME})(.*))?")
_WEEK = re.compile(r"(\d{4})-?(W\d{1,2})(?:\s+(.*))?")
_MOMENT = re.compile(rf"({_DAY})[ T]({_TIME})(?:\s+(.*))?")


@dataclass(frozen=True, slots=True)
class ForgetSubject:
    """What of whom is to count no more, said in words, and where the file lies if it is one."""

    person: Person
    profile: Profile
    together: list[Forgotten]
    words: str
    file_at: str | None = None


def parse_forget(
    settings: Settings, journal: Journal, words: tuple[str, ...], source: str | None
) -> ForgetSubject:
    """What some words mean. Raises Stop where they mean nothing, or it is not clear whose it is."""
    if "." in words[0]:  # names of files often begin with a day
        return _of_file(journal, words[0], " ".join(words[1:]) or None)
    text = " ".join(words)
    if named := _named_time(journal, text):
        return _of_time(settings, journal, *named, source)
    if found := _MOMENT.fullmatch(text):
        person, profile = _one_person(journal, found[3])
        return _of_workout(settings, journal, (person, profile), f"{found[1]}T{found[2]:0>5}", source)
    return _of_file(journal, words[0], " ".join(words[1:]) or None)


def _named_time(journal: Journal, text: str) -> tuple[tuple[Person, Profile], tuple[int, int]] | None:
    """Whose time from when to when (ms) some words name; None where they name no stretch of it."""
    if found := _SPAN.fullmatch(text):
        day, begin, last_day, end, name = found.groups()
        person, profile = _one_person(journal, name)
        start_ms = _moment_ms(day, begin, profile)
        end_ms = _moment_ms(last_day or day, end, profile)
        if end_ms <= start_ms and last_day is None:
            end_ms = _moment_ms(str(date.fromisoformat(day) + timedelta(days=1)), end, profile)
        return (person, profile), (start_ms, end_ms)
    if found := _WEEK.fullmatch(text):
        from ingest.verbs.explain_subject import first_day_of

        person, profile = _one_person(journal, found[3])
        first = first_day_of(profile, f"{found[1]}-{found[2]}")
        return (person, profile), _days_ms(profile, first, first + timedelta(days=6))
    if found := _DAYS.fullmatch(text):
        person, profile = _one_person(journal, found[3])
        return (person, profile), _days_ms(profile, _day(found[1]), _day(found[2] or found[1]))
    return None


def _one_person(journal: Journal, name: str | None) -> tuple[Person, Profile]:
    persons = persons_called(journal, name)
    if len(persons) != 1:
        raise Stop(Text(N_("Whose? Put the name behind it; known: {names}."), names=known_names(journal)))
    return persons[0], read_profile(journal, persons[0].id)


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.min
    if day.year not in YEARS:
        raise Stop(Text(N_("There is no day {day}; right would be 2026-11-16."), day=text))
    return day


def _moment_ms(day: str, clock: str, profile: Profile) -> int:
    try:
        at = time.fromisoformat(f"{clock:0>5}" if clock.count(":") == 1 else f"{clock:0>8}")
    except ValueError as e:
        raise Stop(Text(N_("There is no time {time}; right would be 18:30."), time=clock)) from e
    return local_ms(datetime.combine(_day(day), at), profile.calendar)


# --- stretches of time ---


def _days_ms(profile: Profile, first: date, last: date) -> tuple[int, int]:
    a, b = midnights(profile.zone, first, last + timedelta(days=1))[[0, -1]].tolist()
    return a, b


def _of_workout(
    settings: Settings, journal: Journal, whose: tuple[Person, Profile], when: str, source: str | None
) -> ForgetSubject:
    """All of the time of the workout that went on at a time: another sensor would count in its place."""
    person, profile = whose
    workout = find_workout(journal, person, profile, when)
    if workout is None:
        words = N_(
            "{person} has no workout at {time}. Time without one is named from when to when: 2026-11-16 18:00 - 19:10."
        )
        raise Stop(Text(words, person=person.name, time=when.replace("T", " ")))
    return _of_time(settings, journal, whose, (workout.start_ms, workout.end_ms + 1), source)


def _of_time(
    settings: Settings,
    journal: Journal,
    whose: tuple[Person, Profile],
    span: tuple[int, int],
    source: str | None,
) -> ForgetSubject:
    person, profile = whose
    if span[0] >= span[1]:
        raise Stop(Text(N_("The time ends before it begins.")))
    sources: list[str | None] = [None] if source is None else [*_sources(settings, journal, person, source)]
    words = time_words(profile, *span)
    if source is not None:
        names = sensor_names(settings, journal)
        words += ", " + " + ".join(names.get(s or "", s or "") for s in sources)
    together = [
        Forgotten(0, person.id, name=words, source=s, from_ms=span[0], to_ms=span[1]) for s in sources
    ]
    if not journal.chunk_spans(person.id, span[0], span[1] - 1) and not find_workouts(
        journal, person.id, *span
    ):
        told = N_("Nothing that counts is recorded of {person} then: {time}.")
        raise Stop(Text(told, person=person.name, time=words))
    return ForgetSubject(person, profile, together, words)


def time_words(profile: Profile, from_ms: int, to_ms: int) -> str:
    """From when to when, on the clock of the person."""
    first, last = (profile.calendar.day_of(at) for at in (from_ms, to_ms - 1))
    begin, end = (time_of_day(at, zone_at(profile.calendar, at)) for at in (from_ms, to_ms))
    if begin == end == "00:00":
        days = date_text(first), date_text(last)
        return days[0] if first == last else _("{begin} to {end}").format(begin=days[0], end=days[1])
    ends = end if first == last else f"{date_text(profile.calendar.day_of(to_ms))} {end}"
    return _("{day}, {begin} to {end}").format(day=date_text(first), begin=begin, end=ends)


def _sources(settings: Settings, journal: Journal, person: Person, wanted: str) -> list[str]:
    """The sources of a person that are called so, by their names or by what people call them; several of one watch."""
    names = sensor_names(settings, journal)
    own = [s.name for s in journal.sources(person.id)]
    low = wanted.casefold()

    def exactly(s: str) -> bool:
        return low in {s.casefold(), names.get(s, s).casefold()}

    def of_one_watch(s: str) -> bool:
        return names.get(s, s).casefold().startswith(f"{low},")

    def in_part(s: str) -> bool:
        return low in s.casefold() or low in names.get(s, s).casefold()

    for fits in (exactly, of_one_watch, in_part):
        if found := [s for s in own if fits(s)]:
            return found
    known = ", ".join(names.get(s, s) for s in own)
    words = N_("{person} has no sensor {sensor}; known: {names}.")
    raise Stop(Text(words, person=person.name, sensor=wanted, names=known or "-"))


# --- files ---


def _of_file(journal: Journal, name: str, whose: str | None) -> ForgetSubject:
    files = journal.files_named(name)
    if not files:
        words = N_(
            "No file called {name} has come in, and it is no time (2026-11-16 18:00 - 19:10), day or week either."
        )
        raise Stop(Text(words, name=name))
    if whose is not None:
        (person,) = persons_called(journal, whose)
        others, files = files, [f for f in files if find_person(journal, f.person) == person]
        if not files:
            words = N_("The file {name} is not of {person}, but of {other}.")
            raise Stop(Text(words, name=name, person=person.name, other=others[0].person))
    owners = {f.person for f in files}
    if len(owners) > 1:
        names = ", ".join(sorted(owners))
        raise Stop(
            Text(N_("The file {name} came in for {names}. Put the name behind it."), name=name, names=names)
        )
    found = find_person(journal, files[0].person)
    assert found is not None
    return _one_arrival(journal, found, files, name)


def _one_arrival(journal: Journal, person: Person, files: list[Filed], name: str) -> ForgetSubject:
    """The files of one arrival that brought anything. Raises Stop where several are called so, or none counts."""
    named = {f.id for f in files}
    gone = journal.left_out(person.id).files
    counting: dict[int, list[tuple[int, str | None]]] = {}
    for arrival, brought in journal.arrivals_of(sorted(named)).items():
        some = [
            (file, at) for file, outcome, at in brought if file in named and outcome in {"stored", "partial"}
        ]
        if any(file not in gone for file, _at in some):
            counting[arrival] = some
    if not counting:
        f = files[0]
        if f.id in gone:
            raise Stop(Text(N_("The file {name} is forgotten already."), name=f.name))
        words = N_("The file {name} brought nothing that counts: it is {outcome}. {reason}")
        raise Stop(Text(words, name=f.name, outcome=Text(f.outcome), reason=retold(f.reason)))
    if len(counting) > 1:
        places = "\n  ".join(str(some[0][1]) for some in counting.values())
        words = N_("Several files are called {name}. Name one as it lies in the data folder:\n  {places}")
        raise Stop(Text(words, name=name, places=places))
    ((some),) = counting.values()
    named_ids = [file for file, _at in some]
    own = next((f for f in placed_files(journal) if f.copy.id in named_ids), None)
    shown, at = next(f.name for f in files if f.id in named_ids), some[0][1]
    if own is not None:  # the copy that was named is made of another one, in a folder that is gone
        shown, at = own.name, at if own.original is None else journal.place_of_file(own.original)[0]
    ids = journal.with_better_copies(with_placed(journal, named_ids))
    forgotten = Forgotten(0, person.id, files=tuple(ids), name=shown)
    words = _("the file {name}").format(name=shown)
    return ForgetSubject(person, read_profile(journal, person.id), [forgotten], words, at)


def find_forgotten(journal: Journal, words: tuple[str, ...]) -> tuple[Person, Forgotten]:
    """What is to be taken back: by its number, its file or the words that named its time, or what was forgotten last. Raises Stop."""
    held = [(p, f) for p in journal.persons() for f in journal.forgotten(p.id) if f.is_said]
    if not held:
        raise Stop(Text(N_("Nothing is forgotten.")))
    text = " ".join(words)
    found = [
        (p, f)
        for p, f in held
        if not text or text == str(f.position) or f.name == text or f.name.endswith("/" + text)
    ]
    if not (found := found or _forgotten_then(journal, text, held)):
        raise Stop(Text(N_("Nothing of that name is forgotten; `hartslag forget --list` shows what is.")))
    person, forgotten = max(found, key=lambda pair: pair[1].position)
    return person, forgotten


def _forgotten_then(
    journal: Journal, text: str, held: list[tuple[Person, Forgotten]]
) -> list[tuple[Person, Forgotten]]:
    """The forgotten time that words name as they did when it was forgotten; a moment names what it lies in."""
    if named := _named_time(journal, text):
        (person, _), span = named
        return [(p, f) for p, f in held if p == person and (f.from_ms, f.to_ms) == span]
    if found := _MOMENT.fullmatch(text):
        person, profile = _one_person(journal, found[3])
        at_ms = _moment_ms(found[1], found[2], profile)
        return [(p, f) for p, f in held if p == person and f.from_ms <= at_ms < f.to_ms]
    return []
