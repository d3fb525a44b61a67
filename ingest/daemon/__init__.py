"""The daemon: listens to straps, takes what arrives in the inbox, keeps the stores up to date, and is otherwise forgotten."""

import asyncio
import contextlib
import logging
import shlex
import signal
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from ingest.backup.plan import is_planned
from ingest.backup.state import KEY
from ingest.daemon.collecting import Collecting
from ingest.daemon.listening import Listeners, add_straps, listen_by_radio
from ingest.daemon.mending import keep_mended, open_at_start
from ingest.daemon.notes import Notes
from ingest.daemon.replicas import keep_up_to_date, renew_pages
from ingest.daemon.supervisor import Stage, Supervisor, in_words
from ingest.errors import Stop, TryLater
from ingest.household import has_lost_settings, typed_words
from ingest.language import N_, Text, system_words
from ingest.language import gettext as _
from ingest.log import Repeats, quoted
from ingest.report.renewal import TROUBLE
from ingest.settings.model import Settings
from ingest.stores.configured import configured_stores
from ingest.system.files import NO_ROOM, make_folder
from ingest.system.lock import DaemonLock, holder
from ingest.system.memory import share_memory
from ingest.system.patience import ENDLESS

if TYPE_CHECKING:
    from ingest.system.watchdog import WatchedPart

FULL_S = 1.0
"""Between two looks at whether a full disk has room for the folders."""

MENDING_LIMIT_S = 1800.0
"""A large journal on a slow card is read whole and written anew within it."""

_log = logging.getLogger(__name__)


def run(
    settings: Settings,
    greet: Callable[[str], None],
    listeners: Listeners | None = None,
    on_interrupt: Callable[[], None] = lambda: None,
) -> None:
    """Run until told to stop (SIGTERM, Ctrl-C). Straps are listened to by radio, or by other `listeners`.

    `greet` shows the owner what there is to know at the start; `on_interrupt` is called at Ctrl-C, before the parts end.

    A full disk is waited for. Raises Stop when a person must act first: a folder that cannot be made, another daemon, a
    damaged journal.
    """
    share_memory()
    signal.signal(signal.SIGTERM, _end_at_once)  # until the supervisor ends one part after the other
    _complete_restore(settings)
    lock = DaemonLock(settings.data, settings.mark)
    with contextlib.closing(lock):
        _begin(settings, lock)
        owners = _register_owners(settings)
        supervisor = add_parts(settings, owners, lock, listeners or listen_by_radio)
        try:
            asyncio.run(supervisor.run(partial(greet, "\n".join(greeting(settings))), on_interrupt))
        except BaseExceptionGroup as e:
            _log.debug("The daemon failed.", exc_info=e)
            raise Stop(f"The daemon itself failed: {in_words(e)}. What is in the journal is safe.") from e


def _end_at_once(_number: int, _frame: object) -> None:
    """Nothing runs yet: what is begun is undone, and that is a clean end."""
    sys.exit(0)


def _complete_restore(settings: Settings) -> None:
    """Bring a copy to its place that was on its way there when the power failed."""
    if not is_planned(settings.data) or holder(settings.data) is not None:
        return
    from ingest.backup.swap import complete  # which is heavy, and rarely needed

    restored = complete(settings.data)
    _log.info("A copy was being brought back when that was broken off; now it is in its place.")
    if restored.settings is not None:
        _log.warning(
            "The settings of the copy lie in %s, as the daemon may not write the settings file.",
            restored.settings,
        )


def _begin(settings: Settings, lock: DaemonLock) -> None:
    """Have the folders and the lock; a full disk is waited for."""
    repeats = Repeats(_log)
    for _attempt in ENDLESS.attempts(step_s=FULL_S):
        try:
            _make_folders(settings)
            _take(settings, lock)
        except TryLater as e:
            repeats.say("disk", str(e))
        else:
            return


def _register_owners(settings: Settings) -> list[str]:
    """The journal's spelling of the name of each strap's person. It is made, and brought up to date, if need be."""
    try:
        return open_at_start(settings)
    except TryLater as e:
        _log.warning(
            "%s The daemon starts all the same; it goes on by itself once that is over, and keeps in memory what"
            " straps tell until then.",
            e,
        )
        return [strap.person for strap in settings.straps]


