"""Why time counts as it does, in words: what it amounts to, limits, sources, samples, and what the watch itself says."""

import shlex
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ingest.language import N_, ngettext, number_text, said
from ingest.language import gettext as _
from ingest.retelling import retold
from ingest.sports import sport_text
from ingest.verbs.terminal import cells, padded
from ingest.verbs.times import day_and_time, length_text, plain_number, time_to_the_ms, zone_at

if TYPE_CHECKING:
    from ingest.rows.account import Share
    from ingest.rows.calendar import Calendar
    from ingest.rows.profile import Profile
    from ingest.verbs.explain_subject import Subject
    from ingest.verbs.explanation import ExplainedSample, Explanation, MaskedRun
    from ingest.verbs.watch_comparison import ClaimComparison, ZoneComparison
    from zones.edges import Edges

_MANY = 12
"""Lines of one sort that are shown; JSON holds all of them."""

_NAMES, _NUMBERS = 26, 9
"""Columns of a table: what stands before its numbers, and each of them."""

_LENGTHS = 14
"""Columns of lengths of time at least."""

_STEP = {
    "limits_and_rules": N_("its own limits and rules, which its maker does not publish, against your limits"),
    "no_movement": N_("it saw no movement"),
    "not_believed": N_("what its sensor said is not believed"),
    "other_sources": N_("another source is believed first, or recorded while it did not"),
}

_MEANING = {
    "LIGHT": N_("light: below moderate"),
    "MODERATE": N_("moderate: counts once"),
    "VIGOROUS": N_("vigorous: counts twice"),
    "ELEVATED": N_(
        "elevated, does not count: heart rate at or above moderate while an all-day watch saw no movement"
    ),
    "UNCLASSIFIED": N_("measured, does not count: no limits are known for this time"),
}

_REASON = {
    "paused": N_("the timer of the watch was paused"),
    "masked": N_("what the sensor said is not believed"),
    "gap": N_("no sample for longer than one may stand for"),
    "nothing": N_("nothing recorded"),
}

_ZONES = {
    "light": N_("light"),
    "moderate": N_("moderate"),
    "vigorous": N_("vigorous"),
    "elevated": N_("elevated"),
    "unclassified": N_("unclassified"),
}

_KINDS = {"strap": N_("strap"), "activity": N_("activity"), "monitoring": N_("monitoring")}


def file_lines(subject: "Subject") -> Iterator[str]:
    """What there is to say of the file that is asked about: who gave it its time, and what was odd in it."""
    if subject.file is None:
        return
    if subject.without_date:
        text = _(
            "Its watch had no date: somebody said when it began. To take that back: `hartslag clock {file} --undo`"
        )
        name = shlex.quote(subject.without_date.rsplit("/", maxsplit=1)[-1])
        yield f"  {text.format(file=name)}"
    if subject.file.reason:
        yield f"  {retold(subject.file.reason)}"


def total_lines(x: "Explanation") -> Iterator[str]:
    """What the time amounts to, zone by zone, and what of it is not measured."""
    from zones.minutes import Zone

    bout_min = x.subject.profile.bout_min
    counted = [*x.account.zones_ms.tolist(), *x.account.not_measured_ms.values()]
    width = max([_LENGTHS, *(cells(length_text(ms)) for ms in counted)])
    for sort, ms in zip(Zone, x.account.zones_ms.tolist(), strict=True):
        if ms:
            meaning = _(_MEANING[sort.name])
            if bout_min and sort == Zone.ELEVATED:
                short = _("{meaning}, or effort shorter than {minutes} min")
                meaning = short.format(meaning=meaning, minutes=bout_min)
            yield f"  {padded(length_text(ms), width, right=True)}  {meaning}"
    for why, ms in x.account.not_measured_ms.items():
        if ms:
            text = _("not measured: {why}").format(why=_(_REASON[why]))
            yield f"  {padded(length_text(ms), width, right=True)}  {text}"
    if not x.subject.is_minute:
        text = _("{minutes} min  adds to the week: moderate + 2 x vigorous")
        yield f"  {text.format(minutes=number_text(x.dose_min, 1).rjust(width - len(' min')))}"


def edge_lines(
    edges: "list[tuple[int, Edges | None]]", profile: "Profile", sport: str | None = None
) -> Iterator[str]:
    """Where moderate and vigorous begin, since when, and why; of a sport where one is named."""
    from ingest.verbs.explanation import FIRST_MS

    what = _("In {sport} moderate").format(sport=sport_text(sport)) if sport else _("Moderate")
    for begins, e in edges:
        since = ""
        if begins >= FIRST_MS:
            since = _(" since {time}").format(time=moment(begins, profile.calendar))
        if e is not None:
            text = _(
                "{moderate_text} from {moderate}, vigorous from {vigorous} bpm{since} (method {method}): {origin}."
            )
            told = text.format(
                moderate_text=what,
                moderate=e.moderate_bpm,
                vigorous=e.vigorous_bpm,
                since=since,
                method=e.method,
                origin=said(e.origin),
            )
            yield f"  {told}"
        elif since and _begins_with_medicine(profile, begins):
            text = _(
                "No limits are known{since}: a medicine limits this heart rate, so only limits of your own are used."
            )
            yield f"  {text.format(since=since)}"
        else:
            text = _("No limits are known{since}.").format(since=since)
            yield f"  {text}"
    if not edges:
        text = _("No limits are known: nothing tells where moderate begins.")
        yield f"  {text}"


