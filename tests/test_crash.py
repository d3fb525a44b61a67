"""A power cut at any step of a file's way leaves the journal, the store and the folders as if nothing had happened."""

import gzip
import io
import zipfile
from pathlib import Path
from typing import Any

import pytest

from ingest.demo.fit_encoder import Fit, day, workout
from ingest.system.crash_points import POINTS
from tests.support.daemons import daemon, left_behind, settled, until

START = 1_100_000_000  # FIT era: November 2024


def _drop(inbox: Path) -> None:
    """One of everything that can happen to a file, in two people's folders."""
    run = workout(START, [100 + i % 60 for i in range(900)])
    ride = workout(START + 86_400, [110 + i % 40 for i in range(600)], step=5)
    walk = workout(START + 3 * 86_400, [95] * 300, maximum=None)
    (inbox / "anna").mkdir(parents=True)
    (inbox / "run.fit").write_bytes(run)
    (inbox / "run again.fit").write_bytes(run)
    (inbox / "anna" / "run.fit").write_bytes(run)
    (inbox / "ride.fit").write_bytes(ride)
    (inbox / "ride cut off.fit").write_bytes(ride[: len(ride) // 2])
    (inbox / "cut off.fit").write_bytes(walk[: len(walk) // 2])
    (inbox / "day.fit.gz").write_bytes(gzip.compress(day(START, [60] * 200 + [120] * 60), mtime=0))
    (inbox / "notes.txt").write_text("not a FIT file")
    (inbox / "settings.fit").write_bytes(Fit().file_id(2).done())
    with zipfile.ZipFile(inbox / "many.zip", "w") as parcel:
        for i in range(3):
            parcel.writestr(f"a/{i}.fit", workout(START + (10 + i) * 86_400, [130] * 200))
        parcel.writestr("a/broken.fit", b"no FIT at all")
        parcel.writestr("readme.txt", "passed over")
    # A zip that names no time, so that two runs drop the very same bytes.
    stamped = io.BytesIO()
    with zipfile.ZipFile(inbox / "many.zip") as found, zipfile.ZipFile(stamped, "w") as out:
        for info in found.infolist():
            out.writestr(zipfile.ZipInfo(info.filename), found.read(info))
    (inbox / "many.zip").write_bytes(stamped.getvalue())


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a run without any crash leaves behind."""
    data = tmp_path_factory.mktemp("undisturbed") / "data"
    _drop(data / "inbox")
    with daemon(data):
        until(lambda: settled(data), "the undisturbed run")
    found = left_behind(data)
    outcomes = sorted(row[4] for row in found["files"])
    assert outcomes == ["duplicate", *["partial"] * 2, *["rejected"] * 2, *["stored"] * 8], outcomes
    return found


@pytest.mark.parametrize("which", [1, 4])
@pytest.mark.parametrize("point", POINTS)
def test_a_kill_at_any_step_leaves_no_trace(
    point: str, which: int, undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    """Killed at a named point and started again, the daemon ends with what an undisturbed one holds."""
    data = tmp_path / "data"
    _drop(data / "inbox")
    with daemon(data, crash_at=f"{point}:{which}") as process:
        until(lambda: process.poll() is not None or settled(data), f"the crash at {point}")
        if process.poll() is None and which == 1:
            # The last commit of all is seen from here before the kill right behind it has come.
            process.wait(180)
        crashed = process.poll() == -9
    # Only a few files are rejected, so "reason written" is not reached four times.
    assert crashed or which > 1, f"{point} was never reached"
    with daemon(data):
        until(lambda: settled(data), f"the restart after {point}")
    found = left_behind(data)
    for part, expected in undisturbed.items():
        assert found[part] == expected, f"{part} differs after a kill at {point}"
