"""A small FIT writer for the made-up household and for tests: every message and quirk the reader knows, no file of a person.

It writes what it is told, right or wrong; the reader's opinion is not asked. Sources: FIT SDK, "FIT Protocol" and
profile.

>>> from ingest.demo.fit_encoder import Fit, workout
>>> data = workout(start=1_000_000_000, bpm=[100, 101, 102])
"""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

ERA = 631_065_600
"""1989-12-31T00:00:00Z, in seconds since 1970."""
INVALID_TIME = 0xFFFFFFFF

FILE_ID, USER_PROFILE, ZONES_TARGET, HR_ZONE, SPORT, SESSION, LAP, RECORD, EVENT, DEVICE_INFO = (
    0, 3, 7, 8, 12, 18, 19, 20, 21, 23,
)  # fmt: skip
ACTIVITY, MONITORING, HRV, MONITORING_INFO, HR, TIMESTAMP_CORRELATION = 34, 55, 78, 103, 132, 162
FIELD_DESCRIPTION, DEVELOPER_DATA_ID, MONITORING_HR_DATA, TIME_IN_ZONE = 206, 207, 211, 216
BEAT_INTERVALS, HSA_HEART_RATE, RAW_BBI = 290, 308, 372

TYPES: dict[str, tuple[int, str]] = {
    "enum": (0x00, "B"), "sint8": (0x01, "b"), "uint8": (0x02, "B"), "sint16": (0x83, "h"), "uint16": (0x84, "H"),
    "sint32": (0x85, "i"), "uint32": (0x86, "I"), "string": (0x07, "s"), "float32": (0x88, "f"),
    "float64": (0x89, "d"), "uint8z": (0x0A, "B"), "uint16z": (0x8B, "H"), "uint32z": (0x8C, "I"),
    "byte": (0x0D, "B"), "uint64": (0x8F, "Q"),
}  # fmt: skip

Value = int | float | str | bytes | Sequence[int]
Field = tuple[int, str, Value]
"""Number, type, value; a sequence is an array."""
Developer = tuple[int, int, bytes]
"""Number of the field, index of the developer, the bytes as they are."""


def crc16(data: bytes) -> int:
    """The FIT checksum, bit by bit: slow, and nothing the reader uses."""
    register = 0
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ 0xA001 if register & 1 else register >> 1
    return register


_TABLE = [crc16(bytes((byte,))) for byte in range(256)]


def _quick_crc(data: bytes) -> int:
    register = 0
    for byte in data:
        register = register >> 8 ^ _TABLE[(register ^ byte) & 0xFF]
    return register


