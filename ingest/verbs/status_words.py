"""How things stand, in words: what needs a hand with what to do about it, what is worth knowing, and what is fine."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from ingest.collect.outcome import NOT_READ_HERE, kinds_text
from ingest.language import N_, day_text, ngettext, number_text, said
from ingest.language import gettext as _
from ingest.log import quoted
from ingest.retelling import retold
from ingest.settings.names import watch_of_folder
from ingest.verbs.check_machine import LEAST_FREE_BYTES, low_space_line
from ingest.verbs.damage_words import damage_remarks
from ingest.verbs.left_behind import forgotten_text, left_behind_texts
from ingest.verbs.status_straps import LOW_PCT, QUIET_S
from ingest.verbs.times import age_text, day_and_time
from ingest.verbs.told_twice import told_twice_texts

if TYPE_CHECKING:
    from ingest.journal import Journal
    from ingest.settings.model import Settings

_MANY = 5

HAND, KNOW, FINE = "hand", "know", "fine"

HEADINGS = {HAND: N_("Needs a hand:"), KNOW: N_("Worth knowing:"), FINE: N_("Fine:")}

_IN_ORDER = {"connected", "connecting", "stopped", "searching"}
"""States of a strap that nobody must do anything about: one that is not worn is searched for."""


@dataclass(frozen=True, slots=True)
class Remark:
    """A sentence about how something stands, the group it belongs to, and lines that say more."""

    group: str
    text: str
    more: list[str] = field(default_factory=list)


def remarks(
    settings: "Settings", journal: "Journal", now: dict[str, Any], acts: frozenset[str]
) -> Iterator[Remark]:
    """All there is to say; `acts` are the names of the waiting files that a person must do something about."""
    yield _daemon(now)
    yield Remark(
        FINE,
        _("Settings: {file}").format(file=now["settings"])
        if now["settings"]
        else _("Settings: no file, so the defaults hold; `hartslag setup` makes one"),
    )
    if now["settings_in_force"] is False:
        yield Remark(
            HAND,
            _(
                "The settings were changed since the daemon started, and it does not know of it: start it anew (Ctrl-C"
                " where it runs, then `hartslag run`; if it is installed: `sudo systemctl restart hartslag`)."
            ),
        )
    yield from (remark for p in now["persons"] for remark in _about_person(settings, p))
    yield from (Remark(HAND, f"{seen}. {do}") for seen, do in left_behind_texts(settings, journal))
    if now["forgotten"]:
        yield Remark(KNOW, forgotten_text(len(now["forgotten"])))
    yield from _journal(now)
    if now["free_bytes"] < LEAST_FREE_BYTES:
        yield Remark(HAND, low_space_line(settings, now["free_bytes"]))
    yield from _files(settings, journal, now["inbox"], acts)
    yield from _watches_counting(now["judge"])
    yield from _offsets(settings, journal, now)
    yield from map(_store, now["stores"])
    yield from (Remark(HAND, retold(p["trouble"])) for p in now["parts"])
    if (pages := now["report"]) is not None:
        text = (
            _("Pages in {folder}: {what}")
            if pages["last_error"]
            else _("Pages in {folder}: renewed each day")
        )
        group = HAND if pages["last_error"] else FINE
        yield Remark(group, text.format(folder=pages["folder"], what=retold(pages["last_error"] or "")))
    if now["backup"] is not None:
        yield _backup(now["backup"])
    yield from _times(journal, now)
    yield from _undated(now["undated"])
    yield from _ahead(now["ahead"])
    yield from (Remark(HAND, text, _first(lines)) for text, lines in told_twice_texts(now["told_twice"]))
    yield from map(_strap, now["straps"])
    yield from (*map(_watch, now["watches"]), *map(_plugged, now["plugged"]))


def _daemon(now: dict[str, Any]) -> Remark:
    if now["daemon"]:
        return Remark(FINE, _("The daemon runs (process {number}).").format(number=now["daemon"]))
    return Remark(HAND, _("The daemon does not run: start it with `hartslag run`."))


def _backup(b: dict[str, Any]) -> Remark:
    from ingest.verbs.status_backup import backup_lines, needs_hand

    first, *more = backup_lines(b)
    return Remark(HAND if needs_hand(b) else KNOW if more else FINE, first, more)


def _person(settings: "Settings", p: dict[str, Any]) -> Remark:
    e = p["edges"]
    if e:
        text = _(
            "Person {name}: target {target} min a week, moderate from {moderate}, vigorous from {vigorous} bpm ({origin}),"
            " time zone {zone}"
        )
    elif p["medicine_since"]:
        text = _(
            "Person {name}: target {target} min a week, limits unknown: a medicine limits this heart rate since {since};"
            " give your own limits, time zone {zone}"
        )
    elif settings.names_are_open:
        text = _(
            "Person {name}: target {target} min a week, limits unknown: `hartslag setup` asks for what they are found by,"
            " time zone {zone}"
        )
    elif settings.person(p["name"]) is None:
        text = _(
            "Person {name}: target {target} min a week, limits unknown: the settings do not name this person; add the lines"
            "  [[person]],  name = {quoted}  and  born = YEAR,  time zone {zone}"
        )
    else:
        text = _(
            "Person {name}: target {target} min a week, limits unknown: add  born = YEAR  below this name in the settings,"
            " time zone {zone}"
        )
    return Remark(
        FINE if e else HAND,
        text.format(
            name=p["name"],
            quoted=quoted(p["name"]),
            target=number_text(p["target_min"]),
            moderate=e and e["moderate_bpm"],
            vigorous=e and e["vigorous_bpm"],
            origin=e and said(e["origin"]),
            since=p["medicine_since"] and day_text(date.fromisoformat(p["medicine_since"])),
            zone=p["zone"],
        ),
    )


def _about_person(settings: "Settings", p: dict[str, Any]) -> Iterator[Remark]:
    yield _person(settings, p)
    yield from map(_doubt, p["doubts"])
    if p["moved"]:
        yield _moved(p["name"], p["moved"])


def _moved(name: str, zones: dict[str, str]) -> Remark:
    """That a person's days go by another zone since the machine does."""
    text = _(
        "This computer was set to another time zone: the days of {name} go by {zone} now, no longer by {before}. If that is"
        ' wrong, add  zone = "{before}"  below this name in the settings.'
    )
    return Remark(KNOW, text.format(name=name, **zones))


