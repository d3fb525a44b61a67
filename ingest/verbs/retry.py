"""Rows that a server refused, sent once more: when its owner has mended something there."""

import sys
from contextlib import closing
from typing import TYPE_CHECKING

import click

from ingest.errors import Stop
from ingest.language import N_, Text, gettext
from ingest.verbs.command import Invocation, verb
from ingest.verbs.messages import print_wrapped

if TYPE_CHECKING:
    from ingest.settings.model import Settings


def send_refused(settings: "Settings") -> tuple[int, int, str]:
    """How many rows the server took and how many it still refuses, and its address.

    Raises TryLater when it is away, Stop without one.
    """
    if settings.influx is None:
        raise Stop(Text(N_("No server is named in the settings, so nothing was refused.")))
    from ingest.stores.influx.store import InfluxStore

    with closing(InfluxStore(settings.influx, settings.store_file.parent)) as store:
        taken, refused = store.retry()
    return taken, len(refused), store.place


@verb("retry", ("The server has been mended", "hartslag retry"))
@click.pass_obj
def command(invocation: Invocation) -> None:
    """Send once more the rows that a server refused; ends with 1 when it refuses some again."""
    with invocation.view_journal() as (settings, _):
        taken, refused, place = send_refused(settings)
        told = gettext("{taken} rows were taken by {place}, {refused} are still refused.")
        print_wrapped([told.format(taken=taken, place=place, refused=refused)])
    if refused:
        sys.exit(1)
