"""The daemon: listens to straps, takes what arrives in the inbox, keeps the stores up to date, and is otherwise forgotten."""

import asyncio
import contextlib
import ctypes
import logging
import shlex
import signal
import sys
import threading
import time
from collections.abc import Callable
from functools import partial

from ingest.collect.arrival import Arrivals
from ingest.collect.inbox import Dropped, Inbox
from ingest.collect.reader_process import Reader
from ingest.errors import Stop, TryLater
from ingest.household import open_journal, owner_of_folder, register_person
from ingest.journal import Journal
from ingest.log import Repeats, quoted
from ingest.rows.cache import RowCache
from ingest.settings.model import Settings
from ingest.stores.configured import configured_stores
from ingest.stores.contract import Store
from ingest.stores.following import follow
from ingest.system import systemd
from ingest.system.lock import only_daemon

LOOK_S = 1.0
"""Between two looks into the inbox; a thousand files cost 2 ms."""

RETRY_S = 30.0
"""After which what could not be done is tried again."""

LET_GO_S = 12.0
"""For straps to be let go at the end, however much hangs; what they told is then committed in any case."""

_M_ARENA_MAX = -8
"""The name in glibc's malloc.h."""

_log = logging.getLogger(__name__)


def run(settings: Settings) -> None:
    """Run until told to stop (SIGTERM, Ctrl-C).

    Raises Stop when a person must act first: a folder that cannot be made, another daemon, a damaged journal.
    """
    _share_memory()
    _make_folders(settings)
    with open_journal(settings, create=True), only_daemon(settings.data):
        asyncio.run(_run(settings))


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
            folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        except OSError as e:
            raise Stop(
                f"The folder {folder} cannot be made: {e.strerror}. Choose another with --data."
            ) from e


async def _run(settings: Settings) -> None:
    stop = threading.Event()
    stores = configured_stores(settings)
    bells = [threading.Event() for _ in stores]

    def ring() -> None:
        """Something is in the journal that the stores do not have yet."""
        for bell in bells:
            bell.set()

    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()

    def stopping() -> None:
        stop.set()
        ring()
        stopped.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping)
    alive = asyncio.create_task(_alive())
    parts = [partial(_collect, settings, stop, ring)]
    parts += [
        partial(_supply, settings, store, stop, bell) for store, bell in zip(stores, bells, strict=True)
    ]
    work = [asyncio.create_task(asyncio.to_thread(part)) for part in parts]
    if settings.straps:
        work.append(asyncio.create_task(_listen(settings, stopped, ring)))
    for line in greeting(settings):
        print(line, flush=True)
    systemd.ready()
    try:
        await asyncio.wait([*work, asyncio.create_task(stopped.wait())], return_when=asyncio.FIRST_COMPLETED)
    finally:
        systemd.stopping()
        stopping()
        alive.cancel()
        await asyncio.gather(*work)  # a part that failed ends the daemon with its error


async def _alive() -> None:
    """Tell systemd that the loop still turns."""
    every = systemd.every()
    while every is not None:
        systemd.alive()
        await asyncio.sleep(every.total_seconds())


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
            " begin where the maximum set in the watch puts them."
        )
    if settings.influx:
        site = f", site {settings.influx.site}" if settings.influx.site else ""
        lines.insert(
            3, f"  The server, too        {settings.influx.url} (bucket {settings.influx.bucket}{site})"
        )
    return lines


