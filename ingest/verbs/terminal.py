"""What verbs share on a terminal: how wide it is, what it can draw, and how lines are made to fit it.

Everything here is plain text that a screen reader can read: words first, a bar last, no frames. Colour and weight only
say once more what the words say.
"""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ingest.log import plain

WIDEST = 88
"""Columns that are used at most: longer lines are hard to follow."""

NARROWEST = 32

USUAL_COLUMNS = 80

_USUAL = USUAL_COLUMNS, 24
"""The size where a terminal does not tell its own."""

MODERATE, VIGOROUS = "moderate", "vigorous"

_COLOURS = {
    MODERATE: {8: "36", 256: "38;5;33"},
    VIGOROUS: {8: "35", 256: "38;5;202"},
}
"""Blue and vermilion as on the dashboards, which colour-blind eyes tell apart, and what comes near among eight."""

_BLOCKS = {MODERATE: "▒", VIGOROUS: "█", "rest": "·"}
_LETTERS = {MODERATE: "=", VIGOROUS: "#", "rest": "."}


@dataclass(frozen=True, slots=True)
class Terminal:
    """What a terminal can do; `width` is that of the lines, not of the window."""

    width: int
    height: int = _USUAL[1]
    colours: int = 0
    styles: bool = False
    unicode: bool = True
    """Whether it shows blocks; else bars are drawn in ASCII."""
    renews: bool = False
    """Whether what stands there can be written over."""
    draws: bool = True
    """Whether bars and curves are wanted at all."""

    # --- styles: of whole lines, or of parts whose width is known before ---

    def bold(self, text: str) -> str:
        """What is to be seen first."""
        return f"\x1b[1m{text}\x1b[0m" if self.styles and text else text

    def dim(self, text: str) -> str:
        """What may be seen last."""
        return f"\x1b[2m{text}\x1b[0m" if self.styles and text else text

    def coloured(self, zone: str, text: str) -> str:
        """In the colour of a zone."""
        return f"\x1b[{_COLOURS[zone][self.colours]}m{text}\x1b[0m" if self.colours and text else text

    # --- lines ---

    def wrap(
        self, text: str, indent: int = 2, hang: int | None = None, *, whole: bool = False
    ) -> Iterator[str]:
        """A paragraph in lines no wider than the terminal; those behind the first begin at `hang`.

        With `whole` a word is never broken, however long: a path is there to be copied.
        """
        text = plain(text)
        if "`hartslag " in text:
            from ingest.verbs.called import as_called

            text = as_called(text)
        if "\n" not in text and indent + cells(text) <= self.width:
            yield " " * indent + text
            return
        hang = indent if hang is None else hang
        line, free = " " * indent, self.width - indent
        begun = False
        for word in text.split():
            rest = word
            if begun and cells(rest) + 1 > free:
                yield line
                line, free, begun = " " * hang, self.width - hang, False
            while cells(rest) > free and not whole:
                head = cut(rest, free)
                yield line + head
                rest, line, free = rest[len(head) :], " " * hang, self.width - hang
            line, free = (f"{line} {rest}", free - 1) if begun else (line + rest, free)
            free -= cells(rest)
            begun = True
        yield line

    def bold_lines(self, text: str, indent: int = 2) -> Iterator[str]:
        """A paragraph that is to be seen first."""
        for line in self.wrap(text, indent):
            yield " " * indent + self.bold(line[indent:])

    # --- bars ---

    def mark(self, zone: str) -> str:
        """What a bar of a zone is made of."""
        return self.coloured(zone, self._fill(zone))

    def bar(self, moderate: float, vigorous: float, whole: float, length: int, *, rest: bool = False) -> str:
        """A bar of two amounts, of `length` cells where they make the whole; with `rest` the cells left are shown, too.

        Whatever there is has a cell.
        """
        if not self.draws:
            return ""
        both = _share(moderate + vigorous, whole, length)
        hard = min(_share(vigorous, moderate + vigorous, both), both - (moderate > 0 and both > 1))
        soft = both - hard
        left = self.dim(self._fill("rest") * (length - both)) if rest else ""
        parts = ((MODERATE, soft), (VIGOROUS, hard))
        return "".join(self.coloured(zone, self._fill(zone) * n) for zone, n in parts) + left

    def _fill(self, what: str) -> str:
        return (_BLOCKS if self.unicode else _LETTERS)[what]


