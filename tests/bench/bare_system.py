"""Installed, updated, taken away and put back in a bare Debian, by the commands of the pages: python -m tests.bench.bare_system.

Needs root, debootstrap, and the network for packages of Debian and of PyPI. `trixie` (the default), `bookworm` or several
may be named; a folder behind --root is where the bare systems are made, and kept for the next time. Where systemd-nspawn
can boot, tests on a real systemd are better still; here systemd is asked what it can say of a system that does not run.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ingest.demo.fit_encoder import ERA, workout

CHECKOUT = Path(__file__).parents[2]
BARE = "systemd,systemd-sysv,dbus,sudo,ca-certificates"
NEEDED = "git make python3 python3-venv"
"""What the first line of README installs."""

CONFIGURED = ("etc/resolv.conf", "etc/pip.conf", "etc/ssl/certs/ca-certificates.crt")
"""Files by which this machine reaches the network, if it has them."""


@contextmanager
def mounted(root: Path) -> Iterator[None]:
    """What a program expects of a running system, in a folder that is the root of another."""
    places = [root / name for name in ("proc", "sys", "dev")]
    for place in places:
        subprocess.run(["mount", "--rbind", f"/{place.name}", place], check=True)
        subprocess.run(["mount", "--make-rslave", place], check=True)
    try:
        yield
    finally:
        for place in reversed(places):
            subprocess.run(["umount", "-R", "-l", place], check=False)


def bare(root: Path, release: str) -> None:
    """A bare system of a release of Debian, reaching the network as this one does."""
    if not (root / "etc/debian_version").exists():
        words = ["debootstrap", "--variant=minbase", f"--include={BARE}", release, str(root)]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    for name in CONFIGURED:
        if Path("/", name).exists():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(Path("/", name), root / name)
    (root / "etc/hosts").write_text(f"127.0.0.1 localhost {os.uname().nodename}\n")


def asked(root: Path, command: str, *, user: str = "root", fails: bool = False) -> str:
    """What a command says in the system, typed by a user in the folder of the checkout."""
    words = [
        "chroot",
        str(root),
        "su",
        user,
        "-s",
        "/bin/sh",
        "-c",
        f"cd ~pi/hartslag 2>/dev/null; {command}",
    ]
    environ = {k: v for k, v in os.environ.items() if k.startswith("PIP_") or "CERT" in k}
    environ |= {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
    done = subprocess.run(
        words, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    print(f"  {user}$ {command}", flush=True)
    print("".join(f"      {line}\n" for line in done.stdout.splitlines()[-4:]), end="")
    assert (done.returncode != 0) == fails, done.stdout
    assert "Traceback" not in done.stdout, done.stdout
    return done.stdout


def walk(root: Path) -> None:
    """The way of somebody who installs, uses, updates, removes and installs again."""
    asked(
        root, f"apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get install -y -q {NEEDED} >/dev/null"
    )
    asked(
        root,
        "id pi 2>/dev/null || useradd -m pi; echo 'pi ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/pi; chmod 700 /home/pi",
    )
    shutil.rmtree(root / "home/pi/hartslag", ignore_errors=True)
    kept = ("data", ".venv", "build", "demo", ".*_cache")
    shutil.copytree(CHECKOUT, root / "home/pi/hartslag", ignore=shutil.ignore_patterns("__pycache__", *kept))
    (root / "home/pi/run.fit").write_bytes(workout(1_700_000_000 - ERA, [100 + i % 40 for i in range(900)]))
    asked(root, "chown -R pi:pi /home/pi; chmod 600 /home/pi/run.fit")

    asked(root, "test ! -e /opt/hartslag || make uninstall; rm -rf /var/lib/hartslag /etc/hartslag")
    assert "sudo hartslag setup" in asked(root, "umask 077; sudo make install", user="pi")
    assert "put sudo before" in asked(root, "hartslag week", user="pi", fails=True)
    assert "stored" in asked(root, "sudo hartslag add ~/run.fit", user="pi")
    assert "900" in asked(root, "cd / && sudo hartslag status", user="pi")
    asked(root, "sudo hartslag check", user="pi")
    assert not asked(root, "find /var/lib/hartslag ~pi/hartslag -user root")
    assert not asked(root, "find /var/lib/hartslag -perm /007")
    asked(root, "systemd-analyze verify /etc/systemd/system/hartslag.service")
    asked(root, "systemd-analyze security --offline=yes --threshold=14 --no-pager hartslag.service")
    asked(root, "systemctl is-enabled hartslag")

    assert "up to date" in asked(root, "umask 000; sudo make install", user="pi")
    assert "900" in asked(root, "sudo hartslag status", user="pi")
    assert not asked(root, "find /opt/hartslag -perm /002 ! -type l")

    asked(root, "sudo make uninstall", user="pi")
    asked(
        root,
        "test ! -e /opt/hartslag -a ! -e /usr/local/bin/hartslag -a ! -e /etc/systemd/system/hartslag.service",
    )
    asked(root, "sudo make install", user="pi")
    assert "900" in asked(root, "sudo hartslag status", user="pi")
    asked(root, "sudo make uninstall && rm -r /var/lib/hartslag /etc/hartslag && userdel hartslag")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.bare_system")
    parser.add_argument("releases", nargs="*", default=["trixie"])
    parser.add_argument("--root", type=Path)
    wanted = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("It makes whole systems: run it as root.")
    with tempfile.TemporaryDirectory() as passing:
        for release in wanted.releases:
            root = (wanted.root or Path(passing)) / release
            root.mkdir(parents=True, exist_ok=True, mode=0o755)
            print(f"{release}:")
            bare(root, release)
            with mounted(root):
                walk(root)


if __name__ == "__main__":
    main()
