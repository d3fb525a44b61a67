"""A household that loses its power: one run of the real daemon is written down, and cut short at any moment of it.

Each cut leaves what a disk may hold then; the daemon starts on that, and what came from outside is held against the journal.
"""

import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.daemons import settled
from tests.support.disk_trace import Change, Disk, read_changes, replay, strace
from tests.support.killed_household import HEARD, STRAPS, KilledHousehold, Tally


@dataclass
class Recorded:
    """One undisturbed life: what the disk was asked, and what came from outside."""

    data: Path
    changes: list[Change]
    outside: list[tuple[float, str, bytes]]
    told: dict[str, bytes]

    def up_to(self, address: str, at_s: float) -> bytes:
        """What a strap had told by then, as it is kept outside."""
        told = self.told[address]
        n = sum(when <= at_s for when, _ in HEARD.iter_unpack(told))
        return told[: n * HEARD.size]


def record(folder: Path, seed: int, seconds: float) -> Recorded:
    """Let a household live for so long, under strace."""
    home, log = KilledHousehold(folder, seed), folder / "disk.trace"
    inbox = home.data / "inbox"
    began_s = time.time()
    settings = [(began_s, str(home.data / "hartslag.toml"), (home.data / "hartslag.toml").read_bytes())]
    command = [sys.executable, "-m", "tests.support.killed_household", str(home.data), str(folder)]
    with (folder / "traced.log").open("w") as out:
        traced = subprocess.Popen([*strace(log), *command], stdout=out, stderr=out)
        while time.time() < began_s + seconds:
            home.drop_files()
            time.sleep(home.chance.uniform(0.2, 1.5))
        end_s = time.time() + 60
        while not settled(home.data) and time.time() < end_s:
            time.sleep(0.2)
        (child,) = [
            int(word) for word in Path(f"/proc/{traced.pid}/task/{traced.pid}/children").read_text().split()
        ]
        subprocess.run(["kill", f"-{signal.SIGTERM.value}", str(child)], check=True)
        traced.wait(60)
    dropped = [(at_s, str(inbox / name), home.sent[name]) for at_s, name in home.dropped]
    told = {address: (folder / f"{address}.told").read_bytes() for address in STRAPS}
    return Recorded(home.data, list(read_changes(log, home.data)), settings + dropped, told)


def cuts(recorded: Recorded, number: int, seed: int, share: int = 0, of: int = 1) -> Iterator[Tally]:
    """What is wrong after each of so many power cuts, at moments spread over all changes; every `of`-th is made here."""
    chance = random.Random(seed)
    moments = sorted(chance.sample(range(len(recorded.changes)), min(number, len(recorded.changes))))
    mine = set(moments[share::of])
    for i, (at_s, disk) in enumerate(replay(recorded.changes, recorded.outside)):
        if i in mine:
            yield _after_cut(recorded, at_s, disk, random.Random(f"{seed} {i}"))


def _after_cut(recorded: Recorded, at_s: float, disk: Disk, chance: random.Random) -> Tally:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        disk.cut_power(chance, folder / "disk")
        home = KilledHousehold(folder, 0, data=folder / "disk" / str(recorded.data).lstrip("/"))
        home.kills_s = [at_s]
        for when_s, path, data in recorded.outside[1:]:
            if when_s <= at_s:
                home.sent[Path(path).name] = data
        for address in STRAPS:
            (folder / f"{address}.told").write_bytes(recorded.up_to(address, at_s))
        home.recover(straps=False)
        return home.judge()
