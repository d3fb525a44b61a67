"""The watched folder: what lies in it, whose it is, and whether it has arrived whole.

The folder is scanned, not listened to: network shares and USB sticks tell nobody when a file appears.
"""

import json
import os
import shlex
import stat
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import BinaryIO

from ingest.errors import TryLater
from ingest.formats.file_formats import ENDINGS, HEAD_BYTES, format_of
from ingest.journal import Journal
from ingest.language import N_
from ingest.settings.names import made_by_system
from ingest.system.patience import always

DEEPEST = 8
"""A watch's memory copied as a whole is four folders deep."""

_LINKED = N_(
    "it is a link to a folder, and files are not taken out of folders elsewhere; copy its files here, mount the folder in"
    " this place, or give it to `hartslag add`"
)

_UNFINISHED = (".part", ".partial", ".tmp", ".temp", ".crdownload", ".download", ".filepart", "~")
_NOT_OURS = frozenset({"thumbs.db", "desktop.ini", "icon\r"})


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that has arrived: where it lies, its name below the inbox, whose it is."""

    path: Path
    name: str
    person: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """A file or folder that is left alone for now, and why in words; `act`: until a person does something.

    A folder that nobody owns stands for all files in it, as one thing is to be done about them.
    """

    name: str
    why: str
    act: bool = False
    files: int = 1
    trouble: bool = False
    """Whether something went wrong that passes, rather than that it is too early."""
    passed_over: bool = False
    """Whether it is left for good, as nothing in it can be a recording."""
    kinds: dict[str, int] = field(default_factory=dict)
    """Of what is left for good how many files have which end of their name."""


@dataclass(frozen=True, slots=True)
class InboxScan:
    """What one scan of the inbox found."""

    arrived: list[Candidate]
    waiting: list[Waiting]
    passed_over: dict[str, Counter[str]] = field(default_factory=dict)
    """How many files that are no recordings lie in which folder of the inbox, by the ends of their names; they stay there."""


LooksWhole = Callable[[BinaryIO, str], bool]
"""Whether an open file of that name reads to its end, or is none of ours. Raises TryLater, and OSError as the disk does."""

FIRST_PAUSE_S, LONGEST_PAUSE_S = 30.0, 300.0
"""Between two tries to look at a file, or to take it, that failed, at first and after many of them."""


def pause_s(failures: int, longest_s: float = LONGEST_PAUSE_S) -> float:
    """How long is waited after so many failures: twice as long each time."""
    return min(FIRST_PAUSE_S * 2.0 ** (min(failures, 20) - 1), longest_s)


@dataclass(slots=True)
class _FileStat:
    """What a file's status was, since when it has been so, and whether it reads to its end (not known until asked)."""

    status: tuple[int, int, int]
    since_s: float
    whole: bool | None = None
    why_unknown: str = ""
    failed_looks: int = 0
    look_again_s: float = 0.0
    is_side_file: bool = False
    is_beside: bool = False


@dataclass(frozen=True, slots=True)
class _Tried:
    """How often it was tried to take a file, until when it pauses, and why it could not be taken."""

    times: int
    pause_until_s: float
    why: str


