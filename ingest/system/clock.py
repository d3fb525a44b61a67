"""The clocks of the world: one that never goes back, one that people read, and whether that one is right."""

import ctypes
import time
import uuid
from pathlib import Path
from typing import Protocol

BOOT = Path("/proc/sys/kernel/random/boot_id")

TOUCHED = Path("/run/systemd/timesync/synchronized")
"""systemd-timesyncd touches it whenever it has set the clock right; it is gone with each boot (systemd-timesyncd(8))."""

_WORST_US = 16_000_000
"""What the kernel says of a clock that nobody keeps right (NTP_PHASE_LIMIT)."""


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


class SystemClock:
    """The clocks of this machine."""

    def __init__(self, touched: Path = TOUCHED) -> None:
        self._touched = touched
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
        """As systemd decides it for `timedatectl`: by the kernel's greatest error, not by STA_UNSYNC.

        That flag may also be set to keep the kernel from writing to a hardware clock. A service that may not touch the
        clock (ProtectClock=) may not ask for the error either; then what systemd-timesyncd says is all there is.
        """
        about = _Timex()
        if self._libc.adjtimex(ctypes.byref(about)) >= 0:
            return bool(about.maxerror < _WORST_US)
        return self._touched.exists()


class _Timex(ctypes.Structure):
    """The beginning of `struct timex`, and room for its rest (adjtimex(2)); modes of 0 change nothing."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("rest", ctypes.c_byte * 256),
    )
