"""Files taken by hand, where there is no room for them."""

import os
from pathlib import Path

import pytest

from ingest.demo.fit_encoder import workout
from tests.support.daemons import hartslag
from tests.support.small_disk import fill, small_disk

START = 1_100_000_000


@pytest.mark.root
@pytest.mark.parametrize(("room", "taken"), [(0, False), (16_000, False), (80_000, True)])
def test_on_a_full_disk_it_is_told_which_files_were_taken(tmp_path: Path, room: int, *, taken: bool) -> None:
    """Protects who would delete the file then: it is named, as not taken, and to be added again; then it is."""
    file = tmp_path / "run.fit"
    file.write_bytes(workout(START, [60 + i * 7 % 90 for i in range(20_000)]))
    with small_disk(tmp_path / "small", "2500k") as small:
        data = small / "d"
        first = tmp_path / "first.fit"
        first.write_bytes(workout(START + 90_000, [100] * 60))
        assert hartslag("--data", data, "add", first).returncode == 0
        filler = small / "filler"
        fill(filler)
        os.truncate(filler, filler.stat().st_size - room)
        full = hartslag("--data", data, "add", file)
        told = " ".join((full.stdout + full.stderr).split())
        assert full.returncode == 1, told
        assert taken or "the disk is full. Make room" in told
        assert (f'The file "{file}" was not taken: add it again then.' in told) is not taken
        assert ("in the journal" in told) is taken
        filler.unlink()
        again = hartslag("--data", data, "add", file)
        assert again.returncode == 0
        assert again.stdout.startswith("stored")
