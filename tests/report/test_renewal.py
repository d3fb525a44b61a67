"""Pages that the daemon renews each day, and what becomes of it when they cannot be written."""

import json
import os
import shutil
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ingest.demo.fit_encoder import workout
from ingest.household import record_profile
from ingest.journal import Journal
from ingest.report.renewal import due, file_names
from tests.support.daemons import QUICK, daemon, hartslag, until
from tests.support.households import household, steady

NOON_MS = 1_763_980_000_000
START = 1_100_000_000


def _at_ms(text: str, zone: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def _settings(folder: Path) -> str:
    return f'{QUICK}[report]\nfolder = "{folder}"\n'


def _log(data: Path) -> str:
    return (data.parent / f"{data.name}.log").read_text()


@pytest.mark.parametrize(
    ("written", "now", "is_due"),
    [
        ("2026-11-16T00:05", "2026-11-16T23:55", False),
        ("2026-11-16T23:55", "2026-11-17T00:05", True),
        ("2026-11-18T12:00", "2026-11-17T12:00", True),
    ],
)
@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/Los_Angeles"])
def test_a_page_is_of_today_where_the_person_is(
    tmp_path: Path, zone: str, written: str, now: str, *, is_due: bool
) -> None:
    """Protects a page that says "today": it is renewed after the person's own midnight, and not at that of the Pi."""
    with Journal(tmp_path / "journal.db") as journal:
        record_profile(journal, "Anna", {"zone": zone}, overwrite=True)
        page = tmp_path / file_names(["Anna"])["Anna"]
        assert due(journal, tmp_path, _at_ms(now, zone)) == ["Anna"]
        page.write_text("")
        os.utime(page, (0, _at_ms(written, zone) / 1000))
        assert due(journal, tmp_path, _at_ms(now, zone)) == (["Anna"] if is_due else [])


def test_the_daemon_renews_what_is_older_than_a_day(tmp_path: Path) -> None:
    """Protects who opens the page each morning: it is there soon after the start, and an old one becomes a new one."""
    data, folder = tmp_path / "data", tmp_path / "pages"
    with household(data, [steady("Anna", NOON_MS, 600, 120)]):
        pass
    page = folder / "hartslag-anna.html"
    with daemon(data, settings=_settings(folder)):
        until(page.exists, "the page")
    page.write_text("of yesterday")
    os.utime(page, (0, 0))
    with daemon(data, settings=_settings(folder)):
        until(lambda: page.read_text().startswith("<!doctype html>"), "the page to be renewed")
    assert sorted(p.name for p in folder.iterdir()) == ["hartslag-anna.html"]
    status = json.loads(hartslag("--data", data, "status", "--json").stdout)
    assert status["report"] == {"folder": str(folder), "last_error": None}


def test_a_page_that_cannot_be_written_harms_nothing(tmp_path: Path) -> None:
    """Protects collecting: files are taken all the same, and the trouble is told once, in the log and by `status`."""
    data, folder = tmp_path / "data", tmp_path / "pages"
    folder.write_text("no folder")
    with household(data, [steady("Anna", NOON_MS, 600, 120)]):
        pass
    with daemon(data, settings=_settings(folder)):
        until(lambda: "were not renewed" in _log(data), "the trouble to be told")
        (tmp_path / "a.fit").write_bytes(workout(START, [120] * 60))
        shutil.copy(tmp_path / "a.fit", data / "inbox")
        until(lambda: not list((data / "inbox").iterdir()), "the file to be taken")
        assert str(folder) in hartslag("--data", data, "status").stdout
    assert _log(data).count("were not renewed") == 1
    assert "Traceback" not in _log(data)
    assert (
        "were not renewed"
        in json.loads(hartslag("--data", data, "status", "--json").stdout)["report"]["last_error"]
    )
