"""A file on its way into the journal: what is known of it while it is read, and what is left to commit."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.collect.filing import status_of
from ingest.collect.outcome import NOBODY_LOOKS, Onlooker, Outcome
from ingest.collect.reader_messages import ReadMember
from ingest.errors import Replaced, TryLater
from ingest.formats.recording import Recording
from ingest.language import N_, Text
from ingest.log import as_name

if TYPE_CHECKING:
    from io import BufferedReader


@dataclass(frozen=True, slots=True)
class Given:
    """A file to take: where it lies, how its owner knows that place, and whose it is.

    With `kept` the original stays there and a copy is filed. `waiting` is how many wait behind it. `newcomer` makes a person,
    and gives the name, of somebody whose it is instead if something of a heart is read in it.
    """

    path: Path
    name: str
    person: str
    kept: bool = False
    waiting: int = 0
    newcomer: Callable[[], str] | None = None
    onlooker: Onlooker = NOBODY_LOOKS


class Arrival:
    """What is dropped or added as one: a file, or a zip of many. `id` is its number in the journal, once it has one.

    With a `newcomer` it is theirs, and they become a person, once something of a heart was read in it; until then it is
    `held`, and without any it is the person's.
    """

    def __init__(self, given: Given) -> None:
        self.name = as_name(given.name)
        self.person, self.newcomer = given.person, given.newcomer
        self.kept, self.waiting, self.onlooker = given.kept, given.waiting, given.onlooker
        self.sha256 = b""
        self.id: int | None = None
        self.held: list[ReadMember] = []
        self.outcomes: list[Outcome] = []

    def name_of(self, member: str) -> str:
        """The name by which its owner knows a member ('' for the arrival itself)."""
        return f"{self.name}/{member}" if member else self.name

    def to_commit(self, reads: list[ReadMember], *, last: bool) -> list[ReadMember]:
        """What can be committed now that these were read, as it is known whose it is."""
        if self.newcomer is None:
            return list(reads)
        if any(read.recording is not None and _of_a_heart(read.recording) for read in reads):
            self.person, self.newcomer = self.newcomer(), None
        elif not last:
            self.held += reads
            return []
        held, self.held = self.held, []
        return held + reads


class ArrivingFile:
    """A file that is being taken: what was read of it and is not committed yet, or what keeps it from being taken."""

    def __init__(self, given: Given) -> None:
        self.given, self.arrival = given, Arrival(given)
        self.began_s = time.monotonic()
        self.reads: list[ReadMember] = []
        self.stream: BufferedReader | None = None
        self.found: os.stat_result | None = None
        """As it was when it was opened; None for what is no file."""
        self.is_committed = False
        self.failure: Exception | None = None

    def require_unchanged(self) -> None:
        """Raise TryLater when it is another one than it was when it was opened."""
        if self.stream is None or self.found is None:
            return  # nothing but a name
        if status_of(os.fstat(self.stream.fileno())) != status_of(self.found):
            words = N_("{name} changed while it was read; it will be read again once it stands still.")
            raise TryLater(Text(words, name=self.arrival.name))

    @contextmanager
    def failing(self) -> Iterator[None]:
        """What happens within keeps only this one from being taken. Raises Replaced."""
        try:
            yield
        except Replaced:
            raise
        except Exception as e:  # noqa: BLE001 - who takes it decides what it means
            self.failure = e

    def close(self) -> None:
        if self.stream is not None:
            self.stream.close()


def _of_a_heart(recording: Recording) -> bool:
    """Whether a recording tells of somebody's heart; settings, say, tell of whoever a watch takes its wearer for."""
    if recording.samples or recording.beats or any(fact.what == "undated" for fact in recording.facts):
        return True
    told = (fact.content for fact in recording.facts if fact.what != "limits")
    return any("bpm" in name and value is not None for content in told for name, value in content.items())
