"""Heart Rate Measurement: any octets give a reading or a clear refusal, and many at once what each alone gives."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingest.formats.heart_rate_measurement import decode
from ingest.formats.measurements import PayloadFault


@dataclass(frozen=True)
class Reading:
    fault: PayloadFault
    bpm: int = 0
    contact: bool | None = None
    ticks: tuple[int, ...] = ()


def slowly(payload: bytes) -> Reading:
    """The specification, octet by octet: take from the front what the flags say, and see whether there is enough."""
    rest = list(payload)

    def number(octets: int) -> int | None:
        if len(rest) < octets:
            return None
        taken = [rest.pop(0) for _ in range(octets)]
        return sum(octet << 8 * i for i, octet in enumerate(taken))

    flags = number(1)
    if flags is None:
        return Reading(PayloadFault.EMPTY)
    bits = [bool(flags & 1 << i) for i in range(8)]
    bpm = number(2 if bits[0] else 1)
    energy = number(2) if bits[3] else -1
    if bpm is None or energy is None:
        return Reading(PayloadFault.TRUNCATED)
    if bpm > 255:
        return Reading(PayloadFault.TOO_FAST)
    ticks = []
    while bits[4]:
        tick = number(2)
        if tick is None:
            break
        if tick:
            ticks.append(tick)
    return Reading(PayloadFault.NONE, bpm, bits[1] if bits[2] else None, tuple(ticks))


def at_once(payloads: list[bytes]) -> list[Reading]:
    """What `decode` makes of payloads, as plain values."""
    octets = np.frombuffer(b"".join(payloads), np.uint8)
    found = decode(np.array([len(p) for p in payloads], np.int64), octets)
    assert [found.fault.dtype, found.bpm.dtype, found.contact.dtype] == [np.uint8, np.uint8, np.int8]
    assert (found.payload[1:] >= found.payload[:-1]).all()
    return [
        Reading(
            PayloadFault(int(found.fault[i])),
            int(found.bpm[i]),
            {1: True, 0: False, -1: None}[int(found.contact[i])],
            tuple(int(Fraction(float(ms)) * 128 / 125) for ms in found.rr_ms[found.payload == i]),
        )
        for i in range(len(payloads))
    ]


@st.composite
def likely(draw: st.DrawFn) -> bytes:
    """Payloads as straps send them, some cut off or with something behind: arbitrary octets are seldom valid."""
    flags = draw(st.integers(0, 255))
    size = draw(st.integers(0, 12))
    body = draw(st.binary(min_size=size, max_size=size))
    wide = b"\0" if flags & 1 and draw(st.booleans()) else b""
    return bytes([flags]) + body[:1] + wide + body[1:]


@given(st.lists(st.binary(max_size=24) | likely(), max_size=40))
@example([b"", b"\x10", b"\x00", b""])
@example([b"\x19\x40\x00\x01\x00\x00\x04\x00\x00\xff\xff\x07"])
def test_many_at_once_say_what_each_says_alone(payloads: list[bytes]) -> None:
    """Protects every sample and beat: no octets may raise, nor be read as part of their neighbours."""
    assert at_once(payloads) == [slowly(p) for p in payloads]


@pytest.mark.parametrize(
    ("octets", "reading"),
    [
        ("00 48", Reading(PayloadFault.NONE, 72)),
        ("06 48", Reading(PayloadFault.NONE, 72, contact=True)),
        ("04 48", Reading(PayloadFault.NONE, 72, contact=False)),
        ("02 48", Reading(PayloadFault.NONE, 72)),  # bit 1 without bit 2 means nothing
        ("01 48 00", Reading(PayloadFault.NONE, 72)),
        ("10 48 00 04 20 03", Reading(PayloadFault.NONE, 72, ticks=(1024, 800))),
        ("11 48 00 00 04", Reading(PayloadFault.NONE, 72, ticks=(1024,))),
        ("18 48 05 00 00 04", Reading(PayloadFault.NONE, 72, ticks=(1024,))),
        ("10 48", Reading(PayloadFault.NONE, 72)),  # between two beats
        ("10 48 00 00 00 04", Reading(PayloadFault.NONE, 72, ticks=(1024,))),
        ("10 48 00 04 20", Reading(PayloadFault.NONE, 72, ticks=(1024,))),
        ("00 48 00 04", Reading(PayloadFault.NONE, 72)),
        ("e0 48 99", Reading(PayloadFault.NONE, 72)),
        ("10 00 00 04", Reading(PayloadFault.NONE, 0, ticks=(1024,))),
        ("01 ff 00", Reading(PayloadFault.NONE, 255)),
        ("", Reading(PayloadFault.EMPTY)),
        ("06", Reading(PayloadFault.TRUNCATED)),
        ("01 48", Reading(PayloadFault.TRUNCATED)),
        ("08 48 05", Reading(PayloadFault.TRUNCATED)),
        ("11 00 01 00 04", Reading(PayloadFault.TOO_FAST)),
    ],
)
def test_what_is_decided(octets: str, reading: Reading) -> None:
    """Protects the decisions where the specification leaves room: each is written here as octets."""
    assert at_once([bytes.fromhex(octets)]) == [reading]


def test_intervals_are_exact() -> None:
    """Protects variability: every interval a strap can send is, in ms, the very number that it means."""
    ticks = np.arange(1, 1 << 16, dtype=np.uint16)
    payloads = [b"\x10\x40" + ticks[i : i + 9].tobytes() for i in range(0, len(ticks), 9)]
    found = decode(
        np.array([len(p) for p in payloads], np.int64), np.frombuffer(b"".join(payloads), np.uint8)
    )
    assert found.rr_ms.dtype == np.float32
    exact = [
        Fraction(float(ms)) == Fraction(1000 * t, 1024)
        for ms, t in zip(found.rr_ms, ticks.tolist(), strict=True)
    ]
    assert all(exact)


def test_nothing_says_nothing() -> None:
    """Protects a reader of an empty span: no payload at all is no error."""
    found = decode(np.empty(0, np.int64), np.empty(0, np.uint8))
    assert [len(c) for c in (found.fault, found.bpm, found.payload, found.rr_ms)] == [0] * 4
