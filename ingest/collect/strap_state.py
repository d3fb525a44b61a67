"""How a strap is: the states there are, their numbers, and what the owner can do about each."""

from dataclasses import dataclass
from types import MappingProxyType

from ingest.language import N_

_TABLE = (
    (0, N_("stopped"), N_("The daemon does not run: start it with `hartslag run`.")),
    (
        1,
        N_("searching"),
        N_("Put the strap on, moisten it and come nearer; a watch must broadcast its heart rate."),
    ),
    (2, N_("connecting"), ""),
    (3, N_("connected"), ""),
    (
        4,
        N_("silent"),
        N_("Moisten the electrodes, or take the strap off and put it on again; change its battery."),
    ),
    (
        5,
        N_("in use elsewhere?"),
        N_("Switch Bluetooth off on the phone or watch that uses it, or come nearer."),
    ),
    (10, N_("adapter off"), N_("Switch it on: bluetoothctl power on")),
    (11, N_("adapter blocked"), N_("Allow it: sudo rfkill unblock bluetooth")),
    (
        12,
        N_("adapter missing"),
        N_("Plug the adapter in; for one that is built in, switch the Pi off and on again."),
    ),
    (
        13,
        N_("no Bluetooth service"),
        N_("Start it: sudo systemctl enable --now bluetooth  (sudo apt install bluez)"),
    ),
    (14, N_("no permission"), N_("Join the group: sudo usermod -aG bluetooth $USER  (then log in anew)")),
    (
        15,
        N_("wedged"),
        N_("Start it anew: sudo systemctl restart bluetooth  (or switch the Pi off and on)"),
    ),
    (16, N_("unsupported"), N_("This adapter cannot speak Bluetooth Low Energy; plug in one that can.")),
    (20, N_("not a heart-rate sensor"), N_("Look for the right address with: hartslag scan")),
    (21, N_("another serial number"), N_("Look for the right name and serial number with: hartslag scan")),
    (
        22,
        N_("must be paired"),
        N_("Add  pair = true  below this [[strap]] in the settings, and start hartslag anew."),
    ),
)
"""Number, state, what to do. Numbers are never given anew: stores keep them, and Grafana's colours go by them.

Below 10 all is in order with this computer; from 10 on Bluetooth itself is not, from 20 on it is the wrong sensor.
"""

NUMBERS = MappingProxyType({state: number for number, state, _ in _TABLE})
"""StrapState -> its fixed whole number."""

STATES = tuple(NUMBERS)
"""All states there are."""

ADVICE = MappingProxyType({state: advice for _, state, advice in _TABLE})
"""StrapState -> what the owner can do, in plain words; empty where there is nothing to do."""


@dataclass(frozen=True, slots=True)
class StrapState:
    """How a strap is at one moment: one of `STATES`, why in plain words, and what is known of it."""

    state: str
    why: str = ""
    battery_pct: int | None = None
    signal_dbm: int | None = None
    reconnects: int = 0

    def __post_init__(self) -> None:
        if self.state not in NUMBERS:
            raise ValueError(f"there is no state {self.state!r}")

    @property
    def number(self) -> int:
        """The fixed number of the state, as stores keep it."""
        return NUMBERS[self.state]