def _begins_with_medicine(profile: "Profile", begins_ms: int) -> bool:
    """Whether a medicine that limits the heart rate begins on the day of a moment."""
    on = profile.calendar.day_of(begins_ms)
    medicine = profile.medicine_in(on, on)
    return medicine is not None and medicine.since == on


def source_lines(s: "Share") -> Iterator[str]:
    """For how much of the time a source was believed, and why not for the rest of what it recorded."""
    believed = length_text(int(s.zones_ms.sum()))
    if s.source.kind == "summary":
        text = _("{source}: {length} by the watch's own word, no sample tells of them")
        yield f"  {text.format(source=s.source.name, length=believed)}"
        return
    samples = ngettext("{n} sample", "{n} samples", s.samples).format(n=s.samples)
    text = _("{source} ({kind}, {samples}): believed for {length}")
    kind = _(_KINDS.get(s.source.kind, s.source.kind))
    yield f"  {text.format(source=s.source.name, kind=kind, samples=samples, length=believed)}"
    for name, ms in s.lost_ms.items():
        text = _("{length} not used: {source} saw the same time and is believed first")
        yield f"    {text.format(length=length_text(ms), source=name)}"
    for ms, why in ((s.paused_ms, "paused"), (s.masked_ms, "masked"), (s.gap_ms, "gap")):
        if ms:
            text = _("{length} nothing of it: {why}").format(length=length_text(ms), why=_(_REASON[why]))
            yield f"    {text}"


def masked_lines(runs: "list[MaskedRun]", calendar: "Calendar") -> Iterator[str]:
    """The first stretches of samples that are not believed, and how many more there are."""
    for run in runs[:_MANY]:
        low, high = run.bpm
        bpm = f"{low}" if low == high else _("{low} to {high}").format(low=low, high=high)
        first, last = (time_to_the_ms(ms, zone_at(calendar, ms)) for ms in (run.first_ms, run.last_ms))
        text = _("Not believed: {source} from {first} to {last}, {bpm} bpm, {why}")
        yield f"  {text.format(source=run.source, first=first, last=last, bpm=bpm, why=said(run.reason))}"
    if (more := len(runs) - _MANY) > 0:
        text = ngettext("and {n} more such stretch", "and {n} more such stretches", more)
        yield f"  {text.format(n=more)}"


def sample_line(sample: "ExplainedSample", calendar: "Calendar") -> str:
    """One sample of a minute, and what it counts as."""
    time = time_to_the_ms(sample.at_ms, zone_at(calendar, sample.at_ms))
    line = f"  {time}  {sample.bpm:>3} bpm  {sample.source}"
    if sample.masked:
        text = _("not believed, {why}")
        return f"{line}: {text.format(why=said(sample.masked))}"
    parts = [
        _("{seconds} s {zone}").format(seconds=plain_number(seconds), zone=_(_ZONES[name]))
        for name, seconds in sample.counts_as_s.items()
    ]
    if sample.not_used_s:
        text = _("{seconds} s not used, a better source saw them")
        parts.append(text.format(seconds=plain_number(sample.not_used_s)))
    return f"{line}: {', '.join(parts) or _('stands for no time')}"


def claim_lines(x: "ClaimComparison", calendar: "Calendar") -> Iterator[str]:
    """What an all-day watch claims of some time, what we count in it, and what lies between."""
    from ingest.verbs.watch_comparison import STEPS

    c = x.claim.content
    text = (
        _(
            "The watch claims from {time}: moderate {moderate}, vigorous {vigorous}, resting heart rate {resting} bpm."
        )
        if c.get("resting_bpm")
        else _("The watch claims from {time}: moderate {moderate}, vigorous {vigorous}.")
    )
    told = text.format(
        time=moment(x.claim.at_ms, calendar),
        moderate=_minutes_text(c["moderate_min"]),
        vigorous=_minutes_text(c["vigorous_min"]),
        resting=c.get("resting_bpm"),
    )
    yield f"  {told}"
    text = _(
        "We count in the same time: moderate {moderate}, vigorous {vigorous}, and {raised} raised without movement."
    )
    ours = text.format(
        moderate=_minutes_text(x.ours_min[0]),
        vigorous=_minutes_text(x.ours_min[1]),
        raised=_minutes_text(x.elevated_min),
    )
    yield f"  {ours}"
    for why in STEPS:
        moderate, vigorous = (x.steps or {}).get(why, (0.0, 0.0))
        if abs(moderate) >= 0.05 or abs(vigorous) >= 0.05:
            text = _("{moderate} min moderate {vigorous} vigorous: {why}")
            told = text.format(
                moderate=f"{signed_text(moderate):>9}",
                vigorous=f"{signed_text(vigorous):>9}",
                why=_(_STEP[why]),
            )
            yield f"    {told}"


