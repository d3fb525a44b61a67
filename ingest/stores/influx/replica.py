"""The rows of one journal on one server, and how far they are there."""

from collections import deque
from collections.abc import Callable
from dataclasses import replace

from ingest.stores.influx.batch import BatchWriter
from ingest.stores.influx.corrections import ROUND_S, Corrections
from ingest.stores.influx.doubts import FRESH_S, Doubts
from ingest.stores.influx.ledger import Ledger, ReplicaState
from ingest.stores.influx.reconciliation import Reconciler
from ingest.stores.influx.refused_rows import RefusedRows
from ingest.stores.influx.server import Server

SAVE_S = 30.0
"""How often the ledger is written while nothing but live samples comes in: the card is spared."""


class ServerReplica:
    """What is known of them from one `begin` until something goes wrong; then all is asked anew.

    `state` is how far it is now, and is in the ledger when it is saved.
    """

    def __init__(
        self,
        server: Server,
        state: ReplicaState,
        batch: BatchWriter,
        ledger: Ledger,
        refused: RefusedRows,
        doubts: Doubts,
        clock: Callable[[], float],
    ) -> None:
        self._server, self._ledger, self._clock = server, ledger, clock
        self._doubts = doubts
        self._opened_s = clock()
        self.state = state
        self.corrections = Corrections(server, batch, ledger, doubts, clock)
        self.reconciler = Reconciler(server, batch, ledger, refused, self.corrections, doubts, self.save)
        self._acknowledged: deque[tuple[float, int]] = deque()
        if state.sent > state.position:
            self._acknowledged.append((clock(), state.sent))
        self.save()

    @property
    def is_save_due(self) -> bool:
        """Whether it is time to write the ledger."""
        return self._clock() - self._saved_at >= SAVE_S

    def acknowledge(self, position: int, generation: str | None) -> None:
        """The server has said yes to everything up to a position, which is of that run of a writer."""
        if position >= self.state.sent:
            self.state = replace(self.state, sent=position, generation=generation)
        self._acknowledged.append((self._clock(), position))

    def confirm(self) -> None:
        """Count as held what was looked for, or what the server cannot lose."""
        seen_s = self._doubts.since_s if self._server.may_lose else self._clock() + 1
        if self.reconciler.has_kept_back:
            seen_s = min(seen_s, self._clock() - FRESH_S)
        self.corrections.discard_copies(seen_s)
        if self.corrections.postponed:
            return  # what is sent now is sent once more behind the copies
        while self._acknowledged and self._acknowledged[0][0] < seen_s:
            _, position = self._acknowledged.popleft()
            self.state = replace(self.state, position=max(position, self.state.position))

    @property
    def is_to_be_opened_anew(self) -> bool:
        """Whether it is time to try once more what a replica that is away prevents."""
        return self.corrections.postponed and self._clock() - self._opened_s >= ROUND_S

    def resume(self, state: ReplicaState) -> None:
        """Go on from where another process has left the server: what was known of its rows may be otherwise."""
        self.reconciler.known.clear()
        self._acknowledged.clear()
        self._server.sync_others()
        self.state = state
        self._acknowledged.append((self._clock(), state.sent))
        self.save()

    def correct(self) -> None:
        """Rewrite the series that need it, when it is time for that."""
        if self.corrections.is_due:
            self.save()
            self.reconciler.see_all()
            self.reconciler.written_anew(self.corrections.apply())

    def save(self) -> None:
        """Write to the ledger how far it is, together with what is still to be corrected up to there."""
        self._ledger.advance(self.state, self.corrections.take_pending())
        self._saved_at = self._clock()
