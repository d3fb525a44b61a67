"""A slow, plain reader of heart rate in FIT files: one message after the other, nothing clever.

It shares no code with the real one and knows no numpy; where the two differ, one of them is wrong. What it gives is
what the rules in ingest.formats.fit promise: per kind a dict of milliseconds since 1970 -> bpm.
"""

from dataclasses import dataclass, field
from fractions import Fraction

ERA_MS = 631_065_600_000
FIRST_DATE, NEVER = 347_241_600, 0xFFFFFFFF  # of 2001, as clocks that were reset begin with 2000
RECORD, MONITORING, HR, CORRELATION, DESCRIPTION, HSA = 20, 55, 132, 162, 206, 308

Fields = dict[int, bytes]


@dataclass
class Message:
    """One data message: its fields as bytes, developer fields by (developer, number)."""

    number: int
    order: str
    fields: Fields
    developer: dict[tuple[int, int], bytes]
    low_bits: int | None

    def whole(self, number: int, size: int) -> int | None:
        """A field of exactly that many bytes as an unsigned number."""
        content = self.fields.get(number)
        if content is None or len(content) != size:
            return None
        return int.from_bytes(content, self.order)  # type: ignore[arg-type]

    def array(self, number: int, width: int) -> list[int] | None:
        content = self.fields.get(number)
        if content is None or len(content) < width:
            return None
        whole = len(content) - len(content) % width
        return [
            int.from_bytes(content[i : i + width], self.order)  # type: ignore[arg-type]
            for i in range(0, whole, width)
        ]


@dataclass
class Truth:
    """What the reference reader found."""

    record: list[tuple[int, int]] = field(default_factory=list)
    """(milliseconds since 1970, bpm) in the order of the file; as are the next two."""
    memory: list[tuple[int, int]] = field(default_factory=list)
    monitoring: list[tuple[int, int]] = field(default_factory=list)
    dropped: int = 0
    undated: int = 0
    damaged: bool = False
    """A message could not be followed to its end."""

    def activity(self) -> dict[int, int]:
        """Record and memory as one: the strap's memory is believed wherever it is not silent for over 30 s."""
        remembered = sorted(dict(self.memory).items())
        series = dict(self.record)
        times = [t for t, _ in remembered]
        for t in list(series):
            before = max((m for m in times if m <= t), default=None)
            after = min((m for m in times if m >= t), default=None)
            if before is not None and after is not None and after - before <= 30_000:
                del series[t]
        series.update(remembered)
        return dict(sorted(series.items()))

    def all_day(self) -> dict[int, int]:
        return dict(sorted(dict(self.monitoring).items()))

    def take(self, into: list[tuple[int, int]], milliseconds: int | None, bpm: int) -> None:
        """A sample, or one more reason why there is none."""
        if not 30 <= bpm <= 230:
            self.dropped += 1
        elif milliseconds is None:
            self.undated += 1
        else:
            into.append((milliseconds, bpm))


def heart_rate(data: bytes) -> Truth:
    """The heart rate in `data`, which must begin like a FIT file."""
    truth = Truth()
    at = 0
    while at < len(data) and len(data) - at >= 12 and data[at] >= 12 and data[at + 8 : at + 12] == b".FIT":
        begin = at + data[at]
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        end = begin + size
        if size == 0 and len(data) > begin + 2:
            end = len(data)
        messages, whole = _messages(data[begin : min(end, len(data))])
        truth.damaged |= not whole
        _read(messages, truth)
        at = end + 2
    return truth


def _messages(body: bytes) -> tuple[list[Message], bool]:
    """All messages of one file, and whether the last one was all there."""
    layouts: dict[int, tuple[int, str, list[tuple[int, int]], list[tuple[int, int, int]]]] = {}
    found: list[Message] = []
    p = 0
    while p < len(body):
        header = body[p]
        if header & 0xC0 == 0x40:
            if p + 6 > len(body):
                return found, False
            count = body[p + 5]
            q = p + 6 + 3 * count
            own = 0
            if header & 0x20:
                if q >= len(body):
                    return found, False
                own = body[q]
                q += 1
            if q + 3 * own > len(body):
                return found, False
            order = "big" if body[p + 2] & 1 else "little"
            fields = [(body[p + 6 + 3 * i], body[p + 7 + 3 * i]) for i in range(count)]
            developer = [(body[q + 3 * i], body[q + 3 * i + 1], body[q + 3 * i + 2]) for i in range(own)]
            number = int.from_bytes(body[p + 3 : p + 5], order)  # type: ignore[arg-type]
            layouts[header & 15] = (number, order, fields, developer)
            p = q + 3 * own
            continue
        local, low = (header >> 5 & 3, header & 31) if header & 0x80 else (header & 15, None)
        if local not in layouts:
            return found, False
        number, order, fields, developer = layouts[local]
        if p + 1 + sum(s for _, s in fields) + sum(s for _, s, _ in developer) > len(body):
            return found, False
        message = Message(number, order, {}, {}, low)
        p += 1
        for n, s in fields:
            message.fields.setdefault(n, body[p : p + s])
            p += s
        for n, s, index in developer:
            message.developer[index, n] = body[p : p + s]
            p += s
        found.append(message)
    return found, True


