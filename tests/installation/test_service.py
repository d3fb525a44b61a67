"""The service put in place below a folder that stands for the root of a system, brought up to date and taken away."""

import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.errors import Stop
from ingest.installation import service
from ingest.installation.place import Place
from ingest.stores.sqlite import SqliteStore
from tests.support.programs import linked_program, stand_ins

ROOT = Path(__file__).parents[2]
SAMPLE = (ROOT / "config" / "hartslag.toml").read_bytes()


@pytest.fixture(autouse=True)
def called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the programs of the system were called with."""
    record = stand_ins(tmp_path / "programs")
    monkeypatch.setenv("PATH", f"{record.parent}:{os.environ['PATH']}")
    return record


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """An empty system."""
    return Place(tmp_path / "root")


def install(place: Place, take: Path | None = None) -> list[str]:
    return list(service.install(place, ROOT, take, linked_program))


def asked(place: Place, *words: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    """What the installed command answers, wherever it is called."""
    environ = {"PATH": os.environ["PATH"], "HOME": str(cwd)}
    return subprocess.run(
        [place.command.resolve(), *words], capture_output=True, text=True, check=False, cwd=cwd, env=environ
    )


def everything_but_data(place: Place) -> list[str]:
    found = [p for p in place.root.rglob("*") if not p.is_relative_to(place.data) and not p.is_dir()]
    return sorted(str(p.relative_to(place.root)) for p in found)


def test_all_is_in_its_place_and_the_command_knows_it(place: Place, called: Path, tmp_path: Path) -> None:
    """Protects who types one line: user, folders, settings, unit, completion and store are there, and it is started."""
    install(place)
    assert place.settings.read_bytes() == SAMPLE
    assert stat.S_IMODE(place.settings.stat().st_mode) == 0o640
    assert SqliteStore(place.data / "store" / "hartslag.db").faults() == []
    for file in (
        "etc/systemd/system/hartslag.service",
        "etc/sysusers.d/hartslag.conf",
        "etc/tmpfiles.d/hartslag.conf",
    ):
        assert (place.root / file).is_file()
    assert "hartslag" in place.completions()["bash"].read_text()
    assert [line.split()[0] for line in called.read_text().splitlines()] == [
        "systemd-sysusers",
        "systemd-tmpfiles",
        "systemctl",
    ]
    answer = asked(place, "check", cwd=tmp_path)
    assert str(place.settings) in answer.stdout, answer.stderr
    assert str(place.data / "journal" / "journal.db") in answer.stdout


def test_the_unit_starts_what_was_installed() -> None:
    """Protects from a unit that looks for the program where no installation puts it."""
    unit = (ROOT / "systemd" / "hartslag.service").read_text()
    assert f"ExecStart={Place().current}/bin/hartslag run\n" in unit


def test_done_again_it_is_brought_up_to_date_and_nothing_of_its_owners_changes(place: Place) -> None:
    """Protects settings and data from an update, and the card from the versions before."""
    install(place)
    before = place.current.resolve()
    place.settings.write_text('[[person]]\nname = "Anna"\n')
    (place.data / "inbox" / "run.fit").write_bytes(b"FIT")
    install(place)
    assert list(place.versions.iterdir()) == [place.current.resolve()] != [before]
    assert place.settings.read_text() == '[[person]]\nname = "Anna"\n'
    assert (place.data / "inbox" / "run.fit").read_bytes() == b"FIT"


@pytest.mark.parametrize(
    "ends", [KeyboardInterrupt(), Stop("Installing needs the internet")], ids=["Ctrl-C", "no network"]
)
def test_what_stops_halfway_leaves_the_one_before(place: Place, ends: BaseException) -> None:
    """Protects who pulls a cable out during an update: what ran before runs on, and nothing lies around."""
    install(place)
    before, files = place.current.resolve(), everything_but_data(place)

    def stopped(environment: Path, source: Path) -> None:
        linked_program(environment, source)
        raise ends

    with pytest.raises(type(ends)):
        list(service.install(place, ROOT, None, stopped))
    assert place.current.resolve() == before
    assert everything_but_data(place) == files


def test_what_a_power_cut_left_is_cleared_away(place: Place) -> None:
    """Protects the card: half a version weighs as much as a whole one."""
    install(place)
    for left in ("20200101-000000.0", "20200101-000001.0"):
        linked_program(place.versions / left, ROOT)
    (place.program / ".build-left").mkdir()
    found: list[Path] = []

    def build(environment: Path, source: Path) -> None:
        found.extend(place.versions.iterdir())
        linked_program(environment, source)

    before = place.current.resolve()
    list(service.install(place, ROOT, None, build))
    assert found == [before]
    assert sorted(p.name for p in place.program.iterdir()) == ["current", "lock", "versions"]


def test_settings_with_a_mistake_stop_it_before_anything_changes(
    place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    """Protects a service that runs from being started anew on settings that it cannot use; what is wrong in them is said."""
    install(place)
    before = place.current.resolve()
    place.settings.write_text("[inbox]\nsettle = 3\n")
    with pytest.raises(Stop, match="goes on"):
        install(place)
    assert "settle" in capfd.readouterr().err
    assert place.current.resolve() == before


def test_a_version_that_cannot_run_never_counts(place: Place) -> None:
    """Protects from a card that garbled what was just written: it is tried before it takes the place of the one before."""
    install(place)
    before = place.current.resolve()

    def garbled(environment: Path, source: Path) -> None:
        linked_program(environment, source)
        (environment / "lib").unlink()

    with pytest.raises(Stop):
        list(service.install(place, ROOT, None, garbled))
    assert place.current.resolve() == before


def test_somebody_elses_command_stays(place: Place) -> None:
    """Protects what an owner put into /usr/local/bin: nothing is written over it, and nothing is begun."""
    place.command.parent.mkdir(parents=True)
    place.command.write_text("#!/bin/sh\necho mine\n")
    with pytest.raises(Stop, match="move it away first"):
        install(place)
    assert everything_but_data(place) == ["usr/local/bin/hartslag"]
    service.remove(place)
    assert place.command.read_text() == "#!/bin/sh\necho mine\n"


def test_an_installation_by_hand_is_replaced(place: Place) -> None:
    """Protects the card of who followed the older pages, with an environment right in /opt/hartslag."""
    linked_program(place.program, ROOT)
    install(place)
    assert sorted(p.name for p in place.program.iterdir()) == ["current", "lock", "versions"]


def test_taken_away_it_leaves_data_and_settings_alone(place: Place) -> None:
    """Protects years of heart rates from `make uninstall`, and the system from litter."""
    assert not service.remove(place)
    install(place)
    (place.data / "inbox" / "run.fit").write_bytes(b"FIT")
    assert service.remove(place)
    assert everything_but_data(place) == ["etc/hartslag/hartslag.toml"]
    assert (place.data / "inbox" / "run.fit").exists()
    assert (place.data / "store" / "hartslag.db").exists()


def test_bluetooth_is_let_on_and_nothing_else(tmp_path: Path) -> None:
    """Protects who has a new Raspberry Pi OS, which blocks Bluetooth, and an aeroplane switch for Wi-Fi that they want."""
    for name, kind in (("rfkill0", "bluetooth"), ("rfkill1", "wlan")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "type").write_text(f"{kind}\n")
        (tmp_path / name / "soft").write_text("1\n")
    service.unblock_bluetooth(tmp_path)
    assert (tmp_path / "rfkill0" / "soft").read_text() == "0"
    assert (tmp_path / "rfkill1" / "soft").read_text() == "1\n"


def test_without_room_nothing_is_begun(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects a nearly full card: what is needed and what is free is said before minutes of work."""
    usage = shutil.disk_usage(place.root.parent)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=100 << 20))
    with pytest.raises(Stop, match=r"270 MB are needed .* 100 are free"):
        install(place)
    assert not place.root.exists()
