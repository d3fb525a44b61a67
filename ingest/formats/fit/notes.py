"""What is worth saying of a file, in clauses: nothing of it is damage."""

from collections.abc import Iterator, Sequence

from ingest.formats.fit.contents import Contents
from ingest.formats.fit.file import Device, FitFile, FitSession, Undated
from ingest.formats.fit.heart_rate import HeartRateColumns
from ingest.formats.fit.pauses import LATE, TIMED
from ingest.formats.fit.power_on import RECORDS, SUMMARY
from ingest.formats.fit.summary import Summary
from ingest.formats.fit.time_in_zone import ZoneTimes
from ingest.formats.fit.timer import end_of, told_pauses
from ingest.language import N_
from zones.spans import Spans

NO_SENSOR = N_("holds no heart rate: all {n} values say that there was no sensor")

PLANS = ("course", "segment", "workout")
"""Types of files with a way or a plan to follow; some programs that convert write workouts as courses (GPSBabel)."""

NEWER_TYPES = {"44": "metrics", "49": "sleep", "68": "HRV status"}
"""What Garmin's watches write and no profile names; by the folders in which they keep such files."""


def notes_of(
    contents: Contents,
    heart: HeartRateColumns,
    file: FitFile,
    zone_times: list[ZoneTimes],
    of_beats: list[str],
    untimed: Sequence[Summary],
) -> tuple[str, ...]:
    """The clauses about a file that was read; `of_beats` are those about its beats, `untimed` its summaries that tell no time."""
    return (
        *contents.notes,
        *_clock_notes(contents, heart, file.undated),
        *_heart_notes(heart, file, zone_times, of_beats, untimed),
        *_pause_notes(heart, file.sessions, file.pauses),
    )


def _heart_notes(
    heart: HeartRateColumns,
    file: FitFile,
    zone_times: list[ZoneTimes],
    of_beats: list[str],
    untimed: Sequence[Summary],
) -> Iterator[str]:
    """What is worth saying of its heart rates, or of a file without any."""
    if heart.strayed:
        words = (
            N_("left out: {n} value whose time is far from those beside it, as damage makes it")
            if heart.strayed == 1
            else N_("left out: {n} values whose times are far from those beside them, as damage makes them")
        )
        yield words.format(n=heart.strayed)
    if heart.series:
        yield from _planned(heart, file.device)
        return
    sessions, undated = file.sessions, file.undated
    if undated is None or file.beats:
        yield from of_beats
    if file.derived is not None:
        return
    told = [s for s in sessions if s.bpm_mean is not None or s.bpm_max is not None]
    if told:
        each = "; ".join(_of_summary(s.bpm_mean, s.bpm_max) for s in told[:3])
        yield N_("the heart rate is in its summary alone ({each}): the workout is kept with it").format(
            each=each
        )
    elif any(sum(z.seconds) > 0 and z.index is not None for z in zone_times):
        yield N_(
            "holds no heart rate second by second: the workout is kept with the seconds in zones that its watch tells"
        )
    elif undated is None and not heart.undated and untimed:
        each = "; ".join(_of_summary(s.mean, s.highest) for s in untimed[:3])
        yield N_(
            "the heart rate is in its summary alone ({each}), which does not tell from when to when that was: it could not be kept"
        ).format(each=each)
    elif undated is None and not heart.undated and not of_beats:
        yield _without_note(heart, file.device, sessions)
    yield from (clause for s in sessions[:3] for clause in s.left_out)


def _planned(heart: HeartRateColumns, device: Device) -> Iterator[str]:
    """That the heart rates of a file may be those of whoever made it: a way to follow holds the ride it was made of."""
    if device.file_type in PLANS and any(s.kind == "activity" for s in heart.series):
        words = N_(
            "it is no workout, but a file of type {type}: its heart rates count; if they are somebody else's, `hartslag forget`"
            " takes them out"
        )
        yield words.format(type=_type_words(device.file_type))


def _clock_notes(contents: Contents, heart: HeartRateColumns, undated: Undated | None) -> Iterator[str]:
    """That of some of it nobody knows when it was, or by what it is known although the clock was set only later."""
    if heart.timeless:
        words = N_(
            "{n} of its heart rates tell no time, so nobody can say when they were; they could not be kept"
        )
        yield words.format(n=heart.timeless)
    by = {chained.timestamps.dated_by for chained in contents.chained_files}
    yield from (_SET_MEANWHILE[how] for how in (RECORDS, SUMMARY) if how in by)
    if heart.undated > heart.timeless:
        yield N_("its clock was not set: {n} values have no date").format(n=heart.undated - heart.timeless)
    if undated is None:
        return
    if not undated.samples and not undated.beats:
        yield N_("its clock was not set, and the heart rate is in its summary alone: nobody knows its date")
    elif not undated.samples:
        yield N_("its clock was not set: {n} R-R intervals have no date").format(n=undated.beats)
    elif not heart.undated:
        yield N_(
            "its clock was not set, and it holds R-R intervals and no heart rate: nobody knows their date"
        )
    yield (
        N_("the file is kept, and counts once it is said when it was: hartslag clock")
        if undated.before_ms is None
        else N_(
            "what was recorded before its clock was set is kept, and counts once it is said when that was: hartslag clock"
        )
    )


_SET_MEANWHILE = {
    RECORDS: N_(
        "its clock was set while it recorded: what it counted from power-on before is dated by its records, which follow each"
        " other second by second"
    ),
    SUMMARY: N_(
        "its clock was set while it recorded: what it counted from power-on before is dated by how long it tells that the"
        " workout lasted"
    ),
}
"""By what that is dated which a watch recorded before its clock was set."""


def _without_note(heart: HeartRateColumns, device: Device, sessions: tuple[FitSession, ...]) -> str:
    """Why a file holds no heart rate at all."""
    if heart.too_high:
        return N_("holds no heart rate: none of its {n} values can be one").format(n=heart.dropped)
    if heart.dropped:
        return NO_SENSOR.format(n=heart.dropped)
    if device.file_type:
        words = (
            N_("holds no heart rate: a file of type {type} with a workout")
            if sessions
            else N_("holds no heart rate: a file of type {type}")
        )
        return words.format(type=_type_words(device.file_type))
    return (
        N_("holds no heart rate: a file of unknown type with a workout")
        if sessions
        else N_("holds no heart rate: a file of unknown type")
    )


def _type_words(file_type: str) -> str:
    """What people call a type of file."""
    number = file_type.removeprefix("file type ")
    return NEWER_TYPES.get(number, number).replace("_", " ")


def _of_summary(mean: int | None, highest: int | None) -> str:
    words = (
        N_("a maximum of {highest} bpm and no mean")
        if mean is None
        else N_("a mean of {mean} bpm and no maximum")
        if highest is None
        else N_("a mean of {mean} and a maximum of {highest} bpm")
    )
    return words.format(mean=mean, highest=highest)


def _pause_notes(heart: HeartRateColumns, sessions: tuple[FitSession, ...], pauses: Spans) -> list[str]:
    """What is worth saying of pauses that are not believed as the timer's presses tell them, though no timer tells where they were."""
    if any(s.pauses is not None and s.pauses.reading in {LATE, TIMED} for s in sessions):
        return []
    end = None if heart.last_ms is None else end_of(heart.presses, heart.last_ms)
    less_s = (told_pauses(heart.presses, end).measure_ms - pauses.measure_ms) / 1000
    if less_s < 1 or not heart.series:
        return []
    words = N_(
        "{seconds} s of the pauses that its timer tells are not believed, as heart rate was recorded in them"
    )
    return [words.format(seconds=f"{less_s:.0f}")]
