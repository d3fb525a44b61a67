"""The present of the made-up household: both cycle on, and their straps are heard beat by beat."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from functools import partial
from itertools import count
from random import Random
from typing import Any

from ingest.collect.connection import StrapOwner
from ingest.collect.recorder import Recorder
from ingest.collect.strap_state import StrapState
from ingest.demo.effort import INTERVALS, asked_bpm
from ingest.demo.heart import Heart, measurement
from ingest.demo.straps import NOT_HEARD, MadeUpStrap, robins_strap, sams_strap
from ingest.settings.model import Settings
from ingest.system.watchdog import WatchedPart

ROUND_S = 40 * 60
"""From a warm-up to the end of a cool-down; then it begins anew."""

HEARD_S, AWAY_S = 210, 12
"""How long a strap that drops out is heard, and then not."""

AIM_BPM, RESTING_BPM = 117, 60


def made_up_listeners(
    settings: Settings, owners: Sequence[str], recorder: Recorder
) -> dict[str, Callable[[WatchedPart], Coroutine[Any, Any, None]]]:
    """In place of the radio: two hearts, and the straps that hear them."""
    made_up = [make(owner) for owner in owners for make in (robins_strap, sams_strap)]
    wanted = {StrapOwner(owner, strap.source) for strap, owner in zip(settings.straps, owners, strict=True)}
    return {str(s.owner): partial(_listen, s, recorder) for s in made_up if s.owner in wanted}


async def _listen(strap: MadeUpStrap, recorder: Recorder, part: WatchedPart) -> None:
    """A notification a second into the recorder until cancelled, with pauses where a strap drops out."""
    loop = asyncio.get_running_loop()
    random = Random(strap.owner.source)
    battery = strap.battery_at_end
    told = _notifications(random)
    began_s = loop.time()
    try:
        for connected in count():
            connection = recorder.open_connection(strap.owner)
            signal = strap.signal_dbm(random)
            recorder.record_state(strap.owner, StrapState("connected", "", battery, signal, connected))
            try:
                for second, octets in told:
                    await asyncio.sleep(max(began_s + second - loop.time(), 0))
                    part.mark()
                    connection.receive(octets)
                    if strap.drops_out and second % HEARD_S == HEARD_S - 1:
                        break
            finally:
                connection.end()
            recorder.record_state(strap.owner, StrapState("searching", NOT_HEARD, battery, signal, connected))
            await asyncio.sleep(AWAY_S)
            began_s += AWAY_S
    finally:
        recorder.record_state(strap.owner, StrapState("stopped", "", battery))


def _notifications(random: Random) -> Iterator[tuple[int, bytes]]:
    """What a strap tells each second, for ever, round after round."""
    heart = Heart(random, RESTING_BPM, RESTING_BPM + 22)
    for number in count():
        for second, asked in enumerate(asked_bpm(ROUND_S, AIM_BPM, RESTING_BPM, INTERVALS, random)):
            bpm = heart.follow(asked)
            yield number * ROUND_S + second, measurement(bpm, heart.intervals())
