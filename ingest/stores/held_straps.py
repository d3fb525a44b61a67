"""What an SQLite store holds of straps, for a journal that may have lost it."""

import sqlite3
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

_DAY_S = 86_400


class StrapsInSqlite:
    """The heart rates of straps in a store that is open."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def days(self) -> Iterator[tuple[str, str, int, int]]:
        """Of whom, by what, on which day since 1970, and how many samples."""
        series = "SELECT id, person, source FROM series WHERE kind = 'strap' ORDER BY person, source"
        for number, person, source in self._db.execute(series).fetchall():
            sql = f"SELECT CAST(time / {_DAY_S} AS INTEGER), count(*) FROM heart_rate_sample WHERE series = ? GROUP BY 1"
            for day, n in self._db.execute(sql, (number,)):
                yield person, source, day, n

    def moments_ms(self, person: str, source: str, day: int) -> NDArray[np.int64]:
        """When those of a day were."""
        rows = self._db.execute(
            "SELECT time FROM heart_rate_sample WHERE time >= ? AND time < ? AND series IN"
            " (SELECT id FROM series WHERE kind = 'strap' AND person = ? AND source = ?)",
            (day * _DAY_S, (day + 1) * _DAY_S, person, source),
        )
        return np.array([round(at_s * 1000) for (at_s,) in rows], np.int64)
