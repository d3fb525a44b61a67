"""What `explain` says of days and workouts: how long, how fast the heart beat, pauses, load, variability."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ingest.language import N_, ngettext, number_text
from ingest.language import gettext as _
from ingest.sports import UNTOLD, sport_text
from ingest.verbs.explain_words import table_lines
from ingest.verbs.times import day_and_time, length_text, time_of_day, weekday_and_date, zone_at
from zones.dose import full_minutes

if TYPE_CHECKING:
    from ingest.journal import Entry
    from ingest.rows.calendar import Calendar
    from ingest.rows.profile import Profile
    from ingest.verbs.measures import Measures

_READING = {
    "mended": N_("a stop or a start is missing, as its heart rate tells, and its own timer ran in it"),
    "silent": N_("heart rate was recorded in it, and its own timer ran in it"),
    "late": N_(
        "its own timer ran on for the second in which each stop is stamped, and heart rate was recorded in it"
    ),
    "unpressed": N_("its own timer stood still for so long, and nothing was recorded then"),
    "timed": N_("a stop or a start is missing, and its own timer tells when it was"),
}

_READING_ALONE = {
    "mended": N_(
        "a stop or a start is missing, as its heart rate tells, and no timer of its own tells otherwise"
    ),
    "silent": N_("heart rate was recorded in it, and no timer of its own tells otherwise"),
}

_READING_AGAINST = {
    "told": N_(
        "pauses {believed}, as its stops and starts tell, though its own timer stood still for {stood}"
    ),
    "mended": N_(
        "a stop or a start is missing, as its heart rate tells, though its own timer stood still for {stood}"
    ),
    "silent": N_("heart rate was recorded in it, though its own timer stood still for {stood}"),
}
"""Why the presses of a timer are believed or not, where the watch's own timers agree, where it has none, and where they tell otherwise."""

_DOUBTS = {
    "zero": N_("its own timer tells {told}, which cannot be: it was {other} from start to end"),
    "longer": N_("its own timer tells {told}, which cannot be: it was {other} from start to end"),
    "recorded": N_(
        "its own timer tells {told}, which is not believed: heart rate was recorded for {other}, and nothing tells which seconds of it were paused"
    ),
    "paused": N_("its own timer tells {told}, which is not believed: its pauses leave {other}"),
    "elapsed": N_("its file tells a length of {told}, which cannot be: what it recorded tells {other}"),
}
"""Why what a watch tells of the length of a workout is not believed."""


def day_lines(x: "Measures", calendar: "Calendar", *, each: bool) -> Iterator[str]:
    """The resting heart rate of a day; of a week each of its days."""
    for d in x.days:
        at_rest = ""
        if d.resting_bpm is not None and d.quiet_ms is not None:
            text = _("resting heart rate {bpm} bpm (five minutes from {time})")
            begins = time_of_day(d.quiet_ms, zone_at(calendar, d.quiet_ms))
            at_rest = text.format(bpm=number_text(d.resting_bpm), time=begins)
        if each:
            text = _("{day}: {minutes} min, measured {hours} h")
            told = text.format(
                day=weekday_and_date(d.start_ms, zone_at(calendar, d.start_ms)),
                minutes=full_minutes(d.dose_min),
                hours=number_text(d.measured_s / 3600, 1),
            )
            yield f"  {told}{'; ' if at_rest else ''}{at_rest}"
        elif at_rest:
            yield f"  {at_rest[0].upper()}{at_rest[1:]}."
    worked = {e.at_ms for e, _row in x.workouts} | {s.start_ms for _name, s in x.strap_sessions}
    for row in x.variability:
        if row["at_ms"] not in worked:
            begins = (day_and_time if each else time_of_day)(row["at_ms"], zone_at(calendar, row["at_ms"]))
            text = _("At rest, from {time}: {told}.").format(time=begins, told=_variability_text(row))
            yield f"  {text}"


def session_lines(
    what: str, at_ms: int, row: dict[str, Any], x: "Measures", profile: "Profile", samples: int = 0
) -> Iterator[str]:
    """A workout, or a time in which a strap was worn, called `what`; `samples` came in where none counts."""
    sport = _("sport unknown") if row["sport"] in UNTOLD else sport_text(row["sport"])
    yield f"  {what}, {sport}, {length_text(row['duration_s'] * 1000)}:"
    if row["moderate_s"] is None:
        yield from _unmeasured_lines(row, samples)
        return
    if _has_limits(profile, at_ms) or row["moderate_s"] or row["vigorous_s"]:
        text = _("moderate {moderate}, vigorous {vigorous}")
        moderate, vigorous = (length_text(row[f"{z}_s"] * 1000) for z in ("moderate", "vigorous"))
        yield f"    {text.format(moderate=moderate, vigorous=vigorous)}"
    else:
        text = _("moderate and vigorous: not known, as no limits are")
        yield f"    {text}"
    yield from _heart_lines(row)
    for varied in x.variability:
        if varied["at_ms"] == at_ms:
            text = _("variability: {told}").format(told=_variability_text(varied))
            yield f"    {text}"


