"""A heart rate over time in characters: braille, or stars where a terminal shows ASCII alone; limits as lines across."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ingest.verbs.terminal import Terminal, cells, padded

_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
"""The bits of a braille character: two columns of four dots, from above (Unicode block 2800)."""

ROWS = 8


@dataclass(frozen=True, slots=True)
class Scale:
    """Which bpm the lowest and the highest dot stand for."""

    low: float
    high: float

    def dot(self, bpm: float, dots: int) -> int:
        """The dot of a heart rate, counted from above."""
        share = (self.high - bpm) / max(self.high - self.low, 1)
        return min(max(int(share * dots), 0), dots - 1)


def curve_size(t: Terminal, labels: Sequence[str]) -> tuple[int, int]:
    """How many columns a curve has beside its labels, and how many values are to be drawn."""
    columns = max(t.width - 4 - max(map(cells, labels), default=0), 8)
    return columns, columns * (2 if t.unicode else 1)


def curve_lines(
    t: Terminal,
    values: Sequence[float | None],
    scale: Scale,
    limits: Sequence[tuple[str, int, str]],
    labels: tuple[str, str],
) -> Iterator[str]:
    """The curve in lines, with labels before it: of the highest value, the lowest, and each limit (zone, bpm, label)."""
    columns = -(-len(values) // (2 if t.unicode else 1))
    per_row = 4 if t.unicode else 1
    marks = _braille(values, scale, columns) if t.unicode else _stars(values, scale, columns)
    lines = {scale.dot(bpm, ROWS * per_row) // per_row: label for _zone, bpm, label in limits}
    named = {0: labels[0], ROWS - 1: labels[1], **lines}
    width = max(map(cells, [*named.values(), ""]))
    empty = "\u2800" if t.unicode else " "
    for row in range(ROWS):
        middle = scale.high - (row + 0.5) / ROWS * (scale.high - scale.low)
        zone = next((z for z, bpm, _label in reversed(limits) if middle >= bpm), None)
        line = ("┄" if t.unicode else "-") if row in lines else " "
        parts = []
        for is_curve, text in _runs(marks[row], empty):
            drawn = text if is_curve else line * len(text)
            parts.append(
                t.coloured(zone, drawn) if is_curve and zone else drawn if is_curve else t.dim(drawn)
            )
        yield f"  {padded(named.get(row, ''), width, right=True)} {''.join(parts)}".rstrip()


def _runs(text: str, empty: str) -> Iterator[tuple[bool, str]]:
    """The stretches of a line with and without anything drawn."""
    begin = 0
    for i in range(1, len(text) + 1):
        if i == len(text) or (text[i] == empty) != (text[begin] == empty):
            yield text[begin] != empty, text[begin:i]
            begin = i


def _braille(values: Sequence[float | None], scale: Scale, columns: int) -> list[str]:
    grid = [[0] * columns for _ in range(ROWS)]
    for x, dots in _connected(values, scale, ROWS * 4):
        for y in dots:
            grid[y // 4][x // 2] |= _DOTS[x % 2][y % 4]
    return ["".join(chr(0x2800 + bits) for bits in row) for row in grid]


def _stars(values: Sequence[float | None], scale: Scale, columns: int) -> list[str]:
    grid = [[" "] * columns for _ in range(ROWS)]
    for x, dots in _connected(values, scale, ROWS):
        for y in dots:
            grid[y][x] = "*"
    return ["".join(row) for row in grid]


def _connected(
    values: Sequence[float | None], scale: Scale, dots: int
) -> Iterator[tuple[int, Sequence[int]]]:
    """For each value the dots from that of the one before to its own; none where nothing is known."""
    before: int | None = None
    for x, value in enumerate(values):
        if value is None:
            before = None
            continue
        y = scale.dot(value, dots)
        # The half of the way that is nearer to the one before is that one's.
        reach = y if before is None else before + (1 if y > before else -1 if y < before else 0)
        yield x, range(min(reach, y), max(reach, y) + 1)
        before = y
