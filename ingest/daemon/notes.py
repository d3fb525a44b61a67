"""What is noted of the daemon where others read it: its lock, what troubles its parts, and the line for systemd."""

import logging
import threading
import time
from collections.abc import Callable

from ingest.daemon.journal import opened
from ingest.errors import Stop, TryLater
from ingest.household import follow_machine_zone, unnamed_owner
from ingest.journal import Journal
from ingest.settings.machine_zone import machine_zone
from ingest.settings.model import Settings
from ingest.system import systemd
from ingest.system.lock import DaemonLock
from ingest.system.memory import GIVE_BACK_S, give_back_memory
from ingest.system.watchdog import WatchedPart

LOOK_S = 1.0
"""Between two looks at whether the lock and the journal are still those that are open."""

BUSY_MS = 4_000
"""How long a note waits for others: it is tried again."""

_log = logging.getLogger(__name__)


class Notes:
    """A part of its own. It holds the journal open to the end: who closes it last takes over the whole log."""

    def __init__(self, settings: Settings, lock: DaemonLock) -> None:
        self._settings, self._lock = settings, lock
        self._part: WatchedPart | None = None
        self._changing = threading.Lock()
        self._troubles: dict[str, str] = {}
        self._changed: dict[str, str | None] = {}
        self._began = False
        self._zone = machine_zone()

    def tell(self, key: str, trouble: str | None) -> None:
        """What troubles a part, None: nothing any more. Any thread may."""
        with self._changing:
            if trouble is None:
                self._troubles.pop(key, None)
            else:
                self._troubles[key] = trouble
            self._changed[key] = trouble
        if self._part is not None:
            self._part.wake()

    def run(self, fail: Callable[[Exception], None], part: WatchedPart) -> None:
        """Note what changes until told to stop, and a last time then. `fail` ends a daemon whose place another one took."""
        self._part = part
        with opened(part, lambda: self._open(part)) as journal:
            if journal is None:
                return
            self._say_anew(journal)
            going_on, given_back_s = True, time.monotonic()
            while going_on:
                self._keep_lock(fail)
                journal.require_in_place()
                self._write(journal)
                self._follow_zone(journal)
                if time.monotonic() - given_back_s > GIVE_BACK_S:
                    give_back_memory()
                    given_back_s = time.monotonic()
                going_on = part.wait(LOOK_S)
            self._write(journal)

    def _open(self, part: WatchedPart) -> Journal:
        return Journal(self._settings.journal_file, busy_ms=BUSY_MS, going_on=part.going_on)

    def _keep_lock(self, fail: Callable[[Exception], None]) -> None:
        try:
            if self._lock.keep():
                _log.warning(
                    "The lock of the daemon in %s was moved or deleted; it is taken anew.",
                    self._settings.data,
                )
        except Stop as e:
            fail(e)

    def _follow_zone(self, journal: Journal) -> None:
        """Have days go by the zone that this computer was set to just now: a Pi often gets it after its first start."""
        zone = machine_zone()
        if zone == self._zone:
            return
        try:
            follow_machine_zone(journal, self._settings)
        except TryLater as e:
            _log.debug("%s", e)
        else:
            self._zone = zone

    def _say_anew(self, journal: Journal) -> None:
        """What troubled an earlier daemon, and not this one, is over; into another journal all goes that holds now."""
        with self._changing:
            for key in journal.store_errors():
                self._changed.setdefault(key, self._troubles.get(key))
            for key, trouble in self._troubles.items():
                self._changed.setdefault(key, trouble)

    def _write(self, journal: Journal) -> None:
        with self._changing:
            changed, self._changed = self._changed, {}
            troubles = dict(self._troubles)
        if self._began and not changed:
            return
        self._began = True
        systemd.status(" ".join(troubles.values()) or "All parts work.")
        try:
            _note(journal, unnamed_owner(journal, self._settings), changed)
        except TryLater as e:
            _log.debug("%s", e)
            with self._changing:
                self._changed = changed | self._changed


def _note(journal: Journal, person: str, changed: dict[str, str | None]) -> None:
    """Write down what is new: for `status`, and as rows of the table `collector` for Grafana."""
    before = journal.store_errors()
    news = {key: trouble for key, trouble in changed.items() if before.get(key) != trouble}
    if not news:
        return
    with journal.write() as w:
        for key, trouble in news.items():
            w.store_error(key, trouble)
            content = {
                "source": f"part {key}",
                "state": "failing" if trouble else "working",
                "reason": trouble,
            }
            w.entry(w.person(person), "collector", w.now_ms, None, content)
