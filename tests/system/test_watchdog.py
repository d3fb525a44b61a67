"""Parts that go on, and one that does not."""

import asyncio
import threading
from datetime import timedelta

from ingest.system.watchdog import Watchdog


def test_one_that_hangs_is_named() -> None:
    """Protects against a daemon of which systemd hears that all is well while a part of it stands still."""
    now_s, stop = 0.0, threading.Event()
    watchdog = Watchdog(lambda: now_s)
    inbox, store = watchdog.part("the inbox", stop), watchdog.part("the store", stop)
    now_s = 10.0
    inbox.mark()
    assert watchdog.silent(10) == []
    now_s = 11.0
    assert watchdog.silent(10) == ["the store"]
    assert store.going_on(), "to be asked is to go on"
    assert watchdog.silent(10) == []
    stop.set()
    assert not inbox.going_on()


def test_one_that_has_ended_is_not_waited_for() -> None:
    """Protects the end: what is over hangs no more."""
    now_s = 0.0
    watchdog = Watchdog(lambda: now_s)
    watchdog.part("the inbox", threading.Event()).ended = True
    now_s = 99.0
    assert watchdog.silent(10) == []


def test_nobody_is_told_that_all_is_well_while_a_part_hangs() -> None:
    """Protects against a daemon of which only the event loop turns: systemd must hear nothing then, and start it anew."""
    now_s, told = 0.0, 0
    watchdog = Watchdog(lambda: now_s)
    part = watchdog.part("the inbox", threading.Event())

    def say_alive() -> None:
        nonlocal told
        told += 1

    async def look_on() -> tuple[int, int, int]:
        nonlocal now_s
        watching = asyncio.create_task(watchdog.watch(say_alive, timedelta(milliseconds=1)))
        await asyncio.sleep(0.02)
        well = told
        now_s = 1.0
        await asyncio.sleep(0.01)  # what was being said is said
        hanging = told
        await asyncio.sleep(0.05)
        still_hanging = told
        part.mark()
        await asyncio.sleep(0.05)
        watching.cancel()
        assert still_hanging == hanging
        return well, hanging, told

    well, hanging, after = asyncio.run(look_on())
    assert well > 0
    assert after > hanging
    asyncio.run(watchdog.watch(say_alive, None))  # nobody listens: it is over at once
    assert told == after
