"""What is said beside an answer: messages and errors, in lines that fit the terminal they are read on."""

import os
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, TextIO

import click

from ingest.log import shown
from ingest.verbs.terminal import cells

if TYPE_CHECKING:
    from ingest.verbs.terminal import Terminal


MOST_INDENT = 6
"""Columns before a line that does not fit: columns of a table are worth none then."""


def say(text: str, stream: TextIO) -> None:
    """Write a message to a stream, wrapped at words where that is a terminal; a pipe gets it as it is."""
    click.echo(shown("\n".join(message_lines(text.split("\n"), stream))), file=stream)


def print_sentences(lines: Iterable[str]) -> None:
    """Write an answer that is sentences as `say` does: what begins with spaces stays as it is, and a pipe gets all so."""
    from ingest.verbs.command import print_lines

    print_lines(message_lines(lines, sys.stdout))


def print_wrapped(lines: Iterable[str]) -> None:
    """Write an answer whose lines all are words: on a terminal each is wrapped, and goes on a little behind where it began."""
    from ingest.verbs.command import print_lines
    from ingest.verbs.terminal import find_terminal

    print_lines(fitted_lines(find_terminal(), lines))


def fitted_lines(t: "Terminal | None", lines: Iterable[str]) -> Iterator[str]:
    """Lines as wide as a terminal at most; without one they stay as they are."""
    from ingest.verbs.called import as_called

    for line in lines:
        if t is None:
            yield as_called(line)
        else:
            words = line.lstrip(" ")
            begins = len(line) - len(words)
            if begins + cells(words) > t.width:
                begins = min(begins, MOST_INDENT)
            yield from t.wrap(words, begins, begins + 2, whole=True)


def message_lines(lines: Iterable[str], stream: TextIO) -> Iterator[str]:
    """Lines for a stream. One that begins with spaces is there to be copied, and is never broken."""
    t = _terminal(stream)
    for line in lines:
        if t is None or line.startswith("  "):
            yield line
        else:
            yield from t.wrap(line, 0, whole=True)


def _terminal(stream: TextIO) -> "Terminal | None":
    """The terminal behind a stream; None where there is none."""
    try:
        if not stream.isatty():
            return None
        columns = os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        return None
    from ingest.verbs.terminal import NARROWEST, USUAL_COLUMNS, WIDEST, Terminal

    return Terminal(max(min(columns or USUAL_COLUMNS, WIDEST), NARROWEST))
