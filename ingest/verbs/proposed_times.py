"""When a workout without a date may have been: by the date in its name, by files beside it, by when it came in."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, pairwise
from pathlib import PurePosixPath

MINUTE_MS = 60_000

_DATED = re.compile(
    r"(?<!\d)(20\d\d)[-_.]?([01]\d)[-_.]?([0-3]\d)(?:[-_T. ]{0,2}([0-2]\d)[-_.:h]?([0-5]\d)(?:[-_.:]?[0-5]\d)?)?(?!\d)"
)
"""A date, and maybe a time, in the name of a file, as exports and watches write it."""

_NEAR_S = 30 * 86_400
"""A watch counts on from power-on for no longer, or somebody would have set its clock."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A file beside others, by its name: when it was (ms), or for one without a date None, and its own count from power-on (s)."""

    id: int
    name: str
    lasted_s: int
    begin_ms: int | None = None
    first_s: int = 0
    latest_ms: int = 0
    """When it can have begun at the latest: it came in once it was over."""


def time_in_name(name: str) -> datetime | None:
    """The day that a file's name tells, at noon unless it tells the time too."""
    found = _DATED.search(name.rsplit("/", maxsplit=1)[-1])
    if found is None:
        return None
    year, month, day, hour, minute = found.groups()
    try:
        return datetime.fromisoformat(f"{year}-{month}-{day} {hour or '12'}:{minute or '00'}")
    except ValueError:
        return None


def kin(name: str) -> tuple[str, str]:
    """What names of files that were numbered by one hand have in common: the folder, and the name without its numbers."""
    path = PurePosixPath(name)
    return str(path.parent), re.sub(r"\d+", "#", path.name)


def propose_begins(files: Iterable[Recorded]) -> dict[int, int]:
    """When each file without a date may have begun (ms, by its number), of files that were numbered by one hand.

    Those in a row follow each other as the watch counted them: behind the file before them that has a date, else up to
    the one after them, else up to when they came in.
    """
    found: dict[int, int] = {}
    row = sorted(files, key=lambda f: _by_numbers(f.name))
    runs = [(dated, list(run)) for dated, run in groupby(row, key=lambda f: f.begin_ms is not None)]
    for i, (is_dated, run) in enumerate(runs):
        if is_dated:
            continue
        before = runs[i - 1][1][-1] if i else None
        after = runs[i + 1][1][0] if i + 1 < len(runs) else None
        begins = _laid_out(run)
        if before is not None and before.begin_ms is not None:
            shift = before.begin_ms + before.lasted_s * 1000 + MINUTE_MS - begins[0]
        elif after is not None and after.begin_ms is not None:
            shift = after.begin_ms - MINUTE_MS - begins[-1] - run[-1].lasted_s * 1000
        else:
            shift = run[-1].latest_ms - begins[-1]
        shift = min(shift, *(f.latest_ms - begin for f, begin in zip(run, begins, strict=True)))
        found |= {f.id: begin + shift for f, begin in zip(run, begins, strict=True)}
    return found


def _laid_out(run: Sequence[Recorded]) -> list[int]:
    """Begins (ms, from some zero) of files in a row: as far apart as the watch counted, where it went on counting."""
    begins = [0]
    for earlier, later in pairwise(run):
        counted_s = later.first_s - earlier.first_s
        if not earlier.lasted_s <= counted_s <= _NEAR_S:
            counted_s = earlier.lasted_s + MINUTE_MS // 1000
        begins.append(begins[-1] + counted_s * 1000)
    return begins


def _by_numbers(name: str) -> list[tuple[int, str]]:
    """A key by which `9.fit` comes before `10.fit`."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", name)]
