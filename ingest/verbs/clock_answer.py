"""What is known of the time: the machine's clock, the boots that never learned it, and those that were placed by hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ingest.errors import Stop
from ingest.household import find_person
from ingest.journal import Journal
from ingest.journal.boots import Boot
from ingest.journal.dating import BATTERY, Observation, is_possible, last_word
from ingest.language import N_, Text
from ingest.rows.calendar import Calendar
from ingest.rows.profile import read_profile
from ingest.system.clock import Clock
from ingest.verbs.times import YEARS, day_and_time, local_ms, parse_moment, zone_at

SERVER = "server"

ROUNDED_MS = 60_000
"""A time is given to the minute: so much earlier may be meant."""

SHOWN = 8
"""Letters of a boot's number that are shown; nobody has two boots that begin with the same."""


@dataclass(frozen=True, slots=True)
class MachineClock:
    """Whether a time server keeps the clock now, and who vouches for it in this boot: nobody is None."""

    boot: str
    synchronized: bool
    vouched_by: str | None
    shown_ms: int

    def json(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return {
            "boot": self.boot,
            "synchronized": self.synchronized,
            "vouched_by": self.vouched_by,
            "shown_ms": self.shown_ms,
        }


def machine_clock(journal: Journal, clock: Clock) -> MachineClock:
    """How the clock of this machine is, and by what straps are dated that are heard now."""
    known = journal.observations(clock.boot)
    synchronized, wall_ms = clock.synchronized(), clock.wall_ms()
    vouched_by: str | None
    if synchronized or any(o.synchronized for o in known):
        vouched_by = SERVER
    elif known:
        last = last_word(known)
        vouched_by = last.believed if last else None
    else:
        possible = is_possible(wall_ms, journal.newest_right_ms(clock.boot))
        vouched_by = BATTERY if possible and clock.kept() else None
    return MachineClock(clock.boot, synchronized, vouched_by, wall_ms)


def boot_json(boot: Boot) -> dict[str, Any]:
    """A boot as `--json` prints it; times by its own clock are those that were shown, right or wrong."""
    return {
        "boot": boot.id,
        "shown_ms": boot.shown_ms,
        "placed_ms": boot.placed_ms,
        "lasted_s": (boot.last_ms - boot.first_ms) // 1000,
        "samples": boot.samples,
        "after_ms": boot.after_ms,
        "before_ms": boot.before_ms,
        "told": [{"person": t.person, "source": t.source, "samples": t.samples} for t in boot.told],
    }


def find_boot(boots: Sequence[Boot], word: str | None) -> Boot:
    """The boot whose number begins so; the only one there is where none is named. Raises Stop."""
    if word is None and len(boots) == 1:
        return boots[0]
    found = [b for b in boots if word and b.id.startswith(word.casefold())]
    if len(found) == 1:
        return found[0]
    if not boots:
        raise Stop(Text(N_("There is nothing to place: no strap told anything while nobody knew the time.")))
    words = (
        N_("Which of them? Put its number in front of the time; there are {numbers}.")
        if word is None
        else N_("There is no {number} to place or to take back; there are {numbers}.")
    )
    raise Stop(Text(words, number=word, numbers=", ".join(b.id[:SHOWN] for b in boots)))


def calendar_of(journal: Journal, name: str) -> Calendar | None:
    """The calendar of a person, by whose clock on the wall it is told when a boot was."""
    person = find_person(journal, name)
    return read_profile(journal, person.id).calendar if person else None


def parse_when(text: str) -> datetime:
    """A day and a time as a person writes them. Raises Stop."""
    try:
        moment = parse_moment(text)
    except ValueError:
        moment = None
    if isinstance(moment, datetime) and moment.year in YEARS:
        return moment
    words = N_("{text} is no day with a time; right would be {example}.")
    raise Stop(Text(words, text=text, example='"2026-11-20 18:30"'))


def place_ms(boot: Boot, when: datetime, calendar: Calendar, now: MachineClock) -> int:
    """When the first of what a boot told was heard. Raises Stop where it cannot have been then."""
    at_ms = local_ms(when, calendar)
    zone, lasted_ms = zone_at(calendar, at_ms), boot.last_ms - boot.first_ms
    if boot.after_ms is not None and at_ms + ROUNDED_MS <= boot.after_ms:
        words = N_(
            "It cannot have begun at {when}: the machine was on before it, and that was surely {after}. A later time is needed."
        )
        raise Stop(Text(words, when=day_and_time(at_ms, zone), after=day_and_time(boot.after_ms, zone)))
    ends = [at for at in (boot.before_ms, now.shown_ms if now.synchronized else None) if at is not None]
    if ends and at_ms + lasted_ms - ROUNDED_MS >= min(ends):
        words = N_(
            "It cannot have begun at {when}: it would have gone on until {end}, and the machine was started anew by {before}."
            " An earlier time is needed."
        )
        if min(ends) != boot.before_ms:
            words = N_(
                "It cannot have begun at {when}: it would have gone on until {end}, which is still to come."
            )
        end = day_and_time(at_ms + lasted_ms, zone)
        raise Stop(Text(words, when=day_and_time(at_ms, zone), end=end, before=day_and_time(min(ends), zone)))
    return at_ms


def check_over(at_ms: int, lasted_ms: int, now_ms: int, calendar: Calendar) -> None:
    """Raise Stop for what would go on into the future, or lies before all that a watch can write."""
    from ingest.formats.fit.era import ERA_MS

    if at_ms < ERA_MS:
        words = N_("It cannot have begun at {when}: watches count from 1990 on.")
        raise Stop(Text(words, when=day_and_time(at_ms, zone_at(calendar, at_ms))))
    if at_ms + lasted_ms > now_ms + ROUNDED_MS:
        zone = zone_at(calendar, at_ms)
        words = N_(
            "It cannot have begun at {when}: it would have gone on until {end}, which is still to come."
        )
        raise Stop(Text(words, when=day_and_time(at_ms, zone), end=day_and_time(at_ms + lasted_ms, zone)))


def right_now(clock: Clock) -> Observation:
    """The word of the owner that the clock of this machine is right at this moment. Raises Stop where it needs none."""
    from ingest.journal.dating import OWNER

    if clock.synchronized():
        raise Stop(
            Text(
                N_("The clock of this machine is kept right over the internet; nothing has to be said of it.")
            )
        )
    steady, wall = clock.steady_ms(), clock.wall_ms()
    if not is_possible(wall, None):
        words = N_("The clock of this machine shows {when}, which cannot be. Set it first: {command}")
        command = 'sudo date -s "2026-11-20 18:30"'
        raise Stop(Text(words, when=day_and_time(wall), command=command))
    return Observation(steady, wall, synchronized=False, offset_ms=wall - steady, believed=OWNER)