def _unmeasured_lines(row: dict[str, Any], samples: int) -> Iterator[str]:
    """A workout in which no heart rate counts, and what its watch sums up."""
    known = _heart_rate_text(row)
    if samples:
        text = _("not measured: none of its {samples} heart rates is believed, so nobody knows its minutes")
    elif known:
        text = _(
            "not measured second by second, so nobody knows which of its minutes were moderate or vigorous"
        )
    else:
        text = _("no heart rate of it was recorded, so nobody knows its minutes")
    yield f"    {text.format(samples=samples)}"
    if known:
        text = _("the watch sums it up: {known}")
        yield f"    {text.format(known=known)}"


def _heart_rate_text(row: dict[str, Any]) -> str:
    """What is known of the mean and the highest heart rate of a workout; empty for neither."""
    mean, highest = row["bpm_mean"], row["bpm_max"]
    if mean is None:
        return "" if highest is None else _("heart rate {most} bpm at most").format(most=highest)
    text = (
        _("heart rate {mean} bpm on average")
        if highest is None
        else _("heart rate {mean} bpm on average, {most} at most")
    )
    return text.format(mean=number_text(mean), most=highest)


def _has_limits(profile: "Profile", at_ms: int) -> bool:
    """Whether anything that was measured at a moment could be told to be moderate, in whatever sport."""
    return any(line.edges_at(at_ms) for line in (profile.timeline, *profile.sports.values()))


def _heart_lines(row: dict[str, Any]) -> Iterator[str]:
    """A workout's row in words, after its heading."""
    if known := _heart_rate_text(row):
        yield f"    {known}"
    recovered = row["recovery_60s"]
    if recovered is not None:
        text = (
            _("recovery: {bpm} bpm lower a minute after the end")
            if recovered >= 0
            else _("recovery: {bpm} bpm higher a minute after the end")
        )
        yield f"    {text.format(bpm=number_text(abs(recovered)))}"
    loads = [
        f"{name} {number_text(row[key])}"
        for name, key in ((_("Banister's (TRIMP)"), "trimp"), (_("Edwards'"), "edwards"))
        if row[key] is not None
    ]
    if loads:
        text = _("training load: {loads}").format(loads=", ".join(loads))
        yield f"    {text}"


def told_lines(workout: "Entry", profile: "Profile", columns: int, counted_ms: int) -> Iterator[str]:
    """What the watch itself tells of zones where it wrote no heart rate, or not the limits of its zones."""
    told, edges = workout.content.get("watch_s"), workout.content.get("watch_edges")
    if not told:
        return
    if not edges:
        seconds = "".join(f"{float(s):>9g}" for s in told)
        yield f"    {_zones_without_limits(workout.content.get('watch_limits') or (), told).format(seconds=seconds)}"
    else:
        text = _("the watch wrote no heart rate second by second, only seconds in its own zones:")
        yield f"    {text}"
        yield from table_lines([0, *edges], [(_("the watch"), told, False)], columns)
    yield f"    {told_verdict(workout, profile, counted_ms)}"


def told_verdict(workout: "Entry", profile: "Profile", counted_ms: int) -> str:
    """Whether the seconds in zones that a watch tells of a workout count, and why; `counted_ms` of them do."""
    from ingest.rows.told import contradiction, counted_edges, ruling_edges, told_ms

    told, edges = workout.content["watch_s"], workout.content.get("watch_edges")
    if not edges:
        return _("they do not count: nobody knows where these zones begin")
    if profile.bout_min is not None:
        return _("they do not count: nobody knows how long each effort was")
    if ruling_edges(workout, profile) is None:
        return _without_limits_verdict(workout, profile)
    if counted_edges(workout, profile) is not None:
        return _counted_verdict(counted_ms, told_ms(workout))
    if len(told) == len(edges) + 1 and (why := contradiction(workout)):
        return _(
            "they do not count: {why}, so one of the two is wrong; your week was at least what it says"
        ).format(why=_(why))
    return _(
        "they do not count, as no two of its zones begin at your limits: your week was at least what it says"
    )


def _without_limits_verdict(workout: "Entry", profile: "Profile") -> str:
    """That nothing tells where moderate begins for this person, and what mends that."""
    on = profile.calendar.day_of(workout.at_ms)
    if profile.medicine_in(on, on):
        return _(
            "they do not count: a medicine limits this heart rate, and no limits are known that hold with it; those from an"
            " exercise test or a physiotherapist mend that"
        )
    return _(
        "they do not count: nothing tells where moderate begins for you; the line  born = YEAR  below your name in the settings"
        " mends that"
    )


