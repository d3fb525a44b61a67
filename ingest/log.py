"""What the program says while it works: one line per event, to stderr; the system keeps it."""

import logging
import os
import re
import sys
from collections.abc import Mapping
from typing import TextIO

PRIORITY = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}
"""The priorities of sd-daemon(3); systemd reads them from a `<N>` in front of a line."""

LONGEST_QUOTE = 200
"""Characters of foreign text one message shows; a file name has 255 at most, an attacker has more."""

TIME = "14:03:22 "
"""What a line begins with on a terminal."""

MOST_KINDS = 1000
"""Repeated warnings remembered at once: the memory of a daemon that runs for years stays bounded."""


def setup(verbose: bool, stream: TextIO | None = None, environ: Mapping[str, str] = os.environ) -> None:  # noqa: FBT001
    """Send what our own code says to `stream` (stderr), details too when `verbose`.

    Libraries are heard from a warning on, but bleak and urllib3 warn of each failed attempt at what we try for ever and
    tell ourselves when it changes: they are heard with the details only. Calling it again replaces what was set up before.
    """
    out = sys.stderr if stream is None else stream
    handler = logging.StreamHandler(out)
    handler.setFormatter(_Journal() if _is_journal(out, environ) else _Terminal(out))
    root = logging.getLogger()
    for old in [h for h in root.handlers if isinstance(h.formatter, (_Journal, _Terminal))]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    for ours in ("ingest", "zones"):
        logging.getLogger(ours).setLevel(logging.DEBUG if verbose else logging.INFO)
    for theirs in ("bleak", "dbus_fast", "urllib3"):
        logging.getLogger(theirs).setLevel(logging.WARNING if verbose else logging.CRITICAL)


def quoted(text: str) -> str:
    r"""Foreign text in double quotes, fit for one line of a log or a terminal.

    >>> quoted("run\n2.fit")
    '"run\\n2.fit"'
    """
    cut = text[:LONGEST_QUOTE]
    inside = "".join(_visible(ch) for ch in cut)
    return f'"{inside}"' if len(cut) == len(text) else f'"{inside}" and so on'


def shown(text: str) -> str:
    r"""Lines as a terminal may get them: nothing in them turns, hides or commands anything, but for our own bold and colours.

    Names of files, words of servers and of radios come from strangers, and a terminal obeys what is written to it.

    >>> shown("bucket\x1b]0;gone\x07 \x1b[1mbold\x1b[0m")
    'bucket\\x1b]0;gone\\x07 \x1b[1mbold\x1b[0m'
    """
    return _ACTS.sub(_style_or_escape, text) if _ACTS.search(text) else text


_OWN_STYLE = r"\x1b\[(?:[012]|3[0-7]|38;5;\d{1,3})m"
_ACTS = re.compile(
    rf"{_OWN_STYLE}|[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Control characters, directions that turn a line around, and the halves of bytes that are no UTF-8."""


def _style_or_escape(found: re.Match[str]) -> str:
    text = found[0]
    return text if len(text) > 1 else text.encode("unicode_escape", "surrogatepass").decode("ascii")


def plain(text: str) -> str:
    """Foreign words before anything of our own is put to them: not even a style passes."""
    return shown(text.replace("\x1b", "\\x1b")) if _ACTS.search(text) else text


def as_name(text: str) -> str:
    r"""The name of a file as it is kept and told: what a terminal would obey, and what is no UTF-8, is written out.

    >>> as_name("run\x1b[31m\n2.fit")
    'run\\x1b[31m\\n2.fit'
    """
    return plain(text).replace("\n", "\\n").replace("\t", "\\t")


class Repeats:
    """Warnings that would come again and again: loud when they begin, change and end, quiet between.

    Leave numbers that grow out of the text: a text that differs is a change.
    """

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._said: dict[str, str] = {}

    def say(self, kind: str, text: str) -> None:
        """Warn of `kind`; only a detail when the same was said before."""
        repeated = self._said.pop(kind, None) == text
        self._said[kind] = text  # put last: the kind that was silent longest is forgotten first
        if len(self._said) > MOST_KINDS:
            del self._said[next(iter(self._said))]
        self._logger.log(logging.DEBUG if repeated else logging.WARNING, "%s", text)

    def over(self, kind: str, text: str | None) -> None:
        """Say that `kind` has ended (None: something else will say it); nothing when it was never said."""
        if self._said.pop(kind, None) is not None and text is not None:
            self._logger.info("%s", text)


class _Terminal(logging.Formatter):
    """`14:03:22 warning: text`, in local time; what is merely told carries no word. Broken at words where somebody watches."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(datefmt="%H:%M:%S")
        self._stream = stream

    def format(self, record: logging.LogRecord) -> str:
        word = f"{record.levelname.lower()}: " if record.levelno > logging.INFO else ""
        first, *traceback = _lines(record, self)
        line = f"{self.formatTime(record, self.datefmt)} {word}{first}"
        return "\n".join([_wrapped(line, self._stream), *traceback])


def _wrapped(line: str, stream: TextIO) -> str:
    """A line as it fits the terminal that it goes to, what is behind the first below its words; no word is broken."""
    try:
        columns = os.get_terminal_size(stream.fileno()).columns if stream.isatty() else 0
    except (OSError, ValueError):
        columns = 0
    if not 2 * len(TIME) < columns < len(line):
        return line
    from textwrap import fill

    return fill(
        line, columns, subsequent_indent=" " * len(TIME), break_long_words=False, break_on_hyphens=False
    )


class _Journal(logging.Formatter):
    """`<4>text`: the journal knows the time, and takes the priority from the front of each line."""

    def format(self, record: logging.LogRecord) -> str:
        priority = PRIORITY.get(record.levelno, 6)
        return "\n".join(f"<{priority}>{line}" for line in _lines(record, self))


def _lines(record: logging.LogRecord, formatter: logging.Formatter) -> list[str]:
    """The message as one line, then the lines of a traceback if there is one: a bug may be long."""
    lines = ["".join(ch if ch.isprintable() else _visible(ch) for ch in record.getMessage())]
    if record.exc_info:
        lines += formatter.formatException(record.exc_info).splitlines()
    return lines


def _visible(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    if character.isprintable():
        return character
    # Control characters, directions that turn a line around, and the halves of bytes that are no UTF-8.
    return character.encode("unicode_escape").decode("ascii")


def _is_journal(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether `stream` goes to the journal.

    A desktop hands JOURNAL_STREAM on to every terminal, so the device and inode in it must be this stream's.
    """
    try:
        stat = os.fstat(stream.fileno())
    except (OSError, ValueError):  # a stream without a file below it, as in tests
        return False
    return environ.get("JOURNAL_STREAM") == f"{stat.st_dev}:{stat.st_ino}"
