"""Installed, used, copied, taken away and put back in a bare Debian, by the commands of the pages: python -m tests.bench.bare_system.

Needs root, debootstrap, systemd-nspawn, fusefat, and the network for packages of Debian and of PyPI. `trixie` (the default), `bookworm`
or several may be named; a folder behind --root is where the bare systems are made, and kept for the next time. Each is
booted, so that systemd is the real one, and every command is typed by an ordinary user who has sudo. Five to fifteen minutes for
each, by how busy the machine is.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from ingest.demo.fit_encoder import ERA, workout
from tests.support.watches import make_watch

CHECKOUT = Path(__file__).parents[2]
BARE = "systemd,systemd-sysv,dbus,sudo,ca-certificates"
NEEDED = "git make python3 python3-venv"
"""What the first line of README installs."""

FOR_THE_BENCH = "bindfs"
"""Plays the program that shows a watch which speaks MTP."""

CONFIGURED = ("etc/resolv.conf", "etc/pip.conf", "etc/ssl/certs/ca-certificates.crt")
"""Files by which this machine reaches the network, if it has them."""

UNITS = {"hartslag.service": 14, "hartslag-watch@.service": 14, "hartslag-watch-mount@.service": 36}
"""How far each may be exposed, in tenths. What mounts has to be root, and cannot have a view of its own of what is mounted."""

PATIENCE_S = 180


@dataclass(frozen=True)
class Machine:
    """A system that runs in a folder, by the number of its first process."""

    root: Path
    init: int

    def asked(self, command: str, *, user: str = "pi", fails: bool = False) -> str:
        """What a command says, typed by a user in the folder of the checkout."""
        within = ["nsenter", "-t", str(self.init), "-m", "-u", "-i", "-n", "-p", "-r", "-w"]
        typed = f"cd /home/pi/hartslag 2>/dev/null; {command}"
        environ = {k: v for k, v in os.environ.items() if k.startswith("PIP_") or "CERT" in k}
        environ |= {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "LANG": "C.UTF-8",
        }
        done = subprocess.run(
            [*within, "su", user, "-s", "/bin/sh", "-c", typed],
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        shown = "".join(f"      {line}\n" for line in done.stdout.splitlines()[-4:])
        print(f"  {user}{'#' if user == 'root' else '$'} {command}\n{shown}", end="", flush=True)
        assert (done.returncode != 0) == fails, done.stdout
        assert "Traceback" not in done.stdout, done.stdout
        return done.stdout

    def until(self, command: str, words: str) -> None:
        """Ask again and again until an answer has some words."""
        end_s = time.monotonic() + PATIENCE_S
        while words not in (said := self.asked(f"{command} || true")):
            assert time.monotonic() < end_s, said
            time.sleep(3)

    def put(self, path: str, content: str | bytes) -> None:
        """A file in the system, for everybody to read."""
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content.encode() if isinstance(content, str) else content)


# --- a system ---


def make_bare(root: Path, release: str) -> None:
    """A bare system of a release of Debian, reaching the network as this one does."""
    if not (root / "etc/debian_version").exists():
        words = ["debootstrap", "--variant=minbase", f"--include={BARE}", release, str(root)]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    for name in CONFIGURED:
        if Path("/", name).exists():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(Path("/", name), root / name)
    (root / "etc/hosts").write_text(f"127.0.0.1 localhost {os.uname().nodename}\n")
    # What waits for a network of its own would wait in vain, and a machine that is cleared has no number.
    (root / "etc/machine-id").write_text("")


@contextmanager
def booted(root: Path, stick: Path) -> Iterator[Machine]:
    """The system, started as a machine of its own that has a stick."""
    words: list[str | Path] = [
        "systemd-nspawn",
        "-q",
        "-D",
        root,
        "--register=no",
        "--keep-unit",
        f"--bind={stick}:/media/hartslag",
    ]
    with (root.parent / f"{root.name}.boot.log").open("w") as log:
        process = subprocess.Popen([*words, "--boot"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            yield Machine(root, _first_process(process))
        finally:
            process.terminate()  # is asked of it as the power button would
            try:
                process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _first_process(nspawn: "subprocess.Popen[bytes]") -> int:
    """The number of the system's first process, once the system is up."""
    children, end_s = Path(f"/proc/{nspawn.pid}/task/{nspawn.pid}/children"), time.monotonic() + PATIENCE_S
    while time.monotonic() < end_s and nspawn.poll() is None:
        for init in children.read_text().split():
            asked = ["nsenter", "-t", init, "-m", "-p", "-r", "-w", "systemctl", "is-system-running"]
            done = subprocess.run(asked, capture_output=True, text=True, check=False)
            if done.stdout.strip() in {"running", "degraded"}:
                return int(init)
        time.sleep(0.5)
    raise AssertionError("the system did not start: see its .boot.log")