def _counted_verdict(counted_ms: int, told_ms: int) -> str:
    """How much counts of what a watch tells by limits that are the person's own."""
    if not counted_ms:
        return _("none of them counts, as samples tell of that time or it is forgotten")
    if counted_ms < told_ms:
        return _(
            "{counted} of these {told} count by the watch's own word, as two of its zones begin at your limits; of the rest of the time"
            " samples tell, or it is forgotten"
        ).format(counted=length_text(counted_ms), told=length_text(told_ms))
    return _("they count by the watch's own word, as two of its zones begin at your limits")


def _zones_without_limits(limits: Sequence[int], told: Sequence[float]) -> str:
    """What is wrong with the limits of the zones that a watch tells; `{seconds}` stands where those come."""
    if not limits:
        return _("the watch claims seconds in zones whose limits it does not tell:{seconds}")
    if not any(limits):
        return _(
            "the watch claims seconds in zones whose limits were never set, it tells 0 for all:{seconds}"
        )
    words = (
        _("the watch claims seconds in {zones} zones, and {number} limits ({limits}) do not go with them:")
        if list(limits) == sorted(limits)
        else _(
            "the watch claims seconds in {zones} zones whose limits ({limits}) do not rise from one to the next:"
        )
    )
    told_limits = ", ".join(map(str, limits))
    return words.format(zones=len(told), number=len(limits), limits=told_limits) + "{seconds}"


def copy_lines(workout: "Entry") -> Iterator[str]:
    """Which source is believed of a workout that several told of."""
    if copies := workout.content.get("copies"):
        text = _("one workout, though {copies} told of it, too: {source} is believed")
        yield f"    {text.format(copies=', '.join(copies), source=workout.content['source'])}"


def pause_lines(content: dict[str, Any], stood_ms: int) -> Iterator[str]:
    """How the presses of a workout's timer were read, and why so; `stood_ms` is for how long it stood still at the end."""
    yield from _press_lines(content)
    if stood_ms:
        text = (
            _("its own timer stood still for {length} more at its end, in which nothing was recorded")
            if content.get("pauses")
            else _("its own timer stood still for the last {length}, in which nothing was recorded")
        )
        yield f"    {text.format(length=length_text(stood_ms))}"


def _press_lines(content: dict[str, Any]) -> Iterator[str]:
    read = content.get("pauses")
    if read is None:
        return
    told, believed = (length_text(read[key] * 1000) for key in ("told_s", "believed_s"))
    otherwise = read.get("stood_s")
    stood = "" if otherwise is None else length_text(otherwise * 1000)
    if read["reading"] == "told":
        text = (
            _("pauses {believed}, as its stops and starts tell, and for so long its own timer stood still")
            if read["by_timer"]
            else _("pauses {believed}, as its stops and starts tell")
            if otherwise is None or content.get("doubts")
            else _(_READING_AGAINST["told"])
        )
        yield f"    {text.format(believed=believed, stood=stood)}"
        return
    reasons = _READING if read["by_timer"] else _READING_ALONE if otherwise is None else _READING_AGAINST
    text = (
        _("pauses {believed}; its stops and starts tell {told}, which is not believed:")
        if read["told_s"]
        else _("pauses {believed}, of which no stop tells:")
    )
    yield f"    {text.format(believed=believed, told=told)}"
    yield f"      {_(reasons[read['reading']]).format(stood=stood)}"


def doubt_texts(doubts: list[dict[str, Any]]) -> Iterator[str]:
    """What a watch tells of the length of a workout and is not believed, and why so."""
    for doubt in doubts:
        told, other = (length_text(doubt[key] * 1000) for key in ("told_s", "other_s"))
        yield _(_DOUBTS[doubt["why"]]).format(told=told, other=other)


def _variability_text(row: dict[str, Any]) -> str:
    """A row of variability in words."""
    numbers = [f"RMSSD {number_text(row['rmssd_ms'], 1)} ms"]
    if row["ln_rmssd"] is not None:
        numbers.append(f"lnRMSSD {number_text(row['ln_rmssd'], 2)}")
    if row["sdnn_ms"] is not None:
        numbers.append(f"SDNN {number_text(row['sdnn_ms'], 1)} ms")
    numbers.append(f"pNN50 {number_text(row['pnn50'], 1)} %")
    text = ngettext(
        "{numbers}, of {beats} beat of {source}, {artefacts} % artefacts left out",
        "{numbers}, of {beats} beats of {source}, {artefacts} % artefacts left out",
        row["beats"],
    )
    return text.format(
        numbers=", ".join(numbers),
        beats=row["beats"],
        source=row["source"],
        artefacts=number_text(row["artefact_pct"], 1),
    )
