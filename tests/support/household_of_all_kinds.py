"""A household that has something of everything to lose, as the power failing leaves it, and how it was some days before."""

import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np

from ingest.collect.outcome import NOBODY_LOOKS
from ingest.demo.fit_encoder import workout
from ingest.household import open_journal, places_of
from ingest.journal import RANKS, Journal, Notifications
from ingest.journal.dating import Observation
from ingest.journal.known import note_known
from ingest.settings.file import load
from ingest.settings.model import Settings
from ingest.stores.following import follow
from ingest.stores.sqlite import SqliteStore
from ingest.system.sqlite import COMPANIONS
from ingest.verbs.add import add_files
from tests.support.daemons import hartslag

NOW_MS = 1_795_000_000_000
DAY_MS = 86_400_000
BEGAN_S = 1_794_960_000 - 631_065_600
"""Of the last day, in FIT's own seconds."""

EARLIER = "earlier"
"""The folder of how journal and store were, with their logs of a day, `LATELY` days before."""

LATELY = 1


def household_of_all_kinds(data: Path, days: int = 10, settings: str = "") -> None:
    """Two persons: files of one in the archive, straps of both, merged and not, a profile, a clock that was set, mistakes.

    Journal and store have logs that are not in them yet, and in `EARLIER` lie copies of both, which know nothing of the last mistake.
    """
    data.mkdir(parents=True)
    (data / "hartslag.toml").write_text(
        '[[person]]\nname = "Anna"\nmaximum_bpm = 180\nzone = "UTC"\n'
        '[[person]]\nname = "Bram"\nmaximum_bpm = 170\nzone = "UTC"\n' + settings
    )
    (data / "given").mkdir()
    known = load(None, data, {}, data)
    early = max(days - LATELY, 2)
    _live(data, known, range(early - 1), days)
    _make_mistakes(data)
    with _without_checkpoint(known):
        _live(data, known, range(early - 1, early), days)
        _follow(known)
        (data / EARLIER).mkdir()
        for path, content in _databases(known).items():
            (data / EARLIER / path.name).write_bytes(content)
    with _without_checkpoint(known):
        _live(data, known, range(early, days), days)
        _mistake(data, "forget", "w1.fit", "Anna")
        _follow(known)
        with Journal(known.journal_file) as journal:
            note_known(places_of(known), journal)  # as the daemon does
        left = _databases(known)
    for path, content in left.items():
        path.write_bytes(content)


@contextmanager
def _without_checkpoint(settings: Settings) -> Iterator[None]:
    """Keep what is written within in the logs, as another process has both open."""
    Journal(settings.journal_file).close()
    with closing(SqliteStore(settings.store_file)) as store:
        store.make()
    holds = (
        "import sqlite3, sys\n"
        "held = [sqlite3.connect(path) for path in sys.argv[1:]]\n"
        "print([db.execute('SELECT count(*) FROM sqlite_schema').fetchone() for db in held], flush=True)\n"
        "sys.stdin.read()"
    )
    command = [sys.executable, "-c", holds, str(settings.journal_file), str(settings.store_file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        yield
        other.kill()


def _databases(settings: Settings) -> dict[Path, bytes]:
    """Journal and store, each with its log and the index of that."""
    files = (settings.journal_file, settings.store_file)
    return {
        p: p.read_bytes() for f in files for p in (f.with_name(f.name + end) for end in ("", *COMPANIONS))
    }


def _live(data: Path, settings: Settings, some: range, days: int) -> None:
    """What comes in on some of the days; the last is today."""
    files = []
    for day in some:
        rng = random.Random(day)
        bpm = [110 + rng.randrange(60) for _ in range(600)]
        files.append(data / "given" / f"w{day}.fit")
        files[-1].write_bytes(workout(BEGAN_S - (days - day) * 86_400, bpm, serial=1))
    for outcomes in add_files(settings, files, None, NOBODY_LOOKS):
        assert isinstance(outcomes, list), outcomes
    _wear_straps(settings, some, days)


def _wear_straps(settings: Settings, some: range, days: int) -> None:
    began = NOW_MS - days * DAY_MS
    with open_journal(settings, create=False, now_ms=lambda: NOW_MS) as journal:
        with journal.write() as w:
            # Anna had another name on the first day.
            names = ("Anna", "Bram", "Ana") if some[0] == 0 else ("Anna", "Bram")
            persons = [w.person(name) for name in names]
            sources = [
                w.source(p, f"strap {i}", "strap", RANKS["strap"]) for i, p in enumerate(persons, start=1)
            ]
            w.clock_observation("boot", Observation(0, began, True, began))
        for day in some:
            worn = list(zip(persons, sources, strict=True))[: 3 if day == 0 else 2]
            for i, (person, source) in enumerate(worn, start=1):
                rng = np.random.default_rng((day, i))
                began_ms = day * DAY_MS + 8 * 3_600_000 + i * 600_000
                for k in range(40):
                    at = began_ms + 5000 * k
                    beats = [(at + 1000 * n, bytes([0, int(rng.integers(90, 160))])) for n in range(5)]
                    with journal.write() as w:
                        w.notifications(person, source, Notifications.from_arrivals("boot", began_ms, beats))
            if day < days - 1:
                with journal.write() as w:
                    w.merge({})


def _make_mistakes(data: Path) -> None:
    """Two persons who were one, a file and a stretch of time that do not count."""
    _mistake(data, "merge", "Anna", "Ana")
    _mistake(data, "forget", "w0.fit", "Anna")


def _mistake(data: Path, *words: str) -> None:
    done = hartslag("--data", data, *words, "--yes")
    assert done.returncode == 0, done.stdout + done.stderr


def _follow(settings: Settings) -> None:
    with Journal(settings.journal_file) as journal, closing(SqliteStore(settings.store_file)) as store:
        follow(journal, store)
