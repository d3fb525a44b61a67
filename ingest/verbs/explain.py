"""Why is this minute, day, week or file counted as it is? The answer in words."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import click

from ingest.verbs.command import Invocation, print_json, print_lines, verb
from ingest.verbs.times import (
    day_and_time,
    length_text,
    time_of_day,
    time_to_the_ms,
    weekday_and_date,
    zone_at,
)

if TYPE_CHECKING:
    from ingest.journal import Entry, Journal
    from ingest.rows.account import Share
    from ingest.rows.calendar import Calendar
    from ingest.rows.profile import Profile
    from ingest.verbs.explanation import ExplainedSample, Explanation, MaskedRun
    from ingest.verbs.measures import Measures
    from ingest.verbs.watch_comparison import ClaimComparison, ZoneComparison
    from zones.edges import Edges

_MANY = 12
"""Lines of one sort that are shown; JSON holds all of them."""


def explanation_lines(x: "Explanation") -> Iterator[str]:
    """The answer in plain lines."""
    subject, calendar = x.subject, x.subject.profile.calendar
    yield (
        f"{subject.person.name}, {subject.name} ({zone_at(calendar, subject.start_ms)}):"
        f" {_day_and_time(subject.start_ms, calendar)} to {_day_and_time(subject.end_ms, calendar)}"
    )
    yield ""
    yield from _total_lines(x)
    yield ""
    yield from _edge_lines(x.edges, subject.profile)
    for sport, edges in x.sports.items():
        yield from _edge_lines(edges, subject.profile, f"In {sport} moderate")
    parts: list[Iterable[str]] = [
        [line for share in x.account.shares.values() for line in _source_lines(share)],
        _first_lines([_masked_line(run, calendar) for run in x.masked]),
        [f"  {d.sentence}" for d in x.clocks],
        [_sample_line(sample, calendar) for sample in x.samples],
        _day_lines(x.measures, calendar, each=len(subject.borders_ms) > 2),
        *(
            [
                *_session_lines(
                    f"Workout {_day_and_time(e.at_ms, calendar)}", e.at_ms, row, x.measures, subject.profile
                ),
                *_pause_lines(e.content.get("pauses")),
                *_copy_lines(e),
                *_told_lines(e, x.subject.profile),
            ]
            for e, row in x.measures.workouts
        ),
        *(
            _session_lines(
                f"{name} worn {_day_and_time(s.start_ms, calendar)}",
                s.start_ms,
                s.fields,
                x.measures,
                subject.profile,
            )
            for name, s in x.measures.strap_sessions
        ),
        *(_claim_lines(claim, calendar) for claim in x.claims),
        *(_comparison_lines(check, calendar) for check in x.checks),
    ]
    for part in parts:
        for i, line in enumerate(part):
            if i == 0:
                yield ""
            yield line


def _forgotten_lines(journal: "Journal", x: "Explanation") -> Iterator[str]:
    """What of this time was said not to count."""
    subject = x.subject
    for f in journal.forgotten(subject.person.id):
        spans = journal.touched_by_files(f.files) if f.files else [(f.from_ms, f.to_ms - 1)]
        if f.because is None and any(a < subject.end_ms and b >= subject.start_ms for a, b in spans):
            yield f"Does not count, as it is forgotten: {f.name} (hartslag forget --undo {f.position} takes that back)"


def _total_lines(x: "Explanation") -> Iterator[str]:
    from zones.minutes import Zone

    bout_min = x.subject.profile.bout_min
    for sort, ms in zip(Zone, x.account.zones_ms.tolist(), strict=True):
        if ms:
            short = f", or effort shorter than {bout_min} min" if bout_min and sort == Zone.ELEVATED else ""
            yield f"  {length_text(ms):>14}  {_MEANING[sort.name]}{short}"
    for why, ms in x.account.not_measured_ms.items():
        if ms:
            yield f"  {length_text(ms):>14}  not measured: {_REASON[why]}"
    if not x.subject.is_minute:
        yield f"  {x.dose_min:>10.1f} min  adds to the week: moderate + 2 x vigorous"


def _edge_lines(
    edges: list[tuple[int, "Edges | None"]], profile: "Profile", what: str = "Moderate"
) -> Iterator[str]:
    from ingest.verbs.explanation import FIRST_MS

    for begins, e in edges:
        since = "" if begins < FIRST_MS else f" since {_day_and_time(begins, profile.calendar)}"
        if e is not None:
            yield (
                f"  {what} from {e.moderate_bpm}, vigorous from {e.vigorous_bpm} bpm{since} (method {e.method}):"
                f" {e.origin}."
            )
        elif since and profile.medicine_in(*[profile.calendar.day_of(begins)] * 2) == profile.calendar.day_of(
            begins
        ):
            yield f"  No limits are known{since}: a medicine limits this heart rate, so only limits of your own are used."
        else:
            yield f"  No limits are known{since}."
    if not edges:
        yield "  No limits are known: nothing tells where moderate begins."


def _has_limits(profile: "Profile", at_ms: int) -> bool:
    """Whether anything that was measured at a moment could be told to be moderate, in whatever sport."""
    return any(line.edges_at(at_ms) for line in (profile.timeline, *profile.sports.values()))


def _day_lines(x: "Measures", calendar: "Calendar", *, each: bool) -> Iterator[str]:
    """The resting heart rate of a day; of a week each of its days."""
    for d in x.days:
        at_rest = ""
        if d.resting_bpm is not None and d.quiet_ms is not None:
            at_rest = f"resting heart rate {d.resting_bpm:.0f} bpm (five minutes from {time_of_day(d.quiet_ms, zone_at(calendar, d.quiet_ms))})"
        if each:
            day = weekday_and_date(d.start_ms, zone_at(calendar, d.start_ms))
            minutes = f"{d.dose_min:.0f} min, measured {d.measured_s / 3600:.1f} h"
            yield f"  {day}: {minutes}{'; ' if at_rest else ''}{at_rest}"
        elif at_rest:
            yield f"  {at_rest[0].upper()}{at_rest[1:]}."
    worked = {e.at_ms for e, _ in x.workouts} | {s.start_ms for _, s in x.strap_sessions}
    for row in x.variability:
        if row["at_ms"] not in worked:
            begins = (day_and_time if each else time_of_day)(row["at_ms"], zone_at(calendar, row["at_ms"]))
            yield f"  At rest, from {begins}: {_variability_text(row)}."


def _session_lines(
    what: str, at_ms: int, row: dict[str, Any], x: "Measures", profile: "Profile"
) -> Iterator[str]:
    yield f"  {what}, {row['sport'] or 'sport unknown'}, {length_text(round(row['duration_s'] * 1000))}:"
    yield (
        f"    moderate {length_text(round(row['moderate_s'] * 1000))}, vigorous {length_text(round(row['vigorous_s'] * 1000))}"
        if _has_limits(profile, at_ms) or row["moderate_s"] or row["vigorous_s"]
        else "    moderate and vigorous: not known, as no limits are"
    )
    yield from _workout_lines(row)
    for varied in x.variability:
        if varied["at_ms"] == at_ms:
            yield f"    variability: {_variability_text(varied)}"


def _told_lines(workout: "Entry", profile: "Profile") -> Iterator[str]:
    """What the watch itself tells of zones where it wrote no heart rate, or not the limits of its zones."""
    from ingest.rows.told import contradiction, counted_edges

    told, edges = workout.content.get("watch_s"), workout.content.get("watch_edges")
    if not told:
        return
    if not edges:
        yield f"    the watch claims seconds in zones whose limits it does not tell:{_columns_text(told)}"
        yield "    they do not count: nobody knows where these zones begin"
        return
    yield "    the watch wrote no heart rate second by second, only seconds in its own zones:"
    yield f"    {'from bpm':<22}{_columns_text([0, *edges])}"
    yield f"    {'the watch':<22}{_columns_text(told)}"
    if profile.bout_min is None and counted_edges(workout, profile) is not None:
        yield "    they count by the watch's own word, where no sample is, as two of its zones begin at your limits"
    elif profile.bout_min is not None:
        yield "    they do not count: nobody knows how long each effort was"
    elif len(told) == len(edges) + 1 and (why := contradiction(workout)):
        yield f"    they do not count: {why}, so one of the two is wrong; your week was at least what it says"
    else:
        yield "    they do not count, as no two of its zones begin at your limits: your week was at least what it says"


def _copy_lines(workout: "Entry") -> Iterator[str]:
    if copies := workout.content.get("copies"):
        source = workout.content["source"]
        yield f"    one workout, though {', '.join(copies)} told of it, too: {source} is believed"


def _claim_lines(x: "ClaimComparison", calendar: "Calendar") -> Iterator[str]:
    from ingest.verbs.watch_comparison import STEPS

    c = x.claim.content
    resting = f", resting heart rate {c['resting_bpm']} bpm" if c.get("resting_bpm") else ""
    yield (
        f"  The watch claims from {_day_and_time(x.claim.at_ms, calendar)}: moderate {_minutes_text(c['moderate_min'])}, vigorous"
        f" {_minutes_text(c['vigorous_min'])}{resting}."
    )
    yield (
        f"  We count in the same time: moderate {_minutes_text(x.ours_min[0])}, vigorous {_minutes_text(x.ours_min[1])},"
        f" and {_minutes_text(x.elevated_min)} raised without movement."
    )
    for why in STEPS:
        moderate, vigorous = (x.steps or {}).get(why, (0.0, 0.0))
        if abs(moderate) >= 0.05 or abs(vigorous) >= 0.05:
            yield f"    {moderate:+9.1f} min moderate {vigorous:+9.1f} vigorous: {_STEP[why]}"


_STEP = {
    "limits_and_rules": "its own limits and rules, which its maker does not publish, against your limits",
    "no_movement": "it saw no movement",
    "not_believed": "what its sensor said is not believed",
    "other_sources": "another source is believed first, or recorded while it did not",
}

_MEANING = {
    "LIGHT": "light: below moderate",
    "MODERATE": "moderate: counts once",
    "VIGOROUS": "vigorous: counts twice",
    "ELEVATED": "elevated, does not count: heart rate at or above moderate while an all-day watch saw no movement",
    "UNCLASSIFIED": "measured, does not count: no limits are known for this time",
}

_REASON = {
    "paused": "the timer of the watch was paused",
    "masked": "what the sensor said is not believed",
    "gap": "no sample for longer than one may stand for",
    "nothing": "nothing recorded",
}


def _source_lines(s: "Share") -> Iterator[str]:
    if s.source.kind == "summary":
        yield f"  {s.source.name}: {length_text(int(s.zones_ms.sum()))} by the watch's own word, no sample tells of them"
        return
    yield f"  {s.source.name} ({s.source.kind}, {s.samples} samples): believed for {length_text(int(s.zones_ms.sum()))}"
    for name, ms in s.lost_ms.items():
        yield f"    {length_text(ms)} not used: {name} saw the same time and is believed first"
    for ms, why in ((s.paused_ms, "paused"), (s.masked_ms, "masked"), (s.gap_ms, "gap")):
        if ms:
            yield f"    {length_text(ms)} nothing of it: {_REASON[why]}"


def _masked_line(run: "MaskedRun", calendar: "Calendar") -> str:
    low, high = run.bpm
    bpm = f"{low}" if low == high else f"{low} to {high}"
    first, last = (time_to_the_ms(ms, zone_at(calendar, ms)) for ms in (run.first_ms, run.last_ms))
    return f"  Not believed: {run.source} from {first} to {last}, {bpm} bpm, {run.reason}"


def _sample_line(sample: "ExplainedSample", calendar: "Calendar") -> str:
    time = time_to_the_ms(sample.at_ms, zone_at(calendar, sample.at_ms))
    line = f"  {time}  {sample.bpm:>3} bpm  {sample.source}"
    if sample.masked:
        return f"{line}: not believed, {sample.masked}"
    parts = [f"{seconds:g} s {name}" for name, seconds in sample.counts_as_s.items()]
    if sample.not_used_s:
        parts.append(f"{sample.not_used_s:g} s not used, a better source saw them")
    return f"{line}: {', '.join(parts) or 'stands for no time'}"


def _comparison_lines(b: "ZoneComparison", calendar: "Calendar") -> Iterator[str]:
    yield f"  The watch's own seconds per zone, workout of {_day_and_time(b.at_ms, calendar)}, and ours within its limits:"
    yield f"    {'from bpm':<22}{_columns_text([0, *b.edges])}"
    yield f"    {'the watch':<22}{_columns_text(b.watch_s)}"
    yield f"    {'ours':<22}{_columns_text(b.ours_s)}"
    for name, column in (
        ("its way of counting", b.counting_s),
        ("not believed", b.masked_s),
        ("another source", b.other_s),
    ):
        if max(map(abs, column), default=0) >= 0.05:
            yield f"    {name:<22}{_columns_text(column, sign=True)}"
    if b.rule == "lower":
        yield "    Its writer counts a heart rate equal to a limit to the zone below; these are the first above."
    if b.edges_from == "zones_target":
        yield "    It does not tell its limits: they are the usual ones for the maximum it tells, and its seconds agree."
    own = None if b.timer_s is None else float(b.watch_s.sum()) - b.timer_s
    if own is not None and abs(own) >= 0.5:
        yield f"    Its zones add up to {abs(own):.1f} s {'more' if own > 0 else 'less'} than its own timer ran."
    if b.open_s >= 0.5:
        yield (
            f"    It wrote only some of the seconds it saw: between them {b.open_s:.0f} s lie so near to a limit that it may"
            " have counted them on either side."
        )
    if b.paused_s or b.gap_s:
        yield f"    Left out here: {b.paused_s:.0f} s of pauses, {b.gap_s:.0f} s without samples."
    if b.moderate_bpm is not None:
        yield (
            f"    For your week your own limits hold, {b.moderate_bpm} and {b.vigorous_bpm} bpm: moderate {b.moderate_s:.0f} s,"
            f" vigorous {b.vigorous_s:.0f} s."
        )


def _columns_text(numbers: Any, *, sign: bool = False) -> str:
    return "".join(f"{float(n):>+9.1f}" if sign else f"{float(n):>9g}" for n in numbers)


def _first_lines(lines: list[str]) -> Iterator[str]:
    yield from lines[:_MANY]
    if len(lines) > _MANY:
        yield f"  and {len(lines) - _MANY} more such stretches"


def _minutes_text(minutes: float | None) -> str:
    return "unknown" if minutes is None else f"{minutes:.0f} min"


def _workout_lines(row: dict[str, Any]) -> Iterator[str]:
    """A workout's row in words, after its heading."""
    if row["bpm_mean"] is not None:
        yield f"    heart rate {row['bpm_mean']:.0f} bpm on average, {row['bpm_max']} at most"
    recovered = row["recovery_60s"]
    if recovered is not None:
        way = "lower" if recovered >= 0 else "higher"
        yield f"    recovery: {abs(recovered):.0f} bpm {way} a minute after the end"
    loads = [
        f"{name} {row[key]:.0f}"
        for name, key in (("Banister's (TRIMP)", "trimp"), ("Edwards'", "edwards"))
        if row[key] is not None
    ]
    if loads:
        yield f"    training load: {', '.join(loads)}"


