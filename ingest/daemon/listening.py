"""Straps as parts of the daemon: the radio, each strap's listener, and the recorder that commits what they tell."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from ingest.daemon.supervisor import Stage, Supervisor
from ingest.settings.model import Settings
from ingest.system.watchdog import WatchedPart

if TYPE_CHECKING:
    from ingest.collect.recorder import Recorder

LONGEST_PAUSE_S = 5.0
"""Before the recorder or a listener that failed is started again: a short fault shall make a short gap."""

Listening = Callable[[WatchedPart], Awaitable[None]]
"""What listens until it is cancelled."""

Listeners = Callable[[Settings, Sequence[str], "Recorder"], Mapping[str, Listening]]
"""Gives what brings notifications of all straps to a recorder, by names for the log."""


def add_straps(
    supervisor: Supervisor,
    settings: Settings,
    owners: Sequence[str],
    listeners: Listeners,
    wake_stores: Callable[[], None],
) -> None:
    """Add the parts that listen to straps. What is heavy in them is loaded here, before anything runs."""
    from ingest.collect.recorder import Recorder
    from ingest.system.clock import SystemClock

    recorder = Recorder(settings.journal_file, SystemClock(), on_commit=wake_stores)
    supervisor.add(
        "recorder",
        "the straps' recorder",
        recorder.run,
        longest_pause_s=LONGEST_PAUSE_S,
        stage=Stage.RECORDING,
    )
    for name, listen in listeners(settings, owners, recorder).items():
        supervisor.add_to_loop(name, name, listen, longest_pause_s=LONGEST_PAUSE_S)


def listen_by_radio(
    settings: Settings, owners: Sequence[str], recorder: "Recorder"
) -> Mapping[str, Listening]:
    """The radio, and each strap of the settings."""
    from ingest.collect.connection import StrapOwner
    from ingest.collect.radio import Radio, load_backend
    from ingest.collect.strap import StrapListener

    load_backend()
    radio = Radio(settings.bluetooth.adapter)
    parts: dict[str, Listening] = {"the radio": radio.run}
    for strap, person in zip(settings.straps, owners, strict=True):
        listener = StrapListener(strap, StrapOwner(person, strap.source), radio, recorder)
        parts[listener.name] = listener.run
    return parts
