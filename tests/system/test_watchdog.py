"""Parts that go on, and one that does not."""

import subprocess
import sys
from pathlib import Path

import pytest

from ingest.system.watchdog import EX_HANGS, LOOK_S, Watchdog, WatchedPart


class Looks:
    """A watchdog whose clock goes on from look to look."""

    def __init__(self, *parts: WatchedPart) -> None:
        self.now_s = 0.0
        self.dog = Watchdog(lambda: self.now_s)
        for part in parts:
            self.dog.watch(part)

    def after(self, seconds: float) -> list[str]:
        """Which parts hang, as looked at every few seconds for so long."""
        found: list[WatchedPart] = []
        for _ in range(round(seconds / LOOK_S)):
            self.now_s += LOOK_S
            found = self.dog.hanging()
        return [part.name for part in found]


def test_one_that_hangs_is_named_after_its_own_limit() -> None:
    """Protects against a daemon of which systemd hears that all is well while a part of it stands still."""
    inbox, store = WatchedPart("the inbox", limit_s=60), WatchedPart("the store", limit_s=300)
    looks = Looks(inbox, store)
    assert looks.after(60) == []
    assert looks.after(5) == ["the inbox"]
    inbox.mark()
    assert looks.after(5) == []
    assert looks.after(235) == ["the inbox", "the store"]
    assert store.going_on(), "to be asked is to go on"
    inbox.end()
    assert not inbox.going_on()
    assert looks.after(5) == []


def test_one_that_rests_or_has_ended_is_not_waited_for() -> None:
    """Protects who waits for a strap, or for tomorrow: a wait that is meant to be long is no hang."""
    strap, pages = WatchedPart("the strap"), WatchedPart("the pages")
    looks = Looks(strap, pages)
    strap.rest()
    pages.ended = True
    assert looks.after(3600) == []
    strap.mark()
    assert looks.after(400) == ["the strap"]


def test_a_machine_that_slept_hangs_no_part() -> None:
    """Protects a daemon that was stopped, or starved, with all that is in its memory: only time that was watched counts."""
    part = WatchedPart("the inbox")
    looks = Looks(part)
    assert looks.after(100) == []
    looks.now_s += 8 * 3600
    assert looks.after(5) == []


def test_at_the_end_nothing_may_take_long() -> None:
    """Protects a stop of the machine: what has not ended in time is named, resting or not."""
    part = WatchedPart("the inbox")
    looks = Looks(part)
    part.rest()
    looks.dog.expect_end(25)
    assert looks.after(25) == []
    assert looks.after(5) == ["the inbox"]
    part.ended = True
    assert looks.after(5) == []


HANGS = """
import asyncio, sys, threading, time
from ingest.daemon.supervisor import Supervisor
from ingest.log import setup
setup(False)
told = []
supervisor = Supervisor(lambda key, trouble: told.append((key, trouble)))
def good(part):
    while part.going_on():
        part.wait(0.1)
def still(part):
    threading.Event().wait()
async def holds(part):
    await asyncio.sleep(0.1)
    time.sleep(1000)
async def lost(part):
    await asyncio.get_running_loop().create_future()
supervisor.add("good", "the good one", good)
if sys.argv[1] == "thread":
    supervisor.add("still", "the still one", still, limit_s=1)
else:
    supervisor.add_to_loop("still", "the still one", {"loop": holds, "task": lost}[sys.argv[1]], limit_s=1)
asyncio.run(supervisor.run(lambda: print("ready", flush=True)))
"""


@pytest.mark.parametrize("how", ["thread", "loop", "task"])
def test_a_part_that_hangs_ends_the_process(how: str) -> None:
    """Protects against a daemon that is there and deaf: whatever hangs is named and ends the process, so that systemd acts."""
    done = subprocess.run(
        [sys.executable, "-c", HANGS, how],
        capture_output=True, text=True, timeout=120, check=False, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.returncode == EX_HANGS
    assert done.stdout == "ready\n"
    assert "This hangs: the still one" in done.stderr
    assert "Traceback" not in done.stderr
