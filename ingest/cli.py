"""The command `hartslag`: its verbs, what may stand before them, and how it ends."""

import contextlib
import gc
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from ingest.errors import HartslagError, WrongSettings
from ingest.language import gettext, said, speak, system_words
from ingest.system.start import speak_utf8
from ingest.verbs.command import Invocation, VerbContext

# Before numpy is imported anywhere: each thread of its linear algebra, which we do not use, maps tens of megabytes.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

VERBS = {
    "add": "Take FILES (or all files in a folder) into the journal; they stay where they are.",
    "backup": "Copy the journal, the settings and all files to FILE, or to the folder for copies.",
    "check": "Look after settings, disk, clock, Bluetooth, journal, copies and stores; ends with 1 when something fails.",
    "clock": "Show what straps told while nobody knew the time, and say when it was; shows first what changes.",
    "delete": "Delete a PERSON everywhere, for good: journal, archive, inbox, pages, stores, copies and settings.",
    "demo": "Make up a household in FOLDER (default: demo) to try everything on: two people, twelve weeks up to now.",
    "explain": "Say why a minute, day, week or file counts as it does.",
    "export": "Print all samples in order of time.",
    "fetch": "Copy what is new in FOLDER, the memory of a watch or any other, into the inbox; nothing in it is changed.",
    "forget": "Have a file, a workout or some time not count; shows first what changes, and can be taken back.",
    "grafana": "Write dashboards and data sources for Grafana into DIR, with your paths, and say what to do next.",
    "merge": "Have all that is known of OTHER count as NAME's: sensors, files and history.",
    "profile": "Show which limits held since when, why, and when each entry was recorded.",
    "rebuild": "Make a store anew from the journal.",
    "rename": "Give the person OLD the name NEW: history, files, folders, stores and settings.",
    "repair": "Make a new journal of all that can be read of a damaged one.",
    "report": "Write one page for the physiotherapist or neurologist.",
    "restore": "Bring journal, settings and files back from a copy: a file, or the folder in which the daemon kept copies.",
    "retry": "Send once more the rows that a server refused; ends with 1 when it refuses some again.",
    "run": "Listen to straps, watch the inbox and keep the store up to date, until told to stop.",
    "scan": "Find straps in reach, and print them as lines for the settings.",
    "setup": "Ask for your settings in plain words, and write them after a yes.",
    "status": "Show what is collected, what waits, and how the stores are.",
    "today": "Show how today goes: the heart rate now, minutes so far, what is to go.",
    "week": "Show the minutes of the newest weeks against the target.",
    "workout": "Show a workout: its minutes, its curve, by which sensor.",
}
"""Each verb, and the first paragraph of its help. It is the command `command` of the module ingest.verbs.VERB."""

PURPOSES = {
    "How am I doing": ("week", "today", "workout", "report", "status"),
    "To begin": ("setup", "demo", "run", "add", "fetch", "scan"),
    "Why this number": ("explain", "profile", "export"),
    "To put right": ("forget", "clock", "rename", "merge", "delete"),
    "To keep it in order": ("check", "backup", "restore", "repair", "grafana", "rebuild", "retry"),
}
"""What one may want, and the verbs for it, those that are used most first."""


def load_verb(name: str) -> click.Command:
    """The command of a verb; its module is imported by this, and by nothing else."""
    command: click.Command = import_module(f"ingest.verbs.{name}").command
    return command


