"""Is a server as it should be? Reached, written to, read, keeping what it is given, with our rows alone, and all of them."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ingest.language import gettext as _
from ingest.language import ngettext, said
from ingest.verbs.finding import FAIL, OK, WARN, Finding

if TYPE_CHECKING:
    from ingest.journal import Journal
    from ingest.settings.model import InfluxSettings
    from ingest.stores.contract import Store

FEW = 200
"""Entries that a daemon which is at it may have before it."""


def server_findings(influx: "InfluxSettings", store: "Store", journal: "Journal | None") -> Iterator[Finding]:
    """A line for each thing that the server is asked, and what is known here of what it lacks and refused.

    A server can be asked before there is a journal: who has just written its address wants to know.
    """
    from ingest.log import quoted
    from ingest.stores.influx.inspection import ACCESS, OWNER, REACHED, ROWS
    from ingest.stores.influx.server import DEDUPLICATION, DELETION, RETENTION
    from ingest.stores.influx.store import InfluxStore

    assert isinstance(store, InfluxStore), "it is a server"
    site = quoted(influx.site) if influx.site else ""
    well = {
        REACHED: _("Server {url}: {title} answers"),
        ACCESS: _("Server {url}: it is written to and read"),
        OWNER: _("Server {url}: the rows of the site {site} there are of this journal, and of no other")
        if site
        else _("Server {url}: the rows without a site there are of this journal, and of no other"),
        RETENTION: _("Server {url}: it keeps what is old; a row of 1990 is there"),
        DEDUPLICATION: _("Server {url}: a row that is sent twice is there once"),
        DELETION: _("Server {url}: what is no longer true can be deleted"),
        ROWS: _("Server {url}: rows of this Pi are there"),
    }
    for seen in store.inspect(journal.id if journal is not None else None):
        if seen.trouble:
            level = WARN if seen.harmless else FAIL
            told = said(seen.trouble)
            if store.place not in told:
                told = _("Server {url}: {trouble}").format(url=store.place, trouble=told)
            yield Finding(level, "store", told, "" if seen.harmless else _(store.remedy), seen.aspect)
        else:
            told = well[seen.aspect].format(url=store.place, title=seen.title, site=site)
            yield Finding(OK, "store", told, aspect=seen.aspect)
    if journal is not None:
        yield _behind(store, journal)
        yield _refused(store)


def _behind(store: "Store", journal: "Journal") -> Finding:
    """By the ledger here, which may be half a minute late."""
    position, last = store.reported_position(journal), journal.last_position()
    count = max(last - position, 0)
    if not count:
        told = _("Server {url}: all of the journal was sent to it").format(url=store.place)
        return Finding(OK, "store", told, aspect="behind")
    told = ngettext(
        "Server {url}: {count} entry of the journal is not there yet",
        "Server {url}: {count} entries of the journal are not there yet",
        count,
    ).format(url=store.place, count=count)
    do = _("The daemon sends them; `hartslag status` says whether it runs, and what holds it up")
    return Finding(OK if count <= FEW else WARN, "store", told, do, "behind")


def _refused(store: "Store") -> Finding:
    refused = len(store.refused_rows())
    if not refused:
        return Finding(
            OK, "store", _("Server {url}: no row was refused").format(url=store.place), aspect="refused"
        )
    told = ngettext(
        "Server {url}: {rows} row is refused by it and kept here",
        "Server {url}: {rows} rows are refused by it and kept here",
        refused,
    ).format(url=store.place, rows=refused)
    return Finding(WARN, "store", told, _("`hartslag retry` sends them again"), "refused")
