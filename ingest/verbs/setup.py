"""Settings by questions in plain words: nothing is written without a yes, and what stands in the file stays."""

import os
import shlex
import sys
from collections.abc import Callable
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

import click

from ingest.errors import Stop
from ingest.language import ENGLISH, languages, speak, spoken_language
from ingest.language import gettext as _
from ingest.system.start import started_words
from ingest.verbs.command import Invocation, WholeNumber, verb

if TYPE_CHECKING:
    from ingest.settings.own_file import OwnFile
    from ingest.settings.writer import SettingsText
    from ingest.verbs.setup_dialogue import Dialogue
    from ingest.verbs.setup_person import Talk

Origin = Literal["watch", "export", "none"]
T = TypeVar("T")

# --- the file, and who may write it ---


def absolute_command(invocation: Invocation, *words: str, file: Path | None = None) -> str:
    """A verb with the options of this one, its paths whole: also for sudo, which finds no program by name, and from any folder."""
    called = started_words()
    called[0] = str(Path(called[0]).absolute())
    config = file or invocation.config
    options = ["--config", str(config.absolute())] if config else []
    options += ["--data", str(invocation.data.absolute())] if invocation.data else []
    return shlex.join([*called, *options, *words])


def open_own_file(invocation: Invocation, *words_of_verb: str) -> "OwnFile":
    """The settings file to be changed. Raises Stop with the command for whoever may not write it."""
    from ingest.settings.installed import find_installed
    from ingest.settings.own_file import own_file
    from ingest.system.acting import acting_as_root

    try:
        with acting_as_root():
            return own_file(invocation.config, invocation.data, os.environ, Path.cwd(), find_installed())
    except PermissionError as e:
        file, theirs = Path(e.filename), Path(e.filename2)
        words = (
            _(
                "The folder {place} belongs to somebody else, so you cannot keep settings in it. With this command you "
                "can, if you know the password of this computer:\n  {command}"
            )
            if theirs.is_dir()
            else _(
                "The settings file {place} belongs to somebody else, so you cannot change it. With this command you "
                "can, if you know the password of this computer:\n  {command}"
            )
        )
        command = "sudo " + absolute_command(invocation, *words_of_verb, file=file)
        raise Stop(words.format(place=theirs if theirs.is_dir() else file, command=command)) from e


def data_folder(invocation: Invocation, own: "OwnFile") -> Path:
    """Where the data are, or will be."""
    from ingest.settings.installed import find_installed
    from ingest.settings.model import Settings

    if own.content is not None:
        return invocation.load_settings().data
    if (installed := find_installed()) and own.path == installed.settings:
        return installed.data
    given = invocation.data or (
        Path(os.environ["HARTSLAG_DATA"]) if os.environ.get("HARTSLAG_DATA") else Path("data")
    )
    return Settings(given.absolute()).data


# --- the questions ---


def ask_language(talk: "Talk") -> None:
    """Which language is spoken, from now on here as well."""
    known = talk.draft.values.get("language")
    here = spoken_language()
    choices = [(language, language_name(language)) for language in languages()]
    chosen = talk.dialogue.choose(_("Which language shall be spoken?"), choices, known or here)
    speak(chosen)
    if known != chosen:
        talk.draft.set(("language",), chosen)
        talk.changes.append(_("Texts are in English."))


def language_name(language: str) -> str:
    """A language by its own name, `Nederlands`."""
    if language == ENGLISH:
        return "English"
    from babel import Locale

    return (Locale(language).get_display_name() or language).capitalize()


def ask_persons(talk: "Talk") -> None:
    """One person after the other, until nobody is left to be asked about."""
    from ingest.verbs.setup_person import ask_new_person

    d, draft = talk.dialogue, talk.draft
    if not draft.values.get("person"):
        _ask_about(talk, ask_new_person(talk), is_new=True)
    while True:
        names = [p["name"] for p in draft.values["person"]]
        choices = [(-1, _("Nobody: go on with the straps")), (-2, _("Somebody new"))]
        choices += [(i, name) for i, name in enumerate(names)]
        who = d.choose(_("Who shall answer now?"), choices, -1)
        if who == -1:
            return
        _ask_about(talk, ask_new_person(talk) if who == -2 else who, is_new=who == -2)