async def _listen(settings: Settings, stopped: asyncio.Event, ring: Callable[[], None]) -> None:
    """Listen to the straps until told to stop: then they are let go, and what they told is committed."""
    from ingest.collect.connection import StrapOwner
    from ingest.collect.radio import Radio
    from ingest.collect.recorder import Recorder
    from ingest.collect.strap import StrapListener
    from ingest.system.clock import SystemClock

    with Journal(settings.journal_file) as journal:
        whom = [StrapOwner(register_person(journal, settings, s.person), s.source) for s in settings.straps]
    recorder, over = Recorder(settings.journal_file, SystemClock(), on_commit=ring), threading.Event()
    radio = Radio(settings.bluetooth.adapter)
    listeners = [StrapListener(s, w, radio, recorder) for s, w in zip(settings.straps, whom, strict=True)]
    writing = asyncio.create_task(asyncio.to_thread(recorder.run, over))
    hearing = [asyncio.create_task(part) for part in (radio.run(), *(one.run() for one in listeners))]
    told = asyncio.create_task(stopped.wait())
    try:
        await asyncio.wait([told, writing, *hearing], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (told, *hearing):
            task.cancel()
        await asyncio.wait(hearing, timeout=LET_GO_S)
        over.set()
        await writing
    for task in hearing:
        if task.done() and not task.cancelled():
            task.result()  # a part that failed ends the daemon with its error


def _collect(settings: Settings, stop: threading.Event, ring: Callable[[], None]) -> None:
    """Take what arrives in the inbox."""
    largest = settings.inbox.largest_mb << 20
    inbox = Inbox(
        settings.inbox_folder,
        partial(owner_of_folder, settings),
        time.monotonic,
        settle_s=settings.inbox.settle_s,
        patience_s=settings.inbox.patience_s,
        largest_bytes=largest,
    )
    repeats = Repeats(_log)
    not_before: dict[str, float] = {}
    with Journal(settings.journal_file) as journal, Reader(largest) as reader:
        arrivals = Arrivals(journal, reader, settings.data, largest)
        _patiently(repeats, "unfinished files", lambda: arrivals.finish(settings.inbox_folder))
        while not stop.is_set():
            look = inbox.look()
            for w in look.waiting:
                if w.act:
                    repeats.say(f"waiting {w.name}", f"{quoted(w.name)} waits: {w.why}.")
            due = [d for d in look.arrived if not_before.get(d.name, 0) <= time.monotonic()]
            for done, dropped in enumerate(due):
                if stop.is_set():
                    break
                left = len(due) - done - 1 + len(look.waiting)
                if _take(journal, settings, arrivals, dropped, left, repeats):
                    not_before.pop(dropped.name, None)
                    ring()
                else:
                    not_before[dropped.name] = time.monotonic() + RETRY_S
            _patiently(repeats, "noting what is filed", arrivals.flush)
            reader.rest()
            stop.wait(LOOK_S)
        _patiently(repeats, "noting what is filed", arrivals.flush)


def _take(
    journal: Journal, settings: Settings, arrivals: Arrivals, dropped: Dropped, left: int, repeats: Repeats
) -> bool:
    """Take one file; says whether that worked, which is logged either way."""
    kind = f"file {dropped.name}"
    try:
        person = register_person(journal, settings, dropped.person)
        for outcome in arrivals.take(dropped.path, dropped.name, person, waiting=left):
            _log.log(
                logging.WARNING if outcome.outcome == "rejected" else logging.INFO, "%s", outcome.sentence
            )
    except TryLater as e:
        repeats.say(kind, str(e))
        return False
    repeats.over(kind, f"{quoted(dropped.name)} is taken after all.")
    return True


def _patiently(repeats: Repeats, kind: str, work: Callable[[], object]) -> None:
    try:
        work()
    except TryLater as e:
        repeats.say(kind, str(e))
    else:
        repeats.over(kind, f"{kind}: done after all.")


def _supply(settings: Settings, store: Store, stop: threading.Event, bell: threading.Event) -> None:
    """Keep one store up to date with the journal, whoever appends to it; the others do not wait for it."""
    repeats, cache = Repeats(_log), RowCache()
    with Journal(settings.journal_file) as journal, contextlib.closing(store):
        trouble: str | None = None
        while not stop.is_set():
            bell.clear()
            before = trouble
            try:
                follow(journal, store, going_on=lambda: not stop.is_set(), cache=cache)
                trouble = None
            except TryLater as e:
                trouble = str(e)
                repeats.say("store", trouble)
            else:
                repeats.over("store", f"The store {store.place} is written again.")
            if trouble != before:
                with contextlib.suppress(TryLater), journal.write() as w:
                    w.reader(store.name, 0, trouble)
            # Other processes append too (`hartslag add`), and a store that somebody deleted is made anew.
            bell.wait(LOOK_S)
