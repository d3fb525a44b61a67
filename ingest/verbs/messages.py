"""What is said beside an answer: messages and errors, in lines that fit the terminal they are read on."""

import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, TextIO

import click

from ingest.language import gettext as _

if TYPE_CHECKING:
    from ingest.verbs.terminal import Terminal


def say(text: str, stream: TextIO) -> None:
    """Write a message to a stream, wrapped at words where that is a terminal; a pipe gets it as it is."""
    click.echo("\n".join(message_lines(text.split("\n"), stream)), file=stream)


def message_lines(lines: Iterable[str], stream: TextIO) -> Iterator[str]:
    """Lines for a stream. One that begins with spaces is there to be copied, and is never broken."""
    t = _terminal(stream)
    for line in lines:
        if t is None or line.startswith("  "):
            yield line
        else:
            yield from t.wrap(line, 0, whole=True)


def show_slip(e: click.ClickException) -> None:
    """What was wrong on the command line, and where help is."""
    import sys

    context = e.ctx if isinstance(e, click.UsageError) else None
    if context is not None:
        click.echo(context.get_usage(), err=True)
        if context.command.get_help_option(context) is not None:
            option = max(context.command.get_help_option_names(context), key=len)
            hint = _("Try '{command} {option}' for help.")
            say(hint.format(command=context.command_path, option=option), sys.stderr)
        click.echo("", err=True)
    say(_("Error: {message}").format(message=e.format_message()), sys.stderr)


def no_such_verb(word: str, verbs: Iterable[str]) -> str:
    """That there is no such verb, and which one may have been meant."""
    from difflib import get_close_matches

    near = get_close_matches(word, list(verbs), 1)
    if near:
        return _("No such command {word!r}. Did you mean {verb!r}?").format(word=word, verb=near[0])
    return _("No such command {word!r}.").format(word=word)


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
