"""The daemon: listens to straps, takes what arrives in the inbox, keeps the stores up to date, and is otherwise forgotten."""

import asyncio
import contextlib
import ctypes
import logging
import os
import shlex
import signal
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest.collect.arrival import Arrivals
from ingest.collect.inbox import Candidate, Inbox
from ingest.collect.reader_process import ReaderProcess
from ingest.errors import Stop, TryLater
from ingest.household import open_journal, owner_of_folder, register_person
from ingest.journal import Journal
from ingest.language import N_, Text, system_words
from ingest.log import Repeats, quoted
from ingest.report.renewal import keep_pages
from ingest.rows.cache import RowCache
from ingest.settings.model import Settings
from ingest.stores.configured import configured_stores
from ingest.stores.contract import Store
from ingest.stores.following import follow
from ingest.system import systemd
from ingest.system.files import NO_ROOM, make_folder
from ingest.system.lock import only_daemon
from ingest.system.patience import ENDLESS, Patience
from ingest.system.watchdog import Watchdog, WatchedPart

if TYPE_CHECKING:
    from ingest.collect.recorder import Recorder

SCAN_S = 1.0
"""Between two scans of the inbox; a thousand files cost 2 ms."""

RETRY_S = 30.0
"""After which what could not be done is tried again."""

LET_GO_S = 12.0
"""For straps to be let go at the end, however much hangs; what they told is then committed in any case."""

LOCK_S = 10.0
"""How long a store that another process brings up to date is waited for in silence; then `status` says so."""

END_S = 25.0
"""For everything to end; systemd waits 30 s for us."""

_M_ARENA_MAX = -8
"""The name in glibc's malloc.h."""

_log = logging.getLogger(__name__)


Listeners = Callable[[Settings, Sequence[str], "Recorder"], Sequence[Coroutine[Any, Any, None]]]
"""Gives what brings notifications of all straps to a recorder, until it is cancelled."""


def run(settings: Settings, greet: Callable[[str], None], listeners: Listeners | None = None) -> None:
    """Run until told to stop (SIGTERM, Ctrl-C). Straps are listened to by radio, or by other `listeners`.

    `greet` shows the owner what there is to know at the start.

    A full disk is waited for. Raises Stop when a person must act first: a folder that cannot be made, another daemon, a
    damaged journal.
    """
    _share_memory()
    repeats = Repeats(_log)
    with contextlib.ExitStack() as held:
        for _ in ENDLESS.attempts(step_s=SCAN_S):
            try:
                _make_folders(settings)
                held.enter_context(_only_daemon(settings))
                break
            except TryLater as e:
                repeats.say("disk", str(e))
        owners = [strap.person for strap in settings.straps]
        try:
            # Held open to the end: the last to close it would take over the whole log.
            journal = held.enter_context(open_journal(settings, create=True))
            owners = [register_person(journal, settings, strap.person) for strap in settings.straps]
        except TryLater as e:
            _log.warning(
                "%s The daemon starts all the same; it goes on by itself once that is over, and keeps in memory what"
                " straps tell until then.",
                e,
            )
        asyncio.run(_Daemon(settings, owners, greet, listeners or _listen_by_radio).run())


def _share_memory() -> None:
    """Let the threads take memory from one place: a place for each keeps a megabyte that no other can use.

    They take turns at the interpreter's lock anyway. Other C libraries than glibc have no such places (`man mallopt`).
    """
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError):
            ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


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


@contextlib.contextmanager
def _only_daemon(settings: Settings) -> Iterator[None]:
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(only_daemon(settings.data, settings.mark))
        except OSError as e:
            if e.errno in NO_ROOM:
                words = N_(
                    "The lock of the daemon in {folder} cannot be made: the disk is full. Make room; it is tried again."
                )
                raise TryLater(Text(words, folder=settings.data)) from e
            words = N_(
                "The lock of the daemon in {folder} cannot be made: {why}. Choose another with --data."
            )
            raise Stop(Text(words, folder=settings.data, why=system_words(e))) from e
        yield


