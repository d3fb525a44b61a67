"""The boots of the machine in which straps were heard: how their clocks stood, and which of them never learned the time."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from ingest.journal.dating import OWNER, Observation, date_offset_ms, is_placed
from ingest.journal.entry import ALWAYS_MS
from ingest.journal.row_reader import RowReader
from ingest.journal.seal import columns_of, is_whole


@dataclass(frozen=True, slots=True)
class StrapTime:
    """What one strap told in a boot: its person and source, from when to when by the steady clock (ms), and how much."""

    person: str
    source: str
    first_ms: int
    last_ms: int
    samples: int


@dataclass(frozen=True, slots=True)
class Boot:
    """A boot in which straps told something, and what; `after_ms` and `before_ms` are moments that it surely lies between."""

    id: str
    known: list[Observation]
    told: list[StrapTime]
    after_ms: int | None
    before_ms: int | None

    @property
    def first_ms(self) -> int:
        """When the first of it was heard, by the steady clock."""
        return min(t.first_ms for t in self.told)

    @property
    def last_ms(self) -> int:
        """When the last of it was heard, by the steady clock."""
        return max(t.last_ms for t in self.told)

    @property
    def samples(self) -> int:
        """How many heart rates that are."""
        return sum(t.samples for t in self.told)

    @property
    def placed_ms(self) -> int | None:
        """When the first of it was heard, if the owner said so."""
        ahead = date_offset_ms(self.known, self.first_ms)
        return None if ahead is None else self.first_ms + ahead

    @property
    def shown_ms(self) -> int | None:
        """What the clock of the machine showed then, right or wrong; None where that was lost to a worn card."""
        looks = [o for o in self.known if o.is_look]
        before = [o for o in looks if o.steady_ms <= self.first_ms]
        return self.first_ms + (before[-1] if before else looks[0]).offset_ms if looks else None


_OF_BOOT = (
    "FROM chunk c JOIN connection n ON n.id = c.connection JOIN person p ON p.id = c.person JOIN source s ON s.id = c.source"
    " WHERE c.position > (SELECT min(position) FROM clock WHERE boot = ?1) AND n.boot = ?1"
)
"""The chunks of a boot: what was heard in it lies behind what was known when its clocks were first looked at."""


class BootReader(RowReader):
    """Questions about boots. Times are ms since 1970, UTC, unless they are the steady clock's."""

    def observations(self, boot: str) -> list[Observation]:
        """How the clocks of a boot stood to each other, in order."""
        return observations(self._rows, boot)

    def newest_right_ms(self, before_boot: str) -> int | None:
        """The latest moment of other boots than this that is surely known, as a time server kept the clock; None: there is none."""
        ((looked,),) = self._rows(
            "SELECT max(wall_ms) FROM clock WHERE synchronized = 1 AND boot <> ?", before_boot
        )
        if looked is None:
            return None
        heard = self._rows(
            "SELECT c.last_ms FROM chunk c JOIN connection n ON n.id = c.connection WHERE n.boot <> ?"
            " AND n.boot IN (SELECT boot FROM clock WHERE synchronized = 1) ORDER BY c.position DESC LIMIT 1",
            before_boot,
        )
        return max(looked, *(at for (at,) in heard)) if heard else int(looked)

    def unplaced_boots(self) -> list[Boot]:
        """The boots that never learned the time, oldest first: what straps told in them counts nowhere."""
        return self._boots(
            "FROM person p JOIN chunk c ON c.person = p.id AND c.first_ms < ?"
            " JOIN connection n ON n.id = c.connection JOIN source s ON s.id = c.source",
            -ALWAYS_MS,
        )

    def placed_boots(self) -> list[Boot]:
        """The boots of which the owner said when they were, oldest first."""
        rows = self._rows("SELECT DISTINCT boot FROM clock WHERE believed = ?", OWNER)
        boots = [boot for (boot,) in rows if is_placed(self.observations(boot))]
        return sorted(
            (b for boot in boots for b in self._boots(_OF_BOOT, boot)), key=lambda b: self._began(b.id)
        )

    def _boots(self, which: str, value: Any) -> list[Boot]:
        told: dict[str, list[StrapTime]] = {}
        for boot, *time in self._rows(
            "SELECT n.boot, p.name, s.name, min(c.steady_ms), max(c.steady_ms + c.last_ms - c.first_ms), sum(c.samples)"
            f" {which} GROUP BY n.boot, c.person, c.source ORDER BY 4",
            value,
        ):
            told.setdefault(boot, []).append(StrapTime(*time))
        return [
            Boot(boot, self.observations(boot), told[boot], *self._between(boot))
            for boot in sorted(told, key=self._began)
        ]

    def _began(self, boot: str) -> int:
        """The order of boots is that of their first looks."""
        return int(self._rows("SELECT coalesce(min(id), 0) FROM clock WHERE boot = ?", boot)[0][0])

    def _between(self, boot: str) -> tuple[int | None, int | None]:
        """Moments of other boots that were surely right, the last before this boot and the first after it."""
        began = self._began(boot)
        others = self._rows(
            "SELECT boot, min(id) FROM clock WHERE boot <> ? AND synchronized = 1 GROUP BY boot", boot
        )
        after, before = [], []
        for other, first_right in others:
            right = [o for o in self.observations(other) if o.synchronized]
            if self._began(other) < began:
                after += [o.steady_ms + o.offset_ms for o in right[-1:]]
            elif first_right > began:
                before += [o.steady_ms + o.offset_ms for o in right[:1]]
        if after:
            heard = self._rows(
                "SELECT c.last_ms FROM chunk c JOIN connection n ON n.id = c.connection WHERE n.boot <> ?1"
                " AND c.position <= (SELECT min(position) FROM clock WHERE boot = ?1)"
                " AND n.boot IN (SELECT boot FROM clock WHERE synchronized = 1) ORDER BY c.position DESC LIMIT 1",
                boot,
            )
            after += [at for (at,) in heard]
        return max(after, default=None), min(before, default=None)


def observations(ask: Callable[..., Iterable[Any]], boot: str) -> list[Observation]:
    """The looks at the clocks of a boot and what was said of them, in order."""
    sql = f"SELECT {columns_of('clock')} FROM clock WHERE boot = ? ORDER BY id"
    return [
        Observation(steady, wall, bool(right), offset, believed)
        for _, _, steady, wall, right, offset, believed, *_ in (
            row for row in ask(sql, boot) if is_whole("clock", row)
        )
    ]
