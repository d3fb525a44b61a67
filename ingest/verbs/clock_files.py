"""Workouts of watches whose clock was not set: which wait for a date, and one placed where its owner says that it was."""

import re
import shlex
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

from ingest.errors import Stop
from ingest.journal import Filed, Journal
from ingest.language import N_, Text, ngettext
from ingest.language import gettext as _
from ingest.retelling import retold
from ingest.rows.profile import read_profile
from ingest.settings.model import Settings
from ingest.verbs.times import day_and_time, zone_at
from ingest.verbs.zone_table import duration_text

_PLACED = "-placed-"


@dataclass(frozen=True, slots=True)
class UndatedFile:
    """A file that is kept and has no date; `place` is where it lies below the data folder, `member` what of a zip it is."""

    name: str
    person: str
    samples: int
    first_s: int
    lasted_s: int
    mark: str
    received_ms: int
    place: str
    member: str
    proposed: str
    """A day and a time at which it may have begun, by the clock of the person."""

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
            "lasted_s": self.lasted_s,
            "received_ms": self.received_ms,
            "proposed": self.proposed,
        }


def undated_files(journal: Journal) -> list[UndatedFile]:
    """The files that wait for a date, in the order in which they came."""
    facts = [(p, e) for p in journal.persons() for e in journal.facts(p.id, "undated") if e.file is not None]
    if not facts:
        return []
    filed = {f.id: f for f in journal.files()}
    placed = [f.name for f in placed_files(journal)]
    found = []
    for person, e in facts:
        c, f = e.content, filed.get(e.file or 0)
        if f is None or any(f"{_PLACED}{c['mark']}" in name for name in placed):
            continue
        place, member = journal.place_of_file(f.id)
        lasted_s = c["last_s"] - c["first_s"]
        calendar = read_profile(journal, person.id).calendar
        latest_ms = min(f.received_ms, journal.now_ms()) - lasted_s * 1000
        found.append(
            UndatedFile(
                f.name,
                person.name,
                c["samples"],
                c["first_s"],
                lasted_s,
                c["mark"],
                f.received_ms,
                place,
                member,
                _propose(f.name, latest_ms, zone_at(calendar, latest_ms)),
            )
        )
    return found


_DATED = re.compile(
    r"(?<!\d)(20\d\d)[-_.]?([01]\d)[-_.]?([0-3]\d)(?:[-_T. ]{0,2}([0-2]\d)[-_.:h]?([0-5]\d)(?:[-_.:]?[0-5]\d)?)?(?!\d)"
)
"""A date, and maybe a time, in the name of a file, as exports and watches write it."""


def _propose(name: str, latest_ms: int, zone: str) -> str:
    """When it may have begun: as its name says, or so long before it came in as it lasted. Never later than that."""
    latest = day_and_time(latest_ms, zone)
    if found := _DATED.search(name.rsplit("/", maxsplit=1)[-1]):
        year, month, day, hour, minute = found.groups()
        said = f"{year}-{month}-{day} {hour or '12'}:{minute or '00'}"
        with suppress(ValueError):
            datetime.fromisoformat(said)
            return min(said, latest)
    return latest


def placed_files(journal: Journal) -> list[Filed]:
    """The copies with a date that count, the newest first."""
    gone = {file for p in journal.persons() for file in journal.left_out(p.id).files}
    return [
        f
        for f in journal.files()
        if _PLACED in f.name and f.outcome in {"stored", "partial"} and f.id not in gone
    ]


def find_placed(journal: Journal, word: str | None) -> Filed | None:
    """The copy with a date of the file that is meant: by its own name or by that of the file; the newest without one."""
    for f in placed_files(journal):
        short = f.name.rsplit("/", maxsplit=1)[-1]
        if word in {None, f.name, short} or PurePosixPath(word or "").stem == short.partition(_PLACED)[0]:
            return f
    return None


def find_undated(files: Sequence[UndatedFile], word: str) -> UndatedFile | None:
    """The file that is meant by a name; None where none waits under it. Raises Stop where several do."""
    found = [f for f in files if word in {f.name, f.short, f.place} or f.name.endswith(f"/{word}")]
    if len(found) > 1:
        words = N_("Several files are called {name}: {names}. Name one of them in full.")
        raise Stop(Text(words, name=word, names=", ".join(f.name for f in found)))
    return found[0] if found else None


def undated_lines(files: Sequence[dict[str, Any]]) -> Iterator[str]:
    """What waits, and what to type, two lines for each: a time at which it can have begun is proposed."""
    shorts = [f["file"].rsplit("/", maxsplit=1)[-1] for f in files]
    for f, short in zip(files, shorts, strict=True):
        told = ngettext("{n} heart rate", "{n} heart rates", f["samples"]).format(n=f["samples"])
        if not f["samples"]:
            told = _("a summary")
        yield _("{file}: {told} of {person} in {lasted}; the file came in on {time}").format(
            file=f["file"],
            told=told,
            person=f["person"],
            lasted=duration_text(f["lasted_s"] / 60),
            time=day_and_time(f["received_ms"]),
        )
        name = short if shorts.count(short) == 1 else f["file"]
        yield _("To say when it began: `hartslag clock {file} {when}`").format(
            file=shlex.quote(name), when=f'"{f["proposed"]}"'
        )


def undated_text(files: int) -> str:
    """That so many workouts wait for a date."""
    return ngettext(
        "{n} workout has no date, as the clock of its watch was not set. It is kept, and counts in no week until you say when it was:",
        "{n} workouts have no date, as the clock of their watch was not set. They are kept, and count in no week until you say when they were:",
        files,
    ).format(n=files)


def place_undated(settings: Settings, file: UndatedFile, at_ms: int) -> str:
    """Take a copy with its date into the journal; gives the name by which it is forgotten again. Raises Stop."""
    from tempfile import TemporaryDirectory

    from ingest.collect.outcome import NOBODY_LOOKS
    from ingest.errors import TryLater
    from ingest.formats.fit.placed import place_file
    from ingest.verbs.add import add_files

    with TemporaryDirectory(prefix="hartslag-") as folder:
        copy = Path(folder) / file.placed_name
        copy.write_bytes(place_file(_bytes_of(settings.data / file.place, file.member), file.first_s, at_ms))
        for outcomes in add_files(settings, [copy], file.person, NOBODY_LOOKS):
            if isinstance(outcomes, TryLater):
                raise outcomes
            for outcome in outcomes:
                if outcome.outcome == "duplicate" and _counts_again(settings, file.placed_name):
                    continue
                if outcome.outcome not in {"stored", "partial"} or (file.samples and not outcome.samples):
                    raise Stop(retold(outcome.reason))
    return file.placed_name


def _counts_again(settings: Settings, name: str) -> bool:
    """Have a copy of that name count again that was placed at the same time before, and then taken back."""
    from ingest.household import open_journal
    from ingest.mistakes.forgetting import take_back

    with open_journal(settings, create=False) as journal:
        for person in journal.persons():
            for f in reversed(journal.forgotten(person.id)):
                if f.because is None and f.name.endswith(name):
                    take_back(journal, f)
                    return True
    return False


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
            name = entry.filename.replace("\\", "/")
            if name == member:
                return archive.read(entry)
            if member.startswith(f"{name}/") and not entry.is_dir():
                return _member(_unpacked(archive.read(entry)), member[len(name) + 1 :])
    raise KeyError(member)


def _unpacked(data: bytes) -> bytes:
    import gzip

    return gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data
