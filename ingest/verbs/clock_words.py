"""What is known of the time, in words."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ingest.language import N_, ngettext
from ingest.language import gettext as _
from ingest.verbs.clock_answer import SERVER, SHOWN, calendar_of
from ingest.verbs.clock_files import shortest_names, undated_lines, undated_text
from ingest.verbs.times import day_and_time, zone_at
from ingest.verbs.zone_table import duration_text

if TYPE_CHECKING:
    from ingest.journal import Journal
    from ingest.rows.calendar import Calendar
    from ingest.verbs.terminal import Terminal

_VOUCHED = {
    "battery": N_("Clock: not set over the internet; it is believed, as it ran on while the power was off."),
    "hand": N_("Clock: not set over the internet; it is believed, as somebody set it."),
    "earlier": N_("Clock: not set over the internet; it is believed, as the version before believed it."),
    "owner": N_("Clock: not set over the internet; it goes by what you said."),
}


def machine_clock_text(now: dict[str, Any]) -> str:
    """How the clock of this machine is, in one sentence or two."""
    if now["synchronized"]:
        return _("Clock: kept right over the internet.")
    if now["vouched_by"] == SERVER:
        return _(
            "Clock: not kept right over the internet just now; what straps tell goes by when it last was."
        )
    if now["vouched_by"] is not None:
        return _(_VOUCHED[now["vouched_by"]])
    return _(
        "Clock: it shows {time}, and nobody knows whether that is right: it was not set over the internet since the"
        " machine was started. What straps tell is kept, and counts once the time is known. Connect the machine to the internet, or set"
        " its clock; if it is right as it is: `hartslag clock --right`"
    ).format(time=day_and_time(now["shown_ms"]))


def boots_text(boots: int) -> str:
    """That so many boots wait for a time."""
    return ngettext(
        "Once straps told something while nobody knew the time. It is kept, and counts in no week until you say when it was:",
        "{n} times straps told something while nobody knew the time. It is kept, and counts in no week until you say when"
        " it was:",
        boots,
    ).format(n=boots)


def boot_text(boot: dict[str, Any], calendar: "Calendar | None") -> str:
    """What was told in a boot, how long, and when that can have been."""
    persons = _(" and ").join(dict.fromkeys(t["person"] for t in boot["told"]))
    told = ngettext("{n} heart rate", "{n} heart rates", boot["samples"]).format(n=boot["samples"])
    lasted = duration_text(boot["lasted_s"] / 60)
    parts = [
        _("{boot}: {told} of {persons} in {lasted}").format(
            boot=boot["boot"][:SHOWN], told=told, persons=persons, lasted=lasted
        )
    ]
    if boot["shown_ms"] is not None:
        parts.append(
            _("the clock showed {time}, which may be wrong").format(time=_moment(boot["shown_ms"], calendar))
        )
    if boot["after_ms"] is not None:
        parts.append(_("it was after {time}").format(time=_moment(boot["after_ms"], calendar)))
    if boot["before_ms"] is not None:
        parts.append(_("it was before {time}").format(time=_moment(boot["before_ms"], calendar)))
    return "; ".join(parts)


def place_text(boot: dict[str, Any]) -> str:
    """How it is said when a boot was."""
    text = _("To say when the first of it was heard: `hartslag clock {boot} {when}`")
    return text.format(boot=boot["boot"][:SHOWN], when='"2026-11-20 18:30"')


def placed_text(boot: dict[str, Any], calendar: "Calendar | None") -> str:
    """Where a boot was placed."""
    assert boot["placed_ms"] is not None
    return _(
        "{boot}: {persons}, from {begin} to {end}, as you said. To take that back: `hartslag clock {boot} --undo`"
    ).format(
        boot=boot["boot"][:SHOWN],
        persons=_(" and ").join(dict.fromkeys(t["person"] for t in boot["told"])),
        begin=_moment(boot["placed_ms"], calendar),
        end=_moment(boot["placed_ms"] + 1000 * boot["lasted_s"], calendar),
    )


def clock_lines(t: "Terminal", journal: "Journal", found: dict[str, Any]) -> Iterator[str]:
    """All that `clock` shows."""
    yield from t.wrap(machine_clock_text(found["clock"]), 0, 2)
    waiting, placed = found["waiting"], found["placed"]
    if waiting:
        yield ""
        yield from t.wrap(boots_text(len(waiting)), 0)
        for boot in waiting:
            yield from t.wrap(boot_text(boot, calendar_of(journal, boot["told"][0]["person"])), 2, 4)
        yield from t.wrap(place_text(waiting[-1]), 0)
    if placed:
        yield ""
        for boot in placed:
            yield from t.wrap(placed_text(boot, calendar_of(journal, boot["told"][0]["person"])), 0, 2)
    for f, name in zip(found["placed_files"], shortest_names(found["placed_files"]), strict=True):
        yield from t.wrap(_placed_file_text(f, name, calendar_of(journal, f["person"])), 0, 2)
    if files := found["files"]:
        yield ""
        yield from t.wrap(undated_text(len(files)), 0)
        for line in undated_lines(files):
            yield from t.wrap(line, 2, 4)
    if not waiting and not files:
        yield from t.wrap(_("Nothing waits for a time: it is known of all that straps told."), 0)


def _placed_file_text(f: dict[str, Any], name: str, calendar: "Calendar | None") -> str:
    """Where a file was placed; of a summary alone the file tells no samples, and so no time."""
    if f["from_ms"] is None:
        text = _("{boot}: {persons}, as you said. To take that back: `hartslag clock {boot} --undo`")
        return text.format(boot=name, persons=f["person"])
    return _(
        "{boot}: {persons}, from {begin} to {end}, as you said. To take that back: `hartslag clock {boot} --undo`"
    ).format(
        boot=name,
        persons=f["person"],
        begin=_moment(f["from_ms"], calendar),
        end=_moment(f["to_ms"], calendar),
    )


def _moment(ms: int, calendar: "Calendar | None") -> str:
    return day_and_time(ms, None if calendar is None else zone_at(calendar, ms))
