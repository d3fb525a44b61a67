"""The store on a server: InfluxDB 1.8, 2 or 3, or VictoriaMetrics, filled from the journal and kept true to it.

Nothing is queued here. What the server has not said yes to lies in the journal, behind the position. What it refuses for
ever is set aside in the ledger with its words. What it holds and should not is found by comparing, and put right.
"""

import contextlib
import json
import logging
import math
import os
import random
import secrets
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ingest.errors import TryLater
from ingest.log import quoted
from ingest.rows.table import Block
from ingest.settings.model import Influx
from ingest.stores.contract import RefusedRow
from ingest.stores.influx.cells import (
    Cells,
    Labels,
    Series,
    counted,
    difference,
    halves,
    part,
    pieces,
    replaced,
    within,
)
from ingest.stores.influx.corrections import Amends
from ingest.stores.influx.influxql import InfluxServer, marker
from ingest.stores.influx.ledger import Held, Ledger, wall_ms
from ingest.stores.influx.lines import UNITS, tag_text
from ingest.stores.influx.outbox import Outbox, Poison, series_of, table_of, tags_of, time_of
from ingest.stores.influx.server import Server
from ingest.stores.influx.victoria import VictoriaServer
from ingest.stores.influx.wire import Away, Refused, TooLarge, TooMuch, Wire
from ingest.system.crash_points import reached

PIECE_ROWS = 10_000
"""Rows that are compared with the server's at once."""

SEND_ROWS = 30_000
"""Rows that are made into lines at once: a week of a strap would need forty megabytes."""

KNOWN_CELLS = 60_000
"""Cells of one series that are remembered as held: the newest hours of a strap."""

KNOWN_SERIES = 200

SAVE_S = 30.0
"""How often the ledger is written while nothing but live samples comes in: the card is spared."""

LOOK_S = 60.0
"""How often the marker is looked for: an emptied server is noticed."""

BORN_S = 10.0
"""How often a server that may forget what it said yes to is asked whether it was started anew."""

PATIENCE_S = (1.0, 30.0)
"""The shortest and the longest pause before a server that was away is asked again."""

LONGEST_PAUSE_S = 3600.0
"""Whatever Retry-After says."""

NEW_US = 86_400_000_000
"""What ends later than this ago is looked up as "from then on": what comes next is then known already."""

FOREVER_US = 1 << 62

_log = logging.getLogger(__name__)


def known_server(wire: Wire, influx: Influx) -> Server:
    """The server as it introduces itself. Raises Away."""
    ping = wire.ask("GET", "/ping")
    told = {k.lower(): v for k, v in ping.headers.items()}
    if "x-influxdb-version" in told or "x-influxdb-build" in told:
        version = told.get("x-influxdb-version", "").removeprefix("v")
        return InfluxServer(wire, influx, version if version[:1].isdigit() else _version(wire))
    if "x-server-hostname" in told or wire.ask("GET", "/api/v1/status/buildinfo").status == 200:
        return VictoriaServer(wire, influx)
    if ping.status not in {200, 204}:
        raise wire.trouble(ping)
    return InfluxServer(wire, influx, _version(wire))


def _version(wire: Wire) -> str:
    with contextlib.suppress(ValueError, AttributeError):
        found = str(json.loads(wire.ask("GET", "/health").body).get("version", "")).removeprefix("v")
        return found if found[:1].isdigit() else ""
    return ""


