"""The question which strap in reach is whose: by the search of `hartslag scan`, and by the heart rate it tells just now."""

import asyncio
from dataclasses import dataclass
from typing import Any

from ingest.errors import HartslagError
from ingest.language import gettext as _
from ingest.settings.mistakes import mistakes_in
from ingest.settings.model import Settings
from ingest.settings.names import NOBODY
from ingest.verbs.scan import FoundStrap, scan
from ingest.verbs.setup_dialogue import Dialogue
from ingest.verbs.setup_person import Talk
from ingest.verbs.setup_watch import draft_settings

TOLD_EVERY_S = 4
LISTEN_S, RATES_EVERY_S = 10.0, 2.0


@dataclass(frozen=True, slots=True)
class _Searched:
    """What a search gave: sensors, or in words why there was none."""

    found: tuple[FoundStrap, ...] = ()
    trouble: str = ""


def ask_straps(talk: Talk) -> None:
    """Search for straps as long as somebody wants to, and take those that they say are theirs."""
    d, draft = talk.dialogue, talk.draft
    has_some = bool(draft.values.get("strap"))
    d.say()
    d.say(
        _(
            "A chest strap, or a watch that broadcasts its heart rate, can be listened to by Bluetooth. Only straps "
            "in the settings are ever listened to, never a neighbour's."
        )
    )
    number = 0
    question = _("Search for straps now?")
    while d.agree(
        question,
        default=not has_some and number == 0,
        more=_("Put the strap on and moisten it first. Without a strap the files of a watch are enough."),
    ):
        number += 1
        _ask_once(talk, number)
        question = _("Search again, for another strap?")


def _ask_once(talk: Talk, number: int) -> None:
    d = talk.dialogue
    settings = draft_settings(talk.draft, talk.data)
    searched: _Searched = d.once(("search", number), lambda: _search(d, settings, talk.search_s))
    if searched.trouble:
        d.say(searched.trouble)
        d.say(_("That is no loss: run this again later, and press Enter at all questions before this one."))
        return
    for one in searched.found:
        if one.strap is not None:
            d.say(
                _("{strap} is in the settings already, for {person}.").format(
                    strap=_strap_text(one), person=one.strap.person
                )
            )
    new = [one for one in searched.found if one.strap is None and one.address not in _addresses(talk)]
    if not new:
        d.say(
            _(
                "No new strap was heard. Put it on and moisten it, switch a watch to broadcast its heart rate, and come "
                "near. One that a phone is connected to is not heard: switch Bluetooth off there."
            )
        )
        return
    _ask_which(talk, settings, new, number)


def _ask_which(talk: Talk, settings: Settings, new: list[FoundStrap], number: int) -> None:
    """Listen to one after the other, until somebody knows theirs."""
    d = talk.dialogue
    turn = 0
    while new:
        choices: list[tuple[FoundStrap | None, str]] = [(one, _strap_text(one)) for one in new]
        choices.append((None, _("None of these")))
        one = d.choose(
            _("Which one is yours? Its heart rate is shown next, so that you can tell."), choices, new[0]
        )
        if one is None:
            return
        turn += 1
        _show_heart_rate(talk, settings, one, (number, turn))
        if d.agree(_("Is this one to be listened to from now on?"), default=None):
            _take(talk, one)
            new = [other for other in new if other is not one]
            if not new or not d.agree(_("Is another one of them yours, too?"), default=False):
                return


def _take(talk: Talk, one: FoundStrap) -> None:
    d, draft = talk.dialogue, talk.draft
    values: dict[str, Any] = {"address": one.address}
    if one.changes:
        values = {"name": one.name or "", "serial": one.serial or ""}
        if any(m.startswith(("name", "serial")) for m in mistakes_in("strap", values)):
            d.say(
                _(
                    "This one changes its address, and by its name and serial number it could not be known again: it is "
                    "not taken."
                )
            )
            return
    names = [p["name"] for p in draft.values.get("person", ())]
    person = names[0] if names else NOBODY
    if len(names) > 1:
        person = d.choose(_("Whose heart does it hear?"), [(name, name) for name in names], names[0])
    if names:
        values["person"] = person
    draft.add(("strap",), values)
    talk.changes.append(
        _("{strap} is listened to, for {person}.").format(strap=_name_text(one), person=person)
    )