class Inbox:
    """The inbox folder over time: a file has arrived once it has stood still for long enough.

    One that reads to its end has to stand still for `settle_s`, one that does not (half-copied, perhaps) for
    `patience_s`. Time is that of `monotonic_s`, never the file's own, which a camera or watch may have made up.
    `whose` gives the person for a folder below the inbox ('' for the inbox itself), or says in words why it cannot.
    """

    def __init__(
        self,
        folder: Path,
        whose: Callable[[str], tuple[str | None, str]],
        monotonic_s: Callable[[], float],
        *,
        settle_s: float,
        patience_s: float,
        looks_whole: LooksWhole,
        going_on: Callable[[], bool] = always,
    ) -> None:
        """`looks_whole` is asked once of a file that stands still.

        `going_on` is asked between two files; when it says no, a scan ends with what it has found by then.
        """
        self.folder = folder
        self._whose = whose
        self._monotonic_s = monotonic_s
        self._settle_s = settle_s
        self._patience_s = patience_s
        self._looks_whole = looks_whole
        self._going_on = going_on
        self._known: dict[str, _FileStat] = {}

    def scan(self) -> InboxScan:
        """What has arrived by now, and what is being waited for; an inbox that is away is empty."""
        now_s = self._monotonic_s()
        found = InboxScan([], [])
        present: dict[str, _FileStat] = {}
        unowned: dict[str, list[str]] = {}
        for entry, name in files(self.folder, found.waiting):
            if not self._going_on():
                break
            if unfinished(entry.name):
                found.waiting.append(Waiting(name, N_("its name says that it is still being copied")))
                continue
            folder, _, _ = name.rpartition("/")
            top = folder.partition("/")[0]
            known = self._look_at(entry, name, now_s)
            if known is None:
                continue
            present[name] = known
            if known.is_beside:
                found.passed_over.setdefault(top, Counter())[ending_of(name)] += 1
                continue
            person, why_not = self._whose(folder)
            if person is None:
                unowned.setdefault(top, []).append(why_not)
                continue
            if known.is_side_file:
                continue
            why = self._why_wait(Path(entry.path), name, known, now_s - known.since_s)
            if why:
                found.waiting.append(why)
            else:
                found.arrived.append(Candidate(Path(entry.path), name, person))
        self._known = present
        found.waiting.extend(
            Waiting(f"{folder}/", whys[0], act=True, files=len(whys)) for folder, whys in unowned.items()
        )
        return found

    def _look_at(self, entry: os.DirEntry[str], name: str, now_s: float) -> _FileStat | None:
        """What is known of a file, which is looked into once after each change; None for one that has just gone again."""
        try:
            status = _identify(entry.stat(follow_symlinks=False))
        except OSError:
            return None
        known = self._known.get(name)
        if known is not None and known.status == status:
            return known
        path = Path(entry.path)
        return _FileStat(
            status,
            now_s,
            is_side_file=is_side_file(path),
            # What lies in the inbox itself was put there by hand, and is told of one by one.
            is_beside="/" in name and not is_side_file(path) and not may_hold_a_recording(path),
        )

    def _is_whole(self, path: Path) -> bool:
        if not stat.S_ISREG(path.lstat().st_mode):
            return True
        with path.open("rb") as stream:
            return self._looks_whole(stream, path.name)

    def _why_wait(self, path: Path, name: str, known: _FileStat, stood_still_s: float) -> Waiting | None:
        if stood_still_s < self._settle_s:
            return Waiting(name, N_("it has just appeared or changed"))
        if known.whole is None:
            if self._monotonic_s() < known.look_again_s:
                return Waiting(name, known.why_unknown, trouble=True)
            try:
                known.whole = self._is_whole(path)
            except OSError as e:
                return Waiting(name, _why_unread(path, e), act=True)
            except TryLater as e:
                known.failed_looks += 1
                known.look_again_s = self._monotonic_s() + pause_s(known.failed_looks)
                known.why_unknown = str(e).removesuffix(".")
                return Waiting(name, known.why_unknown, trouble=True)
        if not known.whole and stood_still_s < self._patience_s:
            words = N_("it ends too early; the rest is waited for, {seconds} s at most")
            return Waiting(name, words.format(seconds=f"{self._patience_s:.0f}"))
        return None


def _why_unread(path: Path, error: OSError) -> str:
    if not isinstance(error, PermissionError):
        return N_("it cannot be read ({why})").format(why=error.strerror)
    words = N_("it may not be read ({why}); let it be read: chmod a+r {path}")
    return words.format(why=error.strerror, path=shlex.quote(str(path)))


def files(
    folder: Path,
    skipped: list[Waiting] | None = None,
    aside: list[str] | None = None,
) -> Iterator[tuple[os.DirEntry[str], str]]:
    """Every file below a folder that could be meant for us, with its name below it; links are not followed.

    Folders that cannot be opened, lie too deep, or are links to folders, are added to `skipped`, those that a system made for
    itself to `aside`.
    """
    skipped = [] if skipped is None else skipped
    aside = [] if aside is None else aside
    todo = [(os.fspath(folder), "", 0)]
    while todo:
        place, prefix, depth = todo.pop()
        try:
            with os.scandir(place) as found:
                entries = sorted(found, key=lambda e: e.name)
        except PermissionError as e:
            skipped.append(
                Waiting(
                    prefix or f"{folder.name}/",
                    N_("the folder cannot be opened ({why}); check who owns it").format(why=e.strerror),
                    act=True,
                )
            )
            continue
        except OSError:  # gone, or a share that is away
            continue
        for entry in entries:
            name = prefix + entry.name
            if entry.is_dir(follow_symlinks=False):
                if entry.name.startswith(".") or made_by_system(entry.name):
                    aside.append(name + "/")
                elif depth < DEEPEST:
                    todo.append((entry.path, name + "/", depth + 1))
                else:
                    words = N_("the folder lies more than {most} deep; move it up")
                    skipped.append(Waiting(name + "/", words.format(most=DEEPEST), act=True))
            elif entry.is_symlink() and entry.is_dir():
                # Files are moved out of the inbox once they are taken, which nobody wants of a folder elsewhere.
                skipped.append(Waiting(name + "/", _LINKED, act=True))
            elif not (
                entry.name.lower() in _NOT_OURS
                or (entry.name.startswith(".") and not meant_hidden(entry.name))
            ):
                yield entry, name


