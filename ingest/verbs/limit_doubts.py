"""What speaks against the limits in use: devices that are set to different maxima, and limits that are older than a medicine."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from ingest.journal.device_maxima import newest_of_each_device
from ingest.language import day_text
from ingest.language import gettext as _
from ingest.rows.profile import Profile


@dataclass(frozen=True, slots=True)
class DeviceSays:
    """What a device was set to when it was last heard of."""

    device: str
    bpm: int


@dataclass(frozen=True, slots=True)
class LimitDoubts:
    """Why the limits of a person may be wrong today; nothing is changed by it."""

    person: str
    devices: tuple[DeviceSays, ...] = ()
    """Those of the last year, the highest first, where they differ among each other or from what is in use."""
    maximum_bpm: int | None = None
    """The maximum in use, where devices decide it."""
    medicine_since: date | None = None
    """When the medicine began that the limits in use are older than."""
    edges_bpm: tuple[int, int] = (0, 0)
    """Those limits."""

    def __bool__(self) -> bool:
        """Whether anything speaks against them."""
        return bool(self.devices) or self.medicine_since is not None

    def json(self) -> dict[str, Any]:
        """What `--json` prints of it."""
        return {
            "devices": [{"device": d.device, "maximum_bpm": d.bpm} for d in self.devices],
            "medicine_since": self.medicine_since and self.medicine_since.isoformat(),
        }

    def named(self, names: Mapping[str, str]) -> "LimitDoubts":
        """The same with what people call their devices."""
        return replace(
            self, devices=tuple(DeviceSays(names.get(d.device, d.device), d.bpm) for d in self.devices)
        )


def find_limit_doubts(person: str, profile: Profile, now_ms: int) -> LimitDoubts:
    """What speaks against the limits that are in use at a moment."""
    today = profile.calendar.day_of(now_ms)
    state = profile.state_on(today)
    edges = profile.timeline.edges_at(now_ms)
    if state.method is None and not state.medicine:
        maximum = profile.heart_at(now_ms)[1]
        newest = [d for d in newest_of_each_device(profile.devices, now_ms) if d.device]
        if newest and {d.bpm for d in newest} != {maximum}:
            said = tuple(DeviceSays(d.device, d.bpm) for d in newest)
            return LimitDoubts(person, said, maximum)
    elif state.medicine_since and edges and (state.method_since or date.min) < state.medicine_since:
        return LimitDoubts(
            person, medicine_since=state.medicine_since, edges_bpm=(edges.moderate_bpm, edges.vigorous_bpm)
        )
    return LimitDoubts(person)


def doubt_parts(doubts: LimitDoubts) -> Iterator[tuple[str, list[str], str]]:
    """What speaks against the limits, and what settles it: a paragraph, lines for the settings, a paragraph behind them."""
    if doubts.devices:
        said = ", ".join(f"{d.device} {d.bpm}" for d in doubts.devices)
        yield (
            _(
                "The devices of {name} are not set to one maximum heart rate (bpm): {devices}. The highest that one was"
                " ever set to is used, {maximum}. If you know your own, one line settles it:"
            ).format(name=doubts.person, devices=said, maximum=doubts.maximum_bpm),
            [f"maximum_bpm = {doubts.maximum_bpm}"],
            _('below the lines  [[person]]  and  name = "{name}", with your own number.').format(
                name=doubts.person
            ),
        )
    if doubts.medicine_since:
        yield (
            _(
                "Since {day} a medicine limits the heart rate of {name}, and the limits in use ({moderate} and {vigorous}"
                " bpm) are older than the medicine. Ask for new ones, from an exercise test or a"
                " physiotherapist, and add them to the entry [[person.profile]] of that day:"
            ).format(
                day=day_text(doubts.medicine_since),
                name=doubts.person,
                moderate=doubts.edges_bpm[0],
                vigorous=doubts.edges_bpm[1],
            ),
            ["moderate_bpm = 95", "vigorous_bpm = 115"],
            _("with the numbers that you were given."),
        )


def device_names(sources: Mapping[str, str]) -> dict[str, str]:
    """Device -> what people call it, from what they call its sources (`garmin-3942567890-activity`)."""
    found: dict[str, str] = {}
    for source, name in sources.items():
        device, _dash, part = source.removesuffix("-strap").rpartition("-")
        if device and part in {"activity", "monitoring"}:
            found.setdefault(device, name.partition(", ")[0])
    return found
