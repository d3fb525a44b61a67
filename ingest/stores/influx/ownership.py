"""Whose rows a server holds: a site's rows are of one journal, and never mixed with those of another."""

import logging
from dataclasses import replace

from ingest.errors import TryLater
from ingest.language import N_, Text
from ingest.log import quoted
from ingest.settings.model import InfluxSettings
from ingest.stores.contract import Followed
from ingest.stores.influx.ledger import Ledger, ReplicaState
from ingest.stores.influx.server import Server

_log = logging.getLogger(__name__)


class Ownership:
    """Our claim to a site's rows on the server that the settings name. `writer` is what this process calls itself."""

    def __init__(self, influx: InfluxSettings, ledger: Ledger, writer: str) -> None:
        self._influx, self._ledger, self.writer = influx, ledger, writer
        self.replica_id = "\n".join((influx.url, influx.org, influx.bucket, influx.site or ""))
        """What the ledger calls the server, bucket and site."""

    def is_foreign(self, owners: set[str], journal: str) -> bool:
        """Whether a site's rows are neither of this journal nor of our last one."""
        return not owners <= {journal, self._ledger.last_journal(self.replica_id)}

    def explain_foreign(self, server: Server) -> Text:
        """What to tell the owner then."""
        template = (
            N_(
                "{title} at {url} holds rows of another hartslag with the site {site}. Where several write to one server"
                ' each needs a name of its own: site = "..." below [influx]. If that other one is no more,'
                " `hartslag rebuild --store influx` puts this one in its place."
            )
            if self._influx.site
            else N_(
                "{title} at {url} holds rows of another hartslag without a site. Where several write to one server each"
                ' needs a name of its own: site = "..." below [influx]. If that other one is no more,'
                " `hartslag rebuild --store influx` puts this one in its place."
            )
        )
        return Text(template, title=server.title, url=self._influx.url, site=quoted(self._influx.site or ""))

    def take(self, server: Server, journal: Followed, last: int) -> ReplicaState:
        """How far the server is in a journal; emptied first when it is of an earlier one.

        A server that holds nothing is filled up to `last` without a comparison. Raises TryLater when the rows are
        somebody else's, or the server does not keep what it is given.
        """
        owners = server.owners()
        held = self._ledger.replica_state(self.replica_id, journal.id)
        if held is not None and journal.id not in owners:
            server.sync_others()  # it may have been written a moment ago
            owners = server.owners()
        if self.is_foreign(owners, journal.id):
            raise TryLater(self.explain_foreign(server))
        held = held if journal.id in owners else None
        if owners - {journal.id}:
            _log.info("%s at %s is of an earlier journal; it is emptied.", server.title, self._influx.url)
            server.clear()
            held = None
        server.claim_ownership(journal.id)
        if held is not None and not self.is_of_this_past(held, journal):
            _log.info(
                "The journal was put back from a copy; what %s at %s holds is compared with it.",
                server.title,
                self._influx.url,
            )
            held = self.start(journal, 0)
        if held is None:
            # What is there is compared with what should be, unless nothing is.
            held = self.start(journal, last if server.is_empty() else 0)
        if held.writer == self.writer and not self._ledger.copied_series():
            return held  # what it may have lost of what it said yes to is looked for
        # Nobody knows any more what is to be looked for: all of it is sent again.
        generation = journal.generation_at(held.position)
        return replace(held, sent=held.position, writer=self.writer, generation=generation)

    def is_of_this_past(self, state: ReplicaState, journal: Followed) -> bool:
        """Whether the journal still has what a server holds; not when it was put back from a copy."""
        return state.generation == journal.generation_at(state.sent)

    def check(self, server: Server, journal: str) -> None:
        """Raise TryLater when the marker is gone, as the server was emptied, or another's has come to stand beside it."""
        owners = server.owners()
        if journal not in owners:
            emptied = N_("{title} at {url} was emptied or replaced; it is filled from the journal.")
            raise TryLater(Text(emptied, title=server.title, url=self._influx.url))
        if self.is_foreign(owners, journal):
            raise TryLater(self.explain_foreign(server))

    def start(self, journal: Followed, empty_to: int) -> ReplicaState:
        """Be at 0 of a journal; nothing is held of what comes up to `empty_to`, and need not be compared."""
        generation = journal.generation_at(0)
        return self._ledger.reset(self.replica_id, journal.id, self.writer, empty_to, generation)
