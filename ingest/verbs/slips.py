"""Slips on the command line, said in the language of whoever made them: what click says, verbs by other names, the usage."""

import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

import click

from ingest.language import CATALOGUES, ENGLISH, N_, NN_, gettext, spoken_language
from ingest.verbs.messages import say

OTHER_NAMES = {
    "vandaag": "today",
    "nu": "today",
    "now": "today",
    "weken": "week",
    "weeks": "week",
    "training": "workout",
    "oefening": "workout",
    "workouts": "workout",
    "verslag": "report",
    "rapport": "report",
    "stand": "status",
    "toestand": "status",
    "instellen": "setup",
    "instellingen": "setup",
    "settings": "setup",
    "config": "setup",
    "configure": "setup",
    "init": "setup",
    "start": "run",
    "starten": "run",
    "daemon": "run",
    "toevoegen": "add",
    "import": "add",
    "zoek": "scan",
    "zoeken": "scan",
    "search": "scan",
    "straps": "scan",
    "uitleg": "explain",
    "waarom": "explain",
    "why": "explain",
    "profiel": "profile",
    "grenzen": "profile",
    "limits": "profile",
    "exporteren": "export",
    "controle": "check",
    "controleer": "check",
    "doctor": "check",
    "dashboard": "grafana",
    "dashboards": "grafana",
    "voorbeeld": "demo",
    "example": "demo",
}
"""What people call a verb, in the languages that are spoken here."""

OF_CLICK = (
    N_("Missing command."),
    N_("Missing argument"),
    N_("Missing option"),
    N_("No such option {name!r}."),
    NN_("Did you mean {possibility}?", "(Did you mean one of: {possibilities}?)"),
    N_("Option {name!r} does not take a value."),
    NN_("Option {name!r} requires an argument.", "Option {name!r} requires {nargs} arguments."),
    NN_("Got unexpected extra argument ({args})", "Got unexpected extra arguments ({args})"),
    N_("Invalid value: {message}"),
    N_("Invalid value for {param_hint}: {message}"),
    NN_("{value!r} is not {choice}.", "{value!r} is not one of {choices}."),
    N_("{value!r} is not a valid {number_type}."),
    N_("{name} {filename!r} is a file."),
    N_("{name} {filename!r} does not exist."),
)
"""What click says of a slip; it asks the catalogue of its own accord, once told which."""


class SpokenGroup(Protocol):
    """The command `hartslag`, which speaks a language once it is told which."""

    language: str | None

    def __call__(self, *, standalone_mode: bool) -> Any:
        """Read the command line, and do what it says."""


def in_own_language(slip: click.ClickException, group: "SpokenGroup") -> click.ClickException:
    """The slip as it is said in the language of the settings, or of the system: the command line is read again in that.

    A slip is found before anything is done, so nothing is done twice.
    """
    context = slip.ctx if isinstance(slip, click.UsageError) else None
    language = _language(context.find_root().params if context else {})
    if language == ENGLISH == spoken_language():
        return slip
    import gettext

    group.language = language
    os.environ["LANGUAGE"] = language  # what gettext goes by, which click asks
    gettext.bindtextdomain("hartslag", str(CATALOGUES))
    gettext.textdomain("hartslag")
    try:
        group(standalone_mode=False)
    except click.ClickException as again:
        return again
    return slip


def _language(options: Mapping[str, Any]) -> str:
    from ingest.settings.file import language_of

    return language_of(options.get("config"), options.get("data"), os.environ, Path.cwd())


def show_slip(e: click.ClickException) -> None:
    """What was wrong on the command line, and where help is; where nothing was said at all, the help itself."""
    if isinstance(e, getattr(click.exceptions, "NoArgsIsHelpError", ())):  # click 8.1 shows it by itself
        e.show()
        return
    context = e.ctx if isinstance(e, click.UsageError) else None
    if context is not None:
        _, _, usage = context.get_usage().partition(" ")
        say(gettext("Usage: {usage}").format(usage=usage.lstrip()), sys.stderr)
        if context.command.get_help_option(context) is not None:
            option = max(context.command.get_help_option_names(context), key=len)
            hint = gettext("Try '{command} {option}' for help.")
            say(hint.format(command=context.command_path, option=option), sys.stderr)
        click.echo("", err=True)
    say(gettext("Error: {message}").format(message=e.format_message()), sys.stderr)


def no_such_verb(word: str, verbs: Iterable[str]) -> str:
    """That there is no such verb, and which one may have been meant."""
    from difflib import get_close_matches

    near = get_close_matches(word.casefold(), [*verbs, *OTHER_NAMES], 1)
    if near:
        verb = OTHER_NAMES.get(near[0], near[0])
        return gettext("No such command {word!r}. Did you mean {verb!r}?").format(word=word, verb=verb)
    return gettext("No such command {word!r}.").format(word=word)