class _Daemon:
    """What runs at once: the inbox, each store, the straps, and an eye on all of them.

    `owners` gives for each strap the journal's spelling of its person's name.
    """

    def __init__(
        self, settings: Settings, owners: Sequence[str], greet: Callable[[str], None], listeners: Listeners
    ) -> None:
        self._settings, self._owners, self._greet, self._listeners = settings, owners, greet, listeners
        self._stop = threading.Event()
        self._stopped = asyncio.Event()
        self._watchdog = Watchdog()
        self._stores = configured_stores(settings)
        self._wakes = [threading.Event() for _ in self._stores]

    async def run(self) -> None:
        """Work until told to stop, or until a part fails; then all others are ended first."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._end)
        alive = asyncio.create_task(self._watchdog.watch(systemd.alive, systemd.every()))
        work = [self._start("the inbox", partial(_collect, self._settings, self._wake_stores))]
        for store, wake in zip(self._stores, self._wakes, strict=True):
            name = f"the store {store.name}"
            work.append(self._start(name, partial(_keep_up_to_date, self._settings, store, wake)))
        if self._settings.report_folder:
            work.append(
                self._start("the pages", partial(_renew_pages, self._settings, self._settings.report_folder))
            )
        if self._settings.straps:
            work.append(asyncio.create_task(self._listen(), name="the straps"))
        self._greet("\n".join(greeting(self._settings)))
        systemd.ready()
        stopped = asyncio.create_task(self._stopped.wait())
        await asyncio.wait([*work, stopped], return_when=asyncio.FIRST_COMPLETED)
        systemd.stopping()
        self._end()
        alive.cancel()
        # All of them, also when one has failed: the others have something to put away.
        _, hanging = await asyncio.wait(work, timeout=END_S)
        if hanging:
            names = ", ".join(task.get_name() for task in hanging)
            _log.error("Ended by force, as %s did not end. What is in the journal is safe.", names)
            os._exit(1)  # a thread cannot be ended otherwise
        for task in work:
            task.result()  # a part that failed ends the daemon with its error

    def _end(self) -> None:
        self._stop.set()
        self._wake_stores()
        self._stopped.set()

    def _wake_stores(self) -> None:
        """Something is in the journal that the stores do not have yet."""
        for wake in self._wakes:
            wake.set()

    def _start(self, name: str, work: Callable[[WatchedPart], None]) -> asyncio.Task[None]:
        """Start a part in a thread of its own."""
        part = self._watchdog.part(name, self._stop)

        async def run() -> None:
            try:
                await asyncio.to_thread(work, part)
            finally:
                part.ended = True

        return asyncio.create_task(run(), name=name)

    async def _listen(self) -> None:
        """Listen to the straps until told to stop: then they are let go, and what they told is committed."""
        from ingest.collect.recorder import Recorder
        from ingest.system.clock import SystemClock

        recorder = Recorder(self._settings.journal_file, SystemClock(), on_commit=self._wake_stores)
        runs = self._listeners(self._settings, self._owners, recorder)
        over = threading.Event()
        part = self._watchdog.part("the straps' recorder", over)
        recording = asyncio.create_task(asyncio.to_thread(recorder.run, over, part.mark))
        listening = [asyncio.create_task(run) for run in runs]
        stopped = asyncio.create_task(self._stopped.wait())
        try:
            await asyncio.wait([stopped, recording, *listening], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (stopped, *listening):
                task.cancel()
            await asyncio.wait(listening, timeout=LET_GO_S)
            over.set()
            try:
                await recording
            finally:
                part.ended = True
        for task in listening:
            if task.done() and not task.cancelled():
                task.result()  # a part that failed ends the daemon with its error


def _listen_by_radio(
    settings: Settings, owners: Sequence[str], recorder: "Recorder"
) -> Sequence[Coroutine[Any, Any, None]]:
    """The radio, and each strap of the settings."""
    from ingest.collect.connection import StrapOwner
    from ingest.collect.radio import Radio
    from ingest.collect.strap import StrapListener

    radio = Radio(settings.bluetooth.adapter)
    straps = [
        StrapListener(strap, StrapOwner(person, strap.source), radio, recorder)
        for strap, person in zip(settings.straps, owners, strict=True)
    ]
    return [radio.run(), *(strap.run() for strap in straps)]


def greeting(settings: Settings) -> list[str]:
    """What the owner needs to know at the start, a line each."""
    words = [
        sys.argv[0],
        *(["--config", str(settings.file)] if settings.file else []),
        "--data",
        str(settings.data),
    ]
    verb = shlex.join(words)  # to be copied as it stands, whatever the folders are called
    listed = ", ".join(f"{s.person}'s {s.source.removeprefix('strap ')}" for s in settings.straps)
    lines = [
        "hartslag runs; Ctrl-C stops it, and nothing is lost by that.",
        f"  Drop FIT files into    {settings.inbox_folder}",
        f"  The store for Grafana  {settings.store_file}",
        f"  See your week with     {verb} week",
        f"  Straps listened to     {listed}" if listed else f"  Find your straps with  {verb} scan",
    ]
    if settings.file is None:
        lines.append(
            f"No settings file: files belong to one person called {settings.default_person!r}, and moderate and vigorous"
            " begin where the maximum set in the watch puts them. To make it yours:"
        )
        lines.append(f"  Answer some questions  {verb} setup")
    if settings.influx:
        site = f", site {settings.influx.site}" if settings.influx.site else ""
        lines.insert(
            3, f"  The server, too        {settings.influx.url} (bucket {settings.influx.bucket}{site})"
        )
    return lines


def _open_journal(part: WatchedPart, repeats: Repeats, opened: Callable[[], Journal]) -> Journal | None:
    """The journal, waited for while the disk is full or another process holds it; None: told to stop meanwhile."""
    for _ in Patience(going_on=part.going_on).attempts(step_s=SCAN_S):
        try:
            journal = opened()
        except TryLater as e:
            repeats.say("journal", str(e))
        else:
            repeats.over("journal", "The journal is open.")
            return journal
    return None


def _collect(settings: Settings, wake_stores: Callable[[], None], part: WatchedPart) -> None:
    """Take what arrives in the inbox."""
    largest = settings.inbox.largest_mb << 20
    inbox = Inbox(
        settings.inbox_folder,
        partial(owner_of_folder, settings),
        time.monotonic,
        settle_s=settings.inbox.settle_s,
        patience_s=settings.inbox.patience_s,
        largest_bytes=largest,
        going_on=part.going_on,
    )
    repeats = Repeats(_log)
    not_before: dict[str, float] = {}
    journal = _open_journal(
        part, repeats, lambda: open_journal(settings, create=True, going_on=part.going_on)
    )
    if journal is None:
        return
    with journal, ReaderProcess(largest, going_on=part.going_on) as reader:
        arrivals = Arrivals(journal, reader, settings.data, largest, going_on=part.going_on)
        _patiently(repeats, "unfinished files", lambda: arrivals.finish(settings.inbox_folder))
        while part.going_on():
            found = inbox.scan()
            for waiting in found.waiting:
                if waiting.act:
                    repeats.say(f"waiting {waiting.name}", f"{quoted(waiting.name)} waits: {waiting.why}.")
            due = [c for c in found.arrived if not_before.get(c.name, 0) <= time.monotonic()]
            for done, candidate in enumerate(due):
                if not part.going_on():
                    break
                left = len(due) - done - 1 + len(found.waiting)
                if _take(journal, settings, arrivals, candidate, left, repeats, part):
                    not_before.pop(candidate.name, None)
                    wake_stores()
                else:
                    not_before[candidate.name] = time.monotonic() + RETRY_S
            _patiently(repeats, "noting what is filed", arrivals.flush)
            reader.rest()
            part.stop.wait(SCAN_S)
        _patiently(repeats, "noting what is filed", arrivals.flush)


def _take(
    journal: Journal,
    settings: Settings,
    arrivals: Arrivals,
    candidate: Candidate,
    left: int,
    repeats: Repeats,
    part: WatchedPart,
) -> bool:
    """Take one file and return whether that worked, which is logged either way."""
    kind = f"file {candidate.name}"
    try:
        person = register_person(journal, settings, candidate.person)
        for outcome in arrivals.take(candidate.path, candidate.name, person, waiting=left):
            _log.log(
                logging.WARNING if outcome.outcome == "rejected" else logging.INFO, "%s", outcome.sentence
            )
    except TryLater as e:
        if part.going_on():  # at the end it is only left for the next start
            repeats.say(kind, str(e))
        return False
    repeats.over(kind, f"{quoted(candidate.name)} is taken after all.")
    return True


def _patiently(repeats: Repeats, kind: str, work: Callable[[], object]) -> None:
    try:
        work()
    except TryLater as e:
        repeats.say(kind, str(e))
    else:
        repeats.over(kind, f"{kind}: done after all.")


def _keep_up_to_date(settings: Settings, store: Store, wake: threading.Event, part: WatchedPart) -> None:
    """Keep one store up to date with the journal, whoever appends to it; the others do not wait for it."""
    repeats, cache = Repeats(_log), RowCache()
    store.patience = Patience(LOCK_S, part.going_on)
    journal = _open_journal(part, repeats, lambda: Journal(settings.journal_file, going_on=part.going_on))
    if journal is None:
        return
    with journal, contextlib.closing(store):
        trouble: str | None = None
        while part.going_on():
            wake.clear()
            before = trouble
            try:
                follow(journal, store, going_on=part.going_on, cache=cache)
                trouble = None
            except TryLater as e:
                if not part.going_on():
                    break
                trouble = str(e)
                repeats.say("store", trouble)
            else:
                repeats.over("store", f"The store {store.place} is written again.")
            if trouble != before:
                with contextlib.suppress(TryLater), journal.write() as w:
                    w.store_error(store.name, trouble)
            # Other processes append too (`hartslag add`), and a store that somebody deleted is made anew.
            wake.wait(SCAN_S)


def _renew_pages(settings: Settings, folder: Path, part: WatchedPart) -> None:
    """Keep a page of each person that is of today."""
    journal = _open_journal(
        part, Repeats(_log), lambda: Journal(settings.journal_file, going_on=part.going_on)
    )
    if journal is None:
        return
    with journal:
        pages = keep_pages(settings, journal, folder, part.going_on)
        while part.going_on():
            try:
                part.stop.wait(next(pages, 0.0))
            except TryLater as e:
                _log.debug("%s", e)
                part.stop.wait(RETRY_S)
                pages = keep_pages(settings, journal, folder, part.going_on)
