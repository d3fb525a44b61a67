"""Files of watches whose clock was not set: which wait for a date, and one placed where its owner says that it was."""

import re
import shlex
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from ingest.errors import Stop
from ingest.journal import Filed, Journal
from ingest.language import N_, Text, ngettext
from ingest.language import gettext as _
from ingest.log import as_name
from ingest.retelling import retold
from ingest.rows.calendar import Calendar
from ingest.rows.profile import read_profile
from ingest.rows.workout import find_workouts, workout_end_ms
from ingest.settings.model import Settings
from ingest.verbs.proposed_times import Recorded, kin, propose_begins, time_in_name
from ingest.verbs.times import day_and_time, local_ms, zone_at
from ingest.verbs.zone_table import duration_text

_PLACED = "-placed-"
_COPY = re.compile(rf"{_PLACED}([0-9a-f]{{8}})(?:-[0-9]+)?\.fit$")
"""How the name of a copy with a date ends, of one as well that the archive has numbered."""

SECOND_MS = 1000
"""What a watch tells is stamped in whole ones."""


@dataclass(frozen=True, slots=True)
class UndatedFile:
    """A file that is kept and has no date, or only a part of it; `place` is where it lies below the data folder, `member` what of a zip it is."""

    name: str
    person: str
    samples: int
    beats: int
    first_s: int
    lasted_s: int
    mark: str
    received_ms: int
    place: str
    member: str
    proposed_ms: int
    """When it may have begun."""
    proposed: str
    """The same as a day and a time, by the clock of the person."""
    zone: str
    """Where that person was when it came in."""
    id: int

    @property
    def short(self) -> str:
        """Its name without folders."""
        return self.name.rsplit("/", maxsplit=1)[-1]

    @property
    def placed_name(self) -> str:
        """That of its copy that has a date; by it the copy is known."""
        return f"{PurePosixPath(self.short).stem}{_PLACED}{self.mark}.fit"

    def json(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return {
            "file": self.name,
            "person": self.person,
            "samples": self.samples,
            "beats": self.beats,
            "lasted_s": self.lasted_s,
            "received_ms": self.received_ms,
            "zone": self.zone,
            "proposed": self.proposed,
        }


def undated_files(journal: Journal) -> list[UndatedFile]:
    """The files that wait for a date, in the order in which they came."""
    facts = [(p, e) for p in journal.persons() for e in journal.facts(p.id, "undated") if e.file is not None]
    if not facts:
        return []
    files = journal.files()
    filed = {f.id: f for f in files}
    placed = {f.key for f in placed_files(journal)}
    waiting = [
        (person, e.content, filed[e.file or 0])
        for person, e in facts
        if e.file in filed and (person.name, e.content["mark"]) not in placed
    ]
    found = []
    for person in {person.id: person for person, *_rest in waiting}.values():
        calendar = read_profile(journal, person.id).calendar
        mine = [(c, f) for p, c, f in waiting if p.id == person.id]
        begins = _begins(calendar, mine, [f for f in files if f.person == person.name], journal.now_ms())
        for c, f in mine:
            place, member = journal.place_of_file(f.id)
            zone = zone_at(calendar, begins[f.id])
            found.append(
                UndatedFile(
                    f.name,
                    person.name,
                    c["samples"],
                    c.get("beats", 0),
                    c["first_s"],
                    c["last_s"] - c["first_s"],
                    c["mark"],
                    f.received_ms,
                    place,
                    member,
                    begins[f.id],
                    day_and_time(begins[f.id], zone),
                    zone_at(calendar, f.received_ms),
                    f.id,
                )
            )
    return sorted(found, key=lambda file: file.id)


def _begins(
    calendar: Calendar, waiting: Sequence[tuple[dict[str, Any], Filed]], files: Sequence[Filed], now_ms: int
) -> dict[int, int]:
    """When each file of a person may have begun (ms), never later than it came in.

    That is right before what it holds with a date, else as its name says, else beside its neighbours.
    """
    found: dict[int, int] = {}
    of_kin: dict[tuple[str, str], list[Recorded]] = {}
    undated = {f.id for _, f in waiting}
    for f in files:
        if (
            f.id not in undated
            and f.first_ms is not None
            and f.last_ms is not None
            and not _COPY.search(f.name)
        ):
            lasted_s = (f.last_ms - f.first_ms) // 1000
            of_kin.setdefault(kin(f.name), []).append(Recorded(f.id, f.name, lasted_s, f.first_ms))
    for c, f in waiting:
        lasted_s = c["last_s"] - c["first_s"]
        latest_ms = min(f.received_ms, now_ms) - lasted_s * 1000
        if c.get("before_ms") is not None:
            found[f.id] = c["before_ms"] - lasted_s * 1000 - SECOND_MS
        elif said := time_in_name(f.name):
            found[f.id] = min(local_ms(said, calendar), latest_ms)
        of_kin.setdefault(kin(f.name), []).append(
            Recorded(f.id, f.name, lasted_s, found.get(f.id), c["first_s"], latest_ms)
        )
    rows = list(of_kin.values())
    beside = [row for row in rows if any(f.begin_ms is not None for f in row)]
    alone = [f for row in rows if row not in beside for f in row]
    for row in [*beside, alone]:
        found |= propose_begins(row)
    return found


@dataclass(frozen=True, slots=True)
class PlacedFile:
    """A file to which somebody gave a date: `copy` is the one that has it, `name` that of the file itself."""

    copy: Filed
    mark: str
    name: str
    original: int | None
    """The number of the file itself; None where it never came in, or does not count."""

    @property
    def key(self) -> tuple[str, str]:
        """Which recording of whom it is."""
        return self.copy.person, self.mark

    @property
    def short(self) -> str:
        """The name of the file itself without folders."""
        return self.name.rsplit("/", maxsplit=1)[-1]

    @property
    def copy_name(self) -> str:
        """The name of the copy without the folder in which it was made."""
        return self.copy.name.rsplit("/", maxsplit=1)[-1]


def placed_files(journal: Journal) -> list[PlacedFile]:
    """The files that have a date by the word of somebody and count, the one that was placed last first."""
    persons, files = journal.persons(), journal.files()
    copies = [(f, match[1]) for f in files if (match := _COPY.search(f.name))]
    if not copies:
        return []
    gone = {file for p in persons for file in journal.left_out(p.id).files}
    filed = {f.id: f for f in files}
    own = {
        (p.name, e.content["mark"]): filed.get(e.file or 0)
        for p in persons
        for e in journal.facts(p.id, "undated")
    }
    found = []
    for copy, mark in copies:
        if copy.outcome in {"stored", "partial"} and copy.id not in gone:
            f = own.get((copy.person, mark))
            name = _COPY.sub(".fit", copy.name.rsplit("/", maxsplit=1)[-1]) if f is None else f.name
            found.append(PlacedFile(copy, mark, name, None if f is None else f.id))
    return found


def placed_copy(journal: Journal, file: int) -> Filed | None:
    """The copy with a date, if one counts, of a file that has none."""
    return next((f.copy for f in placed_files(journal) if f.original == file), None)


def with_placed(journal: Journal, files: Sequence[int]) -> list[int]:
    """Some files with all that are the same but for a date: the copy that has one, and the file of which it was made."""
    found = list(files)
    for f in placed_files(journal):
        if f.original is not None and not {f.copy.id, f.original}.isdisjoint(files):
            found += [file for file in (f.original, f.copy.id) if file not in found]
    return found


def find_placed(journal: Journal, word: str | None) -> PlacedFile | None:
    """The file with a date that is meant by its own name or that of its copy; without one the last that was placed.

    Raises Stop where several are called so.
    """
    placed = placed_files(journal)
    if word is None:
        return placed[0] if placed else None
    stem = PurePosixPath(word).stem
    found = (
        [f for f in placed if word in {f.name, f.copy.name, f.copy_name}]
        or [f for f in placed if f.name.endswith(f"/{word}")]
        or [f for f in placed if stem == PurePosixPath(f.short).stem]
    )
    if len({f.key for f in found}) > 1:
        words = N_("Several files are called {name}: {names}. Name one of them in full.")
        raise Stop(Text(words, name=word, names=", ".join(f.name for f in found)))
    return found[0] if found else None


def find_undated(files: Sequence[UndatedFile], word: str) -> UndatedFile | None:
    """The file that is meant by a name; None where none waits under it. Raises Stop where several do."""
    found = [f for f in files if word in {f.name, f.short, f.place} or f.name.endswith(f"/{word}")]
    if len(found) > 1:
        words = N_("Several files are called {name}: {names}. Name one of them in full.")
        raise Stop(Text(words, name=word, names=", ".join(f.name for f in found)))
    return found[0] if found else None


def shortest_names(files: Sequence[dict[str, Any]]) -> list[str]:
    """What each is called: without folders, where no other one is called so."""
    shorts = [f["file"].rsplit("/", maxsplit=1)[-1] for f in files]
    return [short if shorts.count(short) == 1 else f["file"] for f, short in zip(files, shorts, strict=True)]


def undated_lines(files: Sequence[dict[str, Any]]) -> Iterator[str]:
    """What waits, and what to type, two lines for each: a time at which it can have begun is proposed."""
    for f, name in zip(files, shortest_names(files), strict=True):
        told = _("a summary")
        if f["samples"]:
            told = ngettext("{n} heart rate", "{n} heart rates", f["samples"]).format(n=f["samples"])
        elif f["beats"]:
            told = ngettext("{n} beat", "{n} beats", f["beats"]).format(n=f["beats"])
        yield _("{file}: {told} of {person} in {lasted}; the file came in on {time}").format(
            file=f["file"],
            told=told,
            person=f["person"],
            lasted=duration_text(f["lasted_s"] / 60),
            time=day_and_time(f["received_ms"], f["zone"]),
        )
        yield _("To say when it began: `hartslag clock {file} {when}`").format(
            file=shlex.quote(name), when=f'"{f["proposed"]}"'
        )


def lies_over(journal: Journal, file: UndatedFile, at_ms: int, calendar: Calendar) -> Iterator[str]:
    """Which workouts there are already where one would be placed, a line for each: of both but one counts."""
    end_ms = at_ms + file.lasted_s * 1000
    (person,) = [p for p in journal.persons() if p.name == file.person]
    names = {f.id: f.name.rsplit("/", maxsplit=1)[-1] for f in journal.files()}
    for e in find_workouts(journal, person.id, at_ms, end_ms):
        if e.at_ms < end_ms and workout_end_ms(e) > at_ms:
            yield _(
                "There is a workout already from {begin} to {end} ({name}): where both tell, only one of them counts. Was it at another time?"
            ).format(
                begin=day_and_time(e.at_ms, zone_at(calendar, e.at_ms)),
                end=day_and_time(workout_end_ms(e), zone_at(calendar, e.at_ms)),
                name=names.get(e.file or 0, e.content["source"]),
            )


def undated_text(files: int) -> str:
    """That so many files wait for a date."""
    return ngettext(
        "{n} file, or a part of it, has no date, as the clock of its watch was not set. It is kept, and counts in no week until you say when it was:",
        "{n} files, or a part of them, have no date, as the clock of their watch was not set. They are kept, and count in no week until you say when they were:",
        files,
    ).format(n=files)


def place_undated(settings: Settings, file: UndatedFile, at_ms: int) -> None:
    """Take a copy with its date into the journal. Raises Stop."""
    from tempfile import TemporaryDirectory

    from ingest.collect.outcome import NOBODY_LOOKS
    from ingest.errors import TryLater
    from ingest.formats.fit.placed import place_file
    from ingest.verbs.add import add_files
    from ingest.verbs.messages import say
    from ingest.verbs.store_follows import catch_up

    data = place_file(_bytes_of(settings.data / file.place, file.member), file.first_s, at_ms)
    if _counts_again(settings, file.person, data):
        if trouble := catch_up(settings):
            say(trouble, sys.stderr)
        return
    with TemporaryDirectory(prefix="hartslag-") as folder:
        copy = Path(folder) / file.placed_name
        copy.write_bytes(data)
        for outcomes in add_files(settings, [copy], file.person, NOBODY_LOOKS):
            if isinstance(outcomes, TryLater):
                raise outcomes
            for outcome in outcomes:
                if outcome.outcome not in {"stored", "partial"} or (file.samples and not outcome.samples):
                    raise Stop(retold(outcome.reason))


def _counts_again(settings: Settings, name: str, data: bytes) -> bool:
    """Have that copy count again which was placed at the same time before, and then taken back."""
    import hashlib

    from ingest.household import find_person, open_journal
    from ingest.mistakes.forgetting import take_back

    with open_journal(settings, create=False) as journal:
        person = find_person(journal, name)
        if person is None:
            return False
        same = journal.files_with(person.id, hashlib.sha256(data).digest())
        back = [f for f in journal.forgotten(person.id) if f.placing and not same.isdisjoint(f.files)]
        for f in back:
            take_back(journal, f)
        return bool(back)


def _bytes_of(path: Path, member: str) -> bytes:
    import zipfile
    import zlib

    try:
        data = path.read_bytes()
        return _unpacked(_member(data, member) if member else data)
    except (OSError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as e:
        words = N_("{path} cannot be read: {why}. Add the file itself, and say then when it was.")
        raise Stop(Text(words, path=path, why=str(e))) from e


def _member(data: bytes, member: str) -> bytes:
    """A member out of a zip, or out of a zip within it: `UploadedFiles.zip/run.fit`. Raises KeyError."""
    import io
    import zipfile

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for entry in archive.infolist():
            name = as_name(entry.filename.replace("\\", "/"))
            if name == member:
                return archive.read(entry)
            if member.startswith(f"{name}/") and not entry.is_dir():
                return _member(_unpacked(archive.read(entry)), member[len(name) + 1 :])
    raise KeyError(member)


def _unpacked(data: bytes) -> bytes:
    import gzip

    return gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data