class InfluxStore:
    """A server as the settings name it. Belongs to the thread that uses it."""

    name = "influx"

    def __init__(
        self,
        influx: Influx,
        folder: Path,
        *,
        environ: Mapping[str, str] = os.environ,
        clock: Callable[[], float] = time.monotonic,
        now_ms: Callable[[], int] = wall_ms,
    ) -> None:
        """`folder` is where the ledger lies; `clock` counts seconds, `now_ms` is the wall clock."""
        self.place = influx.url
        self._where = "\n".join((influx.url, influx.org, influx.bucket, influx.site or ""))
        self._ledger = Ledger(folder / "influx.db", now_ms)
        self._wire = Wire(influx, environ)
        self._influx, self._clock = influx, clock
        self._me = secrets.token_hex(8)
        self._journal = ""
        self._fails, self._not_before, self._trouble = 0, 0.0, TryLater()
        self._saved = -1e9
        self._outbox = Outbox(self._wire, self._set_aside)
        self._forget()

    def _forget(self) -> None:
        """Know nothing any more of the server and what it holds: all is asked anew."""
        self._outbox.drop()
        self._server: Server | None = None
        self._held: Held | None = None
        self._began = 0
        self._looked = 0.0
        self._asked = 0.0
        self._shared = -1e9
        self._yes: deque[tuple[float, int]] = deque()
        self._known: dict[Series, tuple[int, int, Cells]] = {}
        self._young: dict[Series, Block] = {}
        self._any_refused = self._any_ahead = False
        self._connections = -1
        self._born = ""

    def close(self) -> None:
        if self._held is not None:
            with contextlib.suppress(TryLater):
                self._save()
        self._forget()
        self._wire.close()
        self._ledger.close()

    # --- the contract of a store ---

    def begin(self, journal: str, last: int = 0) -> int:
        """The position in the journal of that id, whose last one is `last`.

        Raises TryLater when the server is away, or a person must act.
        """
        with self._patiently(), self._ledger.alone():
            self._ready(journal, last)
            self._began = self._now_held.sent
            return self._began

    def write(self, portions: Iterable[list[Block]], position: int) -> None:
        """Have the server hold the blocks, and be at the position once it has said yes to all of them."""
        with self._patiently(), self._ledger.alone():
            self._ready(self._journal, 0)
            reached("store begun")
            for portion in portions:
                for block in portion:
                    self._replace(block, filling=position <= self._now_held.empty_to)
                reached("store sending")
            self._outbox.post()
            if position > self._now_held.empty_to:
                self._server_now.show()
            reached("store written")
            held = self._now_held
            # Not when it was started anew or emptied since `begin`: then the position went back.
            if held.sent >= self._began:
                self._held = replace(held, sent=max(position, held.sent))
                self._yes.append((self._clock(), position))
            self._sure()
            if position <= held.empty_to or self._due or self._clock() - self._shared < LOOK_S:
                self._save()
            reached("store committed")

    def maintain(self) -> None:
        """Do what waits for a quiet moment: minutes that have settled, series to be put right, the ledger."""
        with self._patiently(), self._ledger.alone():
            self._ready(self._journal, 0)
            self._settle()
            self._arrive()
            self._outbox.post()
            self._sure()
            if self._amends.due:
                self._save()
                self._amends.make()
                self._known.clear()
            saved = self._ledger.held(self._where, self._journal)
            if self._due and (
                self._amends.waiting
                or saved != replace(self._now_held, sent_ms=saved.sent_ms if saved else 0)
            ):
                self._save()

    def clear(self, journal: str, last: int = 0) -> None:
        """Take all rows of this site from the server: the next one to follow the journal fills it anew."""
        self._not_before = 0.0
        with self._patiently(), self._ledger.alone():
            self._forget()
            server = known_server(self._wire, self._influx)
            server.flush()
            # Stopped in the middle of it, nothing may pass for held: what is there is then compared with what should be.
            self._ledger.start(self._where, journal, self._me, 0)
            server.clear()
            self._ledger.start(self._where, journal, self._me, last)
            server.mark(journal)

    def retry(self) -> tuple[int, list[RefusedRow]]:
        """Send once more what was refused: (how many rows were taken now, those that were not)."""
        self._not_before = 0.0
        taken = []
        with self._patiently(), self._ledger.alone():
            for refusal in self._ledger.refusals():
                if not refusal.line:
                    continue
                try:
                    self._wire.post(refusal.line, refusal.precision)
                    taken.append(refusal.key)
                except (Refused, TooLarge):
                    continue
            self._ledger.accepted(taken)
        return len(taken), self._ledger.refusals()

    # --- for `status` ---

    remedy = "What it lacks comes by itself from the journal, once that is mended."

    def reported_position(self, journal: str) -> tuple[int, int | None]:
        held = self._ledger.look(self._where, journal)
        return (held.sent, held.sent_ms) if held else (0, None)

    def refused_rows(self) -> list[RefusedRow]:
        return self._ledger.refusals()

    def faults(self, journal: str) -> list[str]:
        """Whether it is there, the right one, and keeps what it is given; nothing but the marker is written."""
        try:
            server = known_server(self._wire, self._influx)
            server.flush()
            found = server.markers()
            if found - {journal, self._ledger.journal(self._where)}:
                return [self._foreign(server)]
            if journal not in found:
                return [f"{server.title} is not filled from this journal yet; the daemon does that"]
            server.mark(journal)
        except TryLater as e:
            return [str(e)]
        finally:
            self.close()
        return []

    # --- patience ---

    @contextmanager
    def _patiently(self) -> Iterator[None]:
        """Leave a server alone that is away, longer each time, and not at the moment at which all others come back."""
        if self._clock() < self._not_before:
            raise self._trouble
        try:
            yield
        except TryLater as e:
            self._trouble = Away(str(e)) if isinstance(e, Away) else TryLater(str(e))
            self._fails += 1
            least, most = PATIENCE_S
            pause = min(least * 2 ** min(self._fails - 1, 10), most) * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
            if isinstance(e, Away):
                pause = max(pause, e.after_s or 0.0)
                if self._held is not None:
                    self._outbox.shrink()
            self._not_before = self._clock() + min(pause, LONGEST_PAUSE_S)
            self._forget()
            raise
        except BaseException:
            self._forget()
            raise
        else:
            self._fails = 0

    # --- the server, and how far it is ---

    @property
    def _now_held(self) -> Held:
        assert self._held is not None, "begin comes first"
        return self._held

    @property
    def _now_us(self) -> int:
        return self._ledger.now_ms() * 1000

    @property
    def _server_now(self) -> Server:
        assert self._server is not None, "begin comes first"
        return self._server

    @property
    def _due(self) -> bool:
        return self._clock() - self._saved >= SAVE_S

    def _ready(self, journal: str, last: int) -> None:
        """Know that the server is there, the right one, whole and ours, and how far it is."""
        if self._server is None:
            self._server = known_server(self._wire, self._influx)
        server = self._server
        born = self._born
        # A new connection, or some time: before a server may be another that keeps the connection while it is started anew.
        doubtful = bool(self._yes) and self._clock() - self._asked > BORN_S
        if doubtful or self._wire.connections != self._connections:
            self._connections = self._wire.connections
            self._asked = self._clock()
            self._born = server.born()
        if self._held is not None and born != self._born:
            _log.info(
                "%s at %s was started anew; the last minutes are sent once more.", server.title, self.place
            )
            self._held = None
        if self._held is None or self._journal != journal:
            self._journal = journal
            self._looked = self._clock()
            self._known.clear()
            self._young.clear()
            self._yes.clear()
            server.flush()
            self._outbox.harmless = marker(journal, server.site)
            self._amends = Amends(server, self._outbox, self._ledger, self._clock)
            self._held = self._ours(server, journal, last)
            self._save()
            self._any_refused = bool(self._ledger.refusals(1))
            self._any_ahead = bool(self._ledger.ahead(FOREVER_US))
            self._amends.again()
        elif self._clock() - self._looked > LOOK_S:
            self._looked = self._clock()
            if journal not in server.markers():
                raise TryLater(
                    f"{server.title} at {self.place} was emptied or replaced; it is filled from the journal."
                )
        there = self._ledger.held(self._where, journal)
        if there is None or there.writer != self._me:
            # Another process has written to the server meanwhile, or had it emptied. Each tells the other how far it is.
            self._shared = self._clock()
            self._known.clear()
            self._yes.clear()
            server.flush()
            there = there or self._ledger.start(self._where, journal, self._me, 0)
            self._held = replace(there, writer=self._me)
            self._yes.append((self._clock(), there.sent))
            self._save()

    def _ours(self, server: Server, journal: str, last: int) -> Held:
        """How far the server is; emptied first when it is of an earlier journal of ours."""
        found = server.markers()
        before = self._ledger.journal(self._where)
        if found - {journal, before}:
            raise TryLater(self._foreign(server))
        held = self._ledger.held(self._where, journal) if journal in found else None
        if found - {journal}:
            _log.info("%s at %s is of an earlier journal; it is emptied.", server.title, self.place)
            server.clear()
            held = None
        server.mark(journal)
        if held is None:
            # What is there is compared with what should be, unless nothing is.
            held = self._ledger.start(self._where, journal, self._me, last if server.is_empty() else 0)
        # What it may have lost of what it said yes to is sent again.
        return replace(held, sent=held.position, writer=self._me)

    def _foreign(self, server: Server) -> str:
        named = f"the site {quoted(self._influx.site)}" if self._influx.site else "no site"
        return (
            f"{server.title} at {self.place} holds rows of another hartslag with {named}. Where several write to one"
            ' server each needs a name of its own: site = "..." below [influx]. If that other one is no more,'
            " `hartslag rebuild --store influx` puts this one in its place."
        )

    def _sure(self) -> None:
        """What was said yes to long enough before the server was last seen to be the same is held for sure."""
        seen = self._looked if self._server_now.lag_s else self._clock()
        self._amends.discard(seen)
        while self._yes and seen - self._yes[0][0] >= self._server_now.lag_s:
            _, position = self._yes.popleft()
            self._held = replace(self._now_held, position=max(position, self._now_held.position))

    def _save(self) -> None:
        self._ledger.move(self._now_held.position, self._now_held.sent, self._me, self._amends.taken())
        self._saved = self._clock()

    # --- rows ---

    def _replace(self, block: Block, *, filling: bool) -> None:
        block = self._server_now.fitted(block)
        if self._any_refused:
            tags = {name: tag_text(value) for name, value in block.tags.items()}
            self._ledger.outdated(
                block.table,
                block.start_us,
                block.end_us,
                lambda key: tags.items() <= tags_of(key.encode()).items(),
            )
        series = Series.of(block, self._server_now.site)
        block = self._by_now(series, block)
        if filling:
            self._known.pop(series, None)
            self._send(block)
            return
        for piece in pieces(self._grown(series, block), PIECE_ROWS):
            self._compare(series, piece)

    def _by_now(self, series: Series, block: Block) -> Block:
        """The block without what lies too far ahead: a server that would drop it is sent it when its time has come."""
        if math.isinf(self._server_now.future_s):
            return block
        ahead = block.time_us >= self._horizon_us
        if self._any_ahead or ahead.any():
            later = part(block, np.flatnonzero(ahead), block.start_us, block.end_us)
            times = [(part(later, np.array([i]), t, t + 1), t) for i, t in enumerate(later.time_us.tolist())]
            rows = ((t, unit, line) for one, t in times for line, unit in self._server_now.bodies(one))
            self._ledger.lies_ahead(repr(series), block.start_us, block.end_us, rows)
            self._any_ahead = True
        if not ahead.any():
            return block
        return part(block, np.flatnonzero(~ahead), block.start_us, min(block.end_us, self._horizon_us))

    @property
    def _horizon_us(self) -> int:
        return time.time_ns() // 1000 + int(self._server_now.future_s * 1e6)

    def _arrive(self) -> None:
        """Send what lay ahead and does so no more."""
        if self._any_ahead:
            due = self._ledger.ahead(self._horizon_us)
            for _, unit, line in due:
                self._outbox.put(line, unit)
            self._outbox.post()
            self._ledger.arrived(number for number, *_ in due)

    def _send(self, block: Block) -> None:
        for a in range(0, len(block), SEND_ROWS):
            some = part(block, np.arange(a, min(a + SEND_ROWS, len(block))), block.start_us, block.end_us)
            for body, unit in self._server_now.bodies(some):
                self._outbox.put(body, unit)

    def _compare(self, series: Series, block: Block) -> None:
        """Send the rows of a block that differ from those held, and have put right what cannot be written over."""
        try:
            held = self._cells(series, block.start_us, block.end_us)
        except TooMuch:
            for half in halves(block):
                self._compare(series, half)
            return
        new = self._server_now.cells(block)
        times: list[NDArray[np.int64]] = []
        gone: dict[Labels, list[NDArray[np.int64]]] = {}
        for key in held.keys() | new.keys():
            d = difference(held.get(key), new.get(key))
            times += [d.changed, d.gone]
            if not self._server_now.replaces:
                self._amends.heed(series, key, d, block.start_us, block.end_us, new.get(key))
            elif len(d.gone):
                gone.setdefault(key[0], []).append(d.gone)
        self._amends.warn()
        if gone:
            self._outbox.post()
        for labels, lists in gone.items():
            self._erase(series, labels, np.unique(np.concatenate(lists)), new)
        if times:
            rows = np.flatnonzero(np.isin(block.time_us, np.concatenate(times)))
            self._send(part(block, rows, block.start_us, block.end_us))
        self._remember(series, block.start_us, block.end_us, new)
        if self._amends.many:
            self._save()

    def _cells(self, series: Series, start_us: int, end_us: int) -> Cells:
        """What the server holds of a series in [start, end)."""
        known = self._known.get(series)
        if known is not None and known[0] <= start_us and end_us <= known[1]:
            return within(known[2], start_us, end_us)
        self._outbox.post()
        # What was sent a moment ago and is forgotten here must be there when asked for.
        self._flush()
        if end_us < self._now_us - NEW_US:
            return self._server_now.held(series, start_us, end_us)
        cells = self._server_now.held(series, start_us, FOREVER_US)
        self._known.pop(series, None)
        self._known[series] = (start_us, FOREVER_US, cells)
        while len(self._known) > KNOWN_SERIES:
            del self._known[next(iter(self._known))]
        return within(cells, start_us, end_us)

    def _flush(self) -> None:
        self._server_now.flush()

    def _remember(self, series: Series, start_us: int, end_us: int, new: Cells) -> None:
        """The server holds these cells now, or will once it is put right."""
        known = self._known.get(series)
        if known is None or start_us >= known[1] or end_us <= known[0]:
            return
        a, b, cells = known
        if start_us < a or end_us > b:
            del self._known[series]
            return
        cells = replaced(cells, start_us, end_us, new)
        if counted(cells) > KNOWN_CELLS:
            newest = np.sort(np.concatenate([t for t, _ in cells.values()]))
            a = int(newest[len(newest) // 2])
            cells = within(cells, a, b)
        self._known[series] = (a, b, cells)

    def _erase(self, series: Series, labels: Labels, gone: NDArray[np.int64], new: Cells) -> None:
        """Take rows away, in as few stretches as there are between those that stay."""
        mine = [times for key, (times, _) in new.items() if key[0] == labels]
        stay = np.setdiff1d(np.concatenate(mine) if mine else np.empty(0, np.int64), gone)
        breaks = np.flatnonzero(np.diff(np.searchsorted(stay, gone))) + 1
        spans = [(int(run[0]), int(run[-1])) for run in np.split(gone, breaks)]
        if not self._server_now.erase(series, labels, spans):
            words = f"{self._server_now.title} cannot delete single rows; this one is no longer true"
            name = ",".join([series.table, *(f"{k}={v}" for k, v in (*series.tags, *labels) if v)])
            self._ledger.refuse((b"", "us", f"{name} {t}", series.table, int(t), words) for t in gone)
            self._any_refused = True

    def _set_aside(self, poison: Poison) -> None:
        series = series_of(poison.line)
        at_us = time_of(poison.line) * UNITS[poison.unit]
        key = f"{series.decode(errors='replace')} {at_us}"
        _log.warning("The server refuses the row %s: %s", quoted(key), poison.words)
        self._ledger.refuse([(poison.line, poison.unit, key, table_of(series), at_us, poison.words)])
        self._any_refused = True

    # --- minutes that are not over ---

    def _grown(self, series: Series, block: Block) -> Block:
        """The block without its youngest minutes, which are kept until their numbers have settled."""
        if not self._server_now.settles_s or block.table != "minute":
            return block
        now_us = self._now_us
        cut = now_us - int(self._server_now.settles_s * 1e6)
        young = np.flatnonzero((block.time_us > cut) & (block.time_us <= now_us))
        before = self._young.pop(series, None)
        if not len(young) and before is None:
            return block
        if before is not None:
            apart = (before.time_us < block.start_us) | (before.time_us >= block.end_us)
            if apart.any():
                kept = part(before, np.flatnonzero(apart), before.start_us, before.end_us)
                self._settled(series, kept)
        if not len(young):
            return block
        first = int(block.time_us[young[0]])
        self._young[series] = part(block, young, first, block.end_us)
        return part(block, np.flatnonzero(block.time_us < first), block.start_us, first)

    def _settle(self) -> None:
        """Send the minutes that are old enough by now."""
        cut = self._now_us - int(self._server_now.settles_s * 1e6)
        for series, block in list(self._young.items()):
            old = np.flatnonzero(block.time_us <= cut)
            if not len(old):
                continue
            del self._young[series]
            rest = np.flatnonzero(block.time_us > cut)
            border = int(block.time_us[rest[0]]) if len(rest) else block.end_us
            if len(rest):
                self._young[series] = part(block, rest, border, block.end_us)
            self._compare(series, part(block, old, block.start_us, border))

    def _settled(self, series: Series, block: Block) -> None:
        """Send minutes that are not touched any more by what comes in."""
        first, last = int(block.time_us[0]), int(block.time_us[-1])
        self._compare(series, replace(block, start_us=first, end_us=last + 1))
