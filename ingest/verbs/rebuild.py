"""A store made anew from the journal."""

import sys
import time
from contextlib import closing, nullcontext
from typing import TYPE_CHECKING, Any

import click

from ingest.errors import Stop, TryLater
from ingest.language import N_, Text, gettext
from ingest.stores.configured import STORES, configured_stores
from ingest.verbs.command import Invocation, verb
from ingest.verbs.messages import print_sentences, say

if TYPE_CHECKING:
    from ingest.journal import Journal
    from ingest.settings.model import Settings
    from ingest.stores.contract import Store

PORTION = 100
"""Entries between two steps of the bar."""

PATIENCE_S = 60.0
"""How long a store that was written to may be away before we give up waiting for it."""


def rebuild(
    settings: "Settings", journal: "Journal", name: str = "sqlite", *, resume: bool = False
) -> tuple[str, int]:
    """Forget a store's rows and fill it from the journal; gives where the store is and how many entries it took.

    Stopped halfway it goes on from there by itself in the daemon, or here with `resume`, which forgets nothing.
    Raises TryLater when the store is away, Stop when the settings name none.
    """
    store = next((s for s in configured_stores(settings) if s.name == name), None)
    if store is None:
        raise Stop(
            Text(N_("No server is named in the settings: write [influx] and its url into them first."))
        )
    with closing(store):
        if not resume:
            _clear(store, journal)
        return store.place, _fill(store, journal)


def _clear(store: "Store", journal: "Journal") -> None:
    try:
        store.clear(journal)
    except TryLater:
        store.clear(journal)  # a damaged one was deleted by the attempt


def _fill(store: "Store", journal: "Journal") -> int:
    from ingest.stores.following import follow
    from ingest.stores.influx.client import Unavailable

    taken, until_s = 0, time.monotonic() + PATIENCE_S
    start = store.reported_position(journal)
    with _bar(journal.last_position() - start) as shown:
        at = start

        def progress(position: int, _: int) -> None:
            nonlocal at, taken, until_s
            taken += position - at
            until_s = time.monotonic() + PATIENCE_S
            if shown is not None:
                shown.update(position - at)
            at = position

        while True:
            try:
                follow(journal, store, portion=PORTION, progress=progress)
            except Unavailable:
                if time.monotonic() > until_s:
                    raise
                time.sleep(1)
            else:
                return taken


def _bar(length: int) -> Any:
    if not sys.stderr.isatty():
        return nullcontext(None)
    return click.progressbar(length=length, label=gettext("Rebuilding"), width=0, file=sys.stderr)


@verb("rebuild", ("Grafana shows nothing, or something wrong", "hartslag rebuild"))
@click.option(
    "--store",
    "name",
    type=click.Choice(STORES),
    default=STORES[0],
    show_default=True,
    help="Which store; influx is the server below [influx] in the settings.",
)
@click.option("--resume", is_flag=True, help="Go on where it was broken off; nothing is forgotten first.")
@click.pass_obj
def command(invocation: Invocation, name: str, resume: bool) -> None:
    """Make a store anew from the journal.

    Broken off, it goes on by itself in the daemon.
    """
    with invocation.open_journal() as (settings, journal):
        try:
            place, taken = rebuild(settings, journal, name, resume=resume)
        except KeyboardInterrupt:
            say(
                gettext(
                    "Broken off. The daemon goes on with it, or `hartslag rebuild --resume` with the same --store."
                ),
                sys.stderr,
            )
            raise
        if resume:
            told = gettext("The store {place} is up to date; it took {taken} entries of the journal.")
        else:
            told = gettext("The store {place} is made anew from {taken} entries of the journal.")
        print_sentences([told.format(place=place, taken=taken)])
