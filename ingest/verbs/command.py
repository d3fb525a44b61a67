"""What the commands of all verbs share: the settings and the journal that they ask, and how they print."""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ingest.journal import Journal
    from ingest.settings.model import Settings


@dataclass(frozen=True, slots=True)
class Invocation:
    """The options that stood before the verb."""

    config: Path | None
    data: Path | None

    def load_settings(self) -> "Settings":
        """The settings. Raises WrongSettings with every mistake in them."""
        from ingest.settings.file import load

        return load(self.config, self.data, os.environ, Path.cwd())

    @contextmanager
    def view_journal(self) -> "Iterator[tuple[Settings, Journal]]":
        """The settings, and the journal to read from, which must be there. Raises WrongSettings, Stop."""
        from ingest.household import view_journal

        settings = self.load_settings()
        with view_journal(settings) as journal:
            yield settings, journal

    @contextmanager
    def open_journal(self) -> "Iterator[tuple[Settings, Journal]]":
        """The settings, and the journal to write to, which must be there. Raises WrongSettings, Stop."""
        from ingest.household import open_journal

        settings = self.load_settings()
        with open_journal(settings, create=False) as journal:
            yield settings, journal


def print_lines(lines: Iterable[str]) -> None:
    """Write lines as they come; many at a time when nobody watches."""
    batch: list[str] = []
    for line in lines:
        batch.append(line)
        if len(batch) == 10_000:
            sys.stdout.write("\n".join(batch) + "\n")
            batch.clear()
    if batch:
        sys.stdout.write("\n".join(batch) + "\n")
    sys.stdout.flush()


def print_json(value: Any) -> None:
    """Write a value as JSON, indented."""
    import json

    import click

    click.echo(json.dumps(value, indent=2, ensure_ascii=False))
