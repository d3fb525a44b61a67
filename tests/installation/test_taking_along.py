"""What `make run` collected, taken along by the service."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ingest.demo.fit_encoder import ERA, workout
from ingest.errors import Stop
from ingest.installation.place import Place
from ingest.installation.service import make_settings
from ingest.installation.taking_along import has_collected, require_at_rest, take_along
from ingest.journal import Journal
from ingest.system.lock import only_daemon
from tests.support.households import hartslag

ROOT = Path(__file__).parents[2]
START = 1_700_000_000 - ERA


@pytest.fixture
def collected(tmp_path: Path) -> Path:
    """A data folder with a workout in it, and a file that waits in the inbox."""
    data = tmp_path / "checkout" / "data"
    (tmp_path / "run.fit").write_bytes(workout(START, [120] * 600))
    (data / "inbox" / "Anna").mkdir(parents=True)
    assert hartslag("--data", data, "add", tmp_path / "run.fit").code == 0
    (data / "inbox" / "Anna" / "next.fit").write_bytes(b"waits")
    return data


def content(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def chunks(data: Path) -> int:
    with Journal(data / "journal" / "journal.db", readonly=True) as journal:
        return sum(len(journal.sources(p.id)) for p in journal.persons())


def test_all_of_it_comes_along_and_stays_where_it_was(collected: Path, tmp_path: Path) -> None:
    """Protects weeks that were collected before there was a service: they are copied, and nothing is moved or deleted."""
    before, service = content(collected), tmp_path / "service"
    assert has_collected(collected)
    take_along(collected, service)
    assert content(collected) == before
    assert chunks(service) == chunks(collected) == 1
    copied = content(service)
    assert {name: copied[name] for name in before if name.startswith(("archive", "inbox"))} == {
        name: octets for name, octets in before.items() if name.startswith(("archive", "inbox"))
    }
    assert not any("taken-along" in name for name in copied)


def test_what_a_kill_left_in_the_log_comes_along(collected: Path, tmp_path: Path) -> None:
    """Protects what was collected last before the plug was pulled: it stands in the log of the journal only."""
    killed = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from ingest.journal import Journal\n"
        "journal = Journal(Path(sys.argv[1]))\n"
        "with journal.write() as w:\n"
        "    w.person('Berta')\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    path = collected / "journal" / "journal.db"
    done = subprocess.run([sys.executable, "-c", killed, path], check=False, cwd=ROOT)
    assert done.returncode == -signal.SIGKILL
    assert path.with_name("journal.db-wal").stat().st_size > 0
    take_along(collected, tmp_path / "service")
    with Journal(tmp_path / "service" / "journal" / "journal.db", readonly=True) as journal:
        assert "Berta" in [p.name for p in journal.persons()]


def test_while_it_is_collected_in_nothing_is_taken(collected: Path, tmp_path: Path) -> None:
    """Protects from half a journal, copied while `make run` writes to it."""
    with only_daemon(collected), pytest.raises(Stop, match="still collects"):
        require_at_rest(collected)
    assert not (tmp_path / "service").exists()


def test_a_service_that_has_collected_keeps_its_journal(collected: Path, tmp_path: Path) -> None:
    """Protects what the service knows; an empty journal of its first start may go."""
    service = tmp_path / "service"
    Journal(service / "journal" / "journal.db").close()
    take_along(collected, service)
    before = content(service)
    with pytest.raises(Stop, match="sudo hartslag add"):
        take_along(collected, service)
    assert content(service) == before


def test_settings_come_along_but_for_the_folder(collected: Path, tmp_path: Path) -> None:
    """Protects settings that somebody made, and the service from keeping its data in somebody's home."""
    place = Place(tmp_path / "root")
    place.settings.parent.mkdir(parents=True)
    (collected / "hartslag.toml").write_text('[[person]]\nname = "Anna"\n\n[data]\nfolder = "/home/anna"\n')
    make_settings(place, ROOT, collected)
    assert place.settings.read_text() == '[[person]]\nname = "Anna"\n\n[data]\n# folder = "/home/anna"\n'
    place.settings.write_text("# my own\n")
    make_settings(place, ROOT, collected)
    assert place.settings.read_text() == "# my own\n"
    assert place.settings.stat().st_mode & 0o777 == 0o640
