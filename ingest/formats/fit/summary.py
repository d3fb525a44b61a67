"""The heart rate in the summary of a workout: which of a mean and a maximum can be, and what is left out."""

from dataclasses import dataclass

from ingest.language import N_
from zones.series import HIGHEST_BPM, LOWEST_BPM

NEVER_WRITTEN = {None, 0, 255}
"""What stands where a watch saw no heart rate."""


@dataclass(frozen=True, slots=True)
class Summary:
    """A mean and a maximum (bpm), None where not known; `left_out` says what was told and cannot be, a clause each."""

    mean: int | None
    highest: int | None
    left_out: tuple[str, ...] = ()


def check_summary(mean: int | None, highest: int | None) -> Summary:
    """What can be of a mean and a maximum."""
    wrong = []
    if mean in NEVER_WRITTEN:
        mean = None
    if highest in NEVER_WRITTEN:
        highest = None
    if mean is not None and not LOWEST_BPM <= mean <= HIGHEST_BPM:
        wrong.append(N_("left out of its summary: a mean of {bpm} bpm is no heart rate").format(bpm=mean))
        mean = None
    if highest is not None and not LOWEST_BPM <= highest <= HIGHEST_BPM:
        wrong.append(
            N_("left out of its summary: a maximum of {bpm} bpm is no heart rate").format(bpm=highest)
        )
        highest = None
    if mean is not None and highest is not None and highest < mean:
        words = N_(
            "left out of its summary: a maximum of {highest} bpm cannot be with a mean of {mean}, so neither is believed"
        )
        wrong.append(words.format(highest=highest, mean=mean))
        mean = highest = None
    return Summary(mean, highest, tuple(wrong))
