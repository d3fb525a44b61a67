"""The whole daemon as a process beside BlueZ: straps, inbox and store together, and killed at any moment."""

import random
import time
from bisect import bisect
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.demo.fit_encoder import workout
from tests.support.air.heart import Delivered
from tests.support.bluez.bluez import Played, played
from tests.support.bluez.bus import Bus
from tests.support.bluez.strap import Strap
from tests.support.daemons import QUICK, daemon, journal, rows, settled, store, until
from tests.support.data_folder import recorded_payloads

PEOPLE = {"jan": "F0:00:00:00:00:01", "els": "F0:00:00:00:00:02"}

SETTINGS = QUICK + "".join(
    f'[[person]]\nname = "{person}"\n[[strap]]\naddress = "{address}"\nperson = "{person}"\n'
    for person, address in PEOPLE.items()
)

COMMIT_S = 5.0
"""What the daemon may lose when it is killed: it commits as often as that."""

PERIOD_S = 0.05
"""Between two notifications of a strap in the last test."""

SLOW_S = 2.0
"""What a commit may take where several things run at once."""


@pytest.fixture
def bluez(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Played]:
    with Bus(tmp_path) as bus, played(bus.address) as bluez:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
        yield bluez


def speaks(strap: Strap, times: int = 1) -> None:
    before = len(strap.delivered)
    until(lambda: len(strap.delivered) >= before + times, "notifications")


def steady_s(delivered: Delivered) -> float:
    """The clock of the journal, of a moment by the clock of the fake."""
    return delivered.at_s + time.clock_gettime(time.CLOCK_BOOTTIME) - time.monotonic()


def test_straps_inbox_and_store_together(tmp_path: Path, bluez: Played) -> None:
    """Protects the daemon as a whole: two straps and a file come in at once, and all of it is in the store."""
    data = tmp_path / "data"
    straps = {p: bluez.do(bluez.bluez.strap, a, period_s=0.2) for p, a in PEOPLE.items()}
    with daemon(data, settings=SETTINGS) as process:
        for strap in straps.values():
            speaks(strap, 10)
        (data / "inbox" / "jan").mkdir(exist_ok=True)
        (data / "inbox" / "jan" / "run.fit").write_bytes(
            workout(1_100_000_000, [110 + i % 20 for i in range(600)])
        )
        bluez.do(bluez.bluez.drop, straps["jan"])
        for strap in straps.values():
            speaks(strap, 30)
        until(lambda: rows(journal(data), "SELECT 1 FROM arrival WHERE filed"), "the file")
    assert process.returncode == 0
    assert settled(data), "a clean end brings the store to the journal's end"
    assert straps["els"].link is None
    for person, strap in straps.items():
        told = recorded_payloads(journal(data), f"strap {PEOPLE[person]}")
        assert [p for _, p in told] == [d.payload for d in strap.delivered]
        for (at, _), d in zip(told, strap.delivered, strict=True):
            assert -0.01 < at / 1000 - steady_s(d) < SLOW_S
        sql = "SELECT count(*) FROM heart_rate WHERE person = ? AND source LIKE 'strap %'"
        assert 20 < rows(store(data), sql, person)[0][0] <= len({at for at, _ in told})
    assert rows(store(data), "SELECT sum(measured_s) FROM minute WHERE person = 'jan'")[0][0] > 600


def test_killed_at_any_moment(tmp_path: Path, bluez: Played) -> None:
    """Protects what was delivered: all of it is in the journal once, less five seconds before each SIGKILL.

    Seconds are told by what the straps delivered meanwhile: a machine that is slow is slow for both sides.
    """
    data, chance, deaths = tmp_path / "data", random.Random(5), []
    straps = {p: bluez.do(bluez.bluez.strap, a, period_s=PERIOD_S) for p, a in PEOPLE.items()}
    for _ in range(3):
        with daemon(data, settings=SETTINGS) as process:
            for strap in straps.values():
                speaks(strap)
            time.sleep(chance.uniform(0, 8))
            process.kill()
            process.wait()
            deaths.append(time.monotonic())
    with daemon(data, settings=SETTINGS):
        for strap in straps.values():
            speaks(strap, 20)
    for person, strap in straps.items():
        came = iter(recorded_payloads(journal(data), f"strap {PEOPLE[person]}"))
        times = [d.at_s for d in strap.delivered]
        now = next(came, None)
        for i, d in enumerate(strap.delivered):
            stamp_s = None if now is None else d.at_s + now[0] / 1000 - steady_s(d)
            # Values repeat: what died with one life must not be taken for what the next one heard.
            if (
                now is not None
                and stamp_s is not None
                and now[1] == d.payload
                and abs(bisect(times, stamp_s) - i) < SLOW_S / PERIOD_S
                and bisect(deaths, stamp_s) == bisect(deaths, d.at_s)
            ):
                now = next(came, None)
            else:
                left = [bisect(times, death) - i for death in deaths]
                assert any(-0.1 < n * PERIOD_S < COMMIT_S + SLOW_S for n in left)
        assert now is None
