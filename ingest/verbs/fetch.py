"""Files fetched from a watch, a card or any folder into the inbox."""

import logging
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ingest.errors import Stop, TryLater, WrongSettings
from ingest.language import N_, Text
from ingest.language import gettext as _
from ingest.verbs.command import Invocation, print_json, require_access, verb

if TYPE_CHECKING:
    from ingest.collect.fetch_record import FetchState
    from ingest.collect.fetching import Fetched
    from ingest.collect.watch_memory import MemoryFile
    from ingest.settings.model import Settings

_log = logging.getLogger(__name__)

RETRY_S = 30.0
"""After which a full disk is looked at again."""

Told = Callable[["FetchState"], None]


def fetch(
    settings: "Settings",
    folder: Path,
    *,
    person: str | None = None,
    again: bool = False,
    device: str = "",
    told: Told = lambda _: None,
) -> "FetchState | None":
    """Bring what is new in a folder into the inbox; None where it is to be a watch, being a `device`, and is none.

    `told` hears how it goes. Raises TryLater when the disk is full, Stop when a person must act.
    """
    from ingest.collect.fetch_record import GONE, FetchState
    from ingest.collect.watch_memory import read_memory
    from ingest.settings.names import folder_of_watch

    owner = None if person is None else _named_person(settings, person)
    try:
        memory = read_memory(folder)
    except FileNotFoundError as e:
        raise Stop(Text(N_("There is no folder {folder}. Nothing was fetched."), folder=folder)) from e
    except OSError:
        return FetchState("plugged", device=device, state=GONE, at_ms=_now_ms()) if device else _gone(folder)
    if memory is not None:
        place = owner or folder_of_watch(memory.serial)
        state = FetchState(
            memory.serial or "unknown", memory.serial, memory.product, owner or "", device, at_ms=_now_ms(),
            unreadable=memory.damaged,
        )  # fmt: skip
        return _bring(settings, memory.files, place, state, again=again, told=told)
    if device:
        return None
    from ingest.collect.watch_memory import files_in

    state = FetchState(_key_of_folder(folder), person=owner or _only_person(settings), at_ms=_now_ms())
    return _bring(settings, files_in(folder), state.person, state, again=again, told=told)


def _bring(
    settings: "Settings",
    files: "list[MemoryFile]",
    place: str,
    state: "FetchState",
    *,
    again: bool,
    told: Told,
) -> "FetchState":
    from ingest.collect.fetch_record import DONE, FETCHING, GONE, NO_ROOM, open_record
    from ingest.collect.fetching import NoRoom, fetch_files

    with open_record(settings.watch_folder, state) as record:
        if again:
            record.marks.clear()

        def keep(now: "Fetched", how: str = FETCHING) -> None:
            record.say(
                replace(
                    state, state=how, at_ms=_now_ms(), new=now.new, fetched=now.fetched,
                    unreadable=state.unreadable + now.unreadable, too_large=now.too_large,
                )
            )  # fmt: skip
            told(record.state)

        try:
            now = fetch_files(
                files,
                settings.inbox_folder / place,
                record,
                largest_bytes=settings.inbox.largest_mb << 20,
                told=keep,
            )
        except NoRoom as e:
            record.say(replace(record.state, state=NO_ROOM, at_ms=_now_ms(), trouble=e.text))
            raise
        keep(now, GONE if now.is_gone else DONE)
        return record.state


def _gone(folder: Path) -> "FetchState":
    raise Stop(Text(N_("{folder} cannot be looked into. Nothing was fetched."), folder=folder))


def _named_person(settings: "Settings", name: str) -> str:
    from ingest.settings.names import wrong_with_name

    if wrong := wrong_with_name(name):
        raise Stop(wrong)
    person = settings.person(name)
    if person is None:
        names = ", ".join(p.name for p in settings.persons)
        words = N_("Nobody in the settings is called {name}; known: {names}.")
        raise Stop(Text(words, name=name, names=names))
    return person.name


def _only_person(settings: "Settings") -> str:
    if len(settings.persons) > 1:
        names = ", ".join(p.name for p in settings.persons)
        words = N_("Whose files are these? Add --person and a name; known: {names}.")
        raise Stop(Text(words, names=names))
    return settings.default_person


def _key_of_folder(folder: Path) -> str:
    import hashlib

    return f"folder-{hashlib.sha256(str(folder.absolute()).encode('utf-8', 'replace')).hexdigest()[:12]}"


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


# --- by the unit, when a watch is plugged in ---