@dataclass
class Fit:
    """One FIT file in the making; messages are appended in the order of the file."""

    big_endian: bool = False
    header_size: int = 14
    body: bytearray = field(default_factory=bytearray)
    _layouts: dict[int, bytes] = field(default_factory=dict)

    @property
    def _order(self) -> str:
        return ">" if self.big_endian else "<"

    def define(
        self,
        number: int,
        fields: Iterable[tuple[int, int, int]],
        *,
        local: int = 0,
        developer: Iterable[tuple[int, int, int]] = (),
    ) -> "Fit":
        """A definition of (number, size, base type) as given, whether it makes sense or not."""
        rows, own = list(fields), list(developer)
        raw = bytes((0, self.big_endian)) + struct.pack(self._order + "HB", number, len(rows))
        raw += b"".join(bytes(row) for row in rows)
        if own:
            raw += bytes((len(own),)) + b"".join(bytes(row) for row in own)
        self._layouts[local] = raw
        self.body += bytes((0x40 | local | (0x20 if own else 0),)) + raw
        return self

    def raw(self, content: bytes) -> "Fit":
        """Bytes as they are."""
        self.body += content
        return self

    def message(
        self,
        number: int,
        *fields: Field,
        local: int = 0,
        developer: Sequence[Developer] = (),
        compressed: int | None = None,
        redefine: bool = False,
    ) -> "Fit":
        """A message, with its definition before it where the local number does not mean that layout already.

        `compressed` puts the low five bits of that time into the header byte (local numbers 0 to 3 only).
        """
        contents = [self._encode(kind, value) for _, kind, value in fields]
        layout = [(n, len(c), TYPES[kind][0]) for (n, kind, _), c in zip(fields, contents, strict=True)]
        own = [(n, len(c), index) for n, index, c in developer]
        raw = bytes((0, self.big_endian)) + struct.pack(self._order + "HB", number, len(layout))
        raw += b"".join(map(bytes, layout))
        if own:
            raw += bytes((len(own),)) + b"".join(map(bytes, own))
        if redefine or self._layouts.get(local) != raw:
            self.define(number, layout, local=local, developer=own)
        header = local if compressed is None else 0x80 | local << 5 | compressed & 31
        self.body += bytes((header,)) + b"".join(contents) + b"".join(c for *_, c in developer)
        return self

    def _encode(self, kind: str, value: Value) -> bytes:
        if isinstance(value, str):
            return value.encode() + b"\0"
        if isinstance(value, bytes):
            return value
        code = TYPES[kind][1]
        if isinstance(value, int | float):
            return struct.pack(self._order + code, value)
        return struct.pack(f"{self._order}{len(value)}{code}", *value)

    def done(
        self,
        *,
        data_size: int | None = None,
        header_crc: int | None = None,
        crc: int | None = None,
        without_crc: bool = False,
    ) -> bytes:
        """The file; every part of its frame can be made to lie."""
        size = len(self.body) if data_size is None else data_size
        head = struct.pack("<BBHI4s", self.header_size, 0x20, 2132, size, b".FIT")
        if self.header_size >= 14:
            head += struct.pack("<H", _quick_crc(head) if header_crc is None else header_crc)
        head += bytes(max(self.header_size - 14, 0))
        whole = head + bytes(self.body)
        if without_crc:
            return whole
        return whole + struct.pack("<H", _quick_crc(whole) if crc is None else crc)

    # What follows are the messages of the profile, in its own units unless said otherwise.

    def file_id(
        self,
        kind: int = 4,
        *,
        manufacturer: int = 1,
        product: int = 2697,
        serial: int = 1234567890,
        created: int = INVALID_TIME,
    ) -> "Fit":
        """Kind 4 is an activity, 32 a monitoring_b, 2 settings."""
        return self.message(
            FILE_ID,
            (0, "enum", kind),
            (1, "uint16", manufacturer),
            (2, "uint16", product),
            (3, "uint32z", serial),
            (4, "uint32", created),
        )

    def record(self, time: int | None, bpm: int | None, *, local: int = 1, compressed: bool = False) -> "Fit":
        """One second of a workout; without a time or without a heart rate the field is left out."""
        fields: list[Field] = []
        if time is not None and not compressed:
            fields.append((253, "uint32", time))
        if bpm is not None:
            fields.append((3, "uint8", bpm))
        fields.append((4, "uint8", 80))
        return self.message(RECORD, *fields, local=local, compressed=time if compressed else None)

    def records(self, start: int, bpm: Sequence[int]) -> "Fit":
        """A second of a workout for each heart rate, from a time on: all of them at once, for who writes thousands."""
        self.define(RECORD, [(253, 4, 0x86), (3, 1, 2)], local=1)
        return self._column(1, "u4", np.arange(start, start + len(bpm), dtype=np.int64), bpm)

    def _column(self, local: int, kind: str, times: ArrayLike, bpm: ArrayLike) -> "Fit":
        """Messages of a time and a heart rate each, of the layout that was defined last."""
        order = self._order
        table = np.zeros(len(np.asarray(bpm)), [("header", "u1"), ("time", order + kind), ("bpm", "u1")])
        table["header"], table["time"], table["bpm"] = local, times, bpm
        return self.raw(table.tobytes())

    def timer(self, time: int, *, start: bool, kind: int | None = None, local: int = 2) -> "Fit":
        """The timer is started or (4: stop_all) stopped."""
        how = kind if kind is not None else 0 if start else 4
        return self.message(EVENT, (253, "uint32", time), (0, "enum", 0), (1, "enum", how), local=local)

    def session(
        self,
        start: int,
        seconds: float,
        *,
        timer: float | None = None,
        sport: int = 1,
        sub_sport: int = 0,
        mean: int = 255,
        highest: int = 255,
        stamped: int | None = None,
        zone_s: Sequence[float] = (),
    ) -> "Fit":
        """One workout; sport 1 is running, 2 cycling, 5 swimming, 11 walking; `zone_s` are its own seconds in zones."""
        zones: list[Field] = [(65, "uint32", [round(s * 1000) for s in zone_s])] if zone_s else []
        return self.message(
            SESSION,
            (253, "uint32", int(start + seconds) if stamped is None else stamped),
            (2, "uint32", start),
            (7, "uint32", round(seconds * 1000)),
            (8, "uint32", round((seconds if timer is None else timer) * 1000)),
            (5, "enum", sport),
            (6, "enum", sub_sport),
            (16, "uint8", mean),
            (17, "uint8", highest),
            *zones,
            local=3,
        )

    def lap(self, start: int, seconds: float, *, mean: int = 255, highest: int = 255) -> "Fit":
        return self.message(
            LAP,
            (253, "uint32", int(start + seconds)),
            (2, "uint32", start),
            (7, "uint32", round(seconds * 1000)),
            (8, "uint32", round(seconds * 1000)),
            (15, "uint8", mean),
            (16, "uint8", highest),
            local=4,
        )

    def activity(self, time: int, *, local_time: int | None = None, seconds: float = 0) -> "Fit":
        return self.message(
            ACTIVITY,
            (253, "uint32", time),
            (0, "uint32", round(seconds * 1000)),
            (5, "uint32", time if local_time is None else local_time),
            local=5,
        )

    def device_info(self, time: int, *, source: int = 5, kind: int = 10, serial: int = 7) -> "Fit":
        """Source 1 is ANT+, 3 Bluetooth, 5 built in; kind 120 is an ANT+ heart rate strap, 10 the wrist sensor."""
        return self.message(
            DEVICE_INFO,
            (253, "uint32", time),
            (1, "uint8", kind),
            (2, "uint16", 1),
            (3, "uint32z", serial),
            (25, "enum", source),
            local=6,
        )

    def zones_target(self, maximum: int, *, threshold: int = 255) -> "Fit":
        return self.message(
            ZONES_TARGET, (1, "uint8", maximum), (2, "uint8", threshold), (5, "enum", 1), local=7
        )

    def hr_zone(self, index: int, high_bpm: int) -> "Fit":
        return self.message(HR_ZONE, (254, "uint16", index), (1, "uint8", high_bpm), local=7)

    def user_profile(self, *, resting: int = 255, maximum: int = 255, age: int = 255) -> "Fit":
        return self.message(
            USER_PROFILE, (2, "uint8", age), (8, "uint8", resting), (11, "uint8", maximum), local=7
        )

    def time_in_zone(
        self,
        time: int,
        edges: Sequence[int],
        seconds: Sequence[float],
        *,
        reference: int = SESSION,
        index: int = 0,
        maximum: int = 255,
        resting: int = 255,
        threshold: int = 255,
    ) -> "Fit":
        return self.message(
            TIME_IN_ZONE,
            (253, "uint32", time),
            (0, "uint16", reference),
            (1, "uint16", index),
            (2, "uint32", [round(s * 1000) for s in seconds]),
            (6, "uint8", list(edges)),
            (10, "enum", 1),
            (11, "uint8", maximum),
            (12, "uint8", resting),
            (13, "uint8", threshold),
            local=8,
        )

    def hrv(self, *rr_ms: int) -> "Fit":
        """Up to five R-R intervals; the rest is filled up with "none"."""
        return self.message(HRV, (0, "uint16", [*rr_ms, *[0xFFFF] * (5 - len(rr_ms))]), local=9)

    def beat_intervals(self, time: int, rr_ms: Sequence[int], *, past_ms: int = 0) -> "Fit":
        return self.message(
            BEAT_INTERVALS, (253, "uint32", time), (0, "uint16", past_ms), (1, "uint16", rr_ms), local=9
        )

    def raw_bbi(self, time: int, rr: Sequence[tuple[int, int, int]], *, past_ms: int = 0) -> "Fit":
        """(milliseconds, quality 1 for good, 1 for a gap), packed into sixteen bits each."""
        packed = [ms | good << 14 | gap << 15 for ms, good, gap in rr]
        return self.message(
            RAW_BBI, (253, "uint32", time), (0, "uint16", past_ms), (1, "uint16", packed), local=9
        )

    def monitoring(self, time: int, *fields: Field, local: int = 10) -> "Fit":
        """An all-day message with a full timestamp and whatever else."""
        return self.message(MONITORING, (253, "uint32", time), *fields, local=local)

    def monitoring_bpm(self, time: int, bpm: int, *, local: int = 11) -> "Fit":
        """An all-day heart rate as watches write it: with the low sixteen bits of its time only."""
        return self.message(MONITORING, (26, "uint16", time & 0xFFFF), (27, "uint8", bpm), local=local)

    def monitoring_rates(self, times: ArrayLike, bpm: ArrayLike) -> "Fit":
        """The same for each of some times, all at once."""
        self.define(MONITORING, [(26, 2, 0x84), (27, 1, 2)], local=11)
        return self._column(11, "u2", np.asarray(times) & 0xFFFF, bpm)

    def monitoring_info(self, time: int, *, offset: int = 3600) -> "Fit":
        return self.message(MONITORING_INFO, (253, "uint32", time), (0, "uint32", time + offset), local=12)

    def monitoring_hr_data(self, time: int, *, week: int = 255, today: int = 255) -> "Fit":
        return self.message(
            MONITORING_HR_DATA, (253, "uint32", time), (0, "uint8", week), (1, "uint8", today), local=12
        )

    def hsa_heart_rate(self, time: int, bpm: Sequence[int], *, interval: int = 1) -> "Fit":
        return self.message(
            HSA_HEART_RATE,
            (253, "uint32", time),
            (0, "uint16", interval),
            (1, "uint8", 1),
            (2, "uint8", bpm),
            local=13,
        )

    def hr_anchor(self, time: int, event: int, bpm: int, *, fraction: int = 0) -> "Fit":
        """Where a strap's own clock (1/1024 s) stood at a date (and 1/32768 s)."""
        return self.message(
            HR,
            (253, "uint32", time),
            (0, "uint16", fraction),
            (6, "uint8", [bpm]),
            (9, "uint32", [event]),
            local=14,
        )

    def hr_events(self, events: Sequence[int], bpm: Sequence[int]) -> "Fit":
        """Eight heart rates with the low twelve bits of the strap's clock."""
        packed = sum((event & 0xFFF) << 12 * i for i, event in enumerate(events))
        size = (len(events) * 12 + 7) // 8
        return self.message(
            HR, (6, "uint8", list(bpm)), (10, "byte", list(packed.to_bytes(size, "little"))), local=15
        )

    def developer_field(self, number: int, base: str = "uint8", *, native: int = 3, index: int = 0) -> "Fit":
        """What a developer field means; native 3 of record is its heart rate."""
        self.message(DEVELOPER_DATA_ID, (1, "byte", list(range(16))), (3, "uint8", index), local=7)
        return self.message(
            FIELD_DESCRIPTION,
            (0, "uint8", index),
            (1, "uint8", number),
            (2, "uint8", TYPES[base][0]),
            (3, "string", "Heart Rate"),
            (14, "uint16", RECORD),
            (15, "uint8", native),
            local=7,
        )

    def correlation(self, time: int, since_power_on: int) -> "Fit":
        """Which date a count from power-on meant."""
        return self.message(
            TIMESTAMP_CORRELATION, (253, "uint32", time), (1, "uint32", since_power_on), local=7
        )


