"""What speaks against the limits in use: devices that are set to different maxima, and a medicine that began or ended since they were said."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

from ingest.journal.device_maxima import newest_of_each_device
from ingest.language import day_text
from ingest.language import gettext as _
from ingest.rows.profile import Profile
from ingest.settings.profile_history import ProfileState, day
from ingest.sports import sport_text


@dataclass(frozen=True, slots=True)
class DeviceSays:
    """What a device was set to when it was last heard of."""

    device: str
    bpm: int


@dataclass(frozen=True, slots=True)
class OldLimits:
    """Limits that are in use and of a time before a medicine, or of one that is over; of one sport, or without one of all others."""

    sport: str | None
    moderate_bpm: int
    vigorous_bpm: int


@dataclass(frozen=True, slots=True)
class LimitDoubts:
    """Why the limits of a person may be wrong today; nothing is changed by it."""

    person: str
    devices: tuple[DeviceSays, ...] = ()
    """Those of the last year, the highest first, where they differ among each other or from what is in use."""
    maximum_bpm: int | None = None
    """The maximum in use, where devices decide it."""
    by_device: str = ""
    """The device that was first set to it."""
    medicine_since: date | None = None
    """When the medicine began that the limits in use are older than, or for which none are known."""
    medicine_until: date | None = None
    """When the medicine ended in whose time the limits in use were said."""
    older: tuple[OldLimits, ...] = ()
    """Those limits, each to be asked for anew."""

    def __bool__(self) -> bool:
        """Whether anything speaks against them."""
        return bool(self.devices or self.older) or self.medicine_since is not None

    @property
    def are_missing(self) -> bool:
        """Whether there are no limits at all, as a medicine makes those wrong that could be guessed."""
        return self.medicine_since is not None and not self.older

    def json(self) -> dict[str, Any]:
        """What `--json` prints of it."""
        return {
            "devices": [{"device": d.device, "maximum_bpm": d.bpm} for d in self.devices],
            "used_of": self.by_device or None,
            "medicine_since": self.medicine_since and self.medicine_since.isoformat(),
            "medicine_until": self.medicine_until and self.medicine_until.isoformat(),
            "older_than_medicine": [] if self.medicine_until else [asdict(limits) for limits in self.older],
            "of_medicine": [asdict(limits) for limits in self.older] if self.medicine_until else [],
        }

    def named(self, names: Mapping[str, str]) -> "LimitDoubts":
        """The same with what people call their devices."""
        return replace(
            self,
            devices=tuple(DeviceSays(names.get(d.device, d.device), d.bpm) for d in self.devices),
            by_device=names.get(self.by_device, self.by_device),
        )


def find_limit_doubts(person: str, profile: Profile, now_ms: int) -> LimitDoubts:
    """What speaks against the limits that are in use at a moment."""
    today = profile.calendar.day_of(now_ms)
    state = profile.state_on(today)
    if state.method is None and not state.medicine:
        maximum = profile.heart_at(now_ms)[1]
        newest = [d for d in newest_of_each_device(profile.devices, now_ms) if d.device]
        if newest and {d.bpm for d in newest} != {maximum}:
            said = tuple(DeviceSays(d.device, d.bpm) for d in newest)
            of = min((d for d in profile.devices if d.bpm == maximum and d.device), default=None)
            return LimitDoubts(person, said, maximum, of.device if of else "")
    if state.medicine_since:
        older = tuple(_limits_said(profile, state, now_ms, date.min, state.medicine_since))
        if older or profile.timeline.edges_at(now_ms) is None:
            return LimitDoubts(person, medicine_since=state.medicine_since, older=older)
    elif state.medicine_over:
        of_it = tuple(_limits_said(profile, state, now_ms, *state.medicine_over))
        return LimitDoubts(person, medicine_until=state.medicine_over[1] if of_it else None, older=of_it)
    return LimitDoubts(person)


def _limits_said(
    profile: Profile, state: ProfileState, now_ms: int, first: date, behind: date
) -> Iterator[OldLimits]:
    """Those of the limits in use that were said from a day on, and before another one."""
    edges = profile.timeline.edges_at(now_ms)
    if edges and first <= (state.method_since or date.min) < behind:
        yield OldLimits(None, edges.moderate_bpm, edges.vigorous_bpm)
    for sport, entry in profile.sport_entries_on(profile.calendar.day_of(now_ms)).items():
        said = date.min if entry.get("from") is None else day(entry["from"])
        if entry.get("moderate_bpm") is not None and first <= said < behind:
            yield OldLimits(sport, entry["moderate_bpm"], entry["vigorous_bpm"])


def doubt_parts(doubts: LimitDoubts) -> Iterator[tuple[str, list[str], str]]:
    """What speaks against the limits, and what settles it: a paragraph, lines for the settings, a paragraph behind them."""
    if doubts.devices:
        said = ", ".join(f"{d.bpm} ({d.device})" for d in doubts.devices)
        of = str(doubts.maximum_bpm)
        if doubts.by_device:
            of = _("{bpm} of {device}").format(bpm=of, device=doubts.by_device)
        yield (
            _(
                "The devices of {name} are not set to one maximum heart rate (bpm): {devices}. The highest that one was"
                " ever set to is used, {maximum}. If you know your own, one line settles it:"
            ).format(name=doubts.person, devices=said, maximum=of),
            [f"maximum_bpm = {doubts.maximum_bpm}"],
            _('below the lines  [[person]]  and  name = "{name}", with your own number.').format(
                name=doubts.person
            ),
        )
    if doubts.are_missing:
        yield _missing_part(doubts)
    for older in doubts.older:
        yield _older_part(doubts, older)


def _missing_part(doubts: LimitDoubts) -> tuple[str, list[str], str]:
    """As `doubt_parts`: a medicine, and no limits that hold with it."""
    words = _(
        "Since {day} a medicine limits the heart rate of {name}, and no limits are known that hold with it: no minutes"
        " count from that day on. Limits from an exercise test or from a physiotherapist mend that, in the entry"
        " [[person.profile]] of that day:"
    )
    told = words.format(day=doubts.medicine_since and day_text(doubts.medicine_since), name=doubts.person)
    return told, ["moderate_bpm = 95", "vigorous_bpm = 115"], by_effort_text()


def by_effort_text() -> str:
    """What stands behind lines with limits that somebody has to have measured."""
    return _("with the numbers that you were given. By effort: you can talk but not sing is moderate.")


def _older_part(doubts: LimitDoubts, older: OldLimits) -> tuple[str, list[str], str]:
    """As `doubt_parts`: limits that are older than a medicine, or of the time of one."""
    lines = ["moderate_bpm = 95", "vigorous_bpm = 115"]
    since = doubts.medicine_until or doubts.medicine_since
    if doubts.medicine_until and older.sport is None:
        words = _(
            "The limits in use ({moderate} and {vigorous} bpm) are of the time of a medicine that limited the heart rate"
            " of {name} until {day}. Ask for new ones, from an exercise test or a physiotherapist, and add them to the"
            " entry [[person.profile]] of that day:"
        )
    elif older.sport is None:
        words = _(
            "Since {day} a medicine limits the heart rate of {name}, and the limits in use ({moderate} and {vigorous}"
            " bpm) are older than the medicine. Ask for new ones, from an exercise test or a"
            " physiotherapist, and add them to the entry [[person.profile]] of that day:"
        )
    elif doubts.medicine_until:
        words = _(
            "The limits for {sport} ({moderate} and {vigorous} bpm) are of the time of a medicine that limited the heart"
            " rate of {name} until {day}. Ask for new ones, from an exercise test or a physiotherapist, and add an entry"
            " of that day below that person:"
        )
    else:
        words = _(
            "Since {day} a medicine limits the heart rate of {name}, and the limits for {sport} ({moderate} and"
            " {vigorous} bpm) are older than the medicine. Ask for new ones, from an exercise test or a"
            " physiotherapist, and add an entry of that day below that person:"
        )
    if older.sport is not None:
        lines = ["[[person.sport]]", f'name = "{older.sport}"', f"from = {since}", *lines]
    told = words.format(
        day=since and day_text(since),
        name=doubts.person,
        sport=older.sport and sport_text(older.sport),
        moderate=older.moderate_bpm,
        vigorous=older.vigorous_bpm,
    )
    return told, lines, _("with the numbers that you were given.")


def device_names(sources: Mapping[str, str]) -> dict[str, str]:
    """Device -> what people call it, from what they call its sources (`garmin-3942567890-activity`)."""
    found: dict[str, str] = {}
    for source, name in sources.items():
        device, _dash, part = source.removesuffix("-strap").rpartition("-")
        if device and part in {"activity", "monitoring"}:
            found.setdefault(device, name.partition(", ")[0])
    return found
