"""The store on a server: InfluxDB 1.8, 2 or 3, or VictoriaMetrics, filled from the journal and kept true to it.

Nothing is queued here. What the server has not said yes to lies in the journal, behind the position. What it refuses for
ever is set aside in the ledger with its words. What it holds and should not is found by comparing, and put right.
"""

import contextlib
import logging
import os
import secrets
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from ingest.errors import TryLater
from ingest.language import N_
from ingest.log import quoted
from ingest.rows.table import Block
from ingest.settings.model import InfluxSettings
from ingest.stores.contract import Followed, Overtaken, RefusedRow, Stretch
from ingest.stores.influx.backoff import Backoff
from ingest.stores.influx.batch import BatchWriter
from ingest.stores.influx.client import BodyTooLarge, Refused, ServerClient, Unavailable
from ingest.stores.influx.detection import detect_server
from ingest.stores.influx.doubts import Doubts
from ingest.stores.influx.inspection import REACHED, SeenAspect, inspect_server
from ingest.stores.influx.ledger import Ledger, wall_ms
from ingest.stores.influx.lines import clean_tag
from ingest.stores.influx.marker import marker_line
from ingest.stores.influx.ownership import Ownership
from ingest.stores.influx.refused_rows import RefusedRows
from ingest.stores.influx.replica import ServerReplica
from ingest.stores.influx.server import Server
from ingest.system.crash_points import reached
from ingest.system.patience import Patience

MARKER_CHECK_S = 60.0
"""How often the ownership marker is looked for: an emptied server is noticed."""

_log = logging.getLogger(__name__)


