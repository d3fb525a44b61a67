"""What of a file has no date, as the clock of its watch was not set: whatever is read of it once one is supposed that its count meant."""

import hashlib
from collections.abc import Callable, Iterator

import numpy as np

from ingest.formats.fit.contents import Contents
from ingest.formats.fit.era import ERA_MS, FIRST_DATE, NEVER
from ingest.formats.fit.file import FitFile, Undated
from ingest.formats.fit.placed import place_file

SUPPOSED_MS = (NEVER - FIRST_DATE) * 1000 + ERA_MS
"""When counting began, for as long as a date is supposed: in 2109, from when no file is."""

WORTH_ASKING_S = 60
"""Of a file of which the rest has a date nobody is asked for less than this."""


def find_undated(contents: Contents, file: FitFile, read: Callable[[bytes], FitFile]) -> Undated | None:
    """What of a file has no date, and can be given one; `read` reads the bytes of a file as it was read."""
    clocks = [chained.timestamps for chained in contents.chained_files]
    if not any(clock.counts and not clock.power_on.by for clock in clocks):
        return None
    placed = read(place_file(contents.data, 0, SUPPOSED_MS))
    counted = [m - SUPPOSED_MS for m in _samples_and_beats(placed, from_ms=SUPPOSED_MS)]
    counted = counted or [m - SUPPOSED_MS for m in _summaries(placed) if m >= SUPPOSED_MS]
    if not counted:
        return None
    first_s, last_s = min(counted) // 1000, max(counted) // 1000
    before_ms = min(_samples_and_beats(file, from_ms=0), default=None)
    if before_ms is not None and last_s - first_s < WORTH_ASKING_S:
        return None
    return Undated(
        samples=_count(placed) - _count(file),
        beats=len(placed.beats) - len(file.beats),
        first_s=first_s,
        last_s=last_s,
        mark=hashlib.sha256(contents.data).hexdigest()[:8],
        before_ms=before_ms,
    )


def _count(file: FitFile) -> int:
    return sum(len(series) for series in file.series) + len(file.derived or ())


def _samples_and_beats(file: FitFile, from_ms: int) -> Iterator[int]:
    """The first and the last moment from one on (ms since 1970) of all series and of the beats."""
    for column in (*(series.times for series in file.series), file.beats.times):
        ms = column.view(np.int64)
        ms = ms[np.searchsorted(ms, from_ms) :]
        if len(ms):
            yield from (int(ms[0]), int(ms[-1]))


def _summaries(file: FitFile) -> Iterator[int]:
    """When workouts begin and end whose summary tells of the heart (ms since 1970)."""
    for session in file.sessions:
        if session.bpm_mean is not None or session.bpm_max is not None or sum(session.zone_s) > 0:
            yield from (
                int(at.astype("datetime64[ms]").astype(np.int64)) for at in (session.start, session.end)
            )
