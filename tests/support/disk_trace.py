"""What a process tells the disk, written down by strace, and what a power cut at any moment of it may leave.

Data lasts once its file was synced, a name once its folder was (https://man7.org/linux/man-pages/man2/fsync.2.html). Of what was
not, any part may be there: of data each write or none, also torn at a sector; of names an early part, as file systems keep
their order.
"""

import random
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

CALLS = (
    "openat,creat,write,pwrite64,writev,pwritev,pwritev2,ftruncate,truncate,fsync,fdatasync,sync,syncfs,rename,renameat,renameat2,"
    "unlink,unlinkat,mkdir,mkdirat,rmdir,link,linkat,symlinkat,sendfile,copy_file_range,fallocate,close,lseek"
)
"""All by which a file system changes, and by which one knows where the next write goes."""

SECTOR_BYTES = 512

_LINE = re.compile(r"^(?P<pid>\d+) +(?P<at_s>\d+\.\d+) (?P<rest>.*)$")
_RESUMED = re.compile(r"^<\.\.\. \w+ resumed>(?P<rest>.*)$")
_CALL = re.compile(r"^(?P<name>\w+)\((?P<words>.*)\) += (?P<result>-?\d+)")
_ON = re.compile(r"^(?P<fd>\d+|AT_FDCWD)<(?P<path>[^>]*)>")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?')


@dataclass(frozen=True)
class Change:
    """One thing that was asked of the disk."""

    at_s: float
    what: str
    """write, cut (a length), make, name (rename), drop (unlink), folder, sync"""
    path: str
    offset: int = 0
    data: bytes = b""
    to: str = ""


def strace(log: Path) -> list[str]:
    """What to put before a command, so that it is written down into `log`."""
    return [
        "strace",
        "-f",
        "-ttt",
        "-y",
        "-xx",
        "-s",
        "16777216",
        "-e",
        f"trace={CALLS}",
        "-e",
        "signal=none",
        "-o",
        str(log),
    ]


def read_changes(log: Path, below: Path) -> Iterator[Change]:
    """The changes below a folder, in the order in which they were done. Raises ValueError at what is not understood."""
    root, begun, places = f"{below}/", dict[str, str](), dict[tuple[str, str], int]()
    with log.open(encoding="ascii", errors="replace") as lines:
        for line in lines:
            found = _LINE.match(line)
            if found is None:
                continue
            pid, rest = found["pid"], found["rest"]
            if rest.endswith("<unfinished ...>"):
                begun[pid] = rest.removesuffix("<unfinished ...>")
                continue
            if resumed := _RESUMED.match(rest):
                rest = begun.pop(pid, "") + resumed["rest"].lstrip()
            call = _CALL.match(rest)
            if call is None or int(call["result"]) < 0:
                continue
            yield from _changes(
                call["name"], call["words"], int(call["result"]), float(found["at_s"]), root, places
            )


def _unescaped(text: str) -> str:
    return bytes.fromhex(text.replace("\\x", "")).decode(errors="surrogateescape") if "\\x" in text else text


def _texts(words: str) -> list[bytes]:
    found = _TEXT.findall(words)
    if any(more for _, more in found):
        raise ValueError("strace has cut off what was written")
    return [bytes.fromhex(text.replace("\\x", "")) for text, _ in found]


def _path(words: str) -> str:
    """The path behind the descriptor that comes first."""
    found = _ON.match(words)
    return _unescaped(found["path"]).removesuffix(" (deleted)") if found else ""


def _names(words: str) -> list[str]:
    """The paths in a call that takes names, absolute: each beside the folder that it is relative to."""
    texts = [t.decode(errors="surrogateescape") for t in _texts(words)]
    folders = [_unescaped(f) for f in re.findall(r"(?:AT_FDCWD|\d+)<([^>]*)>", words)]
    return [
        t if t.startswith("/") else f"{folders[min(i, len(folders) - 1)] if folders else ''}/{t}"
        for i, t in enumerate(texts)
    ]


def _changes(
    name: str, words: str, result: int, at_s: float, root: str, places: dict[tuple[str, str], int]
) -> Iterator[Change]:
    """What one call changes; `places` says where the next write into an open file goes."""
    path, fd = _path(words), words.partition("<")[0]
    key = (fd, path)
    match name:
        case "openat" | "creat":
            path = _names(words)[0]
            if path.startswith(root):
                if "O_TMPFILE" in words:
                    return
                if "O_CREAT" in words or name == "creat":
                    yield Change(at_s, "make", path)
                if "O_TRUNC" in words or name == "creat":
                    yield Change(at_s, "cut", path)
                places[(str(result), path)] = -1 if "O_APPEND" in words else 0
        case "write" | "writev" if path.startswith(root):
            data = b"".join(_texts(words))[:result]
            at = places.get(key, 0)
            yield Change(at_s, "write", path, at, data)
            places[key] = at if at < 0 else at + len(data)
        case "pwrite64" if path.startswith(root):
            yield Change(at_s, "write", path, int(words.rpartition(",")[2]), b"".join(_texts(words))[:result])
        case "lseek" if path.startswith(root):
            places[key] = result
        case "ftruncate" | "truncate" if (path or _names(words)[0]).startswith(root):
            yield Change(at_s, "cut", path or _names(words)[0], int(words.rpartition(",")[2]))
        case "fsync" | "fdatasync" if path == root.rstrip("/") or path.startswith(root):
            yield Change(at_s, "sync", path)
        case "sync" | "syncfs":
            yield Change(at_s, "sync", "")
        case "rename" | "renameat" | "renameat2":
            old, new = _names(words)[:2]
            if old.startswith(root) or new.startswith(root):
                yield Change(at_s, "name", old, to=new)
        case "unlink" | "unlinkat" | "rmdir" if (path := _names(words)[0]).startswith(root):
            yield Change(at_s, "drop", path)
        case "mkdir" | "mkdirat" if (path := _names(words)[0]).startswith(root):
            yield Change(at_s, "folder", path)
        case "link" | "linkat" if (new := _names(words)[-1]).startswith(root):
            raise ValueError(f"a link is not understood: {new}")
        case "sendfile" | "copy_file_range" | "pwritev" | "pwritev2" | "fallocate" if path.startswith(root):
            raise ValueError(f"{name} is not understood: {path}")


