"""The settings put to work: whose files are whose, and what the journal holds of its persons."""

import logging
import os
import shlex
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from ingest.errors import Stop, TryLater
from ingest.journal import ALWAYS_MS, Filed, Journal, clock_ms
from ingest.journal import Person as Known
from ingest.journal.mended import Places
from ingest.language import N_, Text
from ingest.rows.profile import build_profile, differences
from ingest.rows.workout import find_workouts, sport_spans
from ingest.settings.installed import find_installed
from ingest.settings.machine_zone import follow, machine_zone, shell_zone, zone_in_force
from ingest.settings.model import Settings
from ingest.settings.names import NOBODY, is_nobody, same_name, watch_of_folder, wrong_with_name
from ingest.settings.person import PersonSettings
from ingest.system.files import make_folder
from ingest.system.lock import holder
from ingest.system.patience import always
from ingest.system.start import started_words

_log = logging.getLogger(__name__)


def open_journal(
    settings: Settings,
    *,
    create: bool,
    going_on: Callable[[], bool] = always,
    now_ms: Callable[[], int] = clock_ms,
    synced: bool = True,
) -> Journal:
    """The journal to write to, in which what the settings say of everybody named in them is recorded.

    `now_ms` is the clock by which all that is written to it came in; `synced` is as in `Journal`.
    Raises Stop when there is none and it must not be made, or it cannot be opened.
    """
    if create:
        make_data_folder(settings)
    journal = Journal(settings.journal_file, create=create, going_on=going_on, now_ms=now_ms, synced=synced)
    try:
        _adopt(journal, settings)
        for person in settings.persons:
            before = find_person(journal, person.name)
            name = before.name if before else person.name
            facts = _facts(journal, settings, person, before)
            noted = journal.profile(before.id) if before else None
            if record_profile(journal, name, facts, overwrite=True) and "zone" not in person.given:
                _say_moved(name, noted, facts)
    except BaseException:
        journal.close()
        raise
    return journal


def make_data_folder(settings: Settings) -> None:
    """The folder of everything, through which the group, and so Grafana, passes to the store. An error waits for the next."""
    with suppress(OSError):
        make_folder(settings.data, 0o750)


def view_journal(settings: Settings) -> "JournalView":
    """The journal to read from, as it will be once the settings are recorded; nothing is written.

    One that an older version wrote, or a crash left, is put in order first, if it is the asker's own. Raises Stop when
    there is none, or it cannot be read.
    """
    path = settings.journal_file
    try:
        return JournalView(settings)
    except Stop:
        if not path.exists() or os.geteuid() not in {0, path.stat().st_uid}:
            raise
        Journal(path, create=False).close()
        return JournalView(settings)


def typed_words(settings: Settings) -> list[str]:
    """How the program is called with these settings, from whichever folder; a verb follows."""
    if find_installed():
        return ["sudo", "hartslag"]
    file = ["--config", str(settings.file.absolute())] if settings.file else []
    return [*started_words(), *file, "--data", str(settings.data.absolute())]


def typed_add(settings: Settings, path: Path) -> str:
    """What to type so that a file is taken."""
    return shlex.join([*typed_words(settings), "add", str(path.absolute())])


class JournalView(Journal):
    """The journal, opened to read only, with what the settings say now laid over what was recorded of its persons.

    So whoever may read it may ask, and a change of the settings shows before the daemon has recorded it. A person whom
    the journal does not know yet has an id that nobody has.
    """

    def __init__(self, settings: Settings) -> None:
        """Raises Stop when there is no journal, or it cannot be opened."""
        super().__init__(settings.journal_file, readonly=True)
        self._facts: dict[int, dict[str, Any]] = {}
        self._new_names: dict[str, str] = {}
        try:
            self._persons = super().persons()
            self._lay_over(settings)
        except BaseException:
            self.close()
            raise

    def _lay_over(self, settings: Settings) -> None:
        if nobody := _unowned(self, settings):
            self._new_names = {nobody.name: settings.default_person}
            self._persons = [replace(p, name=self._new_names.get(p.name, p.name)) for p in self._persons]
        for i, person in enumerate(settings.persons):
            before = find_person(self, person.name)
            known = before or Known(-1 - i, person.name)
            if before is None:
                self._persons = [*self._persons, known]
            self._facts[known.id] = _facts(self, settings, person, before)

    def persons(self) -> list[Known]:
        return self._persons

    def person(self, name: str) -> Known | None:
        return next((p for p in self._persons if p.name == name), None)

    def profile(self, person: int) -> dict[str, Any] | None:
        return self._facts[person] if person in self._facts else super().profile(person)

    def files(self, outcome: str | None = None, latest: int = 1_000_000) -> list[Filed]:
        return self._renamed(super().files(outcome, latest))

    def files_named(self, name: str) -> list[Filed]:
        return self._renamed(super().files_named(name))

    def _renamed(self, files: list[Filed]) -> list[Filed]:
        return [replace(f, person=self._new_names.get(f.person, f.person)) for f in files]