def _share(amount: float, whole: float, length: int) -> int:
    if amount <= 0 or whole <= 0:
        return 0
    return min(max(round(amount / whole * length), 1), length)


# --- width ---


def cells(text: str) -> int:
    """How many columns a text takes; some letters and most pictures take two, accents none."""
    if text.isascii() or max(text) < "\u0300" or all(_is_narrow(c) for c in text):
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def _is_narrow(c: str) -> bool:
    """Latin letters, dashes and quotes, blocks and braille: what we write ourselves."""
    return c < "\u0300" or "\u2010" <= c <= "\u2027" or "\u2500" <= c <= "\u259f" or "\u2800" <= c <= "\u28ff"


def cut(text: str, most: int) -> str:
    """As much of the beginning of a text as fits into so many columns, a character at least."""
    if len(text) <= most and cells(text) <= most:
        return text
    end = 1
    while end < len(text) and cells(text[: end + 1]) <= most:
        end += 1
    return text[:end]


def padded(text: str, width: int, *, right: bool = False) -> str:
    """A text with spaces behind it (or before it) up to a width."""
    space = " " * (width - cells(text))
    return space + text if right else text + space


def table_widths(rows: Sequence[Sequence[str]]) -> list[int]:
    """How wide the columns of a table are."""
    return [max(map(cells, column)) for column in zip(*rows, strict=True)]


# --- which terminal it is ---

PIPE = Terminal(10_000, unicode=False, draws=False)
"""What is no terminal: a line for each sentence, in words alone."""


def find_terminal(environment: Mapping[str, str] = os.environ) -> Terminal | None:
    """The terminal that is written to; None where it is a pipe or a file."""
    if not sys.stdout.isatty():
        return None
    # A name in letters that it does not have must not end the verb.
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]  # it is no TextIO that has none
    columns, lines = _size(environment)
    term = environment.get("TERM", "")
    dumb = term in {"", "dumb"}
    colours = 0 if dumb or environment.get("NO_COLOR") else 256 if "256color" in term else 8
    return Terminal(
        max(min(columns, WIDEST), NARROWEST),
        lines,
        colours,
        styles=not dumb,
        unicode=not dumb and _speaks_utf8(environment),
        renews=not dumb,
    )


def _size(environment: Mapping[str, str]) -> tuple[int, int]:
    """Columns and lines, as the terminal tells unless the person says otherwise."""
    try:
        told = tuple(os.get_terminal_size(sys.stdout.fileno()))
    except OSError:
        told = (0, 0)
    wanted = environment.get("COLUMNS", ""), environment.get("LINES", "")
    columns, lines = (
        int(w) if w.isdecimal() and int(w) else t or usual
        for w, t, usual in zip(wanted, told, _USUAL, strict=True)
    )
    return columns, lines


def _speaks_utf8(environment: Mapping[str, str]) -> bool:
    """Whether blocks can be shown. Python itself speaks UTF-8 where the locale is C; the terminal may not."""
    named = [environment.get(name, "") for name in ("LC_ALL", "LC_CTYPE", "LANG")]
    if named[1] == "C.UTF-8" and named[2] in {"", "C", "POSIX"}:
        named[1] = ""  # Python's own doing (PEP 538)
    locale = next(filter(None, named), "C")
    encoding = (sys.stdout.encoding or "").casefold().replace("-", "")
    return locale not in {"C", "POSIX"} and encoding == "utf8"
