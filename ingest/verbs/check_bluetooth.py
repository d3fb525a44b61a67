"""Can straps be heard? The adapter and the service behind it, asked now; each strap, by what the daemon last heard of it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ingest.language import gettext as _
from ingest.language import said
from ingest.verbs.finding import FAIL, OK, WARN, Finding

if TYPE_CHECKING:
    from ingest.journal import Journal
    from ingest.settings.model import Settings

_FIRST_OF_COMPUTER, _FIRST_OF_SENSOR = 10, 20
"""Numbers of states: from the first on Bluetooth of this computer is not in order, from the second on it is the wrong sensor."""


def bluetooth_findings(settings: "Settings", journal: "Journal | None") -> Iterator[Finding]:
    """All there is to say of straps; nothing where the settings name none."""
    if not settings.straps:
        return
    yield _adapter(settings)
    if journal is not None:
        yield from _straps(settings, journal)


def _adapter(settings: "Settings") -> Finding:
    """Whether straps can be listened to now; asked of the system, nothing is searched for."""
    import asyncio

    from ingest.collect.adapter import NoBluetooth, find_adapter

    try:
        adapter = asyncio.run(find_adapter(settings.bluetooth.adapter))
    except NoBluetooth as e:
        return Finding(FAIL, "bluetooth", _("Bluetooth: {why}").format(why=said(e.why)), _(e.advice))
    told = _("Bluetooth: the adapter {address} ({name}) is on")
    return Finding(OK, "bluetooth", told.format(address=adapter.address, name=adapter.name))


def _straps(settings: "Settings", journal: "Journal") -> Iterator[Finding]:
    from ingest.system.lock import holder
    from ingest.verbs.status_straps import LOW_PCT, QUIET_S, strap_status

    runs = holder(settings.data) is not None
    for strap in settings.straps if runs else ():
        s = strap_status(journal, strap, runs=runs)
        called = strap.name or strap.address or strap.serial or ""
        words = {"strap": called, "person": s["person"], "state": _(s["state"])}
        if _FIRST_OF_COMPUTER <= s["state_no"] < _FIRST_OF_SENSOR:
            continue  # which is said above, as it is now
        told = _("Strap {strap} of {person}: {state}").format(**words)
        if s["state_no"] >= _FIRST_OF_SENSOR:
            yield Finding(FAIL, "strap", told, _(s["advice"]))
        elif s["state"] in {"silent", "in use elsewhere?"}:
            yield Finding(WARN, "strap", told, _(s["advice"]))
        elif s["state"] == "connected" and (s["age_s"] or 0) > QUIET_S:
            told = _("Strap {strap} of {person}: connected, and tells no heart rate").format(**words)
            yield Finding(WARN, "strap", told, _("Moisten it, or take it off: it is not worn, or dry"))
        else:
            yield Finding(OK, "strap", told)
        if s["battery_pct"] is not None and s["battery_pct"] <= LOW_PCT:
            told = _("Strap {strap} of {person}: its battery is at {percent} %").format(
                percent=s["battery_pct"], **words
            )
            yield Finding(WARN, "strap", told, _("Change its battery soon"))
