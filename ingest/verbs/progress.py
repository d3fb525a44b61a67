"""A bar for work that takes a while: on a terminal alone, and on standard error."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click


@contextmanager
def progress_bar(label: str, length: int) -> Iterator[Callable[[int], None]]:
    """What is told how much more is done; the bar is full when the block ends well."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    with click.progressbar(length=max(length, 1), label=label, width=0, file=sys.stderr) as bar:
        yield lambda more: bar.update(more) if more else None
        bar.update(max(length - bar.pos, 0))