def _doubt(d: dict[str, Any]) -> Remark:
    """What speaks against the limits in use, and the lines that settle it."""
    return Remark(KNOW, d["text"], [*(f"  {line}" for line in d["lines"]), d["more"]])


def _journal(now: dict[str, Any]) -> Iterator[Remark]:
    """How much is in the journal, and what of it is damaged or was."""
    j = now["journal"]
    text = _("Journal: {samples} and {beats} in {chunks}, {size} MB").format(
        samples=ngettext("{n} sample", "{n} samples", j["samples"]).format(n=j["samples"]),
        beats=ngettext("{n} beat", "{n} beats", j["beats"]).format(n=j["beats"]),
        chunks=ngettext("{n} chunk", "{n} chunks", j["chunks"]).format(n=j["chunks"]),
        size=number_text(j["bytes"] / 1e6, 1),
    )
    yield Remark(FINE, text)
    for needs_hand, told, more in damage_remarks(now["damage"]):
        yield Remark(HAND if needs_hand else KNOW, told, more)


def _files(
    settings: "Settings", journal: "Journal", i: dict[str, Any], acts: frozenset[str]
) -> Iterator[Remark]:
    text = _(
        "Files: {stored} stored, {duplicate} duplicate, {partial} partial, {rejected} rejected, {waiting} waiting in {inbox}"
    )
    yield Remark(FINE, text.format(**{**i, "inbox": settings.inbox_folder}))
    for group, title in (
        (HAND, N_("Files in the inbox wait for you:")),
        (FINE, N_("Files in the inbox wait for a moment:")),
    ):
        waiting = [
            f
            for f in i["files"]
            if (f["file"] in acts) == (group == HAND) and not _is_told_by_its_watch(settings, f["file"])
        ]
        if waiting:
            yield Remark(
                group, _(title), _first([f"{quoted(f['file'])}: {retold(f['why'])}" for f in waiting])
            )
    if i["passed_over"]:
        lines = [_files_in(f, kinds_text(f["kinds"])) for f in i["passed_over"]]
        text = _(
            "Files in folders of the inbox that are no FIT files, as pictures and documents, are passed over, and stay where they are:"
        )
        lines = _first(lines)
        if any(f["kinds"].keys() & NOT_READ_HERE for f in i["passed_over"]):
            lines.append(_("GPX and TCX are not read here: have those workouts exported as FIT."))
        yield Remark(KNOW, text, lines)
    if i["left_by_systems"]:
        text = _(
            "In folders of the inbox that a system made for itself, as for what was deleted, lie FIT files that are not taken; move"
            " what is to count into the inbox:"
        )
        yield Remark(KNOW, text, _first([_files_in(f) for f in i["left_by_systems"]]))
    for outcome, title in (
        (N_("rejected"), N_("Files that could not be read were set aside:")),
        (N_("partial"), N_("Of damaged files what could be read was taken:")),
    ):
        undated = _without_date(journal) if outcome == "partial" else set()
        found = [f for f in journal.files(outcome, _MANY + len(undated)) if f.id not in undated][:_MANY]
        if found:
            lines = [
                f"{_(outcome)} {day_and_time(f.received_ms)} {quoted(f.name)}: {retold(f.reason)}"
                for f in found
            ]
            yield Remark(KNOW, _(title), lines)