@contextmanager
def stick_of_fat(folder: Path) -> Iterator[Path]:
    """A stick as it is bought, for everybody to write to: by the kernel where it knows how, or else by a program."""
    image, place = folder / "stick.img", folder / "stick"
    with image.open("wb") as out:
        out.truncate(64 << 20)
    place.mkdir()
    subprocess.run(["mkfs.vfat", "-n", "HARTSLAG", image], check=True, capture_output=True)
    if "vfat" in Path("/proc/filesystems").read_text().split():
        subprocess.run(["mount", "-o", "loop,umask=0000", image, place], check=True)
    else:
        subprocess.run(["fusefat", "-o", "rw+,allow_other", image, place], check=True, capture_output=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", place], check=True)


# --- the way of an owner ---


def prepare(m: Machine) -> None:
    """The first lines of README, by a user of a new computer; nothing of an earlier walk is left."""
    wanted = f"{NEEDED} {FOR_THE_BENCH}"
    m.asked(
        f"dpkg -s {wanted} >/dev/null 2>&1 || {{ apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get install -y -q {wanted} >/dev/null; }}",
        user="root",
    )
    m.asked(
        "id pi >/dev/null 2>&1 || useradd -m pi; echo 'pi ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/pi; chmod 700 /home/pi",
        user="root",
    )
    home = m.root / "home/pi"
    shutil.rmtree(home / "hartslag", ignore_errors=True)
    left = ("__pycache__", "data", ".venv", "build", "demo", ".*_cache", ".hypothesis")
    shutil.copytree(CHECKOUT, home / "hartslag", ignore=shutil.ignore_patterns(*left))
    for day in range(3):
        samples = [100 + (i + 7 * day) % 40 for i in range(900)]
        m.put(f"home/pi/run{day}.fit", workout(1_700_000_000 + day * 86_400 - ERA, samples))
    m.asked("chown -R pi:pi /home/pi; chmod 600 /home/pi/*.fit", user="root")
    remove_all(m)


def remove_all(m: Machine) -> None:
    """As the pages say for who wants none of it any more."""
    m.asked("test ! -e /opt/hartslag || sudo make uninstall")
    m.asked("sudo rm -rf /var/lib/hartslag /etc/hartslag; ! id hartslag 2>/dev/null || sudo userdel hartslag")
    m.asked("sudo rm -rf /etc/systemd/system/hartslag*; sudo systemctl daemon-reload")


def install(m: Machine) -> None:
    """One command, and what it promises."""
    assert "sudo hartslag setup" in m.asked("umask 077; sudo make install")
    m.asked("systemctl is-enabled hartslag && systemctl is-active hartslag")
    assert "put sudo before" in m.asked("hartslag week", fails=True)
    for unit, exposed in UNITS.items():
        instance = unit.replace("@", "@bus-usb-001-012")
        assert not m.asked(f"systemd-analyze verify {instance} 2>&1 | grep hartslag || true", user="root")
        m.asked(
            f"systemd-analyze security --offline=yes --threshold={exposed} --no-pager /etc/systemd/system/{unit} | tail -1",
            user="root",
        )


def use(m: Machine) -> None:
    """A file by hand, and one through the inbox, which the running daemon takes."""
    assert "stored" in m.asked("sudo hartslag add ~/run0.fit")
    m.asked("sudo usermod -aG hartslag pi")
    m.asked("cp ~/run1.fit /var/lib/hartslag/inbox/")
    # Its mode came along, by which nobody but pi may read it: the line that mends it is said.
    said = " ".join(m.asked("sudo hartslag status").split())
    (line,) = re.findall(r"let it be read: (chmod a\+r \S+)", said)
    m.asked(line)
    has(m, 1800)
    assert "FAIL" not in m.asked("cd / && sudo hartslag check")
    assert not m.asked("find /var/lib/hartslag /home/pi/hartslag -user root", user="root")
    assert not m.asked("find /var/lib/hartslag -user hartslag -perm /007 ! -type l", user="root")


def has(m: Machine, samples: int) -> None:
    m.until("sudo hartslag status", f"{samples} samples")
    assert "The daemon runs" in m.asked("sudo hartslag status")


def watch(m: Machine) -> None:
    """What udev starts when a watch that speaks MTP is plugged in: both units, as contained as they are.

    The line to a device is left out, as a container has none; a program that shows a folder plays that of Debian.
    """
    make_watch(m.root / "srv/watch", 3)
    m.asked("chmod -R a+rX /srv/watch; test -e /dev/fuse || mknod /dev/fuse c 10 229", user="root")
    m.put("usr/local/bin/jmtpfs", '#!/bin/sh\nexec bindfs -r /srv/watch "$1" -o allow_other\n')
    m.asked("chmod 755 /usr/local/bin/jmtpfs", user="root")
    for name in ("hartslag-watch@.service", "hartslag-watch-mount@.service"):
        text = (m.root / "etc/systemd/system" / name).read_text()
        m.put(f"run-units/{name}", re.sub(r"dev-%i\.device *", "", text))
    m.asked(
        "mkdir -p /run/systemd/system.control && cp /run-units/* /run/systemd/system.control/", user="root"
    )
    m.asked("systemctl daemon-reload && systemctl start hartslag-watch@bus-usb-001-012", user="root")
    m.asked("rm -r /run/systemd/system.control/hartslag* /run-units; systemctl daemon-reload", user="root")
    assert "3 new files fetched" in m.asked("sudo hartslag status")
    m.until("mount | grep hartslag-watch || echo gone", "gone")
    has(m, 1800 + 3 * 120)


def keep_copies(m: Machine) -> None:
    """The lines of the page about a stick, and what they lead to."""
    page = (CHECKOUT / "docs/update-back-up-remove.md").read_text()
    (lines,) = re.findall(r"```ini\n(\[Service\]\nReadWritePaths=.*?)```", page, re.DOTALL)
    m.put("etc/systemd/system/hartslag.service.d/override.conf", lines)
    m.asked(
        "printf '[backup]\\nfolder = \"/media/hartslag/copies\"\\n' | sudo tee -a /etc/hartslag/hartslag.toml"
    )
    m.asked("sudo systemctl daemon-reload && sudo systemctl restart hartslag")
    m.until("sudo hartslag status", "Copies in /media/hartslag/copies: the only one is")
    assert "read again" in m.asked("sudo hartslag backup ~/copy.zip")
    assert m.asked("stat -c %U ~/copy.zip").strip() == "pi"


def update(m: Machine, samples: int) -> None:
    """The same command again: all stays, and it is the version of the checkout that runs then."""
    assert "up to date" in m.asked("umask 000; sudo make install")
    has(m, samples)
    assert not m.asked("find /opt/hartslag -perm /002 ! -type l", user="root")


def uninstall(m: Machine, samples: int) -> None:
    """Taken away, nothing but the data is left; installed again, all is there."""
    m.asked("sudo make uninstall")
    for gone in ("/opt/hartslag", "/usr/local/bin/hartslag", "/etc/systemd/system/hartslag.service"):
        m.asked(f"test ! -e {gone}")
    assert not m.asked(
        "ls /etc/systemd/system/hartslag* /etc/udev/rules.d/*hartslag* 2>/dev/null || true"
    ).replace("/etc/systemd/system/hartslag.service.d:\noverride.conf\n", "")
    m.asked("sudo make install")
    has(m, samples)


def restore(m: Machine, place: str, samples: int) -> None:
    """On a new computer: installed, and then the three lines of the page; what is there then is never overwritten."""
    remove_all(m)
    m.asked("sudo make install")
    m.asked("sudo systemctl stop hartslag")
    m.asked(f"sudo hartslag restore {place}")
    m.asked("sudo systemctl start hartslag")
    has(m, samples)
    assert "FAIL" not in m.asked("sudo hartslag check")
    m.asked("sudo grep /media/hartslag/copies /etc/hartslag/hartslag.toml")
    assert "stored" in m.asked("sudo hartslag add ~/run2.fit")
    assert not m.asked("find /var/lib/hartslag -user root", user="root")
    m.asked("sudo systemctl stop hartslag")
    assert "--set-aside" in m.asked(f"sudo hartslag restore {place}", fails=True)
    m.asked("sudo systemctl start hartslag")
    has(m, samples + 900)


def walk(m: Machine) -> None:
    """All of it."""
    began_s = time.monotonic()
    samples = 1800 + 3 * 120
    prepare(m)
    install(m)
    use(m)
    watch(m)
    keep_copies(m)
    update(m, samples)
    uninstall(m, samples)
    restore(m, "/media/hartslag/copies", samples)
    # As a desktop shows a stick: nobody but who sits there can look into it.
    m.asked("mkdir -p ~/private && chmod 700 ~/private && mv ~/copy.zip ~/private/")
    restore(m, "/home/pi/private/copy.zip", samples)
    remove_all(m)
    print(f"  {time.monotonic() - began_s:.0f} s")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.bare_system")
    parser.add_argument("releases", nargs="*", default=["trixie"])
    parser.add_argument("--root", type=Path)
    wanted = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("It makes whole systems: run it as root.")
    for release in wanted.releases:
        print(f"{release}:")
        with tempfile.TemporaryDirectory() as passing, ExitStack() as ends:
            root = (wanted.root or Path(passing)) / release
            root.mkdir(parents=True, exist_ok=True, mode=0o755)
            make_bare(root, release)
            stick = ends.enter_context(stick_of_fat(Path(passing)))
            walk(ends.enter_context(booted(root, stick)))


if __name__ == "__main__":
    main()
