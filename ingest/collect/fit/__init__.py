"""FIT files, the format of sports watches: bytes in, heart rate and what goes with it out."""

from ingest.collect.fit.file import (
    Beats,
    Claim,
    Device,
    FitFile,
    FitSeries,
    HeartRate,
    Limits,
    Session,
    ZoneCheck,
)

__all__ = [
    "Beats",
    "Claim",
    "Device",
    "FitFile",
    "FitSeries",
    "HeartRate",
    "Limits",
    "Session",
    "ZoneCheck",
]