def _files_in(found: dict[str, Any], kinds: str = "") -> str:
    """How many files lie in a folder, and of which kinds."""
    text = ngettext("{folder}: {n} file", "{folder}: {n} files", found["files"]).format(
        folder=quoted(found["folder"]), n=found["files"]
    )
    return f"{text} ({kinds})" if kinds else text


def _without_date(journal: "Journal") -> set[int]:
    """Files whose watch did not know the date: they are not damaged, and told of elsewhere, or placed by now."""
    return {e.file for p in journal.persons() for e in journal.facts(p.id, "undated") if e.file is not None}


def _watches_counting(judge: dict[str, Any] | None) -> Iterator[Remark]:
    from ingest.verbs.zone_check import is_close, zone_check_text

    if judge is not None:
        yield Remark(FINE if is_close(judge) else KNOW, zone_check_text(judge))


def _times(journal: "Journal", now: dict[str, Any]) -> Iterator[Remark]:
    """Whether it is known when the straps tell what they tell, and what is not dated yet."""
    from ingest.verbs.clock_answer import calendar_of
    from ingest.verbs.clock_words import boot_text, boots_text, machine_clock_text, place_text

    current = now["clock"]
    if current:
        yield Remark(FINE if current["vouched_by"] else HAND, machine_clock_text(current))
    # That of the boot which goes on may still be learned by itself.
    waiting = [b for b in now["boots"] if current is None or b["boot"] != current["boot"]]
    if waiting:
        lines = [boot_text(b, calendar_of(journal, b["told"][0]["person"])) for b in waiting]
        yield Remark(HAND, boots_text(len(waiting)), [*_first(lines), place_text(waiting[-1])])


def _undated(files: list[dict[str, Any]]) -> Iterator[Remark]:
    """Workouts whose watch did not know the date."""
    from ingest.verbs.clock_files import undated_lines, undated_text

    if files:
        lines = [*undated_lines(files[:_MANY])]
        more = [_("and {n} more").format(n=len(files) - _MANY)] if len(files) > _MANY else []
        yield Remark(HAND, undated_text(len(files)), [*lines, *more])


def _ahead(files: list[dict[str, Any]]) -> Iterator[Remark]:
    """Workouts of days that are still to come."""
    if files:
        text = _(
            "These files tell of days that are still to come: set the clock of their watch, and have them not count:"
        )
        lines = [
            _("{file} of {person} begins on {time}: `hartslag forget {name}`").format(
                file=quoted(f["file"]),
                person=f["person"],
                time=f["begins"],
                name=shlex.quote(f["file"].rsplit("/", maxsplit=1)[-1]),
            )
            for f in files
        ]
        yield Remark(HAND, text, _first(lines))


def _offsets(settings: "Settings", journal: "Journal", now: dict[str, Any]) -> Iterator[Remark]:
    """Sensors whose clocks disagree."""
    if now["clocks"]:
        from ingest.grafana.sensor_names import sensor_names
        from ingest.verbs.clock_offsets import offset_text

        names = sensor_names(settings, journal)
        zones = {p["name"]: p["zone"] for p in now["persons"]}
        yield from (Remark(HAND, offset_text(c, zones.get(c["person"]), names)) for c in now["clocks"])


def _store(s: dict[str, Any]) -> Remark:
    if s["behind"]:
        oldest = age_text(s["oldest_waiting_s"])
        text = (
            ngettext(
                "Store {name}: {behind} entry behind, for {duration}; last error: {error}",
                "Store {name}: {behind} entries behind, the oldest for {duration}; last error: {error}",
                s["behind"],
            )
            if s["last_error"]
            else ngettext(
                "Store {name}: {behind} entry behind, for {duration}",
                "Store {name}: {behind} entries behind, the oldest for {duration}",
                s["behind"],
            )
        )
    else:
        oldest = ""
        text = _store_at_the_end(s)
    more = []
    if s["refused"]:
        more = [
            ngettext(
                "{rows} row is refused by the server and kept here; `hartslag retry` sends it again:",
                "{rows} rows are refused by the server and kept here; `hartslag retry` sends them again:",
                s["refused"],
            ).format(rows=s["refused"]),
            *_first(
                [
                    f"{day_and_time(r['since_ms'])} {quoted(r['row'])}: {retold(r['why'])}"
                    for r in s["refusals"]
                ]
            ),
        ]
    told = text.format(
        name=s["name"], behind=s["behind"], duration=oldest, error=retold(s["last_error"] or "")
    )
    return Remark(HAND if s["last_error"] or s["refused"] else FINE, told, more)