def _pause_lines(read: dict[str, Any] | None) -> Iterator[str]:
    """How the presses of a workout's timer were read, and why so."""
    if read is None:
        return
    told, believed = (length_text(round(read[key] * 1000)) for key in ("told_s", "believed_s"))
    if read["reading"] == "told":
        why = ", and for so long its own timer stood still" if read["by_timer"] else ""
        yield f"    pauses {believed}, as its stops and starts tell{why}"
        return
    yield f"    pauses {believed}; its stops and starts tell {told}, which is not believed:"
    why = "its own timer ran in it" if read["by_timer"] else "no timer of its own tells otherwise"
    yield f"      {_READING[read['reading']]}, and {why}"


_READING = {
    "mended": "a stop or a start is missing, as its heart rate tells",
    "silent": "heart rate was recorded in it",
}


def _variability_text(row: dict[str, Any]) -> str:
    """A row of variability in words."""
    numbers = [f"RMSSD {row['rmssd_ms']:.1f} ms"]
    if row["ln_rmssd"] is not None:
        numbers.append(f"lnRMSSD {row['ln_rmssd']:.2f}")
    if row["sdnn_ms"] is not None:
        numbers.append(f"SDNN {row['sdnn_ms']:.1f} ms")
    numbers.append(f"pNN50 {row['pnn50']:.1f} %")
    return f"{', '.join(numbers)}, of {row['beats']} beats of {row['source']}, {row['artefact_pct']:.1f} % artefacts left out"


