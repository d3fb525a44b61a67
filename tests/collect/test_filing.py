"""What a power cut leaves of files on their way into the archive: the order in which the card is told to remember."""

import zipfile
from contextlib import closing
from io import BytesIO
from pathlib import Path

from ingest.collect.arrival import Arrivals
from ingest.demo.fit_encoder import workout
from ingest.journal import Journal
from tests.support.daemons import rows
from tests.support.direct_reader import DirectReader
from tests.support.recording_disk import RecordingDisk

LARGEST = 1 << 20
FIT = workout(1_100_000_000, [100, 120, 140, 150], maximum=None)


class NotingDisk(RecordingDisk):
    """Writes down, too, how many arrivals the journal calls filed at that moment."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.filed: list[int] = []

    def _note(self, call: str, *paths: Path) -> None:
        super()._note(call, *paths)
        found = rows(self._root / "journal" / "journal.db", "SELECT count(*) FROM arrival WHERE filed")
        self.filed.append(found[0][0])


def _calls(data: Path, name: str, content: bytes, *, kept: bool = False) -> list[str]:
    """What the disk was told while a file was taken; checks that the journal noted it as filed only after that."""
    (data / "inbox").mkdir()
    (data / "inbox" / name).write_bytes(content)
    disk = NotingDisk(data)
    with closing(Journal(data / "journal" / "journal.db", now_ms=lambda: 1_700_000_000_000)) as journal:
        arrivals = Arrivals(journal, DirectReader(LARGEST), data, disk=disk)
        arrivals.take(data / "inbox" / name, name, "me", kept=kept)
        assert not any(call.startswith("fsync archive") for call in disk.calls), "together with others"
        arrivals.flush()
    assert set(disk.filed) == {0}, "it is noted as filed once the card remembers it, and not before"
    assert rows(data / "journal" / "journal.db", "SELECT count(*) FROM arrival WHERE filed") == [(1,)]
    return disk.calls


def test_a_moved_file_is_remembered_in_both_folders(tmp_path: Path) -> None:
    """Protects a file from being in neither place, or noted as filed where a power cut has undone that."""
    assert _calls(tmp_path, "run.fit", FIT) == [
        "rename inbox/run.fit archive/2024/run.fit",
        "fsync archive/2024",
        "fsync inbox",
    ]


def test_a_copied_file_is_remembered_with_its_bytes(tmp_path: Path) -> None:
    """Protects what `add` copies: a name without its bytes would be an empty file after a power cut."""
    assert _calls(tmp_path, "run.fit", FIT, kept=True) == [
        "rename archive/2024/.run.fit.tmp archive/2024/run.fit",
        "fsync archive/2024/run.fit",
        "fsync archive/2024",
    ]


def test_a_reason_is_safe_before_the_file_goes(tmp_path: Path) -> None:
    """Protects the owner from a rejected file with an empty reason, or with none, beside it."""
    assert _calls(tmp_path, "notes.fit", b"no FIT at all") == [
        "fsync rejected/.notes.fit.txt.tmp",
        "rename rejected/.notes.fit.txt.tmp rejected/notes.fit.txt",
        "fsync rejected",
        "rename inbox/notes.fit rejected/notes.fit",
        "fsync inbox",
        "fsync rejected",
    ]


def test_a_bad_member_is_safe_before_its_zip_is_committed(tmp_path: Path) -> None:
    """Protects what is taken out of a zip to be looked at: it is written once, and never half."""
    parcel = BytesIO()
    with zipfile.ZipFile(parcel, "w") as out:
        out.writestr("bad.fit", FIT[:20] + b"?" * 40)
        out.writestr("run.fit", FIT)
    calls = _calls(tmp_path, "many.zip", parcel.getvalue())
    (name,) = [p.name for p in (tmp_path / "rejected").glob("*.fit")]
    assert calls[:6] == [
        f"fsync rejected/.{name}.tmp",
        f"rename rejected/.{name}.tmp rejected/{name}",
        "fsync rejected",
        f"fsync rejected/.{name}.txt.tmp",
        f"rename rejected/.{name}.txt.tmp rejected/{name}.txt",
        "fsync rejected",
    ]