def fetch_plugged(settings: "Settings", folder: Path, note_file: Path) -> bool:
    """Fetch from a device that the system shows in a folder, and whether all that is new came.

    How it goes is said in the log and kept for `status`. A full disk is waited for.
    """
    from ingest.collect.fetch_record import DONE, NO_WATCH, TROUBLE, FetchState, forget_state, keep_state
    from ingest.log import Repeats
    from ingest.system.plugged import PluggedNote, read_note
    from ingest.verbs.fetch_words import fetch_sentence

    try:
        note = read_note(note_file)
    except (OSError, ValueError, TypeError):
        note = PluggedNote(str(folder))
    if note.trouble:
        state = FetchState(
            NO_WATCH, device=note.device, state=TROUBLE, at_ms=_now_ms(), trouble=note.trouble, detail=note.detail
        )  # fmt: skip
        keep_state(settings.watch_folder, state)
        _log.warning("%s", fetch_sentence(settings, state))
        return True
    begun, repeats = False, Repeats(_log)

    def told(now: "FetchState") -> None:
        nonlocal begun
        if now.new and not begun:
            begun = True
            _log.info("%s", fetch_sentence(settings, now))

    while True:
        try:
            found = fetch(settings, folder, device=note.device, told=told)
            break
        except TryLater as e:
            repeats.say("room", str(e))
            time.sleep(RETRY_S)
    if found is None:
        return True
    forget_state(settings.watch_folder, NO_WATCH)
    is_well = found.state == DONE and not found.unreadable
    _log.log(logging.INFO if is_well else logging.WARNING, "%s", fetch_sentence(settings, found))
    return is_well


class _Progress:
    """A bar on a terminal, nothing elsewhere."""

    def __init__(self) -> None:
        self._bar: AbstractContextManager[Any] = nullcontext()
        self._shown: Any = None

    def tell(self, now: "FetchState") -> None:
        """Draw how far it is."""
        if not now.new or not sys.stderr.isatty():
            return
        if self._shown is None:
            self._bar = click.progressbar(
                length=now.new, label=_("Fetching"), width=0, file=sys.stderr, show_pos=True
            )
            self._shown = self._bar.__enter__()
        self._shown.update(now.fetched - self._shown.pos)

    def end(self) -> None:
        """Leave the line."""
        self._bar.__exit__(None, None, None)


@verb(
    "fetch",
    ("What is new on a watch or a card that is mounted", "hartslag fetch /media/pi/GARMIN"),
    ("A folder of Anna's phone", "hartslag fetch --person Anna ~/phone/FitFiles"),
)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--person", metavar="NAME", help="Whose files these are (default: whose watch it is).")
@click.option("--again", is_flag=True, help="Fetch what was fetched before, too; nothing is counted twice.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option("--note", type=click.Path(path_type=Path), hidden=True, help="Of a device that is plugged in.")
@click.pass_obj
def command(
    invocation: Invocation, folder: Path, person: str | None, again: bool, as_json: bool, note: Path | None
) -> None:
    """Copy what is new in FOLDER, the memory of a watch or any other, into the inbox; nothing in it is changed.

    What was fetched is remembered, so that a watch with thousands of files is done in seconds. Ends with 1 when a file
    could not be read.
    """
    from ingest.collect.fetch_record import DONE
    from ingest.verbs.fetch_words import fetch_lines

    if note is not None:
        if not fetch_plugged(_settings_of_unit(invocation), folder, note):
            sys.exit(1)
        return
    settings = invocation.load_settings()
    require_access(settings)
    progress = _Progress()
    try:
        state = fetch(settings, folder, person=person, again=again, told=progress.tell)
    finally:
        progress.end()
    assert state is not None
    if as_json:
        from ingest.verbs.fetch_words import fetch_json

        print_json(fetch_json(settings, state))
    else:
        from ingest.verbs.messages import say

        say("\n".join(fetch_lines(settings, state)), sys.stdout)
    if state.state != DONE or state.unreadable:
        sys.exit(1)


def _settings_of_unit(invocation: Invocation) -> "Settings":
    """The settings; a slip of the pen in them keeps nothing on the watch, as whose it is can be read later."""
    from ingest.settings.installed import find_installed
    from ingest.settings.model import Settings

    try:
        return invocation.load_settings()
    except WrongSettings as e:
        installed = find_installed()
        data = invocation.data or (installed.data if installed else None)
        if data is None:
            raise
        _log.warning("%s", e)
        return Settings(data.absolute())
