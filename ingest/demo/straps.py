"""The straps of the made-up household: what they told the recorder, and how they were meanwhile."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from ingest.collect.connection import Connection, StrapOwner
from ingest.collect.recorder import Recorder
from ingest.collect.strap_state import StrapState
from ingest.demo.effort import Effort
from ingest.journal import Journal

ROBINS_ADDRESS, SAMS_ADDRESS = "00:00:5E:00:53:01", "00:00:5E:00:53:02"
"""No sensor has these: they are kept free for examples (RFC 7042, section 2.1.2)."""

DAY_MS = 86_400_000
MINUTE_S = 60

NOT_HEARD = "not heard: not worn, out of reach, or in use by another device"


class MadeUpClock:
    """A clock that shows whatever moment the story has come to; it never goes back."""

    boot = "made up"

    def __init__(self, start_ms: int) -> None:
        self._wall_ms = self._start_ms = start_ms

    def move_to(self, wall_ms: int) -> None:
        """It is that moment, or later already."""
        self._wall_ms = max(self._wall_ms, wall_ms)

    def steady_ms(self) -> int:
        """Milliseconds since an hour before the story began."""
        return self._wall_ms - self._start_ms + 3_600_000

    def wall_ms(self) -> int:
        """The moment that it shows."""
        return self._wall_ms

    def synchronized(self) -> bool:
        """It is right: there is no other."""
        return True

    def kept(self) -> bool:
        """It never stood still."""
        return True


@dataclass(frozen=True)
class MadeUpStrap:
    """A strap: its owner, its battery at a moment, and whether it is heard all the time."""

    owner: StrapOwner
    battery_at_end: int
    battery_a_week: float
    drops_out: bool = False

    def battery_pct(self, before_end_ms: int) -> int:
        """What its battery told so long before the end of the story."""
        return min(self.battery_at_end + round(before_end_ms / DAY_MS / 7 * self.battery_a_week) % 90, 99)

    def gaps(self, effort: Effort) -> list[tuple[int, int]]:
        """The seconds of a workout, from and to, in which it is not heard."""
        if not self.drops_out:
            return []
        random = Random(f"{effort.seed} gaps")
        seconds, found = effort.minutes * MINUTE_S, []
        at = random.randrange(200, 500)
        while at < seconds - 120:
            lasts = random.choice((9, 14, 22, 40, 75, 190))
            found.append((at, min(at + lasts, seconds - 60)))
            at += lasts + random.randrange(260, 620)
        return found

    def signal_dbm(self, random: Random) -> int:
        """How loud it is heard."""
        return random.randrange(-93, -80) if self.drops_out else random.randrange(-68, -55)


def robins_strap(name: str) -> MadeUpStrap:
    """The one that drops out."""
    return MadeUpStrap(StrapOwner(name, f"strap {ROBINS_ADDRESS}"), 71, 1.4, drops_out=True)


def sams_strap(name: str) -> MadeUpStrap:
    """The one low on battery."""
    return MadeUpStrap(StrapOwner(name, f"strap {SAMS_ADDRESS}"), 9, 4.0)


def wear(
    strap: MadeUpStrap, effort: Effort, recorder: Recorder, journal: Journal, clock: MadeUpClock, end_ms: int
) -> None:
    """Have the recorder hear a strap for a workout, a commit each minute."""
    random = Random(f"{effort.seed} strap")
    battery = strap.battery_pct(max(end_ms - effort.start_ms, 0))

    def say(state: str, why: str = "", reconnects: int = 0) -> None:
        signal = strap.signal_dbm(random)
        recorder.record_state(strap.owner, StrapState(state, why, battery, signal, reconnects))

    clock.move_to(effort.start_ms - 3_000)
    say("connecting")
    connection: Connection | None = None
    connected = 0
    jitter = random.choices(range(0, 60, 4), k=997)
    breaks = list(_breaks(strap.gaps(effort)))
    for second, octets in enumerate(effort.notifications):
        if second and second % MINUTE_S == 0:
            recorder.commit(journal)
        while breaks and breaks[0][0] == second:
            _, heard = breaks.pop(0)
            clock.move_to(effort.start_ms + second * 1000)
            if heard:
                connection, connected = recorder.open_connection(strap.owner), connected + 1
                say("connected", "", connected - 1)
            elif connection is not None:
                connection.end()
                connection = None
                say("searching", NOT_HEARD, connected - 1)
        if connection is not None:
            clock.move_to(effort.start_ms + second * 1000 + 20 + jitter[second % 997])
            connection.receive(octets)
    clock.move_to(effort.end_ms)
    if connection is not None:
        connection.end()
    say("searching", NOT_HEARD, connected - 1)
    recorder.commit(journal)


def _breaks(gaps: Sequence[tuple[int, int]]) -> Iterator[tuple[int, bool]]:
    """The seconds at which a strap begins and ends to be heard."""
    yield 0, True
    for start, end in gaps:
        yield start, False
        yield end, True