# --- a disk that loses its power ---


@dataclass
class _File:
    """Bytes that are on the disk, and writes that may be."""

    kept: bytearray = field(default_factory=bytearray)
    waiting: list[Change] = field(default_factory=list)

    def settle(self) -> None:
        for change in self.waiting:
            _apply(self.kept, change)
        self.waiting.clear()


def _apply(content: bytearray, change: Change) -> None:
    if change.what == "cut":
        del content[change.offset :]
        content.extend(b"\0" * (change.offset - len(content)))
        return
    at = len(content) if change.offset < 0 else change.offset
    content.extend(b"\0" * (at - len(content)))
    content[at : at + len(change.data)] = change.data


class Disk:
    """The names and files below a folder, as changes come."""

    def __init__(self) -> None:
        self._files: dict[int, _File] = {}
        self._names: dict[str, int] = {}
        """As the running system sees them."""
        self._old_names: dict[str, int] = {}
        """As they are on the disk for certain."""
        self._renamed: list[Change] = []
        """What was done to names since."""
        self._folders: set[str] = set()
        self._next = 0

    def place(self, path: str, data: bytes) -> None:
        """What came from outside, and lasts."""
        self._settle_names(len(self._renamed))
        self._next += 1
        self._files[self._next] = _File(bytearray(data))
        self._names[path] = self._old_names[path] = self._next

    def change(self, change: Change) -> None:
        """Take note of a change."""
        match change.what:
            case "write" | "cut":
                if change.path in self._names:
                    self._files[self._names[change.path]].waiting.append(change)
            case "sync" if not change.path:
                self._settle_names(len(self._renamed))
                for file in self._files.values():
                    file.settle()
            case "sync" if change.path in self._names:
                self._files[self._names[change.path]].settle()
            case "sync":
                mine = [
                    i
                    for i, c in enumerate(self._renamed)
                    if change.path in {str(Path(p).parent) for p in (c.path, c.to) if p}
                ]
                self._settle_names(mine[-1] + 1 if mine else 0)
            case _:
                if change.what == "make":
                    if change.path in self._names:
                        return
                    self._next += 1
                    self._files[self._next] = _File()
                    change = Change(change.at_s, "make", change.path, offset=self._next)
                self._renamed.append(change)
                _rename(self._names, self._folders, change)

    def _settle_names(self, upto: int) -> None:
        for change in self._renamed[:upto]:
            _rename(self._old_names, self._folders, change)
        del self._renamed[:upto]

    def cut_power(self, chance: random.Random, root: Path) -> None:
        """Write below `root` what may be there after a power cut now."""
        names = dict(self._old_names)
        for change in self._renamed[: chance.randint(0, len(self._renamed))]:
            _rename(names, set(), change)
        for folder in self._folders:
            (root / folder.lstrip("/")).mkdir(parents=True, exist_ok=True)
        for path, number in names.items():
            target = root / path.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            if path.endswith("-shm"):
                target.write_bytes(chance.randbytes(32768))  # memory of the processes, which is never synced
            else:
                target.write_bytes(_after_cut(self._files[number], chance))


def _rename(names: dict[str, int], folders: set[str], change: Change) -> None:
    match change.what:
        case "make":
            names[change.path] = change.offset
        case "drop":
            names.pop(change.path, None)
            folders.discard(change.path)
        case "folder":
            folders.add(change.path)
        case "name":
            if change.path in names:
                names[change.to] = names.pop(change.path)
            else:  # a folder, with all that lies in it
                for path in [p for p in names if p.startswith(f"{change.path}/")]:
                    names[change.to + path.removeprefix(change.path)] = names.pop(path)
                folders.discard(change.path)
                folders.add(change.to)


def _after_cut(file: _File, chance: random.Random) -> bytes:
    content = bytearray(file.kept)
    keep = chance.choice((0.0, 0.5, 1.0))
    for change in file.waiting:
        if chance.random() >= keep:
            continue
        torn = change.data
        if change.what == "write" and len(torn) > SECTOR_BYTES and chance.random() < 0.2:
            torn = torn[: chance.randrange(1, len(torn) // SECTOR_BYTES + 1) * SECTOR_BYTES]
        _apply(content, Change(change.at_s, change.what, change.path, change.offset, torn))
    return bytes(content)


def replay(
    changes: Iterable[Change], outside: Iterable[tuple[float, str, bytes]]
) -> Iterator[tuple[float, Disk]]:
    """The disk after each change; `outside` says when which file came from outside, in order of time."""
    disk, coming = Disk(), iter(outside)
    following = next(coming, None)
    for change in changes:
        while following is not None and following[0] <= change.at_s:
            disk.place(following[1], following[2])
            following = next(coming, None)
        disk.change(change)
        yield change.at_s, disk
