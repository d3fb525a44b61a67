"""Straps on the virtual radio: what reached the Pi is in the journal, once, in order, whatever straps do."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ingest.settings.model import StrapSettings
from tests.support.air.clock import AirClock
from tests.support.air.heart import Wear
from tests.support.air.link import SUPERVISION_S
from tests.support.air.loop import LeapLoop, simulate, until
from tests.support.air.room import Room
from tests.support.air.strap import Strap as AirStrap
from tests.support.data_folder import Home, delivered_payloads, one_adapter, recorded_payloads, strap_of

A, B, C = "F0:00:00:00:00:01", "F0:00:00:00:00:02", "F0:00:00:00:00:03"


class Story:
    """A room, a home in it, a clock, and a journal."""

    def __init__(self, room: Room, folder: Path) -> None:
        self.room, self.clock, self.journal = room, AirClock(), folder / "journal.db"

    def home(self, *straps: StrapSettings) -> Home:
        """Begin a life of the listening process."""
        return Home(
            self.journal, self.clock, straps, backends=self.room.backends(), list_all=one_adapter
        ).begin()

    async def connected(self, home: Home, within_s: float = 60.0) -> float:
        return await until(
            lambda: all(s == "connected" for s in home.states), "a connection", within_s=within_s
        )


def more_than(strap: AirStrap, before: int) -> bool:
    return len(strap.delivered) > before


Play = Callable[[Callable[[Story], Coroutine[Any, Any, None]]], None]


@pytest.fixture
def play(tmp_path: Path) -> Play:
    """Run a story in a room."""

    def run(story: Callable[[Story], Awaitable[None]]) -> None:
        async def whole() -> None:
            async with Room() as room:
                await story(Story(room, tmp_path))

        simulate(whole)

    return run


def test_every_notification_is_recorded_once(play: Play) -> None:
    """Protects the whole path: four straps of two persons, every layout of the bytes, ten minutes."""

    async def story(s: Story) -> None:
        straps = [await s.room.strap(a, seed=i, phase_s=i / 7) for i, a in enumerate((A, B, C, A[:-1] + "4"))]
        straps[1].sensor.energy = True
        straps[2].sensor.wide = True
        straps[3].sensor.contact, straps[3].sensor.rr = "not supported", False
        home = s.home(*(strap_of(t.address, "Jan" if i % 2 else "Els") for i, t in enumerate(straps)))
        assert await s.connected(home) < 5
        await asyncio.sleep(600)
        await home.end()
        for strap in straps:
            assert len(strap.delivered) >= 599
            assert recorded_payloads(s.journal, f"strap {strap.address}") == delivered_payloads(
                strap.delivered, s.clock
            )
            assert not strap.connected  # it is free for a phone

    play(story)


def test_a_dropped_link_is_made_again_at_once(play: Play) -> None:
    """Protects the reconnect: each drop costs seconds, and nothing is doubled by the sessions before."""

    async def story(s: Story) -> None:
        strap = await s.room.strap()
        home = s.home(strap_of(A))
        await s.connected(home)
        for _ in range(5):
            await asyncio.sleep(20.4)
            await strap.drop()
            await asyncio.sleep(0.1)
            assert await s.connected(home) < 3
        await asyncio.sleep(20)
        await home.end()
        assert len(strap.delivered) > 100
        assert recorded_payloads(s.journal, f"strap {A}") == delivered_payloads(strap.delivered, s.clock)

    play(story)


def test_back_in_reach_it_is_heard_within_three_seconds(play: Play) -> None:
    """Protects the search that never ends and never grows slow: a minute or an hour away makes no difference."""

    async def story(s: Story) -> None:
        strap = await s.room.strap()
        home = s.home(strap_of(A))
        for away_s in (10.0, 60.0, 3600.0):
            await s.connected(home)
            await asyncio.sleep(10.3)
            strap.leave()
            assert await until(lambda: home.states != ["connected"], "the loss") < SUPERVISION_S + 0.2
            await asyncio.sleep(away_s - SUPERVISION_S)
            assert home.states == ["searching"]
            before = len(strap.delivered)
            strap.enter()
            assert await until(partial(more_than, strap, before), "a beat") < 3
        await home.end()
        assert recorded_payloads(s.journal, f"strap {A}") == delivered_payloads(strap.delivered, s.clock)

    play(story)


def test_a_short_absence_is_no_gap(play: Play) -> None:
    """Protects late notifications: what the link layer repeated belongs to the same session."""

    async def story(s: Story) -> None:
        strap = await s.room.strap()
        home = s.home(strap_of(A))
        await s.connected(home)
        for _ in range(10):
            await asyncio.sleep(20.3)
            strap.leave()
            await asyncio.sleep(SUPERVISION_S - 0.5)
            strap.enter()
        await asyncio.sleep(5)
        assert home.listeners[0].state.reconnects == 0
        await home.end()
        assert recorded_payloads(s.journal, f"strap {A}") == delivered_payloads(strap.delivered, s.clock)

    play(story)


def test_a_silent_link_is_given_up_and_made_again(play: Play) -> None:
    """Protects the watchdog: a link that stands and says nothing is left within 8 s, said, and tried for ever."""

    async def story(s: Story) -> None:
        strap = await s.room.strap()
        home = s.home(strap_of(A))
        await s.connected(home)
        await asyncio.sleep(30.3)
        strap.sensor.wear = "silent"
        assert 5 < await until(lambda: home.states == ["silent"], "the silence") < 8
        await asyncio.sleep(600)
        assert home.states == ["silent"]
        strap.sensor.wear = "worn"
        assert await s.connected(home) < 40
        await asyncio.sleep(30)
        await home.end()
        assert recorded_payloads(s.journal, f"strap {A}") == delivered_payloads(strap.delivered, s.clock)

    play(story)


def test_a_slow_strap_is_not_taken_for_a_silent_one(play: Play) -> None:
    """Protects straps with two listeners, which speak every 3 to 5 s: the watchdog follows the strap."""

    async def story(s: Story) -> None:
        strap = await s.room.strap(period_s=5.0)
        home = s.home(strap_of(A))
        await s.connected(home)
        await asyncio.sleep(900)
        assert home.listeners[0].state.reconnects == 0
        await home.end()
        assert len(strap.delivered) in {180, 181}
        assert recorded_payloads(s.journal, f"strap {A}") == delivered_payloads(strap.delivered, s.clock)

    play(story)


def test_a_strap_that_became_slow_is_waited_for(play: Play) -> None:
    """Protects against what was learnt of a strap: when a second listener makes it slower, its links are kept again."""

    async def story(s: Story) -> None:
        strap = await s.room.strap()
        home = s.home(strap_of(A))
        await s.connected(home)
        await asyncio.sleep(60)
        strap.period_s = 10.0
        await asyncio.sleep(120)
        before, reconnects = len(strap.delivered), home.listeners[0].state.reconnects
        await asyncio.sleep(600)
        assert home.listeners[0].state.reconnects == reconnects <= 3
        assert len(strap.delivered) - before >= 59
        await home.end()
        assert recorded_payloads(s.journal, f"strap {A}") == delivered_payloads(strap.delivered, s.clock)

    play(story)


@pytest.mark.parametrize("wear", ["contact", "zero", "frozen"])
def test_taken_off_is_no_reason_to_reconnect(play: Play, wear: Wear) -> None:
    """Protects what is not a fault of the link: no contact, zero bpm and a frozen value are kept, raw, in one session."""

    async def story(s: Story) -> None:
        strap = await s.room.strap()
        home = s.home(strap_of(A))
        await s.connected(home)
        await asyncio.sleep(60)
        strap.sensor.wear = wear
        await asyncio.sleep(300)
        strap.sensor.wear = "worn"
        await asyncio.sleep(60)
        assert home.states == ["connected"]
        assert home.listeners[0].state.reconnects == 0
        await home.end()
        assert len(strap.delivered) > 410
        assert recorded_payloads(s.journal, f"strap {A}") == delivered_payloads(strap.delivered, s.clock)

    play(story)


def test_a_stalled_process_loses_nothing(play: Play) -> None:
    """Protects the burst after a stall: 20 s at 20 a second come at once, all of them are kept, and the link too."""

    async def story(s: Story) -> None:
        strap = await s.room.strap(period_s=0.05)
        home = s.home(strap_of(A))
        await s.connected(home)
        await asyncio.sleep(30.01)
        loop = asyncio.get_running_loop()
        assert isinstance(loop, LeapLoop)
        loop.stall(20)
        await asyncio.sleep(30)
        assert home.listeners[0].state.reconnects == 0
        await home.end()
        assert len(strap.delivered) > 1150
        assert recorded_payloads(s.journal, f"strap {A}") == delivered_payloads(strap.delivered, s.clock)

    play(story)


def test_identical_values_are_all_kept(play: Play) -> None:
    """Protects a resting heart: the same bytes every second, or 100 ms apart, are as many measurements."""

    async def story(s: Story) -> None:
        strap = await s.room.strap(period_s=0.1)
        strap.sensor.wear = "frozen"
        home = s.home(strap_of(A))
        await s.connected(home)
        await asyncio.sleep(60)
        await home.end()
        assert len(strap.delivered) > 590
        assert recorded_payloads(s.journal, f"strap {A}") == delivered_payloads(strap.delivered, s.clock)

    play(story)


def test_any_bytes_are_kept_and_disturb_nothing(play: Play) -> None:
    """Protects against what no strap should say: kept as it came, and the link goes on."""

    async def story(s: Story) -> None:
        strap = await s.room.strap()
        home = s.home(strap_of(A))
        await s.connected(home)
        for payload in (b"", b"\x00", b"\x01\x48", b"\xff" * 20, b"\x10\x48\x00", b"\x16\x48" + bytes(18)):
            await asyncio.sleep(1.31)
            await strap.send(payload)
        await asyncio.sleep(5)
        assert home.listeners[0].state.reconnects == 0
        await home.end()
        assert recorded_payloads(s.journal, f"strap {A}") == delivered_payloads(strap.delivered, s.clock)

    play(story)


def test_a_phone_keeps_the_strap_it_has(play: Play) -> None:
    """Protects the one connection of a strap: it is waited for, and taken when the phone lets it go."""

    async def story(s: Story) -> None:
        strap = await s.room.strap()
        phone = await s.room.phone(strap)
        home = s.home(strap_of(A))
        await asyncio.sleep(600)
        assert home.states == ["searching"]
        await phone.disconnect()
        assert await s.connected(home) < 5
        await home.end()

    play(story)


def test_a_neighbours_strap_is_left_alone(play: Play) -> None:
    """Protects the neighbours: only what the settings name is ever connected to, whatever it is called."""

    async def story(s: Story) -> None:
        mine = await s.room.strap(A, name="HRM 7", serial="1")
        same_name = await s.room.strap(B, name="HRM 7", serial="2", seed=2)
        changing = await s.room.strap(C, name="Watch", serial="3", seed=3)
        stranger = await s.room.strap(A[:-1] + "9", name="Watch", serial="4", seed=4)
        mine.leave()
        home = s.home(strap_of(A), StrapSettings(name="Watch", serial="3", person="Els"))
        await asyncio.sleep(300)
        assert home.states[0] == "searching"  # though somebody else's strap of the same name is in reach
        mine.enter()
        await s.connected(home)
        await asyncio.sleep(1200)
        await home.end()
        assert mine.delivered
        assert changing.delivered
        assert not same_name.delivered
        assert not stranger.delivered
        assert recorded_payloads(s.journal, f"strap {A}") == delivered_payloads(mine.delivered, s.clock)
        assert recorded_payloads(s.journal, "strap Watch 3") == delivered_payloads(
            changing.delivered, s.clock
        )

    play(story)


def test_a_watch_is_known_under_any_address(play: Play) -> None:
    """Protects watches that take a new address at every start: name and serial number are who they are."""

    async def story(s: Story) -> None:
        watch = await s.room.strap(A, name="Watch", serial="77")
        await s.room.strap(C, name="Watch", serial="78", seed=5)
        home = s.home(StrapSettings(name="Watch", serial="77", person="Jan"))
        for i in range(4):
            await s.connected(home, within_s=30)
            await asyncio.sleep(60.2)
            await watch.readdress(f"F0:00:00:00:10:{i:02X}")
            await until(lambda: home.states != ["connected"], "the loss")
        await s.connected(home, within_s=30)
        await home.end()
        assert len(watch.delivered) > 230
        assert recorded_payloads(s.journal, "strap Watch 77") == delivered_payloads(watch.delivered, s.clock)

    play(story)


def test_what_the_advertisement_leaves_out(play: Play) -> None:
    """Protects devices whose advertisement does not name the heart rate service, and against those that have none."""

    async def story(s: Story) -> None:
        quiet = await s.room.strap(A, says_heart_rate=False)
        lamp = await s.room.strap(B, says_heart_rate=False, has_heart_rate=False)
        home = s.home(strap_of(A), strap_of(B))
        await until(lambda: home.states == ["connected", "not a heart-rate sensor"], "both", within_s=20)
        await asyncio.sleep(60)
        assert not lamp.connected
        await home.end()
        assert recorded_payloads(s.journal, f"strap {A}") == delivered_payloads(quiet.delivered, s.clock)
        assert len(quiet.delivered) > 50

    play(story)


def test_a_link_of_a_killed_life_is_taken_over(play: Play) -> None:
    """Protects the start after SIGKILL: BlueZ holds the link, no search would ever find the strap."""

    async def story(s: Story) -> None:
        strap = await s.room.strap()
        home = s.home(strap_of(A))
        await s.connected(home)
        await asyncio.sleep(33.3)
        await s.room.kill()
        await home.die()
        lost = len(strap.delivered) % 5 + 6
        assert strap.connected
        again = s.home(strap_of(A))
        assert await s.connected(again) < 5
        await asyncio.sleep(30)
        await again.end()
        delivered, came = (
            delivered_payloads(strap.delivered, s.clock),
            recorded_payloads(s.journal, f"strap {A}"),
        )
        assert len(delivered) - lost <= len(came) < len(delivered)
        assert [d for d in delivered if d in set(came)] == came

    play(story)


def test_the_wall_clock_may_jump(play: Play) -> None:
    """Protects sessions against NTP: set back three days, then an hour ahead, nothing is lost, cut or out of order."""

    async def story(s: Story) -> None:
        strap = await s.room.strap()
        home = s.home(strap_of(A))
        await s.connected(home)
        for step_h in (-72, 1):
            await asyncio.sleep(100)
            s.clock.set_wall(s.clock.wall_ms() + step_h * 3_600_000)
        await asyncio.sleep(100)
        assert home.listeners[0].state.reconnects == 0
        await home.end()
        assert recorded_payloads(s.journal, f"strap {A}") == delivered_payloads(strap.delivered, s.clock)

    play(story)


def test_links_that_end_at_one_age_are_explained(play: Play) -> None:
    """Protects who has an old kernel: sessions that all end after 40 s are named as what they are."""

    async def story(s: Story) -> None:
        strap = await s.room.strap()
        home = s.home(strap_of(A))
        for _ in range(4):
            await s.connected(home)
            await asyncio.sleep(39.7)
            await strap.drop()
            await until(lambda: home.states != ["connected"], "the loss")
        assert "kernel" in home.listeners[0].state.why
        await home.end()

    play(story)


def test_the_battery_is_followed(play: Play) -> None:
    """Protects who must change a battery: its level is known at once and followed."""

    async def story(s: Story) -> None:
        strap = await s.room.strap(battery_pct=55)
        home = s.home(strap_of(A))
        await s.connected(home)
        await asyncio.sleep(5)
        assert home.listeners[0].state.battery_pct == 55
        await strap.tell_battery(12)
        await asyncio.sleep(1)
        assert home.listeners[0].state.battery_pct == 12
        await home.end()

    play(story)
