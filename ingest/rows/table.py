"""Names, tags and fields of what every store holds. Field types never change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

REAL, WHOLE, TEXT = "REAL", "INTEGER", "TEXT"

_ZONES = {"light_s": REAL, "moderate_s": REAL, "vigorous_s": REAL, "elevated_s": REAL, "unclassified_s": REAL}


@dataclass(frozen=True, slots=True)
class Table:
    """A table's definition: the tags that with the time make a row's key, and its fields with their types."""

    tags: tuple[str, ...]
    fields: Mapping[str, str]
    about: str


TABLES: Mapping[str, Table] = {
    "heart_rate": Table(("person", "source", "kind"), {"bpm": WHOLE}, "a sample"),
    "beat": Table(("person", "source", "kind"), {"rr_ms": REAL}, "a heartbeat"),
    "minute": Table(
        ("person",),
        {"bpm": REAL, "bpm_min": WHOLE, "bpm_max": WHOLE, **_ZONES, "measured_s": REAL},
        "a minute with any data",
    ),
    "limits": Table(
        ("person",),
        {"moderate_bpm": WHOLE, "vigorous_bpm": WHOLE},
        "ten minutes by the clock, stamped at the first one measured in them whose limits are known",
    ),
    "day": Table(
        ("person",),
        {
            **_ZONES,
            "measured_s": REAL,
            "dose_min": REAL,
            "resting_bpm": REAL,
            "so_far_min": REAL,
            "pace_min": REAL,
        },
        "a local day, stamped at its first moment",
    ),
    "week": Table(
        ("person",),
        {
            "moderate_min": REAL,
            "vigorous_min": REAL,
            "dose_min": REAL,
            "target_min": REAL,
            "measured_h": REAL,
            "active_days": WHOLE,
            "to_go_min": WHOLE,
            "met": WHOLE,
            "unclassified_min": REAL,
            "elevated_min": REAL,
            "not_judged": TEXT,
            "limits": TEXT,
            "before_s": WHOLE,
            "start_s": WHOLE,
            "end_s": WHOLE,
            "after_s": WHOLE,
            "dose_least_min": REAL,
            "dose_most_min": REAL,
        },
        "a local week, stamped at its first moment",
    ),
    "hour": Table(
        ("person",),
        {"active_min": REAL, "weekday": WHOLE, "hour": WHOLE},
        "an hour by the clock with any moderate or vigorous movement, stamped at its first moment",
    ),
    "session": Table(
        ("person", "source"),
        {
            "sport": TEXT,
            "duration_s": REAL,
            "bpm_mean": REAL,
            "bpm_max": WHOLE,
            "moderate_s": REAL,
            "vigorous_s": REAL,
            "dose_min": REAL,
            "trimp": REAL,
            "recovery_60s": REAL,
            "edwards": REAL,
            "end_s": WHOLE,
        },
        "a workout, stamped at its start",
    ),
    "pause": Table(
        ("person", "source"),
        {"end_s": WHOLE, "duration_s": REAL},
        "a stop of a workout's timer, stamped at its start",
    ),
    "variability": Table(
        ("person", "source"),
        {
            "rmssd_ms": REAL,
            "sdnn_ms": REAL,
            "pnn50": REAL,
            "beats": WHOLE,
            "artefact_pct": REAL,
            "ln_rmssd": REAL,
            "rest_rmssd_ms": REAL,
        },
        "a workout with beats, or the quietest five minutes of a day with beats, stamped at its start",
    ),
    "claim": Table(
        ("person", "source"),
        {"moderate_min": REAL, "vigorous_min": REAL, "resting_bpm": REAL},
        "what the watch itself claims, stamped at the start of what it speaks of",
    ),
    "profile": Table(
        ("person",),
        {
            "moderate_bpm": WHOLE,
            "vigorous_bpm": WHOLE,
            "maximum_bpm": WHOLE,
            "resting_bpm": WHOLE,
            "method": TEXT,
            "origin": TEXT,
        },
        "a change of the edges or of the heart they are of, stamped when it takes effect",
    ),
    "collector": Table(
        ("person", "source"),
        {
            "state": TEXT,
            "state_no": WHOLE,
            "battery_pct": WHOLE,
            "signal_dbm": WHOLE,
            "samples": WHOLE,
            "gaps": WHOLE,
            "reconnects": WHOLE,
            "age_s": REAL,
            "waiting": WHOLE,
            "file": TEXT,
            "reason": TEXT,
            "position": WHOLE,
        },
        "a change of what collects, and each minute of a strap that is connected",
    ),
}


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Rows of one table that take the place of all rows with the same tags in [start_us, end_us).

    `tags` holds for all rows; `labels` are tags that differ by row. `time_us` is int64 microseconds since 1970, UTC.
    Columns are numpy arrays or lists, of one length; None is "not known". With `only_zones` all that is measured is as
    it was: only the zones it counts in may differ, and a store may write no more than that.
    """

    table: str
    tags: Mapping[str, str]
    start_us: int
    end_us: int
    time_us: NDArray[np.int64]
    fields: Mapping[str, Any]
    labels: Mapping[str, list[str]] = field(default_factory=dict)
    only_zones: bool = False

    @classmethod
    def empty(cls, table: str, tags: Mapping[str, str], start_ms: int, end_ms: int) -> Self:
        """No rows in the place of all in [start, end)."""
        return cls(table, tags, start_ms * 1000, end_ms * 1000, np.empty(0, np.int64), {})

    @classmethod
    def by_source(
        cls,
        table: str,
        tags: Mapping[str, str],
        start_ms: int,
        end_ms: int,
        rows: Sequence[tuple[str, int, Mapping[str, Any]]],
    ) -> Self:
        """Rows given as (source, time in ms, fields), of which no two have one key; `tags` may name their one source."""
        return cls(
            table,
            tags,
            start_ms * 1000,
            end_ms * 1000,
            np.array([at for _, at, _ in rows], np.int64) * 1000,
            {name: [fields[name] for *_, fields in rows] for name in (rows[0][2] if rows else ())},
            {} if "source" in tags else {"source": [source for source, *_ in rows]},
        )

    def __len__(self) -> int:
        return len(self.time_us)
