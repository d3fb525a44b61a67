"""What people call their sensors: names of the owner's own, or make and model; the journal's names of sources never change."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from ingest.grafana.watch_models import model_name
from ingest.journal import Journal
from ingest.language import N_, gettext
from ingest.language import gettext as _
from ingest.settings.model import Settings

STRAP, WATCH = N_("Strap"), N_("Watch of an unknown maker")
"""What stands where nothing is known."""

PARTS = {
    "monitoring": N_("all day"),
    "activity": N_("workouts"),
    "activity-strap": N_("workouts with a strap"),
    "activity-derived": N_("heart rates derived from beats"),
}
"""What tells sources of one watch apart, by the end of their names."""

_OF_WATCH = re.compile(
    r"(?P<device>(?P<maker>[a-z0-9_]*)(-(?P<unit>[a-z0-9_]*))?)-(?P<part>monitoring|activity-strap|activity-derived|activity)"
)


@dataclass(slots=True)
class Sensor:
    """One strap or watch: its name before others of the same name are thought of, whose it is, and its sources."""

    name: str
    persons: list[str]
    serial: str | None = None
    """Of a watch, in its files."""
    model: str | None = None
    named: bool = False
    """Whether its owner gave the name."""
    sources: dict[str, str] = field(default_factory=dict)
    """Source -> what tells it from others of this sensor, "" where nothing does."""


def sensor_names(settings: Settings, journal: Journal | None) -> dict[str, str]:
    """Source -> what people call it, in the language that is spoken; no two read the same. Without a journal only the straps in the settings have names."""
    names: dict[str, str] = {}
    for name, sensor in _told_apart(_sensors(settings, journal)):
        for source, part in sensor.sources.items():
            full = f"{name}, {gettext(part)}" if part and len(sensor.sources) > 1 else name
            names[source] = _free(full, names.values())
    return names


def with_names(lines: Iterable[str], settings: Settings, journal: Journal) -> Iterator[str]:
    """Lines in which sensors are called as their owners call them, or by make and model; a strap without a name keeps its address."""
    names: dict[str, str] = {}
    for name, sensor in _told_apart(_sensors(settings, journal)):
        for source, part in sensor.sources.items():
            # What is no name that files give may be a word of the sentence.
            if part or sensor.named:
                names[source] = f"{name}, {gettext(part)}" if part and len(sensor.sources) > 1 else name
    if not names:
        yield from lines
        return
    # The longest first: the name of one source may begin as that of another.
    of_source = "|".join(re.escape(source) for source in sorted(names, key=len, reverse=True))
    pattern = re.compile(rf"(?<![\w-])({of_source})(?![\w-])")
    for line in lines:
        yield pattern.sub(lambda found: names[found[0]], line)


def watches(settings: Settings, journal: Journal) -> list[Sensor]:
    """The watches that the journal knows by their serial numbers, each under the name that it has everywhere else."""
    return [replace(s, name=name) for name, s in _told_apart(_sensors(settings, journal)) if s.serial]


def _sensors(settings: Settings, journal: Journal | None) -> list[Sensor]:
    """Each once, those of the settings first: what is lent to another person keeps its name."""
    found = {
        s.source: Sensor(s.name or STRAP, [s.person], named=s.name is not None, sources={s.source: ""})
        for s in settings.straps
    }
    own = {w.serial: w.name for w in settings.watches if w.name}
    for person in journal.persons() if journal else ():
        assert journal is not None
        products = journal.products(person.id)
        for source, kind in _sources(journal, person.id).items():
            read = None if kind == "strap" else _OF_WATCH.fullmatch(source)
            device = read["device"] if read else source
            if device not in found:
                found[device] = (
                    _watch(read, products.get(device), own)
                    if read
                    else Sensor(STRAP if kind == "strap" else WATCH, [])
                )
            sensor = found[device]
            sensor.sources.setdefault(source, PARTS[read["part"]] if read else "")
            if person.name not in sensor.persons:
                sensor.persons.append(person.name)
    return list(found.values())


def _sources(journal: Journal, person: int) -> dict[str, str]:
    """The kinds of a person's sources, in the order in which they came."""
    kinds = {s.name: s.kind for s in sorted(journal.sources(person), key=lambda s: s.id)}
    return kinds | {name: "activity" for name in journal.sources_of_workouts(person) if name not in kinds}


def _watch(read: re.Match[str], product: str | None, own: Mapping[str, str]) -> Sensor:
    unit = read["unit"] or ""
    serial = unit if unit.isdecimal() else None
    model = model_name(read["maker"], product if serial else unit)
    named = serial in own
    return Sensor(own[serial or ""] if named else model or WATCH, [], serial, model, named)


def _told_apart(sensors: list[Sensor]) -> Iterator[tuple[str, Sensor]]:
    """Each with a name of its own: those of one name are told apart by their persons, or else numbered."""
    taken: list[str] = []
    for sensor in sensors:
        owners = [s.persons[0] for s in sensors if s.name == sensor.name]
        apart = len(owners) > 1 and len(set(owners)) == len(owners)
        name = sensor.name if sensor.named else gettext(sensor.name)
        taken.append(
            _free(
                _("{name} of {person}").format(name=name, person=sensor.persons[0]) if apart else name, taken
            )
        )
        yield taken[-1], sensor


def _free(name: str, taken: Collection[str]) -> str:
    """The name, or with the first number that makes it one of its own."""
    numbered = (_("{name} no. {number}").format(name=name, number=i) for i in range(2, len(taken) + 3))
    return next(n for n in (name, *numbered) if n not in taken)
