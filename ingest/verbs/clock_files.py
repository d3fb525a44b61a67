"""Workouts of watches whose clock was not set: which wait for a date, and one placed where its owner says that it was."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from ingest.errors import Stop
from ingest.journal import Journal
from ingest.language import N_, Text, ngettext
from ingest.language import gettext as _
from ingest.retelling import retold
from ingest.settings.model import Settings
from ingest.verbs.times import day_and_time
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
        }


def undated_files(journal: Journal) -> list[UndatedFile]:
    """The files that wait for a date, in the order in which they came."""
    facts = [(p, e) for p in journal.persons() for e in journal.facts(p.id, "undated") if e.file is not None]
    if not facts:
        return []
    filed = {f.id: f for f in journal.files()}
    gone = {file for p in journal.persons() for file in journal.left_out(p.id).files}
    placed = [f.name for f in filed.values() if _PLACED in f.name and f.samples and f.id not in gone]
    found = []
    for person, e in facts:
        c, f = e.content, filed.get(e.file or 0)
        if f is None or any(f"{_PLACED}{c['mark']}" in name for name in placed):
            continue
        place, member = journal.place_of_file(f.id)
        lasted_s = c["last_s"] - c["first_s"]
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
            )
        )
    return found


def find_undated(files: Sequence[UndatedFile], word: str) -> UndatedFile | None:
    """The file that is meant by a name; None where none waits under it. Raises Stop where several do."""
    found = [f for f in files if word in {f.name, f.short, f.place} or f.name.endswith(f"/{word}")]
    if len(found) > 1:
        words = N_("Several files are called {name}: {names}. Name one of them in full.")
        raise Stop(Text(words, name=word, names=", ".join(f.name for f in found)))
    return found[0] if found else None


def undated_lines(files: Sequence[dict[str, Any]]) -> Iterator[str]:
    """What waits, and what to type: the day on which the last of them came in is proposed."""
    for f in files:
        told = ngettext("{n} heart rate", "{n} heart rates", f["samples"]).format(n=f["samples"])
        yield _("{file}: {told} of {person} in {lasted}; the file came in on {time}").format(
            file=f["file"],
            told=told,
            person=f["person"],
            lasted=duration_text(f["lasted_s"] / 60),
            time=day_and_time(f["received_ms"]),
        )
    if files:
        last = files[-1]
        when = f'"{day_and_time(last["received_ms"])}"'
        yield _("To say when it began: `hartslag clock {file} {when}`").format(
            file=last["file"].rsplit("/", maxsplit=1)[-1], when=when
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

    from ingest.collect.arrival import NOBODY_LOOKS
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
                if outcome.outcome == "rejected" or not outcome.samples:
                    raise Stop(retold(outcome.reason))
    return file.placed_name


def _bytes_of(path: Path, member: str) -> bytes:
    import zipfile

    try:
        if not member:
            return path.read_bytes()
        with zipfile.ZipFile(path) as archive:
            return archive.read(member)
    except (OSError, KeyError, zipfile.BadZipFile) as e:
        words = N_("{path} cannot be read: {why}. Add the file itself, and say then when it was.")
        raise Stop(Text(words, path=path, why=str(e))) from e
