"""FIT files, the format of sports watches: bytes in, heart rate and what goes with it out."""

from ingest.formats.fit.decoder import heart_rate, read
from ingest.formats.fit.file import (
    Beats,
    Claim,
    Device,
    FitFile,
    FitSeries,
    FitSession,
    HeartRate,
    LengthDoubt,
    Limits,
    PauseVerdict,
)
from ingest.formats.fit.recording import read_recording
from ingest.formats.fit.segment import looks_whole
from ingest.formats.fit.trial_file import trial_file
from ingest.formats.zone_check import ZoneCheck

__all__ = [
    "Beats",
    "Claim",
    "Device",
    "FitFile",
    "FitSeries",
    "FitSession",
    "HeartRate",
    "LengthDoubt",
    "Limits",
    "PauseVerdict",
    "ZoneCheck",
    "heart_rate",
    "looks_whole",
    "read",
    "read_recording",
    "trial_file",
]