def record_profile(journal: Journal, name: str, facts: Mapping[str, Any], *, overwrite: bool) -> bool:
    """Write into the journal what the settings say of a person, and return whether that is new.

    The entry touches exactly the time in which other numbers come of it. Without `overwrite` only a person of whom
    nothing is known yet is recorded.
    """
    known_person = journal.person(name)
    before = journal.profile(known_person.id) if known_person else None
    if before == dict(facts) or (before is not None and not overwrite):
        return False
    with journal.write() as w:
        person = w.person(name)
        spans = [(-ALWAYS_MS, ALWAYS_MS)]
        if before is not None:
            limits = journal.facts(person, "limits")
            workouts = find_workouts(journal, person)
            differ = differences(
                build_profile(before, limits),
                build_profile(facts, limits),
                lambda sport: sport_spans(workouts, sport),
            )
            # The last moment of a span is touched itself: it ends one before its end.
            spans = list(zip(differ.start.tolist(), (differ.end - 1).tolist(), strict=True))
        w.entry(person, "profile", w.now_ms, spans[0] if spans else None, dict(facts))
        for span in spans[1:]:
            w.entry(person, "touch", w.now_ms, span)
    return True


def _adopt(journal: Journal, settings: Settings) -> None:
    """Give what was collected while nobody was named to the first person that the settings name."""
    if nobody := _unowned(journal, settings):
        first = settings.default_person
        with journal.write() as w:
            w.rename(nobody.id, first)
        _log.info("What was collected for %r is %s's now, the first person in the settings.", NOBODY, first)


def _unowned(journal: Journal, settings: Settings) -> Known | None:
    """The person who stands for nobody in particular, if the first that the settings name is still to take their place."""
    nobody = journal.person(NOBODY)
    if nobody is None or settings.names_are_open or settings.person(NOBODY) is not None:
        return None
    return nobody if find_person(journal, settings.default_person) is None else None


def find_person(journal: Journal, name: str) -> Known | None:
    """The person of that name, however it is capitalised; None when the journal knows nobody so called."""
    return next((p for p in journal.persons() if same_name(p.name) == same_name(name)), None)


def find_person_by_part(journal: Journal, name: str) -> Known | None:
    """The person of that name, or the only one whose name begins with it as a word of its own: `Robin` for Robin Example."""
    begun = [p for p in journal.persons() if same_name(p.name).startswith(f"{same_name(name)} ")]
    return find_person(journal, name) or (begun[0] if len(begun) == 1 else None)


def persons_called(journal: Journal, name: str | None) -> list[Known]:
    """The person of that name, or everybody when none is given. Raises Stop when the journal knows nobody so called."""
    if name is None:
        return journal.persons()
    person = find_person_by_part(journal, name)
    if person is None:
        words = N_("Nobody called {name} is known here; known: {names}.")
        raise Stop(Text(words, name=name, names=known_names(journal)))
    return [person]


def known_names(journal: Journal) -> str:
    """Everybody whom the journal knows, for a message."""
    return ", ".join(p.name for p in journal.persons()) or Text(N_("nobody yet"))


def left_behind(settings: Settings, journal: Journal) -> list[tuple[str, str]]:
    """Persons with a history whom the settings do not name, as after a name was corrected there; and who it may be by now."""
    if settings.names_are_open:
        return []
    found = [p for p in journal.persons() if p.id > 0 and settings.person(p.name) is None]
    return [(p.name, _most_like(p.name, settings)) for p in found if journal.has_history(p.id)]


def _most_like(name: str, settings: Settings) -> str:
    """The name in the settings that comes nearest."""
    import difflib  # rarely needed, and slow to load

    def likeness(other: str) -> float:
        return difflib.SequenceMatcher(None, same_name(name), same_name(other)).ratio()

    return max((p.name for p in settings.persons), key=likeness)


def _facts(
    journal: Journal, settings: Settings, person: PersonSettings, before: Known | None
) -> dict[str, Any]:
    """What the settings say of a person. A time zone that they do not name is the machine's, and follows it."""
    facts = dict(person.facts())
    noted = journal.profile(before.id) if before else None
    if before and noted and "zone" in noted and "zone" not in person.given:
        del facts["zone"]
        facts |= _followed(journal, settings, before.id, noted)
    return dict(sorted(facts.items()))


def _followed(journal: Journal, settings: Settings, person: int, noted: Mapping[str, Any]) -> dict[str, Any]:
    """Where a person lives whose zone nobody names.

    From one zone to another only the daemon moves them, or the machine's own setting while none runs: a shell with a zone
    of its own would have days counted anew at every verb.
    """
    machine = machine_zone()
    if machine == zone_in_force(noted):
        return follow(noted, machine, date.min, may_move=False)
    daemon = holder(settings.data)
    may_move = daemon == os.getpid() or (daemon is None and not shell_zone())
    # A clock that is not set yet must not reach back into days that are counted.
    last = max((e.recorded_ms for e in journal.facts(person, "profile")), default=0)
    now = datetime.fromtimestamp(max(journal.now_ms(), last) / 1000, ZoneInfo(machine))
    return follow(noted, machine, now.date(), may_move=may_move)