def _times(messages: list[Message]) -> list[int | None]:
    """The timestamp of every message in seconds of the FIT era; counts from power-on included."""
    stamps = [m.whole(253, 4) for m in messages]
    dates = [s for s in stamps if s is not None and FIRST_DATE <= s < NEVER]
    last_date = dates[0] if dates else None
    last: int | None = None
    times: list[int | None] = []
    for message, stamp in zip(messages, stamps, strict=True):
        time: int | None = None
        if stamp is not None and stamp != NEVER:
            time = last = stamp
            if stamp >= FIRST_DATE:
                last_date = stamp
        elif message.number == MONITORING and message.whole(26, 2) not in (None, 0xFFFF):
            low = message.whole(26, 2)
            if last_date is not None and low is not None:
                time = min(
                    (last_date - last_date % 65536 + low + turn for turn in (-65536, 0, 65536)),
                    key=lambda t: (abs(t - last_date), t),
                )
        if time is None and message.low_bits is not None and last is not None:
            time = last = last + (message.low_bits - last) % 32
        elif message.low_bits is not None and stamp in (None, NEVER) and last is not None:
            last = last + (message.low_bits - last) % 32
        times.append(time)
    return times


def _read(messages: list[Message], truth: Truth) -> None:
    times = _times(messages)
    turned_on = _turned_on(messages)
    dated = [
        None if t is None else t if t >= FIRST_DATE else None if turned_on is None else t + turned_on
        for t in times
    ]
    stand_ins = _stand_ins(messages)
    anchor: Fraction | None = None
    anchor_event = event = 0
    for message, time in zip(messages, dated, strict=True):
        ms = None if time is None else time * 1000 + ERA_MS
        if message.number == RECORD:
            bpm = message.whole(3, 1)
            if bpm in (None, 255):
                for key, content in message.developer.items():
                    if key in stand_ins and len(content) == 1:
                        bpm = content[0]
                        break
            if bpm is not None:
                truth.take(truth.record, ms, bpm)
        elif message.number == MONITORING:
            bpm = message.whole(27, 1)
            if bpm is not None:
                truth.take(truth.monitoring, ms, bpm)
        elif message.number == HSA:
            interval = message.whole(0, 2)
            for i, bpm in enumerate(message.array(2, 1) or []):
                past = 1000 * i * (interval if interval not in (None, 0, 0xFFFF) else 1)
                truth.take(truth.monitoring, None if ms is None else ms + past, bpm)
        elif message.number == HR:
            values = message.array(6, 1)
            counts, full = _counts(message)
            if values is None or counts is None:
                continue
            for i, (bpm, count) in enumerate(zip(values, counts, strict=False)):
                event = count if full else event + (count - event) % 4096
                stamp = message.whole(253, 4)
                if i == 0 and stamp is not None and FIRST_DATE <= stamp < NEVER:
                    part = message.whole(0, 2)
                    anchor = stamp + Fraction(0 if part in (None, 0xFFFF) else part or 0, 32768)
                    anchor_event = event
                at = None
                if anchor is not None:
                    seconds = anchor + Fraction((event - anchor_event) % 2**32, 1024)
                    at = int(seconds * 1000 + Fraction(1, 2)) + ERA_MS
                truth.take(truth.memory, at, bpm)


def _turned_on(messages: list[Message]) -> int | None:
    """The date at which the count from power-on was 0."""
    for message in messages:
        if message.number == CORRELATION:
            date, count = message.whole(253, 4), message.whole(1, 4)
            if date is not None and count is not None and FIRST_DATE <= date < NEVER and count < FIRST_DATE:
                return date - count
    return None


def _stand_ins(messages: list[Message]) -> set[tuple[int, int]]:
    """(developer, number) of the one-byte fields that stand in for record's heart rate."""
    found = set()
    for message in messages:
        if message.number == DESCRIPTION and message.whole(15, 1) == 3:
            about = message.whole(14, 2)
            index, number, base = message.whole(0, 1), message.whole(1, 1), message.whole(2, 1)
            if (
                about in (None, RECORD, 0xFFFF)
                and index is not None
                and number is not None
                and base in (2, 10)
            ):
                found.add((index, number))
    return found


def _counts(message: Message) -> tuple[list[int] | None, bool]:
    """The strap's own times of a message, and whether they are full ones."""
    full = message.array(9, 4)
    if full is not None:
        return full, True
    packed = message.fields.get(10)
    if packed is None or len(packed) < 2:
        return None, False
    bits = int.from_bytes(packed, "little")
    return [bits >> 12 * i & 0xFFF for i in range(len(packed) * 8 // 12)], False
