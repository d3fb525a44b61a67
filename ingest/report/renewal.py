"""Pages that are renewed each day: which are due, and the process of its own that makes them.

What draws takes some 100 MB and may fail: neither shall stay with who collects heart rates.
"""

import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ingest.journal import Journal, Person
from ingest.rows.profile import read_profile
from ingest.settings.model import Settings
from ingest.system.watchdog import WatchedPart

TROUBLE = "report"
"""What the trouble with pages is called where the journal notes troubles."""

LOOK_S = 10.0
"""Between two looks at whether a page is of today."""

RETRY_S = 3600.0
"""After which what failed is tried again."""

PATIENCE_S = 1800.0
"""A Pi Zero draws the pages of a household in a few minutes."""

_STEP_S = 0.2
_LONGEST_NAME = 40
_LAST_WORDS = 400


def file_names(persons: Sequence[str], ending: str = ".html") -> dict[str, str]:
    """A file's name for each person, of letters and digits alone; no two are the same on any disk."""
    found: dict[str, str] = {}
    for person in persons:
        plain = re.sub(r"[\W_]+", "-", person).strip("-")[:_LONGEST_NAME].casefold() or "person"
        names = (plain, *(f"{plain}-{number}" for number in range(2, len(persons) + 2)))
        free = next(name for name in names if f"hartslag-{name}{ending}" not in found.values())
        found[person] = f"hartslag-{free}{ending}"
    return found


def due(journal: Journal, folder: Path, now_ms: int) -> list[str]:
    """Whose page is not there, or of a day before today where they are."""
    persons = journal.persons()
    names = file_names([person.name for person in persons])
    return [
        person.name for person in persons if _is_due(journal, person, folder / names[person.name], now_ms)
    ]


def _is_due(journal: Journal, person: Person, page: Path, now_ms: int) -> bool:
    try:
        written_ms = page.stat().st_mtime_ns // 1_000_000
    except OSError:
        return True
    calendar = read_profile(journal, person.id).calendar
    # One of a day to come was written before the clock was right.
    return calendar.day_of(written_ms) != calendar.day_of(now_ms)


def keep_pages(settings: Settings, journal: Journal, folder: Path, part: WatchedPart) -> Iterator[float]:
    """Renew what is due, again and again; gives for how many seconds there is nothing to do."""
    not_before_s = 0.0
    while True:
        if time.monotonic() >= not_before_s and due(journal, folder, journal.now_ms()):
            trouble = _make(settings, folder, part.going_on)
            if not part.going_on():
                return
            if trouble:
                part.trouble(trouble)
            else:
                part.well(f"The pages in {folder} are renewed again.")
            not_before_s = time.monotonic() + (RETRY_S if trouble else LOOK_S)
        yield LOOK_S


def _make(settings: Settings, folder: Path, going_on: Callable[[], bool]) -> str | None:
    """Have all pages made; gives what went wrong, None for nothing."""
    import subprocess
    from tempfile import TemporaryFile

    config = ["--config", str(settings.file)] if settings.file else []
    verb = ["report", "--out", f"{folder}/"]
    with TemporaryFile() as said:
        try:
            child = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-P", "-m", "ingest", *config, "--data", str(settings.data), *verb],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=said,
            )
        except OSError as e:
            return f"The pages in {folder} were not renewed: {e.strerror}."
        until_s = time.monotonic() + PATIENCE_S
        while child.poll() is None and going_on() and time.monotonic() < until_s:
            time.sleep(_STEP_S)
        if child.poll() is None:
            child.kill()
            child.wait()
            return (
                f"The pages in {folder} were not renewed: that took more than {PATIENCE_S / 60:.0f} minutes."
            )
        if child.returncode == 0:
            return None
        said.seek(0)
        words = " ".join(said.read().decode("utf-8", "replace").split())[-_LAST_WORDS:]
    return f"The pages in {folder} were not renewed: {words or f'it ended with {child.returncode}'}"
