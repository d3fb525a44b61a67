"""The scan: where in the bytes the messages are, and by which definition each is to be read.

A FIT file has no table of contents: the length of a message is known only from a definition somewhere before it,
so somebody has to walk. This walk touches one byte per message and leaves the rest to numpy:

* each definition keeps the positions of its own messages, so nothing has to be sorted apart later;
* where many messages of one kind follow each other, the header bytes of thousands of them are compared at once
  and the run is kept as (first, count) alone.

Source: FIT SDK, "FIT Protocol" (record headers, definition messages, compressed timestamp headers).
"""

from collections.abc import Callable

import numpy as np

from ingest.formats.fit.definition import Definition
from ingest.language import N_

BATCH = range(64)
"""Messages walked between two looks at where we are."""
FLUSH_AFTER = 64
"""Batches after which positions move from lists into arrays."""
SHORTEST_RUN = 32
"""Messages a run must have to be worth keeping as one."""
FIRST_LOOK, LONGEST_LOOK = 64, 65536
"""Messages compared at once at the beginning of a run, and at most."""
LONGEST_PAUSE = 31
"""Batches walked without looking for a run where there were none."""
MOST_DEFINITIONS = 20_000
"""Different definitions followed in one file: hundreds of times what any known file has."""

Step = tuple[int, Callable[[int], None]]
"""How long a message is, and who takes its position."""

_NOTHING: dict[int, None] = {}
UNKNOWN: Step = (0, _NOTHING.__getitem__)
"""Stands for a header byte that has no meaning yet: asking it raises KeyError, which costs nothing until it happens."""


class Messages:
    """The messages of one chained file, by definition.

    `_steps` is indexed by the header byte as it stands in the file.
    """

    def __init__(self, data: bytes, start: int, end: int) -> None:
        self.data = data
        self.end = end
        self.definitions: list[Definition] = []
        self.compressed = False
        """Some messages carry five bits of their time in the header byte."""
        self.fault: str | None = None
        self.cut = False
        """The last message or definition is not all there."""
        self._known: dict[bytes, Definition] = {}
        self._local: list[Definition | None] = [None] * 16
        self._steps = [UNKNOWN] * 256
        self._aliased = False
        self._walk(start)
        self.by_number: dict[int, list[Definition]] = {}
        for d in self.definitions:
            if d.pending or d.pieces:
                self.by_number.setdefault(d.number, []).append(d)

    def definitions_of(self, number: int) -> list[Definition]:
        """The definitions of a kind of message that have messages, in order of appearance."""
        return self.by_number.get(number, [])

    def _walk(self, p: int) -> None:
        """Visit every message from `p` on.

        Within a batch the walk may pass the end into bytes that are no messages; looking at every step would cost
        a third of the speed, so what was seen there is taken back afterwards.
        """
        data, end, steps = self.data, self.end, self._steps
        batches = wait = pause = 0
        while p < end:
            try:
                while p < end:
                    for _ in BATCH:
                        size, take = steps[data[p]]
                        take(p)
                        p += size
                    batches += 1
                    if batches % FLUSH_AFTER == 0:
                        self._flush()
                    if wait:
                        wait -= 1
                    elif p < end:
                        ran = self._run(p)
                        p += ran
                        wait = pause = 0 if ran else min(2 * pause + 1, LONGEST_PAUSE)
            except KeyError:
                if p < end:
                    h = data[p]
                    p = self._define(p, h) if h & 0xC0 == 0x40 else self._learn_header(p, h)
            except IndexError:
                self.cut = p < end
                break
        self._take_back()

    def _run(self, p: int) -> int:
        """How many bytes from `p` on hold more messages of the kind that lies before; these are kept as a run."""
        data, h = self.data, self.data[p]
        d = self._local[h & 15 if h < 0x80 else h >> 5 & 3]
        if d is None or self._steps[h] is UNKNOWN or len(d.pending) < 4 or d.pending[-4] != p - 4 * d.size:
            return 0
        size = d.size
        most = (self.end - p) // size  # so many more could there be, all of them complete
        ahead = data[p : p + min(most, FIRST_LOOK) * size : size]
        count = len(ahead) - len(ahead.lstrip(data[p : p + 1]))
        look = FIRST_LOOK
        while count < most and count >= FIRST_LOOK:
            look = min(4 * look, LONGEST_LOOK)
            headers = np.ndarray((min(look, most - count),), np.uint8, data, p + count * size, (size,))
            same = headers == h
            if not same.all():
                count += int(same.argmin())
                break
            count += len(same)
        q = p + count * size
        if count < SHORTEST_RUN:
            d.pending.extend(range(p, q, size))
        else:
            d.add_run(p, count)
        return q - p

    def _learn_header(self, p: int, h: int) -> int:
        """Give a header byte of data its meaning; gives where to go on, the end when there is none."""
        d = self._local[h & 15 if h < 0x80 else h >> 5 & 3]
        if d is None:
            words = N_(
                "at byte {place} stands a message that nothing before it defines; it and the rest are lost"
            )
            self.fault = words.format(place=p)
            return self.end
        if h >= 0x80:
            self.compressed = True
        self._steps[h] = d.size, d.pending.append
        self._aliased |= h > 15
        return p

    def _define(self, p: int, h: int) -> int:
        """Read the definition at `p`; from here on its local number means this layout."""
        data, end = self.data, self.end
        e = p + 6
        if e <= end:
            e += 3 * data[p + 5]
        if h & 0x20:
            e += 1 + 3 * data[e] if e < end else 1
        if e > end:
            self.cut = True
            return end
        raw = data[p + 1 : e]
        d = self._known.get(raw)
        if d is None:
            if len(self.definitions) == MOST_DEFINITIONS:
                self.fault = N_("more than {most} kinds of messages; the rest was left unread").format(
                    most=MOST_DEFINITIONS
                )
                return end
            d = self._known[raw] = Definition(raw)
            self.definitions.append(d)
        local = h & 15
        if self._local[local] is not d:
            if self._aliased:
                self._forget(local)
            self._local[local] = d
            self._steps[local] = d.size, d.pending.append
        return e

    def _forget(self, local: int) -> None:
        """The other header bytes that meant this local number: reserved bits set, or with a time in them."""
        others = [local + 0x10, local + 0x20, local + 0x30]
        if local < 4:
            first = 0x80 + 0x20 * local
            others.extend(range(first, first + 0x20))
        for h in others:
            self._steps[h] = UNKNOWN

    def _flush(self) -> None:
        for d in self._local:
            if d is not None:
                d.flush()

    def _take_back(self) -> None:
        """Drop what crosses the end or lies behind it; only the walk's last batch can have brought it."""
        for d in self._local:
            if d is not None:
                while (last := d.last) >= 0 and last + d.size > self.end:
                    d.drop_last()
                    self.cut |= last < self.end
