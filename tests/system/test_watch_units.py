"""What starts when a watch is plugged in: the rule of udev, and two units, of which one is root and does next to nothing."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from ingest import cli
from tests.support import needs

FOLDER = Path(__file__).parents[2] / "systemd"
FETCH, MOUNT = FOLDER / "hartslag-watch@.service", FOLDER / "hartslag-watch-mount@.service"
RULE = FOLDER / "udev.rules.d" / "70-hartslag-watch.rules"
MOST_EXPOSED = {FETCH: 1.4, MOUNT: 4.0}
"""Of 10, by systemd's own measure. The daemon has 1.4; mounting is what only root may do, where all others can see it."""


def command(unit: Path, name: str) -> list[str]:
    """The words of a command of a unit."""
    (found,) = re.findall(rf"^{name}=(.*)$", unit.read_text(), re.MULTILINE)
    return shlex.split(found)


def test_verify(tmp_path: Path) -> None:
    """The judge itself finds no fault with the units; the program, not installed here, is stood in for."""
    analyze = needs.program("systemd-analyze", "apt install systemd")
    for unit in (FETCH, MOUNT):
        text = re.sub(r"/opt/hartslag/current/bin/\w+", "/bin/true", unit.read_text())
        for name in (unit.name, unit.name.replace("@", "@bus-usb-001-012")):
            (tmp_path / name).write_text(text)
    done = subprocess.run(
        [analyze, "verify", *map(str, tmp_path.glob("*@bus*"))], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert "hartslag" not in done.stderr


@pytest.mark.parametrize("unit", [FETCH, MOUNT], ids=lambda u: u.name)
def test_exposure(unit: Path) -> None:
    """What copies from a watch is contained as the daemon is; what must be root has the one power to mount."""
    analyze = needs.program("systemd-analyze", "apt install systemd")
    done = subprocess.run(
        [analyze, "security", "--offline=yes", "--threshold=100", "--no-pager", str(unit)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if "unrecognized option" in done.stderr or "Unknown operation" in done.stderr:
        pytest.skip("this systemd is too old to judge a unit that is not installed")
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert found
    assert float(found[1]) <= MOST_EXPOSED[unit]


def test_the_rule_is_one() -> None:
    """The judge of udev finds no fault with the rule."""
    judge = needs.program("udevadm", "apt install udev")
    done = subprocess.run([judge, "verify", str(RULE)], capture_output=True, text=True, check=False)
    if "Unknown command" in done.stderr or "verify" not in subprocess.getoutput(f"{judge} --help"):
        pytest.skip("this udev is too old to judge a rule (254 can)")
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_belongs_together_has_the_same_name() -> None:
    """Protects from a watch that is plugged in and nothing happens, as one name in a chain of four was changed."""
    rule = RULE.read_text()
    assert re.findall(r'SYSTEMD_WANTS}\+="([\w-]+@)', rule) == ["hartslag-watch@", "hartslag-watch@"]
    assert f"Requires={MOUNT.name.replace('@', '@%i')}" in FETCH.read_text()
    (show, device, folder) = command(MOUNT, "ExecStart")[-3:]
    assert (show, device, folder) == ("show", "/dev/%I", "/run/hartslag-watch/%i")
    assert command(MOUNT, "ExecStop")[-2:] == ["hide", folder]
    assert command(FETCH, "ExecStart")[-3:] == ["--note", f"{folder}.json", folder]
    for unit in (FETCH, MOUNT):
        assert "BindsTo=dev-%i.device" in unit.read_text()


def test_the_program_knows_the_commands_of_the_units(tmp_path: Path) -> None:
    """Protects the units from options that the program has no more."""
    show = command(MOUNT, "ExecStart")[1:-3]
    done = subprocess.run([sys.executable, *show, "help"], capture_output=True, text=True, check=False)
    assert "usage:" in done.stderr
    words = [w.replace("/run/hartslag-watch/%i", str(tmp_path)) for w in command(FETCH, "ExecStart")[1:]]
    found = CliRunner().invoke(cli.hartslag, ["--data", str(tmp_path / "data"), *words])
    assert (found.exit_code, found.output) == (0, "")


@pytest.mark.parametrize("unit", [FETCH, MOUNT, RULE], ids=lambda u: u.name)
def test_every_line_is_explained(unit: Path) -> None:
    """Each group of settings stands below the reason for it, so that nobody loosens one without reading why."""
    for block in unit.read_text().split("\n\n"):
        first = block.splitlines()[0]
        assert first in {"[Unit]", "[Service]"} or first.startswith(("#", "ACTION", "LABEL")), block