def meant_hidden(name: str) -> bool:
    """Hidden names that are worth a word: macOS's side files, and files that are being copied."""
    return name.startswith("._") or unfinished(name)


def is_side_file(path: Path) -> bool:
    """Whether macOS made a file beside another one (AppleDouble, RFC 1740): it holds no recording."""
    if not path.name.startswith("._") or path.is_symlink() or not path.is_file():
        return False
    try:
        with path.open("rb") as stream:
            return stream.read(4) == b"\x00\x05\x16\x07"
    except OSError:  # taking it will say so
        return False


LONGEST_ENDING = 8
"""Of a name, for its files to be counted by it."""


def may_hold_a_recording(path: Path) -> bool:
    """Whether a file's name or beginning says that it is a recording, or a zip; what cannot be read may be one."""
    name = path.name.lower()
    inner = name.removesuffix(".gz")
    if inner.endswith((*ENDINGS, ".zip")):
        return not is_side_file(path)
    if inner != name and "." in inner:
        return False
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return False
        with path.open("rb") as stream:
            head = stream.read(HEAD_BYTES)
    except OSError:  # taking it will say so
        return True
    return format_of(head) is not None or ("." not in inner and head.startswith(_PACKED))


_PACKED = (b"PK\x03\x04", b"\x1f\x8b")
"""How a zip and a gzip begin; so do papers of office programs, which have an end to their name."""


def ending_of(name: str) -> str:
    """The end of a name, by which files are counted that are no recordings; "" where it tells nothing."""
    ending = PurePath(name).suffix.lower()
    return ending if len(ending) <= LONGEST_ENDING else ""


def left_in_system_folders(folder: Path) -> Counter[str]:
    """How many recordings lie in which folders that a system made for itself, as for what was deleted: they are not taken."""
    aside: list[str] = []
    for _ in files(folder, aside=aside):
        pass
    found = Counter[str]()
    for system in aside:
        for place, _, names in os.walk(folder / system):
            found[system] += sum(may_hold_a_recording(Path(place, name)) for name in names)
    return +found


def unfinished(name: str) -> bool:
    """Names that programs give to files while they write them."""
    low = name.lower()
    return low.endswith(_UNFINISHED) or low.startswith((".syncthing.", "~syncthing~", ".~"))


TROUBLE = "files in the inbox"
"""The name under which the journal holds why files could not be taken, for `status`."""

_NOTED_MOST = 100


class Turns:
    """Whose turn it is: what could not be taken goes to the end, and pauses longer each time."""

    def __init__(self, monotonic_s: Callable[[], float]) -> None:
        self._monotonic_s = monotonic_s
        self._tried: dict[str, _Tried] = {}
        self._noted: dict[str, str] | None = None

    def due(self, arrived: Iterable[Candidate]) -> list[Candidate]:
        """Those whose turn it is now, who were never tried first; what lies there no more is forgotten."""
        there = {c.name: c for c in arrived}
        self._tried = {name: tried for name, tried in self._tried.items() if name in there}
        now_s = self._monotonic_s()
        again = sorted((t.pause_until_s, name) for name, t in self._tried.items() if t.pause_until_s <= now_s)
        return [c for name, c in there.items() if name not in self._tried] + [
            there[name] for _, name in again
        ]

    def taken(self, name: str) -> None:
        """It is taken."""
        self._tried.pop(name, None)

    def not_taken(self, name: str, why: str, longest_s: float = LONGEST_PAUSE_S) -> None:
        """It could not be taken now; its pauses grow up to `longest_s`."""
        before = self._tried.get(name)
        times = before.times + 1 if before else 1
        self._tried[name] = _Tried(times, self._monotonic_s() + pause_s(times, longest_s), why)

    def note(self, journal: Journal, waiting: Iterable[Waiting]) -> None:
        """Have the journal hold why files could not be looked at or taken; what it holds already is not written again.

        Raises TryLater.
        """
        whys = {w.name: w.why for w in waiting if w.trouble}
        whys |= {name: tried.why.removesuffix(".") for name, tried in self._tried.items()}
        whys = dict(sorted(whys.items())[:_NOTED_MOST])
        if not whys and self._noted == whys:
            return
        text = json.dumps(whys) if whys else None
        if journal.store_errors().get(TROUBLE) != text:
            with journal.write() as w:
                w.store_error(TROUBLE, text)
        self._noted = whys


def noted_troubles(journal: Journal) -> dict[str, str]:
    """Why files could not be taken when the daemon last tried, by their names."""
    noted: dict[str, str] = json.loads(journal.store_errors().get(TROUBLE, "{}"))
    return noted


def _identify(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_ino, status.st_size, status.st_mtime_ns
