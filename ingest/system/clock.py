"""The clocks of the world: one that never goes back, one that people read, and whether that one is right."""

import ctypes
import time
import uuid
from pathlib import Path
from typing import Protocol

BOOT = Path("/proc/sys/kernel/random/boot_id")

TOUCHED = Path("/run/systemd/timesync/synchronized")
"""systemd-timesyncd touches it whenever a time server has answered, each half hour at least (systemd-timesyncd(8))."""

BATTERY_CLOCKS = Path("/sys/class/rtc")
BOARD = Path("/sys/firmware/devicetree")
"""There on small computers, of which many have no clock of their own; a PC has one, and a virtual machine its host's."""

BATTERY_CLOCK_ERROR_S = 300
"""By how much a clock with a battery may differ from the wall clock, which was set by it and is slewed by nobody: in a
month without a time server two cheap crystals part by a minute or two."""

_WORST_US = 16_000_000
"""What the kernel says of a clock that nobody keeps right (NTP_PHASE_LIMIT)."""

_UNSYNCHRONIZED = 0x40
"""STA_UNSYNC (adjtimex(2)): set at the boot, by a step by hand, and once nobody has said for hours that it is right."""

_STEP_MS = 1000


class Clock(Protocol):
    """What the program knows of time."""

    @property
    def boot(self) -> str:
        """Which life of the machine this is; the steady clock means something within it only."""

    def steady_ms(self) -> int:
        """Milliseconds since the boot, sleep included; never goes back (CLOCK_BOOTTIME)."""

    def wall_ms(self) -> int:
        """Milliseconds since 1970 as the machine believes."""

    def synchronized(self) -> bool:
        """Whether somebody who knows the time keeps the wall clock right."""

    def kept(self) -> bool:
        """Whether the wall clock began with what another clock kept while the power was off: one with a battery."""


class SystemClock:
    """The clocks of this machine."""

    def __init__(
        self, touched: Path = TOUCHED, battery_clocks: Path = BATTERY_CLOCKS, board: Path = BOARD
    ) -> None:
        self._mark = SyncMark(touched)
        self._battery_clocks, self._board = battery_clocks, board
        try:
            self.boot = BOOT.read_text(encoding="ascii").strip()
        except OSError:
            # Without /proc each life of the program stands for a boot: what it saw of the clocks it saw itself.
            self.boot = str(uuid.uuid4())
        self._libc = ctypes.CDLL(None, use_errno=True)

    def steady_ms(self) -> int:
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000

    def wall_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def synchronized(self) -> bool:
        """By what the kernel says, which hears of every step by hand; where it may not be asked, by what timesyncd says."""
        about = _Timex()
        if self._libc.adjtimex(ctypes.byref(about)) >= 0:
            return says_right(about.status, about.maxerror)
        # No such call, or not for us: a filter of calls (SystemCallFilter=), a kernel without the 32-bit one.
        return self._mark.is_right(self.wall_ms() - self.steady_ms())

    def kept(self) -> bool:
        """By whether such a clock shows the same time now: one whose battery is empty began anew with the power."""
        try:
            clocks = sorted(self._battery_clocks.iterdir())
        except OSError:
            clocks = []
        if not clocks:
            return not self._board.exists()
        return any(self._agrees(clock) for clock in clocks)

    def _agrees(self, battery_clock: Path) -> bool:
        try:
            shown_s = int((battery_clock / "since_epoch").read_text(encoding="ascii"))
        except (OSError, ValueError):
            return False
        return abs(shown_s - self.wall_ms() // 1000) <= BATTERY_CLOCK_ERROR_S


def says_right(status: int, greatest_error_us: int) -> bool:
    """Whether the kernel's word for a clock is that it is right.

    The flag alone does not deny it: systemd-timesyncd sets it beside a clock that it keeps, where the hardware clock
    shows local time, and chrony where it is not to touch that; both say then how wrong it may be at most. A step by
    hand sets the flag, and that error to its worst (ntp_clear in Linux).
    """
    return not status & _UNSYNCHRONIZED or greatest_error_us < _WORST_US


class SyncMark:
    """The file that systemd-timesyncd touches whenever the clock is right; it stays for the whole boot.

    So it vouches for a clock that was stepped since only once it is touched again.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._ahead_ms: int | None = None
        self._seen_ns: int | None = None
        self._void_ns: int | None = None

    def is_right(self, ahead_ms: int) -> bool:
        """Whether the wall clock is right, which is that much ahead of the steady one now."""
        try:
            touched_ns: int | None = self._path.stat().st_mtime_ns
        except OSError:
            touched_ns = None
        if self._ahead_ms is not None and abs(ahead_ms - self._ahead_ms) > _STEP_MS:
            self._void_ns = self._seen_ns
        self._ahead_ms, self._seen_ns = ahead_ms, touched_ns
        return touched_ns is not None and touched_ns != self._void_ns


class _Timex(ctypes.Structure):
    """The beginning of `struct timex`, and room for its rest (adjtimex(2)); modes of 0 change nothing.

    Up to the status it is the same for every size of time: what differs on 32 bits, the time itself, lies in the rest.
    """

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    )
