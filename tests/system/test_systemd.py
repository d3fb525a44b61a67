"""The unit keeps its promises, and systemd hears what the daemon tells it."""

import os
import re
import shutil
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from ingest.collect.recorder import LAST_TRY_S
from ingest.daemon.supervisor import LET_GO_S
from ingest.errors import WrongSettings
from ingest.system import systemd

FOLDER = Path(__file__).parents[2] / "systemd"
UNIT = FOLDER / "hartslag.service"
PROGRAM = "/opt/hartslag/current/bin/hartslag"


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[socket.socket]:
    """A real datagram socket in systemd's place."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(10)
        yield listening


def run(code: str, **environ: str) -> str:
    """What a process of its own prints: the connection to systemd is made once in the life of a process."""
    clean = {k: v for k, v in os.environ.items() if k != "NOTIFY_SOCKET"}
    done = subprocess.run(
        [sys.executable, "-c", "from ingest.system import systemd\n" + code],
        env={**clean, **environ}, capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def unit() -> dict[str, list[str]]:
    settings: dict[str, list[str]] = {}
    for line in UNIT.read_text(encoding="utf-8").splitlines():
        if line and line[0] not in "#[":
            key, _, value = line.partition("=")
            settings.setdefault(key, []).append(value)
    return settings


def needs(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed on this machine, so nobody can judge the files here")
    return found


# --- what it is told --------------------------------------------------------------------------------------


def test_a_life(listening: socket.socket) -> None:
    """The daemon says that it is ready, what it is at, that it is alive and that it ends, in this order."""
    code = "systemd.ready()\nsystemd.status('hoi Zoë 走\\nREADY=0')\nsystemd.alive()\nsystemd.stopping()"
    run(code, NOTIFY_SOCKET=listening.getsockname())
    assert [listening.recv(200).decode("utf-8") for _ in range(4)] == [
        "READY=1",
        "STATUS=hoi Zoë 走 READY=0",
        "WATCHDOG=1",
        "STOPPING=1",
    ]


def test_parts_that_speak_first_at_once_are_all_heard(listening: socket.socket) -> None:
    """Protects the start: of two threads that found the connection at once one failed, or nobody heard that all is ready."""
    code = (
        "import sys, threading\n"
        "sys.setswitchinterval(1e-6)\n"
        "together = threading.Barrier(8)\n"
        "def speak():\n"
        "    together.wait()\n"
        "    systemd.alive()\n"
        "parts = [threading.Thread(target=speak) for _ in range(8)]\n"
        "for part in parts: part.start()\n"
        "for part in parts: part.join()\n"
    )
    run(code, NOTIFY_SOCKET=listening.getsockname())
    assert [listening.recv(200) for _ in range(8)] == [b"WATCHDOG=1"] * 8


def test_children_do_not_speak_for_the_daemon(listening: socket.socket) -> None:
    """What a child inherits does not let it say that all is well."""
    code = "import os, subprocess, sys\nsystemd.ready()\nprint(os.environ.get('NOTIFY_SOCKET'))\n"
    code += "subprocess.run([sys.executable, '-c', 'import os; print(os.environ.get(\"NOTIFY_SOCKET\"))'])"
    assert set(run(code, NOTIFY_SOCKET=listening.getsockname()).split()) == {"None"}
    assert listening.recv(200) == b"READY=1"


def test_without_systemd() -> None:
    """At a terminal the same calls do nothing, and do not even load the library."""
    code = "import sys\nsystemd.ready(); systemd.alive(); systemd.status('x'); systemd.stopping()\n"
    assert run(code + "print('sdnotify' in sys.modules)").strip() == "False"


def test_when_systemd_has_gone(tmp_path: Path) -> None:
    """A socket that nobody listens to any more does not end the daemon."""
    run("systemd.ready(); systemd.alive()", NOTIFY_SOCKET=str(tmp_path / "gone"))


def test_how_often_it_wants_to_hear() -> None:
    """The daemon speaks twice as often as systemd needs, and only when it is meant."""
    assert systemd.every({"WATCHDOG_USEC": "60000000"}) == timedelta(seconds=30)
    assert systemd.every({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": str(os.getpid())}) == timedelta(
        seconds=30
    )
    assert systemd.every({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1"}) is None
    assert systemd.every({"WATCHDOG_USEC": "0"}) is None
    assert systemd.every({}) is None
    assert systemd.every({"WATCHDOG_USEC": "often"}) is None


# --- the unit ---------------------------------------------------------------------------------------------


def test_verify(tmp_path: Path) -> None:
    """The judge itself finds no fault with the unit; the program, not installed here, is stood in for."""
    analyze = needs("systemd-analyze")
    copy = tmp_path / UNIT.name
    text = UNIT.read_text(encoding="utf-8")
    assert PROGRAM in text
    copy.write_text(text.replace(PROGRAM, "/bin/true"), encoding="utf-8")
    done = subprocess.run([analyze, "verify", str(copy)], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert UNIT.name not in done.stderr


def test_exposure() -> None:
    """By systemd's own measure, 0 to 10, hardly anything stays open to who takes the daemon over."""
    analyze = needs("systemd-analyze")
    done = subprocess.run(
        [analyze, "security", "--offline=yes", "--threshold=14", "--no-pager", str(UNIT)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if "unrecognized option" in done.stderr or "Unknown operation" in done.stderr:
        pytest.skip("this systemd is too old to judge a unit that is not installed")
    assert done.returncode == 0, done.stdout + done.stderr
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert found
    assert float(found[1]) <= 1.4


def test_what_the_unit_promises() -> None:
    """The lines without which the daemon would not start, not come back, or not reach a strap."""
    lines = unit()
    assert lines["ExecStart"] == [f"{PROGRAM} run"]
    assert lines["Type"] == ["notify"]
    assert lines["Restart"] == ["always"]
    assert lines["StartLimitIntervalSec"] == ["0"]
    assert lines["RestartPreventExitStatus"] == [str(WrongSettings.exit_code)]
    assert {"AF_UNIX", "AF_INET", "AF_INET6"} == set(lines["RestrictAddressFamilies"][0].split())
    assert lines["StateDirectoryMode"] == ["0750"]
    assert lines["UMask"] == ["0077"]
    # An order, in which it meets an adapter that is there from the start; and time to let straps go and to commit.
    assert {"bluetooth.target", "bluetooth.service", "dbus.service"} == set(lines["After"][0].split())
    assert int(lines["TimeoutStopSec"][0]) >= LET_GO_S + LAST_TRY_S
    # A process that reads files may be ended where memory is short, and may shut itself in.
    assert lines["OOMPolicy"] == ["continue"]
    assert {"landlock_create_ruleset", "landlock_restrict_self"} <= set(
        " ".join(lines["SystemCallFilter"]).split()
    )
    # With a made-up user D-Bus hangs up; with a group that may not exist nothing starts; the number of the boot
    # lies outside of what ProcSubset=pid shows; without the network and the right time it must start all the same.
    for absent in ("DynamicUser", "SupplementaryGroups", "ProcSubset", "Requires", "Wants", "BindsTo"):
        assert absent not in lines
    assert not {"network", "time-sync"} & set(
        re.findall(r"[\w-]+(?=-online\.target|\.target)", lines["After"][0])
    )


def test_every_line_of_the_unit_is_explained() -> None:
    """Each group of settings stands below the reason for it, so that nobody loosens one without reading why."""
    for block in UNIT.read_text(encoding="utf-8").split("\n\n"):
        lines = block.splitlines()
        if lines[0] not in {"[Unit]", "[Service]", "[Install]"}:
            assert lines[0].startswith("#"), block


@pytest.mark.root
def test_user_and_folders(tmp_path: Path) -> None:
    """User, groups and folders become what the unit and the store for Grafana need."""
    sysusers, tmpfiles = needs("systemd-sysusers"), needs("systemd-tmpfiles")
    (tmp_path / "etc").mkdir()
    root = f"--root={tmp_path}"
    subprocess.run(
        [sysusers, root, str(FOLDER / "sysusers.d/hartslag.conf")], check=True, capture_output=True
    )
    subprocess.run([tmpfiles, root, "--create", str(FOLDER / "tmpfiles.d/hartslag.conf")], check=True)
    groups = dict(line.split(":", 1) for line in (tmp_path / "etc/group").read_text().splitlines())
    user = dict(line.split(":", 1) for line in (tmp_path / "etc/passwd").read_text().splitlines())["hartslag"]
    assert user.endswith("/nologin")
    assert groups["bluetooth"].endswith(":hartslag")
    group = int(groups["hartslag"].split(":")[1])
    modes = {"": 0o750, "journal": 0o700, "store": 0o2770, "inbox": 0o2770}
    for name, mode in modes.items():
        found = (tmp_path / "var/lib/hartslag" / name).stat()
        assert stat.S_IMODE(found.st_mode) == mode
        assert found.st_gid == group