def _ask_about(talk: "Talk", who: int, *, is_new: bool) -> None:
    from ingest.verbs.setup_person import ask_limits, ask_medicine
    from ingest.verbs.setup_target import ask_target

    if len(talk.draft.values["person"]) > 1:
        talk.dialogue.say()
        name = talk.draft.values["person"][who]["name"]
        talk.dialogue.say(_("These questions are for {name}.").format(name=name))
    ask_medicine(talk, who)
    ask_limits(talk, who, is_new=is_new)
    ask_target(talk, who, is_new=is_new)


def ask_origin(d: "Dialogue") -> Origin:
    """Where files come from; nothing is set by it, but what is said at the end."""
    choices: list[tuple[Origin, str]] = [
        ("watch", _("From a sports watch on a USB cable")),
        ("export", _("From the app or the site of its maker")),
        ("none", _("I have no watch, or do not know yet")),
    ]
    return d.choose(_("Where will the files of your workouts come from?"), choices, "none")


# --- what comes of them ---


def show_changes(d: "Dialogue", own: "OwnFile", draft: "SettingsText", changes: list[str]) -> None:
    """What will be written, in sentences and then as lines."""
    d.say()
    d.say(_("This is what you said:"))
    for change in changes:
        d.say(change, "  - ")
    d.say()
    d.say(
        _(
            "In the file {file} these lines change. A plus stands before a new line, a minus before one that goes:"
        ).format(file=own.path)
        if own.content is not None
        else _("The file {file} is new, with these lines:").format(file=own.path)
    )
    d.show("")
    for line in diff_lines(draft, new=own.content is None):
        d.show(line)


def diff_lines(draft: "SettingsText", *, new: bool = False) -> list[str]:
    """The lines that come and go, with their numbers where there were others before."""
    if new:
        return [f"  {line}".rstrip() for line in draft.text.splitlines()]
    shown: list[str] = []
    before = 0
    for number, sign, line in draft.lines_changed():
        if number != before:
            shown.append(_("  line {number}:").format(number=number))
        shown.append(f"    {sign} {line}".rstrip())
        before = number
    return shown


def save(d: "Dialogue", own: "OwnFile", draft: "SettingsText") -> None:
    """Write what was agreed to, and say where."""
    from ingest.system.acting import acting_as_root

    with acting_as_root():
        own.save(draft)
    d.say()
    d.say(_("Written: {file}").format(file=own.path))
    if own.content is not None:
        d.say(_("The file as it was before is kept as {file}").format(file=own.kept))


def restart_lines(invocation: Invocation, own: "OwnFile", data: Path) -> list[str]:
    """What to do so that the daemon knows of it: a sentence, then a command if there is one."""
    from ingest.system.lock import holder

    daemon = holder(data)
    if daemon is None:
        return [
            _("hartslag does not run now. It takes the settings when it starts:"),
            f"  {absolute_command(invocation, 'run', file=own.path if invocation.config else None)}",
        ]
    if "hartslag.service" in _group_of(daemon):
        return [
            _("hartslag runs and must be started anew to know of it:"),
            "  sudo systemctl restart hartslag",
        ]
    return [
        _(
            "hartslag runs (process {number}) and must be started anew to know of it: press Ctrl-C where it runs, and there:"
        ).format(number=daemon),
        f"  {absolute_command(invocation, 'run', file=own.path if invocation.config else None)}",
    ]


def grafana_lines(own: "OwnFile", draft: "SettingsText") -> list[str]:
    """That dashboards are still in the language that was spoken before, if there may be any."""
    if own.content is None or own.draft("").values.get("language") == draft.values.get("language"):
        return []
    return [_("Dashboards in Grafana speak the new language once `hartslag grafana` has written them anew.")]


def _group_of(process: int) -> str:
    """What systemd knows a process by (cgroups(7)); empty where that is not told."""
    try:
        return Path(f"/proc/{process}/cgroup").read_text()
    except OSError:
        return ""


def file_lines(origin: Origin, draft: "SettingsText", data: Path) -> list[str]:
    """Where files go, for each person, and where they are found."""
    if origin == "none":
        return []
    inbox = data / "inbox"
    names = [p["name"] for p in draft.values.get("person", ())]
    lines = [
        _("Copy the files in GARMIN/ACTIVITY and GARMIN/MONITOR of the watch into the inbox:")
        if origin == "watch"
        else _('Choose the "original" or FIT file when you export, and copy it into the inbox:'),
    ]
    if len(names) < 2:
        return [*lines, f"  {inbox}"]
    return [*lines, *(f"  {name}: {inbox / name}" for name in names)]


