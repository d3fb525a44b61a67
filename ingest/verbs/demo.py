"""A household to look at: everything in it is made up, and everything it goes through is real."""

import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ingest.errors import Stop, TryLater
from ingest.language import gettext as _
from ingest.language import languages, ngettext, speak
from ingest.verbs.called import program
from ingest.verbs.command import Invocation, WholeNumber, print_lines, verb

if TYPE_CHECKING:
    from ingest.demo.folder import DemoFolder
    from ingest.demo.past import Progress
    from ingest.demo.story import Story
    from ingest.settings.model import Settings

WEEKS_A_YEAR = 52.18


def make(folder: "DemoFolder", story: "Story", language: str | None, progress: "Progress") -> None:
    """Make up the household in a folder that is free, or whose made-up household may go.

    Raises Stop, and leaves what was there before, when the folder cannot be made or the disk is full.
    """
    from ingest.demo.past import live_through
    from ingest.demo.settings_text import names, settings_text
    from ingest.demo.straps import robins_strap, sams_strap
    from ingest.settings.file import FILE_NAME
    from ingest.system.lock import only_daemon

    robin, sam = names()
    with (
        folder.being_made(f"seed {story.seed}, {story.now:%Y-%m-%d %H:%M} UTC\n") as place,
        only_daemon(place),
    ):
        (place / FILE_NAME).write_text(settings_text(story, language), encoding="utf-8")
        try:
            live_through(_settings(place), story, (robins_strap(robin), sams_strap(sam)), progress)
        except TryLater as e:
            raise Stop(_("{error} Nothing is left of the demo that was begun.").format(error=e)) from e


def _settings(folder: Path) -> "Settings":
    """The settings in a folder, whatever others the environment names."""
    from ingest.settings.file import FILE_NAME, load

    environ = {name: value for name, value in os.environ.items() if not name.startswith("HARTSLAG_")}
    return load(folder / FILE_NAME, folder, environ, folder)


def next_lines(folder: Path, weeks: int) -> Iterator[str]:
    """What there is to see, and the commands for it."""
    from ingest.demo.settings_text import names

    robin, sam = names()
    verb = _verb_of(folder)
    yield ngettext(
        "{robin} and {sam} live in {folder}: {number} week up to now, all of it made up.",
        "{robin} and {sam} live in {folder}: {number} weeks up to now, all of it made up.",
        weeks,
    ).format(robin=robin, sam=sam, folder=folder, number=weeks)
    for what, line in (
        (_("Their weeks:"), f"{verb} week --weeks 12"),
        (_("Today:"), f"{verb} today"),
        (_("A page for the physiotherapist:"), f"{verb} report {shlex.quote(robin)}"),
        (_("What is collected, and how it goes:"), f"{verb} status"),
        (_("Dashboards for Grafana:"), f"{verb} grafana DIR"),
        (_("Hearts that beat on, until Ctrl-C:"), shlex.join([*program(), "demo", str(folder), "--live"])),
        (_("The settings of the two, as an example:"), str(folder / "hartslag.toml")),
    ):
        yield ""
        yield what
        yield f"  {line}"


def _require_no_wishes(folder: Path) -> None:
    """Raise UsageError where it is said how a demo shall be made that is there already."""
    context = click.get_current_context()
    wishes = [
        f"--{name}"
        for name in ("years", "seed", "language")
        if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
    ]
    if wishes:
        raise click.UsageError(
            _(
                "{path} holds a demo already, which stays as it is: {options} needs --anew, which deletes it."
            ).format(path=folder, options=", ".join(wishes))
        )


def _known_lines(folder: Path) -> Iterator[str]:
    """That there is a demo, and the whole commands to look at it and to make it anew."""
    import shlex

    yield _("{path} holds a demo already. To look at it:").format(path=folder)
    yield f"  {_verb_of(folder)} week"
    yield _("To make it anew, which deletes what is there:")
    yield "  " + shlex.join([*program(), "demo", str(folder), "--anew"])


def _verb_of(folder: Path) -> str:
    """The command that asks something of this household, up to the verb."""
    return shlex.join([*program(), "--data", str(folder)])


@contextmanager
def _bar() -> Iterator["Progress"]:
    """Shows how far it is, to somebody who watches."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    with click.progressbar(length=1000, label=_("Making up a household"), width=0, file=sys.stderr) as shown:
        owed = 0.0

        def tell(share: float) -> None:
            nonlocal owed
            owed += share * 1000
            shown.update(int(owed))
            owed -= int(owed)

        yield tell


@verb(
    "demo",
    ("Two people and twelve weeks, in the folder demo", "hartslag demo"),
    ("Their week", "hartslag --data demo week"),
    ("Two straps that beat on, until Ctrl-C", "hartslag demo --live"),
)
@click.argument("folder", default="demo", type=click.Path(path_type=Path))
@click.option("--live", is_flag=True, help="Go on: two straps are heard beat by beat, until Ctrl-C.")
@click.option("--anew", is_flag=True, help="Make it anew where there is a demo already, which is deleted.")
@click.option(
    "--years", type=WholeNumber(1, 30), help="So many years instead of twelve weeks, to try the speed."
)
@click.option(
    "--seed",
    type=int,
    default=1,
    show_default=True,
    help="Another number, another household; with one number it is the same all day.",
)
@click.option(
    "--language", type=click.Choice(languages()), help="What it speaks (default: the system's language)."
)
@click.option(
    "--grafana",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Also write dashboards for it.",
)
@click.pass_obj
def command(
    invocation: Invocation,
    folder: Path,
    live: bool,
    anew: bool,
    years: int | None,
    seed: int,
    language: str | None,
    grafana: Path | None,
) -> None:
    """Make up a household in FOLDER (default: demo) to try everything on: two people, twelve weeks up to now.

    What it shows went through the real inbox, recorder and store. A folder that holds anything else is never touched.
    """
    from ingest.demo.folder import DemoFolder
    from ingest.system.acting import act_for_owner
    from ingest.verbs.messages import message_lines

    if invocation.data or invocation.config:
        raise click.UsageError(
            _("A demo has a folder and settings of its own. Name the folder behind it: hartslag demo FOLDER")
        )
    if language:
        speak(language)
    where = DemoFolder(folder)
    act_for_owner(where.path)
    where.require_ours()
    if anew or not where.is_made:
        where.require_nothing_real()
        weeks = round(years * WEEKS_A_YEAR) if years else 12
        _make(where, seed, weeks, language)
        print_lines(message_lines(next_lines(folder, weeks), sys.stdout))
    else:
        _require_no_wishes(folder)
        if not live and grafana is None:
            raise Stop("\n".join(_known_lines(folder)))
    settings = _settings(where.path)
    if grafana is not None:
        from ingest.verbs.grafana import write_dashboards

        print_lines(["", *write_dashboards(settings, grafana)])
    if live:
        from ingest.demo.present import made_up_listeners
        from ingest.verbs.run import run_until_stopped

        print_lines(["", _("Today:"), f"  {_verb_of(folder)} today", ""])
        run_until_stopped(settings, made_up_listeners)


def _make(where: "DemoFolder", seed: int, weeks: int, language: str | None) -> None:
    from ingest.demo.story import Story
    from ingest.settings.machine_zone import machine_zone

    with _bar() as progress:
        make(where, Story(datetime.now(UTC), machine_zone(), seed, weeks), language, progress)