def _addresses(talk: Talk) -> set[str]:
    return {str(s.get("address", "")).upper().replace("-", ":") for s in talk.draft.values.get("strap", ())}


# --- Bluetooth ---


def _search(d: Dialogue, settings: Settings, seconds: int) -> _Searched:
    from ingest.collect.radio import Radio

    async def search() -> list[FoundStrap]:
        telling = asyncio.create_task(_tell_time(d, seconds))
        try:
            return await scan(settings, Radio(settings.bluetooth.adapter), seconds, ask=True)
        finally:
            telling.cancel()

    try:
        return _Searched(tuple(asyncio.run(search())))
    except HartslagError as e:
        return _Searched(trouble=_trouble_text(e))


def _trouble_text(error: HartslagError) -> str:
    """Why there is no Bluetooth, and what to do: the state and its advice, as `hartslag status` says them."""
    from ingest.collect.adapter import NoBluetooth

    if isinstance(error, NoBluetooth):
        return _("Bluetooth cannot be used now: {state}. {advice}").format(
            state=_(error.state), advice=_(error.advice)
        )
    return _("Bluetooth cannot be used now: {why}").format(why=error)


async def _tell_time(d: Dialogue, seconds: int) -> None:
    """Say from time to time that the search goes on, on lines of their own."""
    d.show(_("Listening for {seconds} seconds ...").format(seconds=seconds))
    for left_s in range(seconds - TOLD_EVERY_S, 0, -TOLD_EVERY_S):
        await asyncio.sleep(TOLD_EVERY_S)
        d.show(_("{seconds} seconds more ...").format(seconds=left_s))
    await asyncio.sleep((seconds - 1) % TOLD_EVERY_S + 1)
    d.show(_("Asking those that were heard who they are ..."))


def _show_heart_rate(talk: Talk, settings: Settings, one: FoundStrap, turn: tuple[int, int]) -> None:
    """The heart rate of a sensor for some seconds, a line every other second."""
    d = talk.dialogue
    if one.connected:
        d.say(
            _(
                "This computer listens to it already, so its heart rate is not shown here: `hartslag today` shows it."
            )
        )
        return
    d.show(_("Connecting ..."))
    d.once(("heart rate", turn), lambda: _listen(d, settings, one, min(LISTEN_S, talk.search_s)))


def _listen(d: Dialogue, settings: Settings, one: FoundStrap, seconds: float) -> None:
    from ingest.collect.live_heart_rate import listen
    from ingest.collect.radio import Radio

    async def show() -> None:
        loop = asyncio.get_running_loop()
        due_s = loop.time()

        def hear(bpm: int) -> None:
            nonlocal due_s
            if loop.time() < due_s:
                return
            due_s = loop.time() + RATES_EVERY_S
            d.show(
                _("{bpm} beats per minute").format(bpm=bpm)
                if bpm
                else _("It feels no heart: it is not worn, or dry")
            )

        await listen(Radio(settings.bluetooth.adapter), one.address, seconds, hear)

    try:
        asyncio.run(show())
    except HartslagError as e:
        d.say(_("Its heart rate cannot be shown now."))
        d.say(_trouble_text(e))


# --- words ---


def _name_text(one: FoundStrap) -> str:
    """Names come by radio from anybody: they stay on their line."""
    name = one.name or one.model or one.address
    return "".join(ch if ch.isprintable() else "?" for ch in name)


def _strap_text(one: FoundStrap) -> str:
    """A sensor as people tell it from others."""
    parts = [_name_text(one)]
    if one.model and one.model != one.name:
        parts.append("".join(ch if ch.isprintable() else "?" for ch in one.model))
    if one.signal_dbm is not None:
        near = one.signal_dbm >= -65
        parts.append(_("near") if near else _("further away"))
    if one.battery_pct is not None:
        parts.append(_("battery {percent} %").format(percent=one.battery_pct))
    if one.connected:
        parts.append(_("connected to this computer"))
    parts.append(one.address)
    return ", ".join(parts)
