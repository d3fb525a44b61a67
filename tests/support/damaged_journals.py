"""What happens to a journal, its log and the files around it on a card that wears out, or at the hands of who copies files."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path

from tests.support.household_of_all_kinds import EARLIER, LATELY

Harm = Callable[[Path, random.Random], str]
"""Does something to the data folder that a journal lies in, and says what."""


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


def _beside(end: str, harm: Harm) -> Harm:
    """The same, done to a companion of the journal."""
    return lambda path, rng: f"{end}: {harm(path.with_name(path.name + end), rng)}"


def _earlier(end: str) -> Harm:
    """A companion of the journal as it was days before."""

    def harm(path: Path, _: random.Random) -> str:
        shutil.copyfile(_data(path) / EARLIER / f"{path.name}{end}", path.with_name(path.name + end))
        return f"{end} of another time"

    return harm


def _data(path: Path) -> Path:
    return path.parent.parent


def _garbage(path: Path, rng: random.Random) -> str:
    path.write_bytes(rng.randbytes(max(path.stat().st_size, 64)))
    return "garbage all over"


def _put_back(name: str, folder: str, *, logs: tuple[str, ...], without: tuple[str, ...] = ()) -> Harm:
    """A copy of days before in the place of what is there, with some of its companions; others are taken away, or stay."""

    def harm(path: Path, _: random.Random) -> str:
        for end in ("", *logs):
            shutil.copyfile(_data(path) / EARLIER / f"{name}{end}", _data(path) / folder / f"{name}{end}")
        for end in without:
            (_data(path) / folder / f"{name}{end}").unlink(missing_ok=True)
        return f"an old {name} {logs} without {without}"

    return harm


_COMPANIONS = ("-wal", "-shm")
_old_journal = _put_back("journal.db", "journal", logs=("-wal",), without=("-shm",))
_old_store = _put_back("hartslag.db", "store", logs=("-wal",), without=("-shm",))


def _old_both(path: Path, rng: random.Random) -> str:
    return f"{_old_journal(path, rng)}, {_old_store(path, rng)}"


def _of(folder: str, harm: Harm) -> Harm:
    """A file below a folder of the data."""

    def some(path: Path, rng: random.Random) -> str:
        files = sorted(p for p in (_data(path) / folder).rglob("*") if p.is_file())
        chosen = rng.choice(files)
        return f"{chosen.relative_to(_data(path))}: {harm(chosen, rng)}"

    return some


def _folder_gone(*names: str) -> Harm:
    def harm(path: Path, _: random.Random) -> str:
        for name in names:
            shutil.rmtree(_data(path) / name, ignore_errors=True)
        return f"without {names}"

    return harm


def _settings(harm: Harm) -> Harm:
    return lambda path, rng: f"settings: {harm(_data(path) / 'hartslag.toml', rng)}"


def _all_gone(path: Path, _: random.Random) -> str:
    for end in ("", *_COMPANIONS):
        path.with_name(path.name + end).unlink(missing_ok=True)
    return "deleted with its companions"


def _twice(path: Path, rng: random.Random) -> str:
    return f"{_flip(path, rng)} and {_page(lambda rng, n: rng.randbytes(n))(path, rng)}"


DAMAGES: dict[str, Harm] = {
    "bit": _flip,
    "zeros": _page(lambda _, n: bytes(n)),
    "garbage": _page(lambda rng, n: rng.randbytes(n)),
    "stale page": _stale,
    "a cell less": _of_index,
    "truncated": _truncated,
    "deleted": _gone,
    "empty": _empty,
    "foreign": _foreign,
    "twice": _twice,
    "deleted with log": _all_gone,
    "log lost": _beside("-wal", _gone),
    "log cut": _beside("-wal", _truncated),
    "log empty": _beside("-wal", _empty),
    "log bit": _beside("-wal", _flip),
    "log page": _beside("-wal", _page(lambda rng, n: rng.randbytes(n))),
    "log zeros": _beside("-wal", _page(lambda _, n: bytes(n))),
    "log garbage": _beside("-wal", _garbage),
    "log of another time": _earlier("-wal"),
    "log's index lost": _beside("-shm", _gone),
    "log's index cut": _beside("-shm", _truncated),
    "log's index garbage": _beside("-shm", _garbage),
    "log's index of another time": _earlier("-shm"),
    "old journal": _old_journal,
    "old journal without its log": _put_back("journal.db", "journal", logs=(), without=_COMPANIONS),
    "old journal with the newer log": _put_back("journal.db", "journal", logs=()),
    "old store": _old_store,
    "old store without its log": _put_back("hartslag.db", "store", logs=(), without=_COMPANIONS),
    "old store with the newer log": _put_back("hartslag.db", "store", logs=()),
    "old journal and store": _old_both,
    "file of the store deleted": _of("store", _gone),
    "file of the store garbage": _of("store", _garbage),
    "file of the store cut": _of(
        "store", lambda path, rng: _truncated(path, rng) if path.stat().st_size else "empty"
    ),
    "file of the archive deleted": _of("archive", _gone),
    "file of the archive cut": _of("archive", _truncated),
    "file of the journal's folder deleted": _of("journal", _gone),
    "archive gone": _folder_gone("archive"),
    "store gone": _folder_gone("store"),
    "journal's folder gone": _folder_gone("journal"),
    "all but the journal gone": _folder_gone("archive", "store", "inbox"),
    "settings deleted": _settings(_gone),
    "settings empty": _settings(_empty),
    "settings garbage": _settings(_foreign),
}

SET_BACK = {
    **dict.fromkeys((name for name in DAMAGES if name.startswith("log ")), LATELY),
    "file of the journal's folder deleted": LATELY,
    "old journal": LATELY,
    "old journal and store": LATELY,
    "old journal without its log": LATELY + 1,
    "old journal with the newer log": LATELY + 1,
}
"""After these what came in on the last so many days may be gone, which a verb that is asked at once cannot know."""

ALL_GONE = frozenset({"deleted with log", "foreign", "journal's folder gone"})
"""After these all is gone, until the daemon or a repair has looked around."""
