"""What the commands of all verbs share: the settings and the journal that they ask, and how they print."""

import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ingest.errors import WrongSettings
from ingest.language import gettext
from ingest.log import shown

if TYPE_CHECKING:
    from ingest.journal import Journal
    from ingest.settings.model import Settings


# --- help that fits the terminal ---


NARROW = 50
"""Columns below which an option and what it is for do not fit beside each other."""


class HelpPage(click.HelpFormatter):
    """Help as click writes it; on a narrow terminal what an option is for stands below it."""

    def __init__(self, *, columns: int, indent_increment: int = 2) -> None:
        super().__init__(indent_increment, width=max(min(columns, 80) - 2, 24))

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        """Options or verbs, each with its sentence."""
        if self.width >= NARROW:
            super().write_dl(rows, col_max, col_spacing)
            return
        for term, meaning in rows:
            self.write_text(term)
            with self.indentation():
                self.write_text(meaning)


class VerbContext(click.Context):
    """A verb while it is called; its help is a page that fits the terminal."""

    def make_formatter(self) -> HelpPage:
        import shutil  # with it come bz2 and lzma, which no verb needs otherwise

        return HelpPage(columns=shutil.get_terminal_size().columns)


class Verb(click.Command):
    """The command of a verb, whose help ends with examples."""

    context_class = VerbContext

    def __init__(self, *words: Any, examples: Sequence[tuple[str, str]] = (), **options: Any) -> None:
        super().__init__(*words, **options)
        self.examples = examples

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's names
        """What one might want, and the line for it, which is never broken: it is there to be copied."""
        with formatter.section("Example" if len(self.examples) == 1 else "Examples"):
            for wanted, line in self.examples:
                formatter.write_text(wanted if wanted.endswith("?") else f"{wanted}:")
                formatter.write(f"{'':{formatter.current_indent + 2}}{line}\n")


def verb(name: str, *examples: tuple[str, str]) -> "Callable[[Callable[..., Any]], Verb]":
    """Makes a function the command of a verb; an example is what one might want, and the whole line for it."""
    return click.command(name, cls=Verb, examples=examples)


class WholeNumber(click.ParamType):  # type: ignore[type-arg]  # click 8.1 knows none
    """A whole number within bounds; who mistypes it is told which ones are right, in words."""

    name = "number"

    def __init__(self, least: int, most: int) -> None:
        self._least, self._most = least, most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number. Raises BadParameter."""
        try:
            found = int(value)
        except ValueError:
            found = None
        if found is None or not self._least <= found <= self._most:
            words = gettext("{value} will not do; right would be a whole number, from {least} to {most}.")
            self.fail(words.format(value=repr(value), least=self._least, most=self._most), param, ctx)
        return found


# --- what verbs work with ---


@dataclass(frozen=True, slots=True)
class Invocation:
    """The options that stood before the verb."""

    config: Path | None
    data: Path | None

    def load_settings(self) -> "Settings":
        """The settings. From here on root acts for the owner of the data.

        Raises WrongSettings with every mistake in them, Stop for who may not read them.
        """
        from ingest.settings.file import load
        from ingest.settings.installed import find_installed

        installed = find_installed()
        try:
            settings = load(self.config, self.data, os.environ, Path.cwd(), installed=installed)
        except WrongSettings as e:
            if isinstance(e.__cause__, PermissionError):
                from ingest.verbs.not_allowed import is_ones_own, is_somebody_elses, not_allowed

                at = Path(e.__cause__.filename)
                data = installed.data if installed else at.parent
                if is_ones_own(at) or (not self._names_settings and is_somebody_elses(data)):
                    raise not_allowed(data, at) from e
            raise
        if os.geteuid() == 0:
            from ingest.system.acting import act_for_owner

            act_for_owner(settings.data, installed.user if installed else "")
        return settings

    @property
    def _names_settings(self) -> bool:
        return self.config is not None or bool(os.environ.get("HARTSLAG_CONFIG"))

    @contextmanager
    def view_journal(self) -> "Iterator[tuple[Settings, Journal]]":
        """The settings, and the journal to read from, which must be there. Raises WrongSettings, Stop."""
        from ingest.household import view_journal

        settings = self.load_settings()
        require_access(settings)
        with view_journal(settings) as journal:
            yield settings, journal

    @contextmanager
    def open_journal(self) -> "Iterator[tuple[Settings, Journal]]":
        """The settings, and the journal to write to, which must be there. Raises WrongSettings, Stop."""
        from ingest.household import open_journal

        settings = self.load_settings()
        require_access(settings)
        with open_journal(settings, create=False) as journal:
            yield settings, journal


def require_access(settings: "Settings") -> None:
    """Raise Stop, with what to do, for who may not come near the journal."""
    try:
        settings.journal_file.stat()
    except PermissionError as e:
        from ingest.verbs.not_allowed import not_allowed

        raise not_allowed(settings.data, settings.journal_file) from e
    except OSError:
        return  # which the verb itself says


def print_lines(lines: Iterable[str]) -> None:
    """Write lines as they come, many at a time; what could command a terminal is shown instead."""
    batch: list[str] = []
    for line in lines:
        batch.append(line)
        if len(batch) == 10_000:
            sys.stdout.write(shown("\n".join(batch) + "\n"))
            batch.clear()
    if batch:
        sys.stdout.write(shown("\n".join(batch) + "\n"))
    sys.stdout.flush()


def write_utf8() -> None:
    """Have what programs read be UTF-8 from here on, whatever letters the terminal or the pipe speaks."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")


def print_json(value: Any, *, indent: int | None = 2) -> None:
    """Write a value as JSON, which is UTF-8 wherever it goes (RFC 8259, section 8.1)."""
    import json

    write_utf8()
    click.echo(json_text(json.dumps(value, indent=indent, ensure_ascii=False)))


def json_text(text: str) -> str:
    """JSON whose strings command no terminal: what is left of such characters is escaped as JSON escapes them."""
    return re.sub(r"[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]", _escaped, text)


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
