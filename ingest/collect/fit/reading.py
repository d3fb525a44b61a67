"""The whole of a FIT file, in our words."""

from ingest.collect.fit import heart as _heart
from ingest.collect.fit import timer
from ingest.collect.fit.contents import take_apart
from ingest.collect.fit.file import FitFile, HeartRate


def heart_rate(data: bytes) -> HeartRate:
    """The heart rate of a FIT file and nothing else; the fast way.

    Raises `Unusable`, and nothing else, for bytes that hold nothing to read.
    """
    contents = take_apart(data)
    heart = _heart.read_heart(contents)
    return HeartRate(heart.series, heart.dropped, heart.undated, tuple(contents.faults))


def read(data: bytes) -> FitFile:
    """Everything we want of a FIT file.

    Raises `Unusable`, and nothing else, for bytes that hold nothing to read. Damage that leaves something to read
    is told in `faults`.
    """
    contents = take_apart(data)
    heart = _heart.read_heart(contents)
    return FitFile(
        series=heart.series,
        pauses=timer.pauses(contents, heart.last_ms),
        dropped=heart.dropped,
        faults=tuple(contents.faults),
    )
