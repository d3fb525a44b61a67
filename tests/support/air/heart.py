"""A made-up heart and what a strap says of it, byte for byte."""

import random
import struct
from dataclasses import dataclass, field
from typing import Literal

Wear = Literal["worn", "contact", "zero", "frozen", "silent"]
"""Worn; or taken off, and then saying so, saying zero, repeating the last rate, or saying nothing."""

Contact = Literal["told", "not supported", "not supported, bit set"]
"""What the two contact bits are used for: 10/11, 00, 01."""


def measurement(
    bpm: int,
    rr: tuple[int, ...] = (),
    *,
    contact: bool | None = None,
    energy_kj: int | None = None,
    wide: bool = False,
    unused_bit: bool = False,
) -> bytes:
    """The bytes of one Heart Rate Measurement (0x2A37): bpm, R-R intervals (1/1024 s, oldest first).

    Bluetooth SIG, Heart Rate Service 1.0, 3.1.
    """
    flags = int(wide) | (int(unused_bit) << 1 if contact is None else 4 | int(contact) << 1)
    body = struct.pack("<H" if wide else "B", bpm)
    if energy_kj is not None:
        flags |= 8
        body += struct.pack("<H", energy_kj)
    if rr:
        flags |= 16
        body += struct.pack(f"<{len(rr)}H", *rr)
    return bytes([flags]) + body


class Heart:
    """Beats without end, the same for the same seed; their times are the truth to hold others against."""

    def __init__(self, seed: int, begin_s: float, bpm: float = 72) -> None:
        self.bpm = bpm
        self._random = random.Random(seed)
        self._interval_s = 60 / bpm
        self._last_s = begin_s
        self._next = self._beat()

    def _beat(self) -> tuple[float, int]:
        mean_s = 60 / self.bpm
        self._interval_s = mean_s + 0.9 * (self._interval_s - mean_s) + self._random.gauss(0, 0.02)
        ticks = max(round(0.3 * 1024), round(self._interval_s * 1024))
        self._last_s += ticks / 1024
        return self._last_s, ticks

    def until(self, now_s: float) -> list[tuple[float, int]]:
        """The beats since the last call: when each ended (s), and its interval (1/1024 s)."""
        beats = []
        while self._next[0] <= now_s:
            beats.append(self._next)
            self._next = self._beat()
        return beats


@dataclass
class Sensor:
    """What a strap measures and how it puts it; the test changes it while it runs."""

    heart: Heart
    wear: Wear = "worn"
    contact: Contact = "told"
    energy: bool = False
    wide: bool = False
    rr: bool = True
    _bpm: int = field(default=0, init=False)
    _energy_kj: int = field(default=0, init=False)

    def says(self, now_s: float) -> tuple[bytes, tuple[float, ...]] | None:
        """The next notification, and when the beats in it really were (s); nothing from a strap that keeps silent."""
        beats = self.heart.until(now_s)[-9:]  # nine fit into the 20 bytes that every link carries
        if self.wear == "silent":
            return None
        worn = self.wear == "worn"
        if beats and worn:
            self._bpm = round(60 * 1024 / beats[-1][1])
            self._energy_kj += 1
        carried = beats if worn and self.rr else []
        payload = measurement(
            0 if self.wear == "zero" else self._bpm or round(self.heart.bpm),
            tuple(ticks for _, ticks in carried),
            contact=self.wear not in {"contact", "zero"} if self.contact == "told" else None,
            energy_kj=self._energy_kj if self.energy else None,
            wide=self.wide,
            unused_bit=self.contact == "not supported, bit set",
        )
        return payload, tuple(at for at, _ in carried)


@dataclass(frozen=True, slots=True)
class Delivered:
    """A notification that reached the other side of the radio."""

    at_s: float
    """When, by the event loop's clock."""

    payload: bytes
    beats_s: tuple[float, ...] = ()
    """When the beats in it really were."""
