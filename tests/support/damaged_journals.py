"""What happens to a journal on a card that wears out, and a household that has something of everything to lose."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ingest.collect.arrival import NOBODY_LOOKS
from ingest.demo.fit_encoder import workout
from ingest.household import open_journal
from ingest.journal import RANKS, Notifications
from ingest.journal.dating import Observation
from ingest.settings.file import load
from ingest.verbs.add import add_files

NOW_MS = 1_795_000_000_000
DAY_MS = 86_400_000


def household_of_all_kinds(data: Path, days: int = 10) -> None:
    """Two persons: files of one in the archive, straps of both, merged and not, a profile, a clock that was set."""
    data.mkdir(parents=True)
    (data / "hartslag.toml").write_text(
        '[[person]]\nname = "Anna"\nmaximum_bpm = 180\nzone = "UTC"\n'
        '[[person]]\nname = "Bram"\nmaximum_bpm = 170\nzone = "UTC"\n'
    )
    files = data / "given"
    files.mkdir()
    settings = load(None, data, {}, data)
    start_s = (NOW_MS - days * DAY_MS) // 1000 - 631_065_600  # seconds of FIT
    for day in range(days):
        rng = random.Random(day)
        bpm = [110 + rng.randrange(60) for _ in range(600)]
        (files / f"w{day}.fit").write_bytes(workout(start_s + day * 86_400, bpm, serial=1))
    for outcomes in add_files(settings, sorted(files.iterdir()), None, NOBODY_LOOKS):
        assert isinstance(outcomes, list), outcomes
    _straps(data, days)


def _straps(data: Path, days: int) -> None:
    settings = load(None, data, {}, data)
    began = NOW_MS - days * DAY_MS
    rng = np.random.default_rng(1)
    with open_journal(settings, create=False, now_ms=lambda: NOW_MS) as journal:
        with journal.write() as w:
            persons = [w.person(name) for name in ("Anna", "Bram")]
            sources = [w.source(p, f"strap {p}", "strap", RANKS["strap"]) for p in persons]
            w.clock_observation("boot", Observation(0, began, True, began))
        for day in range(days):
            for person, source in zip(persons, sources, strict=True):
                began_ms = day * DAY_MS + 8 * 3_600_000 + person * 600_000
                for k in range(40):
                    at = began_ms + 5000 * k
                    beats = [(at + 1000 * i, bytes([0, int(rng.integers(90, 160))])) for i in range(5)]
                    with journal.write() as w:
                        w.notifications(person, source, Notifications.from_arrivals("boot", began_ms, beats))
            if day < days - 1:
                with journal.write() as w:
                    w.merge({})


# --- damages ---


def _flip(path: Path, rng: random.Random) -> str:
    data = bytearray(path.read_bytes())
    at = rng.randrange(len(data))
    data[at] ^= 1 << rng.randrange(8)
    path.write_bytes(data)
    return f"a bit of byte {at}"


def _page(fill: Callable[[random.Random, int], bytes]) -> Callable[[Path, random.Random], str]:
    def harm(path: Path, rng: random.Random) -> str:
        data = bytearray(path.read_bytes())
        size = rng.choice([512, 4096])
        at = rng.randrange(len(data) // size) * size
        data[at : at + size] = fill(rng, size)
        path.write_bytes(data)
        return f"{size} bytes at {at}"

    return harm


def _stale(path: Path, rng: random.Random) -> str:
    """A page that was written, and is another one."""
    data = bytearray(path.read_bytes())
    a, b = (rng.randrange(len(data) // 512) * 512 for _ in range(2))
    data[a : a + 512] = data[b : b + 512]
    path.write_bytes(data)
    return f"page at {a} as that at {b}"


def _truncated(path: Path, rng: random.Random) -> str:
    data = path.read_bytes()
    to = rng.randrange(len(data))
    path.write_bytes(data[:to])
    return f"cut to {to} bytes"


def _of_index(path: Path, rng: random.Random) -> str:
    """A row less in an index: the number of cells of one of its pages is smaller."""
    data = bytearray(path.read_bytes())
    pages = [at for at in range(512, len(data), 512) if data[at] in {0x0A, 0x0D} and data[at + 4] > 1]
    at = rng.choice(pages)
    data[at + 4] -= 1
    path.write_bytes(data)
    return f"a cell less on the page at {at}"


def _gone(path: Path, _: random.Random) -> str:
    path.unlink()
    return "deleted"


def _empty(path: Path, _: random.Random) -> str:
    path.write_bytes(b"")
    return "empty"


def _foreign(path: Path, rng: random.Random) -> str:
    path.write_bytes(rng.randbytes(8192))
    return "something else"


DAMAGES: dict[str, Callable[[Path, random.Random], str]] = {
    "bit": _flip,
    "zeros": _page(lambda _, n: bytes(n)),
    "garbage": _page(lambda rng, n: rng.randbytes(n)),
    "stale page": _stale,
    "a cell less": _of_index,
    "truncated": _truncated,
    "deleted": _gone,
    "empty": _empty,
    "foreign": _foreign,
}

_ = shutil