def follow_machine_zone(journal: Journal, settings: Settings) -> None:
    """Note that the machine is set to another time zone, for all persons whose zone the settings do not name."""
    for person in settings.persons:
        known = find_person(journal, person.name)
        noted = journal.profile(known.id) if known else None
        if known and noted and "zone" in noted and "zone" not in person.given:
            others = {key: fact for key, fact in noted.items() if key not in {"zone", "moved"}}
            facts = dict(sorted((others | _followed(journal, settings, known.id, noted)).items()))
            if record_profile(journal, known.name, facts, overwrite=True):
                _say_moved(known.name, noted, facts)


def _say_moved(name: str, noted: Mapping[str, Any] | None, facts: Mapping[str, Any]) -> None:
    if noted and "zone" in noted and zone_in_force(noted) != zone_in_force(facts):
        words = "This computer is set to another time zone: the days of %s go by %s now, no longer by %s."
        _log.warning(words, name, zone_in_force(facts), zone_in_force(noted))


def register_person(journal: Journal, settings: Settings, name: str) -> str:
    """The journal's own spelling of a person's name, whom it now knows; for anybody who may send files."""
    if name == NOBODY and (first := first_of_lost_settings(journal, settings)):
        return first.name
    if before := find_person(journal, name):
        return before.name
    person = settings.person(name)
    if person is not None:
        record_profile(journal, person.name, person.facts(), overwrite=False)
        return person.name
    return name


def unnamed_owner(journal: Journal, settings: Settings) -> str:
    """Whose that is which comes for nobody in particular."""
    first = first_of_lost_settings(journal, settings)
    return first.name if first else settings.default_person


def first_of_lost_settings(journal: Journal, settings: Settings) -> Known | None:
    """The first person of whom settings told that are not there any more; None where nobody told of anybody.

    Theirs is what comes for nobody in particular, as it was before: the file may have been deleted, or lost with a card.
    """
    if not settings.names_are_open:
        return None
    nobody = journal.person(NOBODY)
    if nobody is not None and journal.has_history(nobody.id):
        return None
    for person in journal.persons():
        untold = PersonSettings(name=person.name).facts().keys() | {"moved"}
        if (journal.profile(person.id) or {}).keys() - untold:
            return person
    return None


def has_lost_settings(settings: Settings) -> bool:
    """Whether settings told of somebody that are not there any more, as far as the journal can say."""
    with suppress(TryLater, Stop), Journal(settings.journal_file, create=False, readonly=True) as journal:
        return first_of_lost_settings(journal, settings) is not None
    return False


def taker(journal: Journal, settings: Settings, name: str) -> tuple[str, Callable[[], str] | None]:
    """Who takes what came for that name; and what makes a person of a name that is only that of a folder so far."""
    known = find_person(journal, name) is not None
    if known or not settings.names_are_open or same_name(name) == same_name(settings.default_person):
        return register_person(journal, settings, name), None
    return settings.default_person, lambda: register_person(journal, settings, name)


def owner_of_folder(settings: Settings, folder: str) -> tuple[str | None, str]:
    """The person whose files lie in a folder below the inbox ('' for the inbox itself), or what to do about it.

    The uppermost folder tells. Below one whose name is nobody's a folder that is called as somebody in the settings does, else all
    is of whom the inbox is.
    """
    folder, *below = folder.split("/")
    if not folder:
        return settings.default_person, ""
    serial = watch_of_folder(folder)
    if serial is not None:
        owner = settings.owner_of_watch(serial)
        words = N_(
            "nobody knows whose watch this is; `hartslag status` shows the lines to add to the settings"
        )
        return owner, "" if owner else Text(words)
    if is_nobody(folder, *below[:1]):
        called = () if settings.names_are_open else map(settings.person, (folder, *below))
        return next((person.name for person in called if person is not None), settings.default_person), ""
    wrong = wrong_with_name(folder)
    if wrong:
        words = N_("the folder {folder!r} cannot be the name of a person: {wrong}")
        return None, Text(words, folder=folder, wrong=wrong)
    person = settings.person(folder)
    if person is not None:
        return person.name, ""
    words = N_(
        'nobody in the settings is called {folder!r}; add the lines  [[person]]  and  name = "{folder}"'
    )
    return None, Text(words, folder=folder)


def owner_in_archive(settings: Settings, path: Path) -> str:
    """Whose a file is that nobody is named for: in the archive it lies in the folder of its person."""
    archive = settings.archive.absolute()
    if path.absolute().is_relative_to(archive):
        _year, *folders, _name = path.absolute().relative_to(archive).parts
        if folders and settings.person(folders[0]) is not None:
            return folders[0]
    return settings.default_person


def places_of(settings: Settings) -> Places:
    """Where everything lies that mending the journal has to do with."""
    return Places(settings.journal_file, settings.data, settings.archive)
