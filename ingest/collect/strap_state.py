"""How a strap is: the states there are, their numbers, and what the owner can do about each."""

from dataclasses import dataclass
from types import MappingProxyType

_TABLE = (
    (0, "stopped", "The daemon does not run: start it with `hartslag run`."),
    (1, "searching", "Put the strap on, moisten it and come nearer; a watch must broadcast its heart rate."),
    (2, "connecting", ""),
    (3, "connected", ""),
    (4, "silent", "Moisten the electrodes, or take the strap off and put it on again; change its battery."),
    (5, "in use elsewhere?", "Switch Bluetooth off on the phone or watch that uses it, or come nearer."),
    (10, "adapter off", "Switch it on: bluetoothctl power on"),
    (11, "adapter blocked", "Allow it: sudo rfkill unblock bluetooth"),
    (12, "adapter missing", "Plug the adapter in; for one that is built in, switch the Pi off and on again."),
    (13, "no Bluetooth service", "Start it: sudo systemctl enable --now bluetooth  (sudo apt install bluez)"),
    (14, "no permission", "Join the group: sudo usermod -aG bluetooth $USER  (then log in anew)"),
    (
        15,
        "wedged",
        "Start it anew: sudo systemctl restart bluetooth  (or switch the Pi off and on)",
    ),
    (16, "unsupported", "This adapter cannot speak Bluetooth Low Energy; plug in one that can."),
    (20, "not a heart-rate sensor", "Look for the right address with: hartslag scan"),
    (21, "another serial number", "Look for the right name and serial number with: hartslag scan"),
    (
        22,
        "must be paired",
        "Add  pair = true  below this [[strap]] in the settings, and start hartslag anew.",
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
