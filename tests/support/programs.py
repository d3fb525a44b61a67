"""Programs of the system that write down how they were called, for tests that must not change this machine."""

import sys
from pathlib import Path

SYSUSERS_TMPFILES = """#!/bin/sh
echo "$(basename "$0") $*" >> "{record}"
root=
for word; do case "$word" in --root=*) root="${{word#--root=}}";; esac; done
case "$0" in *tmpfiles)
    mkdir -p "$root/etc/hartslag"
    mkdir -p -m 750 "$root/var/lib/hartslag"
    for folder in journal store inbox; do mkdir -p -m 770 "$root/var/lib/hartslag/$folder"; done;;
esac
"""


def stand_ins(folder: Path) -> Path:
    """Stand-ins for what makes users, folders and services, in a folder for PATH; gives the file they write into."""
    folder.mkdir()
    record = folder / "called"
    for name in ("systemctl", "systemd-sysusers", "systemd-tmpfiles", "udevadm"):
        (folder / name).write_text(SYSUSERS_TMPFILES.format(record=record))
        (folder / name).chmod(0o755)
    record.touch()
    return record


def linked_program(environment: Path, _source: Path) -> None:
    """An environment that costs nothing to make: it leads to the packages that tests run with, and to the checkout."""
    (environment / "bin").mkdir(parents=True)
    (environment / "lib").symlink_to(Path(sys.prefix) / "lib")
    (environment / "pyvenv.cfg").write_text((Path(sys.prefix) / "pyvenv.cfg").read_text())
    python = environment / "bin" / "python"
    python.symlink_to(Path(sys.executable).resolve())
    command = environment / "bin" / "hartslag"
    command.write_text(f"#!{python}\nfrom ingest.cli import main\nmain()\n")
    command.chmod(0o755)
