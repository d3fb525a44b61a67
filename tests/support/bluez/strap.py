"""A strap as BlueZ meets it: in reach or not, connected to one adapter at most, beating as the loop's time passes."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.support.air.heart import Delivered, Heart, Sensor

HEART_RATE, BATTERY, INFORMATION = "180d", "180f", "180a"
MEASUREMENT, LOCATION, LEVEL, SERIAL = "2a37", "2a38", "2a19", "2a25"

SUPERVISION_S = 0.72
"""How long both sides believe in a link that carries nothing; short, since this time may be real."""


def uuid(short: str) -> str:
    return f"0000{short}-0000-1000-8000-00805f9b34fb"


@dataclass
class Strap:
    """One strap; the test changes its attributes while it runs."""

    address: str
    name: str = "Strap"
    serial: str = "0001"
    battery_pct: int = 87
    period_s: float = 1.0
    phase_s: float = 0.137
    """So that it does not beat at the very moment at which a test does something."""
    rssi: int = -60
    says_heart_rate: bool = True
    has_heart_rate: bool = True
    taken: bool = False
    """Whether somebody's phone has it."""
    sensor: Sensor = field(default_factory=lambda: Sensor(Heart(0, asyncio.get_running_loop().time())))
    delivered: list[Delivered] = field(default_factory=list)
    """What reached a subscriber."""
    away: bool = False
    link: str | None = None
    """The device's path at the adapter it is connected to."""
    _late: list[tuple[bytes, tuple[float, ...]]] = field(default_factory=list)

    @property
    def can_be_heard(self) -> bool:
        return not self.away and not self.taken and self.link is None

    @property
    def services(self) -> dict[str, dict[str, tuple[list[str], bytes]]]:
        """Service -> characteristic -> what can be done with it, and what it says when read."""
        heart = {MEASUREMENT: (["notify"], b""), LOCATION: (["read"], b"\x01")}
        return {
            **({HEART_RATE: heart} if self.has_heart_rate else {}),
            BATTERY: {LEVEL: (["read", "notify"], bytes([self.battery_pct]))},
            INFORMATION: {
                "2a29": (["read"], b"Virtual Oy"),
                "2a24": (["read"], b"VS-10"),
                SERIAL: (["read"], self.serial.encode()),
                "2a26": (["read"], b"1.2.3"),
            },
        }

    async def beat(self, notify: Callable[["Strap", bytes], bool]) -> None:
        """Notify for ever; `notify` says whether anybody was told."""
        loop = asyncio.get_running_loop()
        due_s = loop.time() + self.phase_s
        while True:
            due_s += self.period_s
            await asyncio.sleep(due_s - loop.time())
            said = self.sensor.says(due_s)
            if said is not None:
                self.say(*said, notify)

    def say(
        self, payload: bytes, beats_s: tuple[float, ...], notify: Callable[["Strap", bytes], bool]
    ) -> None:
        """Send one notification over the link there is; out of reach it waits in the strap, as a link layer does."""
        if self.link is None:
            self._late.clear()
            return
        self._late.append((payload, beats_s))
        while self._late and not self.away:
            payload, beats_s = self._late.pop(0)
            at_s = asyncio.get_running_loop().time()
            if notify(self, payload):
                self.delivered.append(Delivered(at_s, payload, beats_s))
