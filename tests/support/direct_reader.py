"""Reading in the process of the test, so that a hundred files cost no process."""

from collections.abc import Callable, Collection, Generator
from typing import BinaryIO

from ingest.collect.reader_messages import READ, Choice, ReadMember
from ingest.collect.reader_process import ReaderProcess
from ingest.collect.reading import looks_whole, read_members
from tests.support.archives import spooled


class DirectReader(ReaderProcess):
    """Unpacks and reads as the reading process does; `before` is called before a member of that name is read."""

    def __init__(self, largest_bytes: int) -> None:
        super().__init__(largest_bytes)
        self.largest_bytes = largest_bytes
        self.before: Callable[[str], None] = lambda _: None

    def members(
        self, stream: BinaryIO, choose: Choice, done: Collection[str] = frozenset()
    ) -> Generator[ReadMember, None, dict[str, int]]:
        """The members of a file."""

        def chosen(name: str, sha256: bytes, size: int) -> str:
            choice = choose(name, sha256, size)
            if choice == READ:
                self.before(name)
            return choice

        return (yield from read_members(stream, self.largest_bytes, chosen, spooled, done))

    def looks_whole(self, stream: BinaryIO, name: str) -> bool:
        """Whether a file reads to its end."""
        return looks_whole(stream, name, self.largest_bytes)
