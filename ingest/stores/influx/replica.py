"""The rows of one journal on one server, and how far they are there."""

from collections import deque
from collections.abc import Callable
from dataclasses import replace

from ingest.stores.influx.batch import BatchWriter
from ingest.stores.influx.corrections import Corrections
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
        clock: Callable[[], float],
    ) -> None:
        self._server, self._ledger, self._clock = server, ledger, clock
        self.state = state
        self.corrections = Corrections(server, batch, ledger, clock)
        self.reconciler = Reconciler(server, batch, ledger, refused, self.corrections, self.save)
        self._acknowledged: deque[tuple[float, int]] = deque()
        self.save()

    @property
    def has_unconfirmed(self) -> bool:
        """Whether the server said yes to something that it may still lose."""
        return bool(self._acknowledged)

    @property
    def is_save_due(self) -> bool:
        """Whether it is time to write the ledger."""
        return self._clock() - self._saved_at >= SAVE_S

    def acknowledge(self, position: int, generation: str | None) -> None:
        """The server has said yes to everything up to a position, which is of that run of a writer."""
        if position >= self.state.sent:
            self.state = replace(self.state, sent=position, generation=generation)
        self._acknowledged.append((self._clock(), position))

    def confirm(self, seen: float) -> None:
        """Count as held what the server, last seen to be the same at a moment of the clock, cannot lose any more."""
        self.corrections.discard_copies(seen)
        while self._acknowledged and seen - self._acknowledged[0][0] >= self._server.durability_lag_s:
            _, position = self._acknowledged.popleft()
            self.state = replace(self.state, position=max(position, self.state.position))

    def resume(self, state: ReplicaState) -> None:
        """Go on from where another process has left the server: what was known of its rows may be otherwise."""
        self.reconciler.known.clear()
        self._acknowledged.clear()
        self._server.sync_visibility()
        self.state = state
        self._acknowledged.append((self._clock(), state.sent))
        self.save()

    def correct(self) -> None:
        """Rewrite the series that need it, when it is time for that."""
        if self.corrections.is_due:
            self.save()
            self.corrections.apply()
            self.reconciler.known.clear()

    def save(self) -> None:
        """Write to the ledger how far it is, together with what is still to be corrected up to there."""
        self._ledger.advance(self.state, self.corrections.take_pending())
        self._saved_at = self._clock()
