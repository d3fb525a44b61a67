"""The clocks of a Pi in a simulation: steady time is the event loop's, wall time is set by the test."""

import asyncio
import uuid

NEW_YEAR_MS = 1_767_225_600_000  # 2026-01-01T00:00Z


class AirClock:
    """The clock that a recorder is given; what it says follows the event loop it was made in."""

    def __init__(self, *, wall_ms: int = NEW_YEAR_MS, synchronized: bool = True) -> None:
        self._loop = asyncio.get_running_loop()
        self._booted_s = self._loop.time() - 20.0  # a Pi has been up for a moment before anything runs on it
        self._ahead_ms = wall_ms - self.steady_ms()
        self._synchronized = synchronized
        self.boot = str(uuid.uuid4())

    def steady_ms(self) -> int:
        return self.steady_of(self._loop.time())

    def wall_ms(self) -> int:
        return self.steady_ms() + self._ahead_ms

    def synchronized(self) -> bool:
        return self._synchronized

    def kept(self) -> bool:
        return False  # a Pi has no clock with a battery

    # --- for the test ---

    def steady_of(self, at_s: float) -> int:
        """Steady time (ms) of a moment of the event loop (s)."""
        return round((at_s - self._booted_s) * 1000)

    def wall_of(self, at_s: float) -> int:
        """What the wall clock, as it is set now, says of a moment of the event loop (s); UTC ms."""
        return self.steady_of(at_s) + self._ahead_ms

    def set_wall(self, wall_ms: int, *, synchronized: bool = True) -> None:
        """Step the wall clock, as NTP does when the network comes up."""
        self._ahead_ms = wall_ms - self.steady_ms()
        self._synchronized = synchronized

    def reboot(self, *, wall_ms: int | None = None, synchronized: bool = True) -> None:
        """Steady time begins anew, under another boot id."""
        wall_ms = self.wall_ms() if wall_ms is None else wall_ms
        self._booted_s = self._loop.time() - 20.0
        self.boot = str(uuid.uuid4())
        self.set_wall(wall_ms, synchronized=synchronized)