class _Verbs(click.Group):
    """All verbs. Stand-ins are listed and completed, so that neither help nor completion imports any of them."""

    context_class = VerbContext
    language: str | None = None
    """What is spoken until the settings are read; None for that of the system."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        for name, summary in VERBS.items():
            self.add_command(click.Command(name, help=summary))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's names
        """The verbs by what one may want, each with its whole sentence."""
        for purpose, verbs in PURPOSES.items():
            with formatter.section(purpose):
                formatter.write_dl([(name, VERBS[name]) for name in verbs if name in VERBS])

    def resolve_command(
        self, context: click.Context, words: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The verb that is called, with its options."""
        word = words[0]
        if not (word in VERBS or word.startswith("-") or context.resilient_parsing):
            from ingest.verbs.slips import no_such_verb

            speak(self.language)
            raise click.UsageError(no_such_verb(word, VERBS), context)
        name, _, rest = super().resolve_command(context, words)
        return name, load_verb(name) if name else None, rest

    def invoke(self, context: click.Context) -> Any:
        """Run the verb; to be cut off by `| head` is no failure of any."""
        try:
            return super().invoke(context)
        except BrokenPipeError:
            # The reader has had enough. What is still in the buffer must not complain at the end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            if context.invoked_subcommand in {"add", "rebuild", "repair"} or {"--yes", "--really"} & {
                *sys.argv
            }:
                _say(
                    gettext(
                        "What was said was read no further, and it was broken off there: look what was done, and do the"
                        " rest anew."
                    )
                )
                sys.exit(1)
            context.exit(0)


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    metavar="FILE",
    type=click.Path(path_type=Path, readable=False),
    help="Settings file (default: hartslag.toml in the data folder; of the service that in /etc/hartslag).",
)
@click.option(
    "--data",
    metavar="FOLDER",
    type=click.Path(path_type=Path, readable=False),
    help="Data folder (default: ./data; of the service /var/lib/hartslag).",
)
@click.option("-v", "--verbose", is_flag=True, help="Say more.")
@click.version_option(package_name="hartslag")
@click.pass_context
def hartslag(context: click.Context, config: Path | None, data: Path | None, verbose: bool) -> None:
    """Count the minutes that move you: heart rate from straps and watch files, at home.

    Minutes against a target of your own. Not a medical device.
    """
    from ingest.log import setup

    speak(hartslag.language)  # until the settings name another
    setup(verbose)
    context.obj = Invocation(config, data)


def _say(text: str) -> None:
    from ingest.verbs.messages import say

    say(text, sys.stderr)


def _tell_programs(text: str, error: Exception) -> None:
    """A program that asked for JSON gets it whatever went wrong, in one line: the error, and each mistake in the settings."""
    if "--json" not in sys.argv:
        return
    from ingest.verbs.command import print_json

    mistakes = error.mistakes if isinstance(error, WrongSettings) else []
    with contextlib.suppress(OSError):  # who asked reads no more
        print_json({"error": text.partition("\n")[0], "mistakes": mistakes}, indent=None)


def main() -> None:
    """Run `hartslag`; ends with 2 for bad usage, 78 for wrong settings, 1 for what a person must mend."""
    speak_utf8()
    # Python looks for garbage after each 700 new objects. Imports make tens of thousands, which all stay: looking among
    # them takes a tenth of a verb's time.
    gc.set_threshold(20_000)
    # Heart rates are their owner's, whatever this shell or service thinks of new files; what others may read is opened to them.
    os.umask(0o077)
    for stream in (sys.stdout, sys.stderr):
        # A name in letters that a terminal, a pipe or a service does not have must not end the verb.
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # what has none is no TextIO
    try:
        hartslag(standalone_mode=False)
    except (click.exceptions.Abort, KeyboardInterrupt):
        _say(gettext("Stopped. Nothing is lost: the same command again goes on, or begins anew."))
        sys.exit(130)
    except click.ClickException as e:
        from ingest.verbs.slips import in_own_language, show_slip

        e = in_own_language(e, hartslag)
        _tell_programs(e.format_message(), e)
        show_slip(e)
        sys.exit(e.exit_code)
    except HartslagError as e:
        from ingest.verbs.called import as_called

        text = as_called(said(e.text))
        _tell_programs(text, e)
        _say(text)
        sys.exit(WrongSettings.exit_code if isinstance(e, WrongSettings) else 1)
    except OSError as e:
        if "--verbose" in sys.argv or "-v" in sys.argv:
            raise
        what = f"{e.filename}: " if e.filename else ""
        more = gettext("(hartslag -v says where.)")
        text = f"{what}{said(system_words(e))}."
        _tell_programs(text, e)
        _say(f"{text} {more}")
        sys.exit(1)
