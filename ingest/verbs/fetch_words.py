"""How the fetching from a watch goes, in words and as plain data: for `fetch`, `status` and the log."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest.collect.fetch_record import DONE, FETCHING, GONE, NO_ROOM, TROUBLE, FetchState
from ingest.language import gettext as _
from ingest.language import ngettext
from ingest.log import quoted

if TYPE_CHECKING:
    from ingest.settings.model import Settings


def watch_text(settings: "Settings", state: FetchState) -> str:
    """What a watch is called in a sentence: by its own name, or its person and product."""
    named = next((w.name for w in settings.watches if w.serial == state.serial and w.name), None)
    if named:
        return named
    product = _clean(state.product)
    if state.key.startswith("folder-"):
        return _("the folder")
    owner = state.person or settings.owner_of_watch(state.serial)
    if owner is None or settings.names_are_open:
        return product or _("the watch")
    if product:
        return _("{product} of {person}").format(product=product, person=owner)
    return _("the watch of {person}").format(person=owner)


def _clean(product: str) -> str:
    """The name of a product without what a terminal could take amiss: it came from outside."""
    return quoted(product)[1:-1]


def fetch_sentence(settings: "Settings", state: FetchState, *, is_plugged_in: bool | None = None) -> str:
    """How it goes, or went; a watch that the system knew as a device is thought to be plugged in, unless one knows better."""
    watch = watch_text(settings, state)
    watch = watch[:1].upper() + watch[1:]
    if state.state == FETCHING:
        return ngettext(
            "{watch}: {fetched} of {new} new file fetched; leave it plugged in.",
            "{watch}: {fetched} of {new} new files fetched; leave it plugged in.",
            state.new,
        ).format(watch=watch, fetched=state.fetched, new=state.new)
    if state.state == GONE:
        if not state.new:
            return _("{watch}: it was unplugged before it could be looked into; plug it in again.").format(
                watch=watch
            )
        return _(
            "{watch}: unplugged when {fetched} of {new} new files were fetched; plug it in again for the rest."
        ).format(watch=watch, fetched=state.fetched, new=state.new)
    if state.state == NO_ROOM:
        return _(
            "{watch}: {fetched} of {new} new files fetched, then the disk was full. Make room: if it is still plugged in the"
            " rest follows by itself."
        ).format(watch=watch, fetched=state.fetched, new=state.new)
    if state.state == DONE:
        return _done(
            watch, state, is_plugged_in=bool(state.device) if is_plugged_in is None else is_plugged_in
        )
    return _trouble(state)


def _done(watch: str, state: FetchState, *, is_plugged_in: bool) -> str:
    text = (
        ngettext("{watch}: {fetched} new file fetched", "{watch}: {fetched} new files fetched", state.fetched)
        if state.new
        else _("{watch}: nothing new")
    ).format(watch=watch, fetched=state.fetched)
    if state.unreadable:
        text += ngettext(
            ", {n} could not be read; plug it in once more", ", {n} could not be read; plug it in once more", state.unreadable
        ).format(n=state.unreadable)  # fmt: skip
    if state.too_large:
        text += ngettext(
            ", {n} is too large and was left", ", {n} are too large and were left", state.too_large
        ).format(n=state.too_large)
    return _("{text}; you may unplug it.").format(text=text) if is_plugged_in else f"{text}."


def _trouble(state: FetchState) -> str:
    from ingest.system.plugged import NO_MTP_PROGRAM

    if state.trouble == NO_MTP_PROGRAM:
        return _(
            "A watch was plugged in that speaks MTP, which needs one program more. Install it, then plug the watch in again:"
            " sudo apt install jmtpfs"
        )
    return _(
        "A watch was plugged in and could not be looked into: {detail}. Does the desktop show it? Eject it there. Then plug"
        " it in again; many watches ask on their own screen first."
    ).format(detail=quoted(state.detail))


def lines_to_add(settings: "Settings", state: FetchState) -> list[str]:
    """The lines for the settings that say whose a watch is; none where that is known, or nothing would help."""
    if state.person or not state.serial or settings.owner_of_watch(state.serial) is not None:
        return []
    names = " # " + ", ".join(p.name for p in settings.persons)
    first = settings.persons[0].name
    return ["[[watch]]", f'serial = "{state.serial}"', f'person = "{first}"{names}']


def fetch_lines(settings: "Settings", state: FetchState) -> Iterator[str]:
    """What `fetch` answers."""
    from ingest.system.lock import holder

    yield fetch_sentence(settings, state)
    if lines := lines_to_add(settings, state):
        yield whose_is_it()
        yield from (f"  {line}" for line in lines)
    elif state.fetched and holder(settings.data) is None:
        yield _("They wait in the inbox: start the daemon with `hartslag run`.")


def fetch_json(settings: "Settings", state: FetchState) -> dict[str, Any]:
    """As `--json` prints it."""
    now_ms = time.time_ns() // 1_000_000
    is_plugged_in = bool(state.device) and Path(state.device).exists()
    return {
        "watch": watch_text(settings, state),
        "serial": state.serial or None,
        "product": state.product or None,
        "person": state.person or (settings.owner_of_watch(state.serial) if state.serial else None),
        "device": state.device or None,
        "state": state.state,
        "age_s": max(now_ms - state.at_ms, 0) / 1000,
        "new": state.new,
        "fetched": state.fetched,
        "unreadable": state.unreadable,
        "too_large": state.too_large,
        "trouble": state.trouble or None,
        "sentence": fetch_sentence(settings, state, is_plugged_in=is_plugged_in),
        "add": lines_to_add(settings, state),
    }


def whose_is_it() -> str:
    """What stands above the lines to add."""
    return _("Whose watch is it? Its files wait until these lines are in the settings:")


def needs_a_hand(plugged: dict[str, Any]) -> bool:
    """Whether a person must do something about a watch that was plugged in."""
    return plugged["state"] in {GONE, NO_ROOM, TROUBLE} or bool(plugged["unreadable"])
