"""A disk that does what the machine's does, and writes down in which order it was told to remember what."""

from pathlib import Path

from ingest.system.files import Disk


class RecordingDisk(Disk):
    """`calls` has a line for each call, with paths below the root."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.calls: list[str] = []

    def fsync(self, descriptor: int) -> None:
        super().fsync(descriptor)
        self._note("fsync", Path(f"/proc/self/fd/{descriptor}").readlink())

    def sync(self) -> None:
        super().sync()
        self._note("sync")

    def rename(self, path: Path, target: Path) -> None:
        super().rename(path, target)
        self._note("rename", path, target)

    def _note(self, call: str, *paths: Path) -> None:
        self.calls.append(" ".join([call, *(str(path.relative_to(self._root)) for path in paths)]))