def _day_and_time(ms: int, calendar: "Calendar") -> str:
    return day_and_time(ms, zone_at(calendar, ms))


@verb(
    "explain",
    ("One minute", "hartslag explain 2026-11-16T10:30"),
    ("A week of Anna's", "hartslag explain 2026-W47 Anna"),
)
@click.argument("what", metavar="TIME|DAY|WEEK|FILE")
@click.argument("person", required=False)
@click.option(
    "--json", "as_json", is_flag=True, help="As JSON, with every sample of a minute and every mask."
)
@click.pass_obj
def command(invocation: Invocation, what: str, person: str | None, as_json: bool) -> None:
    """Say why a minute, day, week or file counts as it does.

    A time (2026-11-16T10:30, local unless it says otherwise) means its minute; a day is 2026-11-16, a week 2026-W47,
    a file its name. Shows which source was believed, the limits in force, what counted, what did not, and why.
    """
    from ingest.verbs.explain_subject import parse_subject
    from ingest.verbs.explanation import explain

    with invocation.view_journal() as (settings, journal):
        explanation = explain(journal, parse_subject(journal, what, person))
        if as_json:
            print_json(explanation.json())
        else:
            from ingest.grafana.sensor_names import with_names

            print_lines(with_names(explanation_lines(explanation), settings, journal))
            print_lines(_forgotten_lines(journal, explanation))