def comparison_lines(b: "ZoneComparison", calendar: "Calendar", columns: int) -> Iterator[str]:
    """The watch's own seconds per zone of a workout, ours beside them, and why they differ."""
    text = _("The watch's own seconds per zone, workout of {time}, and ours within its limits:")
    yield f"  {text.format(time=moment(b.at_ms, calendar))}"
    rows: list[tuple[str, Any, bool]] = [(_("the watch"), b.watch_s, False), (_("ours"), b.ours_s, False)]
    for name, column in (
        (_("its way of counting"), b.counting_s),
        (_("not believed"), b.masked_s),
        (_("another source"), b.other_s),
    ):
        if max(map(abs, column), default=0) >= 0.05:
            rows.append((name, column, True))
    yield from table_lines([0, *b.edges], rows, columns)
    if b.rule == "lower":
        text = _(
            "Its writer counts a heart rate equal to a limit to the zone below; these are the first above."
        )
        yield f"    {text}"
    if b.edges_from == "zones_target":
        text = _(
            "It does not tell its limits: they are the usual ones for the maximum it tells, and its seconds agree."
        )
        yield f"    {text}"
    yield from _difference_lines(b)
    if b.moderate_bpm is not None:
        text = _(
            "For your week your own limits hold, {moderate_bpm} and {vigorous_bpm} bpm: moderate {moderate} s, vigorous"
            " {vigorous} s."
        )
        told = text.format(
            moderate_bpm=b.moderate_bpm,
            vigorous_bpm=b.vigorous_bpm,
            moderate=number_text(b.moderate_s),
            vigorous=number_text(b.vigorous_s),
        )
        yield f"    {told}"


def _difference_lines(b: "ZoneComparison") -> Iterator[str]:
    """Where the watch and we cannot agree, as its own numbers do not or its file leaves it open."""
    own = None if b.timer_s is None else float(b.watch_s.sum()) - b.timer_s
    if own is not None and abs(own) >= 0.5:
        text = (
            _("Its zones add up to {seconds} s more than its own timer ran.")
            if own > 0
            else _("Its zones add up to {seconds} s less than its own timer ran.")
        )
        yield f"    {text.format(seconds=number_text(abs(own), 1))}"
    if b.open_s >= 0.5:
        text = _(
            "It wrote only some of the seconds it saw: between them {seconds} s lie so near to a limit that it may have"
            " counted them on either side."
        )
        yield f"    {text.format(seconds=number_text(b.open_s))}"
    if b.paused_s or b.gap_s:
        text = _("Left out here: {paused} s of pauses, {gap} s without samples.")
        yield f"    {text.format(paused=number_text(b.paused_s), gap=number_text(b.gap_s))}"


def table_lines(edges: Sequence[float], rows: Sequence[tuple[str, Any, bool]], columns: int) -> Iterator[str]:
    """Seconds per zone as a table, or where that is wider than the terminal a line for each zone.

    A row is a name, a number for each zone, and whether they are differences.
    """
    if _NAMES + _NUMBERS * max(len(edges), *(len(numbers) for _name, numbers, _is in rows)) <= columns:
        heading = _("from bpm")
        yield f"    {heading:<22}{_columns_text(edges)}"
        for name, numbers, signed in rows:
            yield f"    {name:<22}{_columns_text(numbers, signed=signed)}"
        return
    for i, low in enumerate(edges):
        parts = [
            _("{what} {seconds} s").format(what=name, seconds=_number(numbers[i], signed=signed))
            for name, numbers, signed in rows
            if i < len(numbers)
        ]
        text = _("from {bpm} bpm: {told}").format(bpm=plain_number(low), told=", ".join(parts))
        yield f"    {text}"


def _columns_text(numbers: Any, *, signed: bool = False) -> str:
    return "".join(f"{_number(n, signed=signed):>9}" for n in numbers)


def _number(number: float, *, signed: bool) -> str:
    return signed_text(float(number)) if signed else plain_number(float(number))


def signed_text(number: float) -> str:
    """A difference with one decimal: `+0.5`."""
    return ("+" if number >= 0 else "") + number_text(number, 1)


def _minutes_text(minutes: float | None) -> str:
    return _("unknown") if minutes is None else _("{minutes} min").format(minutes=number_text(minutes))


def moment(ms: int, calendar: "Calendar") -> str:
    """A day and a time where the person was."""
    return day_and_time(ms, zone_at(calendar, ms))