def _store_at_the_end(s: dict[str, Any]) -> str:
    """What to say of a store that lacks nothing but what came in lately."""
    if s["last_error"]:
        return _("Store {name}: not written to; last error: {error}")
    if s["refused"]:
        return _("Store {name}: up to date, but for what the server does not take")
    if s["on_the_way"]:
        return (
            _("Store {name}: nothing is there yet; it is being filled")
            if s["is_new"]
            else _("Store {name}: up to date, but for what came in a moment ago and follows by itself")
        )
    return _("Store {name}: up to date")


# --- sensors ---


def _strap(s: dict[str, Any]) -> Remark:
    called = " ".join(filter(None, (s["name"] and quoted(s["name"]), s["address"] or s["serial"])))
    text = _("Strap {strap} of {person}: {facts}").format(
        strap=called, person=s["person"], facts=", ".join(_strap_facts(s))
    )
    more, group = [], FINE
    if s["state"] not in {"connected", "connecting", "stopped"}:
        more.append(". ".join(filter(None, (retold(s["why"] or ""), _(s["advice"])))))
        group = FINE if s["state"] in _IN_ORDER else HAND
    elif s["state"] == "connected" and (s["age_s"] or 0) > QUIET_S:
        more.append(_("it is connected and tells no heart rate: not worn?"))
        group = KNOW
    if s["battery_pct"] is not None and s["battery_pct"] <= LOW_PCT:
        more.append(_("its battery is low: change it soon."))
        group = HAND
    return Remark(group, text, more)


def _strap_facts(s: dict[str, Any]) -> Iterator[str]:
    state = _(s["state"])
    yield (
        _("{state} since {time}").format(state=state, time=day_and_time(s["since_ms"]))
        if s["since_ms"]
        else state
    )
    if s["age_s"] is not None:
        yield _("last heard {age} ago").format(age=age_text(s["age_s"]))
    if s["battery_pct"] is not None:
        yield _("battery {percent} %").format(percent=s["battery_pct"])
    if s["signal_dbm"] is not None:
        yield _("signal {dbm} dBm").format(dbm=s["signal_dbm"])
    if s["samples_24h"] or s["gaps_24h"]:
        samples = ngettext("{n} sample", "{n} samples", s["samples_24h"]).format(n=s["samples_24h"])
        gaps = ngettext("{n} gap", "{n} gaps", s["gaps_24h"]).format(n=s["gaps_24h"])
        yield _("{samples} and {gaps} in 24 h").format(samples=samples, gaps=gaps)
    if s["reconnects"]:
        yield ngettext("connected anew once", "connected anew {n} times", s["reconnects"]).format(
            n=s["reconnects"]
        )


def _watch(w: dict[str, Any]) -> Remark:
    words = _("Watch {watch}, serial number {serial}, of {persons}")
    watch = w["name"]
    if w["named"]:
        watch = f"{quoted(watch)}, {w['model'] or _('model unknown')}"
    elif not w["model"]:
        words = _("{watch}, serial number {serial}, of {persons}")
    return Remark(FINE, words.format(watch=watch, serial=w["serial"], persons=_(" and ").join(w["persons"])))


def _plugged(w: dict[str, Any]) -> Remark:
    """A watch that was plugged in: how that went, and the lines to add where nobody knows whose it is."""
    from ingest.verbs.fetch_words import needs_a_hand, whose_is_it

    text = _("{sentence} ({age} ago)").format(sentence=w["sentence"], age=age_text(w["age_s"]))
    more = [whose_is_it(), *(f"  {line}" for line in w["add"])] if w["add"] else []
    return Remark(HAND if more or needs_a_hand(w) else KNOW if w["state"] == "fetching" else FINE, text, more)


def _is_told_by_its_watch(settings: "Settings", name: str) -> bool:
    """Whether these files wait for the line of a watch, which stands with the watch itself."""
    serial = watch_of_folder(name.split("/", maxsplit=1)[0])
    return bool(serial) and name.endswith("/") and (settings.watch_folder / f"{serial}.json").exists()


def _first(texts: list[str]) -> list[str]:
    rest = len(texts) - _MANY
    return texts[:_MANY] + ([_("and {n} more").format(n=rest)] if rest > 0 else [])
