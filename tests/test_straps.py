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

SLOW_S = 4.0
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
    """Protects what was delivered: of each killed life all is in the journal once, less its last five seconds."""
    data, chance = tmp_path / "data", random.Random(5)
    straps = {p: bluez.do(bluez.bluez.strap, a, period_s=PERIOD_S) for p, a in PEOPLE.items()}
    deaths_s, told = [0.0], {p: [0] for p in PEOPLE}
    for _ in range(3):
        with daemon(data, settings=SETTINGS) as process:
            for strap in straps.values():
                speaks(strap)
            time.sleep(chance.uniform(0, COMMIT_S + SLOW_S + 2))
            process.kill()
            process.wait()
            deaths_s.append(time.clock_gettime(time.CLOCK_BOOTTIME))
        # A bus that is slow to see the death goes on telling the dead.
        until(lambda: not bluez.bluez.subscribers, "the bus to see the death")
        for person, strap in straps.items():
            told[person].append(len(strap.delivered))
    with daemon(data, settings=SETTINGS):
        for strap in straps.values():
            speaks(strap, 20)
    for person, strap in straps.items():
        stored = recorded_payloads(journal(data), f"strap {PEOPLE[person]}")
        lives = [bisect(stored, (int(at_s * 1000),)) for at_s in deaths_s]
        for n in range(len(deaths_s) - 1):
            heard = [p for _, p in stored[lives[n] : lives[n + 1]]]
            said = strap.delivered[told[person][n] : told[person][n + 1]]
            assert heard == [d.payload for d in said[: len(heard)]]
            for lost in said[len(heard) : len(heard) + 1]:
                assert deaths_s[n + 1] - steady_s(lost) < COMMIT_S + SLOW_S
        last = [d.payload for d in strap.delivered[told[person][-1] :]]
        assert [p for _, p in stored[lives[-1] :]] == last