def _talk(d: "Dialogue", own: "OwnFile", data: Path, search_s: int) -> "tuple[Talk, Origin, bool]":
    """All questions: what they changed, where files come from, and whether it is to be written."""
    from datetime import datetime

    from ingest.settings.writer import SettingsText
    from ingest.verbs.setup_person import Talk
    from ingest.verbs.setup_straps import ask_straps

    talk = Talk(d, own.draft(""), datetime.now().astimezone().date(), search_s, data)
    _greet(d, own)
    ask_language(talk)
    if own.content is None:  # a new file is explained in the language that was chosen
        values = talk.draft.values
        talk.draft = SettingsText(_first_lines())
        talk.draft.set(("language",), values["language"])
    ask_persons(talk)
    ask_straps(talk)
    origin = ask_origin(d)
    if not talk.draft.is_changed:
        d.say()
        d.say(_("Nothing is to be changed, and nothing was written."))
        return talk, origin, False
    show_changes(d, own, talk.draft, talk.changes)
    d.drop_typed()
    agreed = d.agree(_("Write this into the settings file?"), default=None)
    if not agreed:
        d.say(_("Nothing was written."))
    return talk, origin, agreed


def _first_lines() -> str:
    """What a new settings file begins with."""
    return "".join(
        f"# {line}\n"
        for line in (
            _("The settings of hartslag, written by `hartslag setup`: run it again to change them."),
            _("The sample config/hartslag.toml explains everything that can be set here."),
        )
    )


def _greet(d: "Dialogue", own: "OwnFile") -> None:
    d.say(
        _(
            "A few questions, and your settings are ready. Nothing is written before you say yes at the end. Enter "
            "takes what stands in brackets. Type back for the question before, stop to end it, ? for help."
        )
    )
    d.say(
        _("There are settings already, in {file}: what they say is the answer of Enter.").format(
            file=own.path
        )
        if own.content is not None
        else _("The settings will stand in the file {file}.").format(file=own.path)
    )
    d.say(
        _(
            "This is not a medical device. Before you start or train harder, talk to your neurologist, MS nurse or "
            "physiotherapist, above all with heart disease, fainting, a recent relapse or a new medicine."
        )
    )


def spoken_to(d: "Dialogue", flow: Callable[[], T]) -> T:
    """What a flow of questions gives; broken off it ends the program, and says that nothing was written."""
    from ingest.verbs.setup_dialogue import EndedError

    # Answers may hold what is no text, and terminals may lack what is shown.
    for stream, errors in ((sys.stdin, "surrogateescape"), (sys.stdout, "replace")):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors=errors)
    try:
        return d.run(flow)
    except (EndedError, KeyboardInterrupt) as e:
        click.echo()
        kept = _("No answer is kept, whoever it was about.") if d.has_answers else ""
        d.end(" ".join(filter(None, (str(e), kept, _("Nothing was written.")))))
        sys.exit(130)


@verb(
    "setup",
    ("Answer some questions", "hartslag setup"),
    ("For a daemon that systemd runs", "sudo hartslag setup"),
)
@click.option(
    "--seconds",
    type=WholeNumber(1, 600),
    default=12,
    show_default=True,
    help="How long to listen for straps.",
)
@click.pass_obj
def command(invocation: Invocation, seconds: int) -> None:
    """Ask for your settings in plain words, and write them after a yes.

    One question at a time: language, who you are, what is known of your heart, your target, your strap. Run it again to
    change something; what the file says is then the answer of Enter. Everything else in the file stays as it is.
    """
    from ingest.verbs.setup_dialogue import Dialogue

    own = open_own_file(invocation, "setup")
    own.draft("")  # says what is wrong with it before anything is asked
    data = data_folder(invocation, own)
    d, language = Dialogue(sys.stdin, sys.stdout), spoken_language()

    def flow() -> "tuple[Talk, Origin, bool]":
        speak(language)  # until another one is chosen, also after going back
        return _talk(d, own, data, seconds)

    talk, origin, agreed = spoken_to(d, flow)
    if agreed:
        save(d, own, talk.draft)
    for lines in (
        file_lines(origin, talk.draft, data),
        restart_lines(invocation, own, data) if agreed else [],
        grafana_lines(own, talk.draft) if agreed else [],
    ):
        if lines:
            d.say()
        for line in lines:
            d.tell(line)