def workout(
    start: int,
    bpm: Sequence[int],
    *,
    step: int = 1,
    serial: int = 1234567890,
    sport: int = 1,
    maximum: int | None = 185,
    strap: bool = False,
) -> bytes:
    """A whole activity file as a watch would write it: a heart rate every `step` seconds from `start` on (FIT era)."""
    fit = Fit().file_id(4, serial=serial, created=start)
    fit.device_info(start, source=1 if strap else 5, kind=120 if strap else 10)
    if maximum is not None:
        fit.zones_target(maximum)
    fit.timer(start, start=True)
    for i, value in enumerate(bpm):
        fit.record(start + i * step, value)
    end = start + len(bpm) * step
    real = [b for b in bpm if 30 <= b <= 230]
    mean = round(sum(real) / len(real)) if real else 255
    fit.timer(end, start=False)
    fit.session(start, end - start, sport=sport, mean=mean, highest=max(real, default=255))
    return fit.activity(end, seconds=end - start).done()


def day(start: int, bpm: Sequence[int], *, serial: int = 1234567890, resting: int = 55) -> bytes:
    """A whole all-day file: a heart rate a minute from `start` on (FIT era), a walk where it is 100 or more."""
    fit = Fit().file_id(32, serial=serial, created=start).monitoring_info(start)
    fit.monitoring(start, (24, "byte", 8))
    steps = active_ms = 0
    for i, value in enumerate(bpm):
        time = start + 60 * (i + 1)
        if value >= 100 and value != 255:
            steps, active_ms = steps + 110, active_ms + 60_000
            fit.monitoring(
                time, (3, "uint32", steps), (4, "uint32", active_ms), (24, "byte", 6 | 3 << 5), local=13
            )
        elif i % 5 == 0:
            fit.monitoring(time, (24, "byte", 8))
        fit.monitoring_bpm(time, value)
    end = start + 60 * len(bpm)
    return fit.monitoring_hr_data(end, week=resting, today=resting).done()