class InfluxStore:
    """A server as the settings name it. Belongs to the thread that uses it."""

    name = "influx"
    remedy = N_("What it lacks comes by itself from the journal, once that is mended.")

    def __init__(
        self,
        influx: InfluxSettings,
        folder: Path,
        *,
        environ: Mapping[str, str] = os.environ,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
        now_ms: Callable[[], int] = wall_ms,
    ) -> None:
        """`folder` is where the ledger lies; `clock` counts seconds, `sleep` lets them pass, `now_ms` is the wall clock."""
        self.place = influx.url
        self._influx, self._clock = influx, clock
        self._ledger = Ledger(folder / "influx.db", now_ms)
        self._client = ServerClient(influx, environ, clock, sleep)
        self._refused = RefusedRows(self._ledger)
        self._batch = BatchWriter(self._client, self._refused.set_aside)
        self._backoff = Backoff(clock)
        self._doubts = Doubts(clock)
        self._ownership = Ownership(influx, self._ledger, writer=secrets.token_hex(8))
        self._journal: Followed | None = None
        self._forget_server()

    def _forget_server(self) -> None:
        """Know nothing any more of the server and what it holds: all is asked anew."""
        self._batch.discard()
        self._server: Server | None = None
        self._replica: ServerReplica | None = None
        self._began = 0
        self._marker_seen_at = 0.0
        self._other_writer_at = -1e9

    def close(self) -> None:
        """Save how far it is, and let go of connection and ledger."""
        if self._replica is not None:
            with contextlib.suppress(TryLater):
                self._replica.save()
        self._forget_server()
        self._client.close()
        self._ledger.close()

    @property
    def patience(self) -> Patience:
        """How long the ledger waits for another process."""
        return self._ledger.file.patience

    @patience.setter
    def patience(self, patience: Patience) -> None:
        self._ledger.file.patience = patience
        self._client.going_on = patience.going_on

    # --- the contract of a store ---

    def begin(self, journal: Followed) -> int:
        """The position in a journal. Raises TryLater when the server is away, or a person must act."""
        with self._exclusively():
            last = journal.last_position()
            replica = self._ready(journal, last)
            if not self._ownership.is_of_this_past(replica.state, journal):
                self._replica = None  # asked anew, it starts over
                replica = self._ready(journal, last)
            self._began = replica.state.sent
            return self._began

    def write(self, portions: Iterable[list[Block]], position: int) -> None:
        """Have the server hold the blocks, and be at the position once it has said yes to all of them."""
        with self._exclusively():
            replica = self._ready(self._journal_now, 0)
            if replica.state.sent != self._began:
                raise Overtaken
            reached("store begun")
            filling = position <= replica.state.empty_to
            for portion in portions:
                for block in portion:
                    replica.reconciler.replace(block, filling=filling)
                reached("store sending")
            self._batch.flush()
            if not filling:
                self._server_now.hasten_visibility()
            reached("store written")
            replica.acknowledge(position, self._journal_now.generation_at(position))
            self._began = replica.state.sent
            replica.confirm()
            beside_another = self._clock() - self._other_writer_at < MARKER_CHECK_S
            if filling or beside_another or replica.is_save_due:
                replica.save()
            reached("store committed")

    def keep_persons(self, names: Collection[str]) -> None:
        """Delete the rows of everybody else of this site, on the server and in the ledger."""
        with self._exclusively():
            replica = self._ready(self._journal_now, 0)
            replica.save()
            self._server_now.sync_others()
            self._server_now.keep_persons(names)
            self._doubts.keep(names)
            self._ledger.keep_persons({clean_tag(name) for name in names} | {*names})
            # What is kept in memory of their rows goes with them; where it began to be written is still so.
            began = self._began
            self._forget_server()
            self._began = began

    def holds_others(self, names: Collection[str]) -> bool:
        """Whether rows of others than these persons are there: a server that is killed may lose a deletion, too."""
        with self._exclusively():
            self._ready(self._journal_now, 0)
            if not self._server_now.may_lose:
                return False
            return bool(self._server_now.persons() - {clean_tag(name) for name in names})

    def wipe(self) -> None:
        """Leave no byte of deleted rows in the ledger."""
        self._ledger.file.wipe()

    def maintain(self) -> None:
        """Send minutes that have settled, rewrite series that need it, save the ledger."""
        with self._exclusively():
            replica = self._ready(self._journal_now, 0)
            if replica.is_to_be_opened_anew:
                self._replica = None
                return
            replica.reconciler.catch_up()
            replica.confirm()
            replica.correct()
            if replica.is_save_due:
                saved = self._ledger.replica_state(self._ownership.replica_id, self._journal_now.id)
                state = replace(replica.state, sent_ms=saved.sent_ms if saved else 0)
                if replica.corrections.has_pending or saved != state:
                    replica.save()

    def clear(self, journal: Followed) -> None:
        """Delete all rows of this site from the server: the next one to follow the journal fills it anew."""
        self._backoff.skip()
        with self._exclusively():
            self._forget_server()
            self._doubts.clear()
            server = detect_server(self._client, self._influx)
            server.sync_others()
            # Stopped in the middle of it, nothing may pass for held: what is there is then compared with what should be.
            self._ownership.start(journal, 0)
            server.clear()
            self._ownership.start(journal, journal.last_position())
            server.claim_ownership(journal.id)

    def doubted(self, persons: Collection[str]) -> Stretch | None:
        """What was sent of these persons lately and may be lost, once it can be looked for."""
        due = self._doubts.due()
        if due is None:
            return None
        return replace(due, person=next((n for n in persons if clean_tag(n) == due.person), due.person))

    def counts_as_before(self, stretch: Stretch) -> bool:
        """Whether as many rows of a stretch are there as when all of it was found, and none was sent since."""
        with self._exclusively():
            self._ready(self._journal_now, 0)
            known = self._doubts.counts.get(stretch)
            return known is not None and known == self._count(stretch)

    def compare(self, portions: Iterable[list[Block]], stretch: Stretch) -> bool:
        """Look for all the blocks of a stretch, and send what is not there."""
        with self._exclusively():
            replica = self._ready(self._journal_now, 0)
            if replica.state.sent != self._began:
                raise Overtaken
            is_whole, replica.reconciler.passed_over = True, False
            for portion in portions:
                for block in portion:
                    is_whole &= replica.reconciler.is_held(block, settled_only=stretch.settled_only)
            self._batch.flush()
            if is_whole and replica.reconciler.passed_over and not stretch.settled_only:
                self._doubts.postpone(stretch)
            elif is_whole:
                self._doubts.looked(stretch)
                self._refused.drop_unshown(stretch)
                count = None if stretch.settled_only else self._count(stretch)
                if count is not None:
                    self._doubts.counts[stretch] = count
            else:
                is_new, gives_up = self._doubts.lacked(stretch)
                if is_new:
                    self._marker_seen_at = -1e9  # it may have begun to keep less
                told = "%s at %s lacked rows of %s; they were sent once more."
                level = logging.INFO if is_new else logging.DEBUG
                _log.log(level, told, self._server_now.title, self.place, quoted(stretch.person))
                if gives_up:
                    self._refused.keep_unshown(stretch, self._server_now.title)
            replica.confirm()
            return is_whole

    def _count(self, stretch: Stretch) -> int | None:
        return self._server_now.count_rows(stretch.person, stretch.start_ms * 1000, stretch.end_ms * 1000)

    def reported_position(self, journal: Followed) -> int:
        """How far it is by the ledger, which may be up to half a minute behind."""
        held = self._ledger.peek_state(self._ownership.replica_id, journal.id)
        if held is None or not self._ownership.is_of_this_past(held, journal):
            return 0
        return held.sent

    def refused_rows(self) -> list[RefusedRow]:
        """What the server will never take, newest first."""
        return self._ledger.refused_rows()

    def misplaced(self) -> None:
        """A server is what it says that it is."""

    def faults(self, journal: str) -> list[str]:
        """Whether it is there, the right one, and keeps what it is given."""
        return [seen.trouble for seen in self.inspect(journal) if seen.trouble and not seen.harmless]

    def inspect(self, journal: str | None) -> list[SeenAspect]:
        """What is seen of the server, one aspect after the other; nothing but marker and canary is written.

        Without a journal, that was not made yet or cannot be opened, by the one that was last sent.
        """
        try:
            journal = journal or self._ledger.last_journal(self._ownership.replica_id) or ""
            return list(inspect_server(self._client, self._influx, self._ownership, journal))
        except TryLater as e:  # the ledger cannot be read
            return [SeenAspect(REACHED, trouble=e.text)]
        finally:
            self.close()

    # --- for `retry` ---

    def retry(self) -> tuple[int, list[RefusedRow]]:
        """Send once more what was refused: (how many rows were taken now, those that were not)."""
        self._backoff.skip()
        taken = []
        with self._exclusively():
            for refused in self._ledger.refused_rows():
                if not refused.line:
                    continue
                try:
                    self._client.write_lines(refused.line, refused.precision)
                    taken.append(refused.key)
                except (Refused, BodyTooLarge):
                    continue
            self._ledger.delete_refused(taken)
        return len(taken), self._ledger.refused_rows()

    # --- the server ---

    @contextmanager
    def _exclusively(self) -> Iterator[None]:
        """One process at a time; a server that was away is left alone for a while, and all is asked anew after an error."""
        self._backoff.check()
        try:
            with self._ledger.exclusive():
                yield
        except TryLater as e:
            if isinstance(e, Unavailable):
                self._doubts.counts.clear()  # what comes back may be a copy of another day
                if self._replica is not None:
                    self._batch.shrink()
            self._backoff.fail(e)
            self._forget_server()
            raise
        except BaseException:
            self._forget_server()
            raise
        else:
            self._backoff.succeed()

    @property
    def _server_now(self) -> Server:
        assert self._server is not None, "begin comes first"
        return self._server

    @property
    def _journal_now(self) -> Followed:
        assert self._journal is not None, "begin comes first"
        return self._journal

    def _ready(self, journal: Followed, last: int) -> ServerReplica:
        """The replica, once the server is known to be there, the right one, whole and ours."""
        if self._server is None:
            self._server = detect_server(self._client, self._influx)
        server = self._server
        if self._replica is None or self._journal is None or self._journal.id != journal.id:
            self._replica = self._open_replica(server, journal, last)
        elif self._clock() - self._marker_seen_at > MARKER_CHECK_S:
            self._marker_seen_at = self._clock()
            self._ownership.check(server, journal.id)
        self._journal = journal
        self._notice_other_writer(self._replica)
        return self._replica

    def _open_replica(self, server: Server, journal: Followed, last: int) -> ServerReplica:
        self._journal = journal
        self._marker_seen_at = self._clock()
        self._batch.probe_line = marker_line(journal.id, server.site)
        state = self._ownership.take(server, journal, last)
        self._doubts.may_lose = server.may_lose
        self._refused.load()
        replica = ServerReplica(
            server, state, self._batch, self._ledger, self._refused, self._doubts, self._clock
        )
        replica.reconciler.written_anew(replica.corrections.resend())
        return replica

    def _notice_other_writer(self, replica: ServerReplica) -> None:
        """Go on from where another process has left the server. Each tells the other in the ledger how far it is."""
        held = self._ledger.replica_state(self._ownership.replica_id, self._journal_now.id)
        if held is None or held.writer != self._ownership.writer:
            self._other_writer_at = self._clock()
            held = held or self._ownership.start(self._journal_now, 0)
            replica.resume(replace(held, writer=self._ownership.writer))