def add_parts(
    settings: Settings, owners: Sequence[str], lock: DaemonLock, listeners: Listeners
) -> Supervisor:
    """All that runs at once. A part more is a line more here; ARCHITECTURE.md says what it has to do.

    `owners` gives for each strap the journal's spelling of its person's name.
    """
    notes = Notes(settings, lock)
    supervisor = Supervisor(notes.tell)
    stores: list[WatchedPart] = []

    def wake_stores() -> None:
        """Something is in the journal that the stores do not have yet."""
        for part in stores:
            part.wake()

    supervisor.add(
        "notes", "what is noted of the daemon", partial(notes.run, supervisor.end), stage=Stage.NOTES
    )
    supervisor.add(
        "journal", "the journal's mending", partial(keep_mended, settings), limit_s=MENDING_LIMIT_S
    )
    supervisor.add("inbox", "the inbox", Collecting(settings, wake_stores).run)
    for store in configured_stores(settings):
        work = partial(keep_up_to_date, settings, store)
        stores.append(supervisor.add(store.name, f"the store {store.name}", work, stage=Stage.STORES))
    if settings.report_folder:
        supervisor.add(TROUBLE, "the pages", partial(renew_pages, settings, settings.report_folder))
    if settings.backup_folder:
        from ingest.backup.upkeep import Upkeep

        supervisor.add(KEY, "the copies", Upkeep(settings).run)
    if settings.straps:
        add_straps(supervisor, settings, owners, listeners, wake_stores)
    return supervisor


def _make_folders(settings: Settings) -> None:
    for folder in (settings.data, settings.inbox_folder, settings.archive, settings.rejected):
        try:
            # Grafana's group passes through to the store; all else is its owner's.
            make_folder(folder, 0o750 if folder == settings.data else 0o700)
        except OSError as e:
            if e.errno in NO_ROOM:
                words = N_(
                    "The folder {folder} cannot be made: the disk is full. Make room; it is tried again."
                )
                raise TryLater(Text(words, folder=folder)) from e
            words = N_("The folder {folder} cannot be made: {why}. Choose another with --data.")
            raise Stop(Text(words, folder=folder, why=system_words(e))) from e


def _take(settings: Settings, lock: DaemonLock) -> None:
    try:
        lock.take()
    except OSError as e:
        if e.errno in NO_ROOM:
            words = N_(
                "The lock of the daemon in {folder} cannot be made: the disk is full. Make room; it is tried again."
            )
            raise TryLater(Text(words, folder=settings.data)) from e
        words = N_("The lock of the daemon in {folder} cannot be made: {why}. Choose another with --data.")
        raise Stop(Text(words, folder=settings.data, why=system_words(e))) from e


def greeting(settings: Settings) -> list[str]:
    """What the owner needs to know at the start, a line each, in their language."""
    verb = shlex.join(typed_words(settings))  # to be copied as it stands, whatever the folders are called
    rows = [
        (_("Drop FIT files into"), str(settings.inbox_folder)),
        (_("The store for Grafana"), str(settings.store_file)),
        (_("See your week with"), f"{verb} week"),
    ]
    if settings.influx:
        named = (
            N_("{server} (bucket {bucket}, site {site})")
            if settings.influx.site
            else N_("{server} (bucket {bucket})")
        )
        told = _(named).format(
            server=settings.influx.url, bucket=settings.influx.bucket, site=settings.influx.site
        )
        rows.insert(2, (_("The server, too"), told))
    if settings.straps:
        words = _("{strap} of {person}")
        straps = [
            words.format(person=s.person, strap=s.source.removeprefix("strap ")) for s in settings.straps
        ]
        rows.append((_("Straps listened to"), ", ".join(straps)))
    else:
        rows.append((_("Find your straps with"), f"{verb} scan"))
    without = []
    if settings.file is None:
        rows.append((_("Answer some questions"), f"{verb} setup"))
    if settings.file is None and not has_lost_settings(settings):
        words = _(
            "No settings file: files belong to one person called {name}, and moderate and vigorous begin where the maximum"
            " set in the watch puts them. To make it yours:"
        )
        without = [words.format(name=quoted(settings.default_person))]
    width = max(len(what) for what, _value in rows) + 2
    lines = [f"  {what:<{width}}{value}" for what, value in rows]
    last = lines[-1:] if without else []
    return [
        _("hartslag runs; Ctrl-C stops it, and nothing is lost by that."),
        *lines[: len(lines) - len(last)],
        *without,
        *last,
    ]
